//! Random programs over models of every relation, and what Django's rules say of them.

mod chosen;
mod drafts;
mod heard;
mod kind;
mod oracle;
pub(crate) mod program;
mod ring;
mod rows;
mod schema;
mod tree;
mod verdict;
mod writes;
pub(crate) mod world;
