//! The cookie that brings a client back to the origin that it had.
//!
//! Its value is a MAC over the pool's name and the origin's address, and nothing else: it says nothing to who has no secret, and nobody else
//! can make one. All values there are are worked out when the config changes, so that reading one is a look-up.
//!
//! Not here: whether the client may stay there (`pick::keeps`), and who writes the header (`proxy`).

mod secrets;

use std::{collections::HashMap, hash::Hasher, sync::Arc};

use data_encoding::BASE64URL_NOPAD;
use siphasher::sip128::{Hasher128, SipHasher24};

pub use secrets::SecretsError;
use secrets::{Secret, Secrets};

use crate::{
    config,
    fleet::{Address, PoolId},
};

type Token = [u8; 16];

/// The cookies of all pools, for one generation.
#[derive(Debug)]
pub struct Stickiness {
    pools: Box<[Option<Sticky>]>,
    /// Where no file was named.
    own: Secrets,
}

/// The cookies of one pool.
#[derive(Debug)]
pub struct Sticky {
    cookie: Arc<str>,
    /// What stands behind the value.
    attributes: Box<str>,
    /// By position among the pool's origins.
    values: Box<[Box<str>]>,
    /// Whose a token is, and whether it is the one that is given now.
    known: HashMap<Token, (usize, bool)>,
}

/// What a client showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The origin that it had, as a position among the pool's; nothing where it showed nothing that is known.
    pub origin: Option<usize>,
    /// Whether it can keep what it has.
    pub is_current: bool,
}

impl Stickiness {
    /// The cookies of these pools; a secret of this node's own stays what it was.
    ///
    /// # Errors
    /// Where a file of secrets is not what it should be.
    pub fn build(pools: &[Arc<config::Pool>], previous: Option<&Self>) -> Result<Self, SecretsError> {
        let own = previous.map_or_else(Secrets::of_this_process, |previous| previous.own.clone());
        let sticky = |pool: &Arc<config::Pool>| {
            let Some(settings) = &pool.balancing.sticky else { return Ok(None) };
            Ok(Some(match &settings.secret_file {
                Some(file) => Sticky::new(pool, settings, &Secrets::read(file)?),
                None => Sticky::new(pool, settings, &own),
            }))
        };
        let pools = pools.iter().map(sticky).collect::<Result<_, SecretsError>>()?;
        Ok(Self { pools, own })
    }

    /// Those of one pool, where it has any.
    pub fn of(&self, pool: PoolId) -> Option<&Sticky> {
        self.pools.get(pool.index())?.as_ref()
    }
}

impl Sticky {
    fn new(pool: &config::Pool, settings: &config::Sticky, secrets: &Secrets) -> Self {
        let origins = pool.in_table_order();
        let mut known = HashMap::new();
        for (at, secret) in secrets.all().enumerate().rev() {
            let tokens = origins.iter().map(|origin| token(secret, &pool.name, &origin.address));
            known.extend(tokens.zip((0..).map(|position| (position, at == 0))));
        }
        let value = |origin: &&config::Origin| {
            BASE64URL_NOPAD.encode(&token(secrets.first(), &pool.name, &origin.address)).into()
        };
        let max_age = settings.ttl.map_or_else(String::new, |ttl| format!("; Max-Age={}", ttl.as_secs()));
        Self {
            cookie: Arc::clone(&settings.cookie),
            attributes: format!("; Path=/; HttpOnly; SameSite=Lax{max_age}").into(),
            values: origins.iter().map(value).collect(),
            known,
        }
    }

    /// The cookie's name.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What its value says, where there is one.
    pub fn read(&self, value: Option<&[u8]>) -> Shown {
        let token = value.and_then(|value| Token::try_from(BASE64URL_NOPAD.decode(value).ok()?).ok());
        let known = token.and_then(|token| self.known.get(&token));
        known.map_or_else(Shown::default, |(origin, is_current)| Shown {
            origin: Some(*origin),
            is_current: *is_current,
        })
    }

    /// The value of the header that gives a client the cookie of the origin at this position.
    pub fn given(&self, position: usize, is_secure: bool) -> Option<String> {
        let secure = if is_secure { "; Secure" } else { "" };
        Some(format!("{}={}{}{secure}", self.cookie, self.values.get(position)?, self.attributes))
    }
}

fn token(secret: &Secret, pool: &str, address: &Address) -> Token {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(b"meridian: sticky origin\0");
    hasher.write(pool.as_bytes());
    // No name of a pool has it.
    hasher.write(b"\0");
    hasher.write(address.to_string().as_bytes());
    hasher.finish128().as_bytes()
}

#[cfg(test)]
mod tests;
