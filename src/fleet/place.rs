//! Where a region stands on the globe.

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    /// North positive, -90 to 90.
    pub latitude: f64,
    /// East positive, -180 to 180.
    pub longitude: f64,
}

impl Location {
    /// Great-circle distance in kilometres (haversine; a sphere is good to 0.5 %, which ordering regions does not notice).
    pub fn distance_km(self, other: Self) -> f64 {
        const EARTH_RADIUS_KM: f64 = 6371.0;
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let across = (other.longitude - self.longitude).to_radians();
        let half_chord = ((to - from) / 2.0).sin().powi(2) + from.cos() * to.cos() * (across / 2.0).sin().powi(2);
        2.0 * EARTH_RADIUS_KM * half_chord.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frankfurt_to_virginia_is_about_6_500_km_both_ways() {
        let (frankfurt, virginia) =
            (Location { latitude: 50.1, longitude: 8.7 }, Location { latitude: 38.9, longitude: -77.5 });
        let there = frankfurt.distance_km(virginia);
        assert!((6_400.0..6_700.0).contains(&there), "{there}");
        assert!((there - virginia.distance_km(frankfurt)).abs() < 1e-6);
    }
}
