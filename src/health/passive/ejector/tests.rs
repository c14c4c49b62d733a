use super::*;
use crate::{
    config::{self, Identity},
    fleet::{Book, Conduct, Fault},
};

fn config(pools: &[(&str, &str)]) -> Config {
    let pool = |(name, passive): &(&str, &str)| {
        format!(
            "[pools.{name}.passive]\n{passive}\n[[pools.{name}.origins]]\naddress = \"127.0.0.1:1\"\n\
             [[pools.{name}.origins]]\naddress = \"127.0.0.1:2\"\n"
        )
    };
    let pools: String = pools.iter().map(pool).collect();
    let text = format!("[regions.here]\naddresses = [\"192.0.2.1\"]\n{pools}");
    config::from_text("ejector.toml", &text, &Identity::default()).config.unwrap()
}

/// A judge, and one worker's book.
struct Scene {
    clock: Clock,
    judge: Judge,
    list: Watchlist,
    book: Book,
}

fn scene(pools: &[(&str, &str)]) -> Scene {
    let (config, clock) = (config(pools), Clock::manual());
    let mut judge = Judge::new(clock.clone());
    assert!(judge.follow(&config).is_empty());
    Scene { clock, judge, list: watchlist(&config, None), book: Book::default() }
}

impl Scene {
    fn fails(&mut self, position: usize, times: usize) -> Vec<Signal> {
        let origin = Arc::clone(self.list.origin(0, position).unwrap());
        let mut write = || self.book.write(&origin, Conduct::Failed(Fault::Connect), None, 5);
        let said: Vec<Observation> = (0..times).filter_map(|_| write()).collect();
        said.iter().flat_map(|seen| self.judge.hear(seen)).collect()
    }

    fn waits(&mut self, seconds: u64) -> Vec<Signal> {
        self.clock.advance(Duration::from_secs(seconds));
        self.judge.tick()
    }
}

fn of_traffic(signals: &[Signal]) -> Vec<(String, Belief, Option<u64>)> {
    assert!(signals.iter().all(|signal| signal.source == Source::Traffic));
    let said =
        |signal: &Signal| (signal.subject.to_string(), signal.belief, signal.valid_for.map(|span| span.as_secs()));
    signals.iter().map(said).collect()
}

#[test]
fn control_is_told_of_an_ejection_and_of_its_end() {
    let mut scene = scene(&[("shop", "")]);
    assert!(scene.fails(0, 4).is_empty());
    let said = scene.fails(0, 1);
    let name = || "origin shop/127.0.0.1:1".to_owned();
    assert_eq!(of_traffic(&said), [(name(), Belief::Health(Health::Down), Some(30))]);
    assert_eq!(said[0].said.as_deref(), Some("5 gateway failures in a row, the last of them: no connection"));
    assert!(scene.waits(29).is_empty());
    assert_eq!(of_traffic(&scene.waits(1)), [(name(), Belief::Withdrawn, None)]);
    // The count of failures began anew.
    assert!(scene.fails(0, 4).is_empty());
    assert_eq!(of_traffic(&scene.fails(0, 1)), [(name(), Belief::Health(Health::Down), Some(60))]);
}

#[test]
fn nothing_is_said_in_observe_mode_though_everything_happens() {
    let mut scene = scene(&[("shop", "mode = \"observe\"")]);
    assert!(scene.fails(0, 50).is_empty());
    assert_eq!(scene.judge.pools["shop"].0.ejected(), 1);
    assert!(scene.waits(30).is_empty());
    assert_eq!(scene.judge.pools["shop"].0.ejected(), 0);
}

#[test]
fn a_reload_keeps_ejections_and_forgets_pools_that_left() {
    let mut scene = scene(&[("shop", ""), ("zoo", "")]);
    scene.fails(0, 5);
    let next = config(&[("shop", "consecutive = 7")]);
    assert!(scene.judge.follow(&next).is_empty());
    assert_eq!((scene.judge.pools.len(), scene.judge.pools["shop"].0.ejected()), (1, 1));
    // Whoever is still asked by the config before has nobody who listens.
    let gone = Arc::clone(scene.list.origin(1, 0).unwrap());
    let seen = scene.book.write_request(&gone, Duration::from_secs(9)).unwrap();
    assert!(scene.judge.hear(&seen).is_empty());
    // Nobody is out where nothing is enforced.
    let off = config(&[("shop", "mode = \"off\"")]);
    let said = of_traffic(&scene.judge.follow(&off));
    assert_eq!(said, [("origin shop/127.0.0.1:1".to_owned(), Belief::Withdrawn, None)]);
    assert!(scene.fails(1, 5).is_empty());
}

#[test]
fn those_who_are_watched_stand_where_the_table_has_them() {
    let text = "node.region = \"b\"\n[regions.a]\naddresses = [\"192.0.2.1\"]\n[regions.b]\naddresses = [\"192.0.2.2\"]\n\
                [[pools.shop.origins]]\naddress = \"127.0.0.1:1\"\nregion = \"b\"\nstandby = true\n\
                [[pools.shop.origins]]\naddress = \"127.0.0.1:2\"\nregion = \"a\"\n\
                [[pools.shop.origins]]\naddress = \"127.0.0.1:3\"\nregion = \"b\"\n";
    let config = config::from_text("ejector.toml", text, &Identity::default()).config.unwrap();
    let list = watchlist(&config, None);
    // That the table has them so is a test of control.
    for (position, origin) in config.pools[0].in_table_order().into_iter().enumerate() {
        let subject = Subject::Origin { pool: "shop".into(), address: origin.address.clone() };
        assert_eq!(list.origin(0, position).unwrap().subject(), &subject);
    }
    let ports = [0, 1, 2].map(|position| list.origin(0, position).unwrap().subject().to_string());
    assert_eq!(ports.map(|port| port.chars().last().unwrap()), ['2', '3', '1']);
}

#[tokio::test]
async fn what_workers_say_becomes_a_signal() {
    let config = Arc::new(config(&[("shop", "")]));
    let (signals, mut said) = mpsc::channel(4);
    let (ejector, observations) = Ejector::start(&config, signals, Clock::system());
    let (list, mut book) = (watchlist(&config, None), Book::default());
    let origin = list.origin(0, 1).unwrap();
    let seen = book.write_request(origin, Duration::from_mins(1)).unwrap();
    observations.send(seen).await.unwrap();
    let signal = said.recv().await.unwrap();
    assert_eq!((&signal.subject, signal.belief), (origin.subject(), Belief::Health(Health::Down)));
    drop(ejector);
    assert!(said.recv().await.is_none());
}
