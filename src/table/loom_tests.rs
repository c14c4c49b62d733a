//! What readers may rely on whatever the schedule: checked by loom, which runs every interleaving of each scene.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --lib table::`

use std::sync::Arc;

use loom::thread;

use super::{Compiled, Membership, OriginSpec, PoolSpec, RegionSpec, RowState, Table, Writer, sync::Cached};
use crate::{
    clock::Ticks,
    fleet::{Address, Balance, BasisPoints, Health, RegionId},
    table::Generation,
};

fn membership(revision: u64, port: u16) -> Membership {
    let origin =
        OriginSpec { address: Address::Fixed(([127, 0, 0, 1], port).into()), region: RegionId(0), weight: 1, tier: 0 };
    Membership {
        revision,
        pools: vec![PoolSpec { name: "shop".into(), balance: Balance::RoundRobin, origins: vec![origin] }],
        regions: vec![RegionSpec { name: "here".into(), capacity_per_second: 0 }],
        compiled: Compiled::default().with(revision),
    }
}

/// A state whose fields all follow from one number.
fn marked(mark: u16) -> RowState {
    let is_even = mark.is_multiple_of(2);
    RowState {
        health: if is_even { Health::Up } else { Health::Down },
        is_forced: is_even,
        is_draining: !is_even,
        weight: BasisPoints::new(mark),
        valid_until: Ticks(u32::from(mark) * 3),
        ..RowState::default()
    }
}

/// Publishes a fleet of one origin, whose row says the mark that its port is.
fn publish(writer: &mut Writer, revision: u64, port: u16) {
    writer.publish_filled(membership(revision, port), |writer, next| {
        writer.set(&next.pools()[0].origins()[0].row, marked(port));
    });
}

fn reader(table: &Table) -> Cached<Generation> {
    table.current.cached()
}

#[test]
fn who_sees_a_generation_sees_its_rows_filled() {
    loom::model(|| {
        let mut writer = Writer::new(None);
        let table = writer.table();
        let seeing = thread::spawn(move || {
            let mut reader = reader(&table);
            let generation = reader.look();
            for origin in generation.pools().iter().flat_map(|pool| pool.origins()) {
                assert_eq!(origin.row.read(Ticks(0)), marked(origin.address.port()));
            }
        });
        publish(&mut writer, 1, 10);
        seeing.join().unwrap();
    });
}

#[test]
fn a_row_is_not_reused_while_a_snapshot_or_a_plan_holds_it() {
    loom::model(|| {
        let mut writer = Writer::new(None);
        publish(&mut writer, 1, 11);
        let table = writer.table();
        let seeing = thread::spawn(move || {
            let mut reader = reader(&table);
            // A snapshot pins the generation ...
            let seen = &reader.look().pools()[0].origins()[0];
            let mark = marked(seen.address.port());
            assert_eq!(seen.row.read(Ticks(0)), mark);
            // ... and a plan holds only the row, while the reader moves on.
            let plan = seen.row.clone();
            reader.look();
            assert_eq!(plan.read(Ticks(0)), mark);
        });
        publish(&mut writer, 2, 12);
        publish(&mut writer, 3, 13);
        seeing.join().unwrap();
    });
}

#[test]
fn a_row_is_never_torn() {
    loom::model(|| {
        let mut writer = Writer::new(None);
        publish(&mut writer, 1, 20);
        let row = writer.table().load().pools()[0].origins()[0].row.clone();
        let seeing = {
            let row = row.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    let state = row.read(Ticks(0));
                    assert_eq!(state, marked(state.weight.get()));
                }
            })
        };
        writer.set(&row, marked(21));
        writer.set(&row, marked(22));
        seeing.join().unwrap();
    });
}

#[test]
fn a_generation_and_what_was_compiled_for_it_always_agree() {
    loom::model(|| {
        let mut writer = Writer::new(None);
        publish(&mut writer, 1, 30);
        let table = writer.table();
        let seeing = thread::spawn(move || {
            let mut reader = reader(&table);
            let mut newest = 0;
            for _ in 0..2 {
                let generation: &Arc<Generation> = reader.look();
                assert_eq!(generation.compiled::<u64>(), Some(&generation.revision));
                assert_eq!(u64::from(generation.pools()[0].origins()[0].address.port()), 29 + generation.revision);
                assert!(generation.revision >= newest, "a reader never goes back");
                newest = generation.revision;
            }
        });
        publish(&mut writer, 2, 31);
        publish(&mut writer, 3, 32);
        seeing.join().unwrap();
    });
}
