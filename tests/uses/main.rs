//! Uses that stay right in unusual places and under strict lints.
#![deny(non_ascii_idents)]
#![allow(
    unreachable_pub,
    reason = "those that are to be strict say so themselves"
)]

mod a_row_of_defaults;
mod generic_receivers;
mod model_in_a_function;
mod multi_connection;
mod names_in_scope;
mod new_with_arguments;
mod own_signals;
mod receiver_options;
mod receivers_in_macros;
mod reexported;
pub mod strict_lints;
mod trait_senders;
