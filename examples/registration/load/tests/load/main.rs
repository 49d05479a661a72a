//! What the comparison rests on, on an SQLite file.

mod common;
mod finding_what_is_wrong;
mod same_as_the_application;
