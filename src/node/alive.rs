//! When this node last lived, kept on disk, so that a start knows whether its region was lost meanwhile.
//!
//! A region that dies takes its own node with it. The others hold the region back once it returns; its own node comes up, sees it up, and would lead
//! its clients back at once. So a node that was away for longer than it takes others to notice, and for whose region nobody answered until it came,
//! starts as they go on: with its own front door held for `failover.region_hold`. Who is started again before that is over holds it anew.
//!
//! A time is written once a second, off the control thread, until the node drains: from then on its front door is closed to others. Beside it
//! stands until when the door is held. One write of 42 bytes in place, which no crash can tear.
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
    time::{MissedTickBehavior, interval, sleep, timeout},
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
/// One bad answer is no lost region: it is asked so often, and so long after each other.
const QUESTIONS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(250);

/// The file that says it.
#[derive(Clone, Debug)]
pub(super) struct Alive {
    path: PathBuf,
    /// Until when this node's own front door is held, in time since 1970.
    held_until: Duration,
}

impl Alive {
    pub(super) fn in_directory(state: &Path) -> Self {
        Self { path: state.join("alive"), held_until: Duration::ZERO }
    }

    /// The same where the front door is held for so long from now on.
    pub(super) fn holding(self, hold: Duration) -> Self {
        Self { held_until: clock::unix_time().saturating_add(hold), ..self }
    }

    /// How long nobody wrote, at least, and how much of a hold was left when this was asked; `None` where nobody ever wrote, or the file says
    /// something else.
    fn absence(&self) -> Option<(Duration, Duration)> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let (last, held_until) = text.trim().split_once(' ').unwrap_or((text.trim(), "0"));
        let [last, held_until] = [last, held_until].map(|seconds| seconds.parse().map(Duration::from_secs));
        let now = clock::unix_time();
        Some((now.saturating_sub(last.ok()?.saturating_add(PERIOD)), held_until.ok()?.saturating_sub(now)))
    }

    fn write(&self) -> io::Result<()> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        let says = format!("{:020} {:020}\n", clock::unix_time().as_secs(), self.held_until.as_secs());
        file.write_all_at(says.as_bytes(), 0)
    }

    /// Says it once more.
    pub(super) async fn say(&self) {
        let same = self.clone();
        if let Ok(Err(error)) = spawn_blocking(move || same.write()).await {
            tracing::warn!(path = %self.path.display(), %error, "a restart will not know that this node lived");
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
    let known = Alive::in_directory(&config.state_directory).absence();
    let noticed = region.check.detection_bound().filter(|_| config.regions.len() > 1);
    let Some(((absence, held), noticed)) = known.zip(noticed) else { return Ok(false) };
    if !held.is_zero() {
        tracing::warn!(region = %region.name, "this node started again while its region was held back: it is held anew");
        return Ok(true);
    }
    if absence <= noticed {
        return Ok(false);
    }
    let is_own =
        |target: &Target| matches!(&target.subject, Subject::FrontDoor { region: name } if *name == region.name);
    let own: Vec<_> = targets(config).into_iter().filter(is_own).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asking = async {
        for question in 0..QUESTIONS {
            if question > 0 {
                sleep(BETWEEN).await;
            }
            let outcomes = ask_once(&own, &config.health, directory, outward).await;
            if outcomes.iter().any(|outcome| outcome.health == Health::Up) {
                return true;
            }
        }
        false
    };
    let is_open = runtime.block_on(async { timeout(PATIENCE, asking).await }).unwrap_or(false);
    runtime.shutdown_background();
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
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::*;
    use crate::config::{Identity, from_text};

    #[test]
    fn who_never_lived_was_not_away_and_who_just_did_neither() {
        let directory = tempfile::tempdir().unwrap();
        let alive = Alive::in_directory(directory.path());
        let away = || alive.absence().map(|(away, _)| away);
        assert_eq!(away(), None);
        alive.write().unwrap();
        assert!(away().unwrap() < PERIOD);
        std::fs::write(&alive.path, format!("{:020}\n", clock::unix_time().as_secs() - 60)).unwrap();
        assert!(away().unwrap() >= Duration::from_secs(59));
        alive.write().unwrap();
        assert!(away().unwrap() < PERIOD, "it is written over");
        std::fs::write(&alive.path, "soon").unwrap();
        assert_eq!(away(), None);
        std::fs::write(&alive.path, format!("{}\n", u64::MAX)).unwrap();
        assert_eq!(away(), Some(Duration::ZERO), "a clock that was ahead holds nobody back");
    }

    #[test]
    fn a_hold_is_known_to_who_starts_again_before_it_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let alive = || Alive::in_directory(directory.path());
        let held = || alive().absence().unwrap().1;
        alive().write().unwrap();
        assert_eq!(held(), Duration::ZERO);
        alive().holding(PERIOD * 60).write().unwrap();
        assert!(held() > PERIOD * 50 && held() <= PERIOD * 60);
        alive().write().unwrap();
        assert_eq!(held(), Duration::ZERO, "it is written over");
    }

    #[test]
    fn one_bad_answer_is_no_lost_region() {
        let sibling = TcpListener::bind("127.0.0.1:0").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let text = format!(
            "[node]\nregion = \"near\"\n[state]\ndirectory = {:?}\n[regions.near]\naddresses = [\"127.0.0.1\"]\ncheck.http.port = {}\n\
             [regions.far]\naddresses = [\"192.0.2.1\"]\n",
            directory.path(),
            sibling.local_addr().unwrap().port()
        );
        let loaded = from_text("test.toml", &text, &Identity::default());
        let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
        let answering = std::thread::spawn(move || {
            for status in ["503 No", "200 OK"] {
                let (mut stream, _) = sibling.accept().unwrap();
                _ = stream.read(&mut [0; 4096]).unwrap();
                write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        let alive = Alive::in_directory(&config.state_directory);
        std::fs::write(&alive.path, "1000000000\n").unwrap();
        assert!(!was_region_lost(&config, &Outward::default(), &Directory::default()).unwrap());
        answering.join().unwrap();
    }
}
