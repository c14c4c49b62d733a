//! What requests meet takes origins out that pass their checks, and lets them back.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::scene::{Connection, Meridian, Tongue, certificates::authority, eventually, get, meridian, origin, server};

/// An origin that always passes its check, and answers everything else as it is told to. It ends with the process.
struct Fickle {
    address: SocketAddr,
    manner: Arc<Mutex<&'static str>>,
    requests: Arc<AtomicUsize>,
}

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
const BAD: &str = "HTTP/1.1 502 Bad\r\ncontent-length: 3\r\n\r\nbad";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nbusy";
const LEAVING: &str = "HTTP/1.1 200 OK\r\nx-meridian-fail: 1m\r\ncontent-length: 4\r\n\r\nfine";
/// It never answers.
const SILENT: &str = "";

fn fickle(manner: &'static str) -> Fickle {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (manner, requests) = (Arc::new(Mutex::new(manner)), Arc::<AtomicUsize>::default());
    let (told, counted) = (Arc::clone(&manner), Arc::clone(&requests));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (told, counted) = (Arc::clone(&told), Arc::clone(&counted));
            thread::spawn(move || answer(stream, &told, &counted));
        }
    });
    Fickle { address, manner, requests }
}

fn answer(mut stream: TcpStream, manner: &Mutex<&'static str>, requests: &AtomicUsize) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    loop {
        let first = lines.next()?;
        while !lines.next()?.is_empty() {}
        let answer = if first.starts_with("GET /healthz ") {
            GOOD
        } else {
            requests.fetch_add(1, Ordering::SeqCst);
            *manner.lock().unwrap()
        };
        if answer == SILENT {
            thread::park_timeout(Duration::from_secs(20));
            return None;
        }
        stream.write_all(answer.as_bytes()).ok()?;
    }
}

impl Fickle {
    fn becomes(&self, manner: &'static str) {
        *self.manner.lock().unwrap() = manner;
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A node in front of both, which asks once.
fn in_front_of(good: &Fickle, bad: &Fickle, passive: &str) -> Meridian {
    meridian(&config(good, bad, passive))
}

fn config(good: &Fickle, bad: &Fickle, passive: &str) -> String {
    format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\nretries = 0\ntimeouts.response_head = \"50ms\"\n\
         check.http = {{ path = \"/healthz\", interval = \"100ms\", recheck = \"100ms\" }}\n[pools.shop.passive]\n{passive}\n\
         [[pools.shop.origins]]\naddress = \"{}\"\n[[pools.shop.origins]]\naddress = \"{}\"\n\
         [[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        good.address, bad.address
    )
}

fn ask(node: &Meridian) -> u16 {
    get(node.http(), "shop.example", "/").unwrap().status
}

/// Asks until so many of the answers had this status.
fn meet(node: &Meridian, status: u16, times: usize) {
    let mut met = 0;
    for _ in 0..10 * times {
        met += usize::from(ask(node) == status);
        if met == times {
            return;
        }
    }
    panic!("{status} came {met} times");
}

fn meet_eventually(node: &Meridian, status: u16) {
    eventually("such an answer comes", || (ask(node) == status).then_some(()));
}

fn status(node: &Meridian) -> String {
    node.command("GET", "/v1/status", "").text()
}

fn is_ejected(node: &Meridian) {
    eventually("the origin is ejected", || status(node).contains("\"source\":\"traffic\"").then_some(()));
}

fn ejections(detector: &str, enforced: bool) -> String {
    format!("meridian_ejections_total{{pool=\"shop\",detector=\"{detector}\",enforced=\"{enforced}\"}}")
}

const EJECTED: &str = "meridian_ejected{pool=\"shop\"}";

#[test]
fn an_origin_that_passes_its_check_and_answers_502_is_out_after_five_and_comes_back() {
    let (good, bad) = (fickle(GOOD), fickle(BAD));
    let node = in_front_of(&good, &bad, "ejection = \"3s\"");
    meet(&node, 502, 5);
    is_ejected(&node);
    let before = bad.requests();
    assert!((0..20).all(|_| ask(&node) == 200));
    assert_eq!(bad.requests(), before, "nobody asks it while it is out");
    let told = status(&node);
    for fact in [
        "5 gateway failures in a row, the last of them: status 502",
        "\"until_seconds\":",
        "\"beneath\":[\"probe: up\"]",
    ] {
        assert!(told.contains(fact), "{fact}: {told}");
    }
    assert_eq!((node.metric(&ejections("consecutive", true)), node.metric(EJECTED)), (1, 1));
    bad.becomes(GOOD);
    eventually("it is asked again", || {
        assert_eq!(ask(&node), 200);
        (bad.requests() > before).then_some(())
    });
    node.metric_becomes(EJECTED, 0);
    assert!(node.metric("meridian_observations_total") > 0);
}

#[test]
fn an_origin_that_hangs_is_out_after_five() {
    let (good, bad) = (fickle(GOOD), fickle(SILENT));
    let node = in_front_of(&good, &bad, "");
    meet(&node, 504, 5);
    is_ejected(&node);
    assert!((0..10).all(|_| ask(&node) == 200));
    assert!(status(&node).contains("no answer in time"));
}

#[test]
fn an_origin_that_says_when_to_come_again_is_not_out() {
    let (good, bad) = (fickle(GOOD), fickle(BUSY));
    let node = in_front_of(&good, &bad, "statuses = [\"500-599\"]\nfailure_ratio = { min_requests = 5 }");
    meet(&node, 503, 12);
    // What is worse than busy is out at once, so everything before was taken in.
    bad.becomes(BAD);
    meet(&node, 502, 5);
    is_ejected(&node);
    assert_eq!((node.metrics("meridian_ejections_total{"), node.metric(&ejections("consecutive", true))), (1, 1));
}

#[test]
fn observing_counts_what_would_have_been_and_changes_nothing() {
    let (good, bad) = (fickle(GOOD), fickle(BAD));
    let node = in_front_of(&good, &bad, "mode = \"observe\"");
    meet(&node, 502, 5);
    node.metric_becomes(&ejections("consecutive", false), 1);
    meet(&node, 502, 10);
    assert!(!status(&node).contains("traffic"));
    assert_eq!((node.metric(EJECTED), node.metric(&ejections("consecutive", true))), (0, 0));
}

#[test]
fn an_origin_takes_itself_out_and_its_clients_do_not_read_of_it() {
    let (good, bad) = (fickle(GOOD), fickle(LEAVING));
    let node = in_front_of(&good, &bad, "fail_header = \"x-meridian-fail\"");
    eventually("it is asked", || {
        let answer = get(node.http(), "shop.example", "/").unwrap();
        assert!(answer.status == 200 && answer.header("x-meridian-fail").is_none());
        (bad.requests() > 0).then_some(())
    });
    is_ejected(&node);
    assert_eq!(node.metric(&ejections("asked", true)), 1);
    let before = bad.requests();
    assert!((0..10).all(|_| ask(&node) == 200));
    assert_eq!((before, bad.requests()), (1, 1));
}

#[test]
fn an_ejection_outlives_a_reload_that_keeps_its_origin() {
    let (good, bad) = (fickle(GOOD), fickle(BAD));
    let node = in_front_of(&good, &bad, "");
    meet(&node, 502, 5);
    is_ejected(&node);
    let before = bad.requests();
    node.reload(&config(&good, &bad, "consecutive = 7"));
    node.said("the new config is in force");
    assert!((0..10).all(|_| ask(&node) == 200));
    assert_eq!(bad.requests(), before);
    // Nobody is out where nobody looks.
    node.reload(&config(&good, &bad, "mode = \"off\""));
    meet_eventually(&node, 502);
    node.metric_becomes(EJECTED, 0);
}

#[test]
fn an_operator_who_says_up_beats_an_ejection() {
    let (good, bad) = (fickle(GOOD), fickle(BAD));
    let node = in_front_of(&good, &bad, "");
    meet(&node, 502, 5);
    is_ejected(&node);
    let order = format!(
        "{{\"subject\":{{\"origin\":{{\"pool\":\"shop\",\"address\":\"{}\"}}}},\"action\":\"up\",\"author\":\"ann\",\"reason\":\"known\"}}",
        bad.address
    );
    let answer = node.command("PUT", "/v1/overrides", &order);
    assert!(answer.status < 300, "{}", answer.text());
    meet(&node, 502, 3);
    assert!(status(&node).contains("traffic: down, 5 gateway failures in a row"), "it is still said beneath");
}

#[test]
fn failures_over_http2_count_as_well_and_half_of_the_pool_stays() {
    let shown = authority().issue(&["origin.test"]);
    let origins = [server(Tongue::H2, &shown), server(Tongue::H2, &shown)];
    let node = meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\nprotocol = \"h2\"\nretries = 0\n\
         [[pools.shop.origins]]\naddress = \"{}\"\n[[pools.shop.origins]]\naddress = \"{}\"\n\
         [[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        origins[0].address, origins[1].address
    ));
    let fail = || assert_eq!(get(node.http(), "shop.example", "/stray/502").unwrap().status, 502);
    eventually("one is out", || {
        fail();
        (node.metric(EJECTED) == 1).then_some(())
    });
    // The other fails as often, and stays.
    eventually("the other would be out", || {
        fail();
        (node.metric("meridian_ejections_withheld_total{pool=\"shop\"}") > 0).then_some(())
    });
    assert_eq!(node.metric(EJECTED), 1);
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "here");
}

#[test]
fn it_is_the_one_that_failed_who_is_out_though_a_standby_is_written_before_it() {
    let (standby, bad) = (fickle(GOOD), fickle(BAD));
    let written = config(&standby, &bad, "");
    let first = format!("address = \"{}\"\n", standby.address);
    let node = meridian(&written.replace(&first, &format!("{first}standby = true\n")));
    meet(&node, 502, 5);
    is_ejected(&node);
    let before = bad.requests();
    assert!((0..10).all(|_| ask(&node) == 200));
    assert_eq!(bad.requests(), before);
}

#[test]
fn what_a_client_takes_to_send_its_body_is_not_held_against_its_origin() {
    let origins = ["a", "b", "c"].map(origin);
    let listed = origins.each_ref().map(|origin| format!("{{ address = \"{}\" }}", origin.address)).join(", ");
    let node = meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\nbalance = \"hash\"\nhash = {{ header = \"X-User\" }}\n\
         passive.latency = {{ factor = 3, min_requests = 5, min_origins = 3 }}\norigins = [{listed}]\n\
         [[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n"
    ));
    let ask = |user: u32, path: &str, body: &[&str]| {
        let length: usize = body.iter().map(|part| part.len()).sum();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: shop.example\r\nX-User: {user}\r\nContent-Length: {length}\r\n\r\n");
        let mut connection = Connection::open(node.http());
        connection.send(head.as_bytes()).unwrap();
        for part in body {
            connection.send(part.as_bytes()).unwrap();
            if body.len() > 1 {
                thread::park_timeout(Duration::from_millis(300));
            }
        }
        connection.receive(false).unwrap().text()
    };
    let user_of = |name: &str| (0..1_000).find(|user| ask(*user, "/late/100", &["x"]) == name).unwrap();
    let users = ["a", "b", "c"].map(user_of);
    let together = |user: u32, path: &str, body: &[&str]| {
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| ask(user, path, body));
            }
        });
    };
    // One's clients are slow, and all answer within the same time.
    together(users[0], "/late/100", &["x", "y"]);
    together(users[1], "/late/100", &["x"]);
    together(users[2], "/late/100", &["x"]);
    let latency = |enforced| node.metric(&ejections("latency", enforced));
    eventually("who is slow itself is out", || {
        together(users[2], "/late/600", &["x"]);
        (latency(true) > 0).then_some(())
    });
    assert_eq!((latency(true), node.metric(EJECTED)), (1, 1));
    assert_eq!(ask(users[0], "/", &["x"]), "a");
    assert_ne!(ask(users[2], "/", &["x"]), "c");
}
