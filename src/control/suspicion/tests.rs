use super::*;

/// `regions` regions of two subjects each, all up; the node stands in region 0.
struct Scene {
    suspicion: Suspicion,
    now: Ticks,
}

impl Scene {
    fn of(regions: usize) -> Self {
        Self::seen_from(0, regions)
    }

    fn seen_from(own: usize, regions: usize) -> Self {
        let mut suspicion = Suspicion::new(own, regions, Duration::from_millis(2_250));
        (0..regions * 2).for_each(|subject| suspicion.up(subject, subject / 2, false, Ticks(0)));
        Self { suspicion, now: Ticks(100) }
    }

    fn falls(&mut self, region: usize) -> Option<Change> {
        let changes = [region * 2, region * 2 + 1].map(|subject| {
            self.suspicion.down(subject, region, self.now);
            self.suspicion.review(self.now)
        });
        changes.into_iter().flatten().next()
    }

    fn fall<const N: usize>(&mut self, regions: [usize; N]) {
        for region in regions {
            self.falls(region);
        }
    }

    fn rises(&mut self, region: usize) -> Option<Change> {
        let changes = [region * 2, region * 2 + 1].map(|subject| {
            self.suspicion.up(subject, region, false, self.now);
            self.suspicion.review(self.now)
        });
        changes.into_iter().flatten().next()
    }

    /// A probe that keeps succeeding.
    fn is_seen_up(&mut self, region: usize) {
        self.suspicion.up(region * 2, region, true, self.now);
    }

    fn after(&mut self, millis: u64) -> Option<Change> {
        self.now = self.now.after(Duration::from_millis(millis));
        self.suspicion.review(self.now)
    }

    /// Milliseconds, in steps of a tick, until the next change, and that change.
    fn waits(&mut self) -> (u64, Change) {
        let steps = (1..1_000).map(|step| step * 100);
        steps.into_iter().find_map(|waited| Some((waited, self.after(100)?))).expect("doubt has an end")
    }
}

#[test]
fn one_region_of_many_is_believed_at_once_even_the_own_one() {
    for regions in 2..6 {
        for own in 0..regions {
            for fallen in 0..regions {
                assert_eq!(Scene::seen_from(own, regions).falls(fallen), None, "{fallen} of {regions} seen from {own}");
            }
        }
    }
}

#[test]
fn a_single_region_is_believed_at_once() {
    assert_eq!(Scene::of(1).falls(0), None);
}

#[test]
fn far_regions_are_believed_while_the_own_one_lives() {
    let mut scene = Scene::of(4);
    assert_eq!([1, 2, 3].map(|region| scene.falls(region)), [None; 3]);
}

#[test]
fn when_everything_falls_the_node_suspects_itself() {
    let mut scene = Scene::of(3);
    assert_eq!(scene.falls(1), None);
    assert_eq!(scene.falls(0), Some(Change::Began));
    let mut held: Vec<usize> = scene.suspicion.fallen().map(|(subject, _)| subject).collect();
    held.sort_unstable();
    assert_eq!(held, [0, 1, 2, 3]);
    assert_eq!(scene.falls(2), None);
    assert!(scene.suspicion.is_active());
}

#[test]
fn two_of_three_with_the_own_one_are_believed_after_one_window_because_the_third_still_answers() {
    let mut scene = Scene::of(3);
    scene.falls(1);
    assert_eq!(scene.falls(0), Some(Change::Began));
    scene.is_seen_up(2);
    assert_eq!(scene.waits(), (2_300, Change::Ended(Ending::Proven)));
    scene.suspicion.settle();
    assert_eq!(scene.after(100), None);
}

#[test]
fn a_success_in_a_region_that_fell_proves_nothing() {
    let mut scene = Scene::of(3);
    scene.fall([1, 0, 2]);
    scene.suspicion.up(2, 1, false, scene.now);
    scene.suspicion.down(2, 1, scene.now);
    assert_eq!(scene.waits(), (30_000, Change::Ended(Ending::Lasted)));
}

#[test]
fn what_lasts_is_the_truth() {
    let mut scene = Scene::of(2);
    assert_eq!((scene.falls(0), scene.falls(1)), (None, Some(Change::Began)));
    assert_eq!(scene.waits(), (30_000, Change::Ended(Ending::Lasted)));
    scene.suspicion.settle();
    assert_eq!(scene.after(100), None);
}

#[test]
fn it_ends_when_all_that_fell_is_up_again() {
    let mut scene = Scene::of(3);
    scene.fall([1, 2, 0]);
    assert_eq!([1, 0].map(|region| scene.rises(region)), [None; 2]);
    assert_eq!(scene.rises(2), Some(Change::Ended(Ending::Recovered)));
}

#[test]
fn what_does_not_follow_the_others_up_within_a_window_is_down() {
    let mut scene = Scene::of(3);
    scene.fall([1, 2, 0]);
    scene.after(5_000);
    assert_eq!([0, 1].map(|region| scene.rises(region)), [None; 2]);
    assert_eq!(scene.waits(), (2_300, Change::Ended(Ending::Proven)));
    let held: Vec<usize> = scene.suspicion.fallen().map(|(subject, _)| subject / 2).collect();
    assert_eq!(held, [2, 2]);
}

#[test]
fn deaths_apart_in_time_are_not_one_event() {
    let mut scene = Scene::of(2);
    assert_eq!(scene.falls(1), None);
    scene.after(2_500);
    assert_eq!(scene.falls(0), None);
}

#[test]
fn flapping_counts_once() {
    let mut scene = Scene::of(2);
    for _ in 0..10 {
        assert_eq!(scene.falls(1), None);
        assert_eq!(scene.rises(1), None);
        scene.after(200);
    }
    assert_eq!(scene.suspicion.fallen().count(), 0);
    scene.after(5_000);
    assert!(scene.suspicion.order.is_empty());
}

#[test]
fn two_subjects_are_too_few_to_tell() {
    let mut suspicion = Suspicion::new(0, 2, Duration::ZERO);
    for subject in 0..2 {
        suspicion.up(subject, subject, false, Ticks(0));
    }
    for subject in 0..2 {
        suspicion.down(subject, subject, Ticks(1));
        assert_eq!(suspicion.review(Ticks(1)), None);
    }
}

#[test]
fn without_anything_up_at_home_all_others_must_fall() {
    let mut scene = Scene::of(4);
    for subject in [0, 1] {
        scene.suspicion.forget(subject, 0, true);
    }
    assert_eq!([1, 2].map(|region| scene.falls(region)), [None; 2]);
    scene.suspicion.down(6, 3, scene.now);
    assert_eq!(scene.suspicion.review(scene.now), None);
    scene.suspicion.down(7, 3, scene.now);
    assert_eq!(scene.suspicion.review(scene.now), Some(Change::Began));
}

#[test]
fn a_new_membership_does_not_end_the_doubt() {
    let mut scene = Scene::of(2);
    scene.fall([0, 1]);
    let mut next = scene.suspicion.carried_to(0, 3, Duration::ZERO);
    (0..4).for_each(|subject| next.place_fallen(subject, subject / 2, scene.now));
    assert_eq!(next.review(scene.now), None);
    assert!(next.is_active());
    assert_eq!(next.review(scene.now.after(LONGEST_DOUBT)), Some(Change::Ended(Ending::Lasted)));
}
