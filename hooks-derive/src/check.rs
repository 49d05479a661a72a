//! Rules that need more than one attribute:
//!
//! * [`key_has_fields`]: each column of the key is a field
//! * [`origin_is_of_the_key`]: the application or the database makes a value, not both
//! * [`stamp_is_written`]: a timestamp is a column of its own, which the library writes
//! * [`relation_is_complete`]: `on_delete` is there with what it needs, and the relation is columns
//! * [`accessor_has_a_name`]: the forward accessor can be called something
//! * [`auto_create_can_refer`]: what is created has the fields that refer

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
    for (fields, relation) in model.relations() {
        relation_is_complete(model, &fields, relation, errors);
        accessor_has_a_name(&fields, relation, errors);
        auto_create_can_refer(model, &fields, relation, errors);
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

fn relation_is_complete(
    model: &Model<'_>,
    fields: &[&Field<'_>],
    relation: &Relation,
    errors: &mut Errors,
) {
    if fields
        .iter()
        .any(|field| !matches!(field.storage, Storage::Column(_)))
    {
        errors.at(
            &relation.key,
            "a relation is a column of its own: it cannot be on `embed` or `select_expression`",
        );
    }
    columns_are_fields(model, relation, errors);
    if relation.related_trait.is_some() && relation.related_name.is_none() {
        errors.at(
            &relation.related_trait,
            "`related_trait` has the reverse accessor, which needs a name too: `related_name = profile`",
        );
    }
    match &relation.on_delete {
        None if relation.on_delete_is_wrong => {}
        None => errors.at(
            &relation.key,
            format!(
                "`on_delete` is required: what becomes of this row when its `{}` is deleted? Write `on_delete = ..` with {}",
                parent_name(relation),
                OnDelete::choices(),
            ),
        ),
        Some(it) if it.is("SetDefault") && relation.by_default.is_none() => errors.at(
            &it.name,
            "`SetDefault` needs the function that returns the default: `default = first_team`",
        ),
        Some(it) if !it.is("SetDefault") && relation.by_default.is_some() => errors.at(
            &relation.by_default,
            format!("`default` belongs to `on_delete = SetDefault`, not to `{}`", it.name),
        ),
        Some(_) => {}
    }
}

/// Several columns are named on the struct, and only there.
fn columns_are_fields(model: &Model<'_>, relation: &Relation, errors: &mut Errors) {
    let on_struct = model.of_several.iter().any(|it| std::ptr::eq(it, relation));
    match &relation.columns {
        None if relation.columns_are_wrong => {}
        None if on_struct => errors.at(
            &relation.key,
            format!(
                "a relation on the struct names its fields: `{}({}, columns(tenant_id, user_id), ..)`; one by a single field stands on that field",
                relation.key,
                parent_name(relation),
            ),
        ),
        Some(columns) if !on_struct => errors.at(
            &columns.key,
            "`columns` belongs to a relation on the struct; here the field is the column",
        ),
        Some(columns) => {
            for name in columns.fields.iter().filter(|name| model.field(name).is_none()) {
                errors.at(name, format!("there is no field `{name}`"));
            }
            if let (Some(to), true) = (&relation.to, columns.fields.len() > 1) {
                errors.at(to, "several columns refer to the primary key; `to` is one other column");
            }
        }
        None => {}
    }
}

fn accessor_has_a_name(fields: &[&Field<'_>], relation: &Relation, errors: &mut Errors) {
    // Without its columns it is reported already.
    if fields.is_empty() || relation.accessor(fields).is_some() {
        return;
    }
    let example = naming::example_of(&parent_name(relation));
    let [field] = fields else {
        errors.at(
            &relation.key,
            format!(
                "the accessor of its `{}` needs a name: `accessor = {example}`",
                parent_name(relation),
            ),
        );
        return;
    };
    let name = naming::plain(&field.member);
    let reason = match name.ends_with("_id") {
        _ if field.is_key => "is the key",
        true => "leaves no name without `_id`",
        false => "does not end in `_id`",
    };
    errors.push(syn::Error::new(
        field.span(),
        format!(
            "`{name}` {reason}, so the accessor of its `{}` needs a name: `accessor = {example}`",
            parent_name(relation),
        ),
    ));
}

fn auto_create_can_refer(
    model: &Model<'_>,
    fields: &[&Field<'_>],
    relation: &Relation,
    errors: &mut Errors,
) {
    let Some(auto_create) = &relation.auto_create else {
        return;
    };
    if !relation.is_one_to_one() {
        let message = "only a `one_to_one` has one row to create; a receiver of `PostCreate` can create several";
        errors.push(syn::Error::new(auto_create.span(), message));
    }
    let (AutoCreate::Default(word), New::Generated(new)) = (auto_create, &model.new) else {
        return;
    };
    for field in fields.iter().filter(|field| !model.inserts(field)) {
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
