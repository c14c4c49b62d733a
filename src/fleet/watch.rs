//! Who is watched while requests are tried, and the book that a worker keeps of it.
//!
//! A try that goes well costs a look at the origin's failures in a row, which nobody writes as long as there are none, and a count in memory of
//! the worker's own. Failures in a row are counted on all workers together: only so are they in a row.
//!
//! Not here: what an origin is ejected for (`health/passive`).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{Address, Conduct, Fault, Observation, Sketch, Subject};

/// One origin, as all workers watch it. It stays the same over reloads, for as long as the origin does. The alignment keeps neighbours from slowing
/// each other down.
#[derive(Debug)]
#[repr(align(64))]
pub struct Watched {
    failures_in_a_row: AtomicU32,
    /// Its place in every worker's book; not anybody else's while this one is listed.
    slot: usize,
    subject: Subject,
}

impl Watched {
    fn new(subject: Subject, slot: usize) -> Self {
        Self { failures_in_a_row: AtomicU32::new(0), slot, subject }
    }

    /// Which origin.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Failures count from the beginning.
    pub fn forgive(&self) {
        self.failures_in_a_row.store(0, Ordering::Relaxed);
    }

    fn succeeded(&self) {
        // Read first: a line that nobody writes is in everybody's cache.
        if self.failures_in_a_row.load(Ordering::Relaxed) != 0 {
            self.forgive();
        }
    }

    /// Says how many that were, where they are as many as count, or a multiple of it: then whoever was to hear of it did not.
    fn failed(&self, limit: u32) -> Option<u32> {
        // It wraps after four thousand million failures in a row, which makes one more report of them.
        let failures = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        failures.is_multiple_of(limit).then_some(failures).filter(|_| limit > 0)
    }
}

/// Everybody who is watched, by position of the pool and of the origin among those of its pool.
#[derive(Clone, Debug, Default)]
pub struct Watchlist {
    pools: Vec<Box<[Arc<Watched>]>>,
}

impl Watchlist {
    /// Pools with their origins, in the order in which they are found later. Who was there before stays who he was.
    pub fn new<P: IntoIterator<Item = Address>>(
        pools: impl IntoIterator<Item = (Arc<str>, P)>,
        before: Option<&Self>,
    ) -> Self {
        let before = before.into_iter().flat_map(|before| before.pools.iter().flatten());
        let known: HashMap<&Subject, &Arc<Watched>> = before.map(|watched| (&watched.subject, watched)).collect();
        let mut taken: Vec<bool> = Vec::new();
        for watched in known.values() {
            taken.resize(taken.len().max(watched.slot + 1), false);
            taken[watched.slot] = true;
        }
        // Slots of those who leave now are free the next time: requests under way may still speak of them.
        let mut next = 0;
        let mut free = || {
            while taken.get(next).copied().unwrap_or_default() {
                next += 1;
            }
            next += 1;
            next - 1
        };
        let pools = pools.into_iter().map(|(pool, origins)| {
            let watch = |address: Address| {
                let subject = Subject::Origin { pool: Arc::clone(&pool), address };
                known.get(&subject).map_or_else(|| Arc::new(Watched::new(subject, free())), |same| Arc::clone(same))
            };
            origins.into_iter().map(watch).collect()
        });
        Self { pools: pools.collect() }
    }

    /// One origin of a pool.
    pub fn origin(&self, pool: usize, position: usize) -> Option<&Arc<Watched>> {
        self.pools.get(pool)?.get(position)
    }
}

/// What one worker saw and has not said yet. It is as large as there are origins, and allocates when there are more than ever.
#[derive(Debug, Default)]
pub struct Book {
    pages: Vec<Page>,
    written: Vec<usize>,
}

#[derive(Debug, Default)]
struct Page {
    /// Nobody where nothing is written.
    origin: Option<Arc<Watched>>,
    good: u32,
    failed: u32,
    fault: Option<Fault>,
    latencies: Option<Box<Sketch>>,
    /// Whether it is read when the book is read out.
    is_listed: bool,
}

impl Page {
    /// What is written, which is then not written any more.
    fn take(&mut self) -> Option<Observation> {
        let is_listed = self.is_listed;
        let Self { origin, good, failed, fault, latencies, .. } = std::mem::take(self);
        self.is_listed = is_listed;
        Some(Observation { origin: origin?, good, failed, fault, in_a_row: None, asked_out: None, latencies })
    }
}

impl Book {
    /// Writes down how a try ended, and how long its first byte took where that is wanted. Says at once what cannot wait: as many failures in a row
    /// as count (none count where `limit` is 0).
    pub fn write(
        &mut self,
        origin: &Arc<Watched>,
        conduct: Conduct,
        latency: Option<Duration>,
        limit: u32,
    ) -> Option<Observation> {
        if let Some(latency) = latency {
            self.page(origin).latencies.get_or_insert_default().count(latency);
        }
        match conduct {
            Conduct::Good => {
                let page = self.page(origin);
                page.good = page.good.saturating_add(1);
                origin.succeeded();
                None
            }
            Conduct::Pressed => None,
            Conduct::Failed(fault) => {
                let page = self.page(origin);
                page.failed = page.failed.saturating_add(1);
                page.fault = Some(fault);
                let in_a_row = origin.failed(limit)?;
                Some(Observation { in_a_row: Some(in_a_row), ..page.take()? })
            }
        }
    }

    /// The origin asked to be left alone for so long: that cannot wait either.
    pub fn write_request(&mut self, origin: &Arc<Watched>, span: Duration) -> Option<Observation> {
        Some(Observation { asked_out: Some(span), ..self.page(origin).take()? })
    }

    /// Says everything that is written, and begins anew.
    pub fn read_out(&mut self, say: impl FnMut(Observation)) {
        let Self { pages, written } = self;
        let mut read = |slot: usize| {
            pages[slot].is_listed = false;
            pages[slot].take()
        };
        written.drain(..).filter_map(&mut read).for_each(say);
    }

    fn page(&mut self, origin: &Arc<Watched>) -> &mut Page {
        let slot = origin.slot;
        if self.pages.len() <= slot {
            self.pages.resize_with(slot + 1, Page::default);
        }
        let page = &mut self.pages[slot];
        if !page.origin.as_ref().is_some_and(|known| Arc::ptr_eq(known, origin)) {
            // Whoever had this page has left: nobody wants to know any more.
            let is_listed = page.is_listed;
            *page = Page { origin: Some(Arc::clone(origin)), is_listed: true, ..Page::default() };
            if !is_listed {
                self.written.push(slot);
            }
        }
        &mut self.pages[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ports: &[u16], before: Option<&Watchlist>) -> Watchlist {
        let address = |port: &u16| Address::Fixed(([127, 0, 0, 1], *port).into());
        Watchlist::new([("shop".into(), ports.iter().map(address).collect::<Vec<_>>())], before)
    }

    fn read(book: &mut Book) -> Vec<(usize, u32, u32)> {
        let mut read = Vec::new();
        book.read_out(|seen| read.push((seen.origin.slot, seen.good, seen.failed)));
        read
    }

    const FAILED: Conduct = Conduct::Failed(Fault::Connect);

    #[test]
    fn what_is_written_is_read_out_once() {
        let (list, mut book) = (list(&[1, 2], None), Book::default());
        let [first, second] = [0, 1].map(|at| list.origin(0, at).unwrap());
        assert!(list.origin(0, 2).is_none() && list.origin(1, 0).is_none());
        for (origin, conduct) in [(second, Conduct::Good), (first, FAILED), (second, Conduct::Pressed)] {
            assert!(book.write(origin, conduct, None, 5).is_none());
        }
        assert_eq!(read(&mut book), [(1, 1, 0), (0, 0, 1)]);
        assert!(read(&mut book).is_empty());
        book.write(first, Conduct::Good, None, 5);
        assert_eq!(read(&mut book), [(0, 1, 0)]);
        assert!(book.write(first, Conduct::Pressed, None, 5).is_none() && read(&mut book).is_empty(), "never a vote");
    }

    #[test]
    fn failures_are_in_a_row_whichever_worker_met_them() {
        let list = list(&[1], None);
        let (origin, mut books) = (list.origin(0, 0).unwrap(), [Book::default(), Book::default()]);
        let mut meet = |worker: usize, conduct| books[worker].write(origin, conduct, None, 3);
        assert!(meet(0, FAILED).is_none() && meet(1, FAILED).is_none());
        meet(0, Conduct::Pressed);
        let said = meet(0, FAILED).unwrap();
        // With everything that this worker knows of it.
        assert_eq!((said.in_a_row, said.failed), (Some(3), 2));
        assert!(meet(1, Conduct::Good).is_none());
        assert!(meet(0, FAILED).is_none() && meet(0, FAILED).is_none());
        assert_eq!(meet(1, FAILED).unwrap().in_a_row, Some(3));
        // Whoever was to hear of it may not have.
        assert!(meet(0, FAILED).is_none() && meet(0, FAILED).is_none());
        assert_eq!(meet(0, FAILED).unwrap().in_a_row, Some(6));
        origin.forgive();
        assert!(meet(0, FAILED).is_none());
    }

    #[test]
    fn without_a_limit_no_failure_is_said_at_once() {
        let (list, mut book) = (list(&[1], None), Book::default());
        assert!((0..100).all(|_| book.write(list.origin(0, 0).unwrap(), FAILED, None, 0).is_none()));
        assert_eq!(read(&mut book), [(0, 0, 100)]);
    }

    #[test]
    fn who_stays_is_the_same_and_nobody_gets_a_page_that_was_just_left() {
        let before = list(&[1, 2], None);
        let after = list(&[3, 2], Some(&before));
        assert!(Arc::ptr_eq(before.origin(0, 1).unwrap(), after.origin(0, 1).unwrap()));
        assert_eq!(after.origin(0, 0).unwrap().slot, 2);
        let later = list(&[3, 2, 4], Some(&after));
        assert_eq!(later.origin(0, 2).unwrap().slot, 0);

        let mut book = Book::default();
        book.write(before.origin(0, 0).unwrap(), FAILED, None, 5);
        book.write(later.origin(0, 2).unwrap(), Conduct::Good, None, 5);
        assert_eq!(read(&mut book), [(0, 1, 0)], "what is known of one is not told of another");
    }

    #[test]
    fn a_wish_to_be_left_alone_is_said_at_once_and_times_are_counted_where_wanted() {
        let (list, mut book) = (list(&[1], None), Book::default());
        let origin = list.origin(0, 0).unwrap();
        book.write(origin, Conduct::Good, Some(Duration::from_millis(1)), 5);
        let said = book.write_request(origin, Duration::from_secs(30)).unwrap();
        assert_eq!((said.good, said.asked_out), (1, Some(Duration::from_secs(30))));
        assert_eq!(said.latencies.unwrap().counts().iter().sum::<u16>(), 1);
        assert!(read(&mut book).is_empty());
    }
}
