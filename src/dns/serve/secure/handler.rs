//! Answering, as `hickory-server` has it: a request comes in, a response goes out.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use hickory_server::{
    net::{runtime::Time, xfer::Protocol},
    proto::op::{Header, HeaderCounts},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
};

use super::rebuilt::Rebuilt;
use crate::dns::{outcome::Transport, serve::answering::Answering};

/// Answers whatever is asked over encrypted transports. All of it is on one thread, so nobody ever waits for the lock.
pub(super) struct Answers(Mutex<Answering>);

impl Answers {
    pub(super) fn new(answering: Answering) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answering)))
    }

    /// Takes over what a new config says.
    pub(super) fn follow(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).follow();
    }

    /// The answer to a message, if it gets one.
    pub(super) fn ask(&self, message: &[u8], address: IpAddr, transport: Transport) -> Option<Vec<u8>> {
        let mut answering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut turn = answering.turn(transport);
        let mut answer = Vec::with_capacity(512);
        let is_answered = turn.answer(message, address.to_canonical(), &mut answer);
        turn.end();
        is_answered.then_some(answer)
    }
}

#[async_trait]
impl RequestHandler for Answers {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut response: R) -> ResponseInfo {
        let transport = if request.protocol() == Protocol::Https { Transport::Https } else { Transport::Tls };
        let answer = self.ask(request.as_slice(), request.src().ip(), transport);
        let sent = match answer.as_deref().and_then(Rebuilt::read) {
            Some(rebuilt) => response.send_response(rebuilt.response()).await.ok(),
            None => None,
        };
        // Of an answer that was not sent there is nothing to tell.
        sent.unwrap_or_else(|| Header { metadata: request.metadata, counts: HeaderCounts::default() }.into())
    }
}
