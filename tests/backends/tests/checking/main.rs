//! `check` compares the models with each database's catalog, on every database.
#![allow(missing_docs, reason = "schema modules are generated")]

mod mends;
mod relations;
