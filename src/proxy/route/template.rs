//! Text with variables in it, written out for one request.

use std::{io::Write, net::IpAddr};

use crate::config::{Piece, Template, Variable};

/// What variables stand for.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Values<'a> {
    pub(in crate::proxy) client: IpAddr,
    pub(in crate::proxy) host: &'a str,
    pub(in crate::proxy) method: &'a str,
    pub(in crate::proxy) path: &'a str,
    pub(in crate::proxy) scheme: &'a str,
    pub(in crate::proxy) request_id: &'a [u8],
}

/// What variables stand for in every request of a route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed<'a> {
    pub(super) route: &'a str,
    pub(super) region: &'a str,
    pub(super) node: &'a str,
}

/// Pieces, with everything in them that is the same in every request.
#[derive(Debug, Default)]
pub(super) struct Text(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Variable(Variable),
}

impl Text {
    /// Adds plain text.
    pub(super) fn push(&mut self, text: &str) {
        if let Some(Part::Text(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(Part::Text(text.to_owned()));
        }
    }

    /// Adds a template.
    pub(super) fn push_template(&mut self, template: &Template, fixed: Fixed<'_>) {
        for piece in &*template.0 {
            match piece {
                Piece::Text(text) => self.push(text),
                Piece::Variable(Variable::Route) => self.push(&visible(fixed.route)),
                Piece::Variable(Variable::Region) => self.push(fixed.region),
                Piece::Variable(Variable::Node) => self.push(fixed.node),
                Piece::Variable(variable) => self.0.push(Part::Variable(*variable)),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn write(&self, values: &Values<'_>, out: &mut Vec<u8>) {
        for part in &self.0 {
            let text = match part {
                Part::Text(text) => text.as_bytes(),
                Part::Variable(Variable::Client) => {
                    // A vector takes every write.
                    _ = write!(out, "{}", values.client);
                    continue;
                }
                Part::Variable(Variable::Host) => values.host.as_bytes(),
                Part::Variable(Variable::Method) => values.method.as_bytes(),
                Part::Variable(Variable::Path) => values.path.as_bytes(),
                Part::Variable(Variable::Scheme) => values.scheme.as_bytes(),
                Part::Variable(Variable::RequestId) => values.request_id,
                Part::Variable(Variable::Route | Variable::Region | Variable::Node) => continue,
            };
            out.extend_from_slice(text);
        }
    }
}

/// A name may have any letters, a header's value only some.
fn visible(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
