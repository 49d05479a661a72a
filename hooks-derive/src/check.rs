//! Rules that need more than one attribute:
//!
//! * [`key_has_fields`]: each column of the key is a field
//! * [`origin_is_of_the_key`]: the application or the database makes a value, not both
//! * [`stamp_is_written`]: a timestamp is a column of its own, which the library writes
//! * [`relation_is_complete`]: `on_delete` is there, and the relation is a column
//! * [`accessor_has_a_name`]: the forward accessor can be called something
//! * [`auto_create_can_refer`]: what is created has the field that refers

use crate::attr::{AutoCreate, OnDelete};
use crate::errors::Errors;
use crate::model::{Field, Model, New, Relation, Storage};
use crate::naming;

pub(crate) fn check(model: &Model<'_>, errors: &mut Errors) {
    key_has_fields(model, errors);
    for field in &model.fields {
        origin_is_of_the_key(field, errors);
        stamp_is_written(field, errors);
    }
    for (field, relation) in model.relations() {
        relation_is_complete(field, relation, errors);
        accessor_has_a_name(field, relation, errors);
        auto_create_can_refer(model, field, relation, errors);
    }
}

fn key_has_fields(model: &Model<'_>, errors: &mut Errors) {
    if model.key_names.is_empty() {
        errors.at(
            model.name,
            "a model has a primary key: `#[diesel(primary_key(id))]`",
        );
    }
    let is_field = |name| model.fields.iter().any(|field| field.is_column(name));
    for name in model.key_names.iter().filter(|name| !is_field(name)) {
        let hint = match model.key_is_inferred {
            true => "; where the key has another name, say `#[diesel(primary_key(name))]`",
            false => "",
        };
        errors.at(
            name,
            format!("no field with column name `{name}`, the primary key{hint}"),
        );
    }
}

fn origin_is_of_the_key(field: &Field<'_>, errors: &mut Errors) {
    let Some(assigned) = field.assigned else {
        return;
    };
    let message = match field.generated {
        Some(_) => {
            "`assigned` and `generated` contradict each other: is the value made by the application or by the database?"
        }
        None if !field.is_key => {
            "only a key needs `assigned`: the application makes every other value unless the field is `generated`"
        }
        None => return,
    };
    errors.push(syn::Error::new(assigned, message));
}

fn stamp_is_written(field: &Field<'_>, errors: &mut Errors) {
    let (span, name) = match (field.auto_now_add, field.auto_now) {
        (None, None) => return,
        (Some(_), Some(span)) => {
            let message = "`auto_now_add` and `auto_now` contradict each other: does the field say when the row was created, or when it was last written?";
            errors.push(syn::Error::new(span, message));
            return;
        }
        (Some(span), None) => (span, "auto_now_add"),
        (None, Some(span)) => (span, "auto_now"),
    };
    let reason = if field.is_key {
        "the key identifies the row"
    } else if field.relation.is_some() {
        "the field of a relation refers to a row"
    } else if !matches!(field.storage, Storage::Column(_)) {
        "a timestamp is a column of its own, without `embed` or `select_expression`"
    } else if field.generated.is_some() {
        "with `generated` the database makes the value"
    } else if field.skip_insertion {
        "with `skip_insertion` nothing is written when the row is created"
    } else if field.skip_update && field.auto_now.is_some() {
        "with `skip_update` nothing is written when the row is updated"
    } else {
        return;
    };
    errors.push(syn::Error::new(
        span,
        format!("`{name}` cannot be here: {reason}"),
    ));
}

fn relation_is_complete(field: &Field<'_>, relation: &Relation, errors: &mut Errors) {
    if !matches!(field.storage, Storage::Column(_)) {
        errors.at(
            &relation.key,
            "a relation is a column of its own: it cannot be on `embed` or `select_expression`",
        );
    }
    if relation.on_delete.is_none() && !relation.on_delete_is_wrong {
        errors.at(
            &relation.key,
            format!(
                "`on_delete` is required: what becomes of this row when its `{}` is deleted? Write {}",
                parent_name(relation),
                OnDelete::choices(),
            ),
        );
    }
}

fn accessor_has_a_name(field: &Field<'_>, relation: &Relation, errors: &mut Errors) {
    if relation.accessor(field).is_some() {
        return;
    }
    let name = naming::plain(&field.member);
    let reason = match name.ends_with("_id") {
        _ if field.is_key => "is the key",
        true => "leaves no name without `_id`",
        false => "does not end in `_id`",
    };
    errors.push(syn::Error::new(
        field.span(),
        format!(
            "`{name}` {reason}, so the accessor of its `{}` needs a name: `accessor = {}`",
            parent_name(relation),
            naming::example_of(&parent_name(relation)),
        ),
    ));
}

fn auto_create_can_refer(
    model: &Model<'_>,
    field: &Field<'_>,
    relation: &Relation,
    errors: &mut Errors,
) {
    let (Some(AutoCreate::Default(word)), New::Generated(new)) =
        (&relation.auto_create, &model.new)
    else {
        return;
    };
    if !model.inserts(field) {
        let message = format!(
            "`auto_create` sets `{}` in `{new}`, which does not have it: the field is left out of insertions",
            naming::plain(&field.member),
        );
        errors.push(syn::Error::new(*word, message));
    }
}

fn parent_name(relation: &Relation) -> String {
    relation
        .parent
        .segments
        .last()
        .map(|it| it.ident.to_string())
        .unwrap_or_default()
}
