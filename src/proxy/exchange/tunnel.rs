//! Both sides speak a protocol of their own: bytes both ways until both have said all.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use super::sides::Listening;
use crate::proxy::{
    h1::Length,
    io::Deadline,
    route::Edits,
    transfer::{End, H1End, Pump},
};

/// Two directions.
pub(super) struct Tunnel {
    up: Way,
    down: Way,
    idle: Duration,
    traffic: u64,
}

struct Way {
    pump: Pump,
    is_over: bool,
}

impl Way {
    fn new() -> Self {
        Self { pump: Pump::new(), is_over: false }
    }

    /// Passes the end on, too: the other direction may go on.
    fn poll<F, T>(&mut self, from: &mut H1End<F>, to: &mut H1End<T>, cx: &mut Context<'_>) -> Result<(), ()> {
        if !self.is_over
            && let Poll::Ready(ended) = self.pump.poll(None, &Edits::default(), from, to, cx)
        {
            ended.map_err(drop)?;
            self.is_over = true;
        }
        // Repeating it is harmless, and finishes it.
        if self.is_over
            && let Poll::Ready(Err(_)) = to.wire.poll_shutdown(cx)
        {
            return Err(());
        }
        Ok(())
    }
}

impl Tunnel {
    pub(super) fn new(
        client: &mut H1End<()>,
        origin: &mut H1End<Listening>,
        idle: Duration,
        deadline: &Deadline,
    ) -> Self {
        client.expect(Length::UntilClose, Length::UntilClose);
        origin.expect(Length::UntilClose, Length::UntilClose);
        deadline.set(idle);
        Self { up: Way::new(), down: Way::new(), idle, traffic: 0 }
    }

    /// Ready when both ways are over, which it says, or else one broke or nothing moved for long.
    pub(super) fn poll(
        &mut self,
        client: &mut H1End<()>,
        origin: &mut H1End<Listening>,
        deadline: &Deadline,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        if self.up.poll(client, origin, cx).is_err() || self.down.poll(origin, client, cx).is_err() {
            return Poll::Ready(false);
        }
        if self.up.is_over && self.down.is_over {
            return Poll::Ready(true);
        }
        let traffic = client.traffic() + origin.traffic();
        if traffic != self.traffic {
            self.traffic = traffic;
            deadline.set(self.idle);
        }
        if deadline.is_over(cx) { Poll::Ready(false) } else { Poll::Pending }
    }
}
