//! Server cookies (RFC 7873) in the form that all servers understand (RFC 9018): any node with the same secret knows them.

use std::{hash::Hasher, net::IpAddr};

use siphasher::sip::SipHasher24;

use crate::{
    clock,
    dns::{
        outcome::CookieSeen,
        wire::{CLIENT_COOKIE, Cookie},
    },
};

/// Bytes of a server's part.
const LENGTH: usize = 16;
/// The one form there is, and three bytes that mean nothing yet.
const FORM: [u8; 4] = [1, 0, 0, 0];
/// How old a cookie may be, in seconds.
const MAX_AGE: u32 = 3600;
/// How far ahead of us another node's clock may be, in seconds.
const MAX_AHEAD: u32 = 300;
/// A cookie that is so old is replaced by a new one, in seconds.
const RENEWED_AT: u32 = 1800;
/// Secrets that are known at once: the one that signs, and those before and after it.
const MAX_SECRETS: usize = 8;

type Secret = [u8; 16];

/// The secrets that cookies are made with.
#[derive(Clone)]
pub(in crate::dns) struct Jar {
    /// The first one signs.
    secrets: Vec<Secret>,
    is_own: bool,
}

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jar").field("secrets", &self.secrets.len()).field("is_own", &self.is_own).finish()
    }
}

impl Jar {
    /// One secret that nobody else knows.
    pub(super) fn of_this_process() -> Self {
        let mut secret = [0; 16];
        if getrandom::fill(&mut secret).is_err() {
            // A system without randomness to give; then cookies are only as good as the seed of everything else.
            secret = clock::random().u128(..).to_ne_bytes();
        }
        Self { secrets: vec![secret], is_own: true }
    }

    /// One secret of 32 hex digits per line.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let secret = |line: &str| {
            let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(line.as_bytes()).ok();
            bytes.and_then(|bytes| Secret::try_from(bytes).ok()).ok_or("a line is not 32 hex digits")
        };
        let secrets: Vec<Secret> = lines.map(secret).collect::<Result<_, _>>()?;
        match secrets.len() {
            0 => Err("it is empty"),
            1..=MAX_SECRETS => Ok(Self { secrets, is_own: false }),
            _ => Err("it has more than 8 lines"),
        }
    }

    /// Whether its secret is this process's own.
    pub(super) fn is_own(&self) -> bool {
        self.is_own
    }

    /// What a client showed, and what it gets: its own part and ours.
    pub(in crate::dns) fn exchange(&self, shown: &Cookie, address: IpAddr, now: u32) -> (CookieSeen, [u8; 24]) {
        let client = shown.client();
        let seen = match shown.server() {
            [] => CookieSeen::New,
            server => match self.signer(client, server, address, now) {
                None => CookieSeen::Invalid,
                Some(_) => CookieSeen::Valid,
            },
        };
        let mut given = [0; CLIENT_COOKIE + LENGTH];
        given[..CLIENT_COOKIE].copy_from_slice(&client);
        let is_fresh = |server: &[u8]| now.wrapping_sub(dated(server)).cast_signed() < RENEWED_AT.cast_signed();
        let server = shown.server();
        if seen == CookieSeen::Valid && is_fresh(server) && self.signer(client, server, address, now) == Some(0) {
            given[CLIENT_COOKIE..].copy_from_slice(server);
        } else if let Some(secret) = self.secrets.first() {
            given[CLIENT_COOKIE..].copy_from_slice(&make(secret, client, address, now));
        }
        (seen, given)
    }

    /// Which secret a server's part was made with, if that was not too long ago.
    fn signer(&self, client: [u8; CLIENT_COOKIE], server: &[u8], address: IpAddr, now: u32) -> Option<usize> {
        if server.len() != LENGTH || server[0] != FORM[0] {
            return None;
        }
        // Times go around, as serial numbers do (RFC 1982).
        let age = now.wrapping_sub(dated(server)).cast_signed();
        if age > MAX_AGE.cast_signed() || age < -MAX_AHEAD.cast_signed() {
            return None;
        }
        let mut head = [0; 8];
        head.copy_from_slice(&server[..8]);
        self.secrets.iter().position(|secret| {
            let expected = hash(secret, client, head, address);
            // No early end: how much of it was right is nobody's business.
            expected.iter().zip(&server[8..]).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
        })
    }
}

fn dated(server: &[u8]) -> u32 {
    server.get(4..8).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn make(secret: &Secret, client: [u8; CLIENT_COOKIE], address: IpAddr, now: u32) -> [u8; LENGTH] {
    let mut cookie = [0; LENGTH];
    cookie[..4].copy_from_slice(&FORM);
    cookie[4..8].copy_from_slice(&now.to_be_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&cookie[..8]);
    cookie[8..].copy_from_slice(&hash(secret, client, head, address));
    cookie
}

fn hash(secret: &Secret, client: [u8; CLIENT_COOKIE], head: [u8; 8], address: IpAddr) -> [u8; 8] {
    let mut input = [0; CLIENT_COOKIE + 8 + 16];
    input[..8].copy_from_slice(&client);
    input[8..16].copy_from_slice(&head);
    let length = match address {
        IpAddr::V4(address) => {
            input[16..20].copy_from_slice(&address.octets());
            20
        }
        IpAddr::V6(address) => {
            input[16..].copy_from_slice(&address.octets());
            32
        }
    };
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&input[..length]);
    hasher.finish().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn jar() -> Jar {
        Jar::read("e5e973e5a6b2a43f48e7dc849e37bfcf\n").unwrap()
    }

    fn shown(client: &str, server: &[u8]) -> Cookie {
        Cookie::read(&[hex(client), server.to_vec()].concat()).unwrap()
    }

    /// RFC 9018, appendix A.1 and A.2.
    #[test]
    fn cookies_are_those_of_the_standard() {
        let address = "198.51.100.100".parse().unwrap();
        let (seen, given) = jar().exchange(&shown("2464c4abcf10c957", &[]), address, 1_559_731_985);
        assert_eq!(seen, CookieSeen::New);
        assert_eq!(given[8..], hex("010000005cf79f111f8130c3eee29480"));
        let old = shown("2464c4abcf10c957", &given[8..]);
        let (seen, renewed) = jar().exchange(&old, address, 1_559_734_385);
        assert_eq!(seen, CookieSeen::Valid);
        assert_eq!(renewed[8..], hex("010000005cf7a871d4a564a1442aca77"), "renewed after half an hour");
        let (seen, kept) = jar().exchange(&old, address, 1_559_731_985 + 60);
        assert_eq!((seen, &kept[8..]), (CookieSeen::Valid, &given[8..]), "kept before that");
    }

    #[test]
    fn a_cookie_is_for_one_client_one_address_and_one_hour() {
        let (address, now) = ("2001:db8::1".parse().unwrap(), 1_000_000);
        let (_, given) = jar().exchange(&shown("0102030405060708", &[]), address, now);
        let seen = |client: &str, address: &str, now: u32, server: &[u8]| {
            jar().exchange(&shown(client, server), address.parse().unwrap(), now).0
        };
        let server = &given[8..];
        assert_eq!(seen("0102030405060708", "2001:db8::1", now + 3600, server), CookieSeen::Valid);
        assert_eq!(seen("0102030405060708", "2001:db8::1", now - 300, server), CookieSeen::Valid);
        assert_eq!(seen("0102030405060708", "2001:db8::1", now + 3601, server), CookieSeen::Invalid);
        assert_eq!(seen("0102030405060708", "2001:db8::1", now - 301, server), CookieSeen::Invalid);
        assert_eq!(seen("0102030405060708", "2001:db8::2", now, server), CookieSeen::Invalid);
        assert_eq!(seen("0102030405060709", "2001:db8::1", now, server), CookieSeen::Invalid);
        assert_eq!(seen("0102030405060708", "2001:db8::1", now, &[9; 16]), CookieSeen::Invalid);
        assert_eq!(seen("0102030405060708", "2001:db8::1", now, &[1; 8]), CookieSeen::Invalid);
    }

    #[test]
    fn a_new_secret_takes_over_without_a_client_noticing() {
        let (old, new) = ("11".repeat(16), "22".repeat(16));
        let jars =
            [old.clone(), format!("{old}\n{new}"), format!("{new}\n{old}"), new].map(|text| Jar::read(&text).unwrap());
        let address = "192.0.2.1".parse().unwrap();
        let mut cookie = shown("0102030405060708", &[]);
        for (step, jar) in jars.iter().enumerate() {
            let (seen, given) = jar.exchange(&cookie, address, 5_000);
            assert_eq!(seen, if step == 0 { CookieSeen::New } else { CookieSeen::Valid }, "step {step}");
            cookie = Cookie::read(&given).unwrap();
        }
        assert_eq!(jars[0].exchange(&cookie, address, 5_000).0, CookieSeen::Invalid);
    }

    #[test]
    fn a_file_of_secrets_says_what_is_wrong_with_it() {
        for text in ["", "# nothing\n", "e5e973", &"zz".repeat(16), &format!("{}\n", "11".repeat(16)).repeat(9)] {
            assert!(Jar::read(text).is_err(), "{text}");
        }
    }
}
