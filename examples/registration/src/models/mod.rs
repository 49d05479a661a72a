//! The rows. What depends on what, and what becomes of it, the relations say.

mod audit_entry;
mod employee;
mod session;
mod user;

pub use audit_entry::AuditEntry;
pub use employee::{Employee, EmployeeProfile, NewEmployee, NewEmployeeProfile};
pub use session::{NewSession, Session};
pub(crate) use user::normalised;
pub use user::{NewUser, Person, User};
