//! A chunked body (RFC 9112 §7.1), read as it arrives.
//!
//! Chunk extensions are read and dropped; their bytes, and those of the trailers, are bounded.

use std::ops::Range;

use super::Malformed;

/// Bytes of chunk extensions that one body may carry. Nobody uses them; somebody may send them without end.
const MOST_EXTENSION: usize = 4096;
/// Bytes that trailers may take.
const MOST_TRAILERS: usize = 16 * 1024;

/// Where in a chunked body the reader stands.
#[derive(Debug)]
pub(in crate::proxy) struct Chunked {
    state: State,
    extension: usize,
    /// The trailers as they arrived, their empty line included; empty where there are none.
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size {
        digits: u8,
        size: u64,
    },
    Extension {
        size: u64,
    },
    SizeEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// In the trailers; `line` bytes of the current line were read.
    Trailers {
        line: usize,
    },
    TrailerEnd {
        line: usize,
    },
    Done,
}

/// What one look at the input gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Piece {
    /// Bytes of the input that are used up.
    pub(in crate::proxy) used: usize,
    /// Where in the input data stands.
    pub(in crate::proxy) data: Range<usize>,
}

impl Chunked {
    pub(in crate::proxy) fn new() -> Self {
        Self { state: State::Size { digits: 0, size: 0 }, extension: 0, trailers: Vec::new() }
    }

    /// Whether the last chunk and the trailers were read.
    pub(in crate::proxy) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The trailers' lines with the empty line at their end, or nothing.
    pub(in crate::proxy) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Reads up to the end of the next stretch of data, of the body, or of the input.
    pub(in crate::proxy) fn read(&mut self, input: &[u8]) -> Result<Piece, Malformed> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if let State::Data { left } = self.state {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len() - at);
                let left = left - here as u64;
                self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                return Ok(Piece { used: at + here, data: at..at + here });
            }
            self.state = self.step(input[at])?;
            at += 1;
        }
        Ok(Piece { used: at, data: at..at })
    }

    fn step(&mut self, byte: u8) -> Result<State, Malformed> {
        Ok(match (self.state, byte) {
            (State::Size { digits, size }, _) if byte.is_ascii_hexdigit() && digits < 15 => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                State::Size { digits: digits + 1, size: size * 16 + u64::from(digit) }
            }
            (State::Size { digits: 1.., size }, b';') => State::Extension { size },
            (State::Size { digits: 1.., size } | State::Extension { size }, b'\r') => State::SizeEnd { size },
            (State::Extension { size }, b'\t' | b' '..=b'~' | 0x80..) if self.extension < MOST_EXTENSION => {
                self.extension += 1;
                State::Extension { size }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::Trailers { line: 0 },
            (State::SizeEnd { size }, b'\n') => State::Data { left: size },
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { digits: 0, size: 0 },
            (State::Trailers { line }, b'\r') => self.trailer(byte, State::TrailerEnd { line })?,
            (State::Trailers { line }, _) if byte != b'\n' => self.trailer(byte, State::Trailers { line: line + 1 })?,
            (State::TrailerEnd { line: 0 }, b'\n') => {
                self.trailers.push(byte);
                if self.trailers.len() == 2 {
                    self.trailers.clear();
                }
                State::Done
            }
            (State::TrailerEnd { .. }, b'\n') => self.trailer(byte, State::Trailers { line: 0 })?,
            (State::Trailers { .. } | State::TrailerEnd { .. }, _) => return Err(Malformed::Trailers),
            _ => return Err(Malformed::Chunk),
        })
    }

    fn trailer(&mut self, byte: u8, next: State) -> Result<State, Malformed> {
        if self.trailers.len() >= MOST_TRAILERS {
            return Err(Malformed::Trailers);
        }
        self.trailers.push(byte);
        Ok(next)
    }
}
