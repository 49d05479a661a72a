//! The macros of diesel-hooks, which re-exports them. Depend on that crate.

mod attr;
mod check;
mod diesel_attr;
mod errors;
mod expand;
mod model;
mod naming;
mod paths;
mod receiver;
mod signal;
#[cfg(test)]
mod token_soup;

use proc_macro::TokenStream;

/// Makes a Diesel model one whose rows have a lifecycle: `create`, `save`, `update`, `delete` and the
/// other methods of [`Model`], which send signals to [`#[receiver]`](macro@receiver) functions.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! {
///     employees (id) { id -> Integer, email -> Text }
/// }
///
/// diesel::table! {
///     employee_profiles (id) { id -> Integer, employee_id -> Integer, bio -> Nullable<Text> }
/// }
///
/// #[derive(Debug, Clone, Queryable, Selectable, Identifiable, Hooks)]
/// struct Employee {
///     id: i32,
///     email: String,
/// }
///
/// #[derive(Debug, Clone, Queryable, Selectable, Identifiable, Hooks)]
/// struct EmployeeProfile {
///     id: i32,
///     #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
///     employee_id: i32,
///     bio: Option<String>,
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
/// # for table in [
/// #     "CREATE TABLE employees (id INTEGER PRIMARY KEY, email TEXT NOT NULL)",
/// #     "CREATE TABLE employee_profiles (id INTEGER PRIMARY KEY, employee_id INTEGER NOT NULL UNIQUE, bio TEXT)",
/// # ] {
/// #     diesel::sql_query(table).execute(conn)?;
/// # }
/// let employee = Employee::create(conn, NewEmployee { email: "ada@example.org".into() })?;
///
/// let profile = employee.profile(conn)?;
/// assert_eq!(profile.bio, None);
/// assert_eq!(profile.employee(conn)?.email, "ada@example.org");
///
/// let refused = employee.delete(conn).expect_err("the profile protects its employee");
/// assert!(matches!(refused, diesel_hooks::Error::Protected(_)));
/// # Ok(())
/// # }
/// ```
///
/// # What is read
///
/// Diesel's own attributes: `table_name` (inferred as Diesel does), `primary_key`, `check_for_backend`,
/// and on a field `column_name`, `embed`, `serialize_as`, `select_expression`, `skip_insertion`,
/// `skip_update`. A model may derive `Queryable` alone. It is a struct that owns its data, and `Clone`,
/// `Send` and `Sync`; its key is `Clone`, `Eq`, `Hash`, `Debug`, `Send` and `Sync`.
///
/// # On the struct: `#[hooks(..)]`
///
/// | attribute | what it says |
/// | --- | --- |
/// | `new = NewEmployee` | the owned `Insertable` that a row is created from |
/// | `new = Self` | the model is its own insertable |
/// | `connection(SqliteConnection, ..)` | the connections on which it has hooks, instead of those of `check_for_backend` or of each backend that is turned on and can store its columns |
/// | `crate = path` | where diesel-hooks is, if it is seen through another crate |
///
/// Without `new` the derive makes `New` and the model's name: a field for each column that the
/// application gives, `Clone` and `Insertable`, and `Default` and `Debug` where all its fields are. A
/// `None` in it is written as NULL.
///
/// # On a field: `#[hooks(..)]`
///
/// | attribute | what it says |
/// | --- | --- |
/// | `generated` | the database makes the value: it is neither in the generated insertable nor updated |
/// | `assigned` | the application makes this key: it is a field of the generated insertable, as by default where a key has several columns or is a relation; any other single key, a text too, is taken to be made by the database |
/// | `one_to_one(Parent, ..)` | the field refers to the key of another model; its column should be UNIQUE and a foreign key without an action |
///
/// In `one_to_one`, after the parent, which may be `Self`:
///
/// | option | what it says |
/// | --- | --- |
/// | `on_delete = Cascade` | this row is deleted with its parent |
/// | `on_delete = Protect` | this row keeps its parent from being deleted |
/// | `related_name = profile` | `parent.profile(conn)` returns this row; the parent must be in the same crate |
/// | `accessor = employee` | `row.employee(conn)` returns the parent; by default it is called as the field, without `_id`; required where the field is the key or has another name |
/// | `auto_create` | creating a parent creates this row, from the default of its insertable (an empty text, a zero) with the field of this name set to the parent's key |
/// | `auto_create = make_profile` | creating a parent creates this row, from what `fn(&Parent) -> New` returns |
///
/// `on_delete` is required, as there is no safe default. A nullable field is an optional relation.
///
/// [`Model`]: https://docs.rs/diesel-hooks/latest/diesel_hooks/trait.Model.html
#[proc_macro_derive(Hooks, attributes(hooks, diesel))]
pub fn derive_hooks(input: TokenStream) -> TokenStream {
    expand::hooks(input.into()).into()
}

/// Makes a function hear a signal: the one that its first argument refers to.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! {
///     users (id) { id -> Integer, email -> Text }
/// }
///
/// #[derive(Clone, Queryable, Hooks)]
/// struct User {
///     id: i32,
///     email: String,
/// }
///
/// #[receiver(order = -10)]
/// fn normalise(event: &mut PreCreate<User>) {
///     event.new.email = event.new.email.to_lowercase();
/// }
///
/// #[receiver(dispatch_uid = "one_address_each")]
/// fn one_address_each(event: &PreCreate<User>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
///     let same = users::table.filter(users::email.eq(&event.new.email));
///     match diesel::select(diesel::dsl::exists(same)).get_result(conn)? {
///         true => Err(diesel::result::Error::RollbackTransaction.into()),
///         false => Ok(()),
///     }
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
/// # diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)").execute(conn)?;
/// let user = User::create(conn, NewUser { email: "Ada@Example.org".into() })?;
/// assert_eq!(user.email, "ada@example.org");
/// assert!(User::create(conn, NewUser { email: "ada@example.org".into() }).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Forms
///
/// | the function | when it is called |
/// | --- | --- |
/// | `fn(&PostSave<User>)` | for each signal |
/// | `fn(&mut PreSave<User>)` | for each signal, and may change what is about to be written |
/// | `fn(&[PostSave<User>])` | once for all rows of a `create_many`, or of one model in a delete, and for the single row of any other operation; not for `PreSave`, `PreCreate` and `PreUpdate` |
///
/// A second argument, such as `&mut SqliteConnection`, takes the connection on which the operation runs;
/// what is done with it happens together with the operation or not at all. It is the connection itself,
/// also where the operation was called on one from a pool. The function returns nothing, or a `Result<(), E>` whose
/// error stops the operation and undoes it.
///
/// # Options
///
/// | option | what it says |
/// | --- | --- |
/// | `order = -10` | receivers with a lower number run first; the default is 0, and those with the same number run by their identifier |
/// | `dispatch_uid = "one_address_each"` | its identifier, unique among the receivers of a signal; by default its module and name |
/// | `crate = path` | where diesel-hooks is, if it is seen through another crate |
///
/// It stands on a function, not on a method, and hears its signal in every program into which its crate
/// is linked. A crate that no code names is not: see `diesel_hooks::link!`. Two functions of one name in the bodies
/// of functions of one module need a `dispatch_uid`.
#[proc_macro_attribute]
pub fn receiver(options: TokenStream, item: TokenStream) -> TokenStream {
    receiver::receiver(options.into(), item.into()).into()
}

/// Makes a struct a signal of the application's own.
#[proc_macro_derive(Signal, attributes(signal))]
pub fn derive_signal(input: TokenStream) -> TokenStream {
    signal::signal(input.into()).into()
}
