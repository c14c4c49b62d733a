use std::{
    fs,
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use metrics_exporter_prometheus::PrometheusBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    entry::{Answered, Entry},
    feed::{Log, Tap},
    line,
    question::{Question, Subnet},
};
use crate::{
    clock::Clock,
    config,
    dns::{
        outcome::{Client, CookieSeen, Outcome, Transport},
        wire::Rcode,
    },
    table::Generation,
};

/// A query for a name in wire form, with these records behind it.
fn query(name: &[u8], records: &[u8]) -> Vec<u8> {
    [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1], name, &[0, 1, 0, 1], records].concat()
}

/// OPT with these options.
fn opt(options: &[u8]) -> Vec<u8> {
    let length = u16::try_from(options.len()).unwrap().to_be_bytes();
    [&[0, 0, 41, 4, 208, 0, 0, 0, 0][..], &length, options].concat()
}

fn answered<'a>(message: &'a [u8], generation: &'a Arc<Generation>) -> Answered<'a> {
    Answered {
        message,
        client: Client { address: Ipv4Addr::new(192, 0, 2, 7).into(), transport: Transport::Udp },
        outcome: Outcome::plain(Rcode::NoError, 1),
        size: 99,
        unix: Duration::from_millis(1_763_723_041_007),
        generation,
    }
}

fn shown(answered: Answered<'_>) -> Value {
    let mut out = Vec::new();
    line::write(&Entry::of(answered), &mut out);
    assert_eq!(out.split(|byte| *byte == b'\n').count(), 2);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn a_line_says_what_there_is_to_say_and_no_more() {
    let generation = Arc::default();
    let message = query(b"\x03WWW\x07example\0", b"");
    assert_eq!(
        shown(answered(&message, &generation)),
        json!({
            "time": "2025-11-21T11:04:01.007Z", "client": "192.0.2.7", "transport": "udp", "name": "www.example",
            "type": "A", "rcode": "noerror", "size": 99, "truncated": false
        })
    );
    let subnet = opt(&[0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100]);
    let message = query(b"\x03www\x07example\0", &subnet);
    let all = Answered {
        outcome: Outcome {
            is_truncated: true,
            is_slipped: true,
            cookie: CookieSeen::Valid,
            has_subnet: true,
            ..Outcome::plain(Rcode::NxDomain, 65_400)
        },
        ..answered(&message, &generation)
    };
    let shown = shown(all);
    assert_eq!(shown["subnet"], "198.51.100.0/24");
    assert_eq!(
        (&shown["type"], &shown["cookie"], &shown["slipped"], &shown["truncated"], &shown["rcode"]),
        (&json!("TYPE65400"), &json!("valid"), &json!(true), &json!(true), &json!("nxdomain"))
    );
}

#[test]
fn whatever_a_name_has_in_it_a_line_is_one_line_of_json() {
    let generation = Arc::default();
    let message = query(b"\x06a\"b\n.\\\x02\xff\0\0", b"");
    assert_eq!(shown(answered(&message, &generation))["name"], r#"a\"b\010\.\\.\255\000"#);
    // Without a name that can be read there is none.
    let message = query(b"\x40", b"");
    assert_eq!(shown(answered(&message, &generation)).get("name"), None);
}

#[test]
fn the_subnet_is_found_behind_other_records_and_options() {
    let options = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 8, 0, 10, 0, 2, 48, 0, 0x20, 1, 0x0d, 0xb8, 0, 9];
    // A record of another type, whose name is a pointer.
    let records = [&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 2, 1, 65][..], &opt(&options)].concat();
    let found = Question::read(&query(b"\0", &records), true).subnet;
    let address: IpAddr = "2001:db8:9::".parse().unwrap();
    assert_eq!(found, Some(Subnet { address, bits: 48 }));
    assert_eq!(Question::read(&query(b"\0", &records), false).subnet, None);
    assert_eq!(Question::read(&query(b"\0", &opt(&[0, 8, 0, 4, 0, 0, 0, 0])), true).subnet, None);
}

proptest! {
    #[test]
    fn any_bytes_are_a_question_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0..60_usize) {
        Question::read(&bytes, true);
        let mut whole = query(b"\x03www\x07example\0", &opt(&[0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100]));
        whole.truncate(cut);
        whole.extend_from_slice(&bytes);
        Question::read(&whole, true);
    }
}

fn settings(path: &Path, sample: f64) -> config::QueryLog {
    config::QueryLog { path: path.to_owned(), sample }
}

/// A way into the log at this path.
fn tap(log: &Arc<Log>, path: &Path, sample: f64) -> Tap {
    let mut tap = Tap::new(log);
    tap.follow(1, Some(&settings(path, sample)));
    tap
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn becomes(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if is_so() {
            return;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    panic!("never happened: {what}");
}

#[test]
fn what_was_logged_is_written_before_the_log_is_closed() {
    let (directory, generation) = (tempfile::tempdir().unwrap(), Arc::default());
    let path = directory.path().join("queries");
    let log = Log::new(&Clock::system());
    let (mut first, mut second) = (tap(&log, &path, 1.0), tap(&log, &path, 1.0));
    let message = query(b"\0", b"");
    for _ in 0..1000 {
        first.log(answered(&message, &generation));
        second.log(answered(&message, &generation));
    }
    drop((first, second));
    log.close();
    assert_eq!(lines(&path), 2000);
}

#[test]
fn a_sample_is_a_share() {
    let (directory, generation) = (tempfile::tempdir().unwrap(), Arc::default());
    let path = directory.path().join("queries");
    let log = Log::new(&Clock::system());
    let mut tap = tap(&log, &path, 0.25);
    let message = query(b"\0", b"");
    for _ in 0..20_000 {
        tap.log(answered(&message, &generation));
    }
    drop(tap);
    log.close();
    assert!((4600..5400).contains(&lines(&path)), "{}", lines(&path));
}

#[test]
fn a_file_that_was_moved_away_is_opened_anew() {
    let (directory, generation) = (tempfile::tempdir().unwrap(), Arc::default());
    let (path, moved) = (directory.path().join("queries"), directory.path().join("queries.1"));
    let log = Log::new(&Clock::system());
    let mut tap = tap(&log, &path, 1.0);
    let message = query(b"\0", b"");
    tap.log(answered(&message, &generation));
    becomes("the first line is written", || lines(&path) == 1);
    fs::rename(&path, &moved).unwrap();
    becomes("there is a new file", || path.exists());
    tap.log(answered(&message, &generation));
    becomes("the second line is written", || lines(&path) == 1);
    assert_eq!(lines(&moved), 1);
}

#[test]
fn a_new_config_moves_the_log_or_ends_it() {
    let (directory, generation) = (tempfile::tempdir().unwrap(), Arc::default());
    let [first, second] = ["a", "b"].map(|name| directory.path().join(name));
    let log = Log::new(&Clock::system());
    let (mut one, mut late) = (tap(&log, &first, 1.0), Tap::new(&log));
    let message = query(b"\0", b"");
    one.log(answered(&message, &generation));
    one.follow(2, Some(&settings(&second, 1.0)));
    // A thread that comes with the config of before does not bring the old file back.
    late.follow(1, Some(&settings(&first, 1.0)));
    late.log(answered(&message, &generation));
    one.log(answered(&message, &generation));
    one.follow(3, None);
    late.follow(3, None);
    one.log(answered(&message, &generation));
    log.close();
    assert_eq!((lines(&first), lines(&second)), (1, 2));
}

#[cfg(unix)]
#[test]
fn a_disk_that_stands_still_loses_lines_and_holds_nobody_back() {
    let (directory, generation) = (tempfile::tempdir().unwrap(), Arc::default());
    let path = directory.path().join("queries");
    // Whoever opens it waits until somebody reads from it.
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let log = Log::new(&Clock::system());
    let recorder = PrometheusBuilder::new().build_recorder();
    let message = query(b"\0", b"");
    let tap = metrics::with_local_recorder(&recorder, || {
        let mut tap = tap(&log, &path, 1.0);
        for _ in 0..10_000 {
            tap.log(answered(&message, &generation));
        }
        tap
    });
    let text = recorder.handle().render();
    assert!(text.contains("meridian_dns_log_dropped_total 1808\n"), "{text}");
    let reader = BufReader::new(fs::File::open(&path).unwrap());
    drop(tap);
    assert_eq!(
        reader.lines().take(8192).filter(|line| line.as_ref().is_ok_and(|line| line.ends_with('}'))).count(),
        8192
    );
    log.close();
}
