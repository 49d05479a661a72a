//! The application over HTTP: the real router at a real port, on a real database. A file for each promise.

mod administrating;
mod at_the_same_instant;
mod common;
mod deleting_the_account;
mod editing_the_profile;
mod keeping_safe;
mod logging_in;
mod registering;
mod starting;
mod what_receivers_do;
