//! One entry as one line of JSON.

use std::{net::IpAddr, time::Duration};

use serde::Serialize;

use super::{entry::Entry, question::Subnet};
use crate::{
    dns::{meters, outcome::CookieSeen, steer::Steering, zone::Zones},
    fleet::DnsName,
};

/// What stands in a line, in this order; what there is nothing to say of is left out.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    client: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet: Option<String>,
    transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    rcode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steering: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    size: usize,
    truncated: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    slipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookie: Option<&'static str>,
}

/// Appends an entry's line.
pub(super) fn write(entry: &Entry, out: &mut Vec<u8>) {
    let outcome = &entry.outcome;
    let generation = &entry.generation;
    let zones: Option<&Zones> = generation.compiled();
    let line = Line {
        time: rfc3339(entry.unix),
        client: entry.address(),
        subnet: entry.subnet().map(|Subnet { address, bits }| format!("{address}/{bits}")),
        transport: entry.client.transport.as_str(),
        name: DnsName::from_wire(entry.question.name()).map(|name| name.to_string()),
        r#type: (outcome.kind != 0).then(|| word_of(outcome.kind)),
        rcode: outcome.rcode.as_str(),
        zone: outcome.zone.and_then(|zone| zones?.zone_name(zone)),
        steering: outcome.steering.map(Steering::as_str),
        region: outcome.region.and_then(|region| Some(&*generation.region(region)?.name)),
        size: entry.size,
        truncated: outcome.is_truncated,
        slipped: outcome.is_slipped,
        cookie: Some(outcome.cookie).filter(|seen| *seen != CookieSeen::None).map(CookieSeen::as_str),
    };
    let before = out.len();
    match serde_json::to_writer(&mut *out, &line) {
        Ok(()) => out.push(b'\n'),
        // It cannot be, as nothing in it is a map and memory takes every byte.
        Err(_) => out.truncate(before),
    }
}

/// A type as zone files name it; its number where it has no name here (RFC 3597 §5).
fn word_of(kind: u16) -> String {
    meters::word_of(kind).map_or_else(|| format!("TYPE{kind}"), str::to_ascii_uppercase)
}

/// Calendar time in UTC, to the millisecond.
fn rfc3339(unix: Duration) -> String {
    let (days, second) = (unix.as_secs() / 86_400, unix.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second, millis) = (second / 3600, second / 60 % 60, second % 60, unix.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day since 1970. Years are counted from March, so that the day that leaps is the last of one, in eras of 400.
fn date(days: u64) -> (u64, u64, u64) {
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (1_735_689_600, "2025-01-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), shown);
        }
        assert_eq!(rfc3339(Duration::from_millis(1_763_723_041_007)), "2025-11-21T11:04:01.007Z");
    }
}
