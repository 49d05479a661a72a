use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::visitor::Visitor;
use crate::actor::Actor;
use crate::app::App;
use crate::database::{AnyConnection, Database};
use crate::error::{Error, Result};
use crate::receivers::pages::PageCache;

/// The database, used by whoever asks.
pub(super) struct Db {
    database: Database,
    actor: Actor,
}

impl Db {
    /// Does `work` with a connection on a thread that may wait; receivers know who acts.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.run(self.actor.clone(), work).await
    }

    /// Profile pages that need not be rendered again.
    pub(super) fn pages(&self) -> &PageCache {
        &self.database.outside().pages
    }
}

impl FromRequestParts<App> for Db {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Ok(visitor) = Visitor::from_request_parts(parts, app).await;
        Ok(Db {
            database: app.database().clone(),
            actor: visitor.actor(),
        })
    }
}
