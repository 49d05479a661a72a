use std::collections::BTreeMap;

/// The rows that a delete truly removed.
///
/// Rows that were gone already are not counted, nor are those that the database's own cascades remove, nor
/// those that stay and refer to something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// How many rows.
    pub total: usize,
    /// How many of each model, by its name; models without a row are left out.
    pub by_model: BTreeMap<&'static str, usize>,
}

impl Deleted {
    pub(crate) fn add(&mut self, model: &'static str, count: usize) {
        if count > 0 {
            self.total += count;
            *self.by_model.entry(model).or_default() += count;
        }
    }
}
