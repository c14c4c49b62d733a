//! Places of the world: continents, countries and their parts.

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::{
    config::document::tree::Value,
    fleet::{Continent, Country, Subdivision},
};

impl Scalar for Continent {
    const KIND: Kind = Kind {
        what: "a continent",
        example: "\"EU\"",
        json: Json::Choice(&["AF", "AN", "AS", "EU", "NA", "OC", "SA"]),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        place(value)
    }
}

impl Scalar for Country {
    const KIND: Kind = Kind { what: "a country", example: "\"DE\"", json: Json::Pattern("^[A-Za-z]{2}$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        place(value)
    }
}

impl Scalar for Subdivision {
    const KIND: Kind = Kind {
        what: "a part of a country",
        example: "\"US-CA\"",
        json: Json::Pattern("^[A-Za-z]{2}-[A-Za-z0-9]{1,3}$"),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        place(value)
    }
}

fn place<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value) -> Result<T, Misread> {
    text_of(value)?.parse().map_err(|error: T::Err| Misread::bad(error.to_string()))
}
