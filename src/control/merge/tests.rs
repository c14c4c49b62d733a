use proptest::prelude::*;

use super::*;

const CHECKERS: [Source; 2] = [Source::Probe, Source::Peer];

fn any_belief() -> impl Strategy<Value = Belief> {
    prop_oneof![
        Just(Belief::Health(Health::Up)),
        Just(Belief::Health(Health::Down)),
        Just(Belief::Health(Health::Unknown)),
        Just(Belief::Drain),
        (0..=10_000_u16).prop_map(|share| Belief::Weight(BasisPoints::new(share))),
        Just(Belief::Withdrawn),
    ]
}

fn any_until() -> impl Strategy<Value = Ticks> {
    prop_oneof![4 => (0..40_u32).prop_map(Ticks), 1 => Just(Ticks::FOREVER)]
}

type Heard = (Source, Belief, Ticks);

fn any_history() -> impl Strategy<Value = Vec<Heard>> {
    let heard = (prop::sample::select(Source::ALL.to_vec()), any_belief(), any_until());
    prop::collection::vec(heard, 0..20)
}

fn after(history: &[Heard]) -> Beliefs {
    let mut beliefs = Beliefs::default();
    for (source, belief, until) in history {
        beliefs.hear(*source, *belief, *until);
    }
    beliefs
}

proptest! {
    #[test]
    fn an_operators_word_on_health_beats_everything(history in any_history(), doubted: bool, now in 0..40_u32) {
        for health in [Health::Up, Health::Down] {
            let mut beliefs = after(&history);
            beliefs.is_probe_doubted = doubted;
            beliefs.hear(Source::Operator, Belief::Health(health), Ticks::FOREVER);
            let merged = beliefs.merge(Ticks(now));
            prop_assert_eq!(merged.state.health, health);
            prop_assert!(merged.state.is_forced && !merged.state.is_stale);
            prop_assert_eq!(merged.source, Some(Source::Operator));
        }
    }

    #[test]
    fn the_order_in_which_sources_spoke_does_not_matter(history in any_history(), now in 0..40_u32) {
        let mut sorted = history.clone();
        // Stable: what one source said stays in its order.
        sorted.sort_by_key(|(source, ..)| std::cmp::Reverse(*source));
        prop_assert_eq!(after(&history).merge(Ticks(now)), after(&sorted).merge(Ticks(now)));
    }

    #[test]
    fn hearing_the_same_again_changes_nothing(history in any_history(), now in 0..40_u32) {
        let once = after(&history);
        let mut twice = once.clone();
        if let Some((source, belief, until)) = history.last() {
            twice.hear(*source, *belief, *until);
        }
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(once.merge(Ticks(now)), twice.merge(Ticks(now)));
    }

    #[test]
    fn withdrawn_is_as_never_said(history in any_history(), source in prop::sample::select(Source::ALL.to_vec())) {
        let mut beliefs = after(&history);
        beliefs.hear(source, Belief::Withdrawn, Ticks::FOREVER);
        let never: Vec<Heard> = history.into_iter().filter(|(by, ..)| *by != source).collect();
        prop_assert_eq!(beliefs, after(&never));
    }

    #[test]
    fn nothing_changes_between_two_announced_changes(history in any_history(), doubted: bool) {
        let mut beliefs = after(&history);
        beliefs.is_probe_doubted = doubted;
        let mut now = Ticks(0);
        while let Some(next) = beliefs.next_change(now) {
            prop_assert!(next > now);
            for tick in now.0..next.0 {
                prop_assert_eq!(beliefs.merge(Ticks(tick)), beliefs.merge(now));
            }
            now = next;
        }
        prop_assert_eq!(beliefs.merge(Ticks(1_000)), beliefs.merge(now));
    }

    #[test]
    fn time_alone_never_turns_a_checkers_verdict(history in any_history(), from in 0..40_u32, later in 0..80_u32) {
        let checked: Vec<Heard> = history.into_iter().filter(|(by, ..)| *by == Source::Probe).collect();
        let (then, now) = (after(&checked).merge(Ticks(from)), after(&checked).merge(Ticks(from + later)));
        prop_assert_eq!(then.state.health, now.state.health);
        // Staleness and the end of a drain are one-way, too.
        prop_assert!(then.state.is_stale <= now.state.is_stale);
        prop_assert!(then.state.is_draining >= now.state.is_draining);
    }

    #[test]
    fn what_operators_and_drills_said_ends_without_a_trace(history in any_history()) {
        let ends: Vec<Heard> = history.iter().copied().filter(|(.., until)| *until != Ticks::FOREVER).collect();
        let checked: Vec<Heard> = ends.iter().copied().filter(|(by, ..)| CHECKERS.contains(by)).collect();
        prop_assert_eq!(after(&ends).merge(Ticks(100)), after(&checked).merge(Ticks(100)));
    }
}

#[test]
fn forced_down_beats_a_passing_probe() {
    let beliefs = after(&[
        (Source::Operator, Belief::Health(Health::Down), Ticks(50)),
        (Source::Probe, Belief::Health(Health::Up), Ticks(30)),
    ]);
    assert_eq!(beliefs.merge(Ticks(50)).state.health, Health::Down);
    let ended = beliefs.merge(Ticks(51));
    assert_eq!((ended.state.health, ended.state.is_forced, ended.state.is_stale), (Health::Up, false, true));
}

#[test]
fn a_drain_leaves_the_probes_health_visible() {
    let beliefs = after(&[
        (Source::Probe, Belief::Health(Health::Up), Ticks(30)),
        (Source::Operator, Belief::Drain, Ticks::FOREVER),
    ]);
    let Merged { state, source } = beliefs.merge(Ticks(0));
    assert_eq!((state.health, state.is_draining, state.is_forced), (Health::Up, true, false));
    assert_eq!(source, Some(Source::Probe));
    assert!(!state.is_usable());
}

#[test]
fn weight_is_settled_apart_from_health() {
    let beliefs = after(&[
        (Source::Probe, Belief::Health(Health::Up), Ticks(30)),
        (Source::Probe, Belief::Weight(BasisPoints::new(5_000)), Ticks(30)),
        (Source::Operator, Belief::Weight(BasisPoints::ZERO), Ticks(10)),
    ]);
    let weight = |now| beliefs.merge(Ticks(now)).state.weight;
    assert_eq!((weight(10), weight(11)), (BasisPoints::ZERO, BasisPoints::new(5_000)));
    assert_eq!(weight(31), BasisPoints::FULL);
    assert!(!beliefs.merge(Ticks(0)).state.takes_new_work());
}

#[test]
fn a_peer_that_sees_beats_a_probe_that_does_not() {
    let mut beliefs = after(&[
        (Source::Probe, Belief::Health(Health::Down), Ticks(20)),
        (Source::Peer, Belief::Health(Health::Up), Ticks(30)),
    ]);
    let said =
        |beliefs: &Beliefs, now| (beliefs.merge(Ticks(now)).state.health, beliefs.merge(Ticks(now)).state.is_stale);
    assert_eq!(said(&beliefs, 20), (Health::Down, false));
    assert_eq!(said(&beliefs, 21), (Health::Up, false));
    assert_eq!(said(&beliefs, 31), (Health::Down, true));
    beliefs.is_probe_doubted = true;
    assert_eq!(said(&beliefs, 20), (Health::Up, false));
}

#[test]
fn a_drill_is_marked_in_whatever_it_decides() {
    let drilled = |belief| after(&[(Source::Drill, belief, Ticks(5))]).merge(Ticks(0)).state.is_drilled;
    assert!(drilled(Belief::Health(Health::Down)) && drilled(Belief::Drain));
    assert!(drilled(Belief::Weight(BasisPoints::ZERO)));
    let overruled = after(&[
        (Source::Drill, Belief::Health(Health::Down), Ticks(5)),
        (Source::Operator, Belief::Health(Health::Up), Ticks(5)),
    ]);
    assert!(!overruled.merge(Ticks(0)).state.is_drilled);
}

#[test]
fn who_does_not_know_has_not_spoken() {
    let merged = after(&[(Source::Probe, Belief::Health(Health::Unknown), Ticks(5))]).merge(Ticks(9));
    assert_eq!(merged, Merged { state: RowState::default(), source: None });
}

#[test]
fn a_passing_check_does_not_end_an_ejection_and_an_operator_does() {
    let mut beliefs = after(&[
        (Source::Probe, Belief::Health(Health::Up), Ticks(100)),
        (Source::Traffic, Belief::Health(Health::Down), Ticks(30)),
        (Source::Probe, Belief::Health(Health::Up), Ticks(200)),
    ]);
    let said = |beliefs: &Beliefs, now| {
        let Merged { state, source } = beliefs.merge(Ticks(now));
        (state.health, state.is_forced, source)
    };
    assert_eq!(said(&beliefs, 30), (Health::Down, false, Some(Source::Traffic)));
    assert_eq!(said(&beliefs, 31), (Health::Up, false, Some(Source::Probe)));
    beliefs.hear(Source::Operator, Belief::Health(Health::Up), Ticks(20));
    assert_eq!(said(&beliefs, 20), (Health::Up, true, Some(Source::Operator)));
    assert_eq!(said(&beliefs, 21), (Health::Down, false, Some(Source::Traffic)));
}

#[test]
fn what_fell_beneath_an_ejection_stays_down_after_it() {
    let beliefs = after(&[
        (Source::Traffic, Belief::Health(Health::Down), Ticks(30)),
        (Source::Probe, Belief::Health(Health::Down), Ticks(100)),
    ]);
    assert_eq!(beliefs.view(Source::Probe).health, Some((Health::Down, Ticks(100))));
    assert_eq!(beliefs.merge(Ticks(31)).state.health, Health::Down);
    assert_eq!(beliefs.merge(Ticks(31)).source, Some(Source::Probe));
}

#[test]
fn words_and_their_age_last_as_long_as_the_verdict_they_are_about() {
    let (mut beliefs, words) = (Beliefs::default(), |text: &str| Some(Arc::<str>::from(text)));
    let mut say = |health, said: Option<Arc<str>>, now| {
        beliefs.hear(Source::Probe, Belief::Health(health), Ticks(100));
        beliefs.note(Source::Probe, said.as_ref(), Ticks(now));
        let view = beliefs.view(Source::Probe);
        (view.said.clone(), view.since)
    };
    assert_eq!(say(Health::Down, words("refused"), 1), (words("refused"), Some(Ticks(1))));
    assert_eq!(say(Health::Down, words("timeout"), 2), (words("timeout"), Some(Ticks(1))));
    assert_eq!(say(Health::Up, None, 3), (None, Some(Ticks(3))));
}
