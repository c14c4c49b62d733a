//! Heads as they leave.

use std::net::IpAddr;

use super::*;
use crate::{
    config::{HttpIdentity, TraceMode},
    proxy::{
        exchange::Told,
        h1::{Length, Malformed, Minor, RequestHead, ResponseHead},
        id::RequestId,
        route::{Changes, Edits},
    },
};

const NONE: Identity<'_> = Identity {
    client: IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
    scheme: "http",
    version: "1.1",
    is_trusted: false,
    certificate: None,
    id: &RequestId::Own([b'0'; 32]),
    trace: None,
    mark: None,
    told: HttpIdentity { x_forwarded: true, forwarded: false, via: false, request_id: true, trace: TraceMode::Keep },
};

fn headers<'a>(lines: &[(&'a str, &'a str)]) -> Vec<Header<'a>> {
    lines.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect()
}

fn sent(lines: &[(&str, &str)], length: Length, upgrade: Option<&[u8]>, identity: Identity<'_>) -> String {
    let headers = headers(lines);
    let head = RequestHead { method: "GET", target: "/", minor: Minor::One, headers: &headers };
    let hop = Hop::read(&headers).unwrap();
    let mut out = Vec::new();
    let authority = "shop.example:80";
    let (target, host) = (["/a", "", "?b"], authority);
    let changes = Changes { edits: &Edits::default(), lines: b"" };
    let outgoing = Outgoing { head: &head, hop: &hop, target, authority, host, length, upgrade, identity, changes };
    outgoing.write(&mut out);
    String::from_utf8(out).unwrap()
}

fn passed_on(status: u16, lines: &[(&str, &str)], length: Length, client: Minor, persists: bool) -> String {
    let headers = headers(lines);
    let head = ResponseHead { status, reason: "Why", minor: Minor::One, headers: &headers };
    let hop = Hop::read(&headers).unwrap();
    let mut out = Vec::new();
    let changes = Changes { edits: &Edits::default(), lines: b"" };
    let told = &Told { id: true, via: false, hsts: None };
    let incoming = Incoming {
        head: &head,
        hop: &hop,
        length,
        is_empty: false,
        client,
        persists,
        id: NONE.id,
        told,
        version: "1.1",
        changes,
        hidden: None,
        cookie: None,
    };
    incoming.write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_header_for_us_alone_is_not_passed_on() {
    let headers = headers(&[("X-Meridian-Fail", "30s"), ("X-Meridian-Failure", "no"), ("Content-Length", "0")]);
    let head = ResponseHead { status: 200, reason: "OK", minor: Minor::One, headers: &headers };
    let hop = Hop::read(&headers).unwrap();
    let told = &Told { id: false, via: false, hsts: None };
    let incoming = Incoming {
        head: &head,
        hop: &hop,
        length: Length::None,
        is_empty: true,
        client: Minor::One,
        persists: true,
        id: NONE.id,
        told,
        version: "1.1",
        changes: Changes { edits: &Edits::default(), lines: b"" },
        hidden: Some("x-meridian-fail"),
        cookie: None,
    };
    let mut out = Vec::new();
    incoming.write(&mut out);
    let expected = "HTTP/1.1 200 OK\r\nX-Meridian-Failure: no\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert!(!incoming.response().unwrap().headers().contains_key("x-meridian-fail"));
}

#[test]
fn what_is_for_this_hop_goes_and_the_rest_stays_as_it_was() {
    let lines = [
        ("HOST", "other.example"),
        ("Connection", "X-Private, host, Content-Length, keep-alive"),
        ("x-private", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Content-Length", "5"),
        ("TE", "gzip"),
        ("Upgrade", "websocket"),
        ("Proxy-Authorization", "Basic x"),
        ("aCcEpT", "*/*"),
    ];
    let sent = sent(&lines, Length::Exact(5), None, NONE);
    let expected = "GET /a?b HTTP/1.1\r\nhost: shop.example:80\r\nContent-Length: 5\r\naCcEpT: */*\r\n\
                    x-forwarded-for: 10.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: shop.example:80\r\n\
                    x-request-id: 00000000000000000000000000000000\r\n\r\n";
    assert_eq!(sent, expected);
}

#[test]
fn framing_trailers_and_upgrades_are_said_anew() {
    let chunked = sent(&[("Transfer-Encoding", "Chunked"), ("TE", "Trailers")], Length::Chunked, None, NONE);
    assert!(chunked.contains("\r\ntransfer-encoding: chunked\r\nconnection: te\r\nte: trailers\r\n\r\n"), "{chunked}");
    let lines = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
    let upgrade = sent(&lines, Length::None, Some(b"websocket"), NONE);
    assert!(upgrade.ends_with("\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"), "{upgrade}");
}

#[test]
fn only_a_trusted_client_speaks_for_others() {
    let lines = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "203.0.113.10"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "a.example"),
        ("x_forwarded_for", "203.0.113.11"),
        ("X-Forwarded-Prefix", "/203.0.113"),
        ("Forwarded", "for=203.0.113.12"),
        ("X-Real_IP", "203.0.113.13"),
    ];
    let from_anyone = sent(&lines, Length::None, None, NONE);
    assert!(!from_anyone.contains("203.0.113") && !from_anyone.contains("https") && !from_anyone.contains("a.example"));
    let from_trusted = sent(&lines, Length::None, None, Identity { is_trusted: true, ..NONE });
    let expected = "x-forwarded-for: 203.0.113.9, 203.0.113.10, 10.0.0.1\r\nx-forwarded-proto: https\r\nx-forwarded-host: a.example\r\n";
    assert!(from_trusted.contains(expected), "{from_trusted}");
    assert!(from_trusted.contains("Forwarded: for=203.0.113.12\r\n") && !from_trusted.contains("203.0.113.11"));
}

#[test]
fn an_answer_says_what_becomes_of_the_connection() {
    let length = [("Content-Length", "0"), ("Connection", "close, x-hop"), ("X-Hop", "1"), ("X-Request-Id", "theirs")];
    let id = "x-request-id: 00000000000000000000000000000000\r\n";
    let say = |client, persists| passed_on(200, &length, Length::None, client, persists);
    let begin = format!("HTTP/1.1 200 Why\r\nContent-Length: 0\r\n{id}");
    assert_eq!(say(Minor::One, true), format!("{begin}\r\n"));
    assert_eq!(say(Minor::One, false), format!("{begin}connection: close\r\n\r\n"));
    assert_eq!(say(Minor::Zero, true), format!("{begin}connection: keep-alive\r\n\r\n"));
    assert_eq!(say(Minor::Zero, false), format!("{begin}\r\n"));
    let no_content = passed_on(204, &length, Length::None, Minor::One, true);
    assert_eq!(no_content, format!("HTTP/1.1 204 Why\r\n{id}\r\n"), "204 has no length (RFC 9110 §8.6)");
    let switching = [("Connection", "upgrade"), ("Upgrade", "websocket")];
    let switching = passed_on(101, &switching, Length::None, Minor::One, true);
    assert_eq!(switching, format!("HTTP/1.1 101 Why\r\nconnection: upgrade\r\nupgrade: websocket\r\n{id}\r\n"));
}

#[test]
fn trailers_that_frame_or_identify_a_message_are_left_out() {
    let trailers = [("Content-Length", "5"), ("X-Sum", "1"), ("transfer-encoding", "x"), ("X-Forwarded-For", "1")];
    let kept = kept_trailers(trailers.iter().map(|(name, value)| (*name, value.as_bytes())));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept["x-sum"], "1");
}

#[test]
fn a_connection_header_has_bounds() {
    let many = (0..9).map(|at| format!("x-{at}")).collect::<Vec<_>>().join(",");
    for (value, expected) in
        [(many.as_str(), Malformed::TooManyHeaders), ("a b", Malformed::Syntax), ("@", Malformed::Syntax)]
    {
        assert_eq!(Hop::read(&headers(&[("connection", value)])).unwrap_err(), expected, "{value}");
    }
    let hop = Hop::read(&headers(&[("connection", " Close ,, UPGRADE")])).unwrap();
    assert!(hop.closes && hop.upgrades && !hop.keeps_alive && !hop.persists(Minor::One));
}

#[test]
fn forwarded_and_via_are_said_where_that_is_wanted_and_go_on_from_what_the_trusted_say() {
    let told = HttpIdentity { x_forwarded: false, forwarded: true, via: true, request_id: false, ..NONE.told };
    let lines = [
        ("Forwarded", "for=203.0.113.9"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("Via", "1.1 them"),
        ("X-Request-Id", "theirs"),
    ];
    let from_anyone = sent(&lines, Length::None, None, Identity { told, ..NONE });
    let expected = "X-Request-Id: theirs\r\nforwarded: for=10.0.0.1;host=\"shop.example:80\";proto=http\r\n\
                    via: 1.1 them, 1.1 meridian\r\n\r\n";
    assert!(from_anyone.ends_with(expected) && !from_anyone.contains("203.0.113"), "{from_anyone}");
    let client = "2001:db8::1".parse().unwrap();
    let from_trusted = sent(&lines, Length::None, None, Identity { told, client, is_trusted: true, ..NONE });
    let expected = "forwarded: for=203.0.113.9, for=\"[2001:db8::1]\";host=\"shop.example:80\";proto=http\r\n";
    assert!(from_trusted.contains(expected) && from_trusted.contains("X-Forwarded-For: 203.0.113.9\r\n"));
}

#[test]
fn a_trace_that_begins_here_takes_the_place_of_what_was_brought() {
    let headers = [("Traceparent", "nonsense"), ("Tracestate", "a=b"), ("TE", "gzip")];
    let none: Vec<Header<'_>> = Vec::new();
    let random = &mut crate::clock::seeded(1);
    let trace = crate::proxy::trace::Traceparent::of(&none, TraceMode::Make, false, random).unwrap();
    let sent = sent(&headers, Length::None, None, Identity { trace: Some(&trace), ..NONE });
    let line = format!("traceparent: {}\r\n", String::from_utf8_lossy(trace.as_bytes()));
    assert!(sent.contains(&line) && !sent.contains("nonsense") && !sent.contains("a=b"), "{sent}");
}

#[test]
fn an_answer_over_tls_says_what_is_wanted_instead_of_what_the_origin_says() {
    let headers = headers(&[("Strict-Transport-Security", "max-age=1"), ("Via", "1.1 them"), ("Content-Length", "0")]);
    let head = ResponseHead { status: 200, reason: "OK", minor: Minor::One, headers: &headers };
    let hop = Hop::read(&headers).unwrap();
    let told = &Told { id: false, via: true, hsts: Some("max-age=31536000".into()) };
    let changes = Changes { edits: &Edits::default(), lines: b"" };
    let (length, client, id) = (Length::None, Minor::One, NONE.id);
    let incoming = Incoming {
        head: &head,
        hop: &hop,
        length,
        is_empty: true,
        client,
        persists: true,
        id,
        told,
        version: "2",
        changes,
        hidden: None,
        cookie: None,
    };
    let mut out = Vec::new();
    incoming.write(&mut out);
    let expected = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nstrict-transport-security: max-age=31536000\r\n\
                    via: 1.1 them, 2 meridian\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
