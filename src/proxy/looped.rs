//! `CDN-Loop`: which regions a request came through (RFC 8586).
//!
//! A request that goes to another region's front door says so. A node that gets such a request keeps it in its own region: it would be passed from
//! one door to the next otherwise, when regions fail together. One that comes back is refused.

use crate::proxy::{
    h1::{Header, members},
    headers::all,
};

const WHO: &[u8] = b"meridian";

/// What a node of one region adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark(Box<str>);

/// What a request says of its way here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// From a client.
    Straight,
    /// Through the front door of another region.
    PassedOn,
    /// Through this region before.
    Again,
}

impl Mark {
    pub(super) fn new(region: &str) -> Self {
        // Names of regions have no quotes.
        Self(format!("meridian;region=\"{region}\"").into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What a request's headers say.
    pub(super) fn read(&self, headers: &[Header<'_>]) -> Came {
        let mut came = Came::Straight;
        for member in all(headers, "cdn-loop").flat_map(|header| members(header.value)) {
            if member.eq_ignore_ascii_case(self.0.as_bytes()) {
                return Came::Again;
            }
            let who = member.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            if who.eq_ignore_ascii_case(WHO) {
                came = Came::PassedOn;
            }
        }
        came
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_through_whom_it_came() {
        let mark = Mark::new("eu");
        let came = |values: &[&str]| {
            let header = |value: &&'static str| Header { name: "CDN-Loop", value: value.as_bytes() };
            let values: Vec<&'static str> = values.iter().map(|value| &*Box::leak((*value).into())).collect();
            mark.read(&values.iter().map(header).collect::<Vec<_>>())
        };
        assert_eq!(came(&[]), Came::Straight);
        assert_eq!(came(&["other-cdn; abc=123, third"]), Came::Straight);
        assert_eq!(came(&["other", "Meridian ;region=\"us\""]), Came::PassedOn);
        assert_eq!(came(&["meridian;region=\"us\", meridian;region=\"eu\""]), Came::Again);
        assert_eq!(came(&["meridian;region=\"eu-west\""]), Came::PassedOn);
    }
}
