//! The pages of a model's rows, the same for each model.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::WithRejection;
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::models::{Creatable, Listed, ROWS, Related};
use super::page;
use crate::app::App;
use crate::database::AnyConnection;
use crate::error::{Error, Result, in_words, protectors};
use crate::web::db::Db;
use crate::web::form::{FormPage, Submitted};
use crate::web::visitor::{Admin, Visitor};

pub(super) fn listed<M: Listed>() -> Router<App> {
    Router::new().route(&format!("/{}", M::SECTION.slug), get(list::<M>))
}

pub(super) fn created<M: Creatable>() -> Router<App> {
    let path = format!("/{}/new", M::SECTION.slug);
    Router::new().route(&path, get(ask_new::<M>).post(create::<M>))
}

pub(super) fn deleted<M: Listed>() -> Router<App> {
    let path = format!("/{}/{{id}}/delete", M::SECTION.slug);
    Router::new().route(&path, get(ask_delete::<M>).post(delete::<M>))
}

#[derive(Deserialize)]
struct Which {
    /// One row alone.
    id: Option<i32>,
    /// From 0.
    #[serde(default)]
    page: u32,
}

#[derive(Serialize)]
struct Shown {
    id: i32,
    cells: Vec<String>,
    related: Vec<Related>,
}

async fn list<M: Listed>(
    db: Db,
    Admin(visitor): Admin,
    WithRejection(Query(which), _): WithRejection<Query<Which>, Error>,
) -> Result<Html<String>> {
    let (id, number) = (which.id, which.page);
    let rows = db.run(move |conn| {
        let rows = match id {
            Some(id) => vec![M::get(conn, id)?],
            None => M::load(conn, ROWS * i64::from(number))?,
        };
        shown(conn, &rows)
    });
    let rows = rows.await?;
    let is_full = usize::try_from(ROWS).is_ok_and(|it| it == rows.len());
    let context = context! {
        section => Serde(M::SECTION),
        rows => Serde(rows),
        number,
        is_full,
    };
    page(&visitor, "admin/rows.html", context)
}

fn shown<M: Listed>(conn: &mut AnyConnection, rows: &[M]) -> Result<Vec<Shown>> {
    let related = M::related(conn, rows)?;
    let shown = rows.iter().zip(related).map(|(row, related)| Shown {
        id: row.pk(),
        cells: row.cells(),
        related,
    });
    Ok(shown.collect())
}

/// The form for a new row, with what it is called.
struct NewRow {
    title: String,
    path: String,
    list: String,
}

impl NewRow {
    fn of<M: Listed>() -> Self {
        let slug = M::SECTION.slug;
        NewRow {
            title: format!("New {}", in_words(M::INFO.name)),
            path: format!("/admin/{slug}/new"),
            list: format!("/admin/{slug}"),
        }
    }

    fn page(&self) -> FormPage<'_> {
        FormPage {
            title: &self.title,
            path: &self.path,
            button: "Create",
            instead: ("None after all?", &self.list, "Back to the list"),
        }
    }
}

async fn ask_new<M: Creatable>(Admin(visitor): Admin) -> Result<Html<String>> {
    NewRow::of::<M>().page().show(&visitor, &M::Form::default())
}

async fn create<M: Creatable>(
    State(app): State<App>,
    db: Db,
    Admin(visitor): Admin,
    Submitted(form): Submitted<M::Form>,
) -> Result<Response> {
    let new = NewRow::of::<M>();
    let outcome = M::create_from(&app, &db, &form).await;
    let done = Redirect::to(&format!("{}?notice=row-created", new.list));
    new.page().or_again(&visitor, &form, outcome.map(|()| done))
}

/// What a delete would do, before it is confirmed.
async fn ask_delete<M: Listed>(
    db: Db,
    Admin(visitor): Admin,
    WithRejection(Path(id), _): WithRejection<Path<i32>, Error>,
) -> Result<Html<String>> {
    confirm::<M>(&db, &visitor, id, None).await
}

async fn delete<M: Listed>(db: Db, Admin(visitor): Admin, Path(id): Path<i32>) -> Result<Response> {
    match db
        .run(move |conn| Ok(M::get(conn, id)?.delete(conn)?))
        .await
    {
        Ok(_) => {
            let list = format!("/admin/{}?notice=row-deleted", M::SECTION.slug);
            Ok(Redirect::to(&list).into_response())
        }
        Err(Error::Protected(why)) => {
            let page = confirm::<M>(&db, &visitor, id, Some(protectors(&why))).await?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn confirm<M: Listed>(
    db: &Db,
    visitor: &Visitor,
    id: i32,
    protectors: Option<String>,
) -> Result<Html<String>> {
    let plan = db.run(move |conn| Ok(M::get(conn, id)?.delete_plan(conn)?));
    let plan = plan.await?;
    let context = context! {
        section => Serde(M::SECTION),
        id,
        name => in_words(M::INFO.name),
        plan => plan.to_string(),
        total => plan.total(),
        is_blocked => plan.is_blocked(),
        protectors,
    };
    page(visitor, "admin/delete.html", context)
}
