//! How DNS behaves, as data: every file under `tests/dns/steering` and `tests/dns/protocol` is a scene, played without sockets.
//!
//! How one is written: `scenarios/script.rs`, `question.rs` and `expect.rs`.

mod answer;
mod expect;
mod judge;
mod play;
mod question;
mod script;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) use answer::{Answer, Line, words};

/// Fewer were found than there are: the folder is not what it should be.
const AT_LEAST: usize = 120;

fn scenes(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|is| is == "scene")).collect();
    files.sort();
    files
}

fn play_all(folder: &str) -> usize {
    // With a part of a file's name here, no other scene is played.
    #[allow(clippy::disallowed_methods, reason = "for whoever writes a scene")]
    let only = std::env::var("SCENE").unwrap_or_default();
    let files = scenes(folder);
    let failures: Vec<String> = files
        .iter()
        .filter(|file| file.to_string_lossy().contains(&only))
        .filter_map(|file| play::play(file).err())
        .collect();
    assert!(failures.is_empty(), "{} of {} scenes:\n\n{}", failures.len(), files.len(), failures.join("\n"));
    files.len()
}

#[test]
fn names_are_steered_as_the_scenes_say() {
    assert!(play_all("tests/dns/steering") > 0);
}

#[test]
fn the_protocol_is_spoken_as_the_scenes_say() {
    assert!(play_all("tests/dns/protocol") > 0);
}

#[test]
fn all_scenes_are_there() {
    let count = scenes("tests/dns/steering").len() + scenes("tests/dns/protocol").len();
    assert!(count >= AT_LEAST, "{count} scenes");
}

/// A scene that must fail, and a part of what it says then.
const BROKEN: [(&str, &str); 14] = [
    ("ask a.example A\n    rcode NOERROR", "the first line states the fact"),
    ("# A fact.\nconfig one-region", "nothing is asked"),
    ("# A fact.\nconfig one-region\nask www.shop.example A", "nothing is expected"),
    ("# A fact.\nconfig one-region\nask www.shop.example A\n    rcode NXDOMAIN", "rcode is \"NOERROR\""),
    ("# A fact.\nconfig one-region\nask www.shop.example A\n    answers 3", "means nothing"),
    ("# A fact.\nconfig one-region\nask www.shop.example A loudly\n    rcode NOERROR", "`loudly`"),
    ("# A fact.\nconfig one-region\nask none.shop.example A\n    answer none", "nobody said so"),
    ("# A fact.\nconfig one-region\nask www.shop.example A\n    answer none", "there is answer www.shop.example"),
    (
        "# A fact.\nconfig one-region\nask www.shop.example A\n    answer www.shop.example 3600 A 192.0.2.81",
        "it is not in the answer section",
    ),
    (
        "# A fact.\nconfig one-region\nask two.shop.example A\n    answer two.shop.example 3600 A 192.0.2.81",
        "there is more: answer two.shop.example 3600 A 192.0.2.82",
    ),
    ("# A fact.\nconfig nowhere\nask www.shop.example A\n    rcode NOERROR", "nowhere.toml"),
    ("# A fact.\nconfig one-region\ndoor nowhere down\nask www.shop.example A\n    rcode NOERROR", "no such row"),
    ("# A fact.\nconfig one-region\nask app.shop.example A times 10\n    drawn 192.0.2.1 0..10 %", "100.0 % drew it"),
    ("# A fact.\nconfig one-region\nraw 00 over udp\n    rcode FORMERR", "nobody was answered"),
];

#[test]
fn a_scene_that_is_not_so_fails_and_says_where() {
    for (text, why) in BROKEN {
        let said = play::play_text(Path::new("planted.scene"), text).expect_err(text);
        assert!(said.contains(why) && said.contains("planted.scene:"), "{text}\n\n{said}");
    }
}
