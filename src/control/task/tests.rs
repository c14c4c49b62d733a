use std::{fs, path::Path};

use tokio::{sync::oneshot, task::JoinHandle};

use super::*;
use crate::{
    control::{
        Action,
        scene::{config, door, kept_in, origin, probed},
    },
    fleet::{Health, Subject},
};

/// A control that runs, and the way to end it.
struct Running {
    handle: Handle,
    table: Table,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn fleet(directory: &Path) -> Arc<Config> {
    kept_in(directory, config(&["a", "b"], &[("shop", &[(1, 0, 10), (2, 1, 10)])]))
}

fn start(config: Arc<Config>) -> Start {
    Start { config, compiled: Compiled::default(), build_selector: None, clock: Clock::manual(), was_away: false }
}

fn running(directory: &Path) -> Running {
    let (control, handle, table) = Control::open(start(fleet(directory))).unwrap();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(control.run(async {
        stopped.await.ok();
    }));
    Running { handle, table, stop, task }
}

impl Running {
    async fn stop(self) -> Handle {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.handle
    }

    fn front_door(&self, at: usize) -> crate::table::RowState {
        self.table.load().regions()[at].front_door.read(Ticks(0))
    }
}

#[tokio::test]
async fn a_node_is_ready_once_everything_was_seen() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = running(directory.path());
    assert!(!node.handle.is_ready());
    let signals = node.handle.signals();
    for subject in [door("a"), door("b"), origin("shop", 1), origin("shop", 2)] {
        signals.send(probed(subject, Health::Up)).await.unwrap();
    }
    assert!(node.handle.until_ready().await);
    assert!(node.front_door(0).is_usable());
    node.stop().await;
}

#[tokio::test]
async fn an_override_survives_a_restart_and_counts_in_the_first_generation() {
    let directory = tempfile::tempdir().unwrap();
    let node = running(directory.path());
    node.handle.set_override(door("b"), Action::Drain, "ann", "maintenance", None).await.unwrap();
    let hour = Some(Duration::from_hours(1));
    node.handle.set_override(origin("shop", 1), Action::Down, "bob", "bad disk", hour).await.unwrap();
    assert!(node.front_door(1).is_draining);
    let handle = node.stop().await;
    assert_eq!(handle.overrides().len(), 2);

    let (_control, again, table) = Control::open(start(fleet(directory.path()))).unwrap();
    let generation = table.load();
    assert!(generation.regions()[1].front_door.read(Ticks(0)).is_draining);
    assert!(generation.pools()[0].origins()[0].row.read(Ticks(0)).is_forced);
    assert_eq!(generation.pools()[0].regions()[0].row.read(Ticks(0)).health, Health::Down);
    assert_eq!(again.overrides(), handle.overrides());
}

#[tokio::test]
async fn a_cleared_override_does_not_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let node = running(directory.path());
    node.handle.set_override(door("b"), Action::Up, "ann", "test", None).await.unwrap();
    node.handle.clear_override(door("b")).await.unwrap();
    assert!(!node.front_door(1).is_forced);
    node.stop().await;
    let (_control, handle, _table) = Control::open(start(fleet(directory.path()))).unwrap();
    assert_eq!(handle.overrides().len(), 0);
}

#[tokio::test]
async fn many_at_once_are_all_kept() {
    let directory = tempfile::tempdir().unwrap();
    let node = running(directory.path());
    let subjects = [door("a"), door("b"), origin("shop", 1), origin("shop", 2)];
    let asked: Vec<_> = (0..200_usize)
        .map(|at| {
            let (handle, subject) = (node.handle.clone(), subjects[at % 4].clone());
            let action = [Action::Up, Action::Drain][at / 4 % 2];
            tokio::spawn(async move { handle.set_override(subject, action, format!("ann-{at}"), "test", None).await })
        })
        .collect();
    for one in asked {
        one.await.unwrap().unwrap();
    }
    let handle = node.stop().await;
    let (_control, again, _table) = Control::open(start(fleet(directory.path()))).unwrap();
    assert_eq!(again.overrides(), handle.overrides());
    assert_eq!(again.overrides().len(), 8);
}

#[tokio::test]
async fn who_decides_is_told_when_the_disk_does_not_keep_it() {
    let directory = tempfile::tempdir().unwrap();
    // A file where the state directory should be.
    let blocked = directory.path().join("state");
    let node = running(&blocked);
    fs::write(&blocked, "in the way").unwrap();
    let outcome = node.handle.set_override(door("a"), Action::Down, "ann", "test", None).await;
    assert!(matches!(outcome, Err(CommandError::NotKept(_))), "{outcome:?}");
    assert!(node.front_door(0).is_forced, "it is in force all the same");
    node.stop().await;
}

#[tokio::test]
async fn a_reload_answers_with_its_revision_and_shows_what_became_inert() {
    let directory = tempfile::tempdir().unwrap();
    let node = running(directory.path());
    node.handle.set_override(origin("shop", 2), Action::Up, "ann", "test", None).await.unwrap();
    let smaller = kept_in(directory.path(), config(&["a", "b"], &[("shop", &[(1, 0, 10)])]));
    let revision = node.handle.apply(smaller, Compiled::default().with(7_u8)).await.unwrap();
    let generation = node.table.load();
    assert_eq!((revision, generation.revision, generation.compiled::<u8>()), (2, 2, Some(&7)));
    assert!(node.handle.overrides()[0].is_inert);
    assert_eq!(node.handle.describe().await.unwrap().subjects.len(), 3);
    node.stop().await;
}

#[tokio::test]
async fn after_the_end_everybody_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let mut handle = running(directory.path()).stop().await;
    assert_eq!(handle.describe().await, Err(CommandError::Stopped));
    assert!(handle.signals().send(probed(door("a"), Health::Up)).await.is_err());
    assert!(!handle.until_ready().await);
}

#[test]
fn a_damaged_file_stops_the_start_and_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("overrides.json");
    fs::write(&path, "{").unwrap();
    let error = Control::open(start(fleet(directory.path()))).err().unwrap();
    assert!(matches!(error, OverrideFileError::Damaged { .. }));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
}

fn stored(subject: Subject, action: Action, expires: Option<u64>) -> Override {
    let (author, reason) = ("ann".into(), "test".into());
    Override { subject, action, author, reason, created: 1, expires, is_inert: false }
}

#[test]
fn what_ended_while_the_node_was_stopped_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let file = OverrideFile::in_directory(directory.path());
    let list = [stored(door("a"), Action::Down, Some(1_000)), stored(door("b"), Action::Down, None)];
    file.save(&list).unwrap();
    let (control, handle, _table) = Control::open(start(fleet(directory.path()))).unwrap();
    assert_eq!(*handle.overrides(), [stored(door("b"), Action::Down, None)]);
    drop(control);
}

#[test]
fn two_that_contradict_each_other_are_damage() {
    let directory = tempfile::tempdir().unwrap();
    let file = OverrideFile::in_directory(directory.path());
    file.save(&[stored(door("a"), Action::Down, None), stored(door("a"), Action::Up, None)]).unwrap();
    let message = Control::open(start(fleet(directory.path()))).err().unwrap().to_string();
    assert!(message.contains("contradict") && message.contains("hint: "), "{message}");
}
