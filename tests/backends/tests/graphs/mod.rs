//! Random programs over models of every relation, and what Django's rules say of them.

mod chosen;
mod compare;
mod drafts;
mod heard;
mod kind;
mod oracle;
pub(crate) mod place;
pub(crate) mod program;
mod ring;
mod rows;
mod schema;
mod tasks;
mod tree;
mod verdict;
pub(crate) mod world;
mod writes;
