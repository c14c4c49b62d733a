//! What a try showed of its origin: pure, from how it ended and what was heard of the answer's head.
//!
//! Not a word on an origin where its client left before it answered, where this node could not even ask, or where the request was at fault. Nor
//! where a kept connection was closed without a word: its origin may have let go of it a moment before. Where the time for the whole request
//! was up, an answer that had begun was good, and who got less than half of that time, because others had the rest, was not too slow.

use std::{cell::Cell, time::Duration};

use super::talk::{Ending, Failure};
use crate::{
    config::{Passive, parse_duration},
    fleet::{Conduct, Fault},
    proxy::{Refusal, h1::ResponseHead, headers::all},
};

/// What was heard of an answer's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// 0 where no head came.
    pub(super) status: u16,
    /// It is 503 with `Retry-After`.
    is_pressed: bool,
    /// For how long the origin wants to be left alone.
    pub(super) wish: Option<Duration>,
    /// Since when it could answer: the try's beginning, or the end of the request's body.
    pub(super) since: Duration,
    /// How long its head took from there, where that is measured.
    pub(super) took: Option<Duration>,
}

impl Heard {
    /// Nothing so far, of a try that began then.
    pub(super) fn nothing(since: Duration) -> Self {
        Self { since, ..Self::default() }
    }
}

/// Listens to the heads of answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ear<'a> {
    pub(super) settings: &'a Passive,
    pub(super) heard: &'a Cell<Heard>,
}

impl<'a> Ear<'a> {
    /// Whether anybody wants to know how long answers take.
    pub(super) fn measures(&self) -> bool {
        self.settings.latency.is_some()
    }

    /// All of the request was sent only now: what its client takes is not its origin's.
    pub(super) fn asked(&self, now: Duration) {
        self.heard.set(Heard { since: now, ..self.heard.get() });
    }

    /// Hears the head of an answer that is not an interim one; `now` where it is to be measured.
    pub(super) fn hear(&self, head: &ResponseHead<'_>, now: Option<Duration>) {
        let since = self.heard.get().since;
        let wish = || {
            let name = self.settings.fail_header.as_deref()?;
            let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            parse_duration(std::str::from_utf8(header.value).ok()?).ok()
        };
        self.heard.set(Heard {
            status: head.status,
            is_pressed: head.status == 503 && all(head.headers, "retry-after").next().is_some(),
            wish: wish(),
            since,
            took: now.map(|now| now.saturating_sub(since)),
        });
    }

    /// The header that is for us alone.
    pub(super) fn hidden(&self) -> Option<&'a str> {
        self.settings.fail_header.as_deref()
    }
}

/// How a try went about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// It went by an HTTP/1 connection that was there before, on which nothing at all came.
    pub(super) may_be_stale: bool,
    /// The time for the whole request was up.
    pub(super) is_late: bool,
    /// And it had less than half of that.
    pub(super) was_hurried: bool,
}

/// What the try showed; nothing where that has nothing to do with its origin.
pub(super) fn conduct(
    ended: Result<Ending, Failure>,
    heard: Heard,
    settings: &Passive,
    with: Circumstances,
) -> Option<Conduct> {
    let failed = |fault| Some(Conduct::Failed(fault));
    match ended {
        Err(Failure::Truncated) if !with.is_late => failed(Fault::Broken),
        Err(Failure::Refused { refusal: Refusal::ConnectFailed, .. }) => failed(Fault::Connect),
        Err(Failure::Refused { refusal: Refusal::ConnectTimeout | Refusal::ResponseTimeout, .. }) => {
            failed(Fault::Timeout).filter(|_| !with.was_hurried)
        }
        Err(Failure::Refused { refusal: Refusal::BadResponse, .. }) if heard.status == 0 => {
            failed(Fault::Broken).filter(|_| !with.may_be_stale)
        }
        Ok(_) | Err(Failure::ClientLeft | Failure::Truncated | Failure::Refused { .. }) => by_head(heard, settings),
    }
}

/// An origin that answered did so, whatever became of the answer.
fn by_head(heard: Heard, settings: &Passive) -> Option<Conduct> {
    match heard.status {
        0 => None,
        _ if heard.is_pressed => Some(Conduct::Pressed),
        status if settings.is_failure(status) => Some(Conduct::Failed(Fault::Status(status))),
        _ => Some(Conduct::Good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{self, Identity},
        proxy::h1::{Header, Minor},
    };

    const PLAIN: Circumstances = Circumstances { may_be_stale: false, is_late: false, was_hurried: false };
    const WELL: Result<Ending, Failure> =
        Ok(Ending::Answered { is_uploaded: true, origin_persists: true, client_persists: true });

    fn settings(passive: &str) -> Passive {
        let text = format!(
            "[regions.a]\naddresses = [\"192.0.2.1\"]\n[[pools.shop.origins]]\naddress = \"127.0.0.1:1\"\n[pools.shop.passive]\n{passive}"
        );
        config::from_text("a.toml", &text, &Identity::default()).config.unwrap().pools[0].passive.clone()
    }

    fn heard(settings: &Passive, status: u16, headers: &[(&str, &str)]) -> Heard {
        let headers: Vec<_> = headers.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
        let heard = Cell::default();
        let ear = Ear { settings, heard: &heard };
        ear.hear(&ResponseHead { status, reason: "", minor: Minor::One, headers: &headers }, None);
        heard.get()
    }

    fn refused(refusal: Refusal) -> Result<Ending, Failure> {
        Err(Failure::Refused { refusal, may_repeat: true })
    }

    #[test]
    fn an_answer_is_what_its_status_says() {
        let settings = settings("");
        let shown = |status, headers: &[(&str, &str)]| {
            conduct(WELL, heard(&settings, status, headers), &settings, PLAIN).unwrap()
        };
        for status in [101, 200, 404, 500, 503] {
            assert_eq!(shown(status, &[]), Conduct::Good, "{status}");
        }
        for status in [502, 504] {
            assert_eq!(shown(status, &[]), Conduct::Failed(Fault::Status(status)));
        }
        assert_eq!(shown(503, &[("Retry-After", "1")]), Conduct::Pressed);
        assert_eq!(shown(502, &[("Retry-After", "1")]), Conduct::Failed(Fault::Status(502)));
    }

    #[test]
    fn what_counts_as_a_failure_can_be_said_but_back_pressure_never_is_one() {
        let settings = settings("statuses = [\"500-599\"]");
        let shown = |status, headers: &[(&str, &str)]| {
            conduct(WELL, heard(&settings, status, headers), &settings, PLAIN).unwrap()
        };
        assert_eq!(shown(500, &[]), Conduct::Failed(Fault::Status(500)));
        assert_eq!(shown(503, &[]), Conduct::Failed(Fault::Status(503)));
        assert_eq!(shown(503, &[("retry-after", "1")]), Conduct::Pressed);
    }

    #[test]
    fn only_what_the_origin_did_is_held_against_it() {
        let settings = settings("");
        let shown = |ended, with| conduct(ended, Heard::default(), &settings, with);
        let failed = |fault| Some(Conduct::Failed(fault));
        assert_eq!(shown(refused(Refusal::ConnectFailed), PLAIN), failed(Fault::Connect));
        assert_eq!(shown(Err(Failure::Truncated), PLAIN), failed(Fault::Broken));
        for refusal in [Refusal::ConnectTimeout, Refusal::ResponseTimeout] {
            assert_eq!(shown(refused(refusal), PLAIN), failed(Fault::Timeout));
            assert_eq!(shown(refused(refusal), Circumstances { is_late: true, ..PLAIN }), failed(Fault::Timeout));
            assert_eq!(shown(refused(refusal), Circumstances { was_hurried: true, ..PLAIN }), None);
        }
        assert_eq!(shown(refused(Refusal::BadResponse), PLAIN), failed(Fault::Broken));
        assert_eq!(shown(refused(Refusal::BadResponse), Circumstances { may_be_stale: true, ..PLAIN }), None);
        for refusal in [Refusal::OriginsBusy, Refusal::OutOfSockets, Refusal::BodyTooLarge, Refusal::ClientTooSlow] {
            assert_eq!(shown(refused(refusal), PLAIN), None);
        }
        assert_eq!(shown(Err(Failure::ClientLeft), PLAIN), None);
    }

    #[test]
    fn an_origin_that_answered_did_so_whatever_became_of_the_answer() {
        let settings = settings("");
        let shown = |ended, status| conduct(ended, heard(&settings, status, &[]), &settings, PLAIN);
        let failed = Some(Conduct::Failed(Fault::Status(502)));
        assert_eq!(shown(Err(Failure::ClientLeft), 502), failed);
        assert_eq!(shown(Err(Failure::ClientLeft), 200), Some(Conduct::Good));
        assert_eq!(shown(Err(Failure::Truncated), 200), Some(Conduct::Failed(Fault::Broken)));
        let late = Circumstances { is_late: true, ..PLAIN };
        let cut = conduct(Err(Failure::Truncated), heard(&settings, 200, &[]), &settings, late);
        assert_eq!(cut, Some(Conduct::Good), "it was the route that had no more time");
        assert_eq!(shown(refused(Refusal::OriginFailed), 502), failed);
        assert_eq!(shown(refused(Refusal::OriginFailed), 503), Some(Conduct::Good));
        assert_eq!(shown(refused(Refusal::BadResponse), 200), Some(Conduct::Good), "its client did not take it");
    }

    #[test]
    fn a_wish_is_read_only_from_the_header_that_was_named() {
        let named = settings("fail_header = \"X-Meridian-Fail\"");
        let wish = |settings: &Passive, value| heard(settings, 200, &[("X-MERIDIAN-FAIL", value)]).wish;
        assert_eq!(wish(&named, "1m30s"), Some(Duration::from_secs(90)));
        for value in ["", "soon", "30", "-1s", "1s, 2s"] {
            assert_eq!(wish(&named, value), None, "{value}");
        }
        assert_eq!(wish(&settings(""), "30s"), None);
    }
}
