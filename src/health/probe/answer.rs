//! What came of a probe.

use std::{fmt, io};

use super::Report;
use crate::resolver::is_out_of_means;

/// What came of a probe, and what the answer said besides.
#[derive(Debug)]
pub(in crate::health) struct Answer {
    pub(in crate::health) result: Result<Good, Failure>,
    /// How much work is wanted; nothing where the check does not listen, or no answer came.
    pub(in crate::health) report: Option<Report>,
}

/// What a good answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::health) enum Good {
    /// It accepted, and said what it should, if it should.
    Connected,
    /// It is who it should be; its certificate ends in so many days, where that could be read.
    Secured(Option<u64>),
    /// A good status, with all that has to be in it.
    Status(u16),
    /// `SERVING`.
    Serving,
    /// Ended with 0.
    Ended,
}

/// Why an answer was not good.
#[derive(Debug)]
pub(in crate::health) enum Failure {
    /// No connection, or it broke.
    Connection(io::Error),
    /// No handshake, or with somebody else.
    Tls(io::Error),
    /// What the check needs for TLS is not there.
    NoTls,
    /// The certificate ends too soon: in so many days.
    EndsSoon(u64),
    /// Not HTTP.
    Protocol(hyper::Error),
    /// Not HTTP/2.
    Http2(h2::Error),
    /// A status outside the good ranges.
    Status(u16),
    /// The header that has to be there is not, or says something else.
    Header,
    /// The first bytes do not have what they should.
    Body,
    /// Not gRPC.
    NotGrpc(&'static str),
    /// gRPC says no, by its status.
    GrpcStatus(u32),
    /// A service that is not `SERVING`.
    NotServing(u64),
    /// The other side closed before it had said what it should.
    Closed,
    /// The program could not be started.
    NotStarted(io::Error),
    /// The program ended with this, or by a signal.
    Ended(Option<i32>),
    /// No answer in time.
    Timeout,
}

impl Failure {
    /// Whether this node could not even ask, which says nothing about the target. Where this node has no address that leads there, it fails
    /// in the same way as where its ports have run out, and for as long as it runs: only of who was up is the latter believed.
    pub(in crate::health) fn is_our_own(&self, was_up: bool) -> bool {
        let (Self::Connection(error) | Self::NotStarted(error)) = self else { return false };
        is_out_of_means(error) && (was_up || error.kind() != io::ErrorKind::AddrNotAvailable)
    }
}

impl fmt::Display for Good {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Secured(Some(days)) => write!(f, "certificate good for {days} days"),
            Self::Secured(None) => f.write_str("certificate good"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Serving => f.write_str("serving"),
            Self::Ended => f.write_str("ended with 0"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "connection: {error}"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::NoTls => f.write_str("TLS: its files are not loaded"),
            Self::EndsSoon(days) => write!(f, "its certificate ends in {days} days"),
            Self::Protocol(error) => {
                write!(f, "not a good answer: {error}")?;
                // What hyper says of itself is short; the cause says more.
                std::error::Error::source(error).map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
            Self::Http2(error) => write!(f, "not a good answer: {error}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Header => f.write_str("its header is not as it should be"),
            Self::Body => f.write_str("what it says is not what it should"),
            Self::NotGrpc(why) => write!(f, "not an answer of gRPC: {why}"),
            Self::GrpcStatus(5) => f.write_str("gRPC status 5: it does not know the service"),
            Self::GrpcStatus(12) => f.write_str("gRPC status 12: it has no health service"),
            Self::GrpcStatus(status) => write!(f, "gRPC status {status}"),
            Self::NotServing(2) => f.write_str("not serving"),
            Self::NotServing(3) => f.write_str("it does not know the service"),
            Self::NotServing(status) => write!(f, "serving status {status}"),
            Self::Closed => f.write_str("it closed before it had said what it should"),
            Self::NotStarted(error) => write!(f, "the command could not be started: {error}"),
            Self::Ended(Some(code)) => write!(f, "the command ended with {code}"),
            Self::Ended(None) => f.write_str("the command was killed"),
            Self::Timeout => f.write_str("no answer in time"),
        }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self { result: Err(failure), report: None }
    }
}

impl From<Result<Good, Failure>> for Answer {
    fn from(result: Result<Good, Failure>) -> Self {
        Self { result, report: None }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn what_this_node_lacks_is_its_own_and_no_way_is_so_only_where_there_was_one() {
        let failed = |code: Errno| Failure::Connection(io::Error::from_raw_os_error(code.raw_os_error()));
        let own = |code, was_up| failed(code).is_our_own(was_up);
        assert!(own(Errno::MFILE, false) && own(Errno::MFILE, true));
        assert!(own(Errno::ADDRNOTAVAIL, true), "ports have run out");
        assert!(!own(Errno::ADDRNOTAVAIL, false), "or there is no IPv6 here");
        assert!(!own(Errno::CONNREFUSED, true) && !Failure::Timeout.is_our_own(true));
    }
}
