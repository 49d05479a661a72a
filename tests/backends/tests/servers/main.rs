//! What other sessions, servers and networks do to an operation, on every database.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "../sessions/mod.rs"]
mod sessions;

mod after_commit;
mod broken_connections;
mod conflicts;
mod faults;
mod interrupted;
mod link;
mod lock_timeouts;
mod lost_updates;
mod races;
mod random_transactions;
mod retrying;
mod rows_unseen;
mod schedules;
mod swallowed_conflicts;
mod teams;
mod unanswered;
mod unanswered_operations;
