use proptest::prelude::*;

use super::*;
use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Health},
    table::{Compiled, OriginSpec},
};

fn address(port: u16) -> Address {
    Address::Fixed(([127, 0, 0, 1], port).into())
}

fn origin(port: u16, region: u16) -> OriginSpec {
    OriginSpec { address: address(port), region: RegionId(region), weight: 100, tier: 0 }
}

fn pool(name: &str, origins: &[OriginSpec]) -> PoolSpec {
    PoolSpec { name: name.into(), balance: Balance::RoundRobin, origins: origins.to_vec() }
}

fn membership(regions: &[&str], pools: Vec<PoolSpec>) -> Membership {
    let region = |name: &&str| RegionSpec { name: (*name).into(), capacity_per_second: 0 };
    Membership { revision: 1, pools, regions: regions.iter().map(region).collect(), compiled: Compiled::default() }
}

fn marked(weight: u16) -> RowState {
    RowState { health: Health::Up, weight: BasisPoints::new(weight), ..RowState::default() }
}

fn row_count(writer: &Writer) -> usize {
    writer.rows.len() + writer.free.len() + writer.retired.len()
}

#[test]
fn state_survives_a_change_of_membership_by_identity() {
    let mut writer = Writer::new(None);
    let first = writer.publish(membership(&["a"], vec![pool("shop", &[origin(1, 0), origin(2, 0)])]));
    writer.set(&first.pools()[0].origins()[1].row, marked(222));
    let next = writer.publish(membership(&["a"], vec![pool("shop", &[origin(3, 0), origin(2, 0)])]));
    let weight = |at: usize| next.pools()[0].origins()[at].row.read(Ticks(0)).weight.get();
    assert_eq!((weight(0), weight(1)), (10_000, 222));
}

#[test]
fn what_did_not_change_is_the_same_arc() {
    let mut writer = Writer::new(None);
    let pools = |port| vec![pool("one", &[origin(1, 0)]), pool("two", &[origin(port, 1)])];
    let first = writer.publish(membership(&["a", "b"], pools(1)));
    let second = writer.publish(membership(&["a", "b"], pools(2)));
    assert!(Arc::ptr_eq(&first.pools()[0], &second.pools()[0]));
    assert!(!Arc::ptr_eq(&first.pools()[1], &second.pools()[1]));
    assert!(Arc::ptr_eq(&first.regions()[1], &second.regions()[1]));
}

#[test]
fn a_new_region_rebuilds_only_pools_whose_ids_moved() {
    let mut writer = Writer::new(None);
    let first =
        writer.publish(membership(&["a", "c"], vec![pool("one", &[origin(1, 0)]), pool("two", &[origin(1, 1)])]));
    let door = |generation: &Generation, at: usize| generation.regions()[at].front_door.clone();
    writer.set(&door(&first, 1), marked(7));
    writer.set(&first.pools()[1].regions()[0].row, marked(8));
    let pools = vec![pool("one", &[origin(1, 0)]), pool("two", &[origin(1, 2)])];
    let second = writer.publish(membership(&["a", "b", "c"], pools));
    assert!(Arc::ptr_eq(&first.pools()[0], &second.pools()[0]));
    assert_eq!(door(&second, 2).read(Ticks(0)).weight.get(), 7);
    assert_eq!(second.pools()[1].region(RegionId(2)).unwrap().row.read(Ticks(0)).weight.get(), 8);
    assert_eq!(second.pools()[1].positions_in(RegionId(1)), 0..0);
}

#[test]
fn swapped_region_ids_do_not_swap_what_is_believed() {
    let mut writer = Writer::new(None);
    let first = writer.publish(membership(&["a", "b"], vec![pool("shop", &[origin(1, 0), origin(2, 1)])]));
    writer.set(&first.pools()[0].regions()[0].row, marked(11));
    writer.set(&first.regions()[0].front_door, marked(12));
    // The spec is the same to the letter, but now its ids mean other regions.
    let second = writer.publish(membership(&["b", "a"], vec![pool("shop", &[origin(1, 0), origin(2, 1)])]));
    assert!(!Arc::ptr_eq(&first.pools()[0], &second.pools()[0]));
    let weight = |id| second.pools()[0].region(RegionId(id)).unwrap().row.read(Ticks(0)).weight.get();
    assert_eq!((weight(0), weight(1)), (10_000, 11));
    assert_eq!(second.regions()[1].front_door.read(Ticks(0)).weight.get(), 12);
}

#[test]
fn origins_are_grouped_by_region_in_config_order() {
    let mut writer = Writer::new(None);
    let origins = [origin(1, 1), origin(2, 0), origin(3, 1), origin(4, 0)];
    let generation = writer.publish(membership(&["a", "b"], vec![pool("shop", &origins)]));
    let pool = &generation.pools()[0];
    let ports: Vec<u16> = pool.origins().iter().map(|origin| origin.address.port()).collect();
    assert_eq!(ports, [2, 4, 1, 3]);
    assert_eq!((pool.positions_in(RegionId(0)), pool.positions_in(RegionId(1))), (0..2, 2..4));
    assert_eq!(pool.regions()[1].total_weight, 200);
}

#[test]
fn replacing_a_pool_leaves_the_others_and_the_rows_that_stay() {
    let mut writer = Writer::new(None);
    let pools = vec![pool("one", &[origin(1, 0)]), pool("two", &[origin(1, 0), origin(2, 0)])];
    let first = writer.publish(membership(&["a"], pools));
    writer.set(&first.pools()[1].origins()[1].row, marked(5));
    assert!(writer.replace_pool(PoolId(1), pool("two", &[origin(2, 0), origin(9, 0)])));
    let second = writer.table().load();
    assert!(Arc::ptr_eq(&first.pools()[0], &second.pools()[0]));
    assert_eq!(second.pools()[1].origins()[0].row.read(Ticks(0)).weight.get(), 5);
    assert!(writer.row(&RowKey::Origin("two".into(), address(1))).is_none());
    assert!(writer.row(&RowKey::Origin("one".into(), address(1))).is_some());
}

#[test]
fn a_pool_is_replaced_only_under_its_own_id_and_name() {
    let mut writer = Writer::new(None);
    let first = writer.publish(membership(&["a"], vec![pool("one", &[]), pool("two", &[])]));
    assert!(!writer.replace_pool(PoolId(1), pool("one", &[origin(1, 0)])));
    assert!(!writer.replace_pool(PoolId(2), pool("three", &[])));
    assert!(Arc::ptr_eq(&first, &writer.table().load()));
}

#[test]
fn a_row_waits_until_its_last_holder_lets_go() {
    let mut writer = Writer::new(None);
    let first = writer.publish(membership(&["a"], vec![pool("shop", &[origin(1, 0)])]));
    let held = first.pools()[0].origins()[0].row.clone();
    writer.set(&held, marked(1));
    drop(first);
    for port in 2..600 {
        let next = writer.publish(membership(&["a"], vec![pool("shop", &[origin(port, 0)])]));
        writer.set(&next.pools()[0].origins()[0].row, marked(port));
        assert_eq!(held.read(Ticks(0)).weight.get(), 1);
    }
    assert_eq!(writer.retired.len(), 1);
    drop(held);
    writer.publish(membership(&["a"], Vec::new()));
    writer.publish(membership(&["a"], Vec::new()));
    assert!(writer.retired.is_empty());
}

#[test]
fn ten_thousand_changes_back_and_forth_grow_nothing() {
    let mut writer = Writer::new(None);
    let ports = |range: std::ops::Range<u16>| range.map(|port| origin(port, 0)).collect::<Vec<_>>();
    let (odd, even) = (ports(0..20), ports(10..30));
    let mut reader = writer.table().reader(crate::clock::Clock::manual());
    writer.publish(membership(&["a"], vec![pool("shop", &odd)]));
    writer.publish(membership(&["b"], vec![pool("shop", &even)]));
    let rows = row_count(&writer);
    for _ in 0..5_000 {
        writer.publish(membership(&["a"], vec![pool("shop", &odd)]));
        reader.snapshot();
        writer.publish(membership(&["b"], vec![pool("shop", &even)]));
    }
    assert_eq!(row_count(&writer), rows);
}

#[test]
fn a_fill_is_finished_before_anybody_sees_the_generation() {
    let mut writer = Writer::new(None);
    let table = writer.table();
    let pools = vec![pool("shop", &[origin(1, 0)])];
    writer.publish_filled(membership(&["a"], pools), |writer, next| {
        assert!(table.load().pools().is_empty());
        writer.set(&next.pools()[0].origins()[0].row, marked(3));
    });
    assert_eq!(table.load().pools()[0].origins()[0].row.read(Ticks(0)).weight.get(), 3);
}

#[test]
fn a_selector_is_built_from_the_one_before() {
    let build: SelectorBuilder = Box::new(|_, origins, previous| {
        let built = previous.and_then(|pool| pool.selector::<u32>()).copied().unwrap_or(0);
        Arc::new(built + u32::try_from(origins.len()).unwrap())
    });
    let mut writer = Writer::new(Some(build));
    writer.publish(membership(&["a"], vec![pool("shop", &[origin(1, 0)])]));
    let next = writer.publish(membership(&["a"], vec![pool("shop", &[origin(1, 0), origin(2, 0)])]));
    assert_eq!(next.pools()[0].selector::<u32>(), Some(&3));
    assert_eq!(next.pools()[0].selector::<u64>(), None);
}

/// A fleet of three possible pools and regions: which regions (in which order) exist, and which ports each pool has where.
type Shape = (Vec<usize>, [Vec<(u16, u16)>; 3]);

fn any_shape() -> impl Strategy<Value = Shape> {
    let regions = Just(vec![0_usize, 1, 2])
        .prop_shuffle()
        .prop_flat_map(|all| (1..=3_usize).prop_map(move |count| all[..count].to_vec()));
    regions.prop_flat_map(|regions| {
        let count = u16::try_from(regions.len()).unwrap_or(u16::MAX);
        let ports = prop::collection::btree_map(0..6_u16, 0..count, 0..5);
        let pools = prop::array::uniform3(ports.prop_map(|ports| ports.into_iter().collect()));
        (Just(regions), pools)
    })
}

const REGIONS: [&str; 3] = ["ra", "rb", "rc"];
const POOLS: [&str; 3] = ["pa", "pb", "pc"];

fn shaped((regions, pools): &Shape) -> Membership {
    let names: Vec<&str> = regions.iter().map(|at| REGIONS[*at]).collect();
    // A pool without origins is left out, so that pools come and go.
    let specs = POOLS.iter().zip(pools).filter(|(_, ports)| !ports.is_empty()).map(|(name, ports)| {
        let origins: Vec<_> = ports.iter().map(|(port, at)| origin(*port, *at)).collect();
        pool(name, &origins)
    });
    membership(&names, specs.collect())
}

fn rows_of(generation: &Generation) -> Vec<(RowKey, RowHandle)> {
    let doors =
        generation.regions().iter().map(|region| (RowKey::FrontDoor(region.name.clone()), region.front_door.clone()));
    let pools = generation.pools().iter().flat_map(|pool| {
        let origins = pool.origins().iter();
        let origins =
            origins.map(|origin| (RowKey::Origin(pool.name.clone(), origin.address.clone()), origin.row.clone()));
        let regions = pool.regions().iter();
        origins.chain(
            regions.map(|entry| (pool_region_key(&pool.name, entry.region, generation.regions()), entry.row.clone())),
        )
    });
    doors.chain(pools).collect()
}

proptest! {
    #[test]
    fn any_history_of_memberships_reads_like_a_plain_map(history in prop::collection::vec(any_shape(), 1..12)) {
        let mut writer = Writer::new(None);
        let mut naive: HashMap<RowKey, u16> = HashMap::new();
        let mut mark = 0;
        for shape in &history {
            let generation = writer.publish(shaped(shape));
            let rows = rows_of(&generation);
            let exists: HashSet<&RowKey> = rows.iter().map(|(key, _)| key).collect();
            naive.retain(|key, _| exists.contains(key));
            prop_assert_eq!(writer.rows.len(), rows.len());
            for (key, row) in &rows {
                let expected = naive.get(key).copied().unwrap_or(10_000);
                prop_assert_eq!(row.read(Ticks(0)).weight.get(), expected, "{:?}", key);
                mark += 1;
                writer.set(row, marked(mark));
                naive.insert(key.clone(), mark);
            }
        }
    }
}
