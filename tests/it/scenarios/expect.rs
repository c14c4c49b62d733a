//! What is expected of a question.
//!
//! ```text
//! rcode WORD                       NOERROR where nothing is said
//! flags WORDS | flags none         all of aa, tc, rd, ra, ad and cd that are set
//! answer OWNER TTL TYPE DATA       one line per record, in any order; `answer none`. TTL may be `5..60`, and TTL or data `*`
//! authority …, additional …        the same; OPT does not count
//! records 8 · no question
//! steering WORD | not steered      as `meridian_dns_steered_total` has it
//! region NAME | no region
//! scope 24 | no subnet
//! explanation 14 WORDS | no explanation
//! no edns · edns payload 1232 · edns do · edns not do
//! cookie none|new|valid|invalid    what the server made of it
//! cookie kept|renewed|HEX | no cookie
//! nsid TEXT | no nsid · keepalive TENTHS | no keepalive · padded | not padded
//! size <= 512 · size = 468 · exactly HEX
//! dropped WHY · slipped
//! ```
//!
//! And of many repetitions together:
//!
//! ```text
//! drawn DATA 70..80 %              the first record answered, `none` where there is none
//! holds DATA 70..80 %              any record answered
//! chosen REGION 70..80 %
//! moved 0..5 % [only DATA]         clients whose first record is another one than when it was last asked; all of them had DATA
//! count answered|dropped|slipped NUMBER
//! ```

use super::script::{hex, number};

/// One line of them.
#[derive(Clone, Debug)]
pub(crate) enum Expectation {
    Rcode(String),
    Flags(String),
    Record(usize, Record),
    Empty(usize),
    Records(usize),
    NoQuestion,
    Steering(Option<String>),
    Region(Option<String>),
    Scope(Option<u8>),
    Explanation(Option<(u16, String)>),
    NoEdns,
    Payload(u16),
    WantsDnssec(bool),
    CookieSeen(String),
    CookieGiven(Given),
    Cookie(Vec<u8>),
    Nsid(Option<Vec<u8>>),
    Keepalive(Option<u16>),
    Padded(bool),
    Size(std::ops::RangeInclusive<usize>),
    Exactly(Vec<u8>),
    Dropped(String),
    Slipped,
    Drawn(String, Share),
    Holds(String, Share),
    Chosen(String, Share),
    Moved(Share, Option<String>),
    Count(Counted, usize),
}

/// A record; nothing stands for anything.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) owner: String,
    pub(crate) ttl: std::ops::RangeInclusive<u32>,
    pub(crate) kind: String,
    pub(crate) data: Option<String>,
}

/// Percent.
pub(crate) type Share = std::ops::RangeInclusive<f64>;

/// What a client gets for a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Nothing,
    TheSame,
    Another,
}

/// What becomes of repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Answered,
    Dropped,
    Slipped,
}

impl Expectation {
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let found = match word {
            "rcode" => Self::Rcode(rest.into()),
            "flags" if rest == "none" => Self::Flags(String::new()),
            "flags" => Self::Flags(rest.into()),
            "answer" | "authority" | "additional" => {
                let section = ["answer", "authority", "additional"].iter().position(|name| *name == word).unwrap();
                if rest == "none" { Self::Empty(section) } else { Self::Record(section, Record::read(rest)?) }
            }
            "records" => Self::Records(number(rest)?),
            "steering" => Self::Steering(Some(rest.into())),
            "region" => Self::Region(Some(rest.into())),
            "scope" => Self::Scope(Some(number(rest)?)),
            "explanation" => {
                let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
                Self::Explanation(Some((number(code)?, text.into())))
            }
            "edns" => Self::edns(rest)?,
            "cookie" => match rest {
                "kept" => Self::CookieGiven(Given::TheSame),
                "renewed" => Self::CookieGiven(Given::Another),
                "none" | "new" | "valid" | "invalid" => Self::CookieSeen(rest.into()),
                bytes => Self::Cookie(hex(bytes)?),
            },
            "nsid" => Self::Nsid(Some(rest.into())),
            "keepalive" => Self::Keepalive(Some(number(rest)?)),
            "size" => Self::size(rest)?,
            "exactly" => Self::Exactly(hex(rest)?),
            "dropped" => Self::Dropped(rest.into()),
            "drawn" | "holds" | "chosen" => {
                let (what, percent) =
                    rest.rsplit_once(' ').and_then(|(rest, _)| rest.rsplit_once(' ')).ok_or("`A 1..2 %`")?;
                let share = share(rest.strip_prefix(what).map_or(percent, str::trim))?;
                match word {
                    "drawn" => Self::Drawn(what.into(), share),
                    "holds" => Self::Holds(what.into(), share),
                    _ => Self::Chosen(what.into(), share),
                }
            }
            "moved" => {
                let (percent, only) =
                    rest.split_once(" only ").map_or((rest, None), |(left, right)| (left, Some(right)));
                Self::Moved(share(percent)?, only.map(str::to_owned))
            }
            "count" => {
                let (what, count) = rest.split_once(' ').ok_or("`count answered 5`")?;
                let counted = match what {
                    "answered" => Counted::Answered,
                    "dropped" => Counted::Dropped,
                    "slipped" => Counted::Slipped,
                    _ => return Err(format!("`{what}` is not counted")),
                };
                Self::Count(counted, number(count)?)
            }
            _ => return Self::of_one_phrase(line),
        };
        Ok(found)
    }

    fn of_one_phrase(line: &str) -> Result<Self, String> {
        Ok(match line {
            "no question" => Self::NoQuestion,
            "not steered" => Self::Steering(None),
            "no region" => Self::Region(None),
            "no subnet" => Self::Scope(None),
            "no explanation" => Self::Explanation(None),
            "no edns" => Self::NoEdns,
            "no cookie" => Self::CookieGiven(Given::Nothing),
            "no nsid" => Self::Nsid(None),
            "no keepalive" => Self::Keepalive(None),
            "padded" => Self::Padded(true),
            "not padded" => Self::Padded(false),
            "slipped" => Self::Slipped,
            _ => return Err(format!("`{line}` means nothing")),
        })
    }

    fn edns(text: &str) -> Result<Self, String> {
        Ok(match text {
            "do" => Self::WantsDnssec(true),
            "not do" => Self::WantsDnssec(false),
            _ => Self::Payload(number(text.strip_prefix("payload ").ok_or("`edns payload 1232`, `edns do`")?)?),
        })
    }

    fn size(text: &str) -> Result<Self, String> {
        if let Some(most) = text.strip_prefix("<= ") {
            return Ok(Self::Size(0..=number(most)?));
        }
        let exact = number(text.strip_prefix("= ").ok_or("`size <= 512` or `size = 468`")?)?;
        Ok(Self::Size(exact..=exact))
    }
}

impl Record {
    fn read(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let mut next = || words.next().ok_or("`OWNER TTL TYPE DATA`");
        let (owner, ttl, mut kind) = (next()?.to_owned(), next()?, next()?.to_owned());
        if kind == "CH" {
            kind = format!("CH {}", next()?);
        }
        let ttl = match ttl.split_once("..") {
            _ if ttl == "*" => 0..=u32::MAX,
            Some((least, most)) => number(least)?..=number(most)?,
            None => number(ttl)?..=number(ttl)?,
        };
        let data = words.collect::<Vec<_>>().join(" ");
        Ok(Self { owner, ttl, kind, data: (data != "*").then_some(data) })
    }
}

/// `70..80 %`, `100 %`.
fn share(text: &str) -> Result<Share, String> {
    let text = text.trim().strip_suffix('%').ok_or("a share ends in `%`")?.trim();
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    Ok(number(least)?..=number(most)?)
}
