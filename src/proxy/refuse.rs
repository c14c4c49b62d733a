//! Why a request is not answered by an origin, and what the client is told: the one place where refusals become HTTP.

use http::StatusCode;

use super::{answer::OwnAnswer, exchange::Reply};

/// Declares the reasons with their word, status and sentence.
macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $status:ident, $detail:literal;)+) => {
        /// The typed reason. Its word is the metric label, the log field and a member of the problem document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Refusal {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }

            /// What the client is told.
            pub(super) fn detail(self) -> &'static str {
                match self {
                    $(Self::$name => $detail,)+
                }
            }
        }
    };
}

refusals! {
    /// What came is not HTTP.
    Malformed = "malformed", BAD_REQUEST, "the request's head is not well formed";
    /// Neither HTTP/1.0 nor HTTP/1.1.
    BadVersion = "bad-version", HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.0 and HTTP/1.1 are spoken here";
    /// The head is larger than allowed, or has more headers.
    HeadTooLarge = "head-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too large, or has too many headers";
    /// The target is longer than allowed.
    UriTooLong = "uri-too-long", URI_TOO_LONG, "the request's path and query are too long";
    /// The target is neither a path nor an absolute URL.
    BadTarget = "bad-target", BAD_REQUEST, "the request's target is neither a path nor an http URL";
    /// The path can be read in more than one way.
    AmbiguousPath = "ambiguous-path", BAD_REQUEST, "the path has a `.` or `..` segment, a control character or a broken `%`";
    /// The host is missing, given twice, malformed, or differs from the request's target.
    BadHost = "bad-host", BAD_REQUEST, "the request must name one host, the same in its target and its Host header";
    /// Two opinions about where the request ends.
    AmbiguousLength = "ambiguous-length", BAD_REQUEST, "the request does not say in exactly one way how long it is";
    /// The body's chunks are not framed well.
    BadBody = "bad-body", BAD_REQUEST, "the request's chunks or trailers are not well formed";
    /// `CONNECT`: this is no forward proxy.
    NoTunnels = "no-tunnels", METHOD_NOT_ALLOWED, "CONNECT is not served here";
    /// The connection was made for a host that asks less, or something else, of clients.
    Misdirected = "misdirected", MISDIRECTED_REQUEST, "this host needs a connection of its own";
    /// It came through this region before.
    LoopDetected = "loop-detected", LOOP_DETECTED, "the request came back to a region that it was passed on from";
    /// The route answers DNS, which is asked by other methods.
    WrongMethod = "wrong-method", METHOD_NOT_ALLOWED, "DNS is asked by GET, HEAD or POST";
    /// The route answers DNS, and the body is something else.
    NotDns = "not-dns", UNSUPPORTED_MEDIA_TYPE, "the body has to be an application/dns-message without any encoding";
    /// The route answers DNS, and the request holds no query.
    BadQuery = "bad-query", BAD_REQUEST, "the request holds no DNS query: one parameter `dns` in base64url without padding, or a body";
    /// No route matches.
    NoRoute = "no-route", NOT_FOUND, "no route takes such a request";
    /// Nothing that may be asked is alive.
    NoHealthyOrigin = "no-healthy-origin", SERVICE_UNAVAILABLE, "no origin of this service can take the request now";
    /// Every origin that may be asked has as many connections as it may have.
    OriginsBusy = "origins-busy", SERVICE_UNAVAILABLE, "the origins have as many connections as they may have";
    /// No origin accepted a connection.
    ConnectFailed = "connect-failed", BAD_GATEWAY, "the origin did not accept a connection";
    /// Connecting took too long.
    ConnectTimeout = "connect-timeout", GATEWAY_TIMEOUT, "connecting to the origin took too long";
    /// The origin took too long to answer.
    ResponseTimeout = "response-timeout", GATEWAY_TIMEOUT, "the origin took too long to answer";
    /// The origin broke off, or what it said is not HTTP.
    BadResponse = "bad-response", BAD_GATEWAY, "the origin broke off its answer, or it was not HTTP";
    /// The origins that were asked answered, but with statuses that are not passed on while others are left.
    OriginFailed = "origin-failed", BAD_GATEWAY, "the origins that were asked failed";
    /// The request's body is larger than its route allows.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "the request's body is larger than allowed here";
    /// The route's time for a whole request was up.
    DeadlineExceeded = "deadline-exceeded", GATEWAY_TIMEOUT, "answering the request took too long";
    /// The client stopped sending its request.
    ClientTooSlow = "client-too-slow", REQUEST_TIMEOUT, "the request stopped arriving";
    /// The client broke off while sending its request.
    ClientGone = "client-gone", BAD_REQUEST, "the request broke off";
}

impl Refusal {
    /// Whether nothing can be read behind the request, so that its connection ends.
    pub(super) fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::BadVersion
                | Self::HeadTooLarge
                | Self::UriTooLong
                | Self::AmbiguousLength
                | Self::BadBody
                | Self::NoTunnels
                | Self::ClientTooSlow
                | Self::ClientGone
        )
    }

    /// The answer: status, `Retry-After` where trying again makes sense, and a problem document (RFC 9457).
    pub(super) fn answer(self, reply: &Reply) -> OwnAnswer {
        let status = self.status();
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "refusal": self.as_str(),
            "request_id": reply.id.to_string(),
        });
        let mut headers =
            vec![("content-type", "application/problem+json".into()), ("cache-control", "no-store".into())];
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.push(("retry-after", "1".into()));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = if self == Self::WrongMethod {
                "GET, HEAD, POST"
            } else {
                "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
            };
            headers.push(("allow", allowed.into()));
        }
        OwnAnswer { status, headers, body: (problem.to_string() + "\n").into(), added: Vec::new() }
    }
}
