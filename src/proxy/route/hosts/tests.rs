use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::config::{Action, Conditions, Further, HeaderEdits, PathPattern, Respond, Test};

fn route(host: &str, path: &str, further: Further) -> Route {
    let host = match host.strip_prefix("*.") {
        Some(parent) => HostPattern::Below(parent.into()),
        None if host == "*" => HostPattern::Any,
        None => HostPattern::Exact(host.into()),
    };
    let path = match path.strip_prefix('=') {
        Some(path) => PathPattern::Exact(path.into()),
        None => PathPattern::Below(path.into()),
    };
    let respond = Respond { status: 200, content_type: "text/plain".into(), body: "".into() };
    Route {
        name: "".into(),
        conditions: Conditions { host, path, further },
        action: Action::Respond(respond),
        response_headers: HeaderEdits::default(),
    }
}

fn hosts(routes: &[(&str, &str)]) -> Hosts {
    let routes: Vec<_> = routes.iter().map(|(host, path)| route(host, path, Further::default())).collect();
    Hosts::new(&routes)
}

fn asked<'a>(method: &'a str, host: &'a str, path: &'a str) -> Asked<'a> {
    Asked { method, host, path, query: None, headers: &[], client: [10, 0, 0, 1].into() }
}

impl Hosts {
    fn takes(&self, host: &str, path: &str) -> Option<usize> {
        self.find(Path::read(path)?, &asked("GET", host, path))
    }
}

#[test]
fn the_most_specific_host_wins_then_the_longest_path() {
    let routes = hosts(&[
        ("*", "/"),
        ("*.example", "/"),
        ("*.shop.example", "/"),
        ("a.shop.example", "/cart"),
        ("a.shop.example", "/cart/pay"),
    ]);
    assert_eq!(routes.takes("a.shop.example", "/cart/pay/now"), Some(4));
    assert_eq!(routes.takes("a.shop.example", "/cart"), Some(3));
    assert_eq!(routes.takes("b.shop.example", "/cart"), Some(2));
    assert_eq!(routes.takes("shop.example", "/"), Some(1));
    assert_eq!(routes.takes("example", "/"), Some(0));
    assert_eq!(routes.takes("", "/"), Some(0));
}

#[test]
fn a_host_without_the_path_gives_way_to_a_less_specific_one() {
    let routes = hosts(&[("a.shop.example", "/cart"), ("*.shop.example", "/")]);
    assert_eq!(routes.takes("a.shop.example", "/other"), Some(1));
    assert_eq!(routes.takes("elsewhere.example", "/"), None);
}

#[test]
fn paths_match_on_whole_segments_and_exact_ones_with_their_last_slash() {
    let routes = hosts(&[("*", "/cart"), ("*", "=/cart"), ("*", "=/cart/"), ("*", "=/")]);
    assert_eq!(routes.takes("x", "/cart/1"), Some(0));
    assert_eq!(routes.takes("x", "/cart"), Some(1));
    assert_eq!(routes.takes("x", "/cart/"), Some(2));
    assert_eq!(routes.takes("x", "/"), Some(3));
    assert_eq!(routes.takes("x", "/cartoon"), None);
}

#[test]
fn no_spelling_slips_past_a_prefix() {
    let routes = hosts(&[("*", "/"), ("*", "/admin")]);
    for path in ["/admin", "//admin", "/%61dmin/", "/admin%2Fx", "/admin;x", "/;/admin", "\\admin", "/%2Fadmin%3B"] {
        assert_eq!(routes.takes("x", path), Some(1), "{path}");
    }
    for path in ["/a/../admin", "/a/%2e%2e/admin", "/a%2F..%2Fadmin", "/./admin", "/..;/admin"] {
        assert_eq!(routes.takes("x", path), None, "{path}");
    }
}

#[test]
fn more_conditions_come_first_and_those_that_fail_give_way() {
    let methods = |methods: &[&str]| methods.iter().map(|method| Arc::from(*method)).collect::<Vec<_>>();
    let get = Further { methods: methods(&["GET"]), ..Further::default() };
    let here = Further { clients: vec!["10.0.0.0/8".parse().unwrap()], ..get.clone() };
    let elsewhere = Further { clients: vec!["11.0.0.0/8".parse().unwrap()], ..get.clone() };
    let post = Further { methods: methods(&["POST"]), ..Further::default() };
    let hosts = Hosts::new(&[
        route("*", "/", Further::default()),
        route("*", "/a", Further { query: vec![("x".into(), Test::Absent)], ..Further::default() }),
        route("*", "/a", get),
        route("*", "/a", elsewhere),
        route("*", "/a", here),
        route("*", "/a/b", post),
    ]);
    let find = |method, path| hosts.find(Path::read(path).unwrap(), &asked(method, "x", path));
    assert_eq!(find("GET", "/a/b"), Some(4), "the longer path asks for another method");
    assert_eq!(find("POST", "/a/b"), Some(5));
    assert_eq!(find("PUT", "/a/b"), Some(1));
    assert_eq!(find("PUT", "/b"), Some(0));
}

/// The order as it is documented, looked through one by one.
fn one_by_one(routes: &[Route], asked: &Asked<'_>, segments: &[&str]) -> Option<usize> {
    let host = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(host) => (**host == *asked.host).then_some(1000),
        HostPattern::Below(parent) => {
            asked.host.strip_suffix(&**parent).is_some_and(|rest| rest.ends_with('.')).then_some(1 + parent.len())
        }
        HostPattern::Any => Some(0),
    };
    let path = |pattern: &PathPattern| match pattern {
        PathPattern::Exact(path) => (**path == *asked.path).then_some(1000),
        PathPattern::Below(path) => {
            let prefix: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
            segments.starts_with(&prefix).then_some(prefix.len())
        }
    };
    let fits = routes.iter().enumerate().filter_map(|(position, route)| {
        let Conditions { host: on, path: at, further } = &route.conditions;
        let holds = crate::proxy::route::conditions::hold(further, asked);
        let rank = (host(on)?, path(at)?, further.count(), std::cmp::Reverse(position));
        holds.then_some((rank, position))
    });
    fits.max().map(|(_, position)| position)
}

proptest! {
    #[test]
    fn the_tree_finds_what_looking_one_by_one_does(
        written in prop::collection::vec(
            ("(\\*|(\\*\\.)?(a\\.)?(a|b)\\.c)", "=?(/[ab]){1,3}|/", prop::option::of("(GET|PUT)")), 0..20),
        requests in prop::collection::vec(("((a|b)\\.){0,3}c", "(/[ab]){1,4}|/"), 1..20),
    ) {
        let further = |method: &Option<String>| Further {
            methods: method.iter().map(|method| method.as_str().into()).collect(),
            ..Further::default()
        };
        let routes: Vec<_> =
            written.iter().map(|(host, path, method)| route(host, path, further(method))).collect();
        let hosts = Hosts::new(&routes);
        for (host, path) in &requests {
            let asked = asked("GET", host, path);
            let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
            let expected = one_by_one(&routes, &asked, &segments);
            prop_assert_eq!(hosts.find(Path::read(path).unwrap(), &asked), expected, "{} {}", host, path);
        }
    }
}
