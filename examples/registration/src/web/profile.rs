use std::sync::Arc;

use axum::response::{Html, Redirect, Response};
use diesel_hooks::Model as _;
use minijinja::{Value, context};

use super::db::Db;
use super::form::{FormPage, Submitted};
use super::pages;
use super::visitor::Member;
use crate::accounts;
use crate::database::AnyConnection;
use crate::error::Result;
use crate::forms::Profile;
use crate::models::{Employee, User};

const PAGE: FormPage<'static> = FormPage {
    title: "Edit your profile",
    path: "/profile/edit",
    button: "Save",
    instead: ("Nothing to change?", "/profile", "Back to your profile"),
};

pub(super) async fn show(db: Db, Member(visitor, user): Member) -> Result<Html<String>> {
    let card = card(&db, user).await?;
    let card = Value::from_safe_string(card.to_string());
    visitor.page("profile.html", context! { card })
}

/// The part of the page that is the same until something that it shows is written.
async fn card(db: &Db, user: User) -> Result<Arc<str>> {
    let key = user.id;
    let age = match db.pages().get(key) {
        Ok(card) => return Ok(card),
        Err(age) => age,
    };
    let facts = db.run(move |conn| facts(conn, user.id)).await?;
    let card: Arc<str> = pages::part("profile_card.html", facts)?.into();
    db.pages().keep(key, Arc::clone(&card), age);
    Ok(card)
}

fn facts(conn: &mut AnyConnection, user: i32) -> Result<Value> {
    let user = User::get(conn, user)?;
    let person = user.person(conn)?;
    let employee = User::prefetch_employee(conn, std::slice::from_ref(&user))?;
    let employee: Option<Employee> = employee.into_iter().flatten().next();
    let office = match &employee {
        Some(employee) => Employee::prefetch_profile(conn, std::slice::from_ref(employee))?
            .into_iter()
            .flatten()
            .next()
            .and_then(|it| it.office),
        None => None,
    };
    Ok(context! {
        username => user.username,
        email => user.email,
        since => user.created.date().to_string(),
        birthdate => person.birthdate.map(|it| it.to_string()),
        chat_handle => person.chat_handle,
        meeting_handle => person.meeting_handle,
        phone => person.phone,
        title => employee.map(|it| it.title),
        office,
    })
}

pub(super) async fn edit(db: Db, Member(visitor, user): Member) -> Result<Html<String>> {
    let stored = db.run(move |conn| Ok(Profile::of(&user, &user.person(conn)?)));
    PAGE.show(&visitor, &stored.await?)
}

pub(super) async fn save(
    db: Db,
    Member(visitor, user): Member,
    Submitted(form): Submitted<Profile>,
) -> Result<Response> {
    let outcome = write(&db, user, &form).await;
    PAGE.or_again(&visitor, &form, outcome)
}

async fn write(db: &Db, user: User, form: &Profile) -> Result<Redirect> {
    let (email, details) = form.read()?;
    db.run(move |conn| accounts::edit(conn, user.id, &email, &details))
        .await?;
    Ok(Redirect::to("/profile?notice=saved"))
}
