use super::*;
use crate::{
    config::{Config, Failover},
    control::{
        overrides::Action,
        scene::{door, of_region, origin, probed, three_regions},
    },
    fleet::Signal,
    table::Compiled,
};

const SECOND: Duration = Duration::from_secs(1);

/// All are up, and what returns is held for half a minute (regions 5), and rises in one.
fn scene() -> Ledger {
    let mut ledger = three_regions();
    let failover = Failover { hold: SECOND * 30, region_hold: SECOND * 300, ramp: SECOND * 60, spill_percent: 10 };
    ledger.apply(Arc::new(Config { failover, ..Config::clone(&ledger.config) }), Compiled::default());
    ledger
}

impl Ledger {
    /// What is said of a subject, and when it ends.
    fn says(&self, subject: &Subject) -> (Vec<String>, Option<u64>) {
        let report = self.describe().subjects.into_iter().find(|report| report.subject == *subject).unwrap();
        (report.moving.iter().map(ToString::to_string).collect(), report.ends_in().map(|left| left.as_secs()))
    }

    fn says_of_pool_in(&self, region: &str) -> (Vec<String>, (u32, u32)) {
        let report = self.describe().groups.into_iter().find(|report| &*report.region == region).unwrap();
        (report.moving.iter().map(ToString::to_string).collect(), (report.usable, report.origins))
    }
}

#[test]
fn who_is_held_says_so_and_until_when() {
    let mut ledger = scene();
    assert_eq!(ledger.says(&door("b")), (vec![], None));
    ledger.all_see(of_region("b"), Health::Down);
    assert_eq!(ledger.says_of_pool_in("b"), (vec![], (0, 2)));
    ledger.all_see(of_region("b"), Health::Up);
    ledger.waits(48_000);
    assert_eq!(ledger.says(&door("b")), (vec!["returns: held for 4 m 12 s more".into()], Some(312)));
    assert_eq!(ledger.says_of_pool_in("b"), (vec!["returns: rises for 42 s more".into()], (2, 2)));
}

#[test]
fn an_operators_words_say_when_they_end() {
    let mut ledger = scene();
    ledger.orders(door("b"), Action::Evacuate(SECOND * 600), Some(SECOND * 7_200)).unwrap();
    ledger.orders(door("c"), Action::Drain, Some(SECOND * 7_200)).unwrap();
    ledger.orders(origin("shop", 1), Action::Up, None).unwrap();
    ledger.waits(420_000);
    assert_eq!(ledger.says(&door("b")), (vec!["evacuated over 10 m, 3 m left".into()], Some(180)));
    assert_eq!(ledger.says(&door("c")), (vec![], Some(6_780)));
    assert_eq!(ledger.says(&origin("shop", 1)), (vec![], None));
    ledger.clear_override(&door("c")).unwrap();
    assert_eq!(ledger.says(&door("c")), (vec!["given back: rises for 1 m more".into()], Some(60)));
}

#[test]
fn the_word_that_stands_says_its_own_end_beside_what_ends_first() {
    let mut ledger = scene();
    let valid_for = Some(SECOND * 600);
    ledger.hear(&Signal { source: Source::Traffic, valid_for, ..probed(origin("shop", 1), Health::Down) });
    ledger.orders(origin("shop", 1), Action::Weight(BasisPoints::new(5_000)), Some(SECOND * 60)).unwrap();
    let report = ledger.describe().subjects.into_iter().find(|one| one.subject == origin("shop", 1)).unwrap();
    assert_eq!((report.word_ends_in(), report.ends_in()), (Some(SECOND * 600), Some(SECOND * 60)));
}

#[test]
fn what_lost_a_part_says_that_it_passes_on_its_excess() {
    let mut ledger = scene();
    ledger.hear(&probed(origin("shop", 1), Health::Down));
    assert_eq!(ledger.says_of_pool_in("a"), (vec!["passes on its excess for 30 s more".into()], (1, 2)));
}

#[test]
fn spans_are_spelt_in_their_two_largest_units() {
    let spelt = [0, 59, 60, 252, 3_600, 7_199, 90_000].map(|seconds| spell(SECOND * seconds));
    assert_eq!(spelt, ["0 s", "59 s", "1 m", "4 m 12 s", "1 h", "1 h 59 m", "1 d 1 h"]);
    assert_eq!(spell(Duration::from_millis(1)), "1 s");
}
