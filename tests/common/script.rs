//! What the tests of relations across crates share with those of all databases.

pub(crate) use backends::script::counted;
