//! What operators take and give back moves at a pace, too.

use proptest::prelude::*;

use super::*;
use crate::control::CommandError;

#[test]
fn an_operators_up_is_not_waited_for() {
    let mut ledger = scene(FAILOVER, SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 });
    ledger.hear(&probed(origin("shop", 1), Health::Down));
    ledger.orders(origin("shop", 1), Action::Up, None).unwrap();
    assert_eq!(weight(ledger.row(&origin("shop", 1))), 10_000);
}

#[test]
fn what_an_operator_gives_back_returns_without_a_hold() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.orders(door("b"), Action::Drain, None).unwrap();
    passes(&mut ledger, SECOND * 5, &[]);
    ledger.clear_override(&door("b")).unwrap();
    passes(&mut ledger, SECOND * 30, &[]);
    assert_eq!(weight(ledger.row(&door("b"))), 5_000);
}

#[test]
fn an_evacuation_goes_evenly_and_ends_in_a_drain() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    let evacuate = Action::Evacuate(SECOND * 60);
    ledger.orders(door("b"), evacuate, None).unwrap();
    passes(&mut ledger, SECOND * 15, &[]);
    let row = ledger.row(&door("b"));
    assert_eq!((weight(row), row.is_draining, row.is_returning), (7_500, false, false));
    ledger.apply(Arc::clone(&ledger.config), Compiled::default());
    passes(&mut ledger, SECOND * 44, &[]);
    assert_eq!((weight(ledger.row(&door("b"))), ledger.row(&door("b")).is_draining), (167, false));
    passes(&mut ledger, SECOND * 2, &[]);
    assert!(ledger.row(&door("b")).is_draining);
    // A drain at once takes its place, and so does taking it back.
    ledger.orders(door("c"), evacuate, None).unwrap();
    ledger.orders(door("c"), Action::Drain, None).unwrap();
    assert!(ledger.row(&door("c")).is_draining);
    ledger.orders(door("a"), evacuate, None).unwrap();
    passes(&mut ledger, SECOND * 30, &[]);
    ledger.clear_override(&door("a")).unwrap();
    passes(&mut ledger, SECOND * 60, &[]);
    assert_eq!((weight(ledger.row(&door("a"))), ledger.row(&door("a")).is_draining), (10_000, false));
}

#[test]
fn an_evacuation_that_is_taken_back_gives_nothing_back_at_once() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.orders(door("b"), Action::Evacuate(SECOND * 60), None).unwrap();
    passes(&mut ledger, SECOND * 59, &[]);
    let least = weight(ledger.row(&door("b")));
    ledger.clear_override(&door("b")).unwrap();
    let row = ledger.row(&door("b"));
    assert_eq!((weight(row), granted(&ledger, "b"), row.is_returning), (least, least, true));
    passes(&mut ledger, SECOND * 30, &[]);
    assert_eq!(weight(ledger.row(&door("b"))), least + (10_000 - least) / 2);
    // Letting go goes at its own pace again, from where it is; taking that back, too.
    ledger.orders(door("b"), Action::Evacuate(SECOND * 60), None).unwrap();
    assert_eq!(weight(ledger.row(&door("b"))), least + (10_000 - least) / 2);
    ledger.clear_override(&door("b")).unwrap();
    passes(&mut ledger, SECOND * 61, &[]);
    assert_eq!((weight(ledger.row(&door("b"))), ledger.row(&door("b")).is_returning), (10_000, false));
}

#[test]
fn an_evacuation_that_is_begun_again_or_while_the_share_rises_goes_on_from_what_it_has() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    let evacuate = |ledger: &mut Ledger| ledger.orders(door("b"), Action::Evacuate(SECOND * 60), None).unwrap();
    let has = |ledger: &Ledger| weight(ledger.row(&door("b")));
    evacuate(&mut ledger);
    passes(&mut ledger, SECOND * 30, &[]);
    evacuate(&mut ledger);
    assert_eq!(has(&ledger), 5_000);
    passes(&mut ledger, SECOND * 30, &[]);
    assert_eq!(has(&ledger), 2_500);
    ledger.clear_override(&door("b")).unwrap();
    passes(&mut ledger, SECOND * 20, &[]);
    let risen = has(&ledger);
    assert!((4_990..=5_000).contains(&risen), "{risen}");
    evacuate(&mut ledger);
    passes(&mut ledger, SECOND * 30, &[]);
    assert!(has(&ledger).abs_diff(risen / 2) <= 1, "{}", has(&ledger));
    ledger.orders(door("b"), Action::Weight(BasisPoints::new(1_000)), None).unwrap();
    ledger.orders(door("b"), Action::Weight(BasisPoints::new(9_000)), None).unwrap();
    assert_eq!(has(&ledger), 1_000, "nor does a weight bring back any");
}

#[test]
fn a_drain_that_ends_by_itself_is_given_back_bit_by_bit() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.orders(door("b"), Action::Evacuate(SECOND * 10), Some(SECOND * 20)).unwrap();
    passes(&mut ledger, SECOND * 19, &[]);
    assert!(ledger.row(&door("b")).is_draining);
    passes(&mut ledger, SECOND * 2, &[]);
    let row = ledger.row(&door("b"));
    assert!(row.is_usable() && row.is_returning && weight(row) < 500, "{row:?}");
}

#[test]
fn a_weight_that_is_raised_or_cleared_rises_and_one_that_is_lowered_falls_at_once() {
    let slow = SlowStart { window: SECOND * 30, least_percent: 0, aggression: 1 };
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, slow);
    let share = |percent: u16| Action::Weight(BasisPoints::new(percent * 100));
    for (subject, window) in [(door("b"), SECOND * 60), (origin("shop", 1), SECOND * 30)] {
        ledger.orders(subject.clone(), share(1), None).unwrap();
        assert_eq!(weight(ledger.row(&subject)), 100, "{subject}");
        ledger.orders(subject.clone(), share(50), None).unwrap();
        assert_eq!(weight(ledger.row(&subject)), 100, "{subject}");
        passes(&mut ledger, window / 2, &[]);
        assert_eq!(weight(ledger.row(&subject)), 2_550, "{subject}");
        ledger.clear_override(&subject).unwrap();
        assert_eq!(weight(ledger.row(&subject)), 2_550, "{subject}");
        passes(&mut ledger, window / 2, &[]);
        assert_eq!(weight(ledger.row(&subject)), 6_275, "{subject}");
        ledger.orders(subject.clone(), share(20), None).unwrap();
        assert_eq!((weight(ledger.row(&subject)), ledger.row(&subject).is_returning), (2_000, false), "{subject}");
    }
}

#[test]
fn who_returns_is_thinned_by_operators_too_and_those_who_came_only_by_them() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.hear(&probed(door("b"), Health::Down));
    passes(&mut ledger, SECOND * 5, &[door("b")]);
    ledger.hear(&probed(door("b"), Health::Up));
    passes(&mut ledger, SECOND * 330, &[]);
    assert_eq!((weight(ledger.row(&door("b"))), granted(&ledger, "b")), (5_000, 10_000));
    ledger.orders(door("b"), Action::Evacuate(SECOND * 40), None).unwrap();
    passes(&mut ledger, SECOND * 20, &[]);
    assert_eq!(granted(&ledger, "b"), 5_000);
    assert_eq!(weight(ledger.row(&door("b"))), 4_167, "half of what it would have by now");
    ledger.apply(Arc::clone(&ledger.config), Compiled::default());
    assert_eq!((weight(ledger.row(&door("b"))), granted(&ledger, "b")), (4_167, 5_000));
}

#[test]
fn a_drain_does_not_shorten_the_hold_of_who_was_lost() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    ledger.hear(&probed(door("b"), Health::Down));
    passes(&mut ledger, SECOND * 5, &[door("b")]);
    ledger.hear(&probed(door("b"), Health::Up));
    ledger.orders(door("b"), Action::Drain, None).unwrap();
    ledger.clear_override(&door("b")).unwrap();
    passes(&mut ledger, SECOND * 60, &[]);
    assert_eq!((weight(ledger.row(&door("b"))), granted(&ledger, "b")), (1, 10_000));
}

#[test]
fn an_operators_up_on_the_only_origin_of_a_region_is_not_waited_for() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    ledger.all_see(of_region("b"), Health::Down);
    ledger.orders(origin("shop", 3), Action::Up, None).unwrap();
    let row = ledger.in_region("shop", "b");
    assert_eq!((weight(row), row.is_forced, row.is_returning), (5_000, true, false));
}

#[test]
fn an_evacuation_has_to_have_somebody_to_evacuate_and_time_to_do_it() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    let evacuate = Action::Evacuate(SECOND * 60);
    assert_eq!(ledger.orders(door("b"), evacuate, Some(SECOND * 60)), Err(CommandError::NeverLeft));
    ledger.orders(door("b"), Action::Drain, None).unwrap();
    assert_eq!(ledger.orders(door("b"), evacuate, None), Err(CommandError::LeftAlready(door("b"))));
    assert_eq!(ledger.list_overrides()[0].action, Action::Drain, "and what was decided stands");
}

fn any_order() -> impl Strategy<Value = Option<Action>> {
    prop_oneof![
        Just(None),
        Just(Some(Action::Drain)),
        Just(Some(Action::Down)),
        (1..90_u64).prop_map(|seconds| Some(Action::Evacuate(SECOND * u32::try_from(seconds).unwrap()))),
        (0..=10_000_u16).prop_map(|points| Some(Action::Weight(BasisPoints::new(points)))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_operators_say_nothing_is_given_back_faster_than_the_ramp(
        orders in prop::collection::vec((any_order(), prop::option::of(1..120_u32), 0..300_u64), 1..20),
    ) {
        let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
        // A sixtieth of all in a second, and what rounding and being more than nothing add.
        let most = 10_000 / 600 + 2;
        let takes = |ledger: &Ledger| {
            let row = ledger.row(&door("b"));
            if row.is_usable() { (weight(row), granted(ledger, "b")) } else { (0, 0) }
        };
        let is_leaving = |ledger: &Ledger| ledger.roster.entries.iter().any(|entry| entry.leaves.is_some());
        let mut before = takes(&ledger);
        for (order, expires, ticks) in orders {
            // What is refused is refused.
            _ = match order {
                Some(action) => ledger.orders(door("b"), action, expires.map(|seconds| SECOND * seconds)),
                None => ledger.clear_override(&door("b")),
            };
            for tick in 0..=ticks {
                if tick > 0 {
                    ledger.waits(100);
                }
                let now = takes(&ledger);
                if is_leaving(&ledger) {
                    // Being more than nothing is what any that is still there is.
                    prop_assert!(now.0 <= before.0.max(1), "{order:?}: {before:?}, {now:?}");
                }
                prop_assert!(now.0 <= before.0 + most && now.1 <= before.1 + most, "{order:?}: {before:?}, {now:?}");
                prop_assert_eq!(now.0, now.1, "nobody was lost");
                before = now;
            }
        }
    }
}
