//! Databases as vendors lay them out, made by hand, and some that are none.

use super::{
    written::{Value, Writer, city, country, flat, map, text},
    *,
};
use crate::fleet::{Continent, Location, Place};

fn place(database: &Database, address: &str) -> Place {
    let number = match Keyed::new(address.parse().unwrap()) {
        Keyed::V4(key) => database.v4.find(key),
        Keyed::V6(key) => database.v6.find(key),
    };
    database.places.list()[number as usize]
}

fn country_of(database: &Database, address: &str) -> String {
    place(database, address).country.map_or("nowhere".into(), |country| country.to_string())
}

fn refused(writer: &Writer) -> String {
    read(&writer.finish()).unwrap_err().to_string()
}

#[test]
fn the_layout_of_city_is_read_whole() {
    let file = Writer::new("GeoLite2-City")
        .with("192.0.2.0/25", &city("NA", "US", "CA", 37.5, -122.25))
        .with("2001:db8::/32", &city("EU", "DE", "BY", 48.0, 11.5))
        .finish();
    let database = read(&file).unwrap();
    assert_eq!((database.layout, database.kind.as_str()), (Layout::City, "GeoLite2-City"));
    assert_eq!(database.built.to_string(), "2026-06-17");
    let california = Place {
        continent: Some(Continent::NorthAmerica),
        country: "US".parse().ok(),
        subdivision: "US-CA".parse().ok(),
        location: Some(Location { latitude: 37.5, longitude: -122.25 }),
    };
    assert_eq!(place(&database, "192.0.2.127"), california);
    assert_eq!(place(&database, "192.0.2.128"), Place::default());
    assert_eq!(place(&database, "2001:db8:ffff::1").subdivision, "DE-BY".parse().ok());
}

#[test]
fn the_layout_of_country_falls_back_to_where_a_network_is_registered() {
    let registered = map([("registered_country", map([("iso_code", text("FR"))]))]);
    let nothing = map([("traits", map([("is_anycast", Value::Number(1))]))]);
    let file = Writer::new("GeoLite2-Country")
        .with("10.0.0.0/8", &country("EU", "DE"))
        .with("11.0.0.0/8", &registered)
        .with("12.0.0.0/8", &nothing)
        .finish();
    let database = read(&file).unwrap();
    assert_eq!(database.layout, Layout::Country);
    let countries = ["10.1.2.3", "11.1.2.3", "12.1.2.3", "13.1.2.3"].map(|address| country_of(&database, address));
    assert_eq!(countries, ["DE", "FR", "nowhere", "nowhere"]);
    assert_eq!(place(&database, "11.1.2.3").continent, Some(Continent::Europe), "from the table of countries");
}

#[test]
fn the_flat_layout_is_read_with_records_of_every_size() {
    for bits in [24, 28, 32] {
        let file = Writer::new("country ipvAll")
            .record_bits(bits)
            .with("10.0.0.0/8", &flat("DE"))
            .with("10.1.0.0/16", &flat("FR"))
            .with("2001:db8::/48", &flat("JP"))
            .finish();
        let database = read(&file).unwrap();
        assert_eq!(database.layout, Layout::Flat);
        let addresses = ["10.0.255.255", "10.1.0.0", "10.2.0.0", "11.0.0.0", "2001:db8:0:1::", "2001:db8:1::"];
        let countries = addresses.map(|address| country_of(&database, address));
        assert_eq!(countries, ["DE", "FR", "DE", "nowhere", "JP", "nowhere"], "{bits}");
    }
}

#[test]
fn a_database_of_ipv4_alone_knows_nothing_of_ipv6() {
    let database = read(&Writer::new("Country").only_v4().with("10.0.0.0/8", &flat("DE")).finish()).unwrap();
    assert_eq!(country_of(&database, "10.1.1.1"), "DE");
    assert_eq!(database.v6, Ranges::whole(UNKNOWN));
}

#[test]
fn ipv4_is_read_once_however_often_the_tree_leads_to_it() {
    let file = Writer::new("GeoLite2-Country").with("10.0.0.0/8", &country("EU", "DE")).alias_mapped().finish();
    let database = read(&file).unwrap();
    assert_eq!(country_of(&database, "10.1.1.1"), "DE");
    assert_eq!(database.v6, Ranges::whole(UNKNOWN));
    // A tree that has IPv4 there and nowhere else is not one that other readers find it in, either.
    let file = Writer::new("Country").with("::ffff:10.0.0.0/104", &flat("DE")).with("2001:db8::/32", &flat("FR"));
    assert_eq!(country_of(&read(&file.finish()).unwrap(), "10.1.1.1"), "nowhere");
}

#[test]
fn what_is_longer_than_a_64_is_what_comes_first_in_it() {
    let file = Writer::new("Country")
        .with("2001:db8::/66", &flat("DE"))
        .with("2001:db8:0:0:4000::/66", &flat("FR"))
        .with("2001:db8:0:1::/64", &flat("JP"))
        .finish();
    let database = read(&file).unwrap();
    assert_eq!(country_of(&database, "2001:db8:0:0:4000::"), "DE");
    assert_eq!(country_of(&database, "2001:db8:0:1::"), "JP");
}

#[test]
fn neighbours_of_one_place_are_one_range() {
    let file = Writer::new("Country")
        .with("10.0.0.0/9", &country("EU", "DE"))
        .with("10.128.0.0/9", &country("EU", "DE"))
        .with("11.0.0.0/8", &country("EU", "FR"));
    assert_eq!(read(&file.finish()).unwrap().v4.len(), 4, "before, Germany, France, after");
}

#[test]
fn other_layouts_are_refused_with_what_they_hold() {
    let asn = map([("autonomous_system_number", Value::Number(64_496)), ("autonomous_system_organization", text("x"))]);
    assert_eq!(
        refused(&Writer::new("GeoLite2-ASN").with("10.0.0.0/8", &asn)),
        "a database of type `GeoLite2-ASN` does not say where networks are: its records hold `autonomous_system_number`, \
         `autonomous_system_organization`; expected `country.iso_code`, as GeoIP2 City and Country have it, or a flat \
         `country_code`"
    );
    // A field of a name that is known, of another kind.
    let other = map([("country", text("DE")), ("country_name", text("Germany"))]);
    let said = refused(&Writer::new("other country").with("10.0.0.0/8", &other));
    assert!(said.contains("`other country`") && said.contains("`country`, `country_name`"), "{said}");
    let empty_codes = refused(&Writer::new("Country").with("10.0.0.0/8", &flat("")));
    assert!(empty_codes.contains("hold `country_code`"), "{empty_codes}");
    let many = map(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|name| (name, text(""))));
    assert!(refused(&Writer::new("x").with("10.0.0.0/8", &many)).contains("`h` and 2 more"));
    let nameless = refused(&Writer::new("x").with("10.0.0.0/8", &map([])));
    assert!(nameless.contains("hold nothing"), "{nameless}");
}

#[test]
fn a_database_without_networks_is_refused() {
    assert_eq!(refused(&Writer::new("GeoLite2-City")), "the database of type `GeoLite2-City` holds no network");
}

#[test]
fn points_off_the_globe_and_parts_of_nothing_are_not_taken() {
    let off = city("EU", "DE", "BY", 91.0, 0.0);
    let nameless =
        map([("subdivisions", Value::List(vec![map([("iso_code", text("CA"))])])), ("country_code", text("US"))]);
    let file = Writer::new("City").with("10.0.0.0/8", &off).with("11.0.0.0/8", &nameless).finish();
    let database = read(&file).unwrap();
    let germany = crate::geo::countries::find("DE".parse().unwrap()).unwrap().1;
    assert_eq!(place(&database, "10.0.0.1").location, Some(germany));
    assert_eq!(place(&database, "11.0.0.1").subdivision, None);
}

#[test]
fn no_file_makes_it_panic() {
    let file = Writer::new("GeoLite2-City")
        .with("192.0.2.0/25", &city("NA", "US", "CA", 37.5, -122.25))
        .with("2001:db8::/32", &city("EU", "DE", "BY", 48.0, 11.5))
        .finish();
    let mut random = fastrand::Rng::with_seed(7);
    let mut refused = 0;
    for _ in 0..5_000 {
        let mut bytes = file.clone();
        for _ in 0..random.usize(1..5) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        bytes.truncate(bytes.len() - random.usize(..3));
        refused += usize::from(read(&bytes).is_err());
    }
    assert!((500..5_000).contains(&refused), "some are damaged, some are not: {refused}");
    for length in 0..file.len() {
        assert!(read(&file[..length]).is_err(), "{length}");
    }
}
