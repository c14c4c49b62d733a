//! A control over one pool of any size, all in one region.

use std::{sync::Arc, time::Duration};

use meridian::{
    clock::Clock,
    config::{
        Admin, Check, CheckKind, CheckTiming, Config, Dns, Health, Http, Listen, Node, Origin, Pool, Region, Timeouts,
        WhenAllDown,
    },
    control::{Control, Start},
    fleet::RegionId,
    table::Compiled,
};

use super::address;

pub(crate) fn one_pool_of(origins: usize) -> Control {
    let start = Start {
        config: Arc::new(config(origins)),
        compiled: Compiled::default(),
        build_selector: None,
        clock: Clock::manual(),
    };
    let (control, ..) = Control::open(start).expect("there are no overrides to read");
    control
}

fn config(origins: usize) -> Config {
    let second = Duration::from_secs(1);
    let timing = CheckTiming {
        interval: second,
        recheck: Duration::from_millis(250),
        timeout: Duration::from_millis(500),
        rise: 3,
        fall: 2,
        jitter_percent: 20,
    };
    let check = Check { kind: CheckKind::Tcp, port: Some(80), timing };
    let origin = |at: usize| Origin { address: address(at), region: RegionId(0), weight: 100 };
    let pool = Pool {
        name: "pool".into(),
        origins: (0..origins).map(origin).collect(),
        check: check.clone(),
        when_all_down: WhenAllDown::Open,
        timeouts: Timeouts { connect: second, response_head: second, between_bytes: second, tunnel_idle: second },
        retries: 1,
        max_idle_connections: 1,
        idle_timeout: second,
    };
    let region =
        Region { name: "a".into(), addresses: Vec::new(), capacity_per_second: 0, check, neighbours: Vec::new() };
    Config {
        node: Node { name: "bench".into(), region: RegionId(0) },
        listen: Listen { http: Vec::new(), dns: Vec::new(), admin: address(0) },
        http: Http {
            workers: 1,
            max_connections: 1,
            max_head_size: 1_024,
            max_headers: 8,
            head_timeout: second,
            body_timeout: second,
            idle_timeout: second,
            drain_timeout: second,
            trusted_proxies: Vec::new(),
        },
        dns: Dns { threads: 1, udp_payload: 1_232, tcp_idle_timeout: second, max_tcp_connections: 1 },
        health: Health { max_in_flight: 1 },
        admin: Admin { token_file: "token".into() },
        state_directory: "/nonexistent/state".into(),
        regions: vec![Arc::new(region)],
        pools: vec![Arc::new(pool)],
        routes: Vec::new(),
        zones: Vec::new(),
    }
}
