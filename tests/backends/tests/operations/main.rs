//! What single operations do, on every database.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "../sessions/mod.rs"]
mod sessions;

mod batches;
mod bounded_deletes;
mod delete_costs;
mod deleting;
mod errors;
mod errors_hide_values;
mod get_or_create;
mod loading;
mod pooled;
mod pools_of_ones_own;
mod rows_read_back;
mod rows_touched;
mod timestamp_types;
mod timestamps;
