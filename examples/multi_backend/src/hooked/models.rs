#![allow(missing_docs, reason = "the tables say what they are")]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

use crate::AnyConnection;
use crate::schema::{
    agents, attachments, customers, devices, events, invitations, memberships, messages,
    organisations, tags, tickets, tickets_tags,
};

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Organisation {
    pub id: i32,
    pub name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Agent {
    pub id: i32,
    pub name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(primary_key(organisation_id, agent_id))]
#[hooks(connection(AnyConnection))]
pub struct Membership {
    #[hooks(foreign_key(Organisation, on_delete = Cascade, accessor = organisation))]
    pub organisation_id: i32,
    #[hooks(foreign_key(Agent, on_delete = Cascade, accessor = agent))]
    pub agent_id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Invitation {
    pub id: i32,
    #[hooks(foreign_key(Organisation, on_delete = Cascade))]
    pub organisation_id: i32,
    pub email: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(primary_key(code))]
#[hooks(connection(AnyConnection), new = Self)]
pub struct Customer {
    pub code: String,
    #[hooks(foreign_key(Organisation, on_delete = SetNull))]
    pub organisation_id: Option<i32>,
    pub name: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(primary_key(customer_code, number))]
#[hooks(connection(AnyConnection), new = Self)]
pub struct Device {
    #[hooks(foreign_key(Customer, on_delete = Cascade, accessor = customer, related_name = devices))]
    pub customer_code: String,
    pub number: i32,
    pub name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(
    connection(AnyConnection),
    foreign_key(Device, columns(device_customer, device_number), on_delete = SetNull, accessor = device)
)]
pub struct Ticket {
    pub id: i32,
    #[hooks(foreign_key(Customer, on_delete = Cascade, accessor = customer, related_name = tickets))]
    pub customer_code: String,
    #[hooks(foreign_key(Agent, on_delete = SetNull))]
    pub agent_id: Option<i32>,
    pub device_customer: Option<String>,
    pub device_number: Option<i32>,
    pub title: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Message {
    pub id: i32,
    #[hooks(foreign_key(Ticket, on_delete = Cascade))]
    pub ticket_id: i32,
    pub text: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Attachment {
    pub id: i32,
    #[hooks(foreign_key(Message, on_delete = Cascade))]
    pub message_id: i32,
    pub name: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(primary_key(name))]
#[hooks(connection(AnyConnection), new = Self)]
pub struct Tag {
    pub name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = tickets_tags, primary_key(ticket_id, tag))]
#[hooks(connection(AnyConnection))]
pub struct TicketTag {
    #[hooks(foreign_key(Ticket, on_delete = Cascade, accessor = ticket))]
    pub ticket_id: i32,
    #[hooks(foreign_key(Tag, on_delete = Protect, accessor = tag_row))]
    pub tag: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Event {
    pub id: i32,
    pub about: String,
    pub what: String,
}
