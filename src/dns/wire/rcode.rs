//! Response codes.

/// What an answer says as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rcode {
    /// An answer, or that there is no data, or who else to ask.
    NoError,
    /// The query makes no sense.
    FormErr,
    /// There is no such name.
    NxDomain,
    /// Not an operation that is served.
    NotImp,
    /// Not our zone.
    Refused,
    /// A DNAME leads to a name that is too long.
    YxDomain,
    /// An EDNS version that is not spoken.
    BadVers,
    /// A cookie that is not one of ours, where nothing else was asked.
    BadCookie,
}

impl Rcode {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::NoError,
        Self::FormErr,
        Self::NxDomain,
        Self::NotImp,
        Self::Refused,
        Self::YxDomain,
        Self::BadVers,
        Self::BadCookie,
    ];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoError => "noerror",
            Self::FormErr => "formerr",
            Self::NxDomain => "nxdomain",
            Self::NotImp => "notimp",
            Self::Refused => "refused",
            Self::YxDomain => "yxdomain",
            Self::BadVers => "badvers",
            Self::BadCookie => "badcookie",
        }
    }

    /// The lower four bits, for the header.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::NoError | Self::BadVers => 0,
            Self::FormErr => 1,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
            Self::YxDomain => 6,
            Self::BadCookie => 7,
        }
    }

    /// The upper eight, for OPT.
    pub(super) fn extended(self) -> u8 {
        u8::from(matches!(self, Self::BadVers | Self::BadCookie))
    }
}
