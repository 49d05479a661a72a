//! Models as applications have them, and what their rows become, on every database.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "../sessions/mod.rs"]
mod sessions;

mod beside_hand;
mod column_types;
mod created_at_once;
mod creating;
mod deleting;
mod enum_columns;
mod finding_or_creating;
mod keys_and_columns;
mod large_rows;
mod lists_of_keys;
#[cfg(feature = "postgres")]
mod postgres_columns;
mod renamed;
mod round_trips;
mod schemas;
mod selected_expressions;
mod time_columns;
mod triggers;
mod two_databases;
mod unread_rows;
mod values_and_names;
mod values_of_two_shapes;
#[cfg(feature = "wide")]
mod wide_tables;
mod wild_models;
