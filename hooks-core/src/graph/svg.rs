//! The layout is the crate `layout-rs`'s, what is drawn is ours. A relation's label is a node of its own
//! between two lines, so that nothing is drawn over it.

use std::fmt::Write as _;

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::{EdgeKind, Heard, Node, Picture, children, rules, xml};
use crate::relation::{OnDelete, RelationInfo};

/// Of a letter of 12 pixels in a font whose letters have one width.
const LETTER: f64 = 7.3;
const LINE: f64 = 17.0;
const PADDING: f64 = 10.0;
const MARGIN: f64 = 16.0;

const STYLE: &str = "\
    text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2937 }\
    .name { font-weight: 700 } .detail, .on { fill: #6b7280 }\
    .page { fill: #ffffff } .body { fill: #ffffff; stroke-width: 1.2 }\
    .model { stroke: #4169c8 } .trait { stroke: #b7791f; stroke-dasharray: 5 3 } .signal { stroke: #7c3aed }\
    .head-model { fill: #e4ebfb } .head-trait { fill: #fbefd9 } .head-signal { fill: #efe6fd }\
    .line { fill: none; stroke: #6b7280; stroke-width: 1.2 } .tip { fill: #6b7280 } .empty { fill: #ffffff; stroke: #6b7280 }\
    .label { fill: #f3f4f6 } .takes { fill: #fde8e8 } .keeps { fill: #e2f5e9 }\
    @media (prefers-color-scheme: dark) {\
    text { fill: #e6edf3 } .detail, .on { fill: #9ca3af } .page { fill: #0d1117 } .body { fill: #161b22 }\
    .head-model { fill: #1e2f57 } .head-trait { fill: #45330f } .head-signal { fill: #36215c }\
    .line { stroke: #9ca3af } .tip { fill: #9ca3af } .empty { fill: #0d1117; stroke: #9ca3af }\
    .label { fill: #21262d } .takes { fill: #4a1f24 } .keeps { fill: #153a26 } }";

pub(super) fn draw(picture: &Picture) -> String {
    let mut graph = VisualGraph::new(Orientation::TopToBottom);
    let mut drawn: Vec<Drawn<'_>> = picture.nodes.iter().map(Drawn::Node).collect();
    let nodes: Vec<_> = drawn
        .iter()
        .enumerate()
        .map(|(at, it)| graph.add_node(it.element(at)))
        .collect();
    for edge in &picture.edges {
        let (from, to) = (nodes[edge.from], nodes[edge.to]);
        // Parents stand above their children, and so does a trait.
        match &edge.kind {
            EdgeKind::Relation(relation) => {
                let label = Drawn::Label(relation);
                let between = graph.add_node(label.element(drawn.len()));
                drawn.push(label);
                graph.add_edge(line(LineEndKind::Arrow, "relation"), to, between);
                graph.add_edge(line(LineEndKind::None, "relation"), between, from);
            }
            EdgeKind::Extends => graph.add_edge(line(LineEndKind::Arrow, "extends"), to, from),
        }
    }
    let mut canvas = Canvas::new(&drawn);
    if !drawn.is_empty() {
        graph.do_it(false, false, false, &mut canvas);
    }
    canvas.finish()
}

fn line(start: LineEndKind, kind: &str) -> Arrow {
    Arrow {
        start,
        end: LineEndKind::None,
        properties: Some(kind.into()),
        ..Arrow::default()
    }
}

/// What has a place in the picture.
enum Drawn<'a> {
    Node(&'a Node),
    Label(&'a RelationInfo),
}

impl Drawn<'_> {
    /// The layout hands back which one it is.
    fn element(&self, at: usize) -> Element {
        Element::create_with_properties(
            ShapeKind::new_box(""),
            StyleAttr::simple(),
            Orientation::TopToBottom,
            self.size(),
            at.to_string(),
        )
    }

    fn size(&self) -> Point {
        let lines = self.lines();
        let widest = lines.iter().map(|it| width(it)).max().unwrap_or(0);
        let gap = match self {
            Drawn::Node(node) if !node.heard.is_empty() => PADDING,
            _ => 0.0,
        };
        Point::new(
            f64::from(widest) * LETTER + 2.0 * PADDING,
            lines.len() as f64 * LINE + PADDING + gap,
        )
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Drawn::Node(node) => {
                let heard = node.heard.iter().map(Heard::text);
                [node.name.clone(), node.detail.clone()]
                    .into_iter()
                    .chain(heard)
                    .collect()
            }
            Drawn::Label(relation) => vec![
                format!("{} ({} to 1)", relation.field, children(relation)),
                rules(relation),
            ],
        }
    }
}

/// Letters of East Asia are twice as wide.
fn width(text: &str) -> u32 {
    text.chars()
        .map(|letter| if letter < '\u{1100}' { 1 } else { 2 })
        .sum()
}

struct Canvas<'a> {
    drawn: &'a [Drawn<'a>],
    lines: String,
    boxes: String,
    size: Point,
}

impl<'a> Canvas<'a> {
    fn new(drawn: &'a [Drawn<'a>]) -> Self {
        Canvas {
            drawn,
            lines: String::new(),
            boxes: String::new(),
            size: Point::new(0.0, 0.0),
        }
    }

    fn grow(&mut self, x: f64, y: f64) {
        self.size.x = self.size.x.max(x);
        self.size.y = self.size.y.max(y);
    }

    fn finish(self) -> String {
        let (width, height) = (self.size.x + MARGIN, self.size.y + MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
            <title>Models, relations and receivers</title>\n\
            <style>{STYLE}</style>\n\
            <defs>\
            <marker id=\"relation\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto-start-reverse\"><path class=\"tip\" d=\"M 0 0 L 10 5 L 0 10 L 3 5 z\"/></marker>\
            <marker id=\"extends\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"10\" markerHeight=\"10\" orient=\"auto-start-reverse\"><path class=\"empty\" d=\"M 1 1 L 10 5 L 1 9 z\"/></marker>\
            </defs>\n\
            <rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n\
            {}{}</svg>\n",
            self.lines, self.boxes,
        )
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.boxes.write_fmt(text).expect("a String takes all");
    }

    fn node(&mut self, node: &Node, xy: Point, size: Point) {
        let kind = node.kind.name();
        let (x, y, width, height) = (xy.x, xy.y, size.x, size.y);
        let head = 2.0 * LINE + PADDING;
        let middle = x + width / 2.0;
        self.put(format_args!(
            "<rect class=\"body {kind}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"5\"/>\
            <rect class=\"head-{kind}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\"/>\
            <text class=\"name\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>\
            <text class=\"detail\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>\n",
            x + 1.0,
            y + 1.0,
            width - 2.0,
            head - 2.0,
            y + LINE,
            xml(&node.name),
            y + 2.0 * LINE,
            xml(&node.detail),
        ));
        for (at, heard) in node.heard.iter().enumerate() {
            let (x, y) = (x + PADDING, y + head + (at as f64 + 1.0) * LINE);
            let (signal, receiver) = (xml(&heard.signal), xml(&heard.receiver));
            let signal = match &*signal {
                "" => signal,
                signal => format!("<tspan class=\"on\">{signal}</tspan> "),
            };
            self.put(format_args!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\">{signal}{receiver}</text>\n"
            ));
        }
    }

    fn label(&mut self, relation: &RelationInfo, lines: &[String], xy: Point, size: Point) {
        let (x, y, width, height) = (xy.x, xy.y, size.x, size.y);
        let class = match relation.on_delete {
            OnDelete::Cascade => "takes",
            OnDelete::Protect | OnDelete::Restrict => "keeps",
            _ => "label",
        };
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"10\"/>"
        ));
        for (at, line) in lines.iter().enumerate() {
            self.put(format_args!(
                "<text text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                x + width / 2.0,
                y + (at as f64 + 1.0) * LINE,
                xml(line),
            ));
        }
    }
}

impl RenderBackend for Canvas<'_> {
    fn draw_rect(
        &mut self,
        xy: Point,
        size: Point,
        _look: &StyleAttr,
        properties: Option<String>,
        _clip: Option<ClipHandle>,
    ) {
        let drawn = self.drawn;
        let which = properties.and_then(|it| it.parse::<usize>().ok());
        let Some(it) = which.and_then(|at| drawn.get(at)) else {
            return;
        };
        self.grow(xy.x + size.x, xy.y + size.y);
        match it {
            Drawn::Node(node) => self.node(node, xy, size),
            Drawn::Label(relation) => self.label(relation, &it.lines(), xy, size),
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _dashed: bool,
        (start, end): (bool, bool),
        _look: &StyleAttr,
        properties: Option<String>,
        _text: &str,
    ) {
        let [first, second, rest @ ..] = path else {
            return;
        };
        for (one, other) in path {
            self.grow(one.x.max(other.x), one.y.max(other.y));
        }
        let kind = properties.unwrap_or_default();
        let point = |it: Point| format!("{:.1} {:.1}", it.x, it.y);
        let mut d = format!(
            "M {} C {}, {}, {}",
            point(first.0),
            point(first.1),
            point(second.0),
            point(second.1)
        );
        for (control, to) in rest {
            d += &format!(" S {}, {}", point(*control), point(*to));
        }
        let dash = match &*kind {
            "extends" => " stroke-dasharray=\"5 3\"",
            _ => "",
        };
        let mark = |is_there: bool, at: &str| match is_there {
            true => format!(" marker-{at}=\"url(#{kind})\""),
            false => String::new(),
        };
        let (start, end) = (mark(start, "start"), mark(end, "end"));
        self.lines += &format!("<path class=\"line\"{dash}{start}{end} d=\"{d}\"/>\n");
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    /// What boxes say is drawn with them.
    fn draw_text(&mut self, _: Point, _: &str, _: &StyleAttr) {}

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}
