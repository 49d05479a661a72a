//! What receivers do in one test and not in another.

use std::cell::RefCell;
use std::rc::Rc;

use crate::{Log, TestConnection};

/// What was [`heard`].
pub static LOG: Log = Log::new();

type Act = Rc<dyn Fn(&str, &mut TestConnection) -> diesel_hooks::Result>;

thread_local! {
    static ACT: RefCell<Option<Act>> = const { RefCell::new(None) };
}

/// Lets the receivers of this test do this for each event, which they name as they log it.
pub fn on_event(act: impl Fn(&str, &mut TestConnection) -> diesel_hooks::Result + 'static) {
    ACT.set(Some(Rc::new(act)));
}

/// For receivers: logs an event and does what the test wants.
///
/// # Errors
///
/// Those of what the test wants.
pub fn heard(event: String, conn: &mut TestConnection) -> diesel_hooks::Result {
    let act = ACT.with_borrow(Option::clone);
    LOG.push(event.clone());
    act.map_or(Ok(()), |act| act(&event, conn))
}

/// A model over a table of its own, whose key is `id`.
#[macro_export]
macro_rules! model {
    ($model:ident of $table:ident { $($(#[$attr:meta])* $field:ident: $ty:ty = [$($sql:tt)*]),* $(,)? }) => {
        diesel::table! { $table (id) { id -> Integer, $($field -> $($sql)*,)* } }

        #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
        #[diesel(table_name = $table)]
        #[hooks(connection($crate::TestConnection))]
        struct $model {
            id: i32,
            $($(#[$attr])* $field: $ty,)*
        }
    };
}

/// A receiver before and one after the delete of each model, which log its name and key.
#[macro_export]
macro_rules! hear_deletes {
    ($($before:ident $after:ident $model:ident;)*) => {$(
        #[receiver]
        fn $before(event: &PreDelete<$model>, conn: &mut $crate::TestConnection) -> diesel_hooks::Result {
            $crate::script::heard(format!("pre {} {}", stringify!($model), event.instance.id), conn)
        }

        #[receiver]
        fn $after(event: &PostDelete<$model>, conn: &mut $crate::TestConnection) -> diesel_hooks::Result {
            $crate::script::heard(format!("post {} {}", stringify!($model), event.instance.id), conn)
        }
    )*};
}

/// The total and the counts by model.
#[must_use]
pub fn counted(deleted: diesel_hooks::Deleted) -> (usize, Vec<(&'static str, usize)>) {
    (deleted.total, deleted.by_model.into_iter().collect())
}

/// What a panic said.
///
/// # Panics
///
/// If there is none, or it does not say a text.
pub fn panic_of<T>(work: impl FnOnce() -> T) -> String {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let panic = outcome.err().expect("it panics");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
    }
}
