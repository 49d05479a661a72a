//! Letters, whose receivers only look, and parcels, whose receivers take the connection; all write down what
//! they hear.

use backends::TestConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use backends::{Log, depth};

diesel::table! { letters (id) { id -> Integer, text -> Text, stamps -> Integer } }
diesel::table! { parcels (code) { code -> Text, content -> Text } }

pub(crate) const SCHEMA: &str = "
    CREATE TABLE letters (id {key}, text TEXT NOT NULL, stamps INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE parcels (code TEXT NOT NULL PRIMARY KEY, content TEXT NOT NULL);
";

pub(crate) static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Letter {
    pub(crate) id: i32,
    pub(crate) text: String,
    pub(crate) stamps: i32,
}

/// Another struct over the same table.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = letters)]
pub(crate) struct Card {
    pub(crate) id: i32,
    pub(crate) text: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(code))]
pub(crate) struct Parcel {
    #[hooks(assigned)]
    pub(crate) code: String,
    pub(crate) content: String,
}

pub(crate) fn new_letter(text: &str) -> NewLetter {
    NewLetter {
        text: text.into(),
        stamps: 1,
    }
}

/// What a receiver here fails with.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("refused {0} the write")]
pub(crate) struct Refused(pub(crate) &'static str);

fn refuse(text: &str, when: &'static str) -> Result<(), Refused> {
    match text.strip_prefix("refused ") {
        Some(it) if it == when => Err(Refused(when)),
        _ => Ok(()),
    }
}

fn write(entry: String, raw: bool) {
    LOG.push(if raw { entry + " raw" } else { entry });
}

fn list<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.collect::<Vec<_>>().join(", ")
}

#[receiver]
fn pre_save(event: &mut PreSave<Letter>) -> Result<(), Refused> {
    let (text, kind, raw) = match event {
        PreSave::Create(event) => (&mut event.new.text, "insert", event.raw),
        PreSave::Update(event) => (&mut event.instance.text, "update", event.raw),
    };
    *text = text.trim().to_owned();
    write(format!("pre_save {kind}"), raw);
    refuse(text, "before")
}

#[receiver]
fn pre_create(event: &PreCreate<Letter>) {
    write("pre_create".into(), event.raw);
}

#[receiver]
fn pre_update(event: &PreUpdate<Letter>) {
    let before = event.before().expect("a receiver of updates is there");
    write(format!("pre_update from {}", before.text.trim()), event.raw);
}

#[receiver]
fn post_create(event: &PostCreate<Letter>) {
    write("post_create".into(), event.raw);
}

#[receiver]
fn post_update(event: &PostUpdate<Letter>) {
    let before = event.before().expect("a receiver of updates is there");
    let columns = list(event.changed_columns());
    write(
        format!("post_update {columns} from {}", before.text.trim()),
        event.raw,
    );
}

#[receiver]
fn post_save(event: &PostSave<Letter>) -> Result<(), Refused> {
    let kind = if event.created { "created" } else { "updated" };
    let columns = list(event.changed_columns());
    write(format!("post_save {kind} {columns}"), event.raw);
    refuse(&event.instance.text, "after")
}

#[receiver]
fn pre_delete(_: &PreDelete<Letter>) {
    LOG.push("pre_delete");
}

#[receiver]
fn post_delete(_: &PostDelete<Letter>) {
    LOG.push("post_delete");
}

#[receiver]
fn card_saved(event: &PostSave<Card>) {
    LOG.push(format!("a card was saved: {}", event.instance.text));
}

#[receiver]
fn pre_save_of_a_parcel(_: &PreSave<Parcel>, conn: &mut TestConnection) {
    LOG.push(format!("pre_save at depth {}", depth(conn)));
}

#[receiver]
fn pre_create_of_a_parcel(_: &PreCreate<Parcel>, conn: &mut TestConnection) {
    LOG.push(format!("pre_create at depth {}", depth(conn)));
}

#[receiver]
fn post_create_of_a_parcel(_: &PostCreate<Parcel>, conn: &mut TestConnection) {
    LOG.push(format!("post_create at depth {}", depth(conn)));
}

#[receiver]
fn post_save_of_a_parcel(event: &PostSave<Parcel>) -> Result<(), Refused> {
    LOG.push(if event.created {
        "post_save created"
    } else {
        "post_save updated"
    });
    refuse(&event.instance.code, "after")
}

#[receiver]
fn pre_delete_of_a_parcel(_: &PreDelete<Parcel>, conn: &mut TestConnection) {
    LOG.push(format!("pre_delete of {}", parcels_there(conn)));
}

#[receiver]
fn post_delete_of_a_parcel(_: &PostDelete<Parcel>, conn: &mut TestConnection) {
    LOG.push(format!("post_delete of {}", parcels_there(conn)));
}

fn parcels_there(conn: &mut TestConnection) -> i64 {
    let count = parcels::table.count().get_result(conn);
    count.expect("parcels can be counted")
}
