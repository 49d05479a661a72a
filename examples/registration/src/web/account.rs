use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use minijinja::context;

use super::db::Db;
use super::visitor::{Member, NewToken};
use crate::accounts;
use crate::error::{Error, Result, protectors};
use crate::sessions::Token;

pub(super) async fn ask(Member(visitor, _): Member) -> Result<Html<String>> {
    visitor.page("account_delete.html", context! { protectors => () })
}

pub(super) async fn delete(db: Db, Member(visitor, user): Member) -> Result<Response> {
    match db.run(move |conn| accounts::delete(conn, user.id)).await {
        Ok(()) => {
            let gone = Redirect::to("/?notice=account-deleted");
            Ok((NewToken(Token::random()?), gone).into_response())
        }
        Err(Error::Protected(why)) => {
            let context = context! { protectors => protectors(&why) };
            let page = visitor.page("account_delete.html", context)?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error),
    }
}
