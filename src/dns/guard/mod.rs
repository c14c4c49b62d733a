//! Who may have how much over UDP, where anybody can write anybody's address: cookies and response rate limiting.
//!
//! A client that shows a cookie this server gave it is where it says it is, and is not limited. Everybody else gets each answer so often per
//! network and second; what comes above that is not answered, or answered so shortly that it amplifies nothing.
//!
//! Not here: streams, whose clients are where they say they are.

mod cookies;
mod rates;

use std::{fs, io, path::Path, sync::Arc};

pub(super) use cookies::Jar;
pub(super) use rates::Rates;

use crate::config;

/// Both of them, for one generation.
#[derive(Debug)]
pub struct Guard {
    /// Nothing where cookies are not spoken.
    pub(super) cookies: Option<Jar>,
    /// Nothing where nobody is limited.
    pub(super) rates: Option<Arc<Rates>>,
}

/// Why the secrets of cookies cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The file cannot be read.
    #[error("the cookie secrets in {file} cannot be read: {cause}\nhint: see `dns.cookies.secret_file`")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file does not hold what it should.
    #[error(
        "{file} holds no cookie secrets: {why}\nhint: write one secret of 32 hex digits per line, such as `openssl rand -hex 16` makes; the first one signs"
    )]
    Malformed {
        /// Which.
        file: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Guard {
    /// As the settings say; what was counted before counts on.
    ///
    /// # Errors
    /// Where the file of secrets is not what it should be.
    pub fn build(settings: &config::Dns, previous: Option<&Self>) -> Result<Self, GuardError> {
        let cookies = match &settings.cookies {
            config::Cookies { is_on: false, .. } => None,
            config::Cookies { secret_file: Some(file), .. } => Some(read(file)?),
            config::Cookies { secret_file: None, .. } => {
                let kept = previous.and_then(|previous| previous.cookies.clone()).filter(Jar::is_own);
                Some(kept.unwrap_or_else(Jar::of_this_process))
            }
        };
        let counted = previous.and_then(|previous| previous.rates.as_ref());
        let rates = settings.rate_limit.as_ref().map(|limit| match counted {
            Some(rates) if rates.settings() == limit => Arc::clone(rates),
            _ => Arc::new(Rates::new(limit.clone())),
        });
        Ok(Self { cookies, rates })
    }
}

fn read(file: &Path) -> Result<Jar, GuardError> {
    let name = || file.display().to_string();
    let text = fs::read_to_string(file).map_err(|cause| GuardError::Unreadable { file: name(), cause })?;
    Jar::read(&text).map_err(|why| GuardError::Malformed { file: name(), why })
}
