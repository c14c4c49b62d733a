//! Queries under way, and what became of them.

use std::time::Duration;

use crate::question::{self, Asked, Questions};

/// Ids go around after so many; a query that is not answered by then is lost.
const IDS: u16 = 4096;

/// One answer of so many is looked at thoroughly.
const SAMPLED: u64 = 256;

/// What was seen so far.
pub(crate) struct Tally {
    pub(crate) answers: u64,
    pub(crate) lost: u64,
    /// Milliseconds of each answer, where somebody wants to know.
    pub(crate) took: Option<Vec<f64>>,
    /// False for a server that answers nothing.
    pub(crate) is_checked: bool,
}

/// The queries of one socket that have no answer yet.
pub(crate) struct Window {
    /// By id.
    open: Vec<Option<(Asked, Duration)>>,
    next_id: u16,
    pub(crate) outstanding: usize,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { open: vec![None; usize::from(IDS)], next_id: 0, outstanding: 0 }
    }

    /// Writes the next query; says how long it is.
    pub(crate) fn ask(
        &mut self,
        questions: &mut Questions,
        tally: &mut Tally,
        now: Duration,
        into: &mut [u8],
    ) -> usize {
        let (length, asked) = questions.write(self.next_id, into);
        match self.open[usize::from(self.next_id)].replace((asked, now)) {
            Some(_) => tally.lost += 1,
            None => self.outstanding += 1,
        }
        self.next_id = (self.next_id + 1) % IDS;
        length
    }

    /// Takes an answer. One that nobody waits for was given up before.
    pub(crate) fn take(&mut self, answer: &[u8], tally: &mut Tally, now: Duration) {
        let Some(id) = answer.first_chunk().map(|id| u16::from_be_bytes(*id)) else { return };
        let Some((asked, sent_at)) = self.open.get_mut(usize::from(id)).and_then(Option::take) else { return };
        self.outstanding -= 1;
        tally.answers += 1;
        if let Some(took) = &mut tally.took {
            took.push(now.saturating_sub(sent_at).as_secs_f64() * 1000.0);
        }
        if !tally.is_checked {
            return;
        }
        assert!(question::is_answer(answer), "{asked:?} was answered with {answer:02x?}");
        if tally.answers.is_multiple_of(SAMPLED)
            && let Err(error) = question::addresses(answer, asked)
        {
            panic!("{asked:?} was answered wrongly: {error}");
        }
    }

    /// Waits for none of them any more.
    pub(crate) fn give_up(&mut self, tally: &mut Tally) {
        tally.lost += self.outstanding as u64;
        self.outstanding = 0;
        self.open.fill(None);
    }
}
