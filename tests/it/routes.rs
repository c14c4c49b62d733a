//! What routes do with requests, through a running node.

use crate::scene::{Answer, Connection, Meridian, Origin, get, meridian, origin};

/// A node with these routes, and the origins of its two pools, `shop` and `beta`.
fn node(routes: &str) -> (Meridian, Origin, Origin) {
    let (shop, beta) = (origin("shop"), origin("beta"));
    let pool = |name: &str, origin: &Origin| {
        format!(
            "[pools.{name}]\ncheck.tcp = {{ interval = \"100ms\", recheck = \"50ms\" }}\n[[pools.{name}.origins]]\naddress = \"{}\"\n",
            origin.address
        )
    };
    let node = meridian(&format!(
        "node.name = \"fra-1\"\n[regions.here]\naddresses = [\"127.0.0.1\"]\n{}{}{routes}",
        pool("shop", &shop),
        pool("beta", &beta)
    ));
    (node, shop, beta)
}

fn ask(node: &Meridian, request: &str) -> Answer {
    Connection::open(node.http()).ask(request.as_bytes()).unwrap()
}

/// What the origin saw, in lower case.
fn seen(node: &Meridian, path: &str) -> String {
    let answer = get(node.http(), "shop.example", path).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().to_ascii_lowercase()
}

#[test]
fn the_most_specific_route_takes_the_request() {
    let (node, _shop, _beta) = node(
        r#"
[[routes]]
pool = "shop"

[[routes]]
pool = "beta"
headers = { x-beta = { equals = "1" } }

[[routes]]
pool = "beta"
query = { "beta" = { present = true } }
methods = ["GET"]

[[routes]]
path_exact = "/only"
pool = "beta"

[[routes]]
path = "/elsewhere"
clients = ["192.0.2.0/24"]
pool = "beta"
"#,
    );
    let request = |line: &str, header: &str| ask(&node, &format!("{line} HTTP/1.1\r\nHost: a\r\n{header}\r\n")).text();
    assert_eq!(request("GET /", ""), "shop");
    assert_eq!(request("GET /", "X-Beta: 1\r\n"), "beta");
    assert_eq!(request("GET /?a=b&b%65ta", ""), "beta");
    assert_eq!(request("POST /?beta", ""), "shop");
    assert_eq!((request("GET /only", ""), request("GET /only/", "")), ("beta".into(), "shop".into()));
    assert_eq!(request("GET /elsewhere", ""), "shop");
    node.metric_becomes(r#"meridian_http_requests_total{route="*=/only",pool="beta",outcome="answered"}"#, 1);
    node.metric_becomes(r#"meridian_http_requests_total{route="*/#2",pool="beta",outcome="answered"}"#, 1);
}

#[test]
fn no_spelling_of_a_path_slips_past_its_route() {
    let (node, shop, _beta) =
        node("[[routes]]\npool = \"shop\"\n[[routes]]\npath = \"/admin\"\nrespond = { status = 403, body = \"no\" }\n");
    let status = |path: &str| get(node.http(), "a", path).unwrap().status;
    for path in ["/admin", "//admin/x", "/%61dmin", "/admin%2Fx", "/admin;a=b/x", "/%2Fadmin", "/\\admin"] {
        assert_eq!(status(path), 403, "{path}");
    }
    for path in ["/a/../admin", "/a/%2e%2e/admin", "/a%2f..%2fadmin", "/..;/admin", "/a%00", "/%zz"] {
        let answer = get(node.http(), "a", path).unwrap();
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains("ambiguous-path"), "{path}");
    }
    assert_eq!(shop.requests(), 0);
}

#[test]
fn a_redirect_is_a_whole_url_that_stays_on_its_host() {
    let (node, _shop, _beta) = node(
        r#"
[[routes]]
redirect = { scheme = "https" }

[[routes]]
path = "/old"
redirect = { status = 301, prefix = "/", keep_query = false }
response_headers = { set = { cache-control = "max-age=60", x-from = "{path}" } }
"#,
    );
    let answer = get(node.http(), "Shop.example:8080", "/a%20b?c=d").unwrap();
    assert_eq!((answer.status, answer.header("location")), (308, Some("https://shop.example/a%20b?c=d")));
    assert_eq!((answer.header("content-length"), answer.header("content-type")), (Some("0"), None));

    // The body that was announced is not read, so the connection ends.
    let answer =
        ask(&node, "POST /old//evil.example/x?c=d HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((answer.status, answer.header("location")), (301, Some("http://shop.example/evil.example/x")));
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    assert_eq!(answer.header("x-from"), Some("/old//evil.example/x"));
    assert_eq!(answer.header("connection"), Some("close"));

    let refused = ask(&node, "GET / HTTP/1.0\r\n\r\n");
    assert_eq!(refused.status, 400, "where nobody named a host there is none to lead to");
    node.metric_becomes(r#"meridian_http_requests_total{route="*/old",pool="none",outcome="answered-here"}"#, 1);
}

#[test]
fn a_fixed_answer_keeps_its_connection_and_has_no_body_for_head() {
    let (node, _shop, _beta) = node(
        r#"
[[routes]]
respond = { status = 503, body = "back soon\n", content_type = "text/html" }
response_headers = { set = { retry-after = "60" }, add = { x-node = "{node} {region} {route}" }, remove = ["Content-Type"] }
name = "maintenance"

[[routes]]
path = "/empty"
respond = { status = 204 }
"#,
    );
    let mut client = Connection::open(node.http());
    for _ in 0..2 {
        let answer = client.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (503, "back soon\n"));
        assert_eq!((answer.header("retry-after"), answer.header("content-type")), (Some("60"), None));
        assert_eq!(answer.header("x-node"), Some("fra-1 here maintenance"));
    }
    let answer = client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (503, Some("10")));
    let answer = client.ask(b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (204, None));
}

#[test]
fn origins_see_what_the_route_makes_of_a_request() {
    let (node, _shop, _beta) = node(
        r#"
[[routes]]
path = "/v1"
pool = "shop"
rewrite = { prefix = "/", host = "inner.example" }
request_headers = { set = { x-real-ip = "{client}", user-agent = "{method} {path} by {scheme}" }, add = { accept = "text/x-{{" }, remove = ["cookie"] }

[[routes]]
path = "/any"
pool = "shop"
rewrite = { path = "/head" }
"#,
    );
    let request = "GET /v1/head HTTP/1.1\r\nHost: Shop.example:81\r\nX-Real-IP: 203.0.113.9\r\nx_real_ip: 203.0.113.9\r\n\
                   User-Agent: test\r\nAccept: text/html\r\nCookie: secret\r\n\r\n";
    let seen_there = ask(&node, request).text();
    let lines =
        ["GET /head HTTP/1.1", "host: inner.example", "x-real-ip: 127.0.0.1", "user-agent: GET /v1/head by http"];
    for line in lines.into_iter().chain(["Accept: text/html", "accept: text/x-{", "x-forwarded-host: Shop.example:81"])
    {
        assert_eq!(seen_there.lines().filter(|seen| *seen == line).count(), 1, "{line} in {seen_there}");
    }
    for gone in ["203.0.113.9", "Cookie", "User-Agent: test"] {
        assert!(!seen_there.contains(gone), "{gone} in {seen_there}");
    }
    // The query stays, and this origin knows no `/head?x`.
    assert_eq!(seen(&node, "/any/thing?x"), "shop");
    assert!(seen(&node, "/any/thing").starts_with("get /head http/1.1\r\n"));
}

#[test]
fn clients_see_what_the_route_makes_of_an_answer_but_not_of_an_interim_one() {
    let (node, _shop, _beta) = node(
        "[[routes]]\npool = \"shop\"\nresponse_headers = { remove = [\"x-public\"], add = { x-id = \"{request_id}\" }, set = { link = \"{host}\" } }\n",
    );
    let answer = get(node.http(), "shop.example", "/hop").unwrap();
    assert_eq!(answer.header("x-public"), None);
    assert_eq!(answer.header("x-id"), answer.header("x-request-id"));
    let mut client = Connection::open(node.http());
    let interim = client.ask(b"HEAD /hints HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!((interim.status, interim.header("link"), interim.header("x-id")), (103, Some("</a.css>"), None));
    let answer = client.receive(true).unwrap();
    assert_eq!((answer.status, answer.header("link")), (200, Some("a")));
}

#[test]
fn a_body_larger_than_allowed_is_refused_however_it_is_framed() {
    let (node, _shop, _beta) = node(
        r#"
[http]
max_body_size = "5B"

[[routes]]
pool = "shop"

[[routes]]
path = "/echo"
methods = ["PUT"]
max_body_size = "unlimited"
pool = "shop"
"#,
    );
    let by_length = |method: &str, body: &str| {
        let head = format!("{method} /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        ask(&node, &head)
    };
    let by_chunks = |body: &str| {
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        ask(&node, &format!("{head}3\r\nabc\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
    };
    assert_eq!(by_length("POST", "hello").text(), "hello");
    assert_eq!(by_chunks("de").text(), "abcde");
    for refused in [by_length("POST", "hello!"), by_chunks("def")] {
        assert_eq!(refused.status, 413);
        assert!(refused.text().contains("body-too-large"), "{}", refused.text());
    }
    assert_eq!(by_length("PUT", &"x".repeat(100_000)).text().len(), 100_000);
    node.metric_becomes(r#"meridian_http_requests_total{route="*/",pool="shop",outcome="body-too-large"}"#, 2);
}

#[test]
fn a_route_has_times_of_its_own() {
    let (node, _shop, _beta) = node(
        r#"
[[routes]]
path = "/stall"
pool = "shop"
timeouts = { response_head = "200ms" }

[[routes]]
path = "/silent"
pool = "shop"
timeouts = { between_bytes = "200ms" }

[[routes]]
host = "whole.example"
pool = "shop"
timeouts = { request = "300ms" }
"#,
    );
    let refusal = |host: &str, path: &str| {
        let answer = get(node.http(), host, path).unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status, answer.is_complete, problem["refusal"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refusal("a", "/stall"), (504, true, "response-timeout".to_owned()));
    assert_eq!(refusal("a", "/silent"), (200, false, String::new()));
    assert_eq!(refusal("whole.example", "/stall"), (504, true, "deadline-exceeded".to_owned()));
    assert_eq!(refusal("whole.example", "/silent"), (200, false, String::new()));
    // What comes after is bound by nothing of it.
    let mut client = Connection::open(node.http());
    for _ in 0..3 {
        assert_eq!(client.ask(b"GET / HTTP/1.1\r\nHost: whole.example\r\n\r\n").unwrap().text(), "shop");
        std::thread::park_timeout(std::time::Duration::from_millis(250));
    }
}
