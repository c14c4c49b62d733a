//! Requests that are tried again: at another origin, with the body that was kept, as long as the budget lasts.

use std::{
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::scene::{Answer, Connection, Meridian, Origin, eventually, meridian, origin, origin_at};

/// Listens, hears a request and closes. It ends with the process.
fn one_that_hangs_up() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hang_up = |mut stream: TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        // To the end of what comes: bytes unread would reset the connection.
        while matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || hang_up(stream));
        }
    });
    address
}

/// A node in front of both, which goes on asking whoever fails.
fn in_front_of(good: &Origin, bad: SocketAddr, retry: &str) -> Meridian {
    meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop.passive]\nmode = \"off\"\n[pools.shop.retry]\n{retry}\n\
         [[pools.shop.origins]]\naddress = \"{}\"\n[[pools.shop.origins]]\naddress = \"{bad}\"\n\
         [[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        good.address
    ))
}

fn send(node: &Meridian, method: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("{method} /echo HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {length}\r\n\r\n");
    Connection::open(node.http()).ask((head + body).as_bytes()).unwrap()
}

const RETRIES: &str = "meridian_http_retries_total{pool=\"shop\"}";
const REFUSED: &str = "meridian_http_retries_refused_total{pool=\"shop\"}";

#[test]
fn a_request_that_may_be_repeated_is_with_all_of_its_body() {
    let good = origin("good");
    let node = in_front_of(&good, one_that_hangs_up(), "budget_per_second = 1000");
    let body = "kept ".repeat(10_000);
    for _ in 0..10 {
        let answer = send(&node, "PUT", &body);
        assert_eq!((answer.status, answer.text() == body), (200, true));
    }
    let retries = node.metric(RETRIES);
    assert!((1..=10).contains(&retries), "{retries} retries: origins take turns");
    assert_eq!(node.metric(REFUSED), 0);
}

#[test]
fn what_may_not_be_repeated_or_was_not_kept_is_not() {
    let good = origin("good");
    let node = in_front_of(&good, one_that_hangs_up(), "budget_per_second = 1000\nmax_body = \"1KiB\"");
    let large = "x".repeat(100_000);
    for (method, body) in [("POST", "small"), ("PUT", &*large)] {
        let statuses: Vec<u16> = (0..10).map(|_| send(&node, method, body).status).collect();
        assert!(statuses.contains(&502) && statuses.contains(&200), "{method}: {statuses:?}");
    }
    assert_eq!(node.metric(RETRIES), 0);
}

#[test]
fn a_spent_budget_ends_retries() {
    let good = origin("good");
    let node = in_front_of(&good, one_that_hangs_up(), "budget_percent = 0\nbudget_per_second = 0");
    let statuses: Vec<u16> = (0..10).map(|_| send(&node, "GET", "").status).collect();
    assert!(statuses.contains(&502) && statuses.contains(&200), "{statuses:?}");
    assert!(node.metric(REFUSED) > 0 && node.metric(RETRIES) == 0);
}

#[test]
fn a_request_that_failed_is_under_way_until_it_is_tried_again() {
    let good = origin("good");
    // A share alone: of one request it is one try, and of none it is none.
    let node = in_front_of(&good, one_that_hangs_up(), "budget_percent = 1\nbudget_per_second = 0");
    for _ in 0..10 {
        assert_eq!(send(&node, "GET", "").status, 200);
    }
    assert!(node.metric(RETRIES) > 0 && node.metric(REFUSED) == 0);
}

#[test]
fn a_request_that_failed_at_a_front_door_was_under_way_too() {
    let third = origin_at("third", "127.0.0.5:0");
    let (door, behind) = (one_that_hangs_up(), origin("behind"));
    let region = |name: &str, ip: &str, port: u16| {
        format!("[regions.{name}]\naddresses = [\"{ip}\"]\nfront_door.port = {port}\ncheck.tcp.port = {port}\n")
    };
    // A share alone: of one request it is one try, and of none it is none.
    let node = meridian(&format!(
        "node.region = \"here\"\n[regions.here]\naddresses = [\"127.0.0.9\"]\n{}{}\
         [pools.shop]\nvia = \"front-door\"\nretry = {{ budget_percent = 1, budget_per_second = 0 }}\n\
         origins = [{{ address = \"{}\", region = \"second\" }}, {{ address = \"{}\", region = \"third\" }}]\n\
         [[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        region("second", "127.0.0.1", door.port()),
        region("third", "127.0.0.5", third.address.port()),
        behind.address,
        third.address,
    ));
    for name in ["second", "third"] {
        let up = format!("meridian_front_door_up{{region=\"{name}\"}}");
        eventually("its door is up", || (node.metric(&up) == 1).then_some(()));
    }
    for _ in 0..10 {
        assert_eq!(send(&node, "GET", "").status, 200);
    }
    assert_eq!((node.metric(RETRIES), node.metric(REFUSED), behind.requests()), (10, 0, 0));
}

/// Listens, hears requests and never answers, nor greets by TLS. Counts who connected; ends with the process.
fn one_that_is_silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            held.push(stream);
        }
    });
    (address, count)
}

#[test]
fn who_does_not_answer_in_time_is_not_waited_for_twice_where_a_request_may_be_repeated() {
    let good = origin("good");
    let retry = "budget_per_second = 1000\n[pools.shop.timeouts]\nresponse_head = \"200ms\"";
    let node = in_front_of(&good, one_that_is_silent().0, retry);
    for _ in 0..4 {
        assert_eq!(send(&node, "PUT", "kept").status, 200);
    }
    let posted: Vec<u16> = (0..4).map(|_| send(&node, "POST", "once").status).collect();
    assert!(posted.contains(&504) && posted.contains(&200), "what may have been done is not done again: {posted:?}");
}

#[test]
fn a_burst_does_not_open_a_connection_for_each_request_at_once() {
    const BURST: i64 = 12;
    let (silent, count) = one_that_is_silent();
    let node = meridian(&format!(
        "[http]\nworkers = 1\n[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\nretries = 0\nmax_connecting = 2\ncheck = \"none\"\n\
         origins = [{{ address = \"{silent}\" }}]\ntimeouts.connect = \"1s\"\ntls = {{ verify = \"webpki\", server_name = \"shop.example\" }}\n\
         passive.mode = \"off\"\n[[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n"
    ));
    let address = node.http();
    let statuses: Vec<_> = thread::scope(|scope| {
        let ask = || crate::scene::get(address, "shop.example", "/").unwrap().status;
        let asking: Vec<_> = (0..BURST).map(|_| scope.spawn(ask)).collect();
        let waits = "meridian_origin_connection_waits_total{pool=\"shop\"}";
        eventually("all but two wait", || (node.metric(waits) == BURST - 2).then_some(()));
        assert_eq!(count.load(Ordering::Relaxed), 2, "handshakes at the same time");
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [503, 504].contains(status)), "{statuses:?}");
}

#[test]
fn who_waits_for_a_connection_takes_one_that_comes_free() {
    let slow = origin("slow");
    let node = meridian(&format!(
        "[http]\nworkers = 1\n[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\nretries = 0\nmax_connecting = 1\n\
         origins = [{{ address = \"{}\" }}]\n[[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        slow.address
    ));
    let address = node.http();
    let all_good = thread::scope(|scope| {
        let ask = || (0..5).all(|_| crate::scene::get(address, "shop.example", "/").unwrap().status == 200);
        let asking: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().all(|asking| asking.join().unwrap())
    });
    assert!(all_good, "nobody is forgotten at the gate");
}
