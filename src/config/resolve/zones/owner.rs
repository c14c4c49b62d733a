//! Owners as the config writes them: relative to their zone.

use crate::{
    config::diagnostic::{Code, Diagnostic, Diagnostics, Place},
    fleet::DnsName,
};

/// The absolute name of an owner. Nothing once a mistake was reported.
pub(super) fn owner(text: &str, place: Option<Place>, apex: &DnsName, problems: &mut Diagnostics) -> Option<DnsName> {
    let as_absolute = text.parse::<DnsName>().ok().filter(|_| !text.is_empty());
    let is_absolute = text.ends_with('.');
    if let Some(absolute) = as_absolute.filter(|name| is_absolute || name.is_within(apex)) {
        problems.push(outside(text, &absolute, apex, place));
        return None;
    }
    let has_inner_star = text.split('.').skip(1).any(|label| label == "*");
    let error = match DnsName::below(text, apex) {
        Ok(_) if has_inner_star => "`*` can only be the first label".to_owned(),
        Ok(name) => return Some(name),
        Err(error) => error.to_string(),
    };
    let message = format!("`{}` cannot be a name in zone `{apex}`", text.escape_debug());
    problems.push(Diagnostic::error(Code::BadName, message).at(place, error));
    None
}

fn outside(text: &str, absolute: &DnsName, apex: &DnsName, place: Option<Place>) -> Diagnostic {
    if !absolute.is_within(apex) {
        return Diagnostic::error(Code::NameOutsideZone, format!("`{text}` lies outside zone `{apex}`"))
            .at(place, "not in this zone")
            .hint(format!("a zone of its own would be `[zones.\"{absolute}\"]`"));
    }
    let (absolute, zone) = (absolute.to_string(), apex.to_string());
    let relative = absolute.strip_suffix(&zone).map_or("", |rest| rest.trim_end_matches('.'));
    let relative = if relative.is_empty() { "@" } else { relative };
    Diagnostic::error(Code::NameOutsideZone, format!("`{text}` would be `{absolute}.{zone}`"))
        .at(place, "owners are relative to their zone")
        .hint(format!("write `{relative}`"))
}
