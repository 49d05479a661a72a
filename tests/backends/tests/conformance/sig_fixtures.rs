//! Django's cases of loading fixtures, as they hold here.

use backends::{
    LOCK_FOUND, Log, TestConnection, fresh, of_rows, rows, sequence, statements, verbs,
};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { countries (code) { code -> Text, name -> Text } }

const SCHEMA: &str = "CREATE TABLE countries (code TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''));";

static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = countries, primary_key(code))]
struct Country {
    #[hooks(assigned)]
    code: String,
    name: String,
}

#[receiver]
fn saving(event: &PreSave<Country>) {
    let (code, raw) = match event {
        PreSave::Create(event) => (&event.new.code, event.raw),
        PreSave::Update(event) => (&event.instance.code, event.raw),
    };
    LOG.push(format!("pre_save {code}, raw {raw}"));
}

#[receiver]
fn saved(event: &PostSave<Country>) {
    let Country { code, .. } = &event.instance;
    LOG.push(format!(
        "post_save {code}, raw {}, created {}",
        event.raw, event.created
    ));
}

fn load(conn: &mut TestConnection, fixtures: &[(&str, &str)]) -> diesel_hooks::Result {
    conn.transaction(|conn| {
        conn.loading_fixtures(|conn| {
            for (code, name) in fixtures {
                let new = NewCountry {
                    code: (*code).into(),
                    name: (*name).into(),
                };
                Country::upsert(conn, new)?;
            }
            Ok(())
        })
    })
}

#[test]
fn sig_43_fixtures_are_raw_in_one_transaction_and_created_where_there_was_no_row() {
    let mut conn = fresh(SCHEMA);
    let fixtures = [("fr", "France"), ("it", "Italy")];
    let (outcome, sent) = statements(&mut conn, |conn| load(conn, &fixtures));
    outcome.expect("loaded");
    assert_eq!(
        LOG.take(),
        [
            "pre_save fr, raw true",
            "post_save fr, raw true, created true",
            "pre_save it, raw true",
            "post_save it, raw true, created true"
        ]
    );
    let ends = |sent: &[String]| {
        let verbs = verbs(sent);
        let of_transactions = verbs.iter().filter(|it| ["BEGIN", "COMMIT"].contains(it));
        of_transactions.count()
    };
    assert_eq!(
        (verbs(&sent)[0], verbs(&sent)[sent.len() - 1]),
        ("BEGIN", "COMMIT")
    );
    assert_eq!(ends(&sent), 2, "{sent:?}");
    assert_eq!(rows(&mut conn, "countries"), ["fr France", "it Italy"]);

    let again = [("it", "Italia"), ("pt", "Portugal")];
    let (outcome, sent) = statements(&mut conn, |conn| load(conn, &again));
    outcome.expect("loaded");
    assert_eq!(
        LOG.take(),
        [
            "pre_save it, raw true",
            "post_save it, raw true, created false",
            "pre_save pt, raw true",
            "post_save pt, raw true, created true"
        ]
    );
    assert_eq!(ends(&sent), 2, "{sent:?}");
    let updated = sequence(&["SELECT", LOCK_FOUND, "UPDATE"]);
    assert_eq!(of_rows(&sent)[..updated.len()], updated);
    assert_eq!(
        rows(&mut conn, "countries"),
        ["fr France", "it Italia", "pt Portugal"]
    );
}

#[test]
fn sig_43_a_fixture_that_is_refused_takes_the_others_back() {
    let mut conn = fresh(SCHEMA);
    let refused = load(&mut conn, &[("fr", "France"), ("it", "")]);
    assert!(matches!(
        refused,
        Err(Error::Query {
            model: Some("Country"),
            ..
        })
    ));
    assert_eq!(
        LOG.take(),
        [
            "pre_save fr, raw true",
            "post_save fr, raw true, created true",
            "pre_save it, raw true"
        ]
    );
    assert_eq!(rows(&mut conn, "countries"), [""; 0]);

    load(&mut conn, &[("it", "Italy")]).expect("loaded");
    let mut italy = Country::get(&mut conn, "it".into()).expect("it is there");
    LOG.take();
    italy.save(&mut conn).expect("saved");
    assert_eq!(
        LOG.take(),
        [
            "pre_save it, raw false",
            "post_save it, raw false, created false"
        ]
    );
}
