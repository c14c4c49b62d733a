//! What the simulation found and the production does not keep yet. Each is shown here, so that whoever mends it is told by a test that fails:
//! then it moves to `stories`, and out of what its scenario knows not to hold.

use super::{
    plan::Asks,
    run,
    scenario::{self, Event, Scenario},
    seeds::{save, seeds},
    watch::Invariant,
};

fn still_breaks(scenario: &Scenario, invariant: Invariant) {
    let seed = seeds()[0];
    let outcome = run::play(scenario, seed);
    save(scenario, seed, &outcome);
    assert!(outcome.broke(invariant), "{}, seed {seed}: {invariant:?} holds now", scenario.name);
}

fn named(scenario: Scenario, name: &'static str, title: &'static str) -> Scenario {
    scenario.with(|scenario| (scenario.name, scenario.title) = (name, title))
}

/// DNS leaves a weakened region as many new clients as it can carry, and its node keeps as much of what these ask: 0.7 of 0.7.
#[test]
fn dns_and_http_both_pass_on_the_excess() {
    still_breaks(
        &named(
            scenario::partial_loss(),
            "found-excess-twice",
            "Half of a region's origins die: DNS and HTTP both pass on the excess",
        ),
        Invariant::OnlyTheExcess,
    );
}

/// The room that a node sees is what it sends itself, so a neighbour's own clients are not seen by whoever sends it more.
#[test]
fn requests_overrun_a_neighbour_that_has_clients_of_its_own() {
    let scenario = scenario::tight().with(|scenario| scenario.events[0].2 = Event::Kill(1.0));
    still_breaks(
        &named(scenario, "found-neighbour-overrun", "A busy region's origins die, and its node overruns the next one"),
        Invariant::NoCascade,
    );
}

/// Also the neighbour's own node, which sees all of its clients, leads more of them to it: what it counts begins anew with each second.
#[test]
fn dns_overruns_a_neighbour_that_answers_for_itself() {
    let scenario = scenario::tight().with(|scenario| scenario.plan.asks = Asks::Nearest);
    still_breaks(
        &named(scenario, "found-neighbour-overrun-by-dns", "A busy region is lost, and DNS overruns the next one"),
        Invariant::NoCascade,
    );
}

/// What is left of a region gets all of its requests for as long as spill is eased: at 55 % of capacity that is 110 % of half.
#[test]
fn what_is_left_of_a_busy_region_falls_while_spill_is_eased() {
    let scenario = scenario::partial_loss().with(|scenario| scenario.plan.demand = 0.55);
    still_breaks(
        &named(scenario, "found-eased-too-long", "Half of a busy region's origins die, and the other half falls"),
        Invariant::NoCascade,
    );
}

/// A node that sees nothing goes on answering queries: clients of a region that is lost meanwhile are led there.
#[test]
fn a_blind_node_leads_clients_to_a_lost_region() {
    let scenario = scenario::blind_node().with(|scenario| {
        scenario.events = vec![(60, 1, Event::Blind), (70, 2, Event::Lose), (200, 1, Event::See)];
    });
    still_breaks(
        &named(scenario, "found-blind-leads-astray", "One node is blind while another region is lost"),
        Invariant::KnownDown,
    );
}

/// One error in ten is seen by probes now and then; nothing holds who changes too often, and what requests meet is not believed: once it is,
/// `Node::serve` has to tell it, and this has to hold `Answered`, too.
#[test]
fn origins_that_fail_one_request_in_ten_are_put_in_and_out() {
    let scenario = scenario::grey_failure().with(|scenario| scenario.events[0].2 = Event::Grey(0.1));
    still_breaks(
        &named(scenario, "found-grey", "The origins of a region fail one request in ten"),
        Invariant::SteadyVerdicts,
    );
}
