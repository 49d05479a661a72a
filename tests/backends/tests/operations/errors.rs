//! An error says what happened to what, where, and keeps its source.

use std::error::Error as _;

use backends::{TestConnection, fresh, on};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { accounts (id) { id -> Integer, owner -> Text } }
diesel::table! { emails (address) { address -> Text, verified -> Bool } }

const SCHEMA: &str = "
    CREATE TABLE accounts (id {key}, owner TEXT NOT NULL);
    CREATE TABLE emails (address TEXT PRIMARY KEY NOT NULL, verified BOOLEAN NOT NULL);
";

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Account {
    id: i32,
    owner: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(table_name = emails, primary_key(address))]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Email {
    address: String,
    verified: bool,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the owner is on a list")]
struct Listed;

#[receiver(dispatch_uid = "screening")]
fn screen(event: &PostCreate<Account>) -> Result<(), Listed> {
    match event.instance.owner.as_str() {
        "marker-of-a-listed-owner" => Err(Listed),
        _ => Ok(()),
    }
}

#[receiver]
fn open_an_account(event: &PostCreate<Email>, conn: &mut TestConnection) -> diesel_hooks::Result {
    Account::create(
        conn,
        NewAccount {
            owner: event.instance.address.clone(),
        },
    )?;
    Ok(())
}

fn listed(conn: &mut TestConnection) -> Error {
    Account::create(
        conn,
        NewAccount {
            owner: "marker-of-a-listed-owner".into(),
        },
    )
    .expect_err("listed")
}

#[test]
fn a_receivers_error_names_receiver_place_signal_model_and_key() {
    let error = listed(&mut fresh(SCHEMA));
    let Error::Receiver(receiver) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (receiver.receiver, receiver.signal, receiver.model),
        ("screening", "PostCreate", Some("Account"))
    );
    assert!(
        receiver.file.ends_with("tests/operations/errors.rs"),
        "{}",
        receiver.file
    );
    let text = error.to_string();
    assert!(text.starts_with("receiver screening ("), "{text}");
    assert!(
        text.ends_with("of PostCreate<Account> 1 failed: the owner is on a list"),
        "{text}"
    );
}

#[test]
fn an_application_gets_its_own_error_back() {
    assert_eq!(
        listed(&mut fresh(SCHEMA)).receiver_error::<Listed>(),
        Some(&Listed)
    );
}

#[test]
fn an_application_gets_its_own_error_back_through_nested_operations_and_diesels_error() {
    let mut conn = fresh(SCHEMA);
    let email = Email {
        address: "marker-of-a-listed-owner".into(),
        verified: true,
    };
    let outcome = conn.transaction(|conn| -> QueryResult<()> {
        Email::create(conn, email)?;
        Ok(())
    });
    let error = Error::from(outcome.expect_err("listed"));
    assert_eq!(error.receiver_error::<Listed>(), Some(&Listed));
    assert!(error.to_string().contains("open_an_account"), "{error}");
}

#[test]
fn a_database_error_is_itself_on_the_way_to_diesel() {
    let mut conn = fresh("CREATE TABLE accounts (id {key}, owner TEXT NOT NULL UNIQUE);");
    let taken = || NewAccount {
        owner: "taken".into(),
    };
    Account::create(&mut conn, taken()).expect("an account");
    let outcome: QueryResult<()> = conn.transaction(|conn| {
        Account::create(conn, taken())?;
        Ok(())
    });
    let error = outcome.expect_err("the owner is taken");
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, told) = error else {
        panic!("{error:?}");
    };
    let told_by_the_database = on(
        "UNIQUE constraint failed: accounts.owner",
        "duplicate key value violates unique constraint \"accounts_owner_key\"",
        "Duplicate entry 'taken' for key 'owner'",
    );
    assert_eq!(told.message(), told_by_the_database);
}

#[test]
fn not_found_names_model_and_key() {
    let mut conn = fresh(SCHEMA);
    let error = Account::get(&mut conn, 42).expect_err("no such row");
    assert!(matches!(
        error,
        Error::NotFound {
            model: "Account",
            ..
        }
    ));
    assert_eq!(error.to_string(), "there is no Account with key 42");
    let mut gone = Account {
        id: 42,
        owner: "nobody".into(),
    };
    assert!(matches!(gone.save(&mut conn), Err(Error::NotFound { .. })));
    assert!(matches!(
        gone.refresh(&mut conn),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        gone.update(&mut conn, |it| it.owner = "else".into()),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        gone.update_set(&mut conn, accounts::owner.eq("else")),
        Err(Error::NotFound { .. })
    ));
    assert_eq!(gone.owner, "nobody");
}

#[test]
fn a_key_that_may_be_personal_is_shown_only_on_request() {
    let mut conn = fresh(SCHEMA);
    let error = Email::get(&mut conn, "marker@example.org".into()).expect_err("no such row");
    assert_eq!(error.to_string(), "there is no Email with key (hidden)");
    assert!(!format!("{error:?}").contains("marker"), "{error:?}");
    let Error::NotFound { key, .. } = error else {
        panic!("not found")
    };
    assert_eq!(key.reveal(), "\"marker@example.org\"");
}

#[test]
fn a_statements_error_keeps_its_source() {
    let mut conn = fresh("CREATE TABLE other (id INTEGER);");
    let error =
        Account::create(&mut conn, NewAccount { owner: "a".into() }).expect_err("no such table");
    let text = error.to_string();
    let refused = text.strip_prefix("create of Account failed: ");
    let missing = on(
        "no such table: accounts",
        "relation \"accounts\" does not exist",
        "accounts' doesn't exist",
    );
    assert!(refused.is_some_and(|it| it.ends_with(missing)), "{text}");
    assert!(
        error
            .source()
            .is_some_and(|source| source.is::<DieselError>())
    );
}
