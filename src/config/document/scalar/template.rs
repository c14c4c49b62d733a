//! Values of headers with variables in them: `{client}`, and `{{` for a brace.

use super::{
    http::bad_header_value,
    kind::{Json, Kind, Misread, Scalar, text_of},
};
use crate::config::{
    diagnostic::nearest,
    document::tree::Value,
    resolved::{Piece, Template, Variable},
};

impl Scalar for Template {
    const KIND: Kind = Kind { what: "a header's value", example: "\"{client}\"", json: Json::Pattern("^[ -~]+$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if let Some(why) = bad_header_value(text) {
            return Err(Misread::bad(why));
        }
        pieces(text).map(|pieces| Self(pieces.into()))
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, Misread> {
    let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            plain.push('{');
            rest = after;
            continue;
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err(Misread::bad("a variable ends with `}`").hint("a brace itself is written `{{`"));
        };
        let text = std::mem::take(&mut plain);
        pieces.extend((!text.is_empty()).then(|| Piece::Text(text.into())));
        pieces.push(Piece::Variable(variable(name)?));
        rest = after;
    }
    plain.push_str(rest);
    pieces.extend((!plain.is_empty()).then(|| Piece::Text(plain.into())));
    Ok(pieces)
}

fn variable(name: &str) -> Result<Variable, Misread> {
    let known = Variable::ALL.into_iter().find(|(known, _)| *known == name);
    known.map(|(_, variable)| variable).ok_or_else(|| {
        let names = Variable::ALL.map(|(name, _)| name);
        let hint = nearest(name, names).map_or_else(
            || {
                format!(
                    "variables are {}; a brace itself is written `{{{{`",
                    names.map(|name| format!("`{{{name}}}`")).join(", ")
                )
            },
            |name| format!("did you mean `{{{name}}}`?"),
        );
        Misread::bad(format!("there is no variable `{{{name}}}`")).hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_braces_is_a_variable_and_two_are_one() {
        let text = |text: &str| Piece::Text(text.into());
        let client = Piece::Variable(Variable::Client);
        assert_eq!(pieces("{client}").unwrap(), std::slice::from_ref(&client));
        assert_eq!(pieces("a {client}b").unwrap(), [text("a "), client.clone(), text("b")]);
        assert_eq!(pieces("{{\"ip\": \"{client}\"}").unwrap(), [text("{\"ip\": \""), client, text("\"}")]);
        for text in ["{", "{client", "{cleint}", "{}", "{Client}", "a{"] {
            assert!(pieces(text).is_err(), "{text}");
        }
        let Err(Misread::Bad { hint, .. }) = pieces("{cleint}") else { panic!() };
        assert_eq!(hint.unwrap(), "did you mean `{client}`?");
    }
}
