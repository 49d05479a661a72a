//! The registry as a table.

use std::fmt;

use super::Registry;
use super::names::{place, short};
use crate::model::ModelInfo;
use crate::receiver::{Receiver, Taken, When, in_order};

/// Sorted, so that it does not depend on the order in which the linker saw things.
impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models = Table::new(["name", "table", "place"], self.model_rows());
        let relations = Table::new(
            ["relation", "parent", "on_delete", "auto_create", "place"],
            self.relation_rows(),
        );
        let receivers = Table::new(
            ["signal", "uid", "order", "runs", "takes", "place"],
            self.receiver_rows(),
        );
        writeln!(f, "models\n{models}\nrelations\n{relations}")?;
        writeln!(
            f,
            "receivers: `without_receiver(\"uid\", ..)` mutes one, `without_hooks(..)` all"
        )?;
        write!(f, "{receivers}")
    }
}

impl Registry {
    fn model_rows(self) -> Vec<[String; 3]> {
        let mut models: Vec<_> = self.models().collect();
        models.sort_by_key(|it| (it.name, it.table, it.file, it.line));
        let row = |it: &ModelInfo| [it.name.into(), it.table.into(), place(it.file, it.line)];
        models.iter().map(row).collect()
    }

    fn relation_rows(self) -> Vec<[String; 5]> {
        let mut rows: Vec<_> = self
            .relations()
            .map(|it| {
                [
                    it.name(),
                    it.parent.name.into(),
                    format!("{:?}", it.on_delete),
                    if it.auto_create { "yes" } else { "no" }.into(),
                    place(it.child.file, it.child.line),
                ]
            })
            .collect();
        rows.sort();
        rows
    }

    fn receiver_rows(self) -> Vec<[String; 6]> {
        let row = |it: &'static Receiver| {
            [
                short((it.signal)()),
                it.uid.into(),
                order(it),
                when(it.when).into(),
                taken(it),
                place(it.file, it.line),
            ]
        };
        self.as_they_run().into_iter().map(row).collect()
    }

    /// The receivers by signal, and those of one signal in the order in which they run; where they contradict
    /// each other, by what they say.
    pub(crate) fn as_they_run(self) -> Vec<&'static Receiver> {
        let mut receivers: Vec<_> = self.receivers().collect();
        receivers.sort_by_cached_key(|it| {
            let signal = (it.signal)();
            (
                short(signal),
                signal,
                it.order,
                it.uid,
                place(it.file, it.line),
                taken(it),
            )
        });
        receivers
            .chunk_by(|one, next| (one.signal_id)() == (next.signal_id)())
            .flat_map(|of_one| {
                let in_order = in_order("", of_one);
                in_order.unwrap_or_else(|_| of_one.to_vec())
            })
            .collect()
    }
}

fn order(receiver: &Receiver) -> String {
    let mut order = receiver.order.to_string();
    for (demand, uids) in [("before", receiver.before), ("after", receiver.after)] {
        for uid in uids {
            order += &format!(", {demand} {uid}");
        }
    }
    order
}

fn when(when: When) -> &'static str {
    match when {
        When::Now => "at once",
        When::AfterCommit => "after commit",
        When::AfterCommitMerged => "after commit, merged",
        When::AfterRollback => "after rollback",
    }
}

fn taken(receiver: &Receiver) -> String {
    let event = match receiver.handler.taken() {
        Taken::ByRef => "&_",
        Taken::ByMut => "&mut _",
        Taken::Batch => "&[_]",
    };
    match receiver.handler.connection() {
        Some(connection) => format!("{event}, &mut {}", short(connection.name)),
        None => event.into(),
    }
}

/// Aligned columns under a header.
struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    fn new(header: [&str; N], mut rows: Vec<[String; N]>) -> Self {
        match rows.is_empty() {
            true => rows.push(std::array::from_fn(|at| match at {
                0 => "none".into(),
                _ => String::new(),
            })),
            false => rows.insert(0, header.map(String::from)),
        }
        Table { rows }
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|row| row[column].chars().count())
                .max()
        };
        let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
        for row in &self.rows {
            let cells = row.iter().zip(widths);
            let line: String = cells
                .map(|(cell, width)| format!("  {cell:width$}"))
                .collect();
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
