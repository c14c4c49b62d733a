//! The day a database was built on.

use std::fmt;

const DAYS_IN_400_YEARS: u32 = 146_097;

/// A day, shown as `2026-06-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Days since 1970.
    days: u32,
}

/// Nothing is built later, which keeps the sums within 32 bits.
const LAST_DAY: u32 = u32::MAX / 8;

impl Date {
    /// The day in UTC.
    pub(super) fn of_unix_time(seconds: u64) -> Self {
        Self::of_days(u32::try_from(seconds / 86_400).unwrap_or(LAST_DAY))
    }

    pub(super) fn of_days(days: u32) -> Self {
        Self { days: days.min(LAST_DAY) }
    }

    pub(super) fn days(self) -> u32 {
        self.days
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years begin in March here, so that a leap day is the last of its year; the first of them began 719,468 days before 1970.
        let day = self.days + 719_468;
        let (era, of_era) = (day / DAYS_IN_400_YEARS, day % DAYS_IN_400_YEARS);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (DAYS_IN_400_YEARS - 1)) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months of 31, 30, 31, 30, 31 days come round after 153.
        let month = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * month + 2) / 5 + 1;
        let year = era * 400 + year_of_era + u32::from(month >= 10);
        write!(f, "{year:04}-{:02}-{of_month:02}", if month < 10 { month + 3 } else { month - 9 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_year_first() {
        let text = |seconds| Date::of_unix_time(seconds).to_string();
        assert_eq!(text(0), "1970-01-01");
        assert_eq!(text(951_782_400), "2000-02-29");
        assert_eq!(text(951_868_800), "2000-03-01");
        assert_eq!(text(1_798_761_599), "2026-12-31");
        assert_eq!(text(1_798_761_600), "2027-01-01");
        assert_eq!(text(u64::MAX), Date::of_days(u32::MAX).to_string(), "as far as it goes");
    }
}
