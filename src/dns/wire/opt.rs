//! What an answer says in OPT (RFC 6891), and the options it carries.

use super::{Rcode, Subnet, kind, option};

/// OPT without options.
const LENGTH: usize = 11;
/// The head of an option.
const OPTION_HEAD: usize = 4;
/// Padded answers are so long, or a multiple of it (RFC 8467 §4.1).
const PADDING_BLOCK: usize = 468;

/// OPT on its way out.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::dns) struct Opt<'a> {
    /// The largest datagram that this server takes.
    pub(in crate::dns) payload: u16,
    /// Echoed.
    pub(in crate::dns) wants_dnssec: bool,
    /// The client's network, and how much of it mattered.
    pub(in crate::dns) subnet: Option<(Subnet, u8)>,
    /// The client's part of the cookie and ours.
    pub(in crate::dns) cookie: Option<[u8; 24]>,
    /// Who answers; nothing is said where it is empty.
    pub(in crate::dns) nsid: &'a [u8],
    /// How long a stream may stay silent, in tenths of a second.
    pub(in crate::dns) keepalive: Option<u16>,
    /// Why it is as it is.
    pub(in crate::dns) explanation: Option<Explanation>,
    /// The length of an encrypted answer tells nothing.
    pub(in crate::dns) is_padded: bool,
}

/// Why an answer is as it is (RFC 8914), for people who look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dns) enum Explanation {
    /// All that could be said is uncertain: what was known is old.
    Stale,
    /// No verdict on anybody yet.
    NotReady,
    /// Not done for anybody, such as a transfer.
    Prohibited,
    /// The name is in no zone of ours.
    NotAuthoritative,
    /// Everything is down, and some address was better than none.
    AllDown,
    /// Everything is down, and no address was better than any.
    NobodyLeft,
}

impl Explanation {
    fn code(self) -> u16 {
        match self {
            Self::AllDown | Self::NobodyLeft => 0,
            Self::Stale => 3,
            Self::NotReady => 14,
            Self::Prohibited => 18,
            Self::NotAuthoritative => 20,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::AllDown => "all regions are down",
            Self::NobodyLeft => "no region can serve it",
            Self::Stale | Self::NotReady | Self::Prohibited | Self::NotAuthoritative => "",
        }
    }
}

impl Opt<'_> {
    /// Bytes that have to be there for it; a name of this server, an explanation and padding come if there is more.
    pub(in crate::dns) fn reserve(&self) -> usize {
        let option = |length: Option<usize>| length.map_or(0, |length| OPTION_HEAD + length);
        let subnet = self.subnet.map(|(subnet, _)| 4 + usize::from(subnet.source).div_ceil(8));
        LENGTH + option(subnet) + option(self.cookie.map(|cookie| cookie.len())) + option(self.keepalive.map(|_| 2))
    }

    /// Appends it to a message that may become `limit` bytes long.
    pub(super) fn write(&self, out: &mut Vec<u8>, rcode: Rcode, limit: usize) {
        let ([kind_high, kind_low], [payload_high, payload_low]) =
            (kind::OPT.to_be_bytes(), self.payload.to_be_bytes());
        let dnssec = if self.wants_dnssec { 0x80 } else { 0 };
        let head: [u8; LENGTH] =
            [0, kind_high, kind_low, payload_high, payload_low, rcode.extended(), 0, dnssec, 0, 0, 0];
        out.extend_from_slice(&head);
        let data_at = out.len();
        if let Some((subnet, scope)) = self.subnet {
            let bytes = usize::from(subnet.source).div_ceil(8);
            begin(out, option::SUBNET, 4 + bytes);
            let [family_high, family_low] = subnet.family.to_be_bytes();
            out.extend_from_slice(&[family_high, family_low, subnet.source, scope]);
            match subnet.address {
                std::net::IpAddr::V4(address) => out.extend_from_slice(&address.octets()[..bytes]),
                std::net::IpAddr::V6(address) => out.extend_from_slice(&address.octets()[..bytes]),
            }
        }
        if let Some(cookie) = &self.cookie {
            append(out, option::COOKIE, cookie);
        }
        if let Some(tenths) = self.keepalive {
            append(out, option::KEEPALIVE, &tenths.to_be_bytes());
        }
        if !self.nsid.is_empty() && out.len() + OPTION_HEAD + self.nsid.len() <= limit {
            append(out, option::NSID, self.nsid);
        }
        if let Some(explanation) = self.explanation {
            let text = explanation.text().as_bytes();
            if out.len() + OPTION_HEAD + 2 + text.len() <= limit {
                begin(out, option::EXPLANATION, 2 + text.len());
                out.extend_from_slice(&explanation.code().to_be_bytes());
                out.extend_from_slice(text);
            }
        }
        let padded = (out.len() + OPTION_HEAD).next_multiple_of(PADDING_BLOCK).min(limit);
        if self.is_padded && out.len() + OPTION_HEAD <= padded {
            let zeros = padded - out.len() - OPTION_HEAD;
            begin(out, option::PADDING, zeros);
            out.resize(padded, 0);
        }
        let length = u16::try_from(out.len() - data_at).unwrap_or_default();
        out[data_at - 2..data_at].copy_from_slice(&length.to_be_bytes());
    }
}

fn begin(out: &mut Vec<u8>, code: u16, length: usize) {
    out.extend_from_slice([code, u16::try_from(length).unwrap_or_default()].map(u16::to_be_bytes).as_flattened());
}

fn append(out: &mut Vec<u8>, code: u16, data: &[u8]) {
    begin(out, code, data.len());
    out.extend_from_slice(data);
}
