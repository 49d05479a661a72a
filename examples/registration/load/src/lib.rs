//! Drives the registration application as visitors do, on loopback, and proves afterwards that the database has what was
//! answered. Beside it stands the same handler written [`by_hand`], with plain Diesel and without hooks, for comparison:
//! the application does not depend on this package.
//!
//! `scripts/load-registration` runs it.

pub mod browser;
pub mod by_hand;
pub mod crowd;
pub mod figures;
pub mod proof;
pub mod server;
