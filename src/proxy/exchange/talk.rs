//! A request on the wire: the body goes up while the answer comes down, each as fast as its two sides allow.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use super::{
    conduct::Ear,
    order::Order,
    sides::{ClientEnd, OriginEnd},
};
use crate::{
    balance::InFlight,
    proxy::{
        Refusal,
        h1::{Length, Malformed, Minor, ResponseHead},
        headers::{Hop, Incoming},
        io::Deadline,
        route::{Changes, Edits},
        transfer::{Broken, Kept, Pump, Side, Unread},
        worker::Worker,
    },
};

/// Interim answers that one request may get.
const MOST_INTERIM: u8 = 32;

/// How long each side may leave the other waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) client_body: Duration,
    pub(super) response_head: Duration,
    pub(super) between_bytes: Duration,
}

/// What the request's route says about its body and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) max_body_size: u64,
    pub(super) request_headers: &'a Edits,
    pub(super) response_headers: &'a Edits,
    /// Statuses for which another try is better, where the request can be repeated.
    pub(super) unwanted: &'a [(u16, u16)],
    /// Hears what the answer shows of its origin.
    pub(super) ear: Ear<'a>,
    /// The cookie that the client is given.
    pub(super) cookie: Option<&'a str>,
    /// The try, where it is to be known how long its answer takes.
    pub(super) timed: Option<&'a InFlight>,
}

/// One try under way.
pub(super) struct Talk<'a> {
    order: &'a Order,
    worker: &'a Worker,
    patience: Patience,
    kept: &'a mut Kept,
    terms: Terms<'a>,
    up: Pump,
    upload: Upload,
    interim: u8,
    down: Option<Down>,
    turn: Option<Turn>,
    traffic: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upload {
    Moving,
    Done,
    /// The origin takes no more. It may still answer.
    Stuck,
}

/// The answer on its way.
struct Down {
    pump: Pump,
    origin_persists: bool,
    client_persists: bool,
}

/// Who is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    ClientsBody,
    OriginsHead,
    OriginsBody,
    ClientsEar,
}

/// How a try ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The answer went out whole.
    Answered {
        /// The client has sent all of its request, too.
        is_uploaded: bool,
        origin_persists: bool,
        client_persists: bool,
    },
    /// Both sides speak another protocol from now on.
    Upgraded,
}

/// How it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Before the answer began.
    Refused {
        refusal: Refusal,
        /// Nothing was left behind, or sending it twice does no harm.
        may_repeat: bool,
    },
    /// The origin broke off its answer.
    Truncated,
    /// The client is gone.
    ClientLeft,
}

impl<'a> Talk<'a> {
    /// Begins; the origin's side has the request's head.
    pub(super) fn new(
        order: &'a Order,
        worker: &'a Worker,
        patience: Patience,
        terms: Terms<'a>,
        kept: &'a mut Kept,
    ) -> Self {
        Self {
            order,
            worker,
            patience,
            kept,
            up: Pump::up_to(terms.max_body_size),
            terms,
            upload: Upload::Moving,
            interim: 0,
            down: None,
            turn: None,
            traffic: 0,
        }
    }

    /// Goes on until both sides have to be waited for.
    pub(super) fn poll(
        &mut self,
        client: &mut impl ClientEnd,
        origin: &mut impl OriginEnd,
        deadline: &Deadline,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Ending, Failure>> {
        let settled = self.poll_both(client, origin, cx);
        if settled.is_ready() {
            return settled;
        }
        let (turn, limit) = self.turn();
        let traffic = client.traffic() + origin.traffic();
        if self.turn != Some(turn) || self.traffic != traffic {
            (self.turn, self.traffic) = (Some(turn), traffic);
            deadline.set(limit);
        }
        if deadline.is_over(cx) {
            return Poll::Ready(Err(self.out_of_patience(turn, origin)));
        }
        client.rest();
        Poll::Pending
    }

    fn poll_both(
        &mut self,
        client: &mut impl ClientEnd,
        origin: &mut impl OriginEnd,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Ending, Failure>> {
        if self.upload == Upload::Moving {
            self.poll_upload(client, origin, cx)?;
        }
        while self.down.is_none() {
            match origin.poll_head(cx) {
                Poll::Pending => break,
                Poll::Ready(head) => {
                    head.map_err(|refusal| self.refused(refusal, origin))?;
                    if let Some(upgraded) = self.answer(client, origin)? {
                        return Poll::Ready(Ok(upgraded));
                    }
                }
            }
        }
        let has_left = match self.upload {
            Upload::Done | Upload::Stuck => client.has_left(cx),
            // Nothing is read from a client whose origin takes no more for now.
            Upload::Moving => self.up.waits_for() == Side::Sink && client.has_reset(cx),
        };
        if has_left {
            return Poll::Ready(Err(Failure::ClientLeft));
        }
        let Some(down) = &mut self.down else {
            return match client.poll_flush(cx) {
                Poll::Ready(Err(_)) => Poll::Ready(Err(Failure::ClientLeft)),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            };
        };
        match down.pump.poll(None, self.terms.response_headers, origin, client, cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(Broken::Sink(_))) => Poll::Ready(Err(Failure::ClientLeft)),
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "answer broke off");
                Poll::Ready(Err(Failure::Truncated))
            }
            Poll::Ready(Ok(())) => {
                let is_uploaded = self.upload == Upload::Done;
                Poll::Ready(Ok(Ending::Answered {
                    is_uploaded,
                    origin_persists: is_uploaded && down.origin_persists,
                    client_persists: is_uploaded && down.client_persists,
                }))
            }
        }
    }

    fn poll_upload(
        &mut self,
        client: &mut impl ClientEnd,
        origin: &mut impl OriginEnd,
        cx: &mut Context<'_>,
    ) -> Result<(), Failure> {
        match self.up.poll(Some(self.kept), self.terms.request_headers, client, origin, cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => {
                self.upload = Upload::Done;
                if self.order.length != Length::None {
                    self.asked();
                }
            }
            Poll::Ready(Err(Broken::Sink(error))) => {
                tracing::debug!(%error, "origin takes no more of the request");
                self.upload = Upload::Stuck;
            }
            Poll::Ready(Err(error @ (Broken::Source(_) | Broken::TooLarge))) => {
                tracing::debug!(%error, "request broke off");
                let refusal = match error {
                    Broken::TooLarge => Some(Refusal::BodyTooLarge),
                    Broken::Source(Unread::Malformed(_)) => Some(Refusal::BadBody),
                    Broken::Source(_) | Broken::Sink(_) => None,
                };
                // Once an answer has begun there is no other to give.
                let refusal = refusal.filter(|_| self.down.is_none());
                let refused = |refusal| Failure::Refused { refusal, may_repeat: false };
                return Err(refusal.map_or(Failure::ClientLeft, refused));
            }
        }
        Ok(())
    }

    /// All of the request was sent only now.
    fn asked(&self) {
        let now = self.worker.time(self.terms.timed.is_some() || self.terms.ear.measures());
        self.terms.ear.asked(now);
        if let Some(timed) = self.terms.timed {
            timed.asked(now);
        }
    }

    /// Passes a head on. Says so when both sides speak another protocol behind it.
    fn answer(&mut self, client: &mut impl ClientEnd, origin: &mut impl OriginEnd) -> Result<Option<Ending>, Failure> {
        let is_head = self.order.reply.is_head;
        let answered =
            origin.head(is_head, |head, length| self.read_answer(head, length, client)).map_err(|error| {
                tracing::debug!(%error, "what the origin answered cannot be passed on");
                Failure::Refused { refusal: Refusal::BadResponse, may_repeat: false }
            })?;
        if let Some(timed) = self.terms.timed.filter(|_| matches!(answered, Answer::Upgrade | Answer::Final(_))) {
            timed.answered(self.worker.clock.now());
        }
        match answered {
            Answer::Interim => Ok(None),
            Answer::Upgrade => Ok(Some(Ending::Upgraded)),
            Answer::Unwanted => Err(Failure::Refused { refusal: Refusal::OriginFailed, may_repeat: true }),
            Answer::Final(down) => {
                self.down = Some(down);
                Ok(None)
            }
        }
    }

    fn read_answer(
        &mut self,
        head: &ResponseHead<'_>,
        length: Length,
        client: &mut impl ClientEnd,
    ) -> Result<Answer, Malformed> {
        let hop = Hop::read(head.headers)?;
        let reply = &self.order.reply;
        let framed = match (length, reply.minor) {
            (Length::UntilClose, Minor::One) => Length::Chunked,
            (Length::Chunked, Minor::Zero) => Length::UntilClose,
            (same, _) => same,
        };
        let may_persist = reply.persists && !self.worker.is_draining();
        // An answer before the end of its request leaves nobody to read the rest.
        let persists = may_persist && framed != Length::UntilClose && self.upload == Upload::Done;
        let is_empty = length == Length::None && !reply.is_head;
        let changes = Changes { edits: self.terms.response_headers, lines: &self.order.response_lines };
        let incoming = Incoming {
            head,
            hop: &hop,
            length: framed,
            is_empty,
            client: reply.minor,
            persists,
            id: &reply.id,
            told: &reply.told,
            version: self.order.spoken(head.minor),
            changes,
            hidden: self.terms.ear.hidden(),
            cookie: self.terms.cookie,
        };
        if head.status >= 200 || head.status == 101 {
            // Of one that came before the end of its request nobody knows what it waited for.
            let is_measured = self.terms.ear.measures() && self.upload == Upload::Done;
            self.terms.ear.hear(head, is_measured.then(|| self.worker.clock.now()));
        }
        match head.status {
            101 if self.order.is_upgrade => {
                client.answer(&incoming)?;
                Ok(Answer::Upgrade)
            }
            100..200 if head.status != 101 && self.interim < MOST_INTERIM => {
                self.interim += 1;
                // HTTP/1.0 knows none of them (RFC 9110 §15.2).
                if reply.minor == Minor::One {
                    client.answer(&incoming)?;
                }
                Ok(Answer::Interim)
            }
            100..200 => Err(Malformed::Syntax),
            status if self.is_unwanted(status) => Ok(Answer::Unwanted),
            _ => {
                client.answer(&incoming)?;
                Ok(Answer::Final(Down {
                    pump: Pump::new(),
                    origin_persists: hop.persists(head.minor) && length != Length::UntilClose,
                    client_persists: persists,
                }))
            }
        }
    }

    fn is_unwanted(&self, status: u16) -> bool {
        let is_among = self.terms.unwanted.iter().any(|(first, last)| (*first..=*last).contains(&status));
        is_among && self.order.is_idempotent && self.kept.is_whole() && self.interim == 0
    }

    /// A failure before the answer began.
    fn refused(&self, refusal: Refusal, origin: &impl OriginEnd) -> Failure {
        let is_clean = self.kept.is_whole() && self.interim == 0 && origin.is_silent();
        let may_repeat = is_clean && (origin.is_unaware() || self.order.is_idempotent);
        Failure::Refused { refusal, may_repeat }
    }

    fn turn(&self) -> (Turn, Duration) {
        match &self.down {
            Some(down) if down.pump.waits_for() == Side::Sink => (Turn::ClientsEar, self.patience.client_body),
            Some(_) => (Turn::OriginsBody, self.patience.between_bytes),
            None if self.upload == Upload::Moving && self.up.waits_for() == Side::Source => {
                (Turn::ClientsBody, self.patience.client_body)
            }
            None => (Turn::OriginsHead, self.patience.response_head),
        }
    }

    fn out_of_patience(&self, turn: Turn, origin: &impl OriginEnd) -> Failure {
        match turn {
            Turn::ClientsBody => Failure::Refused { refusal: Refusal::ClientTooSlow, may_repeat: false },
            Turn::OriginsHead => self.refused(Refusal::ResponseTimeout, origin),
            Turn::OriginsBody => Failure::Truncated,
            Turn::ClientsEar => Failure::ClientLeft,
        }
    }
}

enum Answer {
    Interim,
    Upgrade,
    Unwanted,
    Final(Down),
}
