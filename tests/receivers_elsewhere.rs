//! A receiver may stand in another crate than the model, and is heard if its crate is linked.
#![allow(missing_docs)]

use diesel_hooks::error::RegistryError;

diesel_hooks::link!(receivers, unnamed_receivers);

#[test]
fn crates_named_by_link_are_in_the_registry() {
    let uids: Vec<_> = diesel_hooks::registry()
        .receivers()
        .map(|receiver| receiver.uid)
        .collect();
    assert!(
        uids.iter().any(|uid| uid.starts_with("receivers::")),
        "{uids:?}"
    );
    assert!(
        uids.iter()
            .any(|uid| uid.starts_with("unnamed_receivers::")),
        "{uids:?}"
    );
}

#[test]
fn a_missing_receiver_is_loud() {
    let error = diesel_hooks::registry()
        .assert_receivers(["nobody::nothing"])
        .expect_err("not linked");
    assert!(
        matches!(&error, diesel_hooks::Error::Registry(RegistryError::Missing { uids, .. }) if uids == &["nobody::nothing"])
    );
}
