//! How DNS is answered.

use std::{net::SocketAddr, sync::Arc};

use super::node::cores;
use crate::config::{
    document::Document,
    resolved::{Cookies, Dns, QueryLog, ResponseRate},
};

/// `tls` and `https` are where DNS is listened for in secret.
pub(super) fn resolve(document: &Document, tls: Vec<SocketAddr>, https: Vec<SocketAddr>) -> Dns {
    let dns = &document.dns.value;
    let rate = &dns.rate_limit;
    Dns {
        threads: dns.threads.as_ref().map_or_else(cores, |threads| threads.value as usize),
        udp_payload: dns.udp_payload.value,
        tcp_idle_timeout: dns.tcp_idle_timeout.value,
        max_tcp_connections: dns.max_tcp_connections.value as usize,
        max_tcp_connections_per_client: dns.max_tcp_connections_per_client.value as usize,
        nsid: dns.nsid.as_ref().map_or_else(Arc::default, |nsid| nsid.0.as_bytes().into()),
        chaos: dns.chaos.as_ref().map(|text| text.0.as_str().into()),
        cookies: Cookies {
            is_on: dns.cookies.enabled.value,
            secret_file: dns.cookies.secret_file.as_ref().map(|file| file.value.clone()),
        },
        rate_limit: rate.enabled.value.then(|| ResponseRate {
            per_second: rate.per_second.value,
            burst: rate.burst.as_ref().map_or(rate.per_second.value, |burst| burst.value),
            slip: rate.slip.value,
            exempt: rate.exempt.items.iter().map(|network| network.value).collect(),
            v4_prefix: rate.v4_prefix.value,
            v6_prefix: rate.v6_prefix.value,
            max_entries: rate.max_entries.value as usize,
        }),
        log: dns
            .log
            .as_ref()
            .and_then(|log| Some(QueryLog { path: log.path.as_ref()?.value.clone(), sample: log.sample.value })),
        tls,
        https,
    }
}
