//! What receivers heard, and what they are told to do.

use std::cell::{Cell, RefCell};

use backends::TestConnection;
use diesel_hooks::prelude::*;

use super::kind::{Animal, Cells};
use super::ring::{Ant, Bee, Dog, Vixen};
use super::tree::{Fir, Hop, Lichen, Oak};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    PreSave,
    PostSave,
    PreDelete,
    PostDelete,
}

use Moment::{PostDelete as WentDelete, PostSave as WentSave, PreDelete as Goes, PreSave as Saves};

pub(crate) const EVERYTHING: &[Moment] = &[Saves, WentSave, Goes, WentDelete];
pub(crate) const DELETES: &[Moment] = &[Goes, WentDelete];
pub(crate) const SILENT: &[Moment] = &[];

/// A signal of a row of some model, as that saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) moment: Moment,
    pub(crate) model: &'static str,
    pub(crate) row: Cells,
}

thread_local! {
    static EVENTS: RefCell<Vec<Event>> = const { RefCell::new(Vec::new()) };
    static COMMITTED: RefCell<Vec<Event>> = const { RefCell::new(Vec::new()) };
    static FAIL_AFTER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What was heard since the last call.
pub(crate) fn events() -> Vec<Event> {
    EVENTS.take()
}

/// What was heard after a commit since the last call.
pub(crate) fn committed() -> Vec<Event> {
    COMMITTED.take()
}

/// Forgets what a program that failed left.
pub(crate) fn forget() {
    EVENTS.take();
    COMMITTED.take();
}

/// Lets the receivers fail after so many events.
pub(crate) fn fail_after(events: Option<usize>) {
    FAIL_AFTER.set(events);
}

#[derive(Debug, thiserror::Error)]
#[error("the test wants it")]
pub(crate) struct Wanted;

fn hear<M: Animal>(moment: Moment, row: Cells) -> Result<Event, Wanted> {
    let model = M::INFO.name;
    let event = Event { moment, model, row };
    EVENTS.with_borrow_mut(|events| events.push(event.clone()));
    match FAIL_AFTER.get() {
        Some(0) => Err(Wanted),
        left => {
            FAIL_AFTER.set(left.map(|left| left - 1));
            Ok(event)
        }
    }
}

fn commit(event: Event) {
    COMMITTED.with_borrow_mut(|events| events.push(event));
}

#[receiver(senders(Ant, Bee, Vixen, Fir, Hop, Lichen, Oak))]
fn saves<M: Animal>(event: &PreSave<M>) -> Result<(), Wanted> {
    let row = match event {
        PreSave::Create(event) => M::cells_of_new(&event.new),
        PreSave::Update(event) => event.instance.cells(),
    };
    hear::<M>(Saves, row).map(drop)
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[receiver(senders(Ant, Vixen, Lichen, Oak))]
fn saved<M: Animal>(event: &PostSave<M>, conn: &mut TestConnection) -> Outcome {
    let event = hear::<M>(WentSave, event.instance.cells())?;
    Ok(conn.after_commit(move || commit(event))?)
}

#[receiver(senders(Ant, Vixen, Lichen, Oak))]
fn goes<M: Animal>(event: &PreDelete<M>, _: &mut TestConnection) -> Result<(), Wanted> {
    hear::<M>(Goes, event.instance.cells()).map(drop)
}

#[receiver(senders(Ant, Vixen, Lichen, Oak))]
fn went<M: Animal>(event: &PostDelete<M>, conn: &mut TestConnection) -> Outcome {
    let event = hear::<M>(WentDelete, event.instance.cells())?;
    Ok(conn.after_commit(move || commit(event))?)
}

#[receiver(senders(Bee, Fir, Hop))]
fn saved_alone<M: Animal>(event: &PostSave<M>) -> Result<(), Wanted> {
    hear::<M>(WentSave, event.instance.cells()).map(drop)
}

#[receiver(senders(Bee, Fir, Hop), after_commit)]
fn saved_for_good<M: Animal>(event: &PostSave<M>) {
    let row = event.instance.cells();
    commit(Event {
        moment: WentSave,
        model: M::INFO.name,
        row,
    });
}

#[receiver(senders(Bee, Fir, Hop, Dog))]
fn goes_alone<M: Animal>(event: &PreDelete<M>) -> Result<(), Wanted> {
    hear::<M>(Goes, event.instance.cells()).map(drop)
}

#[receiver(senders(Bee, Fir, Hop, Dog))]
fn went_alone<M: Animal>(event: &PostDelete<M>) -> Result<(), Wanted> {
    hear::<M>(WentDelete, event.instance.cells()).map(drop)
}

#[receiver(senders(Bee, Fir, Hop, Dog), after_commit)]
fn went_for_good<M: Animal>(event: &PostDelete<M>) {
    let row = event.instance.cells();
    commit(Event {
        moment: WentDelete,
        model: M::INFO.name,
        row,
    });
}
