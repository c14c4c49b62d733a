//! When this node last lived, kept on disk, so that a start knows whether its region was lost meanwhile.
//!
//! A region that dies takes its own node with it. The others hold the region back once it returns; its own node comes up, sees it up, and would lead
//! its clients back at once. So a node that was away for longer than it takes others to notice, and for whose region nobody answered until it came,
//! starts as they go on: with its own front door held for `failover.region_hold`.
//!
//! A time is written once a second, off the control thread, until the node drains: from then on its front door is closed to others. One write of
//! 21 bytes in place, which no crash can tear.
//!
//! Not here: what being held means (`control`).

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    clock,
    config::Config,
    fleet::{Health, Subject},
    health::{Target, ask_once, targets},
    resolver::Directory,
    tls::Outward,
};

/// How often it is said.
const PERIOD: Duration = Duration::from_secs(1);
/// The longest that a start waits for somebody else's front door.
const PATIENCE: Duration = Duration::from_secs(5);

/// The file that says it.
#[derive(Clone, Debug)]
pub(super) struct Alive(PathBuf);

impl Alive {
    pub(super) fn in_directory(state: &Path) -> Self {
        Self(state.join("alive"))
    }

    /// How long nobody wrote, at least; `None` where nobody ever did, or the file says something else.
    fn absence(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(&self.0).ok()?;
        let last = Duration::from_secs(text.trim().parse().ok()?);
        Some(clock::unix_time().saturating_sub(last.saturating_add(PERIOD)))
    }

    fn write(&self) -> io::Result<()> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.0)?;
        file.write_all_at(format!("{:020}\n", clock::unix_time().as_secs()).as_bytes(), 0)
    }

    /// Says it once more.
    pub(super) async fn say(&self) {
        let same = self.clone();
        if let Ok(Err(error)) = spawn_blocking(move || same.write()).await {
            tracing::warn!(path = %self.0.display(), %error, "a restart will not know that this node lived");
        }
    }

    /// Says it for as long as it is polled.
    pub(super) async fn go_on(self) {
        let mut due = interval(PERIOD);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            self.say().await;
        }
    }
}

/// Whether the region of this node was lost until now: to be asked before its own listeners are open, as they would answer.
///
/// # Errors
/// When a runtime cannot be had.
pub(super) fn was_region_lost(config: &Config, outward: &Outward, directory: &Directory) -> io::Result<bool> {
    let region = &config.regions[config.node.region.index()];
    let absence = Alive::in_directory(&config.state_directory).absence();
    let noticed = region.check.detection_bound().filter(|_| config.regions.len() > 1);
    let Some((absence, _)) = absence.zip(noticed).filter(|(absence, noticed)| absence > noticed) else {
        return Ok(false);
    };
    let is_own =
        |target: &Target| matches!(&target.subject, Subject::FrontDoor { region: name } if *name == region.name);
    let own: Vec<_> = targets(config).into_iter().filter(is_own).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcomes =
        runtime.block_on(async { timeout(PATIENCE, ask_once(&own, &config.health, directory, outward)).await });
    runtime.shutdown_background();
    let is_open = outcomes.is_ok_and(|outcomes| outcomes.iter().any(|outcome| outcome.health == Health::Up));
    let away_seconds = absence.as_secs();
    if is_open {
        tracing::info!(away_seconds, region = %region.name, "this node was away, and others answered for its region");
    } else {
        tracing::warn!(
            away_seconds,
            region = %region.name,
            hold_seconds = config.failover.region_hold.as_secs(),
            "this node was away, and nobody answered for its region: it is held back as one that was lost"
        );
    }
    Ok(!is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_never_lived_was_not_away_and_who_just_did_neither() {
        let directory = tempfile::tempdir().unwrap();
        let alive = Alive::in_directory(directory.path());
        assert_eq!(alive.absence(), None);
        alive.write().unwrap();
        assert!(alive.absence().unwrap() < PERIOD);
        std::fs::write(&alive.0, format!("{:020}\n", clock::unix_time().as_secs() - 60)).unwrap();
        assert!(alive.absence().unwrap() >= Duration::from_secs(59));
        alive.write().unwrap();
        assert!(alive.absence().unwrap() < PERIOD, "it is written over");
        std::fs::write(&alive.0, "soon").unwrap();
        assert_eq!(alive.absence(), None);
        std::fs::write(&alive.0, format!("{}\n", u64::MAX)).unwrap();
        assert_eq!(alive.absence(), Some(Duration::ZERO), "a clock that was ahead holds nobody back");
    }
}
