//! A scene as it is written: one idea per line.
//!
//! ```text
//! # The fact, as a sentence; it is printed where it turns out not to be one.
//! config NAME              tests/dns/configs/NAME.toml; indented lines below it are appended. A second one is a reload
//! file NAME                indented lines below it are its text; configs name it so, or as `{dir}/NAME`
//! time +30s                the clock moves
//! calendar SECONDS         it is so many seconds after 1970
//! door REGION STATE…       up, down, unknown, draining, stale, returning, 40%, forced-up, forced-down, drilled-down, for 20s
//! pool POOL REGION STATE…  the same
//! load REGION COUNT        requests that went there in this second
//! seed NUMBER              draws from here on
//! ask NAME TYPE WHAT…      see `question.rs`
//! raw HEX [over udp|tcp|tls|https] [from ADDRESS]
//! ```
//!
//! What is expected of a question follows it: see `expect.rs`. All of it must hold for each of its repetitions.

use std::time::Duration;

use meridian::{
    config::parse_duration,
    fleet::{BasisPoints, Health},
    table::{RowKey, RowState},
};

use super::{expect::Expectation, question::Question};

/// A scene, read.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) fact: String,
    pub(crate) steps: Vec<Step>,
}

/// One line of it, with the lines that belong to it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) does: Does,
}

/// What a line does.
#[derive(Debug)]
pub(crate) enum Does {
    Config { name: String, more: String },
    File { name: String, text: String },
    Time(Duration),
    Calendar(u32),
    Row { key: RowKey, state: RowState, lasts: Option<Duration> },
    Load { region: String, requests: u32 },
    Seed(u64),
    Ask(Box<Question>, Vec<(usize, String, Expectation)>),
}

/// A line that makes no sense.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Scene {
    /// Reads all of it; every line has to mean something.
    pub(crate) fn read(text: &str) -> Result<Self, Mistake> {
        let mut lines = text.lines().zip(1..).peekable();
        let fact = lines.next().and_then(|(first, _)| first.strip_prefix("# ")).map(str::trim).unwrap_or_default();
        if fact.is_empty() {
            return Err(Mistake { line: 1, why: "the first line states the fact: `# …`".into() });
        }
        let mut steps: Vec<Step> = Vec::new();
        while let Some((raw, line)) = lines.next() {
            let text = raw.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let mistake = |why: String| Mistake { line, why };
            let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
            if matches!(word, "config" | "file") {
                let mut body = String::new();
                while let Some((inner, _)) = lines.next_if(|(inner, _)| inner.is_empty() || inner.starts_with(' ')) {
                    body += inner.strip_prefix("    ").unwrap_or(inner.trim_start());
                    body.push('\n');
                }
                let name = rest.trim().to_owned();
                let does = match word {
                    "config" => Does::Config { name, more: body },
                    _ => Does::File { name, text: body },
                };
                steps.push(Step { line, text: text.into(), does });
            } else if let Some(does) = statement(word, rest).map_err(mistake)? {
                steps.push(Step { line, text: text.into(), does });
            } else {
                let Some(Step { does: Does::Ask(_, expected), .. }) = steps.last_mut() else {
                    return Err(mistake("it says what is expected, but nothing was asked".into()));
                };
                expected.push((line, text.into(), Expectation::read(text).map_err(mistake)?));
            }
        }
        for step in &steps {
            if let Does::Ask(_, expected) = &step.does
                && expected.is_empty()
            {
                return Err(Mistake { line: step.line, why: "nothing is expected of it".into() });
            }
        }
        if !steps.iter().any(|step| matches!(step.does, Does::Ask(..))) {
            return Err(Mistake { line: 1, why: "nothing is asked".into() });
        }
        Ok(Self { fact: fact.into(), steps })
    }
}

/// A line that is no expectation.
fn statement(word: &str, rest: &str) -> Result<Option<Does>, String> {
    let mut words = rest.split_whitespace();
    let does = match word {
        "time" => Does::Time(duration(rest.strip_prefix('+').ok_or("`time +30s`: it never goes back")?)?),
        "door" => {
            let key = RowKey::FrontDoor(words.next().ok_or("which region?")?.into());
            let (state, lasts) = state(words)?;
            Does::Row { key, state, lasts }
        }
        "pool" => {
            let pool = words.next().ok_or("which pool?")?.into();
            let key = RowKey::PoolRegion(pool, words.next().ok_or("in which region?")?.into());
            let (state, lasts) = state(words)?;
            Does::Row { key, state, lasts }
        }
        "load" => {
            let region = words.next().ok_or("which region?")?.to_owned();
            Does::Load { region, requests: number(words.next().unwrap_or_default())? }
        }
        "calendar" => Does::Calendar(number(rest)?),
        "seed" => Does::Seed(number(rest)?),
        "ask" => Does::Ask(Box::new(Question::read(rest)?), Vec::new()),
        "raw" => Does::Ask(Box::new(Question::raw(rest)?), Vec::new()),
        _ => return Ok(None),
    };
    Ok(Some(does))
}

fn state<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<(RowState, Option<Duration>), String> {
    let (mut state, mut lasts, mut is_said) = (RowState::of(Health::Up), None, false);
    while let Some(word) = words.next() {
        is_said = true;
        match word {
            "up" => state.health = Health::Up,
            "down" => state.health = Health::Down,
            "unknown" => state.health = Health::Unknown,
            "draining" => state.is_draining = true,
            "stale" => state.is_stale = true,
            "returning" => state.is_returning = true,
            "forced-up" => state.is_forced = true,
            "forced-down" => (state.health, state.is_forced) = (Health::Down, true),
            "drilled-down" => (state.health, state.is_drilled) = (Health::Down, true),
            "for" => lasts = Some(duration(words.next().ok_or("for how long?")?)?),
            share => {
                let percent = share.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
                let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
                let percent = percent.ok_or_else(|| format!("`{share}` is no state of a row"))?;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10,000")]
                let points = (percent * 100.0) as u16;
                state.weight = BasisPoints::new(points);
            }
        }
    }
    if is_said { Ok((state, lasts)) } else { Err("in which state?".into()) }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
}

pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no number"))
}

/// Whole bytes, in hex; spaces and underscores are for the eye.
pub(super) fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let digits = digits.to_ascii_lowercase();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).map_err(|_| format!("`{text}` is not whole bytes in hex"))
}
