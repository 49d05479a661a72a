//! Who asks.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, IntoResponseParts, Response, ResponseParts};
use axum_extra::extract::SignedCookieJar;
use minijinja::{Value, context};
use serde::Deserialize;

use super::pages;
use crate::actor::Actor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::models::User;
use crate::sessions::{self, Token};

/// Somebody with a browser.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub(super) token: Token,
    user: Option<User>,
    notice: Option<&'static str>,
}

impl Visitor {
    /// A page with the menu and the forms of this visitor.
    pub(super) fn page(&self, template: &str, context: Value) -> Result<Html<String>> {
        let visitor = context! {
            username => self.user.as_ref().map(|it| &it.username),
            is_admin => self.user.as_ref().is_some_and(|it| it.is_admin),
            csrf => self.token.csrf(),
            notice => self.notice,
        };
        pages::render(template, context! { visitor, ..context })
    }

    pub(super) fn actor(&self) -> Actor {
        self.user.as_ref().map_or_else(Actor::visitor, Actor::from)
    }
}

/// Tells the handlers who asks, and gives a cookie to whoever has none.
pub(super) async fn identify(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response> {
    let jar = SignedCookieJar::from_headers(request.headers(), app.key());
    let known = jar.get(app.cookie_name());
    let known = known.map(|it| Token::from_cookie(it.value()));
    let (token, fresh, user) = match known {
        Some(token) => (token.clone(), None, user_of(&app, token).await?),
        None => {
            let token = Token::random()?;
            (token.clone(), Some(token), None)
        }
    };
    let notice = notice(request.uri());
    request.extensions_mut().insert(Visitor {
        token,
        user,
        notice,
    });

    let mut response = next.run(request).await;
    let given = response.extensions_mut().remove::<NewToken>();
    Ok(match given.map(|it| it.0).or(fresh) {
        Some(token) => (jar.add(app.cookie(&token)), response).into_response(),
        None => response,
    })
}

async fn user_of(app: &App, token: Token) -> Result<Option<User>> {
    let work = move |conn: &mut _| sessions::user_of(conn, &token);
    app.database().run(Actor::visitor(), work).await
}

/// From here on the browser is known by another token.
#[derive(Debug, Clone)]
pub struct NewToken(pub Token);

impl IntoResponseParts for NewToken {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let visitor = parts.extensions.get::<Visitor>();
        Ok(visitor.expect("`identify` is around every page").clone())
    }
}

/// A visitor who is not logged in; others are sent to their profile.
#[derive(Debug)]
pub struct Guest(pub Visitor);

impl<S: Sync> FromRequestParts<S> for Guest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Ok(visitor) = Visitor::from_request_parts(parts, state).await;
        match visitor.user {
            None => Ok(Guest(visitor)),
            Some(_) => Err(Error::LoggedIn),
        }
    }
}

/// A visitor who is logged in; others are sent to log in.
#[derive(Debug)]
pub(super) struct Member(pub(super) Visitor, pub(super) User);

impl<S: Sync> FromRequestParts<S> for Member {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Ok(visitor) = Visitor::from_request_parts(parts, state).await;
        let user = visitor.user.clone().ok_or(Error::NotLoggedIn)?;
        Ok(Member(visitor, user))
    }
}

/// A visitor who may see everything.
#[derive(Debug)]
pub(super) struct Admin(pub(super) Visitor);

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match Member::from_request_parts(parts, state).await? {
            Member(visitor, user) if user.is_admin => Ok(Admin(visitor)),
            _ => Err(Error::NotAdmin),
        }
    }
}

/// What the page says that was done before it, by its name in the address.
const NOTICES: &[(&str, &str)] = &[
    ("registered", "Your account is ready. Welcome!"),
    ("logged-in", "You are logged in."),
    ("logged-out", "You are logged out."),
    ("saved", "Your profile is saved."),
    ("account-deleted", "Your account is deleted."),
    ("row-created", "It is created."),
    ("row-deleted", "It is deleted."),
];

#[derive(Deserialize)]
struct Noticed {
    notice: String,
}

fn notice(uri: &axum::http::Uri) -> Option<&'static str> {
    let Query(noticed) = Query::<Noticed>::try_from_uri(uri).ok()?;
    let found = NOTICES.iter().find(|(name, _)| *name == noticed.notice);
    found.map(|(_, text)| *text)
}
