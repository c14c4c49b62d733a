//! Happy Eyeballs (RFC 8305): several addresses are tried, a little apart, and the first that accepts is taken.
//!
//! Pure of sockets: what is raced is whatever the caller opens.

use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

/// How long an attempt has the field to itself (RFC 8305, section 8).
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Addresses of one name, and of one family of it, that are kept: more are not tried.
pub(super) const MAX_ADDRESSES: usize = 16;

/// The order of trying: the families in turn, IPv6 first (RFC 8305, section 4), each in the order it came.
pub(super) fn in_turn(v6: &[IpAddr], v4: &[IpAddr]) -> Vec<IpAddr> {
    let longest = v6.len().max(v4.len());
    let turns = (0..longest).flat_map(|at| [v6.get(at), v4.get(at)]);
    turns.flatten().take(MAX_ADDRESSES).copied().collect()
}

/// Opens the targets in their order, the next one when one has failed or `delay` after the one before. The first that opens is the
/// answer, and the others are dropped; where all fail it is the last failure, and nothing where there is no target.
pub(super) async fn race<A, T, E, F>(
    targets: impl IntoIterator<Item = A>,
    delay: Duration,
    open: impl Fn(A) -> F,
) -> Option<Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = targets.into_iter().peekable();
    let mut under_way: Vec<Pin<Box<F>>> = Vec::new();
    let mut last = None;
    loop {
        under_way.extend(waiting.next().map(|target| Box::pin(open(target))));
        if under_way.is_empty() {
            return last;
        }
        let mut pause = pin!(tokio::time::sleep(delay));
        let has_more = waiting.peek().is_some();
        let event = poll_fn(|cx| match poll_any(&mut under_way, cx) {
            Poll::Pending if has_more => pause.as_mut().poll(cx).map(|()| None),
            other => other.map(Some),
        });
        match event.await {
            Some(Ok(opened)) => return Some(Ok(opened)),
            Some(Err(error)) => last = Some(Err(error)),
            None => {}
        }
    }
}

/// The outcome of one that is over; it is taken out.
fn poll_any<T, F: Future<Output = T>>(under_way: &mut Vec<Pin<Box<F>>>, cx: &mut Context<'_>) -> Poll<T> {
    for at in 0..under_way.len() {
        if let Poll::Ready(outcome) = under_way[at].as_mut().poll(cx) {
            under_way.swap_remove(at);
            return Poll::Ready(outcome);
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use tokio::time::{Instant, sleep};

    use super::*;

    /// How a target behaves: after so many milliseconds it opens or refuses.
    type Target = (&'static str, u64, bool);

    const NEVER: u64 = 3_600_000;

    /// Who won or failed last, when, and when each was begun: in tens of milliseconds, because timers round up.
    async fn run(targets: &[Target]) -> (Option<Result<&'static str, &'static str>>, u128, Vec<u128>) {
        let start = Instant::now();
        let now = || start.elapsed().as_millis() / 10;
        let begun = RefCell::new(Vec::new());
        let open = |(name, after, opens): Target| {
            begun.borrow_mut().push(now());
            async move {
                sleep(Duration::from_millis(after)).await;
                if opens { Ok(name) } else { Err(name) }
            }
        };
        let outcome = race(targets.iter().copied(), ATTEMPT_DELAY, open).await;
        (outcome, now(), begun.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_black_hole_costs_one_delay() {
        let (outcome, took, begun) = run(&[("v6", NEVER, true), ("v4", 20, true)]).await;
        assert_eq!((outcome, took, begun), (Some(Ok("v4")), 27, vec![0, 25]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_costs_nothing_and_the_rest_is_not_begun() {
        let (outcome, took, begun) = run(&[("v6", 0, false), ("v4", 20, true), ("more", 0, true)]).await;
        assert_eq!((outcome, took, begun), (Some(Ok("v4")), 2, vec![0, 0]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_one_still_wins_if_it_is_the_first_to_open() {
        let (outcome, took, begun) = run(&[("v6", 300, true), ("v4", 100, true)]).await;
        assert_eq!((outcome, took, begun), (Some(Ok("v6")), 30, vec![0, 25]));
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_fail_the_last_failure_is_told_once_nobody_is_left() {
        let (outcome, took, begun) = run(&[("a", 400, false), ("b", 10, false), ("c", 10, false)]).await;
        assert_eq!((outcome, took, begun), (Some(Err("a")), 40, vec![0, 25, 26]));
        assert_eq!(run(&[]).await.0, None);
    }

    #[tokio::test(start_paused = true)]
    async fn losers_are_dropped() {
        let open = Rc::new(());
        let connect = |after| {
            let held = Rc::clone(&open);
            async move {
                sleep(Duration::from_millis(after)).await;
                drop(held);
                Ok::<_, ()>(())
            }
        };
        race([NEVER, NEVER, 5], ATTEMPT_DELAY, connect).await.unwrap().unwrap();
        assert_eq!(Rc::strong_count(&open), 1);
    }

    #[test]
    fn families_take_turns_within_the_bound() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let (v6, v4) = ([ip("2001:db8::1")], [ip("192.0.2.1"), ip("192.0.2.2")]);
        assert_eq!(in_turn(&v6, &v4), [v6[0], v4[0], v4[1]]);
        let many = |count: u8| (0..count).map(|last| IpAddr::from([192, 0, 2, last])).collect::<Vec<_>>();
        let all = in_turn(&v6, &many(40));
        assert_eq!((all.len(), all[0]), (MAX_ADDRESSES, v6[0]));
    }
}
