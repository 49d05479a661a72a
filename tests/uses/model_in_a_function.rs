use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[test]
fn a_model_may_stand_in_a_function() {
    diesel::table! {
        users (id) { id -> Integer, email -> Text }
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    struct User {
        id: i32,
        email: String,
    }

    #[receiver]
    fn hear(event: &PostCreate<User>) {
        assert_eq!(event.instance.email, "a");
    }

    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)")
        .execute(&mut conn)
        .unwrap();
    let user = User::create(&mut conn, NewUser { email: "a".into() }).unwrap();
    assert_eq!(user.id, 1);
    let hear = concat!(module_path!(), "::hear");
    assert!(diesel_hooks::registry().assert_receivers([hear]).is_ok());
}
