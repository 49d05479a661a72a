//! The help desk with hooks: the models say what depends on what, and receivers what else happens.

mod models;
mod receivers;

use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::AnyConnection;
use crate::scenario::{HelpDesk, Outcome, TagRemoval};
use crate::schema::tags;

pub use models::{
    Agent, Attachment, Customer, Device, Event, Invitation, Membership, Message, Organisation, Tag,
    Ticket, TicketTag,
};
use models::{
    NewAgent, NewAttachment, NewInvitation, NewMembership, NewMessage, NewOrganisation, NewTicket,
    NewTicketTag,
};

/// Nothing but its functions.
#[derive(Debug)]
pub struct Hooked;

impl HelpDesk for Hooked {
    fn found(conn: &mut AnyConnection, name: &str, names: &[&str]) -> Outcome<(i32, Vec<i32>)> {
        use diesel::Connection;

        conn.transaction(|conn| {
            let new = NewOrganisation { name: name.into() };
            let organisation_id = Organisation::create(conn, new)?.id;
            let email = format!("admin@{name}");
            Invitation::create(
                conn,
                NewInvitation {
                    organisation_id,
                    email,
                },
            )?;
            let agents = names.iter().map(|name| NewAgent {
                name: (*name).into(),
            });
            let agents = Agent::create_many(conn, agents.collect())?;
            let agents: Vec<i32> = agents.iter().map(|it| it.id).collect();
            let member = |agent_id: &i32| NewMembership {
                organisation_id,
                agent_id: *agent_id,
            };
            Membership::create_many(conn, agents.iter().map(member).collect())?;
            Ok((organisation_id, agents))
        })
    }

    fn register(conn: &mut AnyConnection, code: &str, organisation: i32) -> Outcome {
        let new = Customer {
            code: code.into(),
            organisation_id: Some(organisation),
            name: format!("Customer {code}"),
        };
        Customer::create(conn, new)?;
        Ok(())
    }

    fn open_ticket(
        conn: &mut AnyConnection,
        customer: &str,
        agent: i32,
        title: &str,
        names: &[&str],
    ) -> Outcome<i32> {
        use diesel::{Connection, ExpressionMethods};

        conn.transaction(|conn| {
            let new = NewTicket {
                customer_code: customer.into(),
                agent_id: Some(agent),
                device_customer: Some(customer.into()),
                device_number: Some(1),
                title: title.into(),
            };
            let ticket_id = Ticket::create(conn, new)?.id;
            let text = "Help!".into();
            let message_id = Message::create(conn, NewMessage { ticket_id, text })?.id;
            let name = "photo.png".into();
            Attachment::create(conn, NewAttachment { message_id, name })?;
            for name in names {
                let new = || Tag {
                    name: (*name).into(),
                };
                let (tag, _) = Tag::get_or_create(conn, tags::name.eq(*name), new)?;
                TicketTag::create(
                    conn,
                    NewTicketTag {
                        ticket_id,
                        tag: tag.name,
                    },
                )?;
            }
            Ok(ticket_id)
        })
    }

    fn remove_device(conn: &mut AnyConnection, customer: &str, number: i32) -> Outcome {
        Device::get(conn, (customer.into(), number))?.delete(conn)?;
        Ok(())
    }

    fn remove_agent(conn: &mut AnyConnection, agent: i32) -> Outcome {
        Agent::get(conn, agent)?.delete(conn)?;
        Ok(())
    }

    fn remove_tag(conn: &mut AnyConnection, tag: &str) -> Outcome<TagRemoval> {
        match Tag::get(conn, tag.into())?.delete(conn) {
            Ok(_) => Ok(TagRemoval::Done),
            Err(Error::Protected(_)) => Ok(TagRemoval::InUse),
            Err(error) => Err(error.into()),
        }
    }

    fn remove_customer(conn: &mut AnyConnection, code: &str) -> Outcome {
        Customer::get(conn, code.into())?.delete(conn)?;
        Ok(())
    }

    fn remove_organisation(conn: &mut AnyConnection, organisation: i32) -> Outcome {
        Organisation::get(conn, organisation)?.delete(conn)?;
        Ok(())
    }
}
