//! The secrets that cookies are made with.

use std::{fs, io, path::Path};

use zeroize::Zeroizing;

use crate::clock;

/// Secrets that are known at once: the one that makes cookies, and those before and after it.
const MOST: usize = 8;

pub(super) type Secret = [u8; 16];

/// The first one makes cookies.
#[derive(Clone)]
pub(super) struct Secrets {
    first: Zeroizing<Secret>,
    others: Vec<Zeroizing<Secret>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("others", &self.others.len()).finish_non_exhaustive()
    }
}

/// Why the secrets of sticky cookies cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file cannot be read.
    #[error(
        "the secrets of sticky cookies in {file} cannot be read: {cause}\nhint: see `sticky.secret_file` of the pool"
    )]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file does not hold what it should.
    #[error(
        "{file} holds no secrets of sticky cookies: {why}\nhint: write one secret of 32 hex digits per line, such as `openssl rand -hex 16` makes; the first one makes cookies"
    )]
    Malformed {
        /// Which.
        file: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Secrets {
    /// One that nobody else knows.
    pub(super) fn of_this_process() -> Self {
        let mut first = Zeroizing::new([0; 16]);
        if getrandom::fill(&mut *first).is_err() {
            // A system without randomness to give; then cookies are only as good as the seed of everything else.
            *first = clock::random().u128(..).to_ne_bytes();
        }
        Self { first, others: Vec::new() }
    }

    pub(super) fn read(file: &Path) -> Result<Self, SecretsError> {
        let name = || file.display().to_string();
        let text = fs::read_to_string(file)
            .map(Zeroizing::new)
            .map_err(|cause| SecretsError::Unreadable { file: name(), cause })?;
        Self::of_text(&text).map_err(|why| SecretsError::Malformed { file: name(), why })
    }

    /// One secret of 32 hex digits per line.
    pub(super) fn of_text(text: &str) -> Result<Self, &'static str> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let secret = |line: &str| {
            let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(line.as_bytes()).ok().map(Zeroizing::new);
            let secret = bytes.and_then(|bytes| Secret::try_from(&**bytes).ok());
            secret.map(Zeroizing::new).ok_or("a line is not 32 hex digits")
        };
        let mut secrets = lines.map(secret).collect::<Result<Vec<_>, _>>()?.into_iter();
        let first = secrets.next().ok_or("it is empty")?;
        if secrets.len() >= MOST {
            return Err("it has more than 8 lines");
        }
        Ok(Self { first, others: secrets.collect() })
    }

    pub(super) fn first(&self) -> &Secret {
        &self.first
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Secret> + ExactSizeIterator {
        std::iter::once(&self.first).chain(&self.others).map(|secret| &**secret).collect::<Vec<_>>().into_iter()
    }
}
