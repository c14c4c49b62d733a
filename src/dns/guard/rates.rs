//! How often the same answer went to one network: a table of fixed size that all threads share, without a lock.
//!
//! Each cell is one word: which (network, answer) it counts for, and when that will have had its due (the generic cell rate algorithm). A
//! flood from any number of addresses fills the table and no more: who finds no cell takes the one that is due first.

use std::{
    hash::{BuildHasher, Hash, Hasher},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use foldhash::quality::RandomState;
use ipnet::IpNet;

use crate::config::ResponseRate;

/// Cells among which a (network, answer) finds its own.
const WAYS: usize = 4;
/// Bits of a cell that say whose it is; the rest is a time.
const TAG_BITS: u32 = 20;
/// Steps of time in a millisecond: 10 µs, which 44 bits count for five years.
const STEPS: u64 = 100;
const TIME: u64 = (1 << (64 - TAG_BITS)) - 1;
/// Others may write the cell at the same time; who loses so often passes.
const TRIES: usize = 4;

/// The table.
#[derive(Debug)]
pub(in crate::dns) struct Rates {
    settings: ResponseRate,
    /// Networks that are not limited: which bits count, and what they are.
    exempt_v4: Box<[(u32, u32)]>,
    exempt_v6: Box<[(u128, u128)]>,
    cells: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Steps that one answer costs.
    cost: u64,
    /// Steps that a network may be ahead.
    slack: u64,
}

impl Rates {
    pub(super) fn new(settings: ResponseRate) -> Self {
        let size = settings.max_entries.next_power_of_two().max(WAYS);
        let cost = (1000 * STEPS / u64::from(settings.per_second.max(1))).max(1);
        let v4 = settings.exempt.iter().filter_map(|network| match network {
            IpNet::V4(network) => Some((network.netmask().to_bits(), network.network().to_bits())),
            IpNet::V6(_) => None,
        });
        let v6 = settings.exempt.iter().filter_map(|network| match network {
            IpNet::V4(_) => None,
            IpNet::V6(network) => Some((network.netmask().to_bits(), network.network().to_bits())),
        });
        Self {
            exempt_v4: v4.collect(),
            exempt_v6: v6.collect(),
            cells: (0..size).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::default(),
            cost,
            slack: cost * u64::from(settings.burst.max(1) - 1),
            settings,
        }
    }

    pub(super) fn settings(&self) -> &ResponseRate {
        &self.settings
    }

    /// Every so many-th answer that is too much is sent shortened; 0 is none.
    pub(in crate::dns) fn slip(&self) -> u32 {
        self.settings.slip
    }

    /// Whether one more answer like this may go to this address; if so, it is counted.
    pub(in crate::dns) fn allows(&self, address: IpAddr, alike: impl Hash, now_millis: u64) -> bool {
        if self.is_exempt(address) {
            return true;
        }
        let mut hasher = self.hasher.build_hasher();
        self.network(address).hash(&mut hasher);
        alike.hash(&mut hasher);
        let hash = hasher.finish();
        // An empty cell is 0, so no tag is.
        let tag = (hash >> (64 - TAG_BITS)).max(1);
        #[allow(clippy::cast_possible_truncation, reason = "cut to the table's size anyway")]
        let set = (hash as usize & (self.cells.len() - 1)) & !(WAYS - 1);
        let Some(cells) = self.cells.get(set..set + WAYS) else { return true };
        self.take(cells, tag, now_millis * STEPS)
    }

    fn take(&self, cells: &[AtomicU64], tag: u64, now: u64) -> bool {
        for _ in 0..TRIES {
            // What is read and written is one word that refers to nothing else.
            let words: [u64; WAYS] = std::array::from_fn(|at| cells[at].load(Ordering::Relaxed));
            let own = words.iter().position(|word| word >> (64 - TAG_BITS) == tag);
            let due = |at: usize| words[at] & TIME;
            let at = own.unwrap_or_else(|| (0..WAYS).min_by_key(|at| due(*at)).unwrap_or(0));
            let begins = if own.is_some() { due(at).max(now) } else { now };
            if begins > now + self.slack {
                return false;
            }
            let word = tag << (64 - TAG_BITS) | ((begins + self.cost) & TIME);
            if cells[at].compare_exchange(words[at], word, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
        true
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.exempt_v4.iter().any(|(mask, network)| address.to_bits() & mask == *network),
            IpAddr::V6(address) => self.exempt_v6.iter().any(|(mask, network)| address.to_bits() & mask == *network),
        }
    }

    fn network(&self, address: IpAddr) -> u64 {
        match address {
            IpAddr::V4(address) => {
                let kept = u32::from(self.settings.v4_prefix.min(32));
                u64::from(address.to_bits().checked_shr(32 - kept).unwrap_or(0)) << 1
            }
            IpAddr::V6(address) => {
                let kept = u32::from(self.settings.v6_prefix.min(64));
                let upper = u64::try_from(address.to_bits() >> 64).unwrap_or_default();
                upper.checked_shr(64 - kept).unwrap_or(0) << 1 | 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(per_second: u32, burst: u32, max_entries: usize) -> Rates {
        Rates::new(ResponseRate {
            per_second,
            burst,
            slip: 2,
            exempt: vec!["127.0.0.0/8".parse().unwrap()],
            v4_prefix: 24,
            v6_prefix: 56,
            max_entries,
        })
    }

    fn passed(rates: &Rates, address: &str, alike: u32, now: u64, tries: usize) -> usize {
        let address = address.parse().unwrap();
        (0..tries).filter(|_| rates.allows(address, alike, now)).count()
    }

    #[test]
    fn a_network_gets_its_burst_and_then_its_rate() {
        let rates = rates(10, 5, 1024);
        assert_eq!(passed(&rates, "192.0.2.1", 1, 1_000, 100), 5);
        assert_eq!(passed(&rates, "192.0.2.99", 1, 1_000, 100), 0, "its neighbour is of the same network");
        assert_eq!(passed(&rates, "192.0.3.1", 1, 1_000, 100), 5, "another network");
        assert_eq!(passed(&rates, "192.0.2.1", 2, 1_000, 100), 5, "another answer");
        assert_eq!(passed(&rates, "192.0.2.1", 1, 1_200, 100), 2, "two more after a fifth of a second");
        assert_eq!(passed(&rates, "2001:db8:0:1::1", 1, 1_000, 100), 5);
        assert_eq!(passed(&rates, "2001:db8:0:ff::1", 1, 1_000, 100), 0, "the same /56");
        assert_eq!(passed(&rates, "127.0.0.1", 1, 1_000, 100), 100, "exempt");
    }

    #[test]
    fn a_rate_above_the_steps_of_time_is_the_highest_there_is() {
        assert_eq!(passed(&rates(1_000_000, 1, 4), "192.0.2.1", 1, 1_000, 10), 1);
    }

    #[test]
    fn a_flood_of_networks_takes_no_more_than_the_table() {
        let rates = rates(10, 1, 1024);
        let networks = (0..100_000_u32).map(|at| std::net::Ipv4Addr::from(at << 8));
        let passed = networks.filter(|address| rates.allows((*address).into(), 1, 1_000)).count();
        assert_eq!(rates.cells.len(), 1024);
        assert!(passed > 99_000, "{passed}: a stranger is not limited for others");
    }

    #[test]
    fn threads_together_get_no_more_than_one() {
        let rates = rates(1000, 100, 1024);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| passed(&rates, "192.0.2.1", 1, 1_000, 5_000))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // Who lost the race for a cell four times passes uncounted: rare, and never many.
        assert!((100..200).contains(&passed), "{passed}");
    }
}
