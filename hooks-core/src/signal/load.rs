/// Sent after a row was loaded by `get`, `refresh` or `load_hooked`.
///
/// Plain Diesel queries, accessors and the reads that an operation needs itself send none.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostLoad<M: ?Sized> {
    /// The row as the database has it.
    pub instance: M,
}
