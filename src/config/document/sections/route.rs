//! What a request must look like, and what is done with it.

use std::time::Duration;

use ipnet::IpNet;

use crate::config::document::{
    List, Named,
    scalar::{Body, HeaderName, HeaderValue, HostText, Method, PathPrefix, RedirectStatus, Text, WholePath, choice},
    section::section,
};
use crate::config::resolved::{BodyLimit, HostPattern, Template};

choice! {
    /// How a client is to come back.
    pub(crate) enum Scheme {
        Http = "http",
        Https = "https",
    }
}

section! {
    /// What a request must look like, and what is done with it.
    pub(crate) struct Route ("a route") {
        /// Its name in logs and metrics.
        name: Text = optional "its host and path, with `=` before a path meant exactly, and `#2`, `#3`, ... behind those of further routes",
        /// The host asked for: one (`shop.example`), all below one (`*.shop.example`), or all (`*`).
        host: HostPattern = "*",
        /// The beginning of the path, on whole segments: `/cart` is `/cart` and `/cart/...`, not `/carton`.
        path: PathPrefix = "/",
        /// The whole path, instead of `path`: `/cart` is `/cart` alone, `/cart/` is another.
        path_exact: WholePath = optional "not asked",
        /// The methods, as they are sent: `GET` alone does not take `HEAD`. At most 16.
        methods: List<Method> = [],
        /// The networks that the client's address is in, as its connection says it; `X-Forwarded-For` is not looked at. At most 256.
        clients: List<IpNet> = [],
        /// What each of these headers must be; where one is sent several times, one of them. At most 16.
        headers: Named<Test> = {},
        /// What each of these query parameters must be, after decoding; where one is sent several times, one of them. At most 16.
        query: Named<Test> = {},
        /// The pool whose origins answer. A route has this, `redirect`, `respond` or `dns`.
        pool: Text = optional "`redirect`, `respond` or `dns`",
        /// Sends the client elsewhere.
        redirect: Redirect = optional "`pool`, `respond` or `dns`",
        /// Answers by itself.
        respond: Respond = optional "`pool`, `redirect` or `dns`",
        /// Answers DNS over HTTPS (RFC 8484) as `listen.dns_https` does, mostly with `path_exact = "/dns-query"`.
        dns: bool = false,
        /// What origins see instead of what was asked for; with `pool` only.
        rewrite: Rewrite = optional "origins see the path and host that the client sent",
        /// What is changed in the headers of requests on their way to an origin; with `pool` only.
        request_headers: HeaderEdits = {},
        /// What is changed in the headers of answers: of origins, of `redirect` and of `respond`. Refusals and interim answers stay as they are.
        response_headers: HeaderEdits = {},
        /// How large a request's body may be; with `pool` only.
        max_body_size: BodyLimit = optional "`http.max_body_size`",
        /// What may take another time than the pool says; with `pool` only.
        timeouts: RouteTimeouts = {},
    }

    /// What a header or a query parameter must be: exactly one of these.
    pub(crate) struct Test ("a condition"; choice) {
        /// Its value is this.
        equals: Text = optional "not asked",
        /// Its value begins so.
        prefix: Text = optional "not asked",
        /// `true`: it is there, whatever its value. `false`: it is not.
        present: bool = optional "not asked",
    }

    /// Sends the client elsewhere: to a whole URL of the scheme, host, port and path asked for, except for what is set here. At least one is.
    pub(crate) struct Redirect ("a redirect") {
        /// The status; 307 and 308 keep the method, 301 and 308 may be remembered.
        status: RedirectStatus = 308,
        /// The scheme.
        scheme: Scheme = optional "the one asked by",
        /// The host.
        host: HostText = optional "the one asked for",
        /// The port.
        port: u16 = optional "the one asked for; with `scheme` or `host` the scheme's own" in 1 ..= 65535,
        /// The whole path.
        path: WholePath = optional "the one asked for",
        /// What stands instead of the route's own path; what follows it stays as it was sent.
        prefix: PathPrefix = optional "the path stays",
        /// Whether the query stays.
        keep_query: bool = true,
    }

    /// Answers by itself, with the same to everybody. Of the request's body nothing is read.
    pub(crate) struct Respond ("a fixed answer") {
        /// The status.
        status: u16 = 200 in 200 ..= 599,
        /// The body; at most 16 KiB, none with status 204, 205 or 304.
        body: Body = "",
        /// What the body is.
        content_type: HeaderValue = "text/plain; charset=utf-8",
    }

    /// What origins see instead of what was asked for. The query stays. At least one of these is set.
    pub(crate) struct Rewrite ("a rewrite") {
        /// The whole path.
        path: WholePath = optional "the one asked for",
        /// What stands instead of the route's own path; what follows it stays as it was sent.
        prefix: PathPrefix = optional "the path stays",
        /// The `Host`. What the client asked for is in `X-Forwarded-Host` all the same.
        host: HostText = optional "the one asked for, with its port",
    }

    /// What is changed in headers; a name may stand in one of these only. In values `{client}`, `{host}`, `{method}`, `{path}`, `{scheme}`,
    /// `{request_id}`, `{route}`, `{region}` and `{node}` stand for what they say, and `{{` for a brace. What frames or routes a message, and what
    /// says who asks, cannot be changed. At most 64 headers.
    pub(crate) struct HeaderEdits ("a table of header changes") {
        /// Headers that are left out.
        remove: List<HeaderName> = [],
        /// Headers that are sent with this value, instead of all of that name.
        set: Named<Template> = {},
        /// Headers that are sent beside those of that name.
        add: Named<Template> = {},
    }

    /// What may take another time than the pool says.
    pub(crate) struct RouteTimeouts ("`timeouts`") {
        /// The whole request, from its head to the last byte of the answer. A protocol upgrade ends it.
        request: Duration = optional "unbounded, as long as every step makes progress in its time" in "10ms" ..= "24h",
        /// From the request sent to the response's head.
        response_head: Duration = optional "the pool's" in "10ms" ..= "1h",
        /// Between two pieces of a response's body.
        between_bytes: Duration = optional "the pool's" in "10ms" ..= "1h",
    }
}
