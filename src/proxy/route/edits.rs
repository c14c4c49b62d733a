//! Changes of a message's headers, ready to be made.

use super::template::{Fixed, Text, Values};
use crate::{config::HeaderEdits, proxy::headers::is_called};

/// Which headers go, and the lines that come.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Edits {
    gone: Box<[Box<str>]>,
    lines: Text,
}

impl Edits {
    pub(super) fn new(edits: &HeaderEdits, fixed: Fixed<'_>) -> Self {
        let replaced = edits.set.iter().map(|(name, _)| name);
        let gone = edits.remove.iter().chain(replaced).map(|name| (**name).into()).collect();
        let mut lines = Text::default();
        for (name, value) in edits.set.iter().chain(&edits.add) {
            lines.push(name);
            lines.push(": ");
            lines.push_template(value, fixed);
            lines.push("\r\n");
        }
        Self { gone, lines }
    }

    /// Whether a header goes. Some applications take `_` for `-`, so that is the same name here.
    pub(in crate::proxy) fn drops(&self, name: &str) -> bool {
        self.gone.iter().any(|gone| is_called(name, gone))
    }

    /// Whether nothing comes.
    pub(in crate::proxy) fn adds_nothing(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes the lines that come.
    pub(in crate::proxy) fn write(&self, values: &Values<'_>, out: &mut Vec<u8>) {
        self.lines.write(values, out);
    }
}

/// The same for one message, with the lines filled in.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Changes<'a> {
    pub(in crate::proxy) edits: &'a Edits,
    /// What `Edits::write` wrote.
    pub(in crate::proxy) lines: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Piece, Template, Variable};
    use crate::proxy::headers::read_lines;

    #[test]
    fn what_is_set_replaces_what_is_added_stands_beside_and_variables_are_filled_in() {
        let template = |pieces: &[Piece]| Template(pieces.into());
        let variable = |variable| template(&[Piece::Variable(variable)]);
        let edits = HeaderEdits {
            remove: vec!["x-secret".into()],
            set: vec![("x-real-ip".into(), variable(Variable::Client)), ("x-route".into(), variable(Variable::Route))],
            add: vec![(
                "via".into(),
                template(&[
                    Piece::Text("1.1 ".into()),
                    Piece::Variable(Variable::Node),
                    Piece::Text(" ".into()),
                    Piece::Variable(Variable::Method),
                    Piece::Variable(Variable::Path),
                ]),
            )],
        };
        let edits = Edits::new(&edits, Fixed { route: "caf\u{e9}\n", region: "eu", node: "fra-1" });
        let values = Values {
            client: [10, 0, 0, 1].into(),
            host: "a",
            method: "GET",
            path: "/x",
            scheme: "http",
            request_id: b"1",
        };
        let mut out = Vec::new();
        edits.write(&values, &mut out);
        let expected = "x-real-ip: 10.0.0.1\r\nx-route: caf??\r\nvia: 1.1 fra-1 GET/x\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let lines: Vec<_> = read_lines(expected.as_bytes()).map(|(name, value)| (name, value.len())).collect();
        assert_eq!(lines, [("x-real-ip", 8), ("x-route", 5), ("via", 15)]);
        assert!(edits.drops("X-Secret") && edits.drops("x_real_ip") && !edits.drops("via"));
    }
}
