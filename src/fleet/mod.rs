//! The nouns that every part shares: ids, weight, health, place, signal, observation, doubt.
//!
//! Plain data without behaviour of its own, so that parts which never name each other still speak of the same things.
//!
//! Not here: how these are written in a config file (`config`), or what is believed of them now (`table`).

mod address;
mod answer;
mod balance;
mod doubt;
mod health;
mod ids;
mod inspect;
mod name;
mod observation;
mod place;
mod signal;
mod watch;
mod weight;

pub use address::{Address, AddressError};
pub use answer::AnswerDns;
pub use balance::{Balance, STANDBY};
pub use doubt::Doubt;
pub use health::Health;
pub use ids::{PolicyId, PoolId, RegionId};
pub use inspect::{DnsQuestion, Explained, HttpQuestion, Inspect, InspectRequests};
pub use name::{DnsName, NameError};
pub use observation::{Conduct, Fault, Observation, Sketch};
pub use place::{Continent, Country, Location, Place, PlaceError, Subdivision};
pub use signal::{Belief, Signal, Source, Subject, words};
pub use watch::{Book, Watched, Watchlist};
pub use weight::BasisPoints;
