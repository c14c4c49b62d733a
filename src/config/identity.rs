//! What one node says of itself beside the config, so that every node can have the same files.

use std::{net::SocketAddr, path::PathBuf};

/// Flags and `MERIDIAN_*` variables, already read: each beats what the files say. Nothing and empty lists change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Instead of `node.name`.
    pub node_name: Option<String>,
    /// Instead of `node.region`.
    pub region: Option<String>,
    /// Instead of `listen.http`.
    pub http: Vec<SocketAddr>,
    /// Instead of `listen.https`.
    pub https: Vec<SocketAddr>,
    /// Instead of `listen.dns`.
    pub dns: Vec<SocketAddr>,
    /// Instead of `listen.admin`.
    pub admin: Option<SocketAddr>,
    /// Instead of `state.directory`.
    pub state_directory: Option<PathBuf>,
}
