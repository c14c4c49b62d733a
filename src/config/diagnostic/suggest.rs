//! "Did you mean": the name nearest to one that does not exist.

/// The candidate that `wrong` most likely was meant to be, if any is near enough: a third of its characters may differ.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = wrong.chars().count();
    let allowed = (length / 3).clamp(1, 3);
    let lower = wrong.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_found_and_a_different_word_is_not() {
        let keys = ["weight", "region", "address"];
        assert_eq!(nearest("wieght", keys), Some("weight"));
        assert_eq!(nearest("Region", keys), Some("region"));
        assert_eq!(nearest("zone", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
