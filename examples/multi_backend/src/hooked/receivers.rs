use diesel_hooks::prelude::*;

use super::models::{Customer, Device, Event, NewEvent, Ticket};
use crate::AnyConnection;

#[receiver]
fn first_device(event: &PostCreate<Customer>, conn: &mut AnyConnection) -> diesel_hooks::Result {
    let first = Device {
        customer_code: event.instance.code.clone(),
        number: 1,
        name: "first".into(),
    };
    Device::create(conn, first).map(drop)
}

#[receiver]
fn opened(event: &PostCreate<Ticket>, conn: &mut AnyConnection) -> diesel_hooks::Result {
    write_event(conn, &event.instance, "opened")
}

#[receiver]
fn deleted(event: &PostDelete<Ticket>, conn: &mut AnyConnection) -> diesel_hooks::Result {
    write_event(conn, &event.instance, "deleted")
}

fn write_event(conn: &mut AnyConnection, ticket: &Ticket, what: &str) -> diesel_hooks::Result {
    let new = NewEvent {
        about: ticket.title.clone(),
        what: what.into(),
    };
    Event::create(conn, new).map(drop)
}
