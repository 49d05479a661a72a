use std::fmt::Write as _;

use super::{EdgeKind, Kind, Picture, children, rules};

pub(super) fn draw(picture: &Picture) -> String {
    let mut out = String::from("classDiagram\n    direction BT\n");
    for (at, node) in picture.nodes.iter().enumerate() {
        put(
            &mut out,
            format_args!("    class n{at}[\"{}\"] {{\n", escaped(&node.name)),
        );
        put(
            &mut out,
            format_args!("        <<{}>>\n", escaped(&node.detail)),
        );
        for heard in &node.heard {
            put(
                &mut out,
                format_args!("        {}\n", escaped(&heard.text())),
            );
        }
        out.push_str("    }\n");
    }
    for edge in &picture.edges {
        let (from, to) = (edge.from, edge.to);
        match &edge.kind {
            EdgeKind::Relation(relation) => {
                let label = escaped(&format!("{}, {}", relation.field, rules(relation)));
                let many = children(relation);
                put(
                    &mut out,
                    format_args!("    n{from} \"{many}\" --> \"1\" n{to} : {label}\n"),
                );
            }
            EdgeKind::Extends => put(&mut out, format_args!("    n{from} ..|> n{to}\n")),
        }
    }
    for (at, node) in picture.nodes.iter().enumerate() {
        // In light and in dark these are readable; models have the theme's own colours.
        let style = match node.kind {
            Kind::Model => continue,
            Kind::Trait => "stroke:#b7791f,stroke-dasharray:5 3",
            Kind::Signal => "stroke:#7c3aed",
        };
        put(&mut out, format_args!("    style n{at} {style}\n"));
    }
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes all");
}

/// All that could be a mark of the language, as the code of the character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '_' | '.' | ' ' | ',' => out.push(letter),
            letter if letter.is_alphanumeric() => out.push(letter),
            letter => put(&mut out, format_args!("#{};", u32::from(letter))),
        }
    }
    out
}
