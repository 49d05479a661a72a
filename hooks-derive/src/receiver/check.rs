//! Rules between the options and the function:
//!
//! * [`one_end`]: a transaction commits or is rolled back
//! * [`after_the_end`]: what cannot be had once it is over
//! * [`one_at_a_time`]: columns are those of one row
//! * [`of_a_model`]: what a trait that sends does not have

use super::options::{Options, When};
use super::signature::{Form, Signature};
use crate::errors::Errors;

/// Whether they go together.
pub(super) fn check(signature: &Signature<'_>, options: &Options, errors: &mut Errors) -> bool {
    let mut found = Errors::default();
    one_end(options, &mut found);
    after_the_end(signature, options, &mut found);
    one_at_a_time(signature, options, &mut found);
    of_a_model(signature, options, &mut found);
    let none = found.is_empty();
    errors.extend(found);
    none
}

fn one_end(options: &Options, errors: &mut Errors) {
    if let (Some(_), Some(key)) = (&options.after_commit, &options.after_rollback) {
        errors.at(
            key,
            "a transaction commits or is rolled back: write a function for `after_commit` and another for `after_rollback`",
        );
    }
}

fn after_the_end(signature: &Signature<'_>, options: &Options, errors: &mut Errors) {
    if matches!(options.when(), When::Now) {
        return;
    }
    if let Some(conn) = &signature.conn {
        errors.at(
            conn.argument,
            "the transaction is over; take a connection from a pool of its own",
        );
    }
    match signature.form {
        Form::Each => {}
        Form::Change => errors.at(
            signature.event,
            "the transaction is over, and nothing can be changed any more: take the signal by `&`",
        ),
        Form::Batch => errors.at(
            signature.event,
            "after the transaction the signals are told one by one: take `&Signal`",
        ),
    }
}

fn one_at_a_time(signature: &Signature<'_>, options: &Options, errors: &mut Errors) {
    if let (Form::Batch, Some(changed)) = (signature.form, &options.changed) {
        errors.at(
            &changed.key,
            "a batch holds many rows: look at `event.changed(..)` of each inside the function",
        );
    }
}

fn of_a_model(signature: &Signature<'_>, options: &Options, errors: &mut Errors) {
    let Some(sender) = signature.trait_sender() else {
        return;
    };
    match signature.form {
        Form::Each if !signature.is_before_the_write() => {}
        Form::Each | Form::Change => errors.at(
            sender,
            "before the write there are signals of models alone: a generic function with `senders(User, Article)` hears those of several",
        ),
        Form::Batch => errors.at(
            sender,
            "a batch holds rows of one model: take the signals of a trait one at a time, by `&`",
        ),
    }
    if let Some(changed) = &options.changed {
        errors.at(
            &changed.key,
            "a trait has no columns: look at `event.changed_columns()`",
        );
    }
    if let When::AfterCommitMerged(word) = options.when() {
        errors.at(
            word,
            "the signals of one row are merged, and a trait does not say of which: hear them with `after_commit`",
        );
    }
}
