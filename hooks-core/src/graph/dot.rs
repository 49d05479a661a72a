use std::fmt::Write as _;

use super::{EdgeKind, Kind, Node, Picture, children, rules, xml};

pub(super) fn draw(picture: &Picture) -> String {
    let mut out = String::from(
        "digraph hooks {\n    \
        graph [rankdir=BT, bgcolor=transparent, nodesep=0.5, ranksep=0.8]\n    \
        node [shape=plain, fontname=\"Helvetica\", fontsize=11]\n    \
        edge [fontname=\"Helvetica\", fontsize=10, color=\"#6b7280\", fontcolor=\"#6b7280\"]\n",
    );
    for (at, node) in picture.nodes.iter().enumerate() {
        put(
            &mut out,
            format_args!("    n{at} [label=<{}>]\n", table(node)),
        );
    }
    for edge in &picture.edges {
        let (from, to) = (edge.from, edge.to);
        match &edge.kind {
            EdgeKind::Relation(relation) => {
                let (field, rules) = (xml(relation.field), xml(&rules(relation)));
                let many = children(relation);
                // The spaces keep the text off the line.
                put(
                    &mut out,
                    format_args!(
                        "    n{from} -> n{to} [label=<&nbsp;{field} ({many} to 1)&nbsp;<BR/>&nbsp;{rules}&nbsp;>, arrowhead=vee]\n"
                    ),
                );
            }
            EdgeKind::Extends => put(
                &mut out,
                format_args!("    n{from} -> n{to} [style=dashed, arrowhead=empty]\n"),
            ),
        }
    }
    out.push_str("}\n");
    out
}

/// A table in Graphviz's HTML, of one column: the name, the table, the receivers.
fn table(node: &Node) -> String {
    let (border, head) = match node.kind {
        Kind::Model => ("#4169c8", "#e4ebfb"),
        Kind::Trait => ("#b7791f", "#fbefd9"),
        Kind::Signal => ("#7c3aed", "#efe6fd"),
    };
    let mut out = format!(
        "<TABLE BORDER=\"0\" CELLBORDER=\"1\" CELLSPACING=\"0\" CELLPADDING=\"5\" COLOR=\"{border}\" BGCOLOR=\"#ffffff\">\
        <TR><TD BGCOLOR=\"{head}\"><B>{}</B><BR/><I>{}</I></TD></TR>",
        xml(&node.name),
        xml(&node.detail),
    );
    if !node.heard.is_empty() {
        out.push_str("<TR><TD BALIGN=\"LEFT\" ALIGN=\"LEFT\">");
        for heard in &node.heard {
            let (signal, receiver) = (xml(&heard.signal), xml(&heard.receiver));
            match &*signal {
                "" => put(&mut out, format_args!("{receiver}<BR/>")),
                signal => put(&mut out, format_args!("<B>{signal}</B> {receiver}<BR/>")),
            }
        }
        out.push_str("</TD></TR>");
    }
    out + "</TABLE>"
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes all");
}
