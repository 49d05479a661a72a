//! What the help desk does, whoever implements it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::AnyConnection;
use crate::schema::{events, tickets};

/// An error of either side, in words.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What came of removing a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagRemoval {
    /// It is gone.
    Done,
    /// It is there, because tickets have it.
    InUse,
}

/// The parts that differ: what is written, and what goes with it.
pub trait HelpDesk {
    /// An organisation with agents, who are its members, and somebody who is invited.
    fn found(conn: &mut AnyConnection, name: &str, agents: &[&str]) -> Outcome<(i32, Vec<i32>)>;
    /// A customer of an organisation, with a first device.
    fn register(conn: &mut AnyConnection, code: &str, organisation: i32) -> Outcome;
    /// A ticket about the customer's first device, with a message that has an attachment. Writes an event.
    fn open_ticket(
        conn: &mut AnyConnection,
        customer: &str,
        agent: i32,
        title: &str,
        tags: &[&str],
    ) -> Outcome<i32>;
    /// Removes a device; tickets about it stay.
    fn remove_device(conn: &mut AnyConnection, customer: &str, number: i32) -> Outcome;
    /// Removes an agent, whose tickets stay with nobody.
    fn remove_agent(conn: &mut AnyConnection, agent: i32) -> Outcome;
    /// Removes a tag, unless a ticket has it.
    fn remove_tag(conn: &mut AnyConnection, tag: &str) -> Outcome<TagRemoval>;
    /// Removes a customer with everything that is about it. Writes an event for each ticket.
    fn remove_customer(conn: &mut AnyConnection, code: &str) -> Outcome;
    /// Removes an organisation, whose customers stay.
    fn remove_organisation(conn: &mut AnyConnection, organisation: i32) -> Outcome;
}

/// Plays the whole story, and tells it line by line.
///
/// # Errors
///
/// If anything in it fails that should not.
pub fn play<D: HelpDesk>(conn: &mut AnyConnection) -> Outcome<Vec<String>> {
    let mut story = Vec::new();
    let (acme, agents) = D::found(conn, "Acme", &["Ada", "Bob"])?;
    D::register(conn, "c-1", acme)?;
    D::register(conn, "c-2", acme)?;
    let printer = D::open_ticket(conn, "c-1", agents[0], "printer", &["urgent", "paper"])?;
    D::open_ticket(conn, "c-1", agents[1], "screen", &["urgent"])?;
    D::open_ticket(conn, "c-2", agents[0], "mouse", &[])?;
    tell(conn, &mut story, "three tickets are open")?;

    D::remove_device(conn, "c-1", 1)?;
    D::remove_agent(conn, agents[0])?;
    let (agent, device): (Option<i32>, Option<i32>) = tickets::table
        .find(printer)
        .select((tickets::agent_id, tickets::device_number))
        .first(conn)?;
    story.push(format!(
        "the printer's ticket has agent {agent:?}, device {device:?}"
    ));
    tell(conn, &mut story, "a device and an agent are gone")?;

    story.push(match D::remove_tag(conn, "urgent")? {
        TagRemoval::Done => "a tag was removed that two tickets have".into(),
        TagRemoval::InUse => "a tag that tickets have stays".into(),
    });
    tell(conn, &mut story, "nothing has changed")?;

    D::remove_customer(conn, "c-1")?;
    if D::remove_tag(conn, "urgent")? == TagRemoval::InUse {
        story.push("a tag stays that no ticket has".into());
    }
    tell(conn, &mut story, "a customer and a tag are gone")?;

    D::remove_organisation(conn, acme)?;
    tell(
        conn,
        &mut story,
        "the organisation is gone, a customer is left",
    )?;

    let events: Vec<(String, String)> = events::table
        .order(events::id)
        .select((events::about, events::what))
        .load(conn)?;
    story.extend(
        events
            .iter()
            .map(|(about, what)| format!("{what}: {about}")),
    );
    Ok(story)
}

/// How many rows each table has.
fn tell(conn: &mut AnyConnection, story: &mut Vec<String>, what: &str) -> Outcome {
    const TABLES: [&str; 11] = [
        "organisations",
        "agents",
        "memberships",
        "invitations",
        "customers",
        "devices",
        "tickets",
        "messages",
        "attachments",
        "tags",
        "tickets_tags",
    ];
    let mut counts = BTreeMap::new();
    for table in TABLES {
        let count = diesel::dsl::sql::<BigInt>(&format!("(SELECT count(*) FROM {table})"));
        counts.insert(table, diesel::select(count).get_result::<i64>(conn)?);
    }
    let counts: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    let counts: Vec<_> = counts
        .iter()
        .map(|(table, count)| format!("{count} {table}"))
        .collect();
    story.push(format!("{what}: {}", counts.join(", ")));
    Ok(())
}
