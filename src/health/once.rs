//! Asking everything once, for a person who wants to see what comes back.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    Asked, Target,
    probe::{self, Question},
};
use crate::{
    clock::Clock,
    config::{self, CheckKind},
    fleet::{Health, Subject},
    resolver::Directory,
    tls::Outward,
};

/// What came back for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who.
    pub subject: Subject,
    /// What it comes to. One answer is no verdict: a node needs several to change its mind.
    pub health: Health,
    /// What each of its probes brought, in order.
    pub probes: Vec<(Asked, Brought)>,
}

/// What one probe brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Whether it was good.
    pub is_good: bool,
    /// In words.
    pub words: Arc<str>,
    /// How long it took.
    pub took: Duration,
}

/// Asks each question once, as many at the same time as a node would.
pub async fn ask_once(
    targets: &[Target],
    room: &config::Health,
    directory: &Directory,
    secured: &Outward,
) -> Vec<Outcome> {
    let places = Arc::new(Semaphore::new(room.max_in_flight));
    let commands = Arc::new(Semaphore::new(room.max_commands));
    let (clock, mut brought, mut asking) = (Clock::system(), HashMap::new(), JoinSet::new());
    let mut each = |asked: &Asked| {
        if brought.contains_key(asked) {
            return;
        }
        brought.insert(asked.clone(), None);
        let tls = asked.check.tls.as_ref().and_then(|wanted| secured.of_check(wanted)).cloned();
        let is_command = matches!(asked.check.kind, CheckKind::Command { .. });
        let places = Arc::clone(if is_command { &commands } else { &places });
        let (asked, reach, clock) = (asked.clone(), directory.reach(&asked.address), clock.clone());
        asking.spawn(async move {
            let place = places.acquire_owned().await.ok()?;
            let began = clock.now();
            let answer = probe::ask(Question { asked: &asked, reach: &reach, tls: tls.as_ref() }, place).await;
            let took = clock.now().saturating_sub(began);
            let words = match &answer.result {
                Ok(good) => good.to_string(),
                Err(failure) => failure.to_string(),
            };
            Some((asked, Brought { is_good: answer.result.is_ok(), words: words.into(), took }))
        });
    };
    for target in targets {
        target.probes.each(&mut each);
    }
    while let Some(ended) = asking.join_next().await {
        if let Ok(Some((asked, what))) = ended {
            brought.insert(asked, Some(what));
        }
    }
    targets.iter().map(|target| outcome(target, &brought)).collect()
}

fn outcome(target: &Target, brought: &HashMap<Asked, Option<Brought>>) -> Outcome {
    let of = |asked: &Asked| brought.get(asked).and_then(Option::as_ref);
    let health = target.probes.health(&|asked| match of(asked) {
        Some(what) if what.is_good => Health::Up,
        Some(_) => Health::Down,
        None => Health::Unknown,
    });
    let mut probes = Vec::new();
    target.probes.each(&mut |asked| probes.extend(of(asked).map(|what| (asked.clone(), what.clone()))));
    Outcome { subject: target.subject.clone(), health, probes }
}
