//! A stretch of a body on its way.

use std::ops::Deref;

use bytes::{Buf, Bytes};

use super::Buffer;

/// A copy is cheaper than holding on to a whole buffer for so few bytes.
const FEW: usize = 4096;

/// Bytes that somebody read and somebody else will write.
#[derive(Debug)]
pub(in crate::proxy) enum Piece {
    /// In a buffer of this worker.
    Lent(Buffer),
    /// Where HTTP/2 read them.
    Shared(Bytes),
}

impl Piece {
    /// Keeps no more memory than there are bytes: for those who wait.
    pub(in crate::proxy) fn shrink(&mut self) {
        if let Self::Lent(buffer) = self {
            buffer.shrink();
        }
    }

    /// Fit to stand in a queue: few bytes do not hold on to a buffer.
    pub(in crate::proxy) fn queued(self) -> Self {
        match self {
            Self::Lent(buffer) if buffer.len() <= FEW => Self::Shared(Bytes::copy_from_slice(&buffer)),
            piece => piece,
        }
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(buffer) => buffer,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self
    }

    fn advance(&mut self, used: usize) {
        match self {
            Self::Lent(buffer) => buffer.advance(used),
            Self::Shared(bytes) => bytes.advance(used),
        }
    }
}
