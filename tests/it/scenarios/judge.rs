//! Whether what was expected is what came.

use std::{collections::BTreeMap, net::IpAddr};

use meridian::{
    config::Config,
    dns::{Asked, Outcome, Transport},
};

use super::{
    answer::{Answer, flags, rcode},
    expect::{Counted, Expectation, Given, Record, Share},
    question::{ID, Question},
};

/// One repetition of a question.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) client: IpAddr,
    /// What was sent.
    pub(crate) sent: Vec<u8>,
    pub(crate) asked: Asked,
    /// Nothing where nobody was answered.
    pub(crate) answer: Option<Answer>,
}

/// What a client's first record was.
pub(crate) type Firsts = BTreeMap<IpAddr, String>;

/// A question, all that came of it, and what came of it before.
pub(crate) struct Round<'a> {
    pub(crate) config: &'a Config,
    pub(crate) question: &'a Question,
    pub(crate) heard: &'a [Heard],
    pub(crate) before: &'a Firsts,
}

/// A line that does not hold, and why.
pub(crate) type Wrong = (usize, String);

const SECTIONS: [&str; 3] = ["answer", "authority", "additional"];

impl Heard {
    fn outcome(&self) -> Option<Outcome> {
        match self.asked {
            Asked::Answered(outcome) => Some(outcome),
            Asked::Dropped(_) => None,
        }
    }

    /// The data of the first record answered that is of the type asked for.
    fn first(&self, question: &Question) -> String {
        let kind = question.kind.to_string();
        let records = self.answer.iter().flat_map(|answer| &answer.sections[0]);
        let mut of_kind = records.filter(|line| line.kind == kind);
        of_kind.next().map_or_else(|| "none".into(), |line| line.data.clone())
    }
}

impl Round<'_> {
    /// The first record of each client.
    pub(crate) fn firsts(&self) -> Firsts {
        self.heard.iter().map(|heard| (heard.client, heard.first(self.question))).collect()
    }

    /// Everything that is not as it should be. What goes without saying is said of the question's own line.
    pub(crate) fn judge(&self, line: usize, expected: &[(usize, String, Expectation)]) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let is_counted =
            expected.iter().any(|(.., one)| matches!(one, Expectation::Count(..) | Expectation::Dropped(_)));
        for heard in self.heard {
            let Some(answer) = &heard.answer else {
                if !is_counted {
                    wrong.push((line, format!("nobody was answered: {:?}", heard.asked)));
                }
                continue;
            };
            let mut here: Vec<Wrong> =
                self.unsaid(heard, answer, expected).into_iter().map(|why| (line, why)).collect();
            for (line, _, expectation) in expected {
                if let Err(why) = self.one(heard, answer, expectation) {
                    here.push((*line, why));
                }
            }
            for section in 0..SECTIONS.len() {
                here.extend(records(answer, section, expected));
            }
            if !here.is_empty() {
                let told = format!("{} was told:\n{answer}", heard.client);
                if let Some((_, why)) = here.last_mut() {
                    *why = format!("{why}\n{told}");
                }
                wrong.extend(here);
                break;
            }
        }
        for (line, _, expectation) in expected {
            if let Err(why) = self.all(expectation) {
                wrong.push((*line, why));
            }
        }
        wrong
    }

    /// What holds of every answer, whatever is asked.
    fn unsaid(&self, heard: &Heard, answer: &Answer, expected: &[(usize, String, Expectation)]) -> Option<String> {
        let question = self.question;
        let says = |is: fn(&Expectation) -> bool| expected.iter().any(|(.., one)| is(one));
        if answer.flags & 0x8000 == 0 {
            return Some("it is no answer".into());
        }
        if !says(|one| matches!(one, Expectation::Rcode(_))) && answer.rcode != 0 {
            return Some(format!("rcode {}, and nobody said so", rcode(answer.rcode)));
        }
        let is_cut = answer.flags & 0x0200 != 0;
        let may_be_cut =
            says(|one| matches!(one, Expectation::Flags(_) | Expectation::Slipped | Expectation::Count(..)));
        if is_cut && !may_be_cut {
            return Some("it is truncated, and nobody said so".into());
        }
        if is_cut && heard.outcome().is_some_and(|outcome| !outcome.is_truncated) {
            return Some("it is truncated, and the outcome does not know".into());
        }
        if question.is_raw() {
            return None;
        }
        let echoed = u16::from(question.opcode) << 11 | question.bits & 0x0110;
        if answer.id != ID || answer.flags & 0x79f0 != echoed {
            return Some(format!("id {:04x}, flags {:04x}: not what was asked", answer.id, answer.flags));
        }
        let asked = (question.name.as_slice().to_vec(), question.kind.to_int(), question.class.to_int());
        if !says(|one| matches!(one, Expectation::NoQuestion)) && answer.question.as_ref() != Some(&asked) {
            return Some(format!("the question came back as {:?}", answer.question));
        }
        if !says(|one| matches!(one, Expectation::NoEdns)) && answer.edns.is_some() != question.edns.is_some() {
            return Some("EDNS on one side alone".into());
        }
        let limit = question.edns.as_ref().map_or(512, |edns| usize::from(edns.payload.max(512)));
        if question.transport == Transport::Udp && answer.size > limit {
            return Some(format!("{} bytes, and the client takes {limit}", answer.size));
        }
        if let Some((address, source, _)) = answer.edns.as_ref().and_then(|edns| edns.subnet)
            && question.has_subnet(address, source) == Some(false)
        {
            return Some(format!("the client subnet came back as {address}/{source}"));
        }
        None
    }

    /// Whether one answer is as one line has it.
    fn one(&self, heard: &Heard, answer: &Answer, expected: &Expectation) -> Result<(), String> {
        let Some(outcome) = heard.outcome() else { return Ok(()) };
        let edns = answer.edns.as_ref();
        let option = |code| edns.and_then(|edns| edns.option(code));
        match expected {
            Expectation::Rcode(word) => same("rcode", &rcode(answer.rcode), word),
            Expectation::Flags(words) => {
                let sorted = |words: &str| {
                    let mut words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
                    words.sort();
                    words.join(" ")
                };
                same("flags", &sorted(&flags(answer.flags)), &sorted(words))
            }
            Expectation::Records(count) => same("records", &answer.sections[0].len(), count),
            Expectation::NoQuestion => same("question", &answer.question, &None),
            Expectation::Steering(word) => {
                same("steering", &outcome.steering.map(|steering| steering.as_str().to_owned()), word)
            }
            Expectation::Region(name) => same("region", &self.region(outcome), name),
            Expectation::Scope(scope) => {
                same("scope", &edns.and_then(|edns| edns.subnet).map(|subnet| subnet.2), scope)
            }
            Expectation::Explanation(explanation) => {
                same("explanation", &edns.and_then(super::answer::Edns::explanation), explanation)
            }
            Expectation::NoEdns => same("edns", &edns.is_some(), &false),
            Expectation::Payload(payload) => same("payload", &edns.map(|edns| edns.payload), &Some(*payload)),
            Expectation::WantsDnssec(is) => same("do", &edns.map(|edns| edns.wants_dnssec), &Some(*is)),
            Expectation::CookieSeen(word) => same("cookie", outcome.cookie.as_str(), word),
            Expectation::CookieGiven(given) => cookie(option(10), &heard.sent, *given),
            Expectation::Cookie(bytes) => same("cookie", &option(10), &Some(&**bytes)),
            Expectation::Nsid(text) => same("nsid", &option(3), &text.as_deref()),
            Expectation::Keepalive(tenths) => {
                let came = option(11).and_then(<[u8]>::first_chunk).map(|bytes| u16::from_be_bytes(*bytes));
                same("keepalive", &came, tenths)
            }
            Expectation::Padded(is) => {
                let is_whole = option(12).is_some() && answer.size.is_multiple_of(468);
                same("padded", &(if *is { is_whole } else { option(12).is_some() }), is)
            }
            Expectation::Size(range) if !range.contains(&answer.size) => Err(format!("{} bytes", answer.size)),
            Expectation::Exactly(bytes) => {
                same("bytes", &data_encoding::HEXLOWER.encode(&answer.bytes), &data_encoding::HEXLOWER.encode(bytes))
            }
            Expectation::Slipped => same("slipped", &(outcome.is_slipped && answer.flags & 0x0200 != 0), &true),
            Expectation::Dropped(why) => Err(format!("it was answered, not dropped as {why}")),
            _ => Ok(()),
        }
    }

    fn region(&self, outcome: Outcome) -> Option<String> {
        Some(self.config.regions.get(outcome.region?.index())?.name.to_string())
    }

    /// Whether all answers together are as one line has it.
    fn all(&self, expected: &Expectation) -> Result<(), String> {
        let share = |name: &str, is: &dyn Fn(&Heard) -> bool, within: &Share| {
            let count = self.heard.iter().filter(|heard| is(heard)).count();
            #[allow(clippy::cast_precision_loss, reason = "repetitions are few")]
            let percent = count as f64 * 100.0 / self.heard.len() as f64;
            if within.contains(&percent) { Ok(()) } else { Err(format!("{percent:.1} % {name}; {}", self.tally())) }
        };
        match expected {
            Expectation::Drawn(data, within) => share("drew it", &|heard| heard.first(self.question) == *data, within),
            Expectation::Holds(data, within) => {
                let holds = |heard: &Heard| {
                    heard.answer.iter().any(|answer| answer.sections[0].iter().any(|line| line.data == *data))
                };
                share("hold it", &holds, within)
            }
            Expectation::Chosen(name, within) => {
                let is =
                    |heard: &Heard| heard.outcome().and_then(|outcome| self.region(outcome)).as_ref() == Some(name);
                share("chose it", &is, within)
            }
            Expectation::Moved(within, only) => {
                let was = |heard: &Heard| self.before.get(&heard.client);
                let has_moved = |heard: &Heard| was(heard) != Some(&heard.first(self.question));
                if let Some(heard) =
                    self.heard.iter().find(|heard| has_moved(heard) && only.is_some() && was(heard) != only.as_ref())
                {
                    return Err(format!("{} moved, too: it had {:?}", heard.client, was(heard)));
                }
                share("moved", &has_moved, within)
            }
            Expectation::Count(what, count) => {
                let is = |heard: &&Heard| match what {
                    Counted::Answered => heard.outcome().is_some_and(|outcome| !outcome.is_slipped),
                    Counted::Slipped => heard.outcome().is_some_and(|outcome| outcome.is_slipped),
                    Counted::Dropped => heard.outcome().is_none(),
                };
                same("count", &self.heard.iter().filter(is).count(), count)
            }
            Expectation::Dropped(why) => {
                let reason = |heard: &Heard| match heard.asked {
                    Asked::Dropped(reason) => reason.as_str(),
                    Asked::Answered(_) => "answered",
                };
                let other = self.heard.iter().find(|heard| reason(heard) != why);
                other.map_or(Ok(()), |heard| Err(format!("{}: {}", heard.client, reason(heard))))
            }
            _ => Ok(()),
        }
    }

    fn tally(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for heard in self.heard {
            *counts.entry(heard.first(self.question)).or_default() += 1;
        }
        format!("of {}: {counts:?}", self.heard.len())
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, came: &T, expected: &T) -> Result<(), String> {
    if came == expected { Ok(()) } else { Err(format!("{what} is {came:?}, not {expected:?}")) }
}

fn cookie(given: Option<&[u8]>, sent: &[u8], expected: Given) -> Result<(), String> {
    let is_sent = |bytes: &[u8]| sent.windows(bytes.len()).any(|window| window == bytes);
    match (expected, given) {
        (Given::Nothing, None) => Ok(()),
        (Given::TheSame, Some(given)) if is_sent(given) => Ok(()),
        // The client's own part always comes back.
        (Given::Another, Some(given)) if given.len() == 24 && !is_sent(given) && is_sent(&given[..8]) => Ok(()),
        _ => Err(format!("the cookie given is {given:?}")),
    }
}

/// The records of a section: all that are expected, and no others, if any are.
fn records(answer: &Answer, section: usize, expected: &[(usize, String, Expectation)]) -> Vec<Wrong> {
    let name = SECTIONS[section];
    let patterns: Vec<(usize, &Record)> = expected
        .iter()
        .filter_map(|(line, _, one)| match one {
            Expectation::Record(of, record) if *of == section => Some((*line, record)),
            _ => None,
        })
        .collect();
    let empty = expected.iter().find(|(.., one)| matches!(one, Expectation::Empty(of) if *of == section));
    let mut left: Vec<_> = answer.sections[section].iter().collect();
    if let Some((line, ..)) = empty {
        return left.iter().map(|one| (*line, format!("there is {name} {one}"))).collect();
    }
    let mut wrong = Vec::new();
    for (line, record) in &patterns {
        let is = |one: &&super::answer::Line| {
            one.owner == record.owner
                && record.ttl.contains(&one.ttl)
                && one.kind == record.kind
                && record.data.as_ref().is_none_or(|data| *data == one.data)
        };
        match left.iter().position(is) {
            Some(at) => _ = left.swap_remove(at),
            None => wrong.push((*line, format!("it is not in the {name} section"))),
        }
    }
    if let Some((line, _)) = patterns.last() {
        wrong.extend(left.iter().map(|one| (*line, format!("there is more: {name} {one}"))));
    }
    wrong
}
