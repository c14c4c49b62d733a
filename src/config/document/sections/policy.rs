//! How a region is chosen for one client, by name, so that many names and other policies can share it.

use std::path::PathBuf;

use crate::config::document::{
    List, Named,
    scalar::{Percent, Text},
    section::section,
};

section! {
    /// How a region is chosen for one client: exactly one of these.
    pub(crate) struct Policy ("a policy", called NAME; choice) {
        /// By where the client is: the smallest area wins, from networks over parts of countries and countries to continents.
        geo: GeoPolicy = optional "another kind",
        /// The region that is nearest to the client, then the next.
        nearest: NearestPolicy = optional "another kind",
        /// The region that was measured to be fastest for the client's network, then the next; where nothing was measured, the nearest.
        latency: LatencyPolicy = optional "another kind",
        /// Drawn by weight.
        weighted: WeightedPolicy = optional "another kind",
        /// The first that can serve.
        failover: FailoverPolicy = optional "another kind",
        /// The addresses of several regions at once.
        multivalue: MultivaluePolicy = optional "another kind",
        /// The same region for the same client network, as long as it can serve.
        hash: HashPolicy = optional "another kind",
    }

    /// By where the client is.
    pub(crate) struct GeoPolicy ("a `geo` policy") {
        /// Targets by network, the longest first; those of IPv6 are at most 64 bits long. At most 100,000.
        networks: Named<Text> = {},
        /// Targets by part of a country, as in ISO 3166-2: `US-CA`.
        subdivisions: Named<Text> = {},
        /// Targets by country: `DE`.
        countries: Named<Text> = {},
        /// Targets by continent: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`.
        continents: Named<Text> = {},
        /// For everybody else, and for those whose target cannot serve.
        default: Text = required,
    }

    /// The region that is nearest to the client.
    pub(crate) struct NearestPolicy ("a `nearest` policy") {
        /// The regions; one without a `location` comes last.
        regions: List<Text> = optional "all that have a `location`",
        /// How much a region draws in: with 20 its distance counts as 20 % less, with -20 as 25 % more (it is divided by 0.8).
        bias: Named<i8> = {} in -99 ..= 99,
    }

    /// The region that was measured to be fastest.
    pub(crate) struct LatencyPolicy ("a `latency` policy") {
        /// A CSV file of `network,region,milliseconds`, relative to the directory the node is started in; read when the config is applied
        /// and whenever it changes.
        table: PathBuf = required,
        /// The regions.
        regions: List<Text> = optional "all",
    }

    /// Drawn by weight.
    pub(crate) struct WeightedPolicy ("a `weighted` policy") {
        /// Weights of targets; 0 means never.
        weights: Named<u32> = required in 0 ..= 1000,
    }

    /// The first that can serve.
    pub(crate) struct FailoverPolicy ("a `failover` policy") {
        /// Targets, best first.
        order: List<Text> = required,
        /// The percentage of answers that goes to the next although this one can serve, so that it is known to work.
        trickle: Percent = 0 in 0 ..= 50,
    }

    /// The addresses of several regions at once.
    pub(crate) struct MultivaluePolicy ("a `multivalue` policy") {
        /// The regions.
        regions: List<Text> = optional "all",
        /// Addresses in one answer at most.
        max: u8 = 8 in 1 ..= 8,
    }

    /// The same region for the same client network.
    pub(crate) struct HashPolicy ("a `hash` policy") {
        /// Weights of regions; 0 means never.
        weights: Named<u32> = optional "1 for every region" in 0 ..= 1000,
        /// Bits of an IPv4 address that make a network.
        v4_prefix: u8 = 24 in 8 ..= 32,
        /// Bits of an IPv6 address that make a network.
        v6_prefix: u8 = 48 in 16 ..= 64,
    }
}
