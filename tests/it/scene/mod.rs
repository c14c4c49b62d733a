//! What a test plays with: origins that can be killed, a node made from a config, clients.
//!
//! Everything is on loopback, on ports the system chose, and ends with the test.

mod asker;
mod body;
pub(crate) mod certificates;
mod client;
mod house;
mod line;
mod nameserver;
mod node;
mod origin;
mod resolver;
mod server;

pub(crate) use asker::{Asker, Heard, request};
pub(crate) use body::{Sink, Whole};
pub(crate) use client::{Answer, Connection, get};
pub(crate) use house::{House, house, house_with};
pub(crate) use line::{Io, Tongue, background, pairs, wait};
pub(crate) use nameserver::{Nameserver, Word, nameserver};
pub(crate) use node::{Meridian, eventually, meridian, meridian_at};
pub(crate) use origin::{Origin, origin, origin_at};
pub(crate) use resolver::{ask, ask_over_tcp};
pub(crate) use server::{server, trailers};
