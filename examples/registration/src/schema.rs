diesel::table! {
    users (id) {
        id -> Integer,
        username -> Text,
        email -> Text,
        password_hash -> Text,
        is_admin -> Bool,
        created -> Timestamp,
        modified -> Timestamp,
    }
}

diesel::table! {
    persons (user_id) {
        user_id -> Integer,
        birthdate -> Nullable<Date>,
        chat_handle -> Nullable<Text>,
        meeting_handle -> Nullable<Text>,
        phone -> Nullable<Text>,
    }
}

diesel::table! {
    employees (id) {
        id -> Integer,
        user_id -> Integer,
        title -> Text,
    }
}

diesel::table! {
    employee_profiles (id) {
        id -> Integer,
        employee_id -> Integer,
        office -> Nullable<Text>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Integer,
        user_id -> Integer,
        token_hash -> Text,
        created -> Timestamp,
        expires -> Timestamp,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Integer,
        at -> Timestamp,
        actor -> Text,
        actor_id -> Nullable<Integer>,
        action -> Text,
        model -> Text,
        row_key -> Text,
        changed -> Text,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(sessions, users);
