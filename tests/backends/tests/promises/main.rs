//! What the guide promises, on every database.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "../accounts/mod.rs"]
mod accounts;
#[path = "../desk/mod.rs"]
mod desk;

mod after_commit;
mod atomicity;
mod auto_created_dependents;
mod before;
mod capture;
mod context;
mod delete_order;
mod delete_plans;
mod deletes_end;
mod deletes_meet_surprises;
mod dependents_that_exist;
mod ensuring_dependents;
mod every_delete_is_heard_once;
mod merged;
mod nested_deletes;
mod on_delete;
mod opened_circles;
mod prefetching;
mod recursion;
mod refused_statements;
mod relations;
mod relations_across_crates;
mod relations_of_every_shape;
mod rows_that_appear;
mod signals;
mod structs_over_one_table;
mod transaction_lost;
mod unwritten_fields;
mod update_hooked;
mod upsert;
