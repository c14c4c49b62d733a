use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use proptest::prelude::*;

use super::*;
use crate::{
    control::{
        CommandError,
        overrides::{Action, NewOverride},
        scene::{address, config, door, everybody, ledger, origin, probed, three_regions},
    },
    fleet::{BasisPoints, Belief, Subject},
    table::{Compiled, RowKey},
};

#[test]
fn a_signal_moves_its_row_and_the_row_of_its_pool_there() {
    let mut ledger = ledger(&["a", "b"], &[("shop", &[(1, 0, 10), (2, 0, 30), (3, 1, 10)])]);
    assert_eq!(ledger.in_region("shop", "a").health, Health::Unknown);
    ledger.hear(&probed(origin("shop", 2), Health::Up));
    assert_eq!(ledger.row(&origin("shop", 2)).health, Health::Up);
    let there = ledger.in_region("shop", "a");
    assert_eq!((there.health, there.weight.get()), (Health::Up, 10_000), "nobody counts on who was not seen yet");
    ledger.hear(&probed(origin("shop", 1), Health::Down));
    assert_eq!(ledger.in_region("shop", "a").weight.get(), 7_500);
    let row = ledger.writer.row(&RowKey::PoolRegion("shop".into(), "a".into())).unwrap();
    assert_eq!(row.measure().usable_weight, 30);
    assert_eq!(ledger.in_region("shop", "b").health, Health::Unknown);
}

#[test]
fn a_verdict_that_is_not_renewed_turns_stale_with_its_region_and_stays() {
    let mut ledger = three_regions();
    ledger.waits(3_000);
    assert!(!ledger.row(&door("a")).is_stale && !ledger.in_region("shop", "a").is_stale);
    ledger.hear(&probed(origin("shop", 1), Health::Up));
    ledger.waits(100);
    assert!(ledger.row(&origin("shop", 2)).is_stale && ledger.in_region("shop", "b").is_stale);
    assert!(!ledger.in_region("shop", "a").is_stale, "one origin was just seen");
    assert!(everybody(&ledger).iter().all(|subject| ledger.row(subject).is_usable()));
}

#[test]
fn an_operator_wins_until_the_end_and_then_the_probe_counts_again() {
    let mut ledger = three_regions();
    ledger.orders(origin("shop", 1), Action::Down, Some(Duration::from_secs(1))).unwrap();
    ledger.hear(&probed(origin("shop", 1), Health::Up));
    let forced = ledger.row(&origin("shop", 1));
    assert_eq!((forced.health, forced.is_forced), (Health::Down, true));
    assert_eq!(ledger.in_region("shop", "a").weight.get(), 5_000);
    ledger.waits(1_000);
    assert_eq!((ledger.row(&origin("shop", 1)).health, ledger.overrides.len()), (Health::Down, 1));
    ledger.waits(100);
    assert_eq!((ledger.row(&origin("shop", 1)).health, ledger.overrides.len()), (Health::Up, 0));
    assert_eq!(ledger.in_region("shop", "a").weight, BasisPoints::FULL);
}

#[test]
fn a_drained_front_door_is_a_drained_region() {
    let mut ledger = three_regions();
    ledger.orders(door("b"), Action::Drain, None).unwrap();
    let row = ledger.row(&door("b"));
    assert_eq!((row.health, row.is_draining, row.is_usable()), (Health::Up, true, false));
    ledger.clear_override(&door("b")).unwrap();
    assert!(ledger.row(&door("b")).is_usable());
}

#[test]
fn draining_all_of_a_pool_there_drains_its_row() {
    let mut ledger = three_regions();
    ledger.orders(origin("shop", 3), Action::Drain, None).unwrap();
    assert!(!ledger.in_region("shop", "b").is_draining);
    ledger.orders(origin("shop", 4), Action::Drain, None).unwrap();
    let there = ledger.in_region("shop", "b");
    assert_eq!((there.health, there.is_draining), (Health::Down, true));
}

#[test]
fn what_an_operator_asks_for_is_checked_first() {
    let mut ledger = three_regions();
    let gone = origin("shop", 99);
    assert_eq!(ledger.orders(gone.clone(), Action::Up, None), Err(CommandError::UnknownSubject(gone.clone())));
    assert_eq!(ledger.clear_override(&gone), Err(CommandError::UnknownSubject(gone)));
    assert_eq!(ledger.clear_override(&door("a")), Err(CommandError::NoOverride(door("a"))));
    assert_eq!(ledger.orders(door("a"), Action::Up, Some(Duration::ZERO)), Err(CommandError::EndsAtOnce));
    let new = |author: &str, reason: &str| NewOverride {
        subject: door("a"),
        action: Action::Up,
        author: author.into(),
        reason: reason.into(),
        expires_in: None,
    };
    assert_eq!(ledger.set_override(new(" ", "r")), Err(CommandError::Missing("author")));
    assert_eq!(ledger.set_override(new("a", "")), Err(CommandError::Missing("reason")));
    let too_long = CommandError::TooLong { field: "reason", longest: 1_024 };
    assert_eq!(ledger.set_override(new("a", &"r".repeat(1_025))), Err(too_long));
    assert_eq!((ledger.overrides.len(), ledger.row(&door("a")).is_forced), (0, false));
}

#[test]
fn beliefs_survive_a_change_of_membership_and_overrides_wait_for_their_subject() {
    let mut ledger = ledger(&["a"], &[("shop", &[(1, 0, 10), (2, 0, 10)])]);
    ledger.all_see(everybody(&ledger), Health::Up);
    ledger.orders(origin("shop", 1), Action::Drain, None).unwrap();
    let smaller = Arc::new(config(&["a"], &[("shop", &[(2, 0, 10)])]));
    assert_eq!(ledger.apply(Arc::clone(&smaller), Compiled::default()), 2);
    assert_eq!(ledger.row(&origin("shop", 2)).health, Health::Up);
    assert!(ledger.list_overrides()[0].is_inert);
    assert_eq!(ledger.in_region("shop", "a").weight, BasisPoints::FULL);
    let back = Arc::new(config(&["0", "a"], &[("shop", &[(1, 1, 10), (2, 1, 10)])]));
    ledger.apply(back, Compiled::default());
    let returned = ledger.row(&origin("shop", 1));
    assert_eq!((returned.health, returned.is_draining), (Health::Unknown, true));
    assert_eq!((ledger.row(&origin("shop", 2)).health, ledger.row(&door("a")).health), (Health::Up, Health::Up));
    assert!(!ledger.list_overrides()[0].is_inert);
    ledger.apply(smaller, Compiled::default());
    ledger.clear_override(&origin("shop", 1)).unwrap();
    assert_eq!(ledger.overrides.len(), 0);
}

#[test]
fn it_is_ready_after_the_first_full_round_and_stays_so() {
    let mut ledger = ledger(&["a"], &[("shop", &[(1, 0, 10)])]);
    ledger.hear(&probed(door("a"), Health::Down));
    ledger.hear(&probed(door("a"), Health::Up));
    assert!(!ledger.is_ready);
    ledger.hear(&probed(origin("shop", 1), Health::Down));
    assert!(ledger.is_ready);
    let larger = Arc::new(config(&["a"], &[("shop", &[(1, 0, 10), (2, 0, 10)])]));
    ledger.apply(larger, Compiled::default());
    assert!(ledger.is_ready);
}

#[test]
fn signals_that_cannot_count_are_counted_as_such() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let mut ledger = three_regions();
        ledger.hear(&probed(origin("shop", 99), Health::Up));
        ledger.hear(&Signal { source: Source::Operator, ..probed(door("a"), Health::Down) });
        assert_eq!(ledger.row(&door("a")).health, Health::Up);
        ledger.hear(&probed(origin("shop", 3), Health::Down));
        ledger.apply(Arc::new(config(&["a"], &[("shop", &[(1, 0, 10)])])), Compiled::default());
    });
    let page = handle.render();
    for line in [
        "meridian_control_signals_total{source=\"probe\"} 11",
        "meridian_control_signals_ignored_total{reason=\"unknown_subject\"} 1",
        "meridian_control_signals_ignored_total{reason=\"operator_without_command\"} 1",
        "meridian_control_generation 2",
        "meridian_origin_up{pool=\"shop\",origin=\"127.0.0.1:1\"} 1",
        "meridian_origin_up{pool=\"shop\",origin=\"127.0.0.1:4\"} 0",
        "meridian_front_door_up{region=\"a\"} 1",
        "meridian_front_door_up{region=\"c\"} 0",
        "meridian_pool_region_usable_ratio{pool=\"shop\",region=\"a\"} 1",
        "meridian_pool_region_usable_ratio{pool=\"shop\",region=\"b\"} 0",
        "meridian_control_suspects_itself 0",
    ] {
        assert!(page.lines().any(|found| found == line), "no `{line}` in\n{page}");
    }
}

#[test]
fn a_report_says_who_believes_what() {
    let mut ledger = three_regions();
    ledger.orders(origin("shop", 1), Action::Down, Some(Duration::from_secs(9))).unwrap();
    ledger.hear(&Signal { source: Source::Peer, ..probed(origin("shop", 1), Health::Down) });
    let reports = ledger.describe().subjects;
    let report = reports.iter().find(|report| report.subject == origin("shop", 1)).unwrap();
    assert_eq!((report.source, report.valid_for), (Some(Source::Operator), Some(Duration::from_secs(9))));
    let views: Vec<_> = report.views.iter().map(|view| (view.source, view.health)).collect();
    let (up, down) = (Some(Health::Up), Some(Health::Down));
    assert_eq!(views, [(Source::Operator, down), (Source::Probe, up), (Source::Peer, down)]);
    assert_eq!((&*report.overrides[0].0.author, &*report.overrides[0].0.reason), ("ann", "test"));
}

#[test]
fn a_report_says_why_an_origin_is_ejected_how_long_and_what_its_check_says_meanwhile() {
    let mut ledger = three_regions();
    let ejected = Signal {
        source: Source::Traffic,
        valid_for: Some(Duration::from_secs(30)),
        said: Some("5 gateway failures in a row".into()),
        ..probed(origin("shop", 1), Health::Down)
    };
    ledger.hear(&ejected);
    ledger.waits(2_000);
    ledger.hear(&probed(origin("shop", 1), Health::Up));
    assert_eq!(ledger.row(&origin("shop", 1)).health, Health::Down, "a passing check does not end it");
    let reports = ledger.describe().subjects;
    let report = reports.iter().find(|report| report.subject == origin("shop", 1)).unwrap();
    let standing = report.standing().unwrap();
    assert_eq!((standing.source, standing.said.as_deref()), (Source::Traffic, Some("5 gateway failures in a row")));
    let seconds = Duration::from_secs;
    assert_eq!((standing.age, standing.valid_for), (Some(seconds(2)), Some(seconds(28))));
    assert_eq!(report.views[1].health, Some(Health::Up));
    ledger.waits(28_100);
    ledger.hear(&probed(origin("shop", 1), Health::Up));
    assert_eq!(ledger.row(&origin("shop", 1)).health, Health::Up);
    assert_eq!(ledger.describe().subjects.iter().filter(|report| report.source == Some(Source::Traffic)).count(), 0);
}

fn any_signal() -> impl Strategy<Value = Signal> {
    let subject = prop_oneof![
        (1..5_u16).prop_map(|port| origin("shop", port)),
        prop::sample::select(vec!["a", "b"]).prop_map(door),
    ];
    let source = prop::sample::select(vec![Source::Drill, Source::Traffic, Source::Probe, Source::Peer]);
    let belief = prop_oneof![
        3 => Just(Belief::Health(Health::Up)),
        2 => Just(Belief::Health(Health::Down)),
        1 => Just(Belief::Drain),
        1 => (0..=10_000_u16).prop_map(|share| Belief::Weight(BasisPoints::new(share))),
        1 => Just(Belief::Withdrawn),
    ];
    let valid_for = prop::option::of((1..30_u64).prop_map(|tenths| Duration::from_millis(100 * tenths)));
    (subject, source, belief, valid_for).prop_map(|(subject, source, belief, valid_for)| Signal {
        subject,
        source,
        belief,
        valid_for,
        said: None,
    })
}

proptest! {
    /// However signals and time mix, rows say what merging and counting anew would say.
    #[test]
    fn rows_always_follow_from_beliefs(steps in prop::collection::vec((any_signal(), 0..4_u64), 1..60)) {
        let origins = [(1, 0, 10), (2, 0, 0), (3, 1, 10), (4, 1, 256)];
        let mut ledger = ledger(&["a", "b"], &[("shop", &origins)]);
        for (signal, tenths) in steps {
            ledger.hear(&signal);
            ledger.waits(tenths * 100);
            let now = ledger.clock.ticks();
            let mut anew = vec![crate::control::derive::Tally::default(); ledger.roster.groups.len()];
            for entry in &ledger.roster.entries {
                let expected = entry.beliefs.merge(now).state;
                let row = ledger.row(&entry.subject);
                prop_assert_eq!(row, RowState { is_stale: row.is_stale, ..expected });
                prop_assert_eq!(row.is_stale, expected.is_stale);
                if let Place::Origin { group, weight } = entry.place {
                    anew[group].add(Entry::part(weight, entry.merged.state));
                }
            }
            for (group, tally) in ledger.roster.groups.iter().zip(&anew) {
                prop_assert_eq!(&group.tally, tally);
                prop_assert_eq!(group.row.measure(), tally.measure());
                let row = ledger.in_region(&group.pool, &group.region);
                let expected = tally.state();
                prop_assert_eq!(row, RowState { is_stale: row.is_stale, ..expected });
                prop_assert_eq!(row.is_stale, expected.is_stale || expected.valid_until < now);
            }
            prop_assert!(ledger.deadlines.len() <= 2 * ledger.roster.entries.len() + 8);
        }
    }
}

#[test]
fn renewing_a_belief_for_hours_does_not_grow_the_heap() {
    let mut ledger = three_regions();
    for _ in 0..2_000 {
        ledger.waits(1_000);
        ledger.all_see(everybody(&ledger), Health::Up);
    }
    assert!(ledger.deadlines.len() <= 2 * ledger.roster.entries.len());
}

#[test]
fn the_first_generation_is_complete_before_anybody_can_see_it() {
    let mut overrides = OverrideList::new();
    let kept = crate::control::Override {
        subject: Subject::Origin { pool: "shop".into(), address: address(1) },
        action: Action::Down,
        author: "ann".into(),
        reason: "test".into(),
        created: 0,
        expires: None,
        is_inert: false,
    };
    overrides.set(kept, Ticks::FOREVER).unwrap();
    let config = Arc::new(config(&["a"], &[("shop", &[(1, 0, 10)])]));
    let ledger = Ledger::open(config, Compiled::default(), None, Clock::manual(), overrides);
    assert!(ledger.row(&origin("shop", 1)).is_forced);
    assert_eq!(ledger.in_region("shop", "a").health, Health::Down);
}
