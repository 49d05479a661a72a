//! A receiver of a trait hears every model that extends it, whatever the crate, and one of `dyn AnyModel`
//! every model there is.
#![allow(missing_docs, reason = "schema modules are generated")]

use backends::{Log, TestConnection, depth, fresh};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;
use staff::{Employee, Named, NewEmployee};

diesel::table! { posts (id) { id -> Integer, title -> Text, stars -> Integer } }
diesel::table! { replies (id) { id -> Integer, post_id -> Integer, text -> Text } }
diesel::table! { labels (name, place) { name -> Text, place -> Integer } }
diesel::table! { silences (id) { id -> Integer, text -> Text } }
diesel::table! { journal (id) { id -> Integer, entry -> Text } }

const SCHEMA: &str = "
    CREATE TABLE posts (id {key}, title TEXT NOT NULL, stars INTEGER NOT NULL);
    CREATE TABLE replies (id {key}, post_id INTEGER NOT NULL UNIQUE REFERENCES posts (id), text TEXT NOT NULL);
    CREATE TABLE labels (name TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (name, place));
    CREATE TABLE silences (id {key}, text TEXT NOT NULL);
    CREATE TABLE journal (id {key}, entry TEXT NOT NULL);
";

static LOG: Log = Log::new();

/// What people do.
trait Activity {
    fn summary(&self) -> String;
}

/// A trait with a parameter is one for each.
trait Holds<T> {
    fn held(&self) -> T;
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(extends(Activity, Holds<i32>))]
struct Post {
    id: i32,
    title: String,
    stars: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = replies)]
#[hooks(extends(Activity, Holds<String>))]
struct Reply {
    id: i32,
    #[hooks(one_to_one(Post, on_delete = Cascade))]
    post_id: i32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(name, place))]
#[hooks(new = Self)]
struct Label {
    name: String,
    place: i32,
}

/// Extends nothing.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Silence {
    id: i32,
    text: String,
}

impl Activity for Post {
    fn summary(&self) -> String {
        format!("post {}", self.title)
    }
}

impl Activity for Reply {
    fn summary(&self) -> String {
        format!("reply {}", self.text)
    }
}

impl Holds<i32> for Post {
    fn held(&self) -> i32 {
        self.stars
    }
}

impl Holds<String> for Reply {
    fn held(&self) -> String {
        self.text.clone()
    }
}

/// Only while a test asks for it, for this receiver hears a lot.
struct Audit;

#[receiver(order = 90)]
fn audit(event: &PostSave<dyn AnyModel>, conn: &mut TestConnection) -> QueryResult<()> {
    if conn.context::<Audit>().is_none() {
        return Ok(());
    }
    let row = &event.instance;
    let entry = format!(
        "{} {} {}",
        row.model_name(),
        row.table_name(),
        row.key_text()
    );
    let stars = row.downcast_ref::<Post>().map(|post| post.stars);
    LOG.push(format!("{entry}, stars {stars:?}"));
    diesel::insert_into(journal::table)
        .values(journal::entry.eq(entry))
        .execute(conn)
        .map(drop)
}

#[receiver(order = 1)]
fn activity_saved(event: &PostSave<dyn Activity>) -> Result<(), &'static str> {
    let columns: Vec<_> = event.changed_columns().collect();
    let kind = if event.created { "created" } else { "updated" };
    LOG.push(format!(
        "{} {kind} {}",
        event.instance.summary(),
        columns.join(", ")
    ));
    match event.instance.summary().contains("spam") {
        true => Err("no spam"),
        false => Ok(()),
    }
}

#[receiver]
fn post_saved(_: &PostSave<Post>) {
    LOG.push("the post's own");
}

#[receiver(order = 2)]
fn integers(event: &PostSave<dyn Holds<i32>>) {
    LOG.push(format!("holds {}", event.instance.held()));
}

#[receiver(order = 2)]
fn texts(event: &PostSave<dyn Holds<String>>) {
    LOG.push(format!("holds {:?}", event.instance.held()));
}

#[receiver]
fn activity_updated(event: &PostUpdate<dyn Activity>) {
    let before = event.before_any().expect("it is kept for this receiver");
    let title = before.downcast_ref::<Post>().map(|post| &post.title);
    LOG.push(format!(
        "{} {} was {title:?}",
        before.model_name(),
        before.key_text()
    ));
}

#[receiver]
fn activity_loaded(event: &PostLoad<dyn Activity>) {
    LOG.push(format!("loaded {}", event.instance.summary()));
}

#[receiver]
fn activity_goes(event: &PreDelete<dyn Activity>, conn: &mut TestConnection) {
    let left: i64 = posts::table.count().get_result(conn).expect("a count");
    let origin = event.origin().model;
    LOG.push(format!(
        "{} goes with a {origin}, {left} left",
        event.instance.summary()
    ));
}

#[receiver]
fn activity_went(event: &PostDelete<dyn Activity>, conn: &mut TestConnection) {
    let left: i64 = posts::table.count().get_result(conn).expect("a count");
    let origin = event.origin().model;
    LOG.push(format!(
        "{} went with a {origin}, {left} left",
        event.instance.summary()
    ));
}

#[receiver(after_commit)]
fn activity_committed(event: &PostCreate<dyn Activity>) {
    LOG.push(format!("committed {}", event.instance.summary()));
}

#[receiver(after_rollback)]
fn activity_rolled_back(event: &PostCreate<dyn Activity>) {
    LOG.push(format!("rolled back {}", event.instance.summary()));
}

#[receiver]
fn named_created(event: &PostCreate<dyn Named>) {
    LOG.push(format!("{} is new", event.instance.name()));
}

#[receiver(dispatch_uid = "a", after = "c")]
fn a(_: &PostDelete<Silence>) {
    LOG.push("a");
}

#[receiver(dispatch_uid = "b", order = 1)]
fn b(_: &[PostDelete<Silence>], _: &mut TestConnection) {
    LOG.push("b");
}

#[receiver(dispatch_uid = "c", order = 2, after("b", "nobody"))]
fn c(event: &PostDelete<dyn AnyModel>) {
    LOG.push(format!("c {}", event.instance.model_name()));
}

#[receiver(dispatch_uid = "d", order = 9, before("a", "b"))]
fn d(_: &PostDelete<Silence>, _: &mut TestConnection) {
    LOG.push("d");
}

fn post(conn: &mut TestConnection, title: &str) -> diesel_hooks::Result<Post> {
    let new = NewPost {
        title: title.into(),
        stars: 3,
    };
    Post::create(conn, new)
}

fn reply(conn: &mut TestConnection, post: &Post) -> diesel_hooks::Result<Reply> {
    let new = NewReply {
        post_id: post.id,
        text: "yes".into(),
    };
    Reply::create(conn, new)
}

fn silence(conn: &mut TestConnection) -> diesel_hooks::Result<Silence> {
    let text = "hush".into();
    Silence::create(conn, NewSilence { text })
}

/// A post and a reply to it.
fn a_thread(conn: &mut TestConnection) -> (Post, Reply) {
    let post = post(conn, "Q").expect("a post");
    let reply = reply(conn, &post).expect("a reply");
    LOG.take();
    (post, reply)
}

#[test]
fn each_model_that_extends_a_trait_is_heard_among_its_own_receivers_in_their_order() {
    let mut conn = fresh(SCHEMA);
    let q = post(&mut conn, "Q").expect("a post");
    assert_eq!(
        LOG.take(),
        [
            "the post's own",
            "post Q created title, stars",
            "holds 3",
            "committed post Q"
        ]
    );
    reply(&mut conn, &q).expect("a reply");
    assert_eq!(
        LOG.take(),
        [
            "reply yes created post_id, text",
            "holds \"yes\"",
            "committed reply yes"
        ]
    );
    silence(&mut conn).expect("a silence");
    assert!(LOG.take().is_empty(), "it extends nothing");
}

#[test]
fn an_update_says_which_columns_changed_and_what_the_row_was() {
    let mut conn = fresh(SCHEMA);
    let (mut q, mut yes) = a_thread(&mut conn);
    q.update(&mut conn, |it| it.title = "R".into())
        .expect("updated");
    assert_eq!(
        LOG.take(),
        [
            "Post 1 was Some(\"Q\")",
            "the post's own",
            "post R updated title",
            "holds 3"
        ]
    );
    yes.text = "no".into();
    yes.save(&mut conn).expect("saved");
    assert_eq!(
        LOG.take(),
        ["Reply 1 was None", "reply no updated text", "holds \"no\""]
    );
    q.update_set(&mut conn, posts::stars.eq(posts::stars + 1))
        .expect("updated");
    assert_eq!(LOG.take()[2..], ["post R updated stars", "holds 4"]);
}

#[test]
fn a_delete_is_heard_of_the_row_and_of_what_goes_with_it() {
    let mut conn = fresh(SCHEMA);
    let (q, _) = a_thread(&mut conn);
    q.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take(),
        [
            "reply yes goes with a Post, 1 left",
            "post Q goes with a Post, 1 left",
            "reply yes went with a Post, 1 left",
            "c Reply",
            "post Q went with a Post, 0 left",
            "c Post"
        ]
    );
}

#[test]
fn before_and_after_win_over_order_and_hold_across_forms_and_senders() {
    let mut conn = fresh(SCHEMA);
    let hush = silence(&mut conn).expect("a silence");
    LOG.take();
    hush.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["d", "b", "c Silence", "a"]);
}

#[test]
fn a_load_is_heard() {
    let mut conn = fresh(SCHEMA);
    let (mut q, yes) = a_thread(&mut conn);
    q.refresh(&mut conn).expect("it is there");
    Reply::get(&mut conn, yes.id).expect("it is there");
    posts::table
        .load_hooked::<Post>(&mut conn)
        .expect("it is there");
    assert_eq!(
        LOG.take(),
        ["loaded post Q", "loaded reply yes", "loaded post Q"]
    );
}

#[test]
fn any_model_has_a_name_a_table_and_a_key_and_can_be_what_it_is() {
    let mut conn = fresh(SCHEMA);
    conn.with_context(Audit, |conn| {
        let q = post(conn, "Q")?;
        reply(conn, &q)?;
        let rust = Label {
            name: "rust".into(),
            place: 7,
        };
        Label::create(conn, rust)?;
        silence(conn)?;
        Ok::<_, Error>(())
    })
    .expect("all is well");
    let heard: Vec<_> = LOG
        .take()
        .into_iter()
        .filter(|it| it.contains("stars "))
        .collect();
    assert_eq!(
        heard,
        [
            "Post posts 1, stars Some(3)",
            "Reply replies 1, stars None",
            "Label labels (\"rust\", 7), stars None",
            "Silence silences 1, stars None"
        ]
    );
    let entries: i64 = journal::table
        .count()
        .get_result(&mut conn)
        .expect("a count");
    assert_eq!(entries, 4, "what it writes stays with the row");
}

#[test]
fn a_trait_receiver_that_fails_takes_everything_back_and_is_named() {
    let mut conn = fresh(SCHEMA);
    let error = conn
        .with_context(Audit, |conn| post(conn, "spam"))
        .expect_err("spam");
    let Error::Receiver(why) = &error else {
        panic!("{error:?}");
    };
    assert_eq!((why.model, why.signal), (Some("Post"), "PostSave"));
    assert_eq!(why.receiver, "trait_senders::activity_saved");
    assert_eq!(why.source.to_string(), "no spam");
    assert_eq!(posts::table.count().get_result(&mut conn), Ok(0));
    assert_eq!(depth(&mut conn), 0);
    assert_eq!(
        LOG.take(),
        [
            "the post's own",
            "post spam created title, stars",
            "rolled back post spam"
        ]
    );
}

#[test]
fn after_the_commit_a_trait_hears_what_was_committed_and_no_more() {
    let mut conn = fresh(SCHEMA);
    conn.transaction(|conn| {
        let q = post(conn, "Q")?;
        let inner: diesel_hooks::Result = conn.transaction(|conn| {
            post(conn, "never")?;
            Err(DieselError::RollbackTransaction.into())
        });
        inner.expect_err("rolled back");
        let log = LOG.take();
        assert!(log.contains(&"rolled back post never".to_owned()));
        assert!(!log.iter().any(|it| it.starts_with("committed")));
        reply(conn, &q)
    })
    .expect("it commits");
    let committed: Vec<_> = LOG
        .take()
        .into_iter()
        .filter(|it| it.contains("committed"))
        .collect();
    assert_eq!(committed, ["committed post Q", "committed reply yes"]);
}

#[test]
fn a_model_of_another_crate_is_heard_by_a_trait_receiver_here() {
    let mut conn = fresh("");
    staff::create_tables(&mut conn).expect("tables");
    let ada = NewEmployee {
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        email: "ada@example.org".into(),
    };
    Employee::create(&mut conn, ada).expect("an employee");
    assert_eq!(LOG.take(), ["Ada Lovelace is new"]);
}

#[test]
fn a_trait_receiver_is_muted_like_any_other() {
    let mut conn = fresh(SCHEMA);
    conn.without_receiver("trait_senders::activity_saved", |conn| post(conn, "spam"))
        .expect("nobody says no");
    assert_eq!(
        LOG.take(),
        ["the post's own", "holds 3", "committed post spam"]
    );
    conn.without_hooks(|conn| post(conn, "spam"))
        .expect("nobody says no");
    assert!(LOG.take().is_empty());
}
