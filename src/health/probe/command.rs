//! Does a program end with 0?
//!
//! The program leads a process group of its own, which is killed when the question is not asked any more: its time is up, or the
//! check is gone. It is waited for by a thread, since that is what the system offers everywhere, and the thread alone takes it off the
//! table of processes: until then its number is nobody else's, so nobody else can be killed by it.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{Failure, Good};
use crate::health::Asked;

/// Where programs are looked for. The node's own environment is none of a check's business: it may hold secrets.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How far a program has come.
#[derive(Debug)]
enum Stage {
    NotStarted,
    Running(Pid),
    Over,
    /// Nobody waits for its end any more.
    Abandoned,
}

/// Kills what runs when it is dropped.
struct Leash(Arc<Mutex<Stage>>);

impl Drop for Leash {
    fn drop(&mut self) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *stage {
            Stage::Running(leader) => _ = kill_process_group(leader, Signal::KILL),
            Stage::NotStarted => *stage = Stage::Abandoned,
            Stage::Over | Stage::Abandoned => {}
        }
    }
}

/// Runs it. The place is given back when it is gone.
pub(super) async fn ask(
    asked: &Asked,
    program: &str,
    arguments: &[Arc<str>],
    pool: Option<&str>,
    place: OwnedSemaphorePermit,
) -> Result<Good, Failure> {
    let mut command = Command::new(program);
    command
        .args(arguments.iter().map(|argument| &**argument))
        .env_clear()
        .env("PATH", PATH)
        .env("MERIDIAN_ADDRESS", asked.address.to_string())
        .env("MERIDIAN_POOL", pool.unwrap_or_default())
        .env("MERIDIAN_REGION", asked.region.as_deref().unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let leash = Leash(Arc::new(Mutex::new(Stage::NotStarted)));
    let stage = Arc::clone(&leash.0);
    let running = tokio::task::spawn_blocking(move || {
        let ended = run(|| command.spawn(), &stage);
        drop(place);
        ended
    });
    let ended = running.await.map_err(|_| Failure::Ended(None))?;
    drop(leash);
    ended
}

/// Starting may take as long as a disk does: nothing is held meanwhile that the other side might wait for.
fn run(start: impl FnOnce() -> io::Result<Child>, stage: &Mutex<Stage>) -> Result<Good, Failure> {
    let lock = || stage.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*lock(), Stage::Abandoned) {
        return Err(Failure::Timeout);
    }
    let mut child = start().map_err(Failure::NotStarted)?;
    let leader = Pid::from_child(&child);
    let mut held = lock();
    match *held {
        Stage::Abandoned => _ = kill_process_group(leader, Signal::KILL),
        _ => *held = Stage::Running(leader),
    }
    drop(held);
    // Seen, and not yet taken off the table.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(leader), options), Err(Errno::INTR)) {}
    let mut held = lock();
    // What it left behind in its group goes with it.
    _ = kill_process_group(leader, Signal::KILL);
    *held = Stage::Over;
    reap(&mut child)
}

fn reap(child: &mut Child) -> Result<Good, Failure> {
    match child.wait() {
        Ok(status) if status.success() => Ok(Good::Ended),
        Ok(status) => Err(Failure::Ended(status.code())),
        Err(_) => Err(Failure::Ended(None)),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;

    #[test]
    fn who_gives_up_does_not_wait_for_a_slow_start_and_what_starts_then_is_killed() {
        let leash = Leash(Arc::new(Mutex::new(Stage::NotStarted)));
        let stage = Arc::clone(&leash.0);
        let (starting, started) = mpsc::channel();
        let (going_on, go_on) = mpsc::channel::<()>();
        let slow = move || {
            starting.send(()).unwrap();
            go_on.recv().unwrap();
            Command::new("sleep").arg("600").process_group(0).spawn()
        };
        let running = thread::spawn(move || run(slow, &stage));
        started.recv().unwrap();
        let (giving_up, given_up) = mpsc::channel();
        thread::spawn(move || {
            drop(leash);
            giving_up.send(()).unwrap();
        });
        given_up.recv_timeout(Duration::from_secs(20)).expect("it is still starting, and nobody waits for it");
        going_on.send(()).unwrap();
        assert!(matches!(running.join().unwrap(), Err(Failure::Ended(None))));
    }
}
