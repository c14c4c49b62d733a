//! How the origins of a pool share requests, seen from outside: by a key, by a cookie, and by who stands by.

use std::{collections::BTreeMap, fs};

use crate::scene::{Answer, Connection, Meridian, Origin, eventually, meridian, origin};

const FAST: &str = "check.tcp = { interval = \"100ms\", recheck = \"50ms\", timeout = \"200ms\", rise = 1 }";

/// A node in front of these, with what is written for the pool, and for each origin.
fn in_front_of(pool: &str, origins: &[(&Origin, &str)]) -> Meridian {
    meridian(&config(pool, origins))
}

fn config(pool: &str, origins: &[(&Origin, &str)]) -> String {
    let origin = |(origin, more): &(&Origin, &str)| {
        format!("[[pools.shop.origins]]\naddress = \"{}\"\n{more}\n", origin.address)
    };
    let origins: String = origins.iter().map(origin).collect();
    format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[failover]\nhold = \"0s\"\nramp = \"0s\"\n\
         [pools.shop]\nslow_start.window = \"0s\"\n{FAST}\n{pool}\n{origins}\
         [[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n"
    )
}

fn ask(node: &Meridian, header: &str) -> Answer {
    let head = format!("GET / HTTP/1.1\r\nHost: shop.example\r\n{header}\r\n");
    Connection::open(node.http()).ask(head.as_bytes()).unwrap()
}

/// What a client would send back of the cookie that it was given.
fn kept(answer: &Answer) -> Option<String> {
    let given = answer.header("set-cookie")?;
    Some(format!("Cookie: other=1; {}\r\n", given.split(';').next().unwrap()))
}

#[test]
fn the_same_header_goes_to_the_same_origin() {
    let origins = ["a", "b", "c"].map(origin);
    let node = in_front_of(
        "balance = \"hash\"\nhash = { header = \"X-User\" }",
        &[(&origins[0], ""), (&origins[1], ""), (&origins[2], "")],
    );
    let of = |user: usize| ask(&node, &format!("x-user: user-{user}\r\n")).text();
    let first: Vec<_> = (0..60).map(of).collect();
    assert_eq!(first, (0..60).map(of).collect::<Vec<_>>());
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in &first {
        *counts.entry(name).or_default() += 1;
    }
    assert!(counts.len() == 3 && counts.values().all(|count| *count >= 8), "{counts:?}");
    // Whose origin is gone goes to another one, and nobody else does.
    origins[1].kill();
    eventually("the one that was killed is out", || {
        (of(0) != "b" && (0..60).all(|user| of(user) != "b")).then_some(())
    });
    let after: Vec<_> = (0..60).map(of).collect();
    assert!(first.iter().zip(&after).all(|(before, after)| before == after || before == "b"), "{first:?} {after:?}");
}

#[test]
fn a_cookie_brings_a_client_back_until_its_origin_fails() {
    let mut origins = ["a", "b", "c"].map(origin);
    let node = in_front_of(
        "sticky = { cookie = \"stay\", ttl = \"1h\" }",
        &[(&origins[0], ""), (&origins[1], ""), (&origins[2], "")],
    );
    let first = ask(&node, "");
    let given = first.header("set-cookie").unwrap().to_owned();
    assert!(given.starts_with("stay=") && given.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"), "{given}");
    assert!(!given.contains("127.0.0.1"), "{given}");
    let cookie = kept(&first).unwrap();
    for _ in 0..10 {
        let again = ask(&node, &cookie);
        assert_eq!((again.text(), again.header("set-cookie")), (first.text(), None));
    }
    // Without one the origins take turns.
    let names: Vec<_> = (0..6).map(|_| ask(&node, "").text()).collect();
    assert!(["a", "b", "c"].iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");

    let at = ["a", "b", "c"].iter().position(|name| *name == first.text()).unwrap();
    origins[at].kill();
    // At once, by another try; later, because it is known to be down.
    let moved = ask(&node, &cookie);
    assert_ne!((moved.status, moved.text()), (200, first.text()));
    assert_eq!(moved.status, 200);
    let cookie_after = kept(&moved).unwrap();
    assert_ne!(cookie_after, cookie);
    let again = ask(&node, &cookie_after);
    assert_eq!((again.text(), again.header("set-cookie")), (moved.text(), None));
    // Who moved stays where it is when the old one is back.
    origins[at].revive();
    eventually("the old one is back", || (ask(&node, "").text() == first.text()).then_some(()));
    assert_eq!(ask(&node, &cookie_after).text(), moved.text());
    let forged = ask(&node, "Cookie: stay=AAAAAAAAAAAAAAAAAAAAAA\r\n");
    assert!(forged.header("set-cookie").is_some(), "who shows what nobody gave is given one");
    for (result, least) in [("kept", 12), ("given", 8), ("moved", 1)] {
        let count = node.metric(&format!("meridian_http_sticky_total{{pool=\"shop\",result=\"{result}\"}}"));
        assert!(count >= least, "{count} {result}");
    }
}

#[test]
fn nodes_with_the_same_secrets_know_each_others_cookies() {
    let origins = ["a", "b", "c", "d"].map(origin);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    fs::write(&file, "# one\n000102030405060708090a0b0c0d0e0f\n").unwrap();
    let pool = format!("balance = \"random\"\nsticky = {{ secret_file = \"{}\" }}", file.display());
    let listed: Vec<_> = origins.iter().map(|origin| (origin, "")).collect();
    let (one, other) = (in_front_of(&pool, &listed), in_front_of(&pool, &listed));
    for _ in 0..8 {
        let first = ask(&one, "");
        let second = ask(&other, &kept(&first).unwrap());
        assert_eq!((second.text(), second.header("set-cookie")), (first.text(), None));
    }
    // A new secret in front: the old cookie still counts, and is replaced.
    let first = ask(&one, "");
    fs::write(&file, "ffffffffffffffffffffffffffffffff\n000102030405060708090a0b0c0d0e0f\n").unwrap();
    let renewed = eventually("the file is read again", || {
        let answer = ask(&one, &kept(&first).unwrap());
        assert_eq!(answer.text(), first.text());
        kept(&answer)
    });
    assert_eq!(ask(&one, &renewed).text(), first.text());
}

#[test]
fn a_client_that_came_by_tls_is_to_send_its_cookie_by_tls_alone() {
    let origin = origin("a");
    let node = meridian(&(config("sticky = {}", &[(&origin, "")]) + "[http]\ntrusted_proxies = [\"127.0.0.1\"]\n"));
    let answer = ask(&node, "X-Forwarded-Proto: https\r\n");
    let given = answer.header("set-cookie").unwrap();
    assert!(given.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{given}");
    assert!(!ask(&node, "").header("set-cookie").unwrap().contains("Secure"));
}

#[test]
fn a_standby_takes_over_and_gives_back() {
    let (mut active, standby) = (origin("active"), origin("standby"));
    let node = in_front_of("", &[(&standby, "standby = true"), (&active, "")]);
    assert!((0..20).all(|_| ask(&node, "").text() == "active"));
    assert_eq!(standby.requests(), 0);
    active.kill();
    // The first of them by another try.
    assert!((0..20).all(|_| ask(&node, "").text() == "standby"));
    active.revive();
    eventually("the active one is back", || (ask(&node, "").text() == "active").then_some(()));
    assert!((0..20).all(|_| ask(&node, "").text() == "active"));
}

#[test]
fn a_request_goes_to_the_origin_with_the_fewest() {
    let (one, double) = (origin("one"), origin("double"));
    let node = in_front_of("balance = \"least-connections\"", &[(&one, "weight = 50"), (&double, "weight = 100")]);
    // They all hang, whichever worker has them.
    let mut hanging = Vec::new();
    for sent in 1..=12 {
        let mut connection = Connection::open(node.http());
        connection.send(b"GET /stall HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
        hanging.push(connection);
        eventually("it is under way", || (one.requests() + double.requests() == sent).then_some(()));
    }
    assert_eq!((one.requests(), double.requests()), (4, 8));
}
