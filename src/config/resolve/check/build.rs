//! What a check means for who is probed by it. Says nothing: what is wrong was reported, and then nobody uses what comes of it.

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use super::{Owner, SharedChecks, members};
use crate::config::{
    diagnostic::Diagnostics,
    document::{self, CommandCheck, Entitled, GrpcCheck, Optional, TcpCheck, TextMatch, Timing, TlsCheck, Written},
    resolve::tls,
    resolved::{
        Check, CheckKind, CheckTiming, CheckTls, Checks, HeaderMatch, HttpCheck, OriginTls, Pattern, Protocol,
        Reporting, Trust,
    },
};

/// Bytes that a compiled expression may take.
const MAX_COMPILED: usize = 256 * 1024;
/// What a header is called that is not looked at.
const OFF: &str = "off";

/// The expression in a form that can be looked for.
pub(super) fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build()
}

impl SharedChecks<'_> {
    /// Nothing where it is too deep, or more than what is `left`.
    pub(super) fn build(
        &self,
        written: &document::Check,
        owner: &Owner<'_>,
        depth: usize,
        left: &mut usize,
    ) -> Option<Checks> {
        let Some((names, count)) = members(written) else {
            *left = left.checked_sub(1)?;
            return Some(Checks::One(Arc::new(self.leaf(written, owner))));
        };
        let depth = depth.checked_sub(1)?;
        let mut of = Vec::with_capacity(names.len());
        for name in names {
            let at = self.names.position(name)?;
            self.is_used[at].set(true);
            let Entitled { name, value, .. } = &self.written[at];
            let built = self.build(value, &Owner { host: name, ..*owner }, depth, left)?;
            if built.only().is_some_and(|check| check.tls.is_some()) {
                self.is_secured[at].set(true);
            }
            of.push(built);
        }
        if of.len() == 1 { of.pop() } else { Some(Checks::AtLeast { count, of }) }
    }

    fn leaf(&self, written: &document::Check, owner: &Owner<'_>) -> Check {
        if let Some(http) = written.http.as_ref() {
            self.http(http, owner)
        } else if let Some(grpc) = written.grpc.as_ref() {
            grpc_check(grpc, owner)
        } else if let Some(tls) = written.tls.as_ref() {
            tls_check(tls, owner)
        } else if let Some(command) = written.command.as_ref() {
            command_check(command, owner)
        } else {
            written.tcp.as_ref().map_or_else(|| tcp_check(&document::default_tcp(), owner), |tcp| tcp_check(tcp, owner))
        }
    }

    fn http(&self, http: &document::HttpCheck, owner: &Owner<'_>) -> Check {
        let protocol = match http.protocol.as_ref().map(|written| written.value) {
            Some(document::Protocol::H1) => Protocol::H1,
            Some(document::Protocol::H2) => Protocol::H2,
            None if http.plain.value => Protocol::H1,
            None => owner.protocol,
        };
        let tls = spoken(&http.tls, &http.server_name, http.plain.value, protocol, owner);
        let headers = http
            .headers
            .iter()
            .map(|header| (Arc::from(header.name.to_ascii_lowercase()), Arc::from(header.value.0.as_str())));
        let looked_at = |name: &str| (name != OFF).then(|| Arc::from(name));
        let kind = CheckKind::Http(HttpCheck {
            method: http.method.0.as_str().into(),
            path: http.path.0.as_str().into(),
            host: host(&http.host, owner),
            headers: headers.collect(),
            protocol,
            statuses: http.status.0.as_slice().into(),
            body: http.body.as_ref().and_then(|body| self.pattern(body)),
            header: http.header.as_ref().and_then(|header| {
                let name = header.name.as_ref()?.0.as_str().into();
                Some(HeaderMatch { name, value: header.says.as_ref().and_then(|value| self.pattern(value)) })
            }),
            reporting: http.report.value.then(|| Reporting {
                weight_header: looked_at(&http.weight_header.0),
                drain_header: looked_at(&http.drain_header.0),
            }),
        });
        Check { kind, port: port(&http.port, tls.is_some(), owner), tls, timing: timing(&http.timing) }
    }

    fn pattern(&self, written: &TextMatch) -> Option<Pattern> {
        if let Some(part) = written.contains.as_ref() {
            return Some(Pattern::Contains(part.0.as_str().into()));
        }
        let text = &written.regex.as_ref()?.0;
        let mut compiled = self.compiled.borrow_mut();
        if let Some(known) = compiled.get(text) {
            return Some(Pattern::Regex(known.clone()));
        }
        let expression = compile(text).ok()?;
        compiled.insert(text.clone(), expression.clone());
        Some(Pattern::Regex(expression))
    }
}

fn grpc_check(grpc: &GrpcCheck, owner: &Owner<'_>) -> Check {
    let tls = spoken(&grpc.tls, &grpc.server_name, grpc.plain.value, Protocol::H2, owner);
    let service = grpc.service.as_ref().map_or("", |service| &service.0).into();
    let kind = CheckKind::Grpc { service, host: host(&grpc.host, owner) };
    Check { kind, port: port(&grpc.port, tls.is_some(), owner), tls, timing: timing(&grpc.timing) }
}

fn tls_check(check: &TlsCheck, owner: &Owner<'_>) -> Check {
    let inherited = || OriginTls { trust: Trust::Platform, server_name: None, client: None };
    let settings = own(&check.tls).or_else(|| owner.tls.cloned()).unwrap_or_else(inherited);
    let tls = CheckTls { settings: named(settings, &check.server_name), protocol: None };
    Check {
        kind: CheckKind::Tls { min_days: check.min_days.value },
        port: port(&check.port, true, owner),
        tls: Some(tls),
        timing: timing(&check.timing),
    }
}

fn tcp_check(tcp: &TcpCheck, owner: &Owner<'_>) -> Check {
    let bytes =
        |written: &Optional<document::Bytes>| written.as_ref().map_or_else(Arc::default, |it| it.0.as_slice().into());
    let kind = CheckKind::Tcp { send: bytes(&tcp.send), expect: bytes(&tcp.expect) };
    Check { kind, port: port(&tcp.port, false, owner), tls: None, timing: timing(&tcp.timing) }
}

fn command_check(command: &CommandCheck, owner: &Owner<'_>) -> Check {
    let kind = CheckKind::Command {
        program: command.program.as_ref().map_or("", |program| &program.0).into(),
        arguments: command.arguments.items.iter().map(|item| Arc::from(item.0.as_str())).collect(),
        pool: owner.is_pool.then(|| owner.name.into()),
    };
    Check { kind, port: port(&command.port, false, owner), tls: None, timing: timing(&command.timing) }
}

fn host(written: &Optional<document::HostText>, owner: &Owner<'_>) -> Arc<str> {
    written.as_ref().map_or(owner.host, |host| &host.0).into()
}

/// Where a front door is asked follows from what is spoken; origins say it themselves.
fn port(written: &Optional<u16>, is_tls: bool, owner: &Owner<'_>) -> Option<u16> {
    let own = written.as_ref().map(|port| port.value);
    own.or_else(|| owner.ports.map(|[plain, tls]| if is_tls { tls } else { plain }))
}

/// How TLS is spoken around a request.
fn spoken(
    written: &Optional<document::OriginTls>,
    server_name: &Optional<document::HostText>,
    is_plain: bool,
    protocol: Protocol,
    owner: &Owner<'_>,
) -> Option<CheckTls> {
    let inherited = || owner.tls.filter(|_| owner.is_tls_for_all).cloned();
    let settings = own(written).or_else(inherited).filter(|_| !is_plain)?;
    Some(CheckTls { settings: named(settings, server_name), protocol: Some(protocol) })
}

fn own(written: &Optional<document::OriginTls>) -> Option<OriginTls> {
    written.as_ref().map(|tls: &Written<_>| tls::origins(tls, tls.place, &mut Diagnostics::default()))
}

fn named(settings: OriginTls, server_name: &Optional<document::HostText>) -> OriginTls {
    let server_name = server_name.as_ref().map(|host| Arc::from(host.0.as_str())).or(settings.server_name);
    OriginTls { server_name, ..settings }
}

fn timing(written: &Timing) -> CheckTiming {
    CheckTiming {
        interval: written.interval.value,
        recheck: written.recheck.value,
        timeout: written.timeout.value,
        rise: written.rise.value,
        fall: written.fall.value,
        jitter_percent: written.jitter.value,
        long_down: written.long_down.value,
        long_down_after: written.long_down_after.value,
        flap_window: written.flap_window.value,
        flaps: written.flaps.value,
    }
}
