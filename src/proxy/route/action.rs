//! What a route does with a request, ready to be done.

use std::{fmt::Write, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::{
    edits::Edits,
    rewrite::Rewrite,
    template::{Fixed, Values},
};
use crate::{
    config::{self, BodyLimit, Conditions, Config},
    fleet::PoolId,
};

/// The one thing that is done.
#[derive(Debug)]
pub(in crate::proxy) enum Action {
    Forward(Forward),
    Redirect(Redirect),
    Respond(Respond),
    /// It is a DNS query.
    Dns,
}

/// How a request goes to an origin.
#[derive(Debug)]
pub(in crate::proxy) struct Forward {
    pub(in crate::proxy) pool: PoolId,
    pub(in crate::proxy) path: Option<Rewrite>,
    /// The `Host` that the origin sees, where it is not the client's.
    pub(in crate::proxy) host: Option<Arc<str>>,
    pub(in crate::proxy) headers: Edits,
    pub(in crate::proxy) limits: Limits,
}

/// How large a request may be, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Limits {
    /// Bytes that the body may have.
    pub(in crate::proxy) max_body_size: u64,
    /// For the whole request.
    pub(in crate::proxy) deadline: Option<Duration>,
    pub(in crate::proxy) response_head: Duration,
    pub(in crate::proxy) between_bytes: Duration,
}

/// Where a client is sent.
#[derive(Debug)]
pub(in crate::proxy) struct Redirect {
    pub(in crate::proxy) status: StatusCode,
    to: config::Redirect,
    path: Option<Rewrite>,
}

/// One answer for all.
#[derive(Debug)]
pub(in crate::proxy) struct Respond {
    pub(in crate::proxy) status: StatusCode,
    pub(in crate::proxy) content_type: String,
    pub(in crate::proxy) body: Bytes,
}

impl Action {
    pub(super) fn new(route: &config::Route, config: &Config, fixed: Fixed<'_>) -> Self {
        let Conditions { path: matched, .. } = &route.conditions;
        match &route.action {
            config::Action::Forward(forward) => {
                let pool = config.pools[forward.pool.index()].timeouts;
                let timeouts = forward.timeouts;
                let limit = forward.max_body_size.unwrap_or(config.http.max_body_size);
                Self::Forward(Forward {
                    pool: forward.pool,
                    path: forward.path.as_ref().map(|change| Rewrite::new(change, matched)),
                    host: forward.host.clone(),
                    headers: Edits::new(&forward.request_headers, fixed),
                    limits: Limits {
                        max_body_size: if let BodyLimit::Bytes(bytes) = limit { bytes } else { u64::MAX },
                        deadline: timeouts.request,
                        response_head: timeouts.response_head.unwrap_or(pool.response_head),
                        between_bytes: timeouts.between_bytes.unwrap_or(pool.between_bytes),
                    },
                })
            }
            config::Action::Redirect(to) => {
                let path = to.path.as_ref().map(|change| Rewrite::new(change, matched));
                Self::Redirect(Redirect { status: status(to.status), to: to.clone(), path })
            }
            config::Action::Respond(respond) => Self::Respond(Respond {
                status: status(respond.status),
                content_type: (*respond.content_type).to_owned(),
                body: Bytes::copy_from_slice(respond.body.as_bytes()),
            }),
            config::Action::Dns => Self::Dns,
        }
    }
}

/// A config has none that is no status.
fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::OK)
}

impl Redirect {
    /// One that leaves the path as it is.
    pub(super) fn plain(to: &config::Redirect) -> Self {
        Self { status: status(to.status), to: to.clone(), path: None }
    }

    /// The URL that the client is sent to: always a whole one, so that no path can be read as a host. `authority` is the host with its port as
    /// the client named them. Nothing where nobody named a host.
    pub(in crate::proxy) fn location(
        &self,
        values: &Values<'_>,
        authority: &str,
        path_and_query: &str,
    ) -> Option<String> {
        let Self { to, path, .. } = self;
        let host = Some(to.host.as_deref().unwrap_or(values.host)).filter(|host| !host.is_empty())?;
        let mut url = [to.scheme.unwrap_or(values.scheme), "://"].concat();
        match to.port {
            // A text takes every write.
            Some(port) => _ = write!(url, "{host}:{port}"),
            None if to.scheme.is_some() || to.host.is_some() => url.push_str(host),
            None => url.push_str(authority),
        }
        let query = if to.keep_query { path_and_query.get(values.path.len()..).unwrap_or_default() } else { "" };
        let path = path.as_ref().map_or([values.path, ""], |path| path.apply(values.path));
        url.extend(path.into_iter().chain([query]));
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PathChange, PathPattern};

    fn location(to: config::Redirect, authority: &str, path_and_query: &str) -> Option<String> {
        let host = authority.split(':').next().unwrap().to_ascii_lowercase();
        let matched = PathPattern::Below("/old".into());
        let path = to.path.as_ref().map(|change| Rewrite::new(change, &matched));
        let client = [10, 0, 0, 1].into();
        let sent = path_and_query.split('?').next().unwrap();
        let values = Values { client, host: &host, method: "GET", path: sent, scheme: "http", request_id: b"" };
        Redirect { status: status(to.status), to, path }.location(&values, authority, path_and_query)
    }

    const NOWHERE: config::Redirect =
        config::Redirect { status: 308, scheme: None, host: None, port: None, path: None, keep_query: true };

    #[test]
    fn what_is_not_set_stays_as_it_was_asked_for() {
        let https = config::Redirect { scheme: Some("https"), ..NOWHERE };
        assert_eq!(location(https.clone(), "Shop.example:8080", "/a?b").unwrap(), "https://shop.example/a?b");
        let port = config::Redirect { port: Some(8443), keep_query: false, ..https };
        assert_eq!(location(port, "shop.example:8080", "/a?b").unwrap(), "https://shop.example:8443/a");
        let prefix = config::Redirect { path: Some(PathChange::Prefix("/new".into())), ..NOWHERE };
        assert_eq!(
            location(prefix.clone(), "shop.example:8080", "/old/a?b").unwrap(),
            "http://shop.example:8080/new/a?b"
        );
        assert_eq!(location(prefix, "", "/old/a"), None);
        let host = config::Redirect { host: Some("www.shop.example".into()), ..NOWHERE };
        assert_eq!(location(host, "shop.example:8080", "/old?").unwrap(), "http://www.shop.example/old?");
    }

    #[test]
    fn no_path_becomes_a_host() {
        let root = config::Redirect { path: Some(PathChange::Prefix("/".into())), ..NOWHERE };
        for path in ["/old//evil.example", "/old/\\evil.example", "/old\\/evil.example/"] {
            let location = location(root.clone(), "shop.example", path).unwrap();
            assert!(location.starts_with("http://shop.example/evil.example"), "{location}");
        }
    }
}
