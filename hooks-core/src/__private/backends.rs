//! What the derive's output asks on every backend that is on. Which are is known here and not where the derive
//! runs: Cargo adds features up.

/// The relation that a type stands for, on the connection type whose id is `on`, if it is one whose backend
/// is on.
#[doc(hidden)]
#[macro_export]
macro_rules! __link {
    ($hooks:ident, $on:ident) => {
        $hooks::on_sqlite!($hooks, Probe, Self, link, $on,)
    };
}

/// What a model is called on a connection, in the same way.
#[doc(hidden)]
#[macro_export]
macro_rules! __names {
    ($hooks:ident, $model:ty) => {
        |__on| $hooks::on_sqlite!($hooks, Names, $model, on, __on,)
    };
}

// Each adds its answer to those before it, or nothing if it is off, and hands them to the next.

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "sqlite")]
macro_rules! __on_sqlite {
    ($hooks:ident, $question:ident, $of:ty, $ask:ident, $on:ident, $($answer:expr,)*) => {
        $hooks::on_postgres!(
            $hooks, $question, $of, $ask, $on,
            $($answer,)* $hooks::$question::<$of, $hooks::Sqlite>::new().$ask($on),
        )
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "sqlite"))]
macro_rules! __on_sqlite {
    ($hooks:ident, $($rest:tt)*) => {
        $hooks::on_postgres!($hooks, $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "postgres")]
macro_rules! __on_postgres {
    ($hooks:ident, $question:ident, $of:ty, $ask:ident, $on:ident, $($answer:expr,)*) => {
        $hooks::on_mysql!(
            $hooks, $question, $of, $ask, $on,
            $($answer,)* $hooks::$question::<$of, $hooks::Postgres>::new().$ask($on),
        )
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "postgres"))]
macro_rules! __on_postgres {
    ($hooks:ident, $($rest:tt)*) => {
        $hooks::on_mysql!($hooks, $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "mysql")]
macro_rules! __on_mysql {
    ($hooks:ident, $question:ident, $of:ty, $ask:ident, $on:ident, $($answer:expr,)*) => {
        $hooks::answer!(
            $hooks, $question, $of, $ask, $on,
            $($answer,)* $hooks::$question::<$of, $hooks::Mysql>::new().$ask($on),
        )
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "mysql"))]
macro_rules! __on_mysql {
    ($hooks:ident, $($rest:tt)*) => {
        $hooks::answer!($hooks, $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __answer {
    ($hooks:ident, $question:ident, $of:ty, $ask:ident, $on:ident,) => {
        ::core::option::Option::None
    };
    ($hooks:ident, $question:ident, $of:ty, $ask:ident, $on:ident, $only:expr,) => {
        $only
    };
    ($hooks:ident, $question:ident, $of:ty, $ask:ident, $on:ident, $($answer:expr,)+) => {
        $hooks::first([$($answer),+])
    };
}

/// The one of these that there is.
pub fn first<T, const N: usize>(answers: [Option<T>; N]) -> Option<T> {
    answers.into_iter().flatten().next()
}
