//! The macros of diesel-hooks, which re-exports them. Depend on that crate.

mod attr;
mod check;
mod connection;
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
/// | `new = NewEmployee` | the `Insertable` that a row is created from; it owns its data: one with a lifetime other than `'static` does not compile |
/// | `new = Self` | the model is its own insertable |
/// | `connection(SqliteConnection, ..)` | the connections on which it has hooks, instead of those of `check_for_backend` or of each backend that is turned on and can store its columns |
/// | `extends(Activity, ..)` | the traits that it sends as: a receiver of `&PostSave<dyn Activity>` hears it. It must implement them; `dyn AnyModel` hears every model without it |
/// | `foreign_key(Parent, columns(a, b), ..)`, `one_to_one(Parent, columns(a, b), ..)` | these fields together refer to another model, whose key has several columns |
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
/// | `assigned` | the application makes this key: it is a field of the generated insertable, as by default where a key has several columns or is a relation; any other single key, a text too, is taken to be made by the database. With `new = ..` it says that the struct has a field of this name, which `upsert` needs |
/// | `auto_now_add` | the field says when the row was created: the library writes it, and the generated insertable leaves it out |
/// | `auto_now` | the same, for when the row was created or last written |
/// | `one_to_one(Parent, ..)` | the field refers to another model, and a row of that has one of these at most; its column should be UNIQUE and, unless it says `on_delete = Database`, a foreign key without an action |
/// | `foreign_key(Parent, ..)` | the same, and a row of that may have many of these |
///
/// # In a relation
///
/// After the parent, which may be `Self`:
///
/// | option | what it says |
/// | --- | --- |
/// | `on_delete = ..` | what becomes of this row when its parent is deleted; required, as there is no safe default |
/// | `related_name = profile` | `parent.profile(conn)` returns this row, or `parent.folders(conn)` a `Vec` of those of a `foreign_key`; `Parent::prefetch_profile(conn, &parents)` reads those of many by one query, in the order of the parents. The parent must be in the same crate |
/// | `related_trait = HasProfile` | makes these functions those of a trait of this name, which stands beside this struct and is imported where they are called, for a parent of another crate; needs `related_name` |
/// | `accessor = employee` | `row.employee(conn)` returns the parent; by default it is called as the field, without `_id`; required where the field is the key or has another name |
/// | `to = users::email` | it refers to this unique column of the parent, instead of its key |
/// | `auto_create` | creating a parent creates this row, from the default of its insertable (an empty text, a zero) with the field of this name set to the parent's key; for a `one_to_one` |
/// | `auto_create = make_profile` | creating a parent creates this row, from what `fn(&Parent) -> New` returns |
///
/// With `auto_create` and a `related_name`, `Parent::ensure_profile(conn)` creates what older rows lack, in batches, and returns how
/// many that were. With `auto_create` a row that is there already is an error, so a receiver must not make it too.
///
/// A nullable field is an optional relation: its accessor returns an `Option`, and NULL refers to nothing.
///
/// The values of `on_delete`:
///
/// | value | what becomes of this row |
/// | --- | --- |
/// | `Cascade` | it is deleted too, with its signals and what depends on it |
/// | `Protect` | it keeps its parent from being deleted |
/// | `Restrict` | the same, unless the same delete takes this row by a relation that cascades |
/// | `SetNull` | it refers to nothing any more; its column may be NULL |
/// | `SetDefault` | it refers to what the function of `default = first_team` returns: `fn() -> Field` |
/// | `Set(reserve_team)` | it refers to what this function returns, which is asked at most once in a delete: `fn() -> Field`, or `fn(&mut SqliteConnection) -> Result<Field, E>`, which is asked only if there is such a row |
/// | `DoNothing` | nothing is looked at and nothing done; the database may object |
/// | `Database` | what the schema says (`ON DELETE ..`), without signals |
///
/// `SetNull`, `SetDefault` and `Set` send no signals for the rows that they change, as in Django.
///
/// A relation by several columns stands on the struct, and names its fields in the order of the parent's key. It refers to
/// nothing if one of them is NULL:
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! { users (id) { id -> Integer, email -> Text } }
/// diesel::table! { seats (hall, number) { hall -> Integer, number -> Integer } }
/// diesel::table! { bookings (id) {
///     id -> Integer, hall -> Nullable<Integer>, number -> Nullable<Integer>, email -> Text, guide_id -> Nullable<Integer>,
/// } }
///
/// #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
/// struct User {
///     id: i32,
///     email: String,
/// }
///
/// #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
/// #[diesel(primary_key(hall, number))]
/// struct Seat {
///     hall: i32,
///     number: i32,
/// }
///
/// #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
/// #[hooks(foreign_key(Seat, columns(hall, number), on_delete = SetNull, accessor = seat, related_name = bookings))]
/// struct Booking {
///     id: i32,
///     hall: Option<i32>,
///     number: Option<i32>,
///     #[hooks(foreign_key(User, to = users::email, on_delete = Cascade, accessor = guest, related_name = bookings))]
///     email: String,
///     #[hooks(foreign_key(User, on_delete = Set(somebody_else), related_name = guided))]
///     guide_id: Option<i32>,
/// }
///
/// fn somebody_else(conn: &mut SqliteConnection) -> QueryResult<Option<i32>> {
///     users::table.select(users::id).order(users::id.desc()).first(conn).optional()
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
/// # for table in [
/// #     "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)",
/// #     "CREATE TABLE seats (hall INTEGER, number INTEGER, PRIMARY KEY (hall, number))",
/// #     "CREATE TABLE bookings (id INTEGER PRIMARY KEY, hall INTEGER, number INTEGER, email TEXT NOT NULL, guide_id INTEGER)",
/// # ] {
/// #     diesel::sql_query(table).execute(conn)?;
/// # }
/// let ada = User::create(conn, NewUser { email: "ada@example.org".into() })?;
/// let bob = User::create(conn, NewUser { email: "bob@example.org".into() })?;
/// let seat = Seat::create(conn, NewSeat { hall: 1, number: 7 })?;
/// let mut booking = Booking::create(conn, NewBooking {
///     hall: Some(1),
///     number: Some(7),
///     email: bob.email.clone(),
///     guide_id: Some(ada.id),
/// })?;
/// assert_eq!(booking.seat(conn)?, Some(seat.clone()));
/// assert_eq!(booking.guest(conn)?, bob);
///
/// let users = [bob.clone(), ada.clone()];
/// assert_eq!(User::prefetch_bookings(conn, &users)?, [vec![booking.clone()], vec![]]);
///
/// seat.delete(conn)?;
/// ada.delete(conn)?;
/// booking.refresh(conn)?;
/// assert_eq!((booking.hall, booking.guide_id), (None, Some(bob.id)));
///
/// assert_eq!(bob.delete(conn)?.by_model["Booking"], 1);
/// # Ok(())
/// # }
/// ```
///
/// The types of timestamps need the feature `chrono` or `time` of diesel-hooks. A hand-written insertable has
/// a field of the same name for each.
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
/// | `fn(&PostSave<dyn Activity>)` | for each signal of each model with `#[hooks(extends(Activity))]`; not for `PreSave`, `PreCreate` and `PreUpdate` |
/// | `fn(&mut PreSave<User>)` | for each signal, and may change what is about to be written |
/// | `fn(&[PostSave<User>])` | once for all rows of a `create_many`, or of one model in a delete (`PostDelete`: of one level, where rows of one model depend on each other), and for the single row of any other operation; not for `PreSave`, `PreCreate` and `PreUpdate` |
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
/// | `before = "one_address_each"`, `before("one", "other")` | it runs before these receivers of the signal, whatever their `order`; may be repeated. A cycle is an error at first use; an identifier that is not there demands nothing |
/// | `after = "one_address_each"`, `after("one", "other")` | it runs after these |
/// | `dispatch_uid = "one_address_each"` | its identifier, unique among the receivers of a signal; by default its module and name |
/// | `changed(users::email, ..)` | it is called only if one of these columns changed, as `event.changed(users::email)` says. Not for a batch or a trait |
/// | `after_commit` | it is called with the signal as it was, once the transaction is durable. It takes no connection, and the signal by `&`; the signal is `Clone` |
/// | `after_commit(merged)` | the same, once for each row and transaction: the row as it was last, `created` if it was, changed in all columns that were; nothing, if it was deleted again. For `PostSave`, `PostCreate` and `PostUpdate` of a model |
/// | `after_rollback` | it is called with the signal as it was, if what the signal tells was rolled back |
/// | `senders(User, Article)` | makes a function with a type parameter in its signal, as `PostSave<M>`, a receiver for each of these |
/// | `connections(SqliteConnection, ..)` | makes a function whose connection is a type parameter, as `&mut C`, a receiver on each of these |
/// | `crate = path` | where diesel-hooks is, if it is seen through another crate |
///
/// One example of each:
///
/// ```
/// # #![allow(dead_code, unused_variables)]
/// # use std::sync::Mutex;
/// # use diesel::prelude::*;
/// # use diesel_hooks::{Persist, RawConnection};
/// # use diesel_hooks::prelude::*;
/// # diesel::table! { users (id) { id -> Integer, email -> Text } }
/// # diesel::table! { articles (id) { id -> Integer, title -> Text } }
/// # #[derive(Clone, Queryable, Hooks)]
/// # struct User { id: i32, email: String }
/// # #[derive(Clone, Queryable, Hooks)]
/// # struct Article { id: i32, title: String }
/// # static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// # fn note(what: impl Into<String>) { LOG.lock().unwrap().push(what.into()) }
/// #[receiver(order = -1, dispatch_uid = "greet")]
/// fn greet(event: &PostCreate<User>) {
///     note(format!("hello {}", event.instance.email));
/// }
///
/// #[receiver(order = -2, after = "greet")]
/// fn introduce(event: &PostCreate<User>) {
///     note("this is the library");
/// }
///
/// #[receiver(changed(users::email))]
/// fn verify(event: &PostUpdate<User>) {
///     note(format!("verify {}", event.instance.email));
/// }
///
/// #[receiver(after_commit)]
/// fn send_mail(event: &PostCreate<User>) {
///     note("mail is on its way");
/// }
///
/// #[receiver(after_commit(merged))]
/// fn index(event: &PostSave<User>) {
///     note(format!("index user {} once", event.instance.id));
/// }
///
/// #[receiver(after_rollback)]
/// fn never_mind(event: &PostCreate<User>) {
///     note(format!("goodbye {}", event.instance.email));
/// }
///
/// #[receiver(senders(User, Article), connections(SqliteConnection))]
/// fn count<M: Persist<C>, C: RawConnection>(event: &PostDelete<M>, conn: &mut C) {
///     note(format!("one {} less", M::INFO.name));
/// }
/// # fn main() -> diesel_hooks::Result {
/// # let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
/// # diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)").execute(conn)?;
/// # diesel::sql_query("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL)").execute(conn)?;
/// # let logged = || std::mem::take(&mut *LOG.lock().unwrap());
///
/// conn.transaction(|conn| {
///     let mut ada = User::create(conn, NewUser { email: "ada".into() })?;
///     ada.update(conn, |it| it.email.push_str("@example.org"))
/// })?;
/// assert_eq!(
///     logged(),
///     ["hello ada", "this is the library", "verify ada@example.org", "mail is on its way", "index user 1 once"]
/// );
///
/// # let undone: diesel_hooks::Result<()> = conn.transaction(|conn| {
/// #     User::create(conn, NewUser { email: "bob".into() })?;
/// #     Err(diesel::result::Error::RollbackTransaction.into())
/// # });
/// # assert!(undone.is_err());
/// # assert_eq!(logged(), ["hello bob", "this is the library", "goodbye bob"]);
/// Article::create(conn, NewArticle { title: "Notes".into() })?.delete(conn)?;
/// assert_eq!(logged(), ["one Article less"]);
/// # Ok(())
/// # }
/// ```
///
/// The transaction of `after_commit` and `after_rollback` is over when they are called: a receiver that needs the
/// database takes a connection from a pool of its own. Their errors reach
/// `diesel_hooks::set_failure_handler`, not the caller of the operation.
///
/// It stands on a function, not on a method, and hears its signal in every program into which its crate
/// is linked. A crate that no code names is not: see `diesel_hooks::link!`. Two functions of one name in the bodies
/// of functions of one module need a `dispatch_uid`.
#[proc_macro_attribute]
pub fn receiver(options: TokenStream, item: TokenStream) -> TokenStream {
    receiver::receiver(options.into(), item.into()).into()
}

/// Makes a struct a signal of the application's own, with the methods of [`CustomSignal`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// # diesel::table! { users (id) { id -> Integer, email -> Text } }
/// # #[derive(Clone, Queryable, Hooks)]
/// # struct User { id: i32, email: String }
/// # #[derive(Clone, Queryable, Hooks)]
/// # #[diesel(table_name = users)]
/// # struct Member { id: i32, email: String }
/// # static WELCOMED: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
/// #[derive(Signal)]
/// struct Created<M> {
///     key: i32,
///     instance: M,
/// }
///
/// #[receiver(senders(User, Member))]
/// fn tell<M: Model<Pk = i32>>(event: &PostCreate<M>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
///     let instance = event.instance.clone();
///     Created { key: instance.pk(), instance }.send(conn)
/// }
///
/// #[receiver]
/// fn welcome(event: &Created<User>) {
///     WELCOMED.lock().unwrap().push(format!("{}: {}", event.key, event.instance.email));
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
/// # diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)").execute(conn)?;
/// User::create(conn, NewUser { email: "ada".into() })?;
/// Member::create(conn, NewMember { email: "bob".into() })?;
/// assert_eq!(*WELCOMED.lock().unwrap(), ["1: ada"]);
/// # Ok(())
/// # }
/// ```
///
/// It stands on a struct or an enum that owns its data: with type parameters, which then are `'static`, but
/// without lifetimes. A receiver takes it by `&`, with a connection of any type or without; there is no batch
/// form and no `&mut`. For receivers with `after_commit` or `after_rollback` it is `Clone` and `Send`.
///
/// `#[signal(crate = path)]` says where diesel-hooks is, if it is seen through another crate.
///
/// [`CustomSignal`]: https://docs.rs/diesel-hooks/latest/diesel_hooks/signal/trait.CustomSignal.html
#[proc_macro_derive(Signal, attributes(signal))]
pub fn derive_signal(input: TokenStream) -> TokenStream {
    signal::signal(input.into()).into()
}

/// Gives hooks to an enum of connections to several databases, beside Diesel's `MultiConnection`, which makes it a
/// connection.
///
/// Models on it say `#[hooks(connection(AnyConnection))]`, and receivers take it.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// #[derive(diesel::MultiConnection, HookConnection)]
/// enum AnyConnection {
///     Sqlite(SqliteConnection),
///     // With the feature `postgres`: Postgres(PgConnection),
/// }
///
/// diesel::table! { users (id) { id -> Integer, email -> Text } }
///
/// #[derive(Clone, Queryable, Hooks)]
/// #[hooks(connection(AnyConnection))]
/// struct User {
///     id: i32,
///     email: String,
/// }
///
/// #[receiver]
/// fn count(_: &PostCreate<User>, conn: &mut AnyConnection) -> diesel_hooks::Result {
///     let users: i64 = users::table.count().get_result(conn)?;
///     assert_eq!(users, 1);
///     Ok(())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AnyConnection::establish(":memory:")?;
/// # diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)").execute(&mut conn)?;
/// let ada = User::create(&mut conn, NewUser { email: "ada@example.org".into() })?;
/// assert_eq!(ada.id, 1);
/// # Ok(())
/// # }
/// ```
///
/// Each variant holds a connection of one database whose feature is on in diesel-hooks.
/// `#[hooks(crate = path)]` says where diesel-hooks is, if it is seen through another crate.
#[proc_macro_derive(HookConnection, attributes(hooks))]
pub fn derive_hook_connection(input: TokenStream) -> TokenStream {
    connection::connection(input.into()).into()
}
