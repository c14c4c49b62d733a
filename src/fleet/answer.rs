//! Who answers DNS without being known: whoever gets a query that did not come to DNS's own sockets asks by this.

use std::{fmt::Debug, net::IpAddr};

/// Answers DNS messages that others received. Each thread has its own, as it counts and draws without waiting for anybody.
pub trait AnswerDns: Debug + Send {
    /// Answers one message of a client into `out`, whatever stood there. Says for how many seconds the answer may be kept at most; nothing
    /// where the message is nothing to answer.
    fn answer(&mut self, message: &[u8], from: IpAddr, out: &mut Vec<u8>) -> Option<u32>;

    /// Lets go of what is over. To be called now and then: whoever is asked nothing notices nothing.
    fn follow(&mut self);
}
