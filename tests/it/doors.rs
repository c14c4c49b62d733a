//! Regions that reach each other by their front doors.

use std::net::TcpListener;

use crate::scene::{Connection, Meridian, Origin, eventually, get, meridian_at, origin};

/// A node of one of two regions. Each has an origin of one pool, and a front door on an address of its own.
fn node_of(home: &str, listens: &str, doors: [&str; 2], origins: [&Origin; 2]) -> Meridian {
    let region = |name: &str, door: &str| {
        let (ip, port) = door.split_once(':').unwrap();
        format!(
            "[regions.{name}]\naddresses = [\"{ip}\"]\nfront_door = {{ port = {port} }}\n\
             check = {{ tcp = {{ port = {port}, interval = \"100ms\", timeout = \"100ms\", recheck = \"50ms\" }} }}\n"
        )
    };
    let config = format!(
        "[node]\nregion = \"{home}\"\n{}{}\
         [pools.shop]\nvia = \"front-door\"\n\
         check = {{ tcp = {{ interval = \"100ms\", timeout = \"100ms\", recheck = \"50ms\" }} }}\n\
         origins = [{{ address = \"{}\", region = \"near\" }}, {{ address = \"{}\", region = \"far\" }}]\n\
         [[routes]]\npool = \"shop\"\n",
        region("near", doors[0]),
        region("far", doors[1]),
        origins[0].address,
        origins[1].address,
    );
    meridian_at(&config, listens)
}

/// An address of its own for a front door.
fn door(ip: &str) -> String {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_request_passes_through_the_other_regions_front_door_once_and_no_further() {
    let origins = [&origin("near"), &origin("far")];
    let doors = [&*door("127.0.0.2"), &*door("127.0.0.3")];
    let near = node_of("near", doors[0], doors, origins);
    let far = node_of("far", doors[1], doors, origins);
    eventually("the far door is up", || (near.metric("meridian_front_door_up{region=\"far\"}") == 1).then_some(()));
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
    let ask = |mark: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\nCDN-Loop: {mark}\r\n\r\n");
        Connection::open(near.http()).ask(request.as_bytes()).unwrap()
    };
    assert_eq!(ask("meridian;region=\"near\"").status, 508);
    let kept = ask("meridian;region=\"far\"");
    assert!(kept.status == 502 || kept.status == 503, "{}", kept.text());
}
