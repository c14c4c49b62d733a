//! Playing a scene.

use std::{fmt::Write as _, fs, path::Path};

use meridian::{
    clock::{Ticks, seeded},
    config::{self, Config, Identity},
    dns::{Asked, Client},
};

use super::{
    answer::Answer,
    judge::{Firsts, Heard, Round},
    question::Question,
    script::{Does, Mistake, Scene, Step},
};
use crate::stage::Stage;

/// Plays a file; where it is not so, says which line and why.
pub(super) fn play(file: &Path) -> Result<(), String> {
    play_text(file, &fs::read_to_string(file).unwrap())
}

/// The same with its text.
pub(super) fn play_text(file: &Path, text: &str) -> Result<(), String> {
    let at = |line: usize| format!("{}:{line}", file.display());
    let scene = Scene::read(text).map_err(|Mistake { line, why }| format!("{}: {why}\n", at(line)))?;
    let mut player = Player { folder: None, stage: None, given: Vec::new(), before: Firsts::new() };
    for step in &scene.steps {
        let wrong = player.step(step).map_err(|why| format!("{}: {}\n{why}\n", at(step.line), step.text))?;
        if !wrong.is_empty() {
            let mut said = format!("not so: {}\n{}: {}\n", scene.fact, at(step.line), step.text);
            for (line, why) in wrong {
                _ = writeln!(said, "{}: {}\n  {}", at(line), text_of(text, line), why.replace('\n', "\n  "));
            }
            return Err(said);
        }
    }
    Ok(())
}

fn text_of(text: &str, line: usize) -> &str {
    text.lines().nth(line - 1).unwrap_or_default().trim()
}

struct Player {
    /// Made when there is a file to be read.
    folder: Option<tempfile::TempDir>,
    stage: Option<Stage>,
    /// What the last answer gave as a cookie.
    given: Vec<u8>,
    before: Firsts,
}

impl Player {
    fn step(&mut self, step: &Step) -> Result<Vec<(usize, String)>, String> {
        match &step.does {
            Does::File { name, text } => {
                if self.folder.is_none() {
                    self.folder = Some(tempfile::tempdir().map_err(|error| error.to_string())?);
                }
                let folder = self.folder.as_ref().map(|folder| folder.path().join(name)).ok_or("no folder")?;
                fs::write(folder, text).map_err(|error| error.to_string())?;
                return Ok(Vec::new());
            }
            Does::Config { name, more } => {
                let config = self.config(name, more)?;
                match &mut self.stage {
                    Some(stage) => stage.reload(config)?,
                    None => self.stage = Some(Stage::new(config)?),
                }
                return Ok(Vec::new());
            }
            _ => {}
        }
        let stage = self.stage.as_mut().ok_or("`config NAME` comes first")?;
        match &step.does {
            Does::Time(span) => stage.advance(*span),
            Does::Calendar(seconds) => stage.set_calendar(*seconds),
            Does::Seed(seed) => stage.seed(seeded(*seed)),
            Does::Row { key, state, lasts } => {
                let mut state = *state;
                state.valid_until = lasts.map_or(Ticks::FOREVER, |lasts| stage.ticks().after(lasts));
                if !stage.change(key, state) {
                    return Err(format!("there is no such row: {key:?}"));
                }
            }
            Does::Load { region, requests } => {
                if !stage.load(region, *requests) {
                    return Err("there is no such region".into());
                }
            }
            Does::Ask(question, expected) => {
                let heard = ask(stage, question, &mut self.given)?;
                let round = Round { config: stage.config(), question, heard: &heard, before: &self.before };
                let wrong = round.judge(step.line, expected);
                self.before = round.firsts();
                return Ok(wrong);
            }
            Does::Config { .. } | Does::File { .. } => {}
        }
        Ok(Vec::new())
    }

    fn config(&self, name: &str, more: &str) -> Result<Config, String> {
        let path = Path::new("tests/dns/configs").join(name).with_extension("toml");
        let shared = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let folder = self.folder.as_ref().map(|folder| folder.path().display().to_string()).unwrap_or_default();
        let text = format!("{shared}\n{more}").replace("{dir}", &folder);
        let identity = Identity::default();
        let loaded = match &self.folder {
            // Files are named from where the config lies.
            Some(folder) => {
                let path = folder.path().join("meridian.toml");
                fs::write(&path, &text).map_err(|error| error.to_string())?;
                config::load(&path, &identity)
            }
            None => config::from_text(name, &text, &identity),
        };
        loaded.config.ok_or_else(|| loaded.diagnostics.render_text(false))
    }
}

/// The beginning of what nobody can read.
fn dump(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&bytes[..bytes.len().min(600)])
}

fn ask(stage: &mut Stage, question: &Question, given: &mut Vec<u8>) -> Result<Vec<Heard>, String> {
    if let Some(seed) = question.seed {
        stage.seed(seeded(seed));
    }
    let (mut all, mut out) = (Vec::new(), Vec::new());
    for at in 0..question.times {
        let client = question.client(at);
        let sent = question.compose(given);
        let asked = stage.respond(&sent, Client { address: client, transport: question.transport }, &mut out);
        let answer = match asked {
            Asked::Answered(_) => Some(Answer::read(&out).map_err(|why| format!("{why}\n{}", dump(&out)))?),
            Asked::Dropped(_) => None,
        };
        if let Some(cookie) = answer.as_ref().and_then(|answer| answer.edns.as_ref()?.option(10)) {
            *given = cookie.to_vec();
        }
        all.push(Heard { client, sent, asked, answer });
    }
    Ok(all)
}
