//! What is asked.
//!
//! ```text
//! ask NAME TYPE
//!     from ADDRESS | from NETWORK     who asks; with `times`, each repetition comes from another part of the network
//!     over udp|tcp|tls|https
//!     subnet NETWORK                  whose client asks (RFC 7871)
//!     no-edns · payload BYTES · version NUMBER · do
//!     cookie new|again|HEX            the client's part alone, what the last answer gave, or these bytes
//!     nsid · padding · keepalive · option CODE HEX
//!     rd · cd · ad · opcode NUMBER · class NAME
//!     times COUNT · seed NUMBER
//! ```
//!
//! EDNS is spoken unless it says otherwise, with a payload of 1232 bytes.

use std::{net::IpAddr, str::FromStr};

use domain::base::{Name, Rtype, iana::Class};
use ipnet::IpNet;
use meridian::dns::Transport;

use super::script::{hex, number};

/// What every question is numbered.
pub(crate) const ID: u16 = 0x2a17;
/// A client's part of a cookie, where a scene does not say.
pub(crate) const CLIENT_COOKIE: [u8; 8] = *b"\x24\x64\xc4\xab\xcf\x10\xc9\x57";

/// One question, asked once or again and again.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// What is sent instead of all of it.
    raw: Option<Vec<u8>>,
    pub(crate) name: Name<Vec<u8>>,
    pub(crate) kind: Rtype,
    pub(crate) class: Class,
    pub(crate) opcode: u8,
    /// RD, AD and CD.
    pub(crate) bits: u16,
    pub(crate) from: IpNet,
    pub(crate) transport: Transport,
    pub(crate) edns: Option<Edns>,
    pub(crate) times: u32,
    pub(crate) seed: Option<u64>,
}

/// What it says in OPT.
#[derive(Clone, Debug)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) wants_dnssec: bool,
    pub(crate) subnet: Option<IpNet>,
    pub(crate) cookie: Option<Shown>,
    options: Vec<(u16, Vec<u8>)>,
}

/// A cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// What the last answer gave.
    Again,
    These(Vec<u8>),
}

impl Question {
    fn plain() -> Self {
        Self {
            raw: None,
            name: Name::root_vec(),
            kind: Rtype::A,
            class: Class::IN,
            opcode: 0,
            bits: 0,
            from: IpNet::from(IpAddr::from([127, 0, 0, 1])),
            transport: Transport::Udp,
            edns: Some(Edns {
                payload: 1232,
                version: 0,
                wants_dnssec: false,
                subnet: None,
                cookie: None,
                options: Vec::new(),
            }),
            times: 1,
            seed: None,
        }
    }

    /// What stands behind `raw`.
    pub(crate) fn raw(text: &str) -> Result<Self, String> {
        let end = text.find(" over ").or_else(|| text.find(" from ")).unwrap_or(text.len());
        let mut question = Self { raw: Some(hex(&text[..end])?), ..Self::plain() };
        question.details(&text[end..])?;
        Ok(question)
    }

    /// What stands behind `ask`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(' ').ok_or("`ask NAME TYPE`")?;
        let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let name = Name::from_str(name).map_err(|error| format!("`{name}`: {error}"))?;
        let kind = Rtype::from_str(kind).map_err(|_| format!("`{kind}` is no type of records"))?;
        let mut question = Self { name, kind, ..Self::plain() };
        question.details(rest)?;
        Ok(question)
    }

    fn details(&mut self, text: &str) -> Result<(), String> {
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or_else(|| format!("`{word}` what?"));
            match word {
                "from" => self.from = network(next()?)?,
                "over" => {
                    let name = next()?;
                    let found = Transport::ALL.into_iter().find(|transport| transport.as_str() == name);
                    self.transport = found.ok_or_else(|| format!("`{name}` is no transport"))?;
                }
                "no-edns" => self.edns = None,
                "rd" => self.bits |= 0x0100,
                "ad" => self.bits |= 0x0020,
                "cd" => self.bits |= 0x0010,
                "opcode" => self.opcode = number(next()?)?,
                "class" => {
                    let name = next()?;
                    self.class = Class::from_str(name).map_err(|_| format!("`{name}` is no class"))?;
                }
                "times" => self.times = number(next()?)?,
                "seed" => self.seed = Some(number(next()?)?),
                _ => {
                    let edns = self.edns.as_mut().ok_or("without EDNS there is nothing to say in it")?;
                    edns.detail(word, &mut next)?;
                }
            }
        }
        Ok(())
    }

    /// Who asks, the so many-th time.
    pub(crate) fn client(&self, at: u32) -> IpAddr {
        match self.from {
            IpNet::V4(network) => {
                let size = 1_u64 << (32 - network.prefix_len());
                let step = (size / u64::from(self.times)).max(1) * u64::from(at) % size;
                IpAddr::V4((network.network().to_bits() + u32::try_from(step).unwrap()).into())
            }
            IpNet::V6(network) => {
                let size = 1_u128 << (128 - network.prefix_len()).min(127);
                let step = (size / u128::from(self.times)).max(1) * u128::from(at) % size;
                IpAddr::V6((network.network().to_bits() + step).into())
            }
        }
    }

    /// As it goes over the wire. `given` is what the last answer gave as a cookie.
    pub(crate) fn compose(&self, given: &[u8]) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let flags = u16::from(self.opcode) << 11 | self.bits;
        let header = [ID, flags, 1, 0, 0, u16::from(self.edns.is_some())];
        let mut message: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        message.extend_from_slice(self.name.as_slice());
        message.extend_from_slice(&self.kind.to_int().to_be_bytes());
        message.extend_from_slice(&self.class.to_int().to_be_bytes());
        if let Some(edns) = &self.edns {
            edns.compose(given, &mut message);
        }
        message
    }

    /// Whether this is the client's network that it names; nobody knows where its bytes were written by hand.
    pub(crate) fn has_subnet(&self, address: IpAddr, source: u8) -> Option<bool> {
        let edns = self.edns.as_ref()?;
        let is = edns.subnet.is_some_and(|subnet| (subnet.network(), subnet.prefix_len()) == (address, source));
        (!edns.options.iter().any(|(code, _)| *code == 8)).then_some(is)
    }

    /// Whether its bytes say what the rest of it says.
    pub(crate) fn is_raw(&self) -> bool {
        self.raw.is_some()
    }
}

impl Edns {
    fn detail<'a>(&mut self, word: &str, next: &mut dyn FnMut() -> Result<&'a str, String>) -> Result<(), String> {
        match word {
            "payload" => self.payload = number(next()?)?,
            "version" => self.version = number(next()?)?,
            "do" => self.wants_dnssec = true,
            "subnet" => self.subnet = Some(network(next()?)?),
            "cookie" => {
                self.cookie = Some(match next()? {
                    "new" => Shown::These(CLIENT_COOKIE.into()),
                    "again" => Shown::Again,
                    bytes => Shown::These(hex(bytes)?),
                });
            }
            "nsid" => self.options.push((3, Vec::new())),
            "keepalive" => self.options.push((11, Vec::new())),
            "padding" => self.options.push((12, vec![0; 4])),
            "option" => {
                let code = number(next()?)?;
                let data = next()?;
                self.options.push((code, if data == "-" { Vec::new() } else { hex(data)? }));
            }
            _ => return Err(format!("`{word}` is nothing that can be said of a question")),
        }
        Ok(())
    }

    fn compose(&self, given: &[u8], message: &mut Vec<u8>) {
        let mut options = self.options.clone();
        if let Some(subnet) = self.subnet {
            let bytes = usize::from(subnet.prefix_len()).div_ceil(8);
            let (family, address) = match subnet.network() {
                IpAddr::V4(address) => (1, address.octets().to_vec()),
                IpAddr::V6(address) => (2, address.octets().to_vec()),
            };
            options.push((8, [&[0, family, subnet.prefix_len(), 0], &address[..bytes]].concat()));
        }
        match &self.cookie {
            Some(Shown::Again) => options.push((10, given.to_vec())),
            Some(Shown::These(bytes)) => options.push((10, bytes.clone())),
            None => {}
        }
        let mut data = Vec::new();
        for (code, bytes) in options {
            data.extend_from_slice(&code.to_be_bytes());
            data.extend_from_slice(&u16::try_from(bytes.len()).unwrap().to_be_bytes());
            data.extend_from_slice(&bytes);
        }
        message.extend_from_slice(&[0, 0, 41]);
        message.extend_from_slice(&self.payload.to_be_bytes());
        message.extend_from_slice(&[0, self.version, if self.wants_dnssec { 0x80 } else { 0 }, 0]);
        message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend_from_slice(&data);
    }
}

/// An address alone is a network of one.
fn network(text: &str) -> Result<IpNet, String> {
    let network = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from));
    network.map_err(|_| format!("`{text}` is no address or network"))
}
