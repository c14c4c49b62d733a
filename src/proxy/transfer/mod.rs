//! Bodies on their way through: read from one side, framed anew, written to the other, never more than one piece behind.

mod end;
mod h1;
mod h2;
mod kept;
mod pump;
mod reader;
mod writer;

pub(super) use end::End;
pub(super) use h1::H1End;
pub(super) use h2::{H2End, SEND_BUFFER};
pub(super) use kept::Kept;
pub(super) use pump::{Broken, Pump, Side};
pub(super) use reader::{Reader, Unread};
pub(super) use writer::Writer;
