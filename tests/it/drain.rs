//! A region is let go of and taken back by one command: new answers stop, requests go elsewhere, and kept connections end at a pace.

use std::{collections::BTreeSet, net::IpAddr, process::Command};

use hickory_proto::rr::RecordType;

use crate::{
    hostile2::{Client, Frame, asks},
    scene::{Connection, Meridian, Origin, ask, eventually, get, meridian, origin},
};

const NEAR: &str = "127.0.0.1";
const FAR: &str = "127.0.77.1";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n";

/// A node in the region `near`, with `far` beside it; `more` stands at the top.
fn two_regions(more: &str, near: &Origin, far: &Origin, far_door: u16) -> Meridian {
    let door = near.address.port();
    meridian(&format!(
        "{more}[node]\nregion = \"near\"\n\
         [failover]\nhold = \"0s\"\nregion_hold = \"0s\"\nramp = \"0s\"\n\
         [regions.near]\naddresses = [\"{NEAR}\"]\ncheck.tcp.port = {door}\n\
         [regions.far]\naddresses = [\"{FAR}\"]\ncheck.tcp.port = {far_door}\n\
         [pools.shop]\norigins = [{{ address = \"{}\", region = \"near\" }}, {{ address = \"{}\", region = \"far\" }}]\n\
         [[routes]]\npool = \"shop\"\n\
         [zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\nsteer.\"@\" = {{ pools = [\"shop\"], policy = \"even\" }}\n\
         [policies.even]\nmultivalue = {{ regions = [\"near\", \"far\"], max = 1 }}\n",
        near.address, far.address
    ))
}

fn answered(node: &Meridian) -> BTreeSet<IpAddr> {
    (0..60).flat_map(|_| ask(node.dns(), "shop.example.", RecordType::A).addresses()).collect()
}

fn addresses(texts: &[&str]) -> BTreeSet<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn order(node: &Meridian, arguments: &[&str]) -> String {
    let said = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(arguments)
        .args(["--author", "ada", "--reason", "maintenance", "--admin", &node.admin().to_string()])
        .arg("--token-file")
        .arg(node.token_file())
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

impl Client {
    /// Asks, and says whether it may ask for more.
    fn asks_and_may_stay(&mut self, stream: u32, of: &[u8]) -> bool {
        self.send(&asks(stream, "/"));
        let (mut answer, mut stays) = (Vec::new(), true);
        loop {
            match self.next() {
                Frame::Answer(_, status) => assert_eq!(status, 200),
                Frame::Data(_, bytes, is_end) => {
                    answer.extend(bytes);
                    if is_end {
                        break;
                    }
                }
                Frame::GoAway(code) => {
                    assert_eq!(code, 0);
                    stays = false;
                }
                Frame::End => panic!("closed before the answer"),
                _ => {}
            }
        }
        assert_eq!(answer, of);
        stays && self.hear_out().is_some()
    }
}

#[test]
fn one_command_drains_a_region_and_another_takes_it_back() {
    let (near, far) = (origin("near"), origin("far"));
    let far_door = std::net::TcpListener::bind((FAR, 0)).unwrap();
    let pace = "http.drain_pace = \"5s\"\nhttp.workers = 1\n";
    let node = two_regions(pace, &near, &far, far_door.local_addr().unwrap().port());
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));
    let mut kept: Vec<Connection> = (0..40).map(|_| Connection::open(node.http())).collect();
    for connection in &mut kept {
        assert_eq!(connection.ask(REQUEST).unwrap().text(), "near");
    }

    let alone = format!("on this node ({}); no other was told\n", node.admin());
    assert_eq!(order(&node, &["drain", "near"]), format!("near takes no new work {alone}"));
    assert_eq!(answered(&node), addresses(&[FAR]));
    // Each is served elsewhere, until it is told to leave; some leave earlier than others.
    let (mut rounds, mut leavers) = (0, BTreeSet::new());
    while !kept.is_empty() {
        let before = kept.len();
        kept.retain_mut(|connection| {
            let answer = connection.ask(REQUEST).unwrap();
            assert_eq!(answer.text(), "far");
            let stays = answer.header("connection") != Some("close");
            assert!(stays || connection.is_closed());
            stays
        });
        rounds += 1;
        leavers.insert(before - kept.len());
        assert!(rounds < 1_000, "{} connections were never told to leave", kept.len());
        eventually("a while later", {
            let mut looks = 0;
            move || {
                looks += 1;
                (looks > 5).then_some(())
            }
        });
    }
    assert!(rounds > 2, "they were told in {rounds} rounds, {leavers:?} at a time");

    assert_eq!(order(&node, &["ready", "near"]), format!("near is left to its checks {alone}"));
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));
    // Workers look twenty times a second.
    eventually("new connections are kept", || {
        let answer = Connection::open(node.http()).ask(REQUEST).unwrap();
        (answer.header("connection") != Some("close")).then_some(())
    });
    let mut stays = Connection::open(node.http());
    for _ in 0..3 {
        let answer = stays.ask(REQUEST).unwrap();
        assert_eq!((answer.text().as_str(), answer.header("connection")), ("near", None));
    }
}

#[test]
fn a_client_of_http_2_is_served_before_it_is_told_to_leave() {
    let (near, far) = (origin("near"), origin("far"));
    let far_door = std::net::TcpListener::bind((FAR, 0)).unwrap();
    let node = two_regions("http.drain_pace = \"0s\"\n", &near, &far, far_door.local_addr().unwrap().port());
    let mut stays = Client::open(node.http(), &[]);
    assert!(stays.asks_and_may_stay(1, b"near"));

    order(&node, &["drain", "near"]);
    // Workers look twenty times a second, each for itself.
    let leaves = |mut client: Client, first: u32| {
        let mut streams = (first..).step_by(2);
        eventually("it is told to leave", || {
            let stays = client.asks_and_may_stay(streams.next().unwrap(), b"far");
            (!stays).then_some(())
        });
    };
    leaves(stays, 3);
    for _ in 0..20 {
        let mut client = Client::open(node.http(), &[]);
        client.hear_out().expect("nobody is told to leave who has asked for nothing");
        leaves(client, 1);
    }
}

#[test]
fn an_evacuation_takes_its_time() {
    let (near, far) = (origin("near"), origin("far"));
    let far_door = std::net::TcpListener::bind((FAR, 0)).unwrap();
    let node = two_regions("", &near, &far, far_door.local_addr().unwrap().port());
    let told = order(&node, &["drain", "near", "--over", "3s"]);
    assert!(told.starts_with("near is evacuated over 3s on this node"), "{told}");
    let mut seen = Vec::new();
    eventually("nothing is served there", || {
        let far = (0..40).filter(|_| get(node.http(), "x", "/").unwrap().text() == "far").count();
        seen.push(far);
        (far == 40).then_some(())
    });
    assert!(seen.iter().any(|far| (5..35).contains(far)), "some of them went before the others: {seen:?}");
    eventually("nobody is sent there", || (answered(&node) == addresses(&[FAR])).then_some(()));
    let listed = node.command("GET", "/v1/overrides", "").text();
    assert!(listed.contains(r#""action":{"evacuate":"3s"}"#), "{listed}");
    for bad in [r#"{"evacuate":"soon"}"#, r#"{"evacuate":"0s"}"#] {
        let body = format!(r#"{{"subject":{{"region":"far"}},"action":{bad},"author":"ada","reason":"x"}}"#);
        assert_eq!(node.command("PUT", "/v1/overrides", &body).status, 422, "{bad}");
    }
}

#[test]
fn an_evacuation_that_is_called_off_goes_no_further() {
    let (near, far) = (origin("near"), origin("far"));
    let far_door = std::net::TcpListener::bind((FAR, 0)).unwrap();
    let node = two_regions("", &near, &far, far_door.local_addr().unwrap().port());
    let of_far = || (0..40).filter(|_| get(node.http(), "x", "/").unwrap().text() == "far").count();
    order(&node, &["drain", "near", "--over", "10s"]);
    eventually("some are gone", || (of_far() >= 4).then_some(()));
    order(&node, &["ready", "near"]);
    eventually("all are back", || (of_far() == 0 && of_far() == 0).then_some(()));
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));
}

#[test]
fn one_command_tells_all_nodes_that_are_named_whoever_does_not_answer() {
    let (near, far) = (origin("near"), origin("far"));
    let far_door = std::net::TcpListener::bind((FAR, 0)).unwrap();
    let nodes = [(); 2].map(|()| two_regions("", &near, &far, far_door.local_addr().unwrap().port()));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let admins = [nodes[0].admin(), nobody, nodes[1].admin()];
    let run = |tokens: &[std::path::PathBuf]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.args(["drain", "near", "--author", "ada", "--reason", "maintenance"]);
        for admin in &admins {
            command.args(["--admin", &admin.to_string()]);
        }
        for token in tokens {
            command.arg("--token-file").arg(token);
        }
        let said = command.output().unwrap();
        (said.status.success(), String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap())
    };
    let tokens = [nodes[0].token_file(), nodes[0].token_file(), nodes[1].token_file()];
    let (is_done, stdout, stderr) = run(&tokens[1..]);
    assert!(!is_done && stdout.is_empty() && stderr.contains("once for each `--admin`"), "{stderr}");
    let (is_done, stdout, stderr) = run(&tokens);
    let expected = [0, 2].map(|at| format!("near takes no new work on this node ({})\n", admins[at])).concat();
    assert_eq!((is_done, stdout), (false, expected));
    assert!(stderr.contains(&format!("no node answers at {nobody}")), "{stderr}");
    for node in &nodes {
        assert_eq!(answered(node), addresses(&[FAR]));
    }
}

#[test]
fn what_cannot_be_drained_is_said() {
    let (near, far) = (origin("near"), origin("far"));
    let node = two_regions("", &near, &far, 9);
    let refused = |arguments: &[&str]| {
        let said = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(arguments)
            .args(["--author", "ada", "--reason", "x", "--admin", &node.admin().to_string(), "--token-file"])
            .arg(node.token_file())
            .output()
            .unwrap();
        assert!(!said.status.success());
        String::from_utf8(said.stderr).unwrap()
    };
    assert!(refused(&["drain", "nowhere"]).contains("there is no front door nowhere"));
    assert!(refused(&["ready", "near"]).contains("has no override"));
    assert!(refused(&["drain", "shop/what"]).contains("POOL/ADDRESS"));
    assert!(refused(&["drain", "near", "--over", "long"]).contains("evacuate"));
}
