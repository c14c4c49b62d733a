//! The beginning of a body, kept for another try.

use bytes::Bytes;

use crate::proxy::io::Piece;

/// What was read of a body so far, as long as it is little enough.
#[derive(Debug)]
pub(in crate::proxy) struct Kept {
    bytes: Vec<u8>,
    most: usize,
    /// How much of it this try was given.
    given: usize,
    /// Whether something that was read is not there.
    has_gaps: bool,
}

impl Kept {
    /// Keeps up to so many bytes.
    pub(in crate::proxy) fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, given: 0, has_gaps: false }
    }

    /// Whether all that was read is there, so that another try can have it.
    pub(in crate::proxy) fn is_whole(&self) -> bool {
        !self.has_gaps
    }

    /// Another try begins.
    pub(in crate::proxy) fn rewind(&mut self) {
        self.given = 0;
    }

    /// Whether this try was not given all of it.
    pub(super) fn has_more(&self) -> bool {
        self.given < self.bytes.len()
    }

    /// What this try was not given yet, at most so many bytes.
    pub(super) fn next(&mut self, most: usize) -> Option<Piece> {
        let rest = &self.bytes[self.given..];
        let here = &rest[..rest.len().min(most)];
        self.given += here.len();
        (!here.is_empty()).then(|| Piece::Shared(Bytes::copy_from_slice(here)))
    }

    /// Something was read, and is given.
    pub(super) fn keep(&mut self, piece: &[u8]) {
        if self.has_gaps || self.bytes.len() + piece.len() > self.most {
            (self.has_gaps, self.bytes, self.given) = (true, Vec::new(), 0);
        } else {
            self.bytes.extend_from_slice(piece);
            self.given = self.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_body_is_given_again_and_a_large_one_is_not() {
        let mut kept = Kept::new(5);
        kept.keep(b"ab");
        kept.keep(b"cde");
        assert!(kept.next(9).is_none() && kept.is_whole());
        kept.rewind();
        assert_eq!(kept.next(3).as_deref(), Some(&b"abc"[..]));
        assert_eq!(kept.next(3).as_deref(), Some(&b"de"[..]));
        assert!(kept.next(3).is_none());
        kept.keep(b"f");
        assert!(!kept.is_whole());
        kept.rewind();
        assert!(kept.next(9).is_none());
    }
}
