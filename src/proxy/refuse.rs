//! Why a request is not answered by an origin, and what the client is told: the one place where refusals become HTTP.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// The typed reason. Its word is the metric label, the log field and a member of the problem document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// The host is missing, given twice, malformed, or differs from the request's target.
    BadHost,
    /// Two opinions about where the request ends.
    AmbiguousLength,
    /// `CONNECT`: this is no forward proxy.
    NoTunnels,
    /// No route matches.
    NoRoute,
    /// Nothing that may be asked is alive.
    NoHealthyOrigin,
    /// No origin accepted a connection.
    ConnectFailed,
    /// Connecting took too long.
    ConnectTimeout,
    /// The origin took too long to answer.
    ResponseTimeout,
    /// The origin broke off, or what it said is not HTTP.
    BadResponse,
    /// The client stopped sending its request.
    ClientTooSlow,
    /// The client broke off while sending its request.
    ClientGone,
}

impl Refusal {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadHost => "bad-host",
            Self::AmbiguousLength => "ambiguous-length",
            Self::NoTunnels => "no-tunnels",
            Self::NoRoute => "no-route",
            Self::NoHealthyOrigin => "no-healthy-origin",
            Self::ConnectFailed => "connect-failed",
            Self::ConnectTimeout => "connect-timeout",
            Self::ResponseTimeout => "response-timeout",
            Self::BadResponse => "bad-response",
            Self::ClientTooSlow => "client-too-slow",
            Self::ClientGone => "client-gone",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadHost | Self::AmbiguousLength | Self::ClientGone => StatusCode::BAD_REQUEST,
            Self::NoTunnels => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NoHealthyOrigin => StatusCode::SERVICE_UNAVAILABLE,
            Self::ConnectFailed | Self::BadResponse => StatusCode::BAD_GATEWAY,
            Self::ConnectTimeout | Self::ResponseTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientTooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::BadHost => "the request must name one host, the same in its target and its Host header",
            Self::AmbiguousLength => "the request's length is stated in more than one way",
            Self::NoTunnels => "CONNECT is not served here",
            Self::NoRoute => "no route matches this host and path",
            Self::NoHealthyOrigin => "no origin of this service can take the request now",
            Self::ConnectFailed => "the origin did not accept a connection",
            Self::ConnectTimeout => "connecting to the origin took too long",
            Self::ResponseTimeout => "the origin took too long to answer",
            Self::BadResponse => "the origin broke off its answer, or it was not HTTP",
            Self::ClientTooSlow => "the request's body stopped arriving",
            Self::ClientGone => "the request's body broke off",
        }
    }

    /// The answer: status, `Retry-After` where trying again makes sense, and a problem document (RFC 9457).
    pub(super) fn response(self, request_id: &HeaderValue) -> Response<Bytes> {
        let status = self.status();
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "refusal": self.as_str(),
            "request_id": request_id.to_str().unwrap_or_default(),
        });
        let mut response = Response::new(Bytes::from(problem.to_string() + "\n"));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self, Self::AmbiguousLength | Self::ClientTooSlow | Self::ClientGone) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
