//! A row that several structs stand for is deleted once, heard once, and counted once.

use backends::fresh;
use backends::script::{LOG, counted};
use backends::{TestConnection, hear_deletes, insert, model};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { shops (id) { id -> Integer } }
diesel::table! { goods (id) { id -> Integer, shop_id -> Integer, under_id -> Nullable<Integer> } }
diesel::table! { tags (id) { id -> Integer, good_id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE shops (id {key});
    CREATE TABLE goods (id {key}, shop_id INTEGER NOT NULL REFERENCES shops (id),
        under_id INTEGER REFERENCES goods (id));
    CREATE TABLE tags (id {key}, good_id INTEGER NOT NULL REFERENCES goods (id));
    INSERT INTO shops VALUES (1), (2);
    INSERT INTO goods VALUES (1, 1, NULL), (2, 1, 1), (3, 2, 2), (4, 2, NULL);
";

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Shop {
    id: i32,
}

/// The first by name of the structs over `goods`.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = goods)]
struct Article {
    id: i32,
    #[hooks(one_to_one(Shop, on_delete = Cascade))]
    shop_id: i32,
}

/// It knows another reference of the same rows.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = goods)]
struct Ware {
    id: i32,
    #[hooks(one_to_one(Shop, on_delete = Cascade))]
    shop_id: i32,
    #[hooks(one_to_one(Article, on_delete = Cascade))]
    under_id: Option<i32>,
}

hear_deletes! {
    pre_shop post_shop Shop;
    pre_article post_article Article;
    pre_ware post_ware Ware;
    pre_label post_label Label;
}

/// Nobody listens to the two other structs over `tags`.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = tags)]
struct Label {
    id: i32,
    #[hooks(one_to_one(Article, on_delete = Cascade))]
    good_id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = tags)]
struct Badge {
    id: i32,
    #[hooks(one_to_one(Article, on_delete = Cascade))]
    good_id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = tags)]
struct Sticker {
    id: i32,
    #[hooks(one_to_one(Article, on_delete = Cascade))]
    good_id: i32,
}

fn goods_left(conn: &mut TestConnection) -> Vec<i32> {
    let ids = goods::table.select(goods::id).order(goods::id);
    ids.load(conn).expect("rows can be read")
}

#[test]
fn the_first_relation_that_reaches_a_row_says_as_what_it_goes() {
    let mut conn = fresh(SCHEMA);
    let deleted = Shop { id: 1 }.delete(&mut conn).expect("deleted");
    // Both structs refer to the shop, so 1 and 2 are articles; 3 is reached as what lies under 2.
    assert_eq!(
        LOG.take(),
        [
            "pre Ware 3",
            "pre Article 2",
            "pre Article 1",
            "pre Shop 1",
            "post Ware 3",
            "post Article 2",
            "post Article 1",
            "post Shop 1",
        ]
    );
    assert_eq!(
        counted(deleted),
        (4, vec![("Article", 2), ("Shop", 1), ("Ware", 1)])
    );
    assert_eq!(goods_left(&mut conn), [4]);
}

#[test]
fn a_row_that_is_deleted_through_a_struct_goes_as_that_struct() {
    let mut conn = fresh(SCHEMA);
    let ware = Ware::get(&mut conn, 2).expect("a ware");
    let deleted = ware.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take(),
        ["pre Ware 3", "pre Ware 2", "post Ware 3", "post Ware 2"]
    );
    assert_eq!(counted(deleted), (2, vec![("Ware", 2)]));
    assert_eq!(goods_left(&mut conn), [1, 4]);
}

#[test]
fn rows_that_one_struct_would_take_silently_go_as_the_struct_that_is_heard() {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, "INSERT INTO tags VALUES (1, 4), (2, 4)");
    let article = Article::get(&mut conn, 4).expect("an article");
    let deleted = article.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take(),
        [
            "pre Label 1",
            "pre Label 2",
            "pre Article 4",
            "post Label 1",
            "post Label 2",
            "post Article 4",
        ]
    );
    assert_eq!(counted(deleted), (3, vec![("Article", 1), ("Label", 2)]));
    assert_eq!(tags::table.count().get_result(&mut conn), Ok(0));
}

mod other_keys {
    use diesel::backend::Backend;
    use diesel::deserialize::FromSql;
    use diesel::serialize::{Output, ToSql};
    use diesel::sql_types::Integer;

    use super::*;

    diesel::table! { roots (id) { id -> Integer } }
    diesel::table! { leaves (id) { id -> Integer, root_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[hooks(new = Self)]
    pub(crate) struct Root {
        pub(crate) id: i32,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = leaves)]
    pub(crate) struct Leaf {
        pub(crate) id: i32,
        #[hooks(one_to_one(Root, on_delete = Cascade))]
        pub(crate) root_id: i32,
    }

    #[derive(
        Debug,
        Clone,
        Copy,
        PartialEq,
        Eq,
        Hash,
        diesel::expression::AsExpression,
        diesel::deserialize::FromSqlRow,
    )]
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub(crate) struct NeedleId(i32);

    impl<DB: Backend> ToSql<Integer, DB> for NeedleId
    where
        i32: ToSql<Integer, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> diesel::serialize::Result {
            self.0.to_sql(out)
        }
    }

    impl<DB: Backend> FromSql<Integer, DB> for NeedleId
    where
        i32: FromSql<Integer, DB>,
    {
        fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
            i32::from_sql(value).map(NeedleId)
        }
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = leaves)]
    pub(crate) struct Needle {
        pub(crate) id: NeedleId,
        #[hooks(one_to_one(Root, on_delete = Cascade))]
        pub(crate) root_id: i32,
    }

    #[receiver]
    fn leaf_falls(_: &PreDelete<Leaf>) {}

    #[receiver]
    fn needle_falls(_: &PreDelete<Needle>) {}
}

#[test]
fn keys_that_cannot_be_compared_are_an_error_before_anything_happens() {
    let mut conn = fresh(
        "CREATE TABLE roots (id {key});
         CREATE TABLE leaves (id {key}, root_id INTEGER NOT NULL REFERENCES roots (id));
         INSERT INTO roots VALUES (1); INSERT INTO leaves VALUES (1, 1);",
    );
    let error = other_keys::Root { id: 1 }
        .delete(&mut conn)
        .expect_err("two types of keys");
    assert_eq!(
        error.to_string(),
        "Leaf and Needle are structs over one table, with keys of different types; use one Rust type for both"
    );
    assert_eq!(
        other_keys::leaves::table.count().get_result(&mut conn),
        Ok(1)
    );
}

mod either_struct {
    use super::*;
    use backends::script::on_event;
    use diesel::connection::SimpleConnection;

    model!(Base of bases { name: String = [Text] });
    diesel::table! { mids (id) { id -> Integer, a_id -> Integer, b_id -> Nullable<Integer> } }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = mids)]
    struct AQuiet {
        id: i32,
        #[hooks(foreign_key(Base, on_delete = Cascade))]
        a_id: i32,
        b_id: Option<i32>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = mids)]
    struct BLoud {
        id: i32,
        a_id: i32,
        #[hooks(foreign_key(Base, on_delete = Cascade))]
        b_id: Option<i32>,
    }

    model!(Pin of pins {
        #[hooks(foreign_key(AQuiet, on_delete = Protect))]
        mid_id: i32 = [Integer],
    });
    model!(Rein of reins {
        #[hooks(foreign_key(AQuiet, on_delete = Restrict))]
        mid_id: i32 = [Integer],
    });
    hear_deletes! { base_goes base_went Base; loud_goes loud_went BLoud; }

    const TABLES: &str = "
        CREATE TABLE bases (id {key}, name TEXT NOT NULL);
        CREATE TABLE mids (id {key}, a_id INTEGER NOT NULL REFERENCES bases (id),
            b_id INTEGER REFERENCES bases (id));
        CREATE TABLE pins (id {key}, mid_id INTEGER NOT NULL REFERENCES mids (id));
        CREATE TABLE reins (id {key}, mid_id INTEGER NOT NULL REFERENCES mids (id));
        INSERT INTO bases VALUES (1, 'b');";

    #[test]
    fn what_blocks_a_row_that_two_structs_reach_is_told_once() {
        for (block, told) in [
            (
                "INSERT INTO pins VALUES (7, 1)",
                "is protected by Pin 7 (through",
            ),
            (
                "INSERT INTO reins VALUES (7, 1)",
                "is restricted by Rein 7 (through",
            ),
        ] {
            let mut conn = fresh(TABLES);
            conn.batch_execute("INSERT INTO mids VALUES (1, 1, 1)")
                .expect("written");
            conn.batch_execute(block).expect("written");
            let error = Base::get(&mut conn, 1).expect("stored").delete(&mut conn);
            let error = error.expect_err("it is blocked").to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_row_that_a_receiver_puts_where_it_is_heard_has_both_its_signals() {
        let mut conn = fresh(TABLES);
        conn.batch_execute("INSERT INTO mids VALUES (1, 1, NULL)")
            .expect("written");
        on_event(|event, conn| {
            if event == "pre Base 1" {
                conn.batch_execute("UPDATE mids SET b_id = 1")?;
            }
            Ok(())
        });
        let base = Base::get(&mut conn, 1).expect("stored");
        base.delete(&mut conn).expect("deleted");
        let log = LOG.take();
        assert_eq!(
            log,
            ["pre Base 1", "pre BLoud 1", "post BLoud 1", "post Base 1"]
        );
    }
}
