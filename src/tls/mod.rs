//! Certificates, session tickets, and what both sides of a TLS connection ask of the other.
//!
//! [`ServerTls`] answers for every `https` listener: which certificate a client gets, what it has to show, whether it may resume a
//! session. [`OriginTls`] is the same for the connections to one pool's origins. Both are made from a config whose files are all read
//! before anything uses them; from then on threads of their own look at the files, take over what changed, and keep what they had
//! where the new is no good. A handshake reads two maps and writes nothing that workers share but reference counts; no worker touches
//! the disk.
//!
//! Hosts that ask for client certificates resume no sessions: a ticket would carry a certificate past its end, and past the day when
//! its authority is believed no more.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_tls_certificate_expiry_seconds` | `certificate`: the file of one of `tls.certificates`; in seconds of calendar time; no number once it is not in the config |
//! | `meridian_tls_directory_expiry_seconds` | the soonest of those in memory from `tls.directory`; 0 where there is none |
//! | `meridian_tls_certificates_loaded` | `source` (`config`, `directory`): in memory |
//! | `meridian_tls_directory_hosts` | files in `tls.directory`, read or not |
//! | `meridian_tls_directory_loads_total` | `result` (`good`, `bad`, `refused`: too many were waiting) |
//! | `meridian_tls_certificate_reloads_total` | `result` (`good`, `bad`): of any file that changed; ticket keys and authorities, too |
//!
//! Not here: accepting, handshakes and what they count by outcome (`proxy`), and what the files are called (`config`).

mod authorities;
mod demands;
mod expiry;
mod host_keys;
mod identity;
mod loader;
mod names;
mod origin;
mod pair;
mod problem;
mod rounds;
mod server;
mod state;
mod store;
mod tickets;
mod watched;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use identity::{ClientIdentity, client_identity};
pub use loader::Loading;
pub use origin::{OriginTls, Outward, watch_origins};
pub use pair::end_of;
pub use problem::{LoadError, check};
pub use rounds::Rounds;
pub use server::{Found, ServerTls, UNRECOGNIZED_NAME};

/// The one implementation of cryptography in the process: X25519MLKEM768 first, where the other side has it.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

/// Makes it the default of the process, for whatever speaks TLS without being handed a config from here. To be called first in the
/// program; later calls change nothing.
pub fn install_provider() {
    // The error is the provider that was there before.
    _ = CryptoProvider::install_default(provider().as_ref().clone());
}
