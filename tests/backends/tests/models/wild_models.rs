//! Models as applications have them work on every database: keys, names, columns and types of all kinds.

use backends::{Database, TestConnection, count};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel_hooks::prelude::*;

/// A text of the application's own, as `diesel-derive-newtype` makes one.
macro_rules! text_newtype {
    ($name:ident) => {
        #[derive(Debug, Clone, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Text)]
        struct $name(String);

        impl<DB: Backend> ToSql<Text, DB> for $name
        where
            String: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                String::from_sql(bytes).map($name)
            }
        }
    };
}

text_newtype!(CustomerCode);
text_newtype!(TagName);

/// Stored as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
enum Status {
    #[default]
    Open,
    Closed,
}

impl<DB: Backend> ToSql<Text, DB> for Status
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        match self {
            Status::Open => "open",
            Status::Closed => "closed",
        }
        .to_sql(out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for Status
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(bytes)?.as_str() {
            "open" => Ok(Status::Open),
            "closed" => Ok(Status::Closed),
            other => Err(format!("no status: {other}").into()),
        }
    }
}

mod customers_of_the_application {
    use super::{CustomerCode, TestConnection};
    use diesel::prelude::*;
    use diesel_hooks::prelude::*;

    diesel::table! { customers (code) { code -> Text, name -> Text } }

    /// One struct to load, insert and update, with a key that clients make, and fields that nobody else sees.
    #[derive(Debug, Clone, PartialEq, Queryable, Insertable, AsChangeset, Identifiable, Hooks)]
    #[diesel(table_name = customers, primary_key(code))]
    #[hooks(connection(TestConnection), new = Self)]
    pub(super) struct Customer {
        code: CustomerCode,
        name: String,
    }

    impl Customer {
        pub(super) fn new(code: &str, name: &str) -> Self {
            Customer {
                code: CustomerCode(code.into()),
                name: name.into(),
            }
        }

        pub(super) fn rename(
            &mut self,
            conn: &mut TestConnection,
            name: &str,
        ) -> diesel_hooks::Result {
            self.update(conn, |it| it.name = name.into())
        }

        pub(super) fn name(&self) -> &str {
            &self.name
        }
    }
}
use customers_of_the_application::Customer;

diesel::table! {
    tickets (id) {
        #[sql_name = "ticket number"]
        id -> Integer,
        customer -> Text,
        status -> Text,
        #[sql_name = "type"]
        kind -> Text,
        attachment -> Nullable<Binary>,
        street -> Nullable<Text>,
        city -> Nullable<Text>,
    }
}
diesel::table! { tags (name) { name -> Text } }
diesel::table! { tickets_tags (ticket, tag) { ticket -> Integer, tag -> Text } }

#[derive(Debug, Clone, PartialEq, Default, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tickets, treat_none_as_null = true)]
struct Address {
    street: Option<String>,
    city: Option<String>,
}

/// With another name for a column, and a struct of some.
#[derive(Debug, Clone, PartialEq, Queryable, Identifiable, Hooks)]
#[hooks(connection(TestConnection), new = NewTicket)]
struct Ticket {
    id: i32,
    #[hooks(foreign_key(Customer, on_delete = Cascade, accessor = owner, related_name = tickets))]
    customer: CustomerCode,
    status: Status,
    #[diesel(column_name = kind)]
    r#type: String,
    attachment: Option<Vec<u8>>,
    #[diesel(embed)]
    address: Address,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = tickets)]
struct NewTicket {
    customer: CustomerCode,
    status: Status,
    kind: String,
    attachment: Option<Vec<u8>>,
    #[diesel(embed)]
    address: Address,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(primary_key(name))]
#[hooks(connection(TestConnection), new = Self)]
struct Tag {
    name: TagName,
}

/// A join table.
#[derive(
    Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Identifiable, Associations, Hooks,
)]
#[diesel(table_name = tickets_tags, primary_key(ticket, tag))]
#[diesel(belongs_to(Ticket, foreign_key = ticket))]
#[hooks(connection(TestConnection), new = Self)]
struct TicketTag {
    #[hooks(foreign_key(Ticket, on_delete = Cascade, accessor = of_ticket, related_name = tags))]
    ticket: i32,
    #[hooks(foreign_key(Tag, on_delete = Protect, accessor = of_tag))]
    tag: TagName,
}

const HELP_DESK: &str = "
    CREATE TABLE customers (code VARCHAR(40) PRIMARY KEY, name VARCHAR(200) NOT NULL);
    CREATE TABLE tickets (
        {q}ticket number{q} {key}, customer VARCHAR(40) NOT NULL, status VARCHAR(10) NOT NULL,
        {q}type{q} VARCHAR(20) NOT NULL, attachment {bytes}, street VARCHAR(100), city VARCHAR(100),
        FOREIGN KEY (customer) REFERENCES customers (code)
    );
    CREATE TABLE tags (name VARCHAR(40) PRIMARY KEY);
    CREATE TABLE tickets_tags (
        ticket INTEGER NOT NULL, tag VARCHAR(40) NOT NULL, PRIMARY KEY (ticket, tag),
        FOREIGN KEY (ticket) REFERENCES tickets ({q}ticket number{q}), FOREIGN KEY (tag) REFERENCES tags (name)
    );
";

fn ticket(customer: &str, kind: &str) -> NewTicket {
    NewTicket {
        customer: CustomerCode(customer.into()),
        status: Status::Open,
        kind: kind.into(),
        attachment: Some(vec![0, 159, 146, 150]),
        address: Address {
            street: Some("Main".into()),
            city: None,
        },
    }
}

#[test]
fn a_key_that_clients_make_is_written_found_and_kept() {
    let (_database, mut conn) = Database::open(HELP_DESK);
    let mut ada = Customer::create(&mut conn, Customer::new("c'1", "Ada")).expect("created");
    ada.rename(&mut conn, "Lovelace").expect("renamed");
    let found = Customer::get(&mut conn, CustomerCode("c'1".into())).expect("there");
    assert_eq!((found.name(), &found), ("Lovelace", &ada));
    let (again, created) =
        Customer::upsert(&mut conn, Customer::new("c'1", "Byron")).expect("written");
    assert!(!created);
    assert_eq!(again.name(), "Byron");
}

#[test]
fn columns_of_other_names_embedded_ones_bytes_and_enums_come_back_equal() {
    let (_database, mut conn) = Database::open(HELP_DESK);
    Customer::create(&mut conn, Customer::new("c1", "Ada")).expect("created");
    let mut it = Ticket::create(&mut conn, ticket("c1", "bug")).expect("created");
    assert_eq!((it.r#type.as_str(), it.status), ("bug", Status::Open));
    it.update(&mut conn, |it| {
        it.status = Status::Closed;
        it.attachment = None;
        it.address = Address {
            street: None,
            city: Some("Here".into()),
        };
    })
    .expect("updated");
    assert_eq!(Ticket::get(&mut conn, it.id).expect("there"), it);
    it.r#type = "question".into();
    it.save(&mut conn).expect("saved");
    assert_eq!(Ticket::get(&mut conn, it.id).expect("there"), it);
    let owner = it.owner(&mut conn).expect("there");
    assert_eq!(owner.tickets(&mut conn).expect("loaded"), [it]);
}

#[test]
fn a_join_table_goes_with_one_side_and_protects_the_other() {
    let (_database, mut conn) = Database::open(HELP_DESK);
    let ada = Customer::create(&mut conn, Customer::new("c1", "Ada")).expect("created");
    let new = vec![ticket("c1", "bug"), ticket("c1", "wish")];
    let tickets = Ticket::create_many(&mut conn, new).expect("created");
    let urgent = Tag {
        name: TagName("urgent".into()),
    };
    let urgent = Tag::create(&mut conn, urgent).expect("created");
    let link = |ticket: &Ticket| TicketTag {
        ticket: ticket.id,
        tag: urgent.name.clone(),
    };
    let links = tickets.iter().map(link).collect();
    let links = TicketTag::create_many(&mut conn, links).expect("created");
    // Diesel's own associations work on the same structs.
    let theirs: Vec<TicketTag> = TicketTag::belonging_to(&tickets[0])
        .select(TicketTag::as_select())
        .load(&mut conn)
        .expect("loaded");
    assert_eq!(theirs, [links[0].clone()]);
    let refused = urgent.delete(&mut conn).expect_err("two refer to it");
    let diesel_hooks::Error::Protected(blocked) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(blocked.blockers()[0].keys.len(), 2);
    assert_eq!(ada.delete(&mut conn).expect("deleted").total, 5);
    urgent.delete(&mut conn).expect("nothing refers to it");
    assert_eq!(count(&mut conn, "tickets_tags"), 0);
}

mod reserved {
    use super::TestConnection;
    use diesel::prelude::*;
    use diesel_hooks::prelude::*;

    diesel::table! {
        #[sql_name = "order"]
        r#order (id) {
            id -> Integer,
            #[sql_name = "select"]
            r#select -> Text,
            #[sql_name = "group"]
            r#group -> Nullable<Integer>,
            #[sql_name = "it's \"odd\""]
            odd -> Text,
        }
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[diesel(table_name = r#order)]
    #[hooks(connection(TestConnection))]
    pub(super) struct Order {
        pub(super) id: i32,
        pub(super) r#select: String,
        #[hooks(foreign_key(Self, on_delete = SetNull, accessor = parent, related_name = parts))]
        pub(super) r#group: Option<i32>,
        pub(super) odd: String,
    }
}

#[test]
fn reserved_words_and_odd_names_are_quoted_as_the_database_wants_it() {
    use reserved::{NewOrder, Order};
    let (_database, mut conn) = Database::open(
        "CREATE TABLE {q}order{q} (
            id {key}, {q}select{q} VARCHAR(20) NOT NULL, {q}group{q} INTEGER, {q}it's {odd}{q} VARCHAR(20) NOT NULL,
            FOREIGN KEY ({q}group{q}) REFERENCES {q}order{q} (id)
        )",
    );
    let new = |group| NewOrder {
        r#select: "*".into(),
        group,
        odd: "yes".into(),
    };
    let whole = Order::create(&mut conn, new(None)).expect("created");
    let new = vec![new(Some(whole.id)), new(Some(whole.id))];
    let mut parts = Order::create_many(&mut conn, new).expect("created");
    assert_eq!(whole.parts(&mut conn).expect("loaded").len(), 2);
    parts[0]
        .update(&mut conn, |it| it.odd = "no".into())
        .expect("updated");
    assert_eq!(whole.delete(&mut conn).expect("deleted").total, 1);
    parts[0].refresh(&mut conn).expect("there");
    assert_eq!((parts[0].r#group, parts[0].odd.as_str()), (None, "no"));
}

/// Two models of one name, over two tables, of which one is in another schema.
mod archive {
    use super::TestConnection;
    use diesel::prelude::*;
    use diesel_hooks::prelude::*;

    diesel::table! { hooks_archive.letters (id) { id -> Integer, text -> Text } }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(super) struct Letter {
        pub(super) id: i32,
        pub(super) text: String,
    }
}

diesel::table! { letters (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Letter {
    id: i32,
    text: String,
}

#[test]
fn models_of_one_name_and_a_table_in_another_schema_are_kept_apart() {
    let (_database, mut conn) =
        Database::open("CREATE TABLE letters (id {key}, text VARCHAR(20) NOT NULL)");
    backends::open_schema(
        &mut conn,
        "hooks_archive",
        "CREATE TABLE hooks_archive.letters (id {key}, text VARCHAR(20) NOT NULL)",
    );
    let old = archive::NewLetter { text: "old".into() };
    let old = archive::Letter::create(&mut conn, old).expect("created");
    let new = ["new", "newer"].map(|text| NewLetter { text: text.into() });
    let new = Letter::create_many(&mut conn, new.into()).expect("created");
    assert_eq!(count(&mut conn, "letters"), 2);
    assert_eq!(count(&mut conn, "hooks_archive.letters"), 1);
    let mut old = archive::Letter::get(&mut conn, old.id).expect("there");
    old.update(&mut conn, |it| it.text = "older".into())
        .expect("updated");
    assert_eq!(old.delete(&mut conn).expect("deleted").total, 1);
    assert_eq!(
        Letter::get(&mut conn, new[1].id).expect("there").text,
        "newer"
    );
}

/// A model that a macro of the application makes, with as many columns as Diesel's default takes.
macro_rules! wide {
    ($($column:ident),*) => {
        diesel::table! { wides (id) { id -> Integer, $($column -> Nullable<Integer>,)* } }

        #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
        #[hooks(connection(TestConnection))]
        struct Wide {
            id: i32,
            $($column: Option<i32>,)*
        }

        const WIDE: &str = concat!("CREATE TABLE wides (id {key}", $(", ", stringify!($column), " INTEGER",)* ")");
    };
}
wide!(
    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21,
    a22, a23, a24, a25, a26, a27, a28, a29, a30, a31
);

#[test]
fn a_wide_row_is_written_column_by_column() {
    let (_database, mut conn) = Database::open(WIDE);
    let new = NewWide {
        a1: Some(1),
        a31: Some(31),
        ..NewWide::default()
    };
    let mut wide = Wide::create(&mut conn, new).expect("created");
    wide.update(&mut conn, |it| (it.a17, it.a31) = (Some(17), None))
        .expect("updated");
    wide.update(&mut conn, |it| it.a30 = Some(30))
        .expect("updated");
    let stored = Wide::get(&mut conn, wide.id).expect("there");
    assert_eq!(
        (stored.a1, stored.a17, stored.a30, stored.a31),
        (Some(1), Some(17), Some(30), None)
    );
    assert_eq!(stored, wide);
}
