//! Names made from names: by characters, since identifiers are Unicode, and without `r#`.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::Member;
use syn::ext::IdentExt;

/// The table that Diesel infers from a struct's name: `EmployeeProfile` is stored in `employee_profiles`.
pub(crate) fn table_of(model: &Ident) -> Ident {
    let mut name = String::new();
    for (index, character) in model.unraw().to_string().chars().enumerate() {
        if character.is_uppercase() && index > 0 {
            name.push('_');
        }
        match index == 0 || character.is_uppercase() {
            true => name.extend(character.to_lowercase()),
            false => name.push(character),
        }
    }
    name.push('s');
    identifier(&name, model.span()).unwrap_or_else(|| model.clone())
}

/// An identifier, raw where the name is a keyword.
fn identifier(name: &str, span: Span) -> Option<Ident> {
    let raw = || syn::parse_str::<Ident>(&format!("r#{name}"));
    let mut identifier = syn::parse_str::<Ident>(name).or_else(|_| raw()).ok()?;
    identifier.set_span(span);
    Some(identifier)
}

/// What a model is created from, where the derive makes it.
pub(crate) fn new_of(model: &Ident) -> Ident {
    let span = Span::call_site().located_at(model.span());
    format_ident!("New{}", model.unraw(), span = span)
}

/// The type that stands for the relation of some fields.
pub(crate) fn relation_of(fields: &[&Member]) -> Ident {
    let names: String = fields.iter().map(|field| camel(&plain(field))).collect();
    format_ident!("__Hooks{names}")
}

/// A field's name as part of a type's, where two fields stay two.
fn camel(field: &str) -> String {
    let mut name = String::new();
    let mut upper = true;
    for character in field.chars() {
        match character {
            '_' if !upper => upper = true,
            _ if upper => {
                name.extend(character.to_uppercase());
                upper = false;
            }
            _ => name.push(character),
        }
    }
    name
}

/// The forward accessor: a relation `employee_id` is read by `employee`.
pub(crate) fn accessor_of(field: &Member) -> Option<Ident> {
    let Member::Named(field) = field else {
        return None;
    };
    let name = field.unraw().to_string();
    let name = name.strip_suffix("_id")?;
    identifier(name, field.span())
}

/// What a relation to a model might be called, for messages.
pub(crate) fn example_of(model: &str) -> String {
    let mut characters = model.chars();
    let first = characters.next().into_iter().flat_map(char::to_lowercase);
    let name: String = first.chain(characters).collect();
    match identifier(&name, Span::call_site()) {
        Some(name) => name.to_string(),
        // A few keywords are no name even with `r#`.
        None => format!("its_{name}"),
    }
}

/// A field's name as it is read in messages and columns.
pub(crate) fn plain(field: &Member) -> String {
    match field {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ident(name: &str) -> Ident {
        match name.strip_prefix("r#") {
            Some(name) => Ident::new_raw(name, Span::call_site()),
            None => Ident::new(name, Span::call_site()),
        }
    }

    fn field(name: &str) -> Member {
        Member::Named(ident(name))
    }

    #[test]
    fn a_table_is_inferred_as_diesel_does() {
        for (model, table) in [
            ("Employee", "employees"),
            ("FooBarBaz", "foo_bar_bazs"),
            ("HTTPLog", "h_t_t_p_logs"),
            ("lower", "lowers"),
            ("Élève", "élèves"),
            ("GroßeÜbung", "große_übungs"),
            ("r#type", "types"),
            ("A", "r#as"),
        ] {
            assert_eq!(table_of(&ident(model)), table, "{model}");
        }
    }

    #[test]
    fn a_generated_insertable_has_no_raw_prefix() {
        assert_eq!(new_of(&ident("Employee")), "NewEmployee");
        assert_eq!(new_of(&ident("r#Yield")), "NewYield");
    }

    #[test]
    fn an_accessor_is_the_field_without_id() {
        assert_eq!(accessor_of(&field("employee_id")).unwrap(), "employee");
        assert_eq!(accessor_of(&field("r#type_id")).unwrap(), "r#type");
        assert_eq!(accessor_of(&field("größe_id")).unwrap(), "größe");
    }

    #[test]
    fn an_example_is_a_name() {
        assert_eq!(example_of("Employee"), "employee");
        assert_eq!(example_of("Type"), "r#type");
        assert_eq!(example_of("Crate"), "its_crate");
    }

    #[test]
    fn no_accessor_where_nothing_is_left() {
        for name in ["id", "_id", "employee", "self_id", "éid"] {
            assert!(accessor_of(&field(name)).is_none(), "{name}");
        }
        assert!(accessor_of(&Member::from(1)).is_none());
    }

    #[test]
    fn relations_of_different_fields_have_different_types() {
        assert_eq!(relation_of(&[&field("employee_id")]), "__HooksEmployeeId");
        assert_eq!(relation_of(&[&field("r#in")]), "__HooksIn");
        assert_eq!(relation_of(&[&field("a__b")]), "__HooksA_b");
        assert_eq!(relation_of(&[&Member::from(1)]), "__Hooks1");
    }
}
