//! The registry as a picture: whole, the same in every build, and with every name escaped.
#![allow(missing_docs, dead_code, reason = "the models are only drawn")]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { pets (id) { id -> Integer, owner_id -> Integer } }
diesel::table! { nodes (id) { id -> Integer, parent_id -> Nullable<Integer> } }
diesel::table! { yolks (id) { id -> Integer, shell_id -> Integer } }
diesel::table! { shells (id) { id -> Integer, yolk_id -> Integer } }

trait Activity: Send + Sync {}
impl Activity for Owner {}

#[derive(Clone, Queryable, Hooks)]
#[hooks(extends(Activity))]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
struct Pet {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Protect, auto_create))]
    owner_id: i32,
}

/// It refers to itself.
#[derive(Clone, Queryable, Hooks)]
struct Node {
    id: i32,
    #[hooks(one_to_one(Self, on_delete = Cascade))]
    parent_id: Option<i32>,
}

/// Two that refer to each other.
#[derive(Clone, Queryable, Hooks)]
struct Yolk {
    id: i32,
    #[hooks(one_to_one(Shell, on_delete = Cascade))]
    shell_id: i32,
}

#[derive(Clone, Queryable, Hooks)]
struct Shell {
    id: i32,
    #[hooks(one_to_one(Yolk, on_delete = Protect))]
    yolk_id: i32,
}

#[derive(Clone, Signal)]
struct Größe;

#[receiver(dispatch_uid = "later", order = 1, after_commit)]
fn later(_: &PostCreate<Owner>) {}

#[receiver(dispatch_uid = "sooner")]
fn sooner(_: &PostCreate<Owner>) {}

#[receiver(dispatch_uid = "before")]
fn before(_: &PreSave<Owner>) {}

#[receiver(dispatch_uid = "feed")]
fn feed(_: &PostSave<dyn Activity>) {}

#[receiver(dispatch_uid = "audit")]
fn audit(_: &PostDelete<dyn AnyModel>) {}

/// What is a mark in one of the three languages.
#[receiver(dispatch_uid = "a\"b<c>&d{e}~f#g;h\\i|j\nk`l")]
fn odd(_: &Größe) {}

#[test]
fn mermaid_shows_models_with_their_receivers_and_relations() {
    assert_eq!(
        diesel_hooks::registry().to_mermaid(),
        "classDiagram
    direction BT
    class n0[\"Node\"] {
        <<nodes>>
    }
    class n1[\"Owner\"] {
        <<owners>>
        PreSave before
        PostCreate sooner
        PostCreate later #40;after commit#41;
    }
    class n2[\"Pet\"] {
        <<pets>>
    }
    class n3[\"Shell\"] {
        <<shells>>
    }
    class n4[\"Yolk\"] {
        <<yolks>>
    }
    class n5[\"dyn Activity\"] {
        <<trait>>
        PostSave feed
    }
    class n6[\"dyn AnyModel\"] {
        <<every model>>
        PostDelete audit
    }
    class n7[\"Größe\"] {
        <<signal>>
        a#34;b#60;c#62;#38;d#123;e#125;#126;f#35;g#59;h#92;i#124;j#10;k#96;l
    }
    n0 \"0..1\" --> \"1\" n0 : parent_id, Cascade
    n2 \"0..1\" --> \"1\" n1 : owner_id, Protect, auto_create
    n3 \"0..1\" --> \"1\" n4 : yolk_id, Protect
    n4 \"0..1\" --> \"1\" n3 : shell_id, Cascade
    n1 ..|> n5
    style n5 stroke:#b7791f,stroke-dasharray:5 3
    style n6 stroke:#b7791f,stroke-dasharray:5 3
    style n7 stroke:#7c3aed
"
    );
}

const ODD: &str = "a&quot;b&lt;c&gt;&amp;d{e}~f#g;h\\i|j\u{fffd}k`l";

#[test]
fn dot_shows_the_same() {
    let dot = diesel_hooks::registry().to_dot();
    assert!(
        dot.starts_with("digraph hooks {\n") && dot.ends_with("}\n"),
        "{dot}"
    );
    for part in [
        "<B>Owner</B><BR/><I>owners</I>",
        "<B>PreSave</B> before<BR/><B>PostCreate</B> sooner<BR/><B>PostCreate</B> later (after commit)<BR/>",
        "n2 -> n1 [label=<&nbsp;owner_id (0..1 to 1)&nbsp;<BR/>&nbsp;Protect, auto_create&nbsp;>, arrowhead=vee]\n",
        "n0 -> n0 [",
        "n1 -> n5 [style=dashed, arrowhead=empty]\n",
        ODD,
    ] {
        assert!(dot.contains(part), "{part}: {dot}");
    }
    assert_eq!(dot.matches(" -> ").count(), 5);
}

/// The boxes of the picture, without the page behind it and the heads in them.
fn boxes(svg: &str) -> Vec<[f64; 4]> {
    let rects = svg.split("<rect class=\"").skip(1);
    let rects = rects.filter(|it| !it.starts_with("page") && !it.starts_with("head-"));
    let number = |rect: &str, name: &str| {
        let (_, rest) = rect.split_once(&format!(" {name}=\"")).expect(name);
        let (number, _) = rest.split_once('"').expect("it ends");
        number.parse::<f64>().expect("a number")
    };
    rects
        .map(|it| ["x", "y", "width", "height"].map(|name| number(it, name)))
        .collect()
}

#[test]
fn svg_shows_the_same_and_no_box_lies_on_another() {
    let svg = diesel_hooks::registry().to_svg();
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>\n")
    );
    for part in [
        ">Owner</text>",
        ">owners</text>",
        "<tspan class=\"on\">PostCreate</tspan> later (after commit)</text>",
        ">owner_id (0..1 to 1)</text>",
        ">Protect, auto_create</text>",
        ODD,
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    // A line on each side of a relation's label, and one that extends.
    assert_eq!(svg.matches("<path class=\"line\"").count(), 4 * 2 + 1);
    assert_eq!(svg.matches("url(#relation)").count(), 4);

    let boxes = boxes(&svg);
    assert_eq!(boxes.len(), 8 + 4, "a box for each node and each label");
    for (at, [x, y, width, height]) in boxes.iter().enumerate() {
        assert!(*x >= 0.0 && *y >= 0.0);
        for [left, top, other_width, other_height] in &boxes[..at] {
            let apart = x + width <= *left
                || left + other_width <= *x
                || y + height <= *top
                || top + other_height <= *y;
            assert!(apart, "{boxes:?}");
        }
    }
}

#[test]
fn a_picture_is_the_same_each_time() {
    let registry = diesel_hooks::registry();
    assert_eq!(registry.to_svg(), registry.to_svg());
    assert_eq!(registry.to_dot(), registry.to_dot());
}
