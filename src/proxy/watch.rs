//! What a worker saw of origins, on its way to whoever judges them.
//!
//! A worker writes into its book, and says what stands there four times a second, over a channel that all workers share. What cannot wait goes at
//! once. Nobody waits for room: what finds none is dropped and counted.
//!
//! Not here: how a try ended (`exchange/conduct`), and what follows (`health/passive`).

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Duration,
};

use metrics::Counter;
use tokio::sync::mpsc;

use crate::{
    config::Passive,
    fleet::{Book, Conduct, Observation, Watched},
};

/// How often everything is said.
const INTERVAL: Duration = Duration::from_millis(250);

/// One worker's.
#[derive(Debug)]
pub(super) struct Watch {
    book: RefCell<Book>,
    judge: mpsc::Sender<Observation>,
    said: Cell<Duration>,
    dropped: Counter,
}

impl Watch {
    pub(super) fn new(judge: mpsc::Sender<Observation>) -> Self {
        let dropped = metrics::counter!("meridian_observations_dropped_total");
        Self { book: RefCell::default(), judge, said: Cell::default(), dropped }
    }

    /// A try ended so.
    pub(super) fn write(&self, origin: &Arc<Watched>, conduct: Conduct, latency: Option<Duration>, settings: &Passive) {
        let urgent = self.book.borrow_mut().write(origin, conduct, latency, settings.consecutive);
        if let Some(urgent) = urgent {
            self.say(urgent);
        }
    }

    /// An origin wants to be left alone for so long.
    pub(super) fn write_request(&self, origin: &Arc<Watched>, span: Duration) {
        let urgent = self.book.borrow_mut().write_request(origin, span);
        if let Some(urgent) = urgent {
            self.say(urgent);
        }
    }

    /// Says what is written, where it is time.
    pub(super) fn tick(&self, now: Duration) {
        if now.saturating_sub(self.said.get()) >= INTERVAL {
            self.said.set(now);
            self.book.borrow_mut().read_out(|seen| self.say(seen));
        }
    }

    fn say(&self, seen: Observation) {
        if self.judge.try_send(seen).is_err() {
            self.dropped.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Address, Fault, Watchlist};

    #[test]
    fn what_finds_no_room_is_dropped_and_what_cannot_wait_goes_at_once() {
        let addresses = [1, 2, 3].map(|port| Address::Fixed(([127, 0, 0, 1], port).into()));
        let list = Watchlist::new([("shop".into(), addresses)], None);
        let origin = |at| list.origin(0, at).unwrap();
        let text = "[regions.a]\naddresses = [\"192.0.2.1\"]\n[[pools.shop.origins]]\naddress = \"127.0.0.1:1\"\n";
        let config = crate::config::from_text("a.toml", text, &crate::config::Identity::default()).config.unwrap();
        let settings = &config.pools[0].passive;

        let (judge, mut heard) = mpsc::channel(2);
        let watch = Watch::new(judge);
        for _ in 0..5 {
            watch.write(origin(0), Conduct::Failed(Fault::Connect), None, settings);
        }
        assert_eq!(heard.try_recv().unwrap().in_a_row, Some(5));
        (0..3).for_each(|at| watch.write(origin(at), Conduct::Good, None, settings));
        assert!(heard.try_recv().is_err(), "not yet");
        watch.tick(INTERVAL);
        let said: Vec<u32> = std::iter::from_fn(|| heard.try_recv().ok()).map(|seen| seen.good).collect();
        assert_eq!(said, [1, 1]);
        watch.tick(2 * INTERVAL);
        assert!(heard.try_recv().is_err(), "what was dropped is not said later");
    }
}
