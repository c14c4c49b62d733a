//! Booleans and numbers, plain and with units: `100`, `50.1`, `64KiB`, `500/s`, `200-399`.

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::{document::tree::Value, resolved::BodyLimit};

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl Scalar for $type {
            const KIND: Kind = Kind { what: "an integer", example: "100", json: Json::Integer };

            fn read(value: &Value) -> Result<Self, Misread> {
                match value {
                    Value::Integer(number) => Self::try_from(*number).map_err(|_| Misread::OutOfRange),
                    _ => Err(Misread::WrongType),
                }
            }

            fn is_within(&self, low: &str, high: &str) -> bool {
                low.parse().is_ok_and(|low: Self| low <= *self) && high.parse().is_ok_and(|high: Self| *self <= high)
            }
        }
    )+};
}

integers!(i8 u8 u16 u32);

impl Scalar for bool {
    const KIND: Kind = Kind { what: "`true` or `false`", example: "true", json: Json::Boolean };

    fn read(value: &Value) -> Result<Self, Misread> {
        match value {
            Value::Boolean(is_true) => Ok(*is_true),
            _ => Err(Misread::WrongType),
        }
    }
}

impl Scalar for f64 {
    const KIND: Kind = Kind { what: "a number", example: "50.1", json: Json::Number };

    fn read(value: &Value) -> Result<Self, Misread> {
        match value {
            Value::Float(number) => Ok(*number),
            Value::Integer(number) => i32::try_from(*number).map(Self::from).map_err(|_| Misread::OutOfRange),
            _ => Err(Misread::WrongType),
        }
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        low.parse().is_ok_and(|low: Self| low <= *self) && high.parse().is_ok_and(|high: Self| *self <= high)
    }
}

/// A share, in basis points; written in percent with up to two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) u16);

impl Scalar for Percent {
    const KIND: Kind = Kind { what: "a percentage", example: "0.5", json: Json::Number };

    fn read(value: &Value) -> Result<Self, Misread> {
        let points = f64::read(value)? * 100.0;
        let whole = points.round();
        if !(0.0..=10_000.0).contains(&whole) {
            return Err(Misread::OutOfRange);
        }
        if (points - whole).abs() > 1e-6 {
            return Err(Misread::bad("a percentage has at most two decimals"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number up to 10,000")]
        Ok(Self(whole as u16))
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        (f64::from(self.0) / 100.0).is_within(low, high)
    }
}

/// An amount of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) struct ByteSize(pub(crate) u64);

impl ByteSize {
    const UNITS: [(&str, u64); 7] = [
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let (number, unit) = number_and_rest(text)?;
        let Some((_, factor)) = Self::UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(Misread::bad(if unit.is_empty() { "the unit is missing" } else { "there is no such unit" })
                .hint("units are `B`, `KiB`, `MiB`, `GiB`, and by thousands `kB` and `MB`"));
        };
        number.checked_mul(*factor).map(Self).ok_or(Misread::OutOfRange)
    }
}

impl Scalar for ByteSize {
    const KIND: Kind =
        Kind { what: "a size", example: "\"64KiB\"", json: Json::Pattern("^[0-9]+(B|[KMG]iB|kB|KB|MB)$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        Self::parse(text_of(value)?)
    }

    fn hint(value: &Value) -> Option<String> {
        match value {
            Value::Integer(number) => Some(format!("say the unit: `\"{number}B\"`")),
            _ => None,
        }
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        Self::parse(low).is_ok_and(|low| low <= *self) && Self::parse(high).is_ok_and(|high| *self <= high)
    }
}

impl Scalar for BodyLimit {
    const KIND: Kind = Kind {
        what: "a size, or `unlimited`",
        example: "\"10MiB\"",
        json: Json::Pattern("^(unlimited|[0-9]+(B|[KMG]iB|kB|KB|MB))$"),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        match text_of(value)? {
            "unlimited" => Ok(Self::Unlimited),
            size => ByteSize::parse(size).map(|size| Self::Bytes(size.0)),
        }
    }

    fn hint(value: &Value) -> Option<String> {
        ByteSize::hint(value)
    }
}

/// How often something may happen, per second; what is not whole is rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u32);

impl Scalar for Rate {
    const KIND: Kind = Kind { what: "a rate", example: "\"500/s\"", json: Json::Pattern("^[0-9]+/[smh]$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let (number, unit) = number_and_rest(text_of(value)?)?;
        let seconds = match unit {
            "/s" => 1,
            "/m" => 60,
            "/h" => 3_600,
            _ => {
                return Err(
                    Misread::bad("a rate is per second, minute or hour").hint("write `500/s`, `500/m` or `500/h`")
                );
            }
        };
        match u32::try_from(number.div_ceil(seconds)) {
            Ok(0) => Err(Misread::bad("nothing could ever be served").hint("leave the key out where it is unknown")),
            Ok(rate) => Ok(Self(rate)),
            Err(_) => Err(Misread::OutOfRange),
        }
    }

    fn hint(value: &Value) -> Option<String> {
        match value {
            Value::Integer(number) => Some(format!("say per what: `\"{number}/s\"`")),
            _ => None,
        }
    }
}

/// HTTP statuses, first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(pub(crate) u16, pub(crate) u16);

impl Scalar for Statuses {
    const KIND: Kind = Kind {
        what: "a status or a range of them",
        example: "\"200-299\"",
        json: Json::PatternOrInteger("^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$"),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        let written = match value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            _ => return Err(Misread::WrongType),
        };
        let (first, last) = written.split_once('-').unwrap_or((&written, &written));
        let status = |text: &str| text.parse::<u16>().ok().filter(|status| (100..600).contains(status));
        match (status(first.trim()), status(last.trim())) {
            (Some(first), Some(last)) if first <= last => Ok(Self(first, last)),
            (Some(_), Some(_)) => Err(Misread::bad("the first status is above the last")),
            _ => Err(Misread::bad("statuses are from 100 to 599")),
        }
    }
}

fn number_and_rest(text: &str) -> Result<(u64, &str), Misread> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() {
        return Err(Misread::bad("it does not begin with a whole number"));
    }
    Ok((number.parse().map_err(|_| Misread::OutOfRange)?, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: Scalar>(text: &str) -> Option<T> {
        T::read(&Value::Text(text.into())).ok()
    }

    #[test]
    fn sizes_and_rates_need_a_unit() {
        assert_eq!(text("64KiB"), Some(ByteSize(65_536)));
        assert_eq!(text("64 KiB"), Some(ByteSize(65_536)));
        assert_eq!(text::<ByteSize>("64"), None);
        assert_eq!(text("500/s"), Some(Rate(500)));
        assert_eq!(text("90/m"), Some(Rate(2)));
        assert_eq!(text::<Rate>("0/s"), None);
        assert_eq!(text::<Rate>("500"), None);
        assert_eq!(text("unlimited"), Some(BodyLimit::Unlimited));
        assert_eq!(text("1kB"), Some(BodyLimit::Bytes(1000)));
    }

    #[test]
    fn percentages_have_two_decimals() {
        let read = |number: f64| Percent::read(&Value::Float(number)).ok().map(|percent| percent.0);
        assert_eq!((read(0.07), read(12.5), read(100.0)), (Some(7), Some(1250), Some(10_000)));
        assert_eq!((read(0.001), read(-1.0), read(100.01), read(f64::NAN)), (None, None, None, None));
        assert!(Percent(50).is_within("0", "0.5") && !Percent(51).is_within("0", "0.5"));
    }

    #[test]
    fn statuses_are_one_or_a_range() {
        assert_eq!(text("200-399"), Some(Statuses(200, 399)));
        assert_eq!(Statuses::read(&Value::Integer(204)).ok(), Some(Statuses(204, 204)));
        assert_eq!(text::<Statuses>("399-200"), None);
        assert_eq!(text::<Statuses>("20-9999"), None);
    }

    #[test]
    fn a_number_past_its_type_is_out_of_range_and_no_number_is_within_nothing() {
        assert!(matches!(u16::read(&Value::Integer(70_000)), Err(Misread::OutOfRange)));
        assert!(matches!(u16::read(&Value::Integer(-1)), Err(Misread::OutOfRange)));
        assert!(!f64::NAN.is_within("-90", "90"));
        assert!(7_u16.is_within("7", "7"));
    }
}
