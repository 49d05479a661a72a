//! A receiver that hears every model gets the row as JSON, where the model can be serialized.
#![allow(missing_docs, reason = "schema modules are generated")]

use backends::{Log, fresh};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use serde::Serialize;

diesel::table! { users (id) { id -> Integer, name -> Text, password -> Nullable<Text> } }
diesel::table! { secrets (id) { id -> Integer, text -> Text } }

#[derive(Clone, Queryable, Serialize, Hooks)]
struct User {
    id: i32,
    name: String,
    #[serde(skip)]
    password: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
struct Secret {
    id: i32,
    text: String,
}

static LOG: Log = Log::new();

#[receiver]
fn audit(event: &PostSave<dyn AnyModel>) {
    LOG.push(match event.instance.to_json() {
        Ok(row) => row.to_string(),
        Err(error) => format!("{}: {error}", event.instance.model_name()),
    });
}

#[test]
fn a_row_is_json_as_its_model_says_or_an_error() {
    let mut conn = fresh(
        "CREATE TABLE users (id {key}, name TEXT NOT NULL, password TEXT);
         CREATE TABLE secrets (id {key}, text TEXT NOT NULL);",
    );
    let user = NewUser {
        name: "Ada".into(),
        password: Some("hash".into()),
    };
    let user = User::create(&mut conn, user).expect("a user");
    assert_eq!(user.password.as_deref(), Some("hash"));
    assert_eq!(LOG.take(), [r#"{"id":1,"name":"Ada"}"#]);
    Secret::create(
        &mut conn,
        NewSecret {
            text: "hidden".into(),
        },
    )
    .expect("a secret");
    assert_eq!(
        LOG.take(),
        ["Secret: the model does not implement serde::Serialize"]
    );
}
