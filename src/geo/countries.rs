//! Countries: the continent that each is part of, and a point that stands for all of it.
//!
//! The point is the city that most of its clients are near to (coordinates as tzdata's `zone.tab` has them, which is in the public
//! domain), for countries that are wide the middle of where people live. Continents are those of GeoIP databases: Cyprus and Russia
//! are in Europe, Turkey and Georgia in Asia.
//!
//! Not here: which address is in which country (`embedded`, `mmdb`).

use crate::fleet::{Continent, Country, Location};

use Continent::{
    Africa as AF, Antarctica as AN, Asia as AS, Europe as EU, NorthAmerica as NA, Oceania as OC, SouthAmerica as SA,
};

/// By code: continent, latitude, longitude. ISO 3166-1, and `XK`, which databases use for Kosovo.
#[rustfmt::skip]
const COUNTRIES: [(&str, Continent, f64, f64); 250] = [
    ("AD", EU, 42.5, 1.5), ("AE", AS, 25.3, 55.3), ("AF", AS, 34.5, 69.2), ("AG", NA, 17.1, -61.8),
    ("AI", NA, 18.2, -63.1), ("AL", EU, 41.3, 19.8), ("AM", AS, 40.2, 44.5), ("AO", AF, -8.8, 13.2),
    ("AQ", AN, -77.9, 166.7), ("AR", SA, -34.6, -58.4), ("AS", OC, -14.3, -170.7), ("AT", EU, 48.2, 16.3),
    ("AU", OC, -33.9, 151.2), ("AW", NA, 12.5, -70.0), ("AX", EU, 60.1, 19.9), ("AZ", AS, 40.4, 49.9),
    ("BA", EU, 43.9, 18.4), ("BB", NA, 13.1, -59.6), ("BD", AS, 23.7, 90.4), ("BE", EU, 50.8, 4.3),
    ("BF", AF, 12.4, -1.5), ("BG", EU, 42.7, 23.3), ("BH", AS, 26.4, 50.6), ("BI", AF, -3.4, 29.4),
    ("BJ", AF, 6.5, 2.6), ("BL", NA, 17.9, -62.9), ("BM", NA, 32.3, -64.8), ("BN", AS, 4.9, 114.9),
    ("BO", SA, -16.5, -68.1), ("BQ", NA, 12.2, -68.3), ("BR", SA, -22.0, -47.0), ("BS", NA, 25.1, -77.3),
    ("BT", AS, 27.5, 89.7), ("BV", AN, -54.4, 3.4), ("BW", AF, -24.6, 25.9), ("BY", EU, 53.9, 27.6),
    ("BZ", NA, 17.5, -88.2), ("CA", NA, 45.4, -75.7), ("CC", AS, -12.2, 96.9), ("CD", AF, -4.3, 15.3),
    ("CF", AF, 4.4, 18.6), ("CG", AF, -4.3, 15.3), ("CH", EU, 47.4, 8.5), ("CI", AF, 5.3, -4.0),
    ("CK", OC, -21.2, -159.8), ("CL", SA, -33.5, -70.7), ("CM", AF, 4.0, 9.7), ("CN", AS, 32.0, 114.0),
    ("CO", SA, 4.6, -74.1), ("CR", NA, 9.9, -84.1), ("CU", NA, 23.1, -82.4), ("CV", AF, 14.9, -23.5),
    ("CW", NA, 12.2, -69.0), ("CX", OC, -10.4, 105.7), ("CY", EU, 35.2, 33.4), ("CZ", EU, 50.1, 14.4),
    ("DE", EU, 52.5, 13.4), ("DJ", AF, 11.6, 43.1), ("DK", EU, 55.7, 12.6), ("DM", NA, 15.3, -61.4),
    ("DO", NA, 18.5, -69.9), ("DZ", AF, 36.8, 3.0), ("EC", SA, -2.2, -79.8), ("EE", EU, 59.4, 24.8),
    ("EG", AF, 30.1, 31.2), ("EH", AF, 27.1, -13.2), ("ER", AF, 15.3, 38.9), ("ES", EU, 40.4, -3.7),
    ("ET", AF, 9.0, 38.7), ("FI", EU, 60.2, 25.0), ("FJ", OC, -18.1, 178.4), ("FK", SA, -51.7, -57.9),
    ("FM", OC, 7.0, 158.2), ("FO", EU, 62.0, -6.8), ("FR", EU, 48.9, 2.3), ("GA", AF, 0.4, 9.4),
    ("GB", EU, 51.5, -0.1), ("GD", NA, 12.1, -61.8), ("GE", AS, 41.7, 44.8), ("GF", SA, 4.9, -52.3),
    ("GG", EU, 49.5, -2.5), ("GH", AF, 5.5, -0.2), ("GI", EU, 36.1, -5.3), ("GL", NA, 64.2, -51.7),
    ("GM", AF, 13.5, -16.6), ("GN", AF, 9.5, -13.7), ("GP", NA, 16.2, -61.5), ("GQ", AF, 3.8, 8.8),
    ("GR", EU, 38.0, 23.7), ("GS", AN, -54.3, -36.5), ("GT", NA, 14.6, -90.5), ("GU", OC, 13.5, 144.8),
    ("GW", AF, 11.8, -15.6), ("GY", SA, 6.8, -58.2), ("HK", AS, 22.3, 114.2), ("HM", AN, -53.1, 73.5),
    ("HN", NA, 14.1, -87.2), ("HR", EU, 45.8, 16.0), ("HT", NA, 18.5, -72.3), ("HU", EU, 47.5, 19.1),
    ("ID", AS, -6.2, 106.8), ("IE", EU, 53.3, -6.2), ("IL", AS, 31.8, 35.2), ("IM", EU, 54.1, -4.5),
    ("IN", AS, 22.0, 78.0), ("IO", AS, -7.3, 72.4), ("IQ", AS, 33.4, 44.4), ("IR", AS, 35.7, 51.4),
    ("IS", EU, 64.2, -21.9), ("IT", EU, 41.9, 12.5), ("JE", EU, 49.2, -2.1), ("JM", NA, 18.0, -76.8),
    ("JO", AS, 31.9, 35.9), ("JP", AS, 35.7, 139.7), ("KE", AF, -1.3, 36.8), ("KG", AS, 42.9, 74.6),
    ("KH", AS, 11.6, 104.9), ("KI", OC, 1.4, 173.0), ("KM", AF, -11.7, 43.3), ("KN", NA, 17.3, -62.7),
    ("KP", AS, 39.0, 125.8), ("KR", AS, 37.5, 127.0), ("KW", AS, 29.3, 48.0), ("KY", NA, 19.3, -81.4),
    ("KZ", AS, 43.3, 76.9), ("LA", AS, 18.0, 102.6), ("LB", AS, 33.9, 35.5), ("LC", NA, 14.0, -61.0),
    ("LI", EU, 47.1, 9.5), ("LK", AS, 6.9, 79.8), ("LR", AF, 6.3, -10.8), ("LS", AF, -29.5, 27.5),
    ("LT", EU, 54.7, 25.3), ("LU", EU, 49.6, 6.2), ("LV", EU, 57.0, 24.1), ("LY", AF, 32.9, 13.2),
    ("MA", AF, 33.6, -7.6), ("MC", EU, 43.7, 7.4), ("MD", EU, 47.0, 28.8), ("ME", EU, 42.4, 19.3),
    ("MF", NA, 18.1, -63.1), ("MG", AF, -18.9, 47.5), ("MH", OC, 7.2, 171.2), ("MK", EU, 42.0, 21.4),
    ("ML", AF, 12.7, -8.0), ("MM", AS, 16.8, 96.2), ("MN", AS, 47.9, 106.9), ("MO", AS, 22.2, 113.5),
    ("MP", OC, 15.2, 145.8), ("MQ", NA, 14.6, -61.1), ("MR", AF, 18.1, -15.9), ("MS", NA, 16.7, -62.2),
    ("MT", EU, 35.9, 14.5), ("MU", AF, -20.2, 57.5), ("MV", AS, 4.2, 73.5), ("MW", AF, -15.8, 35.0),
    ("MX", NA, 19.4, -99.1), ("MY", AS, 3.2, 101.7), ("MZ", AF, -26.0, 32.6), ("NA", AF, -22.6, 17.1),
    ("NC", OC, -22.3, 166.4), ("NE", AF, 13.5, 2.1), ("NF", OC, -29.1, 168.0), ("NG", AF, 6.5, 3.4),
    ("NI", NA, 12.2, -86.3), ("NL", EU, 52.4, 4.9), ("NO", EU, 59.9, 10.8), ("NP", AS, 27.7, 85.3),
    ("NR", OC, -0.5, 166.9), ("NU", OC, -19.0, -169.9), ("NZ", OC, -36.9, 174.8), ("OM", AS, 23.6, 58.6),
    ("PA", NA, 9.0, -79.5), ("PE", SA, -12.1, -77.0), ("PF", OC, -17.5, -149.6), ("PG", OC, -9.5, 147.2),
    ("PH", AS, 14.6, 121.0), ("PK", AS, 24.9, 67.0), ("PL", EU, 52.2, 21.0), ("PM", NA, 47.0, -56.3),
    ("PN", OC, -25.1, -130.1), ("PR", NA, 18.5, -66.1), ("PS", AS, 31.5, 35.1), ("PT", EU, 38.7, -9.1),
    ("PW", OC, 7.3, 134.5), ("PY", SA, -25.3, -57.7), ("QA", AS, 25.3, 51.5), ("RE", AF, -20.9, 55.5),
    ("RO", EU, 44.4, 26.1), ("RS", EU, 44.8, 20.5), ("RU", EU, 55.8, 37.6), ("RW", AF, -1.9, 30.1),
    ("SA", AS, 24.6, 46.7), ("SB", OC, -9.5, 160.2), ("SC", AF, -4.7, 55.5), ("SD", AF, 15.6, 32.5),
    ("SE", EU, 59.3, 18.1), ("SG", AS, 1.3, 103.8), ("SH", AF, -15.9, -5.7), ("SI", EU, 46.0, 14.5),
    ("SJ", EU, 78.2, 15.6), ("SK", EU, 48.1, 17.1), ("SL", AF, 8.5, -13.2), ("SM", EU, 43.9, 12.5),
    ("SN", AF, 14.7, -17.4), ("SO", AF, 2.1, 45.4), ("SR", SA, 5.8, -55.2), ("SS", AF, 4.8, 31.6),
    ("ST", AF, 0.3, 6.7), ("SV", NA, 13.7, -89.2), ("SX", NA, 18.1, -63.0), ("SY", AS, 33.5, 36.3),
    ("SZ", AF, -26.3, 31.1), ("TC", NA, 21.5, -71.1), ("TD", AF, 12.1, 15.1), ("TF", AN, -49.4, 70.2),
    ("TG", AF, 6.1, 1.2), ("TH", AS, 13.8, 100.5), ("TJ", AS, 38.6, 68.8), ("TK", OC, -9.4, -171.2),
    ("TL", OC, -8.6, 125.6), ("TM", AS, 38.0, 58.4), ("TN", AF, 36.8, 10.2), ("TO", OC, -21.1, -175.2),
    ("TR", AS, 39.9, 32.9), ("TT", NA, 10.7, -61.5), ("TV", OC, -8.5, 179.2), ("TW", AS, 25.1, 121.5),
    ("TZ", AF, -6.8, 39.3), ("UA", EU, 50.4, 30.5), ("UG", AF, 0.3, 32.4), ("UM", OC, 28.2, -177.4),
    ("US", NA, 38.0, -95.0), ("UY", SA, -34.9, -56.2), ("UZ", AS, 41.3, 69.3), ("VA", EU, 41.9, 12.5),
    ("VC", NA, 13.2, -61.2), ("VE", SA, 10.5, -66.9), ("VG", NA, 18.4, -64.6), ("VI", NA, 18.4, -64.9),
    ("VN", AS, 16.0, 107.0), ("VU", OC, -17.7, 168.4), ("WF", OC, -13.3, -176.2), ("WS", OC, -13.8, -171.7),
    ("XK", EU, 42.7, 21.2), ("YE", AS, 12.8, 45.2), ("YT", AF, -12.8, 45.2), ("ZA", AF, -26.2, 28.0),
    ("ZM", AF, -15.4, 28.3), ("ZW", AF, -17.8, 31.1),
];

/// What is known of a country by its code alone; nothing where it is none that we know.
pub(super) fn find(country: Country) -> Option<(Continent, Location)> {
    let at = COUNTRIES.binary_search_by(|(code, ..)| (*code).cmp(country.as_str())).ok()?;
    let (_, continent, latitude, longitude) = COUNTRIES[at];
    Some((continent, Location { latitude, longitude }))
}

/// Where a client of a continent is taken to be when nothing better is known.
pub(super) fn middle(continent: Continent) -> Location {
    let (latitude, longitude) = match continent {
        AF => (3.0, 20.0),
        AN => (-82.0, 0.0),
        AS => (30.0, 95.0),
        EU => (50.0, 13.0),
        NA => (39.0, -92.0),
        OC => (-28.0, 146.0),
        SA => (-17.0, -58.0),
    };
    Location { latitude, longitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ISO 3166-1 as of 2024.
    const ISO: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV \
        BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK \
        FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
        JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
        MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY \
        QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
        TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

    #[test]
    fn every_country_of_iso_3166_is_there_once_and_kosovo() {
        assert!(COUNTRIES.is_sorted_by(|one, two| one.0 < two.0), "sorted, none twice");
        let known: Vec<&str> = COUNTRIES.iter().map(|country| country.0).filter(|code| *code != "XK").collect();
        assert_eq!(known, ISO.split_whitespace().collect::<Vec<_>>());
        assert!(find("XK".parse().unwrap()).is_some());
        assert_eq!(find("ZZ".parse().unwrap()), None);
    }

    #[test]
    fn points_are_on_the_globe_and_on_their_continent() {
        for (code, continent, latitude, longitude) in COUNTRIES {
            assert!(latitude.abs() <= 90.0 && longitude.abs() <= 180.0, "{code}");
            let from_middle = middle(continent).distance_km(Location { latitude, longitude });
            // Pitcairn is far from everything; Antarctica's islands are around all of it.
            assert!(from_middle < 9_000.0, "{code} is {from_middle:.0} km from the middle of {continent:?}");
        }
    }

    #[test]
    fn neighbours_are_near() {
        let point = |code: &str| find(code.parse().unwrap()).unwrap().1;
        for (one, two, most) in
            [("DE", "PL", 600.0), ("SG", "MY", 400.0), ("AR", "UY", 300.0), ("HK", "MO", 100.0), ("FJ", "TO", 900.0)]
        {
            let apart = point(one).distance_km(point(two));
            assert!(apart < most, "{one} to {two}: {apart:.0} km");
        }
        assert!(point("DE").distance_km(point("NZ")) > 15_000.0);
    }
}
