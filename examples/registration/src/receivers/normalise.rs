use diesel_hooks::prelude::*;

use crate::models::{User, normalised};

/// However somebody writes their name, it is one account.
#[receiver(dispatch_uid = "normalise")]
fn normalise(event: &mut PreSave<User>) {
    let (username, email) = match event {
        PreSave::Create(event) => (&mut event.new.username, &mut event.new.email),
        PreSave::Update(event) => (&mut event.instance.username, &mut event.instance.email),
    };
    *username = normalised(username);
    *email = normalised(email);
}
