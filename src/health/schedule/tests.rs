use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    config::{Config, Identity, from_text},
    fleet::{BasisPoints, Belief},
    health::targets,
};

const QUICK: &str = "interval = \"100ms\"\nrecheck = \"50ms\"\ntimeout = \"2s\"\nrise = 2\nfall = 2\n";

/// Pools by name, each with one origin and a check; front doors are left alone.
fn config(pools: &[(&str, SocketAddr, &str)], more: &str) -> Config {
    let pools: String = pools
        .iter()
        .map(|(name, address, check)| {
            format!("[pools.{name}]\norigins = [{{ address = \"{address}\" }}]\n[pools.{name}.check.{check}\n")
        })
        .collect();
    let text = format!("regions.here = {{ addresses = [\"192.0.2.1\"], check = \"none\" }}\n{more}\n{pools}");
    let loaded = from_text("test.toml", &text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}

fn tcp(address: SocketAddr) -> Config {
    config(&[("shop", address, &format!("tcp]\n{QUICK}"))], "")
}

struct Scene {
    doubt: Doubt,
    prober: Prober,
    signals: mpsc::Receiver<Signal>,
}

impl Scene {
    fn new() -> Self {
        let (signals, received) = mpsc::channel(64);
        let doubt = Doubt::default();
        Self { prober: Prober::new(signals, doubt.clone(), Clock::system()), doubt, signals: received }
    }

    fn probe(&mut self, config: &Config) {
        self.prober.set_targets(&targets(config), &config.health, &Directory::default(), &Outward::default());
    }

    async fn next(&mut self) -> Signal {
        tokio::time::timeout(Duration::from_secs(20), self.signals.recv()).await.unwrap().unwrap()
    }

    /// Takes signals until one says so.
    async fn until(&mut self, belief: Belief) -> Signal {
        self.find(|signal| signal.belief == belief).await
    }

    async fn find(&mut self, is_it: impl Fn(&Signal) -> bool) -> Signal {
        let looking = async {
            loop {
                let signal = self.signals.recv().await.unwrap();
                if is_it(&signal) {
                    return signal;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap()
    }
}

const UP: Belief = Belief::Health(Health::Up);
const DOWN: Belief = Belief::Health(Health::Down);

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Answers every request with what stands there at the time, and counts them.
async fn answering(answer: &str) -> (SocketAddr, Arc<Mutex<String>>, Arc<AtomicUsize>) {
    let (listener, address) = listener().await;
    let (answer, count) = (Arc::new(Mutex::new(answer.to_owned())), Arc::new(AtomicUsize::new(0)));
    let (said, counted) = (Arc::clone(&answer), Arc::clone(&count));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            _ = stream.read(&mut [0; 4096]).await;
            let text = said.lock().unwrap().clone();
            _ = stream.write_all(text.as_bytes()).await;
        }
    });
    (address, answer, count)
}

#[tokio::test]
async fn a_target_is_up_while_it_accepts_and_down_with_words_when_it_does_not() {
    let (listener, address) = listener().await;
    let mut scene = Scene::new();
    scene.probe(&tcp(address));
    assert_eq!(scene.until(UP).await.said, None);
    drop(listener);
    let words = scene.until(DOWN).await.said.unwrap();
    assert!(words.starts_with("connection: ") && words.contains("refused"), "{words}");
}

#[tokio::test]
async fn a_probe_that_stays_keeps_its_task_and_one_that_goes_is_withdrawn() {
    let (_stays, address) = listener().await;
    let check = format!("tcp]\n{QUICK}");
    let both = config(&[("shop", address, &check), ("blog", ([127, 0, 0, 1], 1).into(), &check)], "");
    let mut scene = Scene::new();
    scene.probe(&both);
    let task = |scene: &Scene| {
        let one = scene.prober.probes.iter().find(|(asked, _)| asked.address == address.into()).unwrap();
        one.1.task.id()
    };
    let before = task(&scene);
    scene.until(DOWN).await;
    scene.probe(&tcp(address));
    assert_eq!(task(&scene), before);
    assert_eq!(scene.prober.probes.len(), 1);
    let gone = scene.until(Belief::Withdrawn).await.subject;
    assert_eq!(gone.to_string(), "origin blog/127.0.0.1:1");
}

/// What speaks against a verdict must not renew it: control takes every word as one more probe that saw something.
#[tokio::test]
async fn an_answer_against_the_verdict_says_nothing_until_it_has_changed_it() {
    let (listener, address) = listener().await;
    let mut scene = Scene::new();
    let check = format!("tcp]\n{}", QUICK.replace("fall = 2", "fall = 5"));
    scene.probe(&config(&[("shop", address, &check)], ""));
    scene.until(UP).await;
    drop(listener);
    let mut said = Vec::new();
    while said.last() != Some(&DOWN) {
        said.push(scene.next().await.belief);
    }
    // One probe may have been under way when the listener went.
    assert!(said.len() <= 2, "{said:?}");
}

#[tokio::test]
async fn another_way_of_asking_starts_from_what_is_known() {
    let (listener, address) = listener().await;
    let mut scene = Scene::new();
    scene.probe(&tcp(address));
    scene.until(UP).await;
    drop(listener);
    let check = "tcp]\nfall = 3\ninterval = \"60s\"\nrecheck = \"60s\"\njitter = 0\n";
    scene.probe(&config(&[("shop", address, check)], ""));
    // The one bad answer that the new check gets in a minute is none of three.
    let early = tokio::time::timeout(Duration::from_millis(300), scene.until(DOWN)).await;
    assert!(early.is_err(), "one bad answer of a new check took it down");
}

#[tokio::test]
async fn who_comes_to_share_a_new_check_is_not_taken_to_be_as_the_other_was() {
    let (listener, alive) = listener().await;
    let (dead, _, _) = answering("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").await;
    let hourly = QUICK.replace("100ms", "1h");
    let named = format!(
        "[checks.good.tcp]\nport = {}\n{hourly}\n[checks.bad.http]\nport = {port}\n{hourly}\n\
         [checks.new.http]\nport = {port}\npath = \"/new\"\n{hourly}\n",
        alive.port(),
        port = dead.port(),
    );
    let pool = |name: &str, check: &str| {
        format!("[pools.{name}]\ncheck = {{ use = \"{check}\" }}\norigins = [{{ address = \"{alive}\" }}]\n")
    };
    let mut scene = Scene::new();
    scene.probe(&config(&[], &format!("{named}{}{}", pool("cart", "good"), pool("shop", "bad"))));
    let first = [scene.next().await.belief, scene.next().await.belief];
    assert!(first.contains(&UP) && first.contains(&DOWN), "{first:?}");
    scene.probe(&config(&[], &format!("{named}{}{}", pool("cart", "new"), pool("shop", "new"))));
    let shop = format!("origin shop/{alive}");
    assert_eq!(scene.find(|signal| signal.subject.to_string() == shop).await.belief, DOWN);
    drop(listener);
}

/// Pools that share a check which is asked once an hour, at one address.
fn sharing(pools: &[&str], address: SocketAddr) -> Config {
    let named = format!("[checks.alive.http]\npath = \"/alive\"\n{}", QUICK.replace("100ms", "1h"));
    let pools = pools.iter().map(|name| {
        format!("[pools.{name}]\ncheck = {{ use = \"alive\" }}\norigins = [{{ address = \"{address}\" }}]\n")
    });
    config(&[], &pools.fold(named, |text, pool| text + &pool))
}

#[tokio::test]
async fn a_check_that_several_pools_share_is_one_probe_and_a_signal_for_each() {
    let (address, _answer, count) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let mut scene = Scene::new();
    scene.probe(&sharing(&["cart", "shop"], address));
    let mut told = [scene.next().await, scene.next().await].map(|signal| (signal.subject.to_string(), signal.belief));
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(told, [(format!("origin cart/{address}"), UP), (format!("origin shop/{address}"), UP)]);
    assert_eq!((count.load(Ordering::SeqCst), scene.prober.probes.len()), (1, 1), "asked once for both");
}

#[tokio::test]
async fn who_comes_to_a_probe_that_is_there_learns_at_once_what_it_knows() {
    let (address, _answer, count) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let mut scene = Scene::new();
    scene.probe(&sharing(&["cart"], address));
    scene.until(UP).await;
    // The second probe comes after any part of an hour.
    let before = count.load(Ordering::SeqCst);
    scene.probe(&sharing(&["cart", "shop"], address));
    let signal = scene.until(UP).await;
    assert_eq!(signal.subject.to_string(), format!("origin shop/{address}"));
    assert_eq!(count.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn what_an_origin_says_of_its_work_is_said_with_its_health_and_ends_when_it_says_nothing() {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
    let busy = format!("{head}x-meridian-weight: 25\r\nx-meridian-drain: true\r\n\r\n");
    let (address, answer, _) = answering(&busy).await;
    let check = format!("http]\nreport = true\n{QUICK}");
    let mut scene = Scene::new();
    scene.probe(&config(&[("shop", address, &check)], ""));
    let first = [scene.next().await, scene.next().await, scene.next().await];
    let quarter = Belief::Weight(BasisPoints::new(2_500));
    assert_eq!(first.clone().map(|signal| signal.belief), [UP, quarter, Belief::Drain]);
    assert!(first.iter().all(|signal| signal.valid_for >= Some(Duration::from_secs(10))), "{first:?}");
    *answer.lock().unwrap() = format!("{head}\r\n");
    let ended = scene.until(Belief::Weight(BasisPoints::FULL)).await;
    assert_eq!(ended.valid_for, Some(Duration::ZERO));
    assert_eq!(scene.next().await, Signal { belief: Belief::Drain, ..ended });
    for _ in 0..3 {
        assert_eq!(scene.next().await.belief, UP, "and then no more of it");
    }
}

#[tokio::test]
async fn several_checks_come_to_one_verdict() {
    let (listener, address) = listener().await;
    let (dead, dead_address) = self::listener().await;
    drop(dead);
    let checks = format!(
        "[checks.web.tcp]\n{QUICK}\n[checks.side.tcp]\nport = {}\n{QUICK}\n\
         [pools.all]\ncheck.all = [\"web\", \"side\"]\norigins = [{{ address = \"{address}\" }}]\n\
         [pools.any]\ncheck.any = [\"web\", \"side\"]\norigins = [{{ address = \"{address}\" }}]\n",
        dead_address.port()
    );
    let config = config(&[], &checks);
    let mut scene = Scene::new();
    scene.probe(&config);
    assert_eq!(scene.prober.probes.len(), 2, "both pools ask the same");
    let (mut all, mut any) = (None, None);
    while all.is_none() || any.is_none() {
        let signal = scene.next().await;
        let is_all = signal.subject.to_string().starts_with("origin all/");
        *(if is_all { &mut all } else { &mut any }) = Some(signal);
    }
    let (all, any) = (all.unwrap(), any.unwrap());
    assert_eq!((all.belief, any.belief), (DOWN, UP));
    assert!(all.said.unwrap().starts_with(&format!("tcp {dead_address}: connection: ")));
    drop(listener);
}

/// Any of two checks, each at a port of its own; the first is asked once an hour.
fn any_of(seldom: SocketAddr, often: SocketAddr) -> Config {
    let checks = format!(
        "[checks.seldom.tcp]\nport = {}\n{}\n[checks.often.http]\nport = {}\n{QUICK}\n\
         [pools.shop]\ncheck.any = [\"seldom\", \"often\"]\norigins = [{{ address = \"{seldom}\" }}]\n",
        seldom.port(),
        QUICK.replace("100ms", "1h"),
        often.port()
    );
    config(&[], &checks)
}

/// Control takes "up" as a probe that succeeded just now.
#[tokio::test]
async fn a_bad_answer_never_says_up_though_another_check_does() {
    let (listener, alive) = listener().await;
    let (dead, _, count) = answering("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").await;
    let mut scene = Scene::new();
    scene.probe(&any_of(alive, dead));
    let first = scene.next().await;
    assert_eq!(first.belief, UP);
    assert!(first.valid_for > Some(Duration::from_hours(4)), "as long as what makes it: {first:?}");
    let before = count.load(Ordering::SeqCst);
    while count.load(Ordering::SeqCst) < before + 4 {
        tokio::task::yield_now().await;
    }
    assert!(scene.signals.try_recv().is_err(), "the good one was asked only once");
    drop(listener);
}

#[tokio::test]
async fn a_reload_that_makes_something_else_of_the_same_probes_says_so() {
    let (listener, alive) = listener().await;
    let (dead, _, _) = answering("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").await;
    let named = format!(
        "[checks.seldom.tcp]\nport = {}\n{hourly}\n[checks.often.http]\nport = {}\n{hourly}\n",
        alive.port(),
        dead.port(),
        hourly = QUICK.replace("100ms", "1h"),
    );
    let pool = |name: &str, check: &str| format!("[pools.{name}]\n{check}\norigins = [{{ address = \"{alive}\" }}]\n");
    let all = pool("both", "check.all = [\"seldom\", \"often\"]");
    let mut scene = Scene::new();
    scene.probe(&config(&[], &format!("{named}{}{all}", pool("shop", "check.any = [\"seldom\", \"often\"]"))));
    // Both were asked once both pools have a verdict, and are not asked again for an hour.
    let mut told = HashSet::new();
    while told.len() < 2 {
        told.insert(scene.next().await.belief == UP);
    }
    scene.probe(&config(&[], &format!("{named}{}{all}", pool("shop", "check.all = [\"seldom\", \"often\"]"))));
    let signal = scene.until(DOWN).await;
    assert_eq!(signal.subject.to_string(), format!("origin shop/{alive}"));
    drop(listener);
}

#[tokio::test]
async fn what_an_origin_said_to_a_check_that_goes_is_over_and_another_that_listens_goes_on_from_it() {
    let busy = "HTTP/1.1 200 OK\r\nconnection: close\r\nx-meridian-drain: true\r\n\r\n";
    let (address, _, _) = answering(busy).await;
    let check = |more: &str| config(&[("shop", address, &format!("http]\n{more}\n{QUICK}"))], "");
    let mut scene = Scene::new();
    scene.probe(&check("report = true"));
    scene.until(Belief::Drain).await;
    // Says it again at once, and never that it is over.
    scene.probe(&check("report = true\npath = \"/other\""));
    for _ in 0..4 {
        assert_ne!(scene.until(Belief::Drain).await.valid_for, Some(Duration::ZERO));
    }
    scene.probe(&check("path = \"/other\""));
    scene.find(|signal| signal.belief == Belief::Drain && signal.valid_for == Some(Duration::ZERO)).await;
}

#[tokio::test]
async fn who_changes_while_the_node_doubts_its_eyes_is_not_held_down() {
    let [good, bad] = ["200 OK", "503 No"].map(|status| format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"));
    let (address, answer, _) = answering(&good).await;
    let check = format!("http]\nflaps = 1\n{}", QUICK.replace("rise = 2\nfall = 2", "rise = 1\nfall = 1"));
    let mut scene = Scene::new();
    scene.probe(&config(&[("shop", address, &check)], ""));
    scene.until(UP).await;
    for is_doubted in [true, true, true, false] {
        answer.lock().unwrap().clone_from(&bad);
        scene.until(DOWN).await;
        // Control hears of the fall before it doubts.
        scene.doubt.set(is_doubted);
        answer.lock().unwrap().clone_from(&good);
        if is_doubted {
            scene.until(UP).await;
            scene.doubt.set(false);
        }
    }
    // Two changes that are not the node's are one too many.
    scene.find(|signal| signal.said.as_deref() == Some("it went up and down too often")).await;
}

#[test]
fn a_small_fleet_is_asked_at_once_and_a_large_one_within_an_interval_and_a_second() {
    let second = Duration::from_secs(1);
    assert!((0..256).all(|at| delay(at, 256, 256, second).is_zero()));
    let delays: Vec<_> = (0..10_256).map(|at| delay(at, 10_256, 256, second)).collect();
    assert!(delays[..=256].iter().all(Duration::is_zero) && delays.is_sorted());
    assert_eq!(delays[5_256], second / 2);
    assert!(delays.iter().all(|delay| *delay < second));
    assert_eq!(delay(5_256, 10_256, 256, Duration::from_hours(1)), second / 2);
    assert_eq!(delay(5_256, 10_256, 256, second / 4), second / 8);
}
