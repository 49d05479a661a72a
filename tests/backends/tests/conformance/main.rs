//! Django's cases as they hold here, on every database; `docs/django.md` lists them.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "../accounts/mod.rs"]
mod accounts;
#[path = "../desk/mod.rs"]
mod desk;
#[path = "../letters/mod.rs"]
mod letters;

mod acd;
mod blk;
mod blk_deletes;
mod blk_updates;
mod del_kinds;
mod del_order;
mod del_queries;
mod del_restrict;
mod del_shapes;
mod del_statements;
mod goc;
mod o2o;
mod o2o_kinds;
mod sig;
mod sig_fixtures;
mod sig_nested;
mod txn;
