//! TTLs and other lengths of time in zone files: seconds, or numbers with units as in `1h30m`.

/// The largest TTL there is (RFC 2181 §8).
pub(super) const MAX: u32 = i32::MAX as u32;

/// In seconds. `None` where it is no time, or longer than 32 bits hold.
pub(super) fn parse(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (mut total, mut number) = (0_u32, None::<u32>);
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u32::from(byte - b'0'))?);
            continue;
        }
        let unit = match byte.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    number.is_none().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_numbers_with_units() {
        for (text, seconds) in [("0", 0), ("3600", 3600), ("1h30m", 5400), ("1W", 604_800), ("2d5s", 172_805)] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        for text in ["", "h", "1h30", "1y", "-1", "+1", "4294967296", "9999999w", "1 h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
