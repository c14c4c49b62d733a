//! Session tickets: what a client shows to resume a session, at this node or at another with the same keys.
//!
//! A ticket is `key id (8) | made, seconds (8) | salt (16) | nonce (12) | sealed session | tag (16)`. Each is sealed with AES-256-GCM
//! under a key of its own, derived from the ring's with the salt, so that random nonces never run out however many tickets a fleet
//! makes under one key. What stands before the session is authenticated, too.
//!
//! Not here: which hosts may resume at all (`state`).

use std::{path::Path, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac, rand,
};
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use rustls::server::ProducesTickets;
use zeroize::Zeroizing;

use super::problem;
use crate::{
    clock::{self, Clock},
    config::Diagnostic,
};

/// How long a ticket is good.
const LIFETIME: Duration = Duration::from_hours(12);
/// How long a key that was made here encrypts; after that it decrypts as long as there can be tickets of it.
const MADE_KEY_ENCRYPTS: Duration = Duration::from_hours(6);
/// Keys made here: the one that encrypts, and those whose tickets may still be good.
const MADE_KEYS: usize = 3;
/// Keys that a file may hold.
const MAX_KEYS: usize = 16;
const MIN_KEY_BYTES: usize = 32;

const ID: usize = 8;
const SALT: usize = 16;
const HEAD: usize = ID + 8 + SALT + NONCE_LEN;

/// Keys, the first of which encrypts.
#[derive(Debug)]
pub(super) struct TicketKeys {
    ring: ArcSwap<Ring>,
    clock: Clock,
}

#[derive(Debug)]
struct Ring {
    keys: Vec<TicketKey>,
    /// When the first was made, by the clock.
    since: Duration,
}

/// Its bytes live in the cryptographic library alone, which wipes them.
#[derive(Clone, Debug)]
pub(super) struct TicketKey {
    id: [u8; ID],
    secret: hmac::Key,
}

impl TicketKey {
    fn new(bytes: &[u8]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        // Longer than a salt, so no ticket's key is ever this.
        let tag = hmac::sign(&secret, b"meridian: id of a ticket key");
        let mut id = [0; ID];
        id.copy_from_slice(&tag.as_ref()[..ID]);
        Self { id, secret }
    }

    fn made() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; MIN_KEY_BYTES]);
        rand::fill(&mut *bytes).ok()?;
        Some(Self::new(&*bytes))
    }

    /// What seals the one ticket with this salt.
    fn cipher(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let derived = hmac::sign(&self.secret, salt);
        UnboundKey::new(&AES_256_GCM, derived.as_ref()).ok().map(LessSafeKey::new)
    }
}

impl TicketKeys {
    /// Keys that nobody else has. Where the system has no randomness, there are no tickets.
    pub(super) fn made(clock: &Clock) -> Self {
        Self::given(TicketKey::made().into_iter().collect(), clock)
    }

    pub(super) fn given(keys: Vec<TicketKey>, clock: &Clock) -> Self {
        Self { ring: ArcSwap::from_pointee(Ring { keys, since: clock.now() }), clock: clock.clone() }
    }

    /// Takes over what the file holds now.
    pub(super) fn replace(&self, keys: Vec<TicketKey>) {
        self.ring.store(Ring { keys, since: self.clock.now() }.into());
    }

    /// Puts a new key first where the last one has been there for long.
    pub(super) fn rotate(&self) {
        let now = self.clock.now();
        let ring = self.ring.load_full();
        if now.saturating_sub(ring.since) < MADE_KEY_ENCRYPTS {
            return;
        }
        let Some(fresh) = TicketKey::made() else { return };
        let keys = std::iter::once(fresh).chain(ring.keys.iter().take(MADE_KEYS - 1).cloned());
        let next = Ring { keys: keys.collect(), since: now }.into();
        // Over a reload two threads may be here at once: the second one's key is not needed.
        self.ring.compare_and_swap(&ring, next);
    }

    fn seal(&self, session: &[u8], now: Duration) -> Option<Vec<u8>> {
        let ring = self.ring.load();
        let key = ring.keys.first()?;
        let mut head = [0; HEAD];
        head[..ID].copy_from_slice(&key.id);
        head[ID..ID + 8].copy_from_slice(&now.as_secs().to_be_bytes());
        rand::fill(&mut head[ID + 8..]).ok()?;
        let (salt, nonce) = head[ID + 8..].split_at(SALT);
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = session.to_vec();
        key.cipher(salt)?.seal_in_place_append_tag(nonce, Aad::from(head), &mut sealed).ok()?;
        Some([&head, &*sealed].concat())
    }

    fn open(&self, ticket: &[u8], now: Duration) -> Option<Vec<u8>> {
        let (head, sealed) = ticket.split_first_chunk::<HEAD>()?;
        let (id, rest) = head.split_first_chunk::<ID>()?;
        let (made, rest) = rest.split_first_chunk::<8>()?;
        let (salt, nonce) = rest.split_at(SALT);
        // The id and the time are no secrets: anybody reads them in the ticket.
        if now.saturating_sub(Duration::from_secs(u64::from_be_bytes(*made))) > LIFETIME {
            return None;
        }
        let ring = self.ring.load();
        let key = ring.keys.iter().find(|key| key.id == *id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let session = key.cipher(salt)?.open_in_place(nonce, Aad::from(*head), &mut sealed).ok()?;
        Some(session.to_vec())
    }
}

impl ProducesTickets for TicketKeys {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(LIFETIME.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        self.seal(session, clock::unix_time())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.open(ticket, clock::unix_time())
    }
}

/// The keys in a file: one to a line, in hex or base64.
pub(super) fn read(path: &Path) -> Result<Vec<TicketKey>, Diagnostic> {
    let contents = problem::contents(path)?;
    let text = std::str::from_utf8(&contents).map_err(|_| problem::unusable(path, "it is not text"))?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|(at, line)| {
        key_of(line).ok_or_else(|| {
            problem::unusable(
                path,
                format_args!("line {} is no key of {MIN_KEY_BYTES} bytes or more in hex or base64", at + 1),
            )
            .hint("make one with `openssl rand -hex 32`".to_owned())
        })
    });
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    match keys.len() {
        0 => Err(problem::unusable(path, "it holds no key").hint("make one with `openssl rand -hex 32`".to_owned())),
        1..=MAX_KEYS => Ok(keys),
        many => Err(problem::unusable(path, format_args!("it holds {many} keys, and at most {MAX_KEYS} are used"))),
    }
}

/// What reads as hex is hex: 64 such digits are no base64 that anybody made.
fn key_of(line: &str) -> Option<TicketKey> {
    let encodings = [HEXLOWER_PERMISSIVE, BASE64, BASE64_NOPAD];
    let mut decoded = encodings.iter().filter_map(|encoding| encoding.decode(line.as_bytes()).ok()).map(Zeroizing::new);
    decoded.find(|bytes| bytes.len() >= MIN_KEY_BYTES).map(|bytes| TicketKey::new(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn a_ticket_opens_until_it_is_too_old() {
        let keys = TicketKeys::made(&Clock::manual());
        let ticket = keys.seal(b"session", NOW).unwrap();
        assert_eq!(keys.open(&ticket, NOW + LIFETIME).as_deref(), Some(&b"session"[..]));
        assert_eq!(keys.open(&ticket, NOW + LIFETIME + Duration::from_secs(1)), None);
        assert_ne!(ticket, keys.seal(b"session", NOW).unwrap());
    }

    #[test]
    fn what_was_not_sealed_here_is_nothing() {
        let keys = TicketKeys::made(&Clock::manual());
        let ticket = keys.seal(b"session", NOW).unwrap();
        for at in 0..ticket.len() {
            let mut forged = ticket.clone();
            forged[at] ^= 1;
            assert_eq!(keys.open(&forged, NOW), None, "byte {at}");
            assert_eq!(keys.open(&ticket[..at], NOW), None, "{at} bytes");
        }
        assert_eq!(TicketKeys::made(&Clock::manual()).open(&ticket, NOW), None);
    }

    #[test]
    fn keys_made_here_turn_over_and_old_tickets_stay_good() {
        let clock = Clock::manual();
        let keys = TicketKeys::made(&clock);
        let ticket = keys.seal(b"session", NOW).unwrap();
        let first = keys.ring.load().keys[0].id;
        keys.rotate();
        assert_eq!(keys.ring.load().keys[0].id, first, "too soon");
        for turn in 1..=2 {
            clock.advance(MADE_KEY_ENCRYPTS);
            keys.rotate();
            assert_ne!(keys.ring.load().keys[0].id, first);
            assert!(keys.open(&ticket, NOW).is_some(), "turn {turn}");
        }
        clock.advance(MADE_KEY_ENCRYPTS);
        keys.rotate();
        assert_eq!(keys.open(&ticket, NOW), None, "by then it is too old in any case");
    }

    #[test]
    fn keys_are_read_in_hex_and_base64() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickets.keys");
        let ids = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).map(|keys| keys.iter().map(|key| key.id).collect::<Vec<_>>())
        };
        let hex = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let base64 = "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=";
        let keys = ids(&format!("# shared\n{hex}\n\n {base64} \n{}\n", base64.trim_end_matches('='))).unwrap();
        assert!(keys.len() == 3 && keys.iter().all(|id| *id == keys[0]));
        for (text, why) in [
            ("", "it holds no key"),
            ("secret", "line 1 is no key"),
            (&hex[2..], "line 1 is no key"),
            (&format!("{hex}\n").repeat(17), "at most 16"),
        ] {
            assert!(ids(text).unwrap_err().message.contains(why), "{text}");
        }
    }
}
