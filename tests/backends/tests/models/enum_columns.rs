//! An enum that each database knows as its own: an enum's type on PostgreSQL, `ENUM` on MySQL, and text on SQLite.

use backends::{Database, TestConnection, count, on};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

/// What the databases call it.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(name = "mood"))]
#[diesel(mysql_type(name = "Enum"))]
#[diesel(sqlite_type(name = "Text"))]
pub struct StoredMood;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = StoredMood)]
enum Mood {
    Calm,
    Wild,
}

impl Mood {
    fn text(self) -> &'static str {
        match self {
            Mood::Calm => "calm",
            Mood::Wild => "it's wild",
        }
    }

    fn read(text: &[u8]) -> deserialize::Result<Self> {
        let both = [Mood::Calm, Mood::Wild].into_iter();
        let mut named = both.filter(|it| it.text().as_bytes() == text);
        named.next().ok_or_else(|| "no mood".into())
    }
}

impl ToSql<StoredMood, Sqlite> for Mood {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.text());
        Ok(IsNull::No)
    }
}

impl FromSql<StoredMood, Sqlite> for Mood {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Mood::read(text.as_bytes())
    }
}

/// A server is told, and tells, the text's bytes.
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod on_servers {
    use super::*;
    use std::io::Write as _;

    macro_rules! as_bytes {
        ($backend:ty, $value:ty) => {
            impl ToSql<StoredMood, $backend> for Mood {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, $backend>) -> serialize::Result {
                    out.write_all(self.text().as_bytes())?;
                    Ok(IsNull::No)
                }
            }

            impl FromSql<StoredMood, $backend> for Mood {
                fn from_sql(value: $value) -> deserialize::Result<Self> {
                    Mood::read(value.as_bytes())
                }
            }
        };
    }
    #[cfg(feature = "postgres")]
    as_bytes!(diesel::pg::Pg, diesel::pg::PgValue<'_>);
    #[cfg(feature = "mysql")]
    as_bytes!(diesel::mysql::Mysql, diesel::mysql::MysqlValue<'_>);
}

/// As Diesel's docs say it.
#[cfg(feature = "multi")]
mod behind_multi {
    use super::*;
    use backends::MultiBackend;
    use diesel::backend::Backend;
    use diesel::sql_types::{HasSqlType, TypeMetadata};

    impl HasSqlType<StoredMood> for MultiBackend {
        fn metadata(
            lookup: &mut <MultiBackend as TypeMetadata>::MetadataLookup,
        ) -> <MultiBackend as TypeMetadata>::TypeMetadata {
            MultiBackend::lookup_sql_type::<StoredMood>(lookup)
        }
    }

    impl ToSql<StoredMood, MultiBackend> for Mood {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
            out.set_value((StoredMood, self));
            Ok(IsNull::No)
        }
    }

    impl FromSql<StoredMood, MultiBackend> for Mood {
        fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            value.from_sql::<Mood, StoredMood>()
        }
    }
}

diesel::table! {
    use super::StoredMood;
    use diesel::sql_types::*;

    moods (mood) { mood -> StoredMood, hint -> Text }
}
diesel::table! {
    use super::StoredMood;
    use diesel::sql_types::*;

    pets (id) { id -> Integer, mood -> StoredMood, former -> Nullable<StoredMood> }
}

/// Its key is one.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(table_name = moods, primary_key(mood))]
#[hooks(connection(TestConnection), new = Self)]
struct Advice {
    mood: Mood,
    hint: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Pet {
    id: i32,
    #[hooks(foreign_key(Advice, on_delete = Protect, accessor = advice, related_name = pets))]
    mood: Mood,
    former: Option<Mood>,
}

#[receiver]
fn remember(event: &mut PreUpdate<Pet>) {
    if event.changed(pets::mood) {
        event.instance.former = event.before().map(|it| it.mood);
    }
}

fn open() -> (Database, TestConnection) {
    let mood = on("VARCHAR(20)", "mood", "ENUM('calm', 'it''s wild')");
    let created = on("", "CREATE TYPE mood AS ENUM ('calm', 'it''s wild');", "");
    Database::open(&format!(
        "{created}
        CREATE TABLE moods (mood {mood} PRIMARY KEY, hint VARCHAR(20) NOT NULL);
        CREATE TABLE pets (id {{key}}, mood {mood} NOT NULL, former {mood} NULL,
            FOREIGN KEY (mood) REFERENCES moods (mood));
        INSERT INTO moods VALUES ('calm', 'sit'), ('it''s wild', 'run');"
    ))
}

fn pet(mood: Mood) -> NewPet {
    NewPet { mood, former: None }
}

#[test]
fn an_enum_of_the_database_comes_back_from_every_way_to_write() {
    let (_database, mut conn) = open();
    let mut one = Pet::create(&mut conn, pet(Mood::Calm)).expect("created");
    assert_eq!((one.mood, one.former), (Mood::Calm, None));
    one.update(&mut conn, |it| it.mood = Mood::Wild)
        .expect("updated");
    assert_eq!((one.mood, one.former), (Mood::Wild, Some(Mood::Calm)));
    let stored = "pets WHERE mood = 'it''s wild' AND former = 'calm'";
    assert_eq!(count(&mut conn, stored), 1);
    assert_eq!(Pet::get(&mut conn, one.id).expect("there"), one);
    one.former = None;
    one.save(&mut conn).expect("saved");
    one.update_set(&mut conn, pets::mood.eq(Mood::Calm))
        .expect("updated");
    assert_eq!((one.mood, one.former), (Mood::Calm, Some(Mood::Wild)));

    let many = [Mood::Wild, Mood::Calm].map(pet).to_vec();
    let many = Pet::create_many(&mut conn, many).expect("created");
    assert_eq!([many[0].mood, many[1].mood], [Mood::Wild, Mood::Calm]);
    let calm = pets::table.filter(pets::mood.eq(Mood::Calm));
    let tamed = calm.update_hooked::<Pet>(&mut conn, |it| it.mood = Mood::Wild);
    assert_eq!(tamed.expect("updated").len(), 2);
    let read = pets::table.order(pets::id);
    let read = read.load_hooked::<Pet>(&mut conn).expect("loaded");
    let read: Vec<_> = read.iter().map(|it| (it.mood, it.former)).collect();
    let tamed = (Mood::Wild, Some(Mood::Calm));
    assert_eq!(read, [tamed, (Mood::Wild, None), tamed]);
}

#[test]
fn an_enum_of_the_database_is_a_key_and_leads_from_row_to_row() {
    let (_database, mut conn) = open();
    let pets = [Mood::Wild, Mood::Wild].map(pet).to_vec();
    let pets = Pet::create_many(&mut conn, pets).expect("created");
    let [calm, wild] =
        [Mood::Calm, Mood::Wild].map(|it| Advice::get(&mut conn, it).expect("there"));
    assert_eq!(pets[0].advice(&mut conn).expect("there"), wild);
    let both = Advice::prefetch_pets(&mut conn, &[calm.clone(), wild.clone()]);
    assert_eq!(both.expect("read"), [vec![], pets.clone()]);
    let refused = wild.delete(&mut conn).expect_err("two refer to it");
    let Error::Protected(blocked) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(blocked.blockers()[0].keys.len(), 2);
    assert_eq!(calm.delete(&mut conn).expect("deleted").total, 1);
    let (calm, created) = Advice::upsert(&mut conn, calm).expect("written");
    assert!(created);
    let other = Advice {
        hint: "lie".into(),
        ..calm
    };
    let (calm, created) = Advice::upsert(&mut conn, other).expect("written");
    assert_eq!((calm.hint.as_str(), created), ("lie", false));
    let deleted = pets::table
        .filter(pets::mood.eq(Mood::Wild))
        .delete_hooked::<Pet>(&mut conn);
    assert_eq!(deleted.expect("deleted").total, 2);
    assert_eq!(wild.delete(&mut conn).expect("deleted").total, 1);
}
