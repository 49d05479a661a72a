//! Who acts.

use crate::models::User;

/// Who does what is being done, for the audit. Receivers find it in the connection's context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user, if it is one.
    pub id: Option<i32>,
    /// What to call it.
    pub name: String,
}

impl Actor {
    /// Somebody who is not logged in.
    pub fn visitor() -> Self {
        Actor::named("a visitor")
    }

    /// A program, or somebody at its command line.
    pub fn named(name: &str) -> Self {
        Actor {
            id: None,
            name: name.into(),
        }
    }
}

impl From<&User> for Actor {
    fn from(user: &User) -> Self {
        Actor {
            id: Some(user.id),
            name: user.username.clone(),
        }
    }
}
