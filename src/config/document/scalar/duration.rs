//! Lengths of time: `500ms`, `1m30s`, `7d`.

use std::time::Duration;

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::document::tree::Value;

/// In milliseconds, largest first, which is the order they are written in.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const PATTERN: &str = r"^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

impl Scalar for Duration {
    const KIND: Kind = Kind { what: "a duration", example: "\"1m30s\"", json: Json::Pattern(PATTERN) };

    fn read(value: &Value) -> Result<Self, Misread> {
        parse(text_of(value)?)
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        is_within(*self, low, high)
    }

    fn hint(value: &Value) -> Option<String> {
        seconds_hint(value)
    }
}

/// How long a DNS record may be kept, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ttl(pub(crate) u32);

impl Scalar for Ttl {
    const KIND: Kind = Kind { what: "a duration of whole seconds", example: "\"5m\"", json: Json::Pattern(PATTERN) };

    fn read(value: &Value) -> Result<Self, Misread> {
        let duration = parse(text_of(value)?)?;
        if duration.subsec_millis() > 0 {
            return Err(Misread::bad("DNS counts in whole seconds"));
        }
        u32::try_from(duration.as_secs()).map(Self).map_err(|_| Misread::OutOfRange)
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        is_within(Duration::from_secs(self.0.into()), low, high)
    }

    fn hint(value: &Value) -> Option<String> {
        seconds_hint(value)
    }
}

fn seconds_hint(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(format!("say the unit: `\"{number}s\"`")),
        _ => None,
    }
}

fn is_within(duration: Duration, low: &str, high: &str) -> bool {
    let limit = |text| parse(text).ok();
    limit(low).is_none_or(|low| low <= duration) && limit(high).is_none_or(|high| duration <= high)
}

fn parse(text: &str) -> Result<Duration, Misread> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        if number.is_empty() || tail.starts_with(['.', ',']) {
            return Err(Misread::bad("a duration is whole numbers with their units").hint("half a second is `500ms`"));
        }
        if unit.is_empty() {
            let why = if tail.is_empty() { "the unit is missing" } else { "only units stand between the numbers" };
            return Err(Misread::bad(why).hint(format!("seconds are written `{number}s`")));
        }
        // Each unit at most once and in order: the iterator is not wound back.
        let Some((_, millis)) = units.find(|(name, _)| *name == unit) else {
            return Err(Misread::bad(format!("`{unit}` is not a unit that can stand here"))
                .hint("units are `d`, `h`, `m`, `s` and `ms`, in this order"));
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*millis));
        total = part.and_then(|part| total.checked_add(part)).ok_or(Misread::OutOfRange)?;
        rest = tail;
    }
    if text.is_empty() {
        return Err(Misread::bad("nothing is written"));
    }
    Ok(Duration::from_millis(total))
}

/// Reads a duration as a config writes it, for the other places where people write one; says what is wrong with it.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    parse(text).map_err(|_| format!("`{text}` is not a duration such as `1m30s` or `500ms`"))
}

/// A duration as it would be written in a config.
pub fn duration_as_written(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let parts = UNITS.into_iter().filter_map(|(unit, millis)| {
        let count = rest / millis;
        rest %= millis;
        (count > 0).then(|| format!("{count}{unit}"))
    });
    let text: String = parts.collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [("500ms", 500), ("1m30s", 90_000), ("1s250ms", 1_250), ("0s", 0), ("7d", 604_800_000)] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "5", "s", "1.5s", "30s1m", "1s1s", "1w", "-1s", " 1s", "1 s", "99999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_back_reads_the_same(millis in 0..10_000_000_000_u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&duration_as_written(duration)).unwrap(), duration);
        }
    }
}
