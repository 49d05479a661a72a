//! Lifecycle hooks for [Diesel](https://diesel.rs): what Django calls signals, typed and checked by the compiler.
//!
//! `#[derive(Hooks)]` on an existing model gives it [`create`](Model::create), [`save`](Model::save),
//! [`update`](Model::update) and [`delete`](Model::delete), which call the functions marked
//! [`#[receiver]`](macro@receiver), create and delete what depends on the row, and happen together or not at
//! all.
//!
//! ```
//! use diesel::prelude::*;
//! use diesel_hooks::prelude::*;
//!
//! diesel::table! {
//!     users (id) { id -> Integer, email -> Text }
//! }
//!
//! #[derive(Debug, Clone, Queryable, Hooks)]
//! struct User {
//!     id: i32,
//!     email: String,
//! }
//!
//! #[receiver]
//! fn normalise(event: &mut PreCreate<User>) {
//!     event.new.email = event.new.email.to_lowercase();
//! }
//!
//! # fn main() -> diesel_hooks::Result {
//! # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
//! diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)").execute(&mut conn)?;
//!
//! let mut user = User::create(&mut conn, NewUser { email: "Ada@Example.org".into() })?;
//! assert_eq!(user.email, "ada@example.org");
//!
//! user.update(&mut conn, |user| user.email = "ada@lovelace.org".into())?;
//! assert_eq!(user.delete(&mut conn)?.total, 1);
//! # Ok(())
//! # }
//! ```
//!
//! Where to go from here: [`Model`] for the operations, [`signal`] for what is sent and when,
//! [`Hooks`](derive@Hooks) for the attributes and relations, [`query::HookedQueryDsl`] for the rows of a Diesel query,
//! [`check()`] for whether the database agrees, [`registry()`] for what was compiled in.

#[cfg(feature = "tracing")]
pub use diesel_hooks_core::set_slow_receiver_threshold;
pub use diesel_hooks_core::{
    Capture, DeletePlan, Deleted, Error, Failure, Guard, HookConnection, HookConnectionExt, Model,
    Persist, RawConnection, Result, Timestamp, check, error, failure, model, query, receiver,
    registry, relation, retry, set_failure_handler, set_instrumentation, signal,
};
pub use diesel_hooks_derive::{HookConnection, Hooks, Signal, receiver};

#[doc(hidden)]
pub use diesel_hooks_core::__private;

/// Links crates whose receivers nothing else brings in.
///
/// The linker drops a crate that no code names, and the receivers in it with it. Write this once, in the
/// binary or in a test; [`registry::Registry::assert_receivers`] makes a missing one loud.
///
/// ```
/// # mod example { extern crate diesel_hooks as billing; extern crate diesel_hooks as mailer;
/// diesel_hooks::link!(billing, mailer);
/// # }
/// ```
#[macro_export]
macro_rules! link {
    ($($krate:ident),+ $(,)?) => {
        $(use $krate as _;)+
    };
}

/// What an application that uses hooks imports.
///
/// `Result` and `Error` are left out: they would hide its own.
pub mod prelude {
    pub use diesel_hooks_core::query::HookedQueryDsl;
    pub use diesel_hooks_core::signal::{
        AnyModel, CustomSignal, PostCreate, PostDelete, PostLoad, PostSave, PostUpdate, PreCreate,
        PreDelete, PreSave, PreUpdate, Signal,
    };
    pub use diesel_hooks_core::{HookConnection, HookConnectionExt, Model};
    pub use diesel_hooks_derive::{HookConnection, Hooks, Signal, receiver};
}

#[cfg(doctest)]
mod guide;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
