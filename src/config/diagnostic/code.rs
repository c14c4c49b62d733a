//! The stable names of all mistakes: for searching, for the reference page, for tools that read the JSON.

macro_rules! codes {
    ($($variant:ident $text:literal $meaning:literal)+) => {
        /// What kind of mistake it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)+
        }

        impl Code {
            /// All of them, in the order of the reference page.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name, as in `error[unknown-key]`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }
        }
    };
}

codes! {
    Unreadable "unreadable" "A file or directory cannot be read."
    TooLarge "too-large" "A file is over 8 MiB, or a directory holds over 10,000 files."
    NotUtf8 "not-utf8" "A file is not UTF-8 text."
    NoFiles "no-files" "A directory holds no `*.toml` file."
    Syntax "syntax" "A file is not TOML."
    BareValue "bare-value" "A value is no number, date or boolean, and not in quotes."
    DuplicateKey "duplicate-key" "A key or table is written twice, in one file or in two."
    UnknownKey "unknown-key" "No such key exists in this place."
    MissingKey "missing-key" "A key that has no default is not there."
    WrongType "wrong-type" "A value is of another type than its key takes."
    BadValue "bad-value" "A value is of the right type but does not read as what it should be."
    OutOfLimits "out-of-limits" "A value is smaller or larger than its key allows."
    TooMany "too-many" "There is more of something than one config may hold."
    Contradiction "contradiction" "Two settings cannot both hold."
    BadName "bad-name" "A name has characters or a length that names cannot have."
    NoRegion "no-region" "No region is defined: nothing could serve traffic."
    NodeRegion "node-region" "Nothing says in which of several regions this node stands."
    UnknownRegion "unknown-region" "A region is named that is not defined."
    UnknownPool "unknown-pool" "A pool is named that is not defined."
    UnknownCheck "unknown-check" "A check is named that is not one of `checks`."
    CheckLoop "check-loop" "Checks lead to each other without end, or more than 8 deep."
    UnusedCheck "unused-check" "No pool and no region uses one of `checks`."
    DuplicateAddress "duplicate-address" "An address is used twice where it must be unique."
    PoolEmpty "pool-empty" "A pool has no origin with weight above zero."
    DuplicateRoute "duplicate-route" "Two routes have the same host, path and further conditions."
    ReservedHeader "reserved-header" "A header is changed that no route may change."
    OverlappingZone "overlapping-zone" "Two zones are the same, or one lies inside the other."
    NameOutsideZone "name-outside-zone" "An owner lies outside its zone, or is written as a full name where owners are relative to their zone."
    DuplicateName "duplicate-name" "A name is given twice where it must be unique: of a route, or in a zone in different spellings."
    RecordConflict "record-conflict" "Records stand beside each other that cannot."
    NothingToSteer "nothing-to-steer" "A steered name or a policy has no pool to follow, or no region to choose."
    MissingDot "missing-dot" "A name in a zone file ends with its zone's name and not with a dot, so the zone's name follows once more."
    ZoneFile "zone-file" "A zone file cannot be read, is no text, is over 64 MiB, or is included by too many others."
    ZoneSyntax "zone-syntax" "A line of a zone file is no record and no directive."
    DuplicateRecord "duplicate-record" "A record is written twice."
    TtlMismatch "ttl-mismatch" "The records of one name and type have several TTLs; the lowest holds for all of them (RFC 2181 section 5.2)."
    MissingGlue "missing-glue" "A zone is delegated to a name server that nobody could find: its address is missing."
    NeverAnswered "never-answered" "A record lies below a delegation and is not an address of a name server, so nobody is ever told of it."
    EndlessAlias "endless-alias" "Names lead to each other, or through too many others."
    DanglingAlias "dangling-alias" "An `ALIAS` leads to a name that has no addresses in the zones of this config."
    TargetIsAlias "target-is-alias" "A name server, mail exchange or service is named by another name than its own (RFC 2181 section 10.3)."
    UnknownPolicy "unknown-policy" "A policy is named that is not defined, or a target that is no region and no policy."
    PolicyLoop "policy-loop" "Policies lead to each other without end, or more than 8 deep."
    UnknownJurisdiction "unknown-jurisdiction" "`residency` names what is neither a jurisdiction nor a region."
    NoLocation "no-location" "Clients are sent to the nearest region, and nobody says where a region is."
    UnusedPolicy "unused-policy" "No steered name uses a policy."
    NoCertificate "no-certificate" "TLS is listened for, and there is no certificate to show."
    BadCertificate "bad-certificate" "A file of certificates, keys or ticket keys cannot be used."
    ExpiredCertificate "expired-certificate" "A certificate is not valid any more."
    UnusedPool "unused-pool" "No route and no steered name uses a pool."
    UnusedRegion "unused-region" "No origin stands in a region."
    NameserverWithoutAddress "nameserver-without-address" "A zone's own name server has no address in it."
    MoreMistakes "more-mistakes" "There are more mistakes than are shown."
}

impl Code {
    /// Whether it may only seem so because part of a file could not be read.
    pub(super) fn rests_on_absence(self) -> bool {
        matches!(
            self,
            Self::MissingKey
                | Self::NoRegion
                | Self::NodeRegion
                | Self::UnknownRegion
                | Self::UnknownPool
                | Self::UnknownCheck
                | Self::UnusedCheck
                | Self::PoolEmpty
                | Self::NothingToSteer
                | Self::MissingGlue
                | Self::DanglingAlias
                | Self::UnknownPolicy
                | Self::UnknownJurisdiction
                | Self::NoLocation
                | Self::UnusedPolicy
                | Self::NoCertificate
                | Self::UnusedPool
                | Self::UnusedRegion
                | Self::NameserverWithoutAddress
        )
    }

    /// Whether it may only seem so because a bracket before it is not closed.
    pub(super) fn rests_on_structure(self) -> bool {
        matches!(self, Self::UnknownKey | Self::WrongType | Self::DuplicateKey)
    }

    /// Whether it says that the text itself is wrong: then nothing else is said about its line.
    pub(super) fn is_about_text(self) -> bool {
        matches!(self, Self::Syntax | Self::BareValue)
    }

    /// Whether it means that part of what was written is not known.
    pub(super) fn hides_text(self) -> bool {
        matches!(self, Self::Syntax | Self::Unreadable | Self::TooLarge | Self::NotUtf8 | Self::NoFiles)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
