//! What routes look at.

use std::net::IpAddr;

use crate::proxy::h1::Header;

/// A request as routes see it: borrowed, whatever protocol it came by.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The method, as it was sent.
    pub method: &'a str,
    /// The host in lower case, without port; empty where none was named.
    pub host: &'a str,
    /// The path, as it was sent, without query.
    pub path: &'a str,
    /// What is behind the `?`.
    pub query: Option<&'a str>,
    /// All headers.
    pub headers: &'a [Header<'a>],
    /// Who asks.
    pub client: IpAddr,
}
