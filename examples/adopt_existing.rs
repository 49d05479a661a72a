//! The blog of Diesel's getting-started guide, with comments under its posts and hooks added.
//!
//! `// new` stands above each line or item that came with the hooks, `// was:` above each that
//! reads otherwise because of them, with the lines it replaces. The rest is the program as it was.
//!
//! `cargo run --example adopt_existing`
#![allow(clippy::print_stdout, reason = "an example prints what it does")]
#![allow(missing_docs, reason = "a program has no readers of its schema's docs")]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
// new
use diesel_hooks::prelude::*;

diesel::table! {
    posts (id) {
        id -> Integer,
        title -> Text,
        body -> Text,
        published -> Bool,
        comment_count -> Integer,
    }
}

diesel::table! {
    comments (id) {
        id -> Integer,
        post_id -> Integer,
        body -> Text,
    }
}

// was: #[derive(Queryable, Selectable, Identifiable)]
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = posts)]
// new
#[hooks(new = NewPost)]
struct Post {
    id: i32,
    title: String,
    body: String,
    published: bool,
    comment_count: i32,
}

#[derive(Insertable)]
#[diesel(table_name = posts)]
// was: struct NewPost<'a> { title: &'a str, body: &'a str }
struct NewPost {
    title: String,
    body: String,
}

// was: #[derive(Queryable, Selectable, Identifiable)]
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = comments)]
// new
#[hooks(new = NewComment)]
struct Comment {
    id: i32,
    post_id: i32,
    body: String,
}

#[derive(Insertable)]
#[diesel(table_name = comments)]
// was: struct NewComment<'a> { post_id: i32, body: &'a str }
struct NewComment {
    post_id: i32,
    body: String,
}

// new
#[receiver]
fn count_comment(event: &PostCreate<Comment>, conn: &mut SqliteConnection) -> QueryResult<()> {
    diesel::update(posts::table.find(event.instance.post_id))
        .set(posts::comment_count.eq(posts::comment_count + 1))
        .execute(conn)?;
    Ok(())
}

// new
#[receiver]
fn delete_comments(event: &PreDelete<Post>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let under_it = comments::table.filter(comments::post_id.eq(event.instance.id));
    for comment in under_it.load::<Comment>(conn)? {
        comment.delete(conn)?;
    }
    Ok(())
}

// new
#[receiver]
fn say_deleted(event: &PostDelete<Comment>) {
    println!("comment `{}` is gone", event.instance.body);
}

fn establish_connection() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
    conn.batch_execute(
        "PRAGMA foreign_keys = ON;
         CREATE TABLE posts (
             id INTEGER NOT NULL PRIMARY KEY,
             title TEXT NOT NULL,
             body TEXT NOT NULL,
             published BOOLEAN NOT NULL DEFAULT FALSE,
             comment_count INTEGER NOT NULL DEFAULT 0
         );
         CREATE TABLE comments (
             id INTEGER NOT NULL PRIMARY KEY,
             post_id INTEGER NOT NULL REFERENCES posts (id),
             body TEXT NOT NULL
         );",
    )
    .expect("the database is empty");
    conn
}

// was: fn create_post(..) -> QueryResult<Post> {
fn create_post(conn: &mut SqliteConnection, title: &str, body: &str) -> diesel_hooks::Result<Post> {
    // was: let new_post = NewPost { title, body };
    let new_post = NewPost {
        title: title.to_owned(),
        body: body.to_owned(),
    };
    // was: diesel::insert_into(posts::table)
    //          .values(&new_post)
    //          .returning(Post::as_returning())
    //          .get_result(conn)
    Post::create(conn, new_post)
}

// was: fn comment_on(..) -> QueryResult<Comment> {
fn comment_on(
    conn: &mut SqliteConnection,
    post_id: i32,
    body: &str,
) -> diesel_hooks::Result<Comment> {
    // was: let new_comment = NewComment { post_id, body };
    let new_comment = NewComment {
        post_id,
        body: body.to_owned(),
    };
    // was: conn.transaction(|conn| {
    //          diesel::update(posts::table.find(post_id))
    //              .set(posts::comment_count.eq(posts::comment_count + 1))
    //              .execute(conn)?;
    //          diesel::insert_into(comments::table)
    //              .values(&new_comment)
    //              .returning(Comment::as_returning())
    //              .get_result(conn)
    //      })
    Comment::create(conn, new_comment)
}

// was: fn publish_post(..) -> QueryResult<Post> {
fn publish_post(conn: &mut SqliteConnection, id: i32) -> diesel_hooks::Result<Post> {
    // was: diesel::update(posts::table.find(id))
    //          .set(posts::published.eq(true))
    //          .returning(Post::as_returning())
    //          .get_result(conn)
    let mut post = Post::get(conn, id)?;
    post.update(conn, |it| it.published = true)?;
    Ok(post)
}

// was: fn delete_post(..) -> QueryResult<()> {
fn delete_post(conn: &mut SqliteConnection, id: i32) -> diesel_hooks::Result {
    // was: diesel::delete(comments::table.filter(comments::post_id.eq(id))).execute(conn)?;
    //      diesel::delete(posts::table.find(id)).execute(conn)?;
    Post::get(conn, id)?.delete(conn)?;
    Ok(())
}

fn show_posts(conn: &mut SqliteConnection) -> QueryResult<()> {
    let results = posts::table
        .filter(posts::published.eq(true))
        .limit(5)
        .select(Post::as_select())
        .load(conn)?;
    println!("displaying {} posts", results.len());
    for post in results {
        println!("{} ({} comments)", post.title, post.comment_count);
        println!("----------");
        println!("{}", post.body);
    }
    Ok(())
}

// was: fn main() -> QueryResult<()> {
fn main() -> diesel_hooks::Result {
    let conn = &mut establish_connection();
    let post = create_post(conn, "Hooks", "A receiver counts the comments.")?;
    comment_on(conn, post.id, "And who deletes them?")?;
    comment_on(conn, post.id, "Another one.")?;
    publish_post(conn, post.id)?;
    show_posts(conn)?;
    delete_post(conn, post.id)?;
    show_posts(conn)?;
    Ok(())
}
