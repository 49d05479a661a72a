//! Any value that a column takes comes back equal or is refused, and any legal identifier works.

use backends::{TestConnection, fresh, on};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { papers (title) { title -> Text, body -> Nullable<Text>, data -> Nullable<Binary>, score -> Nullable<Double>, number -> BigInt } }

/// Where texts are equal only if they are the same.
fn schema() -> String {
    let [title, body, data] = on(
        ["TEXT", "TEXT", "BLOB"],
        ["TEXT", "TEXT", "BYTEA"],
        ["VARCHAR(700)", "LONGTEXT", "LONGBLOB"],
    );
    let exact = on("", "", "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");
    format!(
        "CREATE TABLE papers (title {title} PRIMARY KEY NOT NULL, body {body}, data {data}, score DOUBLE PRECISION,
            number BIGINT NOT NULL) {exact};"
    )
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(primary_key(title))]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Paper {
    title: String,
    body: Option<String>,
    data: Option<Vec<u8>>,
    score: Option<f64>,
    number: i64,
}

fn texts() -> Vec<String> {
    [
        "",
        " ",
        "'",
        "\"",
        "`",
        "\\",
        "%",
        "_",
        "?",
        "$1",
        ":name",
        "@x",
        "--",
        "/*",
        ";",
        "NULL",
        "null",
        "'; DROP TABLE papers; --",
        "\" OR 1=1 --",
        "`; DELETE FROM papers; `",
        "a\nb\r\nc\t",
        "\u{feff}",
        "ß → 日本語 🦀",
        "e\u{301}",
        "\u{202e}olleh",
        "0",
        "-1",
        "1e9",
        "0x10",
        "true",
        "\u{10ffff}",
        "[x]",
        "{x}",
        "x'00'",
    ]
    .map(String::from)
    .to_vec()
}

#[test]
fn every_text_comes_back_as_key_and_as_value() {
    let mut conn = fresh(&schema());
    let mut texts = texts();
    // As long as a key can be.
    texts.push("long ".repeat(on(50_000, 500, 140)));
    let bodies = [texts.clone(), vec!["long ".repeat(50_000)]].concat();
    for text in &texts {
        let paper = Paper {
            title: text.clone(),
            body: Some(text.clone()),
            data: None,
            score: None,
            number: 0,
        };
        let mut created = Paper::create(&mut conn, paper.clone()).expect("a paper");
        assert_eq!(created, paper);
        for other in &bodies {
            created
                .update(&mut conn, |paper| paper.body = Some(other.clone()))
                .expect("updated");
        }
        created.body = Some(text.clone());
        created.save(&mut conn).expect("saved");
        assert_eq!(
            Paper::get(&mut conn, text.clone()).expect("it is there"),
            paper
        );
    }
    assert_eq!(
        papers::table.count().get_result(&mut conn),
        Ok(texts.len() as i64)
    );
    for text in &texts {
        let paper = Paper::get(&mut conn, text.clone()).expect("it is there");
        assert_eq!(paper.delete(&mut conn).expect("deleted").total, 1);
    }
    assert_eq!(papers::table.count().get_result(&mut conn), Ok(0));
}

#[test]
fn numbers_bytes_and_nulls_come_back() {
    let mut conn = fresh(&schema());
    let bytes: Vec<u8> = (0..=255).collect();
    for (index, number) in [0, 1, -1, i64::MAX, i64::MIN].into_iter().enumerate() {
        for score in [
            None,
            Some(0.0),
            Some(-0.5),
            Some(f64::MAX),
            Some(f64::MIN_POSITIVE),
            Some(f64::INFINITY),
        ] {
            for data in [None, Some(Vec::new()), Some(bytes.clone())] {
                let title = format!(
                    "{index} {score:?} {}",
                    data.as_ref().map_or(-1, |data| data.len() as i64)
                );
                let paper = Paper {
                    title,
                    body: None,
                    data,
                    score,
                    number,
                };
                let created = Paper::create(&mut conn, paper.clone());
                let read = Paper::get(&mut conn, paper.pk());
                if score == Some(f64::INFINITY) && on(false, false, true) {
                    created.expect_err("MySQL has no infinity");
                    read.expect_err("and stores nothing else instead");
                    continue;
                }
                assert_eq!(created.expect("a paper"), paper);
                assert_eq!(read.expect("it is there"), paper);
            }
        }
    }
}

#[test]
fn a_value_that_the_database_refuses_changes_nothing() {
    let mut conn = fresh(&schema().replace(
        "number BIGINT NOT NULL",
        "number BIGINT NOT NULL CHECK (number < 10)",
    ));
    let paper = |number| Paper {
        title: "one".into(),
        body: None,
        data: None,
        score: None,
        number,
    };
    Paper::create(&mut conn, paper(10)).expect_err("refused");
    assert_eq!(papers::table.count().get_result(&mut conn), Ok(0));
    let mut created = Paper::create(&mut conn, paper(1)).expect("a paper");
    created
        .update(&mut conn, |paper| paper.number = 10)
        .expect_err("refused");
    assert_eq!(created.number, 1);
    created.number = 11;
    created.save(&mut conn).expect_err("refused");
    assert_eq!(
        Paper::get(&mut conn, "one".into())
            .expect("it is there")
            .number,
        1
    );
}

/// SQL's reserved words, quotes inside names, Rust's raw identifiers, names that are not ASCII.
mod names {
    use super::*;

    diesel::table! {
        #[sql_name = "select `from` \"where\""]
        select (order) {
            #[sql_name = "order"]
            order -> Integer,
            #[sql_name = "gro`up"]
            group -> Text,
            r#type -> Text,
            größe -> Nullable<Integer>,
        }
    }

    diesel::table! {
        #[sql_name = "ünïcode"]
        r#match (id) { id -> Integer, #[sql_name = "table"] r#in -> Integer }
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = select, primary_key(order))]
    pub(crate) struct Select {
        pub(crate) order: i32,
        pub(crate) group: String,
        pub(crate) r#type: String,
        pub(crate) größe: Option<i32>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = r#match)]
    pub(crate) struct Match {
        pub(crate) id: i32,
        #[hooks(one_to_one(Select, on_delete = Protect, related_name = r#yield, accessor = r#loop))]
        pub(crate) r#in: i32,
    }

    #[receiver]
    pub(crate) fn r#move(event: &mut PreCreate<Select>) {
        event.new.r#type.push('!');
    }
}

fn quoted(name: &str) -> String {
    let quote = on("`", "\"", "`");
    format!("{quote}{}{quote}", name.replace(quote, &quote.repeat(2)))
}

#[test]
fn every_legal_identifier_works() {
    use names::*;

    let mut conn = fresh(
        &format!(
            "CREATE TABLE {} ({{q}}order{{q}} {{key}}, {} TEXT NOT NULL, type TEXT NOT NULL, größe INTEGER);
             CREATE TABLE ünïcode (id {{key}}, {{q}}table{{q}} INTEGER NOT NULL UNIQUE);",
            quoted("select `from` \"where\""),
            quoted("gro`up"),
        ),
    );
    let new = NewSelect {
        group: "g".into(),
        r#type: "t".into(),
        größe: Some(1),
    };
    let mut row = Select::create(&mut conn, new).expect("a row");
    assert_eq!(row.r#type, "t!");
    row.update(&mut conn, |row| row.größe = None)
        .expect("updated");
    row.group = "h".into();
    row.save(&mut conn).expect("saved");
    assert_eq!(Select::get(&mut conn, row.order).expect("it is there"), row);
    let other = Match::create(&mut conn, NewMatch { r#in: row.order }).expect("a row");
    assert_eq!(row.r#yield(&mut conn).expect("a row"), other);
    assert_eq!(other.r#loop(&mut conn).expect("a row"), row);
    assert_eq!(
        row.delete(&mut conn).expect_err("protected").to_string(),
        "Select 1 is protected by Match 1 (through Match.in)"
    );
    let mut receivers = diesel_hooks::registry().receivers();
    assert!(receivers.any(|it| it.uid.ends_with("values_and_names::names::move")));
}
