//! What an answer says of how much work its origin wants.

use http::{HeaderMap, HeaderName};

use crate::{config::Reporting, fleet::BasisPoints};

/// The largest weight that an origin has.
const MAX_WEIGHT: u16 = 256;

/// What one answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::health) struct Report {
    pub(in crate::health) weight: Option<Weight>,
    /// No new work.
    pub(in crate::health) is_draining: bool,
}

/// How much work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::health) enum Weight {
    /// As origins have it.
    Absolute(u16),
    /// Of the configured one.
    Share(BasisPoints),
}

impl Weight {
    /// The share of a configured weight; nothing where there is none to measure by.
    pub(in crate::health) fn of(self, configured: Option<u16>) -> Option<BasisPoints> {
        match self {
            Self::Share(share) => Some(share),
            Self::Absolute(weight) => configured.map(|all| BasisPoints::ratio(weight.into(), all.into())),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.strip_suffix('%') {
            Some(percent) if is_number(percent) => {
                let percent = percent.parse::<u16>().ok().filter(|percent| *percent <= 100)?;
                Some(Self::Share(BasisPoints::new(percent * 100)))
            }
            None if is_number(text) => text.parse().ok().filter(|weight| *weight <= MAX_WEIGHT).map(Self::Absolute),
            _ => None,
        }
    }
}

/// What headers say, and where they say nothing, the body. What is neither a weight nor a yes is as if nothing had been said.
pub(super) fn read(reporting: &Reporting, headers: &HeaderMap, body: &[u8]) -> Report {
    let header = |name: &Option<std::sync::Arc<str>>| {
        let name = HeaderName::try_from(&**name.as_ref()?).ok()?;
        headers.get(name)?.to_str().ok()
    };
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).unwrap_or_default();
    let written = object.get("weight").and_then(|weight| match weight {
        serde_json::Value::String(text) => Weight::read(text),
        serde_json::Value::Number(number) => Weight::read(&number.to_string()),
        _ => None,
    });
    let is_asked = object.get("drain").and_then(serde_json::Value::as_bool).unwrap_or_default();
    Report {
        weight: header(&reporting.weight_header).map_or(written, Weight::read),
        is_draining: header(&reporting.drain_header)
            .map_or(is_asked, |text| text.trim().eq_ignore_ascii_case("true") || text.trim() == "1"),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(headers: &[(&'static str, &'static str)], body: &str) -> Report {
        let reporting = Reporting { weight_header: Some("x-weight".into()), drain_header: Some("x-drain".into()) };
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        read(&reporting, &headers.collect(), body.as_bytes())
    }

    fn share(percent: u16) -> Weight {
        Weight::Share(BasisPoints::new(percent * 100))
    }

    #[test]
    fn headers_say_it_and_a_body_where_they_do_not() {
        assert_eq!(said(&[], ""), Report::default());
        assert_eq!(said(&[("x-weight", "50")], "").weight, Some(Weight::Absolute(50)));
        assert_eq!(
            said(&[("x-weight", "50%"), ("x-drain", "True")], ""),
            Report { weight: Some(share(50)), is_draining: true }
        );
        let body = r#"{"weight": "30%", "drain": true, "more": [1]}"#;
        assert_eq!(said(&[], body), Report { weight: Some(share(30)), is_draining: true });
        assert_eq!(said(&[("x-weight", "0"), ("x-drain", "false")], body).weight, Some(Weight::Absolute(0)));
        assert!(!said(&[("x-drain", "false")], body).is_draining);
        assert_eq!(said(&[], r#"{"weight": 12}"#).weight, Some(Weight::Absolute(12)));
    }

    #[test]
    fn what_is_no_weight_says_nothing() {
        for text in ["", "%", "-1", "257", "101%", "1.5", "half", "1e2", "٣", "99999999999999999999"] {
            assert_eq!(Weight::read(text), None, "{text}");
        }
        for body in
            ["[]", "\"drain\"", "{\"weight\": null}", "{\"weight\": 1.5}", "{\"drain\": \"true\"}", "{\"weight\": 30"]
        {
            assert_eq!(said(&[], body), Report::default(), "{body}");
        }
    }

    #[test]
    fn a_weight_is_a_share_of_the_configured_one_and_never_more_than_all() {
        assert_eq!(Weight::Absolute(25).of(Some(100)), Some(BasisPoints::new(2_500)));
        assert_eq!(Weight::Absolute(256).of(Some(100)), Some(BasisPoints::FULL));
        assert_eq!(Weight::Absolute(25).of(Some(0)), Some(BasisPoints::ZERO));
        assert_eq!(Weight::Absolute(25).of(None), None, "a front door has no weight");
        assert_eq!(Weight::Share(BasisPoints::FULL).of(None), Some(BasisPoints::FULL));
    }
}
