//! The records of every region, encoded beforehand; a TTL is put in on the way out.

use std::net::IpAddr;

use crate::{
    config::{self, Config, Https},
    dns::wire::{RECORD_HEAD, Records, kind, record},
    fleet::RegionId,
};

/// What an HTTPS record says besides its priority and target (RFC 9460 §7), in the order of their numbers.
mod parameter {
    pub(super) const ALPN: u16 = 1;
    pub(super) const PORT: u16 = 3;
    pub(super) const V4_HINT: u16 = 4;
    pub(super) const V6_HINT: u16 = 6;
}

/// All regions' records.
#[derive(Debug, Default)]
pub(super) struct Answers {
    doors: Box<[Door]>,
    https: Vec<Service>,
}

/// One kind of HTTPS record that names have.
#[derive(Debug)]
struct Service {
    https: Https,
    /// By region.
    encoded: Box<[Box<[u8]>]>,
}

/// One region's addresses.
#[derive(Debug)]
struct Door {
    v4: Encoded,
    v6: Encoded,
}

#[derive(Debug, Default)]
struct Encoded {
    bytes: Vec<u8>,
    count: u16,
}

impl Encoded {
    fn records(&self) -> Records<'_> {
        Records { bytes: &self.bytes, count: self.count }
    }

    fn push(&mut self, kind: u16, data: &[u8]) {
        self.count += u16::from(record(&mut self.bytes, kind, 0, data));
    }
}

/// What a region is answered with.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Hand<'a> {
    records: Records<'a>,
    /// Bytes of each, where all are of one length.
    stride: usize,
}

impl<'a> Hand<'a> {
    /// So many of the records, from a position on and around: whoever takes the first takes another one each time.
    pub(in crate::dns) fn turned(self, by: u16, most: u16) -> impl Iterator<Item = Records<'a>> {
        let Records { bytes, count } = self.records;
        let by = if count > 1 && self.stride > 0 { by % count } else { 0 };
        let (front, back) = bytes.split_at(usize::from(by) * self.stride);
        let first = Records { bytes: back, count: count - by };
        let rest = Records { bytes: front, count: by };
        let (in_first, in_rest) = (most.min(first.count), most.saturating_sub(first.count).min(rest.count));
        let stride = self.stride;
        let cut = move |records: Records<'a>, most: u16| {
            let length = if most < records.count { usize::from(most) * stride } else { records.bytes.len() };
            Records { bytes: &records.bytes[..length], count: most }
        };
        [cut(first, in_first), cut(rest, in_rest)].into_iter().filter(|records| records.count > 0)
    }

    /// All of them.
    pub(in crate::dns) fn records(self) -> Records<'a> {
        self.records
    }
}

impl Answers {
    pub(super) fn build(config: &Config) -> Self {
        let door = |region: &std::sync::Arc<config::Region>| {
            let mut door = Door { v4: Encoded::default(), v6: Encoded::default() };
            for address in &region.addresses {
                match address {
                    IpAddr::V4(address) => door.v4.push(kind::A, &address.octets()),
                    IpAddr::V6(address) => door.v6.push(kind::AAAA, &address.octets()),
                }
            }
            door
        };
        Self { doors: config.regions.iter().map(door).collect(), https: Vec::new() }
    }

    /// The position of a kind of HTTPS record; made if there is none like it.
    pub(super) fn https(&mut self, config: &Config, https: &Https) -> usize {
        if let Some(position) = self.https.iter().position(|known| known.https == *https) {
            return position;
        }
        let encoded = config.regions.iter().map(|region| {
            let mut bytes = Vec::new();
            record(&mut bytes, kind::HTTPS, 0, &service(https, &region.addresses));
            bytes.into()
        });
        self.https.push(Service { https: https.clone(), encoded: encoded.collect() });
        self.https.len() - 1
    }

    /// What a region is answered with; no records where it has no address of this kind.
    pub(super) fn of(&self, region: RegionId, kind: u16, https: Option<usize>) -> Hand<'_> {
        let none = Hand { records: Records::default(), stride: 0 };
        let Some(door) = self.doors.get(region.index()) else { return none };
        match kind {
            kind::A => Hand { records: door.v4.records(), stride: RECORD_HEAD + 4 },
            kind::AAAA => Hand { records: door.v6.records(), stride: RECORD_HEAD + 16 },
            kind::HTTPS => {
                let Some(service) = https.and_then(|position| self.https.get(position)) else { return none };
                let bytes = service.encoded.get(region.index()).map(|bytes| &**bytes).unwrap_or_default();
                Hand { records: Records { bytes, count: 1 }, stride: 0 }
            }
            _ => none,
        }
    }
}

/// The data of an HTTPS record: priority 1, its owner as the target.
fn service(https: &Https, addresses: &[IpAddr]) -> Vec<u8> {
    let mut data = vec![0, 1, 0];
    let mut push = |key: u16, value: &[u8]| {
        if let Some(length) = u16::try_from(value.len()).ok().filter(|length| *length > 0) {
            data.extend_from_slice(&key.to_be_bytes());
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(value);
        }
    };
    let protocols = https.alpn.iter().flat_map(|protocol| {
        let length = u8::try_from(protocol.len()).unwrap_or_default();
        std::iter::once(length).chain(protocol.bytes().take(usize::from(length)))
    });
    push(parameter::ALPN, &protocols.collect::<Vec<_>>());
    push(parameter::PORT, https.port.map(u16::to_be_bytes).as_ref().map(<[u8; 2]>::as_slice).unwrap_or_default());
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for address in addresses {
        match address {
            IpAddr::V4(address) => v4.extend(address.octets()),
            IpAddr::V6(address) => v6.extend(address.octets()),
        }
    }
    push(parameter::V4_HINT, &v4);
    push(parameter::V6_HINT, &v6);
    data
}
