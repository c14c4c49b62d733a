//! One thread's answering: what every transport does with a message.
//!
//! A turn looks once at the clock and once at the table, however many messages it answers.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::{
    clock::{self, Clock},
    config,
    dns::{
        log::{Answered, Log, Tap},
        meters::{Dropped, Tally},
        outcome::{Asked, Client, Moment, Transport},
        respond::Responder,
        zone::Zones,
    },
    table::{Reader, Snapshot, Table},
};

/// How often the calendar is looked at; between, it goes on with the clock.
const CALENDAR: Duration = Duration::from_secs(1);

/// What one thread answers with.
#[derive(Debug)]
pub(super) struct Answering {
    responder: Responder,
    reader: Reader,
    tally: Tally,
    log: Tap,
    clock: Clock,
    /// Calendar time at the clock's zero.
    epoch: Duration,
    /// When to look at the calendar again.
    renew_at: Duration,
}

impl Answering {
    pub(super) fn new(table: &Table, clock: &Clock, log: &Arc<Log>) -> Self {
        Self {
            responder: Responder::new(clock::random()),
            reader: table.reader(clock.clone()),
            tally: Tally::new(),
            log: Tap::new(log),
            clock: clock.clone(),
            epoch: Duration::ZERO,
            renew_at: Duration::ZERO,
        }
    }

    /// Time since the clock was made.
    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The settings of the config in force.
    pub(super) fn settings(&mut self) -> Option<&config::Dns> {
        let zones: Option<&Zones> = self.reader.snapshot().generation.compiled();
        zones.map(|zones| &zones.settings)
    }

    /// Takes over what a new config says, although nobody asks anything.
    pub(super) fn follow(&mut self) {
        let generation = self.reader.snapshot().generation;
        let zones: Option<&Zones> = generation.compiled();
        self.log.follow(generation.revision, zones.and_then(|zones| zones.settings.log.as_ref()));
    }

    /// Begins to answer what has come by one transport.
    pub(super) fn turn(&mut self, transport: Transport) -> Turn<'_> {
        let began = self.clock.now();
        if began >= self.renew_at {
            self.epoch = clock::unix_time().saturating_sub(began);
            self.renew_at = began + CALENDAR;
        }
        let snapshot = self.reader.snapshot();
        let (revision, zones): (_, Option<&Zones>) = (snapshot.generation.revision, snapshot.generation.compiled());
        self.tally.follow(revision);
        self.log.follow(revision, zones.and_then(|zones| zones.settings.log.as_ref()));
        let millis = u64::try_from(began.as_millis()).unwrap_or(u64::MAX);
        // The calendar of cookies goes around, too (RFC 9018 §4.3).
        #[allow(clippy::cast_possible_truncation, reason = "goes around")]
        let seconds = (self.epoch + began).as_secs() as u32;
        Turn {
            responder: &mut self.responder,
            snapshot,
            zones,
            tally: &mut self.tally,
            log: &mut self.log,
            clock: &self.clock,
            transport,
            now: Moment { millis, unix: seconds },
            began,
            unix: self.epoch + began,
            answered: 0,
        }
    }
}

/// Messages that are answered together.
pub(super) struct Turn<'a> {
    responder: &'a mut Responder,
    snapshot: Snapshot<'a>,
    zones: Option<&'a Zones>,
    tally: &'a mut Tally,
    log: &'a mut Tap,
    clock: &'a Clock,
    transport: Transport,
    now: Moment,
    began: Duration,
    /// The same by the calendar.
    unix: Duration,
    answered: u64,
}

impl Turn<'_> {
    /// Answers one message into `out`; false where it gets no answer.
    pub(super) fn answer(&mut self, message: &[u8], address: IpAddr, out: &mut Vec<u8>) -> bool {
        let client = Client { address, transport: self.transport };
        let asked = self.responder.respond(message, client, self.now, self.snapshot, out);
        self.tally.count(asked, self.transport, self.zones);
        let Asked::Answered(outcome) = asked else { return false };
        self.answered += 1;
        let (size, unix, generation) = (out.len(), self.unix, self.snapshot.generation);
        self.log.log(Answered { message, client, outcome, size, unix, generation });
        true
    }

    /// Counts messages that were not even read.
    pub(super) fn dropped(&mut self, why: Dropped, count: u64) {
        self.tally.dropped(why, self.transport, count);
    }

    /// Counts answers that could not be sent.
    pub(super) fn unsent(&mut self, count: u64) {
        self.tally.unsent(self.transport, count);
    }

    /// When it began.
    pub(super) fn began(&self) -> Duration {
        self.began
    }

    /// Ends the turn, when what there was to send is sent.
    pub(super) fn end(self) {
        let took = self.clock.now().saturating_sub(self.began);
        self.tally.flush(self.transport, self.answered, took);
    }
}
