//! How often one origin was ejected, and until when it is. Pure.

use std::time::Duration;

use crate::config::Passive;

/// One origin's record. It begins clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    until: Option<Duration>,
    /// Ejections that are not forgotten.
    times: u32,
    /// Since when there was none, or none was forgotten.
    quiet_since: Duration,
}

impl Record {
    /// Whether it is out.
    pub(super) fn is_ejected(&self) -> bool {
        self.until.is_some()
    }

    /// When it may come back, where it is out.
    pub(super) fn until(&self) -> Option<Duration> {
        self.until
    }

    /// Ejects it for having failed: longer each time. Says for how long.
    pub(super) fn eject(&mut self, settings: &Passive, now: Duration) -> Duration {
        self.times = self.times.saturating_add(1);
        let span = settings.ejection.saturating_mul(self.times).min(settings.max_ejection);
        self.until = Some(now + span);
        span
    }

    /// Ejects it because it asked for it, which is not held against it. Says for how long.
    pub(super) fn excuse(&mut self, wish: Duration, settings: &Passive, now: Duration) -> Duration {
        let span = wish.min(settings.max_ejection);
        self.until = Some(now + span);
        span
    }

    /// Ends an ejection.
    pub(super) fn release(&mut self, now: Duration) {
        self.until = None;
        self.quiet_since = now;
    }

    /// Lets time pass. Says whether an ejection is over.
    pub(super) fn pass(&mut self, settings: &Passive, now: Duration) -> bool {
        if let Some(until) = self.until {
            if now < until {
                return false;
            }
            self.release(until);
            return true;
        }
        while self.times > 0 && now >= self.quiet_since + settings.ejection {
            self.times -= 1;
            self.quiet_since += settings.ejection;
        }
        false
    }
}
