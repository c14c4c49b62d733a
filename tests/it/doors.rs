//! Regions that reach each other by their front doors.

use std::net::TcpListener;

use crate::scene::{Answer, Connection, Meridian, Origin, eventually, get, meridian_at, origin, origin_at};

const FAST: &str = "interval = \"100ms\", timeout = \"100ms\", recheck = \"50ms\"";

/// A node of one of several regions. Each has a front door on an address of its own; `pools` are behind them all.
fn node_of(home: &str, listens: &str, doors: &[(&str, &str)], pools: &str) -> Meridian {
    let region = |(name, door): &(&str, &str)| {
        let (ip, port) = door.split_once(':').unwrap();
        format!(
            "[regions.{name}]\naddresses = [\"{ip}\"]\nfront_door = {{ port = {port} }}\n\
             check = {{ tcp = {{ port = {port}, {FAST} }} }}\n"
        )
    };
    let regions: String = doors.iter().map(region).collect();
    let config = format!(
        "[node]\nregion = \"{home}\"\n[failover]\nhold = \"0s\"\nregion_hold = \"0s\"\nramp = \"0s\"\n{regions}{pools}[[routes]]\npool = \"shop\"\n"
    );
    meridian_at(&config, listens)
}

/// A pool with one origin in each of these regions.
fn pool(name: &str, settings: &str, origins: &[(&str, &Origin)]) -> String {
    let listed = origins.iter().map(|(region, origin)| {
        let address = origin.address;
        format!("{{ address = \"{address}\", region = \"{region}\" }}")
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    format!("[pools.{name}]\n{settings}\ncheck = {{ tcp = {{ {FAST} }} }}\norigins = [{listed}]\n")
}

const BY_DOOR: &str = "via = \"front-door\"";

fn is_up(node: &Meridian, region: &str) {
    let up = format!("meridian_front_door_up{{region=\"{region}\"}}");
    eventually("its door is up", || (node.metric(&up) == 1).then_some(()));
}

fn ask_with(node: &Meridian, header: &str) -> Answer {
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{header}\r\n");
    Connection::open(node.http()).ask(request.as_bytes()).unwrap()
}

/// An address of its own for a front door.
fn door(ip: &str) -> String {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_request_passes_through_the_other_regions_front_door_once_and_no_further() {
    let origins = [&origin("near"), &origin("far")];
    let at = [door("127.0.0.2"), door("127.0.0.3")];
    let doors = [("near", &*at[0]), ("far", &*at[1])];
    let shop = pool("shop", BY_DOOR, &[("near", origins[0]), ("far", origins[1])]);
    let near = node_of("near", &at[0], &doors, &shop);
    let far = node_of("far", &at[1], &doors, &shop);
    is_up(&near, "far");
    assert_eq!(get(near.http(), "x", "/").unwrap().text(), "near");

    origins[0].kill();
    let seen = eventually("the far region answers", || {
        let answer = get(near.http(), "x", "/head")?;
        (answer.status == 200).then(|| answer.text().to_ascii_lowercase())
    });
    assert!(seen.contains("\r\ncdn-loop: meridian;region=\"near\", meridian;region=\"far\"\r\n"), "{seen}");
    let answered = "meridian_http_requests_total{route=\"*/\",pool=\"shop\",outcome=\"answered\"}";
    eventually("the far node counted it", || (far.metric(answered) > 0).then_some(()));

    // What came back is refused, and what was passed on stays, whoever else could answer.
    let ask = |mark: &str| ask_with(&near, &format!("CDN-Loop: {mark}\r\n"));
    assert_eq!(ask("meridian;region=\"near\"").status, 508);
    let kept = ask("meridian;region=\"far\"");
    assert!(kept.status == 502 || kept.status == 503, "{}", kept.text());
}

#[test]
fn a_last_resort_behind_front_doors_is_marked_and_goes_no_further() {
    let (shop, near_sorry, far_sorry) = (origin("shop"), origin("near"), origin("far"));
    let at = [door("127.0.0.2"), door("127.0.0.3")];
    let doors = [("near", &*at[0]), ("far", &*at[1])];
    let pools = pool("shop", "last_resort = \"sorry\"\nwhen_all_down = \"closed\"", &[("near", &shop)])
        + &pool("sorry", BY_DOOR, &[("near", &near_sorry), ("far", &far_sorry)]);
    let near = node_of("near", &at[0], &doors, &pools);
    let far = node_of("far", &at[1], &doors, &pools);
    is_up(&near, "far");
    is_up(&far, "near");
    shop.kill();
    near_sorry.kill();
    let seen = eventually("the last resort of the far region answers", || {
        let answer = get(near.http(), "x", "/head")?;
        (answer.status == 200).then(|| answer.text().to_ascii_lowercase())
    });
    assert!(seen.contains("\r\ncdn-loop: meridian;region=\"near\", meridian;region=\"far\"\r\n"), "{seen}");
    assert_eq!(ask_with(&near, "CDN-Loop: meridian;region=\"near\"\r\n").status, 508);
    // Nobody is left anywhere: each region passes it on once, and keeps what it was passed.
    far_sorry.kill();
    eventually("it is refused", || (get(near.http(), "x", "/")?.status == 503).then_some(()));
    let refused = |node: &Meridian, outcome: &str| {
        node.metric(&format!("meridian_http_requests_total{{route=\"*/\",pool=\"shop\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!((refused(&near, "loop-detected"), refused(&far, "loop-detected")), (1, 0));
}

#[test]
fn a_region_whose_front_door_is_lost_is_passed_over() {
    let (near, far, third) = (origin("near"), origin("far"), origin("third"));
    // Any server may stand at a door.
    let (mut far_door, third_door) = (origin_at("far door", "127.0.0.3:0"), origin_at("third door", "127.0.0.4:0"));
    let at = [door("127.0.0.2"), far_door.address.to_string(), third_door.address.to_string()];
    let doors = [("near", &*at[0]), ("far", &*at[1]), ("third", &*at[2])];
    let shop = pool("shop", BY_DOOR, &[("near", &near), ("far", &far), ("third", &third)]);
    let node = node_of("near", &at[0], &doors, &shop);
    is_up(&node, "far");
    is_up(&node, "third");
    near.kill();
    let answered = || get(node.http(), "x", "/").map(|answer| answer.text());
    eventually("by the next door", || (answered()? == "far door").then_some(()));
    far_door.kill();
    node.metric_becomes("meridian_front_door_up{region=\"far\"}", 0);
    for _ in 0..20 {
        assert_eq!(answered().unwrap(), "third door", "its origins are up, and cannot be reached");
    }
    far_door.revive();
    eventually("by the next door again", || (answered()? == "far door").then_some(()));
    assert_eq!((near.requests(), far.requests(), third.requests()), (0, 0, 0));
}

#[test]
fn a_cookie_keeps_its_client_with_an_origin_behind_another_front_door() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("cookie.key");
    std::fs::write(&secret, "000102030405060708090a0b0c0d0e0f\n").unwrap();
    let mut origins = ["near", "far-1", "far-2"].map(origin);
    let at = [door("127.0.0.2"), door("127.0.0.3")];
    let doors = [("near", &*at[0]), ("far", &*at[1])];
    let settings = format!("{BY_DOOR}\nslow_start.window = \"0s\"\nsticky.secret_file = \"{}\"", secret.display());
    let behind = [("near", &origins[0]), ("far", &origins[1]), ("far", &origins[2])];
    let shop = pool("shop", &settings, &behind);
    let near = node_of("near", &at[0], &doors, &shop);
    let _far = node_of("far", &at[1], &doors, &shop);
    is_up(&near, "far");
    origins[0].kill();
    let (had, cookie) = eventually("the far region gives a cookie", || {
        let answer = ask_with(&near, "");
        let cookie = answer.header("set-cookie")?.split(';').next()?.to_owned();
        answer.text().starts_with("far").then(|| (answer.text(), cookie))
    });
    let comes_back = || {
        for _ in 0..10 {
            let answer = ask_with(&near, &format!("Cookie: {cookie}\r\n"));
            assert_eq!((answer.text(), answer.header("set-cookie")), (had.clone(), None));
        }
    };
    comes_back();
    origins[0].revive();
    eventually("others are served at home", || (ask_with(&near, "").text() == "near").then_some(()));
    comes_back();
}

#[test]
fn a_host_with_a_residency_is_answered_inside_or_not_at_all() {
    let (inside, outside) = (origin("inside"), origin("outside"));
    let fenced = "[zones.\"shop.test\"]\nnameservers = [\"ns.example\"]\n\
                  [zones.\"shop.test\".steer]\napp = { pools = [\"shop\"], residency = [\"eu\"] }\n";
    let pools = pool("shop", "retries = 2", &[("eu", &inside), ("us", &outside)]) + fenced;
    let at = door("127.0.0.2");
    let node = node_of("eu", &at, &[("eu", &at), ("us", "127.0.0.3:1")], &pools);
    let ask = |host: &str| get(node.http(), host, "/").unwrap();
    eventually("its origin is known to be up", || (ask("app.shop.test").text() == "inside").then_some(()));
    inside.kill();
    eventually("the other one takes over", || (ask("other.test").text() == "outside").then_some(()));
    let before = outside.requests();
    let refused: Vec<u16> = (0..20).map(|_| ask("app.shop.test").status).collect();
    assert!(refused.iter().all(|status| [502, 503].contains(status)), "{refused:?}");
    assert_eq!(outside.requests(), before);
}

#[test]
fn a_client_that_comes_back_is_led_elsewhere_once_and_not_drawn_anew_with_every_request() {
    let (near, far) = (origin("near"), origin("far"));
    let at = door("127.0.0.2");
    let pools = pool("shop", "sticky = {}", &[("near", &near), ("far", &far)]);
    let far_door = TcpListener::bind(("127.0.0.3", 0)).unwrap();
    let far_at = far_door.local_addr().unwrap().to_string();
    let node = node_of("near", &at, &[("near", &at), ("far", &far_at)], &pools);
    is_up(&node, "far");
    let first = eventually("home answers", || Some(ask_with(&node, "")).filter(|answer| answer.text() == "near"));
    let cookie = first.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap().to_owned();
    let half = r#"{"subject":{"region":"near"},"action":{"weight":50},"author":"ada","reason":"half"}"#;
    assert_eq!(node.command("PUT", "/v1/overrides", half).status, 200);
    let answers: Vec<_> = (0..60).map(|_| ask_with(&node, &format!("Cookie: {cookie}\r\n")).text()).collect();
    // What comes is compared with what came, so the part that stays may move with a second that ends meanwhile.
    let turns = answers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns <= 2, "{answers:?}");
}
