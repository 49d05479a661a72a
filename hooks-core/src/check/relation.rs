//! A relation, beside the foreign key and the indexes of its table.

use std::any::TypeId;

use super::mend::Mending;
use super::{Finding, Refers, Schema, Stored};
use crate::backend::catalog::{ForeignKeyFacts, SchemaAction, TableFacts, same};
use crate::connection::RawConnection;
use crate::receiver::Receiver;
use crate::registry::{ModelEntry, registry};
use crate::relation::{OnDelete, RelationInfo, RelationKind};

/// What is to be said of the relations that a model declares.
pub(super) fn compare<C: RawConnection>(child: &Stored, schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    // A table that is missing has nothing to compare with.
    let Some(facts) = schema.facts(child) else {
        return findings;
    };
    for entry in child.entry.relations() {
        let parent = schema.over(entry.parent_table());
        // Without a parent on this connection there is no relation on it.
        let Some(parent) = parent.filter(|_| entry.is_on(TypeId::of::<C>())) else {
            continue;
        };
        let relation = (entry.info)();
        let mut columns = relation.columns.iter();
        if !columns.all(|column| facts.has_column(column)) {
            continue;
        }
        let refers = refers(&relation, child, parent, schema);
        let home = schema.facts(parent).and_then(|it| it.schema.as_deref());
        let unheard = || delete_receivers::<C>(child.entry);
        findings.extend(key(&relation, &refers, facts, home, unheard));
        findings.extend(index(&relation, &refers, facts));
    }
    findings
}

fn refers(relation: &RelationInfo, child: &Stored, parent: &Stored, schema: &Schema) -> Refers {
    let names = |columns: &[&str]| columns.iter().map(|it| (*it).to_owned()).collect();
    let path = &parent.names.path;
    let parent_schema = match (&path[..], &child.names.path[..]) {
        ([.., schema, _], _) => Some(schema.clone()),
        // Beside a child in another schema a bare name may mean another table.
        (_, [_, .., _]) => schema.facts(parent).and_then(|it| it.schema.clone()),
        _ => None,
    };
    Refers {
        table: child.names.path.clone(),
        columns: names(relation.columns),
        parent_schema,
        parent: path.last().cloned().unwrap_or_default(),
        target: names(relation.target),
        mending: Mending {
            system: schema.system,
            replaces: None,
        },
    }
}

fn key(
    relation: &RelationInfo,
    refers: &Refers,
    facts: &TableFacts,
    home: Option<&str>,
    unheard: impl FnOnce() -> Vec<&'static str>,
) -> Option<Finding> {
    let (relation, mut refers) = (*relation, refers.clone());
    let keys = facts.foreign_keys_of(relation.columns);
    let Some(first) = keys.first() else {
        return Some(Finding::ForeignKeyMissing { relation, refers });
    };
    refers.mending.replaces.clone_from(&first.name);
    let Some(key) = keys.iter().find(|key| is_meant(key, &refers, home)) else {
        let named = refers.parent_schema.is_some() || first.schema != facts.schema;
        return Some(Finding::ForeignKeyElsewhere {
            relation,
            refers,
            table: match &first.schema {
                Some(schema) if named => format!("{schema}.{}", first.table),
                _ => first.table.clone(),
            },
            columns: first.target.clone(),
        });
    };
    refers.mending.replaces.clone_from(&key.name);
    let unheard = match key.on_delete {
        SchemaAction::Cascade => unheard(),
        _ => Vec::new(),
    };
    // Receivers that a cascade of the database passes by are told even where that is declared.
    let is_wrong = contradicts(relation.on_delete, key.on_delete) || !unheard.is_empty();
    is_wrong.then_some(Finding::OnDeleteContradicts {
        relation,
        refers,
        schema: key.on_delete,
        unheard,
    })
}

/// Whether the key refers to the parent's table, which is in this schema, each column to the one that the relation
/// says.
fn is_meant(key: &ForeignKeyFacts, refers: &Refers, home: Option<&str>) -> bool {
    let pairs = |columns: &[String], target: &[String]| {
        let mut pairs: Vec<_> = columns
            .iter()
            .zip(target)
            .map(|(one, other)| (one.to_ascii_lowercase(), other.to_ascii_lowercase()))
            .collect();
        pairs.sort();
        pairs
    };
    let other_schema = match (&key.schema, home) {
        (Some(schema), Some(home)) => !same(schema, home),
        _ => false,
    };
    same(&key.table, &refers.parent)
        && !other_schema
        && pairs(&key.columns, &key.target) == pairs(&refers.columns, &refers.target)
}

/// What the library does itself, the schema must leave to it, and the other way round.
fn contradicts(declared: OnDelete, schema: SchemaAction) -> bool {
    let acts = !matches!(schema, SchemaAction::NoAction | SchemaAction::Restrict);
    match declared {
        OnDelete::Database => !acts,
        OnDelete::Cascade
        | OnDelete::Protect
        | OnDelete::Restrict
        | OnDelete::SetNull
        | OnDelete::SetDefault
        | OnDelete::Set
        | OnDelete::DoNothing => acts,
    }
}

fn index(relation: &RelationInfo, refers: &Refers, facts: &TableFacts) -> Option<Finding> {
    let (relation, refers) = (*relation, refers.clone());
    if relation.kind == RelationKind::OneToOne && !facts.is_unique(relation.columns) {
        return Some(Finding::UniqueMissing { relation, refers });
    }
    (!facts.is_indexed(relation.columns)).then_some(Finding::IndexMissing { relation, refers })
}

/// The receivers that hear of the deletion of a row of this model.
fn delete_receivers<C: 'static>(model: &ModelEntry) -> Vec<&'static str> {
    let signals = model.sends().into_iter();
    let heard: Vec<_> = signals
        .filter(|it| ["PreDelete", "PostDelete"].contains(&it.signal))
        .flat_map(|it| it.types)
        .collect();
    let hears = |receiver: &&Receiver| {
        let connection = receiver.handler.connection();
        heard.contains(&(receiver.signal_id)())
            && connection.is_none_or(|it| it.id == TypeId::of::<C>())
    };
    let mut uids: Vec<_> = registry()
        .receivers()
        .filter(hears)
        .map(|it| it.uid)
        .collect();
    uids.sort_unstable();
    uids.dedup();
    uids
}
