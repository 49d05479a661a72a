//! The registry as a picture: models as boxes, relations as arrows, receivers beside the signals they hear.

mod dot;
mod mermaid;
#[cfg(feature = "graph")]
mod svg;

use std::any::TypeId;
use std::collections::BTreeMap;

use crate::model::ModelInfo;
use crate::receiver::{Receiver, When};
use crate::registry::{ModelEntry, Registry, short};
use crate::relation::{RelationInfo, RelationKind};

impl Registry {
    /// The models, relations and receivers as a class diagram for [Mermaid](https://mermaid.js.org), which
    /// GitHub and GitLab draw in Markdown.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # diesel::table! { users (id) { id -> Integer, email -> Text } }
    /// # #[derive(Clone, Queryable, Hooks)]
    /// # struct User { id: i32, email: String }
    /// let diagram = diesel_hooks::registry().to_mermaid();
    /// assert!(diagram.starts_with("classDiagram\n"));
    /// assert!(diagram.contains("[\"User\"]"));
    /// ```
    pub fn to_mermaid(self) -> String {
        mermaid::draw(&Picture::of(self))
    }

    /// The same for [Graphviz](https://graphviz.org): `dot -Tsvg hooks.dot`.
    pub fn to_dot(self) -> String {
        dot::draw(&Picture::of(self))
    }

    /// The same as an SVG picture, which needs no other program and follows the reader's choice of light or
    /// dark.
    #[cfg(feature = "graph")]
    pub fn to_svg(self) -> String {
        svg::draw(&Picture::of(self))
    }
}

/// What is drawn, in an order that does not depend on the linker.
struct Picture {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

struct Node {
    kind: Kind,
    name: String,
    /// The model's table, or what else there is to say.
    detail: String,
    /// In the order in which they run.
    heard: Vec<Heard>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Model,
    /// As which models send.
    Trait,
    /// An application's own.
    Signal,
}

/// A receiver, beside the signal that it hears.
struct Heard {
    /// Nothing where the node is the signal.
    signal: String,
    receiver: String,
}

struct Edge {
    from: usize,
    to: usize,
    kind: EdgeKind,
}

enum EdgeKind {
    Relation(RelationInfo),
    /// A model sends as a trait.
    Extends,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Trait => "trait",
            Kind::Signal => "signal",
        }
    }
}

impl Picture {
    fn of(registry: Registry) -> Self {
        let mut entries: Vec<_> = inventory::iter::<ModelEntry>.into_iter().collect();
        entries.sort_by_key(|it| sorted_by(&it.info()));
        let models: Vec<_> = entries.iter().map(|it| Sender::new(it)).collect();
        let mut nodes: Vec<_> = entries.iter().map(|it| model(it.info())).collect();
        let mut others = BTreeMap::new();
        for receiver in registry.as_they_run() {
            match models.iter().position(|it| it.is_own(receiver)) {
                Some(at) => nodes[at].heard.push(heard(receiver)),
                None => add(&mut others, receiver),
            }
        }
        let mut edges = relations(&entries);
        for (node, signals) in others.into_values() {
            let to = nodes.len();
            // That every model sends as `AnyModel` goes without lines.
            let extends = |it: &&(usize, &Sender)| it.1.sends_one_of(&signals);
            if node.kind == Kind::Trait && node.name != "dyn AnyModel" {
                let extending = models.iter().enumerate().collect::<Vec<_>>();
                let kind = || EdgeKind::Extends;
                edges.extend(extending.iter().filter(extends).map(|(from, _)| Edge {
                    from: *from,
                    to,
                    kind: kind(),
                }));
            }
            nodes.push(node);
        }
        for node in &mut nodes {
            node.heard.sort_by_key(|it| as_sent(&it.signal));
        }
        Picture { nodes, edges }
    }
}

/// What a model sends, and as what.
struct Sender {
    types: Vec<TypeId>,
}

impl Sender {
    fn new(entry: &ModelEntry) -> Self {
        let sent = entry.sends().into_iter();
        Sender {
            types: sent.flat_map(|it| it.types).collect(),
        }
    }

    /// Whether the receiver hears this model alone.
    fn is_own(&self, receiver: &Receiver) -> bool {
        self.types.contains(&(receiver.signal_id)()) && of_trait(receiver).is_none()
    }

    fn sends_one_of(&self, signals: &[TypeId]) -> bool {
        signals.iter().any(|it| self.types.contains(it))
    }
}

type Others = BTreeMap<(Kind, String), (Node, Vec<TypeId>)>;

/// Beside the trait, or the application's own signal.
fn add(others: &mut Others, receiver: &Receiver) {
    let signal = short((receiver.signal)());
    let (kind, name) = match of_trait(receiver) {
        Some(sender) => (Kind::Trait, sender),
        None => (Kind::Signal, signal),
    };
    let detail = match (kind, &*name) {
        (Kind::Trait, "dyn AnyModel") => "every model",
        (kind, _) => kind.name(),
    };
    let node = || Node {
        kind,
        name: name.clone(),
        detail: detail.into(),
        heard: Vec::new(),
    };
    let (node, signals) = others
        .entry((kind, name.clone()))
        .or_insert_with(|| (node(), Vec::new()));
    node.heard.push(heard(receiver));
    signals.push((receiver.signal_id)());
}

/// The trait whose signal it hears, as `dyn Activity`.
fn of_trait(receiver: &Receiver) -> Option<String> {
    let signal = short((receiver.signal)());
    let (_, sender) = signal.split_once('<')?;
    let sender = sender.strip_suffix('>')?;
    sender.starts_with("dyn ").then(|| sender.to_owned())
}

/// The signals of a model, in the order in which they are sent.
const SIGNALS: [&str; 9] = [
    "PreSave",
    "PreCreate",
    "PreUpdate",
    "PostCreate",
    "PostUpdate",
    "PostSave",
    "PreDelete",
    "PostDelete",
    "PostLoad",
];

fn as_sent(signal: &str) -> usize {
    let known = SIGNALS.iter().position(|it| *it == signal);
    known.unwrap_or(SIGNALS.len())
}

impl Heard {
    /// Both, of which the first may be nothing.
    fn text(&self) -> String {
        let Heard { signal, receiver } = self;
        format!("{signal} {receiver}").trim_start().to_owned()
    }
}

/// XML, and what Graphviz makes of it, knows no control characters.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            letter => out.push(letter),
        }
    }
    out
}

fn heard(receiver: &Receiver) -> Heard {
    let signal = short((receiver.signal)());
    let of_model = signal
        .split('<')
        .next()
        .filter(|it| as_sent(it) < SIGNALS.len());
    let when = match receiver.when {
        When::Now => "",
        When::AfterCommit | When::AfterCommitMerged => " (after commit)",
        When::AfterRollback => " (after rollback)",
    };
    Heard {
        signal: of_model.unwrap_or_default().to_owned(),
        receiver: format!("{}{when}", receiver.uid),
    }
}

fn model(info: ModelInfo) -> Node {
    Node {
        kind: Kind::Model,
        name: info.name.into(),
        detail: info.table.into(),
        heard: Vec::new(),
    }
}

fn sorted_by(info: &ModelInfo) -> (&'static str, &'static str, &'static str, u32) {
    (info.name, info.table, info.file, info.line)
}

fn relations(entries: &[&ModelEntry]) -> Vec<Edge> {
    let place = |info: &ModelInfo| entries.iter().position(|it| it.info() == *info);
    let mut relations: Vec<_> = entries
        .iter()
        .flat_map(|it| it.relations())
        .map(|it| (it.info)())
        .collect();
    relations.sort_by_key(|it| (sorted_by(&it.child), it.field));
    let edge = |it: RelationInfo| {
        Some(Edge {
            from: place(&it.child)?,
            to: place(&it.parent)?,
            kind: EdgeKind::Relation(it),
        })
    };
    relations.into_iter().filter_map(edge).collect()
}

/// What becomes of the child, and whether it comes into being with its parent.
fn rules(relation: &RelationInfo) -> String {
    let on_delete = format!("{:?}", relation.on_delete);
    match relation.auto_create {
        true => on_delete + ", auto_create",
        false => on_delete,
    }
}

/// How many children a parent has.
const fn children(relation: &RelationInfo) -> &'static str {
    match relation.kind {
        RelationKind::OneToOne => "0..1",
        RelationKind::ForeignKey => "*",
    }
}
