diesel::table! { organisations (id) { id -> Integer, name -> Text } }
diesel::table! { agents (id) { id -> Integer, name -> Text } }
diesel::table! { memberships (organisation_id, agent_id) { organisation_id -> Integer, agent_id -> Integer } }
diesel::table! { invitations (id) { id -> Integer, organisation_id -> Integer, email -> Text } }
diesel::table! { customers (code) { code -> Text, organisation_id -> Nullable<Integer>, name -> Text } }
diesel::table! { devices (customer_code, number) { customer_code -> Text, number -> Integer, name -> Text } }
diesel::table! {
    tickets (id) {
        id -> Integer,
        customer_code -> Text,
        agent_id -> Nullable<Integer>,
        device_customer -> Nullable<Text>,
        device_number -> Nullable<Integer>,
        title -> Text,
    }
}
diesel::table! { messages (id) { id -> Integer, ticket_id -> Integer, text -> Text } }
diesel::table! { attachments (id) { id -> Integer, message_id -> Integer, name -> Text } }
diesel::table! { tags (name) { name -> Text } }
diesel::table! { tickets_tags (ticket_id, tag) { ticket_id -> Integer, tag -> Text } }
diesel::table! { events (id) { id -> Integer, about -> Text, what -> Text } }

diesel::allow_tables_to_appear_in_same_query!(tickets, messages, attachments, tickets_tags);
