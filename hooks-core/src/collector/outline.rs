use std::fmt;

use super::blocked::{Blocking, Found, Path};
use super::plan::Plan;
use crate::connection::RawConnection;
use crate::error::{Blocker, Key, Result, list};
use crate::relation::{OnDelete, RelationInfo};

/// What a delete would do, as [`Model::delete_plan`](crate::Model::delete_plan) finds it.
///
/// Its `Display` is a tree. Nothing was written, and no receiver ran; receivers of the delete may do more.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeletePlan {
    /// The row itself, and under it what depends on it.
    pub root: PlannedRows,
    /// Relations that form a circle which cannot be opened; the delete would be
    /// [`Error::Cycle`](crate::Error::Cycle).
    pub circle: Vec<String>,
}

/// Rows of one model that a delete would touch, reached by the same relations.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlannedRows {
    /// The relation that leads to them, as `Child.field`; none to the deleted row itself.
    pub relation: Option<String>,
    /// Their model.
    pub model: &'static str,
    /// What would become of them.
    pub action: Action,
    /// How many they are. A row that several ways lead to is counted once, at the first.
    pub count: usize,
    /// The keys of some, at most [`Blocker::LISTED`]; of rows that stay, only of those that block.
    pub keys: Vec<Key>,
    /// The `dispatch_uid`s of the receivers that would hear of them.
    pub receivers: Vec<&'static str>,
    /// What depends on them.
    pub dependents: Vec<PlannedRows>,
}

/// What a delete would do to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// They would be deleted.
    Delete,
    /// They would refer to something else, or to nothing.
    Replace(OnDelete),
    /// They block the delete.
    Block(OnDelete),
    /// The database would do to them what its schema says.
    LeaveToDatabase,
}

impl DeletePlan {
    pub(super) fn of<C: RawConnection>(conn: &mut C, mut plan: Plan<C>) -> Result<Self> {
        let mut found = plan.follow(conn)?;
        plan.tell_apart(conn, &mut found)?;
        let circle = match plan.children_first(conn.system()) {
            Err(crate::Error::Cycle { relations }) => relations,
            Err(error) => return Err(error),
            Ok(_) => Vec::new(),
        };
        let mut rows: Vec<(Path, PlannedRows)> = Vec::new();
        let mut left = Vec::new();
        for (path, group, places) in plan.by_path() {
            for (relation, count) in group.left(conn, plan.planned(), &places)? {
                left.push((path.and(relation), PlannedRows::staying(relation, count)));
            }
            let keys = places.iter().take(Blocker::LISTED);
            let planned = PlannedRows {
                relation: path.last().map(RelationInfo::name),
                model: group.info().name,
                action: Action::Delete,
                count: places.len(),
                keys: keys.map(|at| group.key(*at)).collect(),
                receivers: group.receivers()?,
                dependents: Vec::new(),
            };
            rows.push((path, planned));
        }
        rows.extend(left);
        rows.extend(blocking(found));
        Ok(DeletePlan {
            root: tree(rows),
            circle,
        })
    }

    /// Whether the delete would be refused.
    pub fn is_blocked(&self) -> bool {
        !self.circle.is_empty() || self.root.blocks()
    }

    /// How many rows would be deleted.
    pub fn total(&self) -> usize {
        self.root.deleted()
    }
}

fn blocking(mut found: Found) -> Vec<(Path, PlannedRows)> {
    let mut rows = Vec::new();
    for (blocking, on_delete) in [
        (Blocking::Protect, OnDelete::Protect),
        (Blocking::Restrict, OnDelete::Restrict),
    ] {
        for (path, blocker) in found.take_with_paths(blocking) {
            let planned = PlannedRows {
                relation: Some(blocker.relation),
                model: blocker.model,
                action: Action::Block(on_delete),
                count: blocker.keys.len() + blocker.more,
                keys: blocker.keys,
                receivers: Vec::new(),
                dependents: Vec::new(),
            };
            rows.push((path, planned));
        }
    }
    rows
}

/// Puts rows under those that they depend on.
fn tree(mut rows: Vec<(Path, PlannedRows)>) -> PlannedRows {
    // What lies deepest finds its place first; what was found first stands first.
    rows.sort_by_key(|(path, _)| path.len());
    while rows.len() > 1 {
        let Some((path, planned)) = rows.pop() else {
            break;
        };
        let up = path.up();
        let parent = rows.iter().position(|(it, _)| *it == up).unwrap_or(0);
        rows[parent].1.dependents.insert(0, planned);
    }
    rows.remove(0).1
}

impl PlannedRows {
    fn staying(relation: RelationInfo, count: usize) -> Self {
        PlannedRows {
            relation: Some(relation.name()),
            model: relation.child.name,
            action: match relation.on_delete {
                OnDelete::Database => Action::LeaveToDatabase,
                on_delete => Action::Replace(on_delete),
            },
            count,
            keys: Vec::new(),
            receivers: Vec::new(),
            dependents: Vec::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &PlannedRows> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(&next.dependents);
            Some(next)
        })
    }

    fn blocks(&self) -> bool {
        self.all().any(|it| matches!(it.action, Action::Block(_)))
    }

    fn deleted(&self) -> usize {
        let deleted = self.all().filter(|it| it.action == Action::Delete);
        deleted.map(|it| it.count).sum()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: &str, last: bool) -> fmt::Result {
        let (branch, below) = match last {
            true => ("└── ", "    "),
            false => ("├── ", "│   "),
        };
        writeln!(f, "{indent}{branch}{self}")?;
        self.write_dependents(f, &format!("{indent}{below}"))
    }

    fn write_dependents(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        for (at, dependent) in self.dependents.iter().enumerate() {
            dependent.write(f, indent, at + 1 == self.dependents.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for DeletePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.root)?;
        self.root.write_dependents(f, "")?;
        if !self.circle.is_empty() {
            let relations = self.circle.join(", ");
            writeln!(
                f,
                "blocked by a circle of rows through {relations}, of which none can be NULL"
            )?;
        }
        Ok(())
    }
}

/// One line, without what depends on it.
impl fmt::Display for PlannedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlannedRows { model, count, .. } = self;
        if let Some(relation) = &self.relation {
            write!(f, "{relation}: ")?;
        }
        match self.action {
            Action::Delete => write!(f, "delete {count} {model}")?,
            Action::Replace(OnDelete::SetNull) => write!(f, "set NULL in {count} {model}")?,
            Action::Replace(OnDelete::SetDefault) => {
                write!(f, "set the default in {count} {model}")?
            }
            Action::Replace(_) => write!(f, "set another in {count} {model}")?,
            Action::Block(OnDelete::Restrict) => write!(f, "RESTRICTED by {count} {model}")?,
            Action::Block(_) => write!(f, "PROTECTED by {count} {model}")?,
            Action::LeaveToDatabase => write!(f, "leave {count} {model} to the database")?,
        }
        if !self.keys.is_empty() {
            f.write_str(" (")?;
            list(f, &self.keys, count - self.keys.len())?;
            f.write_str(")")?;
        }
        if !self.receivers.is_empty() {
            write!(f, ", heard by {}", self.receivers.join(", "))?;
        }
        Ok(())
    }
}
