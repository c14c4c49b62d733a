//! Who looks names up, and when: one task per name, at once, then whenever what is known is too old.

use std::{collections::HashMap, fmt, net::IpAddr, sync::Arc};

use metrics::{Counter, Gauge, counter, gauge};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use super::{
    Directory,
    directory::Cell,
    known::{Known, Learned},
    lookup::Client,
};
use crate::{clock, config};

/// Keeps the cells of a directory up to date.
#[derive(Default)]
pub struct Resolver {
    tasks: JoinSet<()>,
    followed: HashMap<Arc<str>, AbortHandle>,
    /// Nobody until there is a name to ask for.
    client: watch::Sender<Option<Arc<Client>>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("names", &self.followed.len()).finish_non_exhaustive()
    }
}

impl Resolver {
    /// Follows the names of this directory from now on, and looks each of them up now. Runs within a tokio runtime.
    pub fn follow(&mut self, directory: &Directory, settings: &config::Resolver) {
        let mut before = std::mem::take(&mut self.followed);
        let mut names = directory.cells().peekable();
        if names.peek().is_some() {
            self.client.send_replace(Some(Arc::new(Client::new(settings))));
        }
        for (host, cell) in names {
            let task = before.remove(host).filter(|task| !task.is_finished()).unwrap_or_else(|| {
                let follow = Follow { host: Arc::clone(host), cell: Arc::clone(cell), client: self.client.subscribe() };
                self.tasks.spawn(follow.run())
            });
            self.followed.insert(Arc::clone(host), task);
        }
        for gone in before.into_values() {
            gone.abort();
        }
        while self.tasks.try_join_next().is_some() {}
    }

    /// Follows nothing any more; returns when every task has ended.
    pub async fn stop(&mut self) {
        self.followed.clear();
        self.tasks.shutdown().await;
    }
}

/// One name's task.
struct Follow {
    host: Arc<str>,
    cell: Arc<Cell>,
    client: watch::Receiver<Option<Arc<Client>>>,
}

impl Follow {
    async fn run(mut self) {
        let mut known = Known::default();
        let mut counted = Counted::new();
        let mut random = clock::random();
        loop {
            let Some(client) = self.client.borrow_and_update().clone() else { return };
            let answer = tokio::select! {
                answer = client.look_up(&self.host) => answer,
                // Who is asked now is not worth waiting for any more.
                changed = self.client.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            };
            let before = known.addresses();
            let learned = known.learn(answer);
            let addresses = known.addresses();
            self.log(counted.state, &learned, &before, &addresses);
            counted.count(&learned, !addresses.is_empty());
            self.cell.set(addresses);
            let wait = known.next_in(&learned, &client.settings, random.f64());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = self.client.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Says what is news: a first word, a move, a failure after success. Servers turn the order of long answers, and cut them; that is
    /// no move.
    fn log(&self, was: Option<State>, learned: &Learned, before: &[IpAddr], addresses: &[IpAddr]) {
        let why = match learned {
            Learned::Good(_) if was != Some(State::Good) || !addresses.iter().any(|one| before.contains(one)) => {
                return tracing::info!(name = %self.host, ?addresses, "a name leads here now");
            }
            Learned::Good(_) => return,
            Learned::Empty => "the servers know no address of it",
            Learned::Failed(why) => why,
        };
        match was {
            None => tracing::warn!(name = %self.host, why, "a name does not resolve: its origins cannot be reached"),
            Some(State::Good) => {
                tracing::warn!(name = %self.host, why, ?addresses, "a name stopped resolving: its last addresses stay");
            }
            Some(State::Stale | State::Unknown) => {
                tracing::debug!(name = %self.host, why, "a name still does not resolve");
            }
        }
    }
}

/// How a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Stale,
    Unknown,
}

impl State {
    fn gauge(self) -> Gauge {
        let state = match self {
            Self::Good => "good",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        };
        gauge!("meridian_resolver_names", "state" => state)
    }
}

/// Counts lookups, and one name among those that stand as it does for as long as it is followed.
struct Counted {
    /// Nothing until the first lookup is over.
    state: Option<State>,
    good: Counter,
    empty: Counter,
    failed: Counter,
}

impl Counted {
    fn new() -> Self {
        let lookups = |result: &'static str| counter!("meridian_resolver_lookups_total", "result" => result);
        Self { state: None, good: lookups("good"), empty: lookups("empty"), failed: lookups("failed") }
    }

    fn count(&mut self, learned: &Learned, has_addresses: bool) {
        let (counter, state) = match learned {
            Learned::Good(_) => (&self.good, State::Good),
            Learned::Empty if has_addresses => (&self.empty, State::Stale),
            Learned::Empty => (&self.empty, State::Unknown),
            Learned::Failed(_) if has_addresses => (&self.failed, State::Stale),
            Learned::Failed(_) => (&self.failed, State::Unknown),
        };
        counter.increment(1);
        if self.state != Some(state) {
            self.leave();
            state.gauge().increment(1.0);
            self.state = Some(state);
        }
    }

    fn leave(&mut self) {
        if let Some(state) = self.state.take() {
            state.gauge().decrement(1.0);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.leave();
    }
}
