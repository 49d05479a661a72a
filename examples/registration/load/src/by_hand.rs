//! The registration handler of the application, written by hand: plain Diesel, connections without hooks, and nothing that
//! happens by itself. Pages, forms, the hasher and what stands around every page are the application's.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt::Write as _, fs, io};

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use registration::accounts::{Account, Details};
use registration::database::{AnyConnection, Connections, pool};
use registration::error::{Error, Result, StartError};
use registration::forms::Registration;
use registration::schema::{audit_entries, persons, sessions, users};
use registration::sessions::{LIFETIME, Token};
use registration::web::around;
use registration::web::form::Submitted;
use registration::web::registration::{PAGE, show};
use registration::web::visitor::{Guest, NewToken};
use registration::{App, Config};

/// How often a transaction is tried that others were in the way of.
const ATTEMPTS: u32 = 5;

/// The page where visitors register, and nothing else, by this handler.
///
/// # Errors
///
/// If the application cannot be opened.
pub fn router(config: &Config) -> Result<Router, StartError> {
    let app = App::open(config)?;
    let by_hand = Arc::new(ByHand {
        connections: pool(&config.url(), config.connections.get())?,
        mail: config.folder.join("mail"),
    });
    let page = get(show).post(submit).layer(Extension(by_hand));
    Ok(around(app, Router::new().route("/register", page)))
}

async fn submit(
    State(app): State<App>,
    Extension(by_hand): Extension<Arc<ByHand>>,
    Guest(visitor): Guest,
    Submitted(form): Submitted<Registration>,
) -> Result<Response> {
    let outcome = register(&app, by_hand, &form).await;
    PAGE.or_again(&visitor, &form, outcome)
}

async fn register(
    app: &App,
    by_hand: Arc<ByHand>,
    form: &Registration,
) -> Result<impl IntoResponse + use<>> {
    let account = form.account(app.hasher()).await?;
    let token = tokio::task::spawn_blocking(move || by_hand.register(&account)).await??;
    Ok((NewToken(token), Redirect::to("/profile?notice=registered")))
}

struct ByHand {
    connections: Connections,
    mail: PathBuf,
}

/// The columns that somebody needs after the insert.
struct User {
    id: i32,
    username: String,
    email: String,
}

impl ByHand {
    fn register(&self, account: &Account) -> Result<Token> {
        let conn = &mut *self.connections.get()?;
        let user = insert_with_retries(conn, account)?;
        // The account stands, whatever becomes of its mail.
        if let Err(error) = self.welcome(&user) {
            tracing::error!(%error, "welcome mail");
        }
        // No page of a user is cached that was not there before.
        let token = Token::random()?;
        conn.transaction(|conn| insert_session(conn, &user, &token))?;
        Ok(token)
    }

    fn welcome(&self, user: &User) -> io::Result<()> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let name = to_hex(&random);
        let User {
            username, email, ..
        } = user;
        let text = format!("Hello {username},\n\nyour account is ready.");
        let unfinished = self.mail.join(format!("{name}.part"));
        fs::write(
            &unfinished,
            format!("To: {email}\nSubject: Welcome\n\n{text}\n"),
        )?;
        fs::rename(unfinished, self.mail.join(format!("{name}.eml")))
    }
}

fn insert_with_retries(conn: &mut AnyConnection, account: &Account) -> Result<User> {
    let mut attempt = 1;
    loop {
        match conn.transaction(|conn| insert_user_with_person(conn, account)) {
            Err(error) if attempt < ATTEMPTS && others_were_in_the_way(&error) => attempt += 1,
            outcome => return outcome.map_err(Error::from),
        }
    }
}

fn others_were_in_the_way(error: &DieselError) -> bool {
    let DieselError::DatabaseError(kind, why) = error else {
        return false;
    };
    let told = why.message();
    matches!(kind, DatabaseErrorKind::SerializationFailure)
        || told == "database is locked"
        || told == "deadlock detected"
}

fn insert_user_with_person(conn: &mut AnyConnection, account: &Account) -> QueryResult<User> {
    let visitor = ("a visitor", None);
    let username = normalised(&account.username);
    let email = normalised(&account.email);
    let id = insert_user(conn, &username, &email, account)?;
    diesel::insert_into(persons::table)
        .values(persons::user_id.eq(id))
        .execute(conn)?;
    insert_entry(conn, visitor, "created", "Person", id, "")?;
    insert_entry(conn, visitor, "created", "User", id, "")?;
    fill_person(conn, id, &account.details)?;
    Ok(User {
        id,
        username,
        email,
    })
}

fn insert_user(
    conn: &mut AnyConnection,
    username: &str,
    email: &str,
    account: &Account,
) -> QueryResult<i32> {
    let now = Utc::now().naive_utc();
    let insert = diesel::insert_into(users::table).values((
        users::username.eq(username),
        users::email.eq(email),
        users::password_hash.eq(&account.password_hash),
        users::is_admin.eq(false),
        users::created.eq(now),
        users::modified.eq(now),
    ));
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => insert.returning(users::id).get_result(conn),
        AnyConnection::Sqlite(conn) => {
            insert.execute(conn)?;
            diesel::select(sql::last_insert_rowid()).get_result(conn)
        }
    }
}

#[allow(missing_docs, reason = "the macro adds functions without any")]
mod sql {
    diesel::define_sql_function! {
        fn last_insert_rowid() -> Integer;
    }
}

/// The person was empty, so that what is there by now is what changed.
fn fill_person(conn: &mut AnyConnection, id: i32, details: &Details) -> QueryResult<()> {
    let Details {
        birthdate,
        chat_handle,
        meeting_handle,
        phone,
    } = details;
    let columns = [
        ("birthdate", birthdate.is_some()),
        ("chat_handle", chat_handle.is_some()),
        ("meeting_handle", meeting_handle.is_some()),
        ("phone", phone.is_some()),
    ];
    let changed: Vec<_> = columns.iter().filter(|it| it.1).map(|it| it.0).collect();
    if changed.is_empty() {
        return Ok(());
    }
    diesel::update(persons::table.find(id))
        .set((
            birthdate.map(|it| persons::birthdate.eq(it)),
            chat_handle.as_ref().map(|it| persons::chat_handle.eq(it)),
            meeting_handle
                .as_ref()
                .map(|it| persons::meeting_handle.eq(it)),
            phone.as_ref().map(|it| persons::phone.eq(it)),
        ))
        .execute(conn)?;
    let visitor = ("a visitor", None);
    insert_entry(conn, visitor, "updated", "Person", id, &changed.join(", "))
}

fn insert_session(conn: &mut AnyConnection, user: &User, token: &Token) -> QueryResult<()> {
    let now: NaiveDateTime = Utc::now().naive_utc();
    let insert = diesel::insert_into(sessions::table).values((
        sessions::user_id.eq(user.id),
        sessions::token_hash.eq(token.stored()),
        sessions::created.eq(now),
        sessions::expires.eq(now + LIFETIME),
    ));
    let id = match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => insert.returning(sessions::id).get_result(conn)?,
        AnyConnection::Sqlite(conn) => {
            insert.execute(conn)?;
            diesel::select(sql::last_insert_rowid()).get_result(conn)?
        }
    };
    let actor = (user.username.as_str(), Some(user.id));
    insert_entry(conn, actor, "created", "Session", id, "")
}

fn insert_entry(
    conn: &mut AnyConnection,
    (actor, actor_id): (&str, Option<i32>),
    action: &str,
    model: &str,
    key: i32,
    changed: &str,
) -> QueryResult<()> {
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::at.eq(Utc::now().naive_utc()),
            audit_entries::actor.eq(actor),
            audit_entries::actor_id.eq(actor_id),
            audit_entries::action.eq(action),
            audit_entries::model.eq(model),
            audit_entries::row_key.eq(key.to_string()),
            audit_entries::changed.eq(changed),
        ))
        .execute(conn)
        .map(drop)
}

fn normalised(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes it");
        text
    })
}
