//! The help desk by plain Diesel: each function knows what has to be written and what has to go, and in which order.

use diesel::prelude::*;
use diesel::result::Error::DeserializationError;
use diesel::sql_types::BigInt;

use crate::AnyConnection;
use crate::scenario::{HelpDesk, Outcome, TagRemoval};
use crate::schema::{
    agents, attachments, customers, devices, events, invitations, memberships, messages,
    organisations, tags, tickets, tickets_tags,
};

/// Nothing but its functions.
#[derive(Debug)]
pub struct Plain;

impl HelpDesk for Plain {
    fn found(conn: &mut AnyConnection, name: &str, names: &[&str]) -> Outcome<(i32, Vec<i32>)> {
        conn.transaction(|conn| {
            diesel::insert_into(organisations::table)
                .values(organisations::name.eq(name))
                .execute(conn)?;
            let organisation = last_key(conn)?;
            diesel::insert_into(invitations::table)
                .values((
                    invitations::organisation_id.eq(organisation),
                    invitations::email.eq(format!("admin@{name}")),
                ))
                .execute(conn)?;
            let mut members = Vec::new();
            for name in names {
                diesel::insert_into(agents::table)
                    .values(agents::name.eq(*name))
                    .execute(conn)?;
                let agent = last_key(conn)?;
                diesel::insert_into(memberships::table)
                    .values((
                        memberships::organisation_id.eq(organisation),
                        memberships::agent_id.eq(agent),
                    ))
                    .execute(conn)?;
                members.push(agent);
            }
            Ok((organisation, members))
        })
    }

    fn register(conn: &mut AnyConnection, code: &str, organisation: i32) -> Outcome {
        conn.transaction(|conn| {
            diesel::insert_into(customers::table)
                .values((
                    customers::code.eq(code),
                    customers::organisation_id.eq(organisation),
                    customers::name.eq(format!("Customer {code}")),
                ))
                .execute(conn)?;
            diesel::insert_into(devices::table)
                .values((
                    devices::customer_code.eq(code),
                    devices::number.eq(1),
                    devices::name.eq("first"),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn open_ticket(
        conn: &mut AnyConnection,
        customer: &str,
        agent: i32,
        title: &str,
        names: &[&str],
    ) -> Outcome<i32> {
        conn.transaction(|conn| {
            diesel::insert_into(tickets::table)
                .values((
                    tickets::customer_code.eq(customer),
                    tickets::agent_id.eq(agent),
                    tickets::device_customer.eq(customer),
                    tickets::device_number.eq(1),
                    tickets::title.eq(title),
                ))
                .execute(conn)?;
            let ticket = last_key(conn)?;
            write_event(conn, title, "opened")?;
            diesel::insert_into(messages::table)
                .values((messages::ticket_id.eq(ticket), messages::text.eq("Help!")))
                .execute(conn)?;
            let message = last_key(conn)?;
            diesel::insert_into(attachments::table)
                .values((
                    attachments::message_id.eq(message),
                    attachments::name.eq("photo.png"),
                ))
                .execute(conn)?;
            for name in names {
                let known: i64 = tags::table.find(*name).count().get_result(conn)?;
                if known == 0 {
                    diesel::insert_into(tags::table)
                        .values(tags::name.eq(*name))
                        .execute(conn)?;
                }
                diesel::insert_into(tickets_tags::table)
                    .values((
                        tickets_tags::ticket_id.eq(ticket),
                        tickets_tags::tag.eq(*name),
                    ))
                    .execute(conn)?;
            }
            Ok(ticket)
        })
    }

    fn remove_device(conn: &mut AnyConnection, customer: &str, number: i32) -> Outcome {
        conn.transaction(|conn| {
            diesel::update(tickets::table)
                .filter(tickets::device_customer.eq(customer))
                .filter(tickets::device_number.eq(number))
                .set((
                    tickets::device_customer.eq(None::<String>),
                    tickets::device_number.eq(None::<i32>),
                ))
                .execute(conn)?;
            diesel::delete(devices::table.find((customer, number))).execute(conn)?;
            Ok(())
        })
    }

    fn remove_agent(conn: &mut AnyConnection, agent: i32) -> Outcome {
        conn.transaction(|conn| {
            diesel::update(tickets::table.filter(tickets::agent_id.eq(agent)))
                .set(tickets::agent_id.eq(None::<i32>))
                .execute(conn)?;
            diesel::delete(memberships::table.filter(memberships::agent_id.eq(agent)))
                .execute(conn)?;
            diesel::delete(agents::table.find(agent)).execute(conn)?;
            Ok(())
        })
    }

    fn remove_tag(conn: &mut AnyConnection, tag: &str) -> Outcome<TagRemoval> {
        conn.transaction(|conn| {
            let used: i64 = tickets_tags::table
                .filter(tickets_tags::tag.eq(tag))
                .count()
                .get_result(conn)?;
            if used > 0 {
                return Ok(TagRemoval::InUse);
            }
            diesel::delete(tags::table.find(tag)).execute(conn)?;
            Ok(TagRemoval::Done)
        })
    }

    fn remove_customer(conn: &mut AnyConnection, code: &str) -> Outcome {
        conn.transaction(|conn| {
            let gone: Vec<(i32, String)> = tickets::table
                .filter(tickets::customer_code.eq(code))
                .select((tickets::id, tickets::title))
                .load(conn)?;
            for (ticket, title) in &gone {
                delete_all_of_ticket(conn, *ticket)?;
                write_event(conn, title, "deleted")?;
            }
            // Tickets of others about a device of this customer.
            diesel::update(tickets::table.filter(tickets::device_customer.eq(code)))
                .set((
                    tickets::device_customer.eq(None::<String>),
                    tickets::device_number.eq(None::<i32>),
                ))
                .execute(conn)?;
            diesel::delete(devices::table.filter(devices::customer_code.eq(code))).execute(conn)?;
            diesel::delete(customers::table.find(code)).execute(conn)?;
            Ok(())
        })
    }

    fn remove_organisation(conn: &mut AnyConnection, organisation: i32) -> Outcome {
        conn.transaction(|conn| {
            let of_it = memberships::organisation_id.eq(organisation);
            diesel::delete(memberships::table.filter(of_it)).execute(conn)?;
            let of_it = invitations::organisation_id.eq(organisation);
            diesel::delete(invitations::table.filter(of_it)).execute(conn)?;
            diesel::update(customers::table.filter(customers::organisation_id.eq(organisation)))
                .set(customers::organisation_id.eq(None::<i32>))
                .execute(conn)?;
            diesel::delete(organisations::table.find(organisation)).execute(conn)?;
            Ok(())
        })
    }
}

/// The key that the database made for the row that this connection inserted last.
fn last_key(conn: &mut AnyConnection) -> QueryResult<i32> {
    let last = match conn {
        AnyConnection::Sqlite(_) => "last_insert_rowid()",
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => "lastval()",
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => "CAST(last_insert_id() AS SIGNED)",
    };
    let last: i64 = diesel::select(diesel::dsl::sql::<BigInt>(last)).get_result(conn)?;
    i32::try_from(last).map_err(|error| DeserializationError(error.into()))
}

fn delete_all_of_ticket(conn: &mut AnyConnection, ticket: i32) -> QueryResult<()> {
    let of_it = messages::table
        .filter(messages::ticket_id.eq(ticket))
        .select(messages::id);
    let of_it: Vec<i32> = of_it.load(conn)?;
    for message in of_it {
        diesel::delete(attachments::table.filter(attachments::message_id.eq(message)))
            .execute(conn)?;
    }
    diesel::delete(messages::table.filter(messages::ticket_id.eq(ticket))).execute(conn)?;
    diesel::delete(tickets_tags::table.filter(tickets_tags::ticket_id.eq(ticket))).execute(conn)?;
    diesel::delete(tickets::table.find(ticket)).execute(conn)?;
    Ok(())
}

fn write_event(conn: &mut AnyConnection, about: &str, what: &str) -> QueryResult<()> {
    diesel::insert_into(events::table)
        .values((events::about.eq(about), events::what.eq(what)))
        .execute(conn)?;
    Ok(())
}
