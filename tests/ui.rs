//! What a user sees who uses the macros wrongly.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the `.stderr` files anew: read them before you keep
//! them. Nothing here is to be run, so that all cases are checked at once.

#[test]
fn mistakes_are_explained_where_they_stand() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/model/*.rs");
    cases.compile_fail("tests/ui/relation/*.rs");
    cases.compile_fail("tests/ui/receiver/*.rs");
    cases.compile_fail("tests/ui/signal/*.rs");
    cases.compile_fail("tests/ui/connection/*.rs");
    cases.compile_fail("tests/ui/query/*.rs");
    cases.compile_fail("tests/ui/find_or_create/*.rs");
    cases.compile_fail("tests/ui/conformance/*.rs");
}
