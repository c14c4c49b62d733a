//! Certificates from a directory, read when their host is first named, and kept as long as they are used and there is room.
//!
//! Which files there are is known beforehand, so a host without one costs a look into a set and never touches the disk, however many
//! are asked for. What was read lies in sixteen maps, each behind a lock that readers share and that is held for one lookup: a
//! handshake is hundreds of times longer than that, so workers do not meet. Who goes when there is no room is decided by the clock
//! algorithm: each lookup leaves a mark, and who was not marked since the last time around goes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use arc_swap::ArcSwap;

use super::{
    host_keys::HostKeys,
    names,
    pair::Pair,
    problem,
    rounds::Owner,
    state::precise,
    watched::{report, stamp},
};
use crate::{clock, config::Diagnostic};

const SHARDS: usize = 16;
/// Files that are known of one directory.
const MAX_FILES: usize = 1_000_000;
/// A directory that changed less long ago may change again without a new time.
const CERTAIN_AFTER: Duration = Duration::from_secs(2);

/// What is known of a key.
pub(super) enum Look {
    /// In memory.
    Ready(Arc<HostKeys>),
    /// There is a file.
    NotRead,
    /// There is none, or none that is good.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    max_loaded: usize,
    /// The keys that there are files for.
    index: ArcSwap<HashSet<Box<str>>>,
    /// Of the directory when the index was made; nothing where it may be behind.
    index_stamp: Mutex<Option<u64>>,
    hasher: RandomState,
    shards: [RwLock<HashMap<Arc<str>, Arc<Kept>>>; SHARDS],
    /// What is in the shards, who came first in front. Taken before a shard is written, so both always hold the same.
    order: Mutex<VecDeque<Arc<str>>>,
}

/// What came of reading a host's files.
#[derive(Debug)]
struct Kept {
    /// Nothing where they were never good.
    keys: Option<Arc<HostKeys>>,
    expires: Duration,
    /// Of the files when they were last read.
    stamp: u64,
    /// Whether that failed, so that they are read again as long as it does.
    is_bad: bool,
    /// Whether it was asked for since the last time around.
    is_used: AtomicBool,
}

impl Store {
    pub(super) fn open(directory: &Path, max_loaded: usize) -> Result<Self, Diagnostic> {
        let store = Self {
            directory: directory.to_owned(),
            max_loaded,
            index: ArcSwap::default(),
            index_stamp: Mutex::default(),
            hasher: RandomState::new(),
            shards: Default::default(),
            order: Mutex::default(),
        };
        store.scan().map_err(|error| problem::unusable(directory, error))?;
        Ok(store)
    }

    pub(super) fn is_for(&self, directory: &Path, max_loaded: usize) -> bool {
        self.directory == directory && self.max_loaded == max_loaded
    }

    pub(super) fn look(&self, key: &str) -> Look {
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        match shard.get(key) {
            Some(kept) => {
                // Most are marked already: their cache line stays shared between the workers.
                if !kept.is_used.load(Ordering::Relaxed) {
                    kept.is_used.store(true, Ordering::Relaxed);
                }
                kept.keys.clone().map_or(Look::Nothing, Look::Ready)
            }
            None if self.index.load().contains(key) => Look::NotRead,
            None => Look::Nothing,
        }
    }

    /// Reads a host's files. Blocks.
    pub(super) fn read(&self, key: &str) {
        let (stamp, read) = self.read_files(key);
        let result = if read.is_ok() { "good" } else { "bad" };
        metrics::counter!("meridian_tls_directory_loads_total", "result" => result).increment(1);
        let is_bad = read.is_err();
        let (keys, expires) = match read {
            Ok((keys, expires)) => (Some(Arc::new(keys)), expires),
            Err(problem) => {
                tracing::warn!(problem = %problem.message, "a host has no usable certificate until its file is good");
                (None, Duration::MAX)
            }
        };
        self.keep(key.into(), Kept { keys, expires, stamp, is_bad, is_used: AtomicBool::new(true) });
    }

    /// Looks at the directory and at the files of everything in memory. Blocks.
    pub(super) fn renew(&self, owner: &Owner) {
        if let Err(error) = self.scan() {
            tracing::warn!(directory = %self.directory.display(), %error, "the directory of certificates cannot be read: what is known of it stays");
        }
        let (mut soonest, mut good) = (Duration::MAX, 0);
        let all: Vec<Arc<str>> = self.order.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        for key in all {
            if owner.is_gone() {
                return;
            }
            let Some(kept) = self.kept(&key) else { continue };
            if kept.is_bad || stamp(&self.files(&key)) != kept.stamp {
                self.read_again(&key, &kept);
            }
            if let Some(kept) = self.kept(&key).filter(|kept| kept.keys.is_some()) {
                soonest = soonest.min(kept.expires);
                good += 1;
            }
        }
        let soonest = if good == 0 { Duration::ZERO } else { soonest };
        metrics::gauge!("meridian_tls_directory_expiry_seconds").set(soonest.as_secs_f64());
        metrics::gauge!("meridian_tls_certificates_loaded", "source" => "directory").set(precise(good));
        metrics::gauge!("meridian_tls_directory_hosts").set(precise(self.index.load().len()));
    }

    /// Hosts in memory, good or bad.
    #[cfg(test)]
    pub(super) fn loaded(&self) -> usize {
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let in_shards = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len());
        assert_eq!(in_shards.sum::<usize>(), order.len(), "both hold the same");
        order.len()
    }

    fn read_again(&self, key: &Arc<str>, before: &Kept) {
        if !self.index.load().contains(&**key) {
            let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
            order.retain(|kept| kept != key);
            self.shard(key).write().unwrap_or_else(PoisonError::into_inner).remove(key);
            return;
        }
        let (stamp, read) = self.read_files(key);
        if stamp != before.stamp || read.is_ok() {
            report(read.as_ref().map(|_| ()));
        }
        let is_bad = read.is_err();
        let is_used = AtomicBool::new(before.is_used.load(Ordering::Relaxed));
        let kept = match read {
            Ok((keys, expires)) => Kept { keys: Some(Arc::new(keys)), expires, stamp, is_bad, is_used },
            Err(_) => Kept { keys: before.keys.clone(), expires: before.expires, stamp, is_bad, is_used },
        };
        self.keep(Arc::clone(key), kept);
    }

    fn kept(&self, key: &str) -> Option<Arc<Kept>> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep(&self, key: Arc<str>, kept: Kept) {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shard = self.shard(&key).write().unwrap_or_else(PoisonError::into_inner);
        let is_new = shard.insert(Arc::clone(&key), Arc::new(kept)).is_none();
        drop(shard);
        if !is_new {
            return;
        }
        order.push_back(key);
        // Once around takes every mark away; workers that set new ones meanwhile do not hold this up for ever.
        let mut turns = order.len() * 2;
        while order.len() > self.max_loaded {
            let Some(oldest) = order.pop_front() else { break };
            turns = turns.saturating_sub(1);
            let mut shard = self.shard(&oldest).write().unwrap_or_else(PoisonError::into_inner);
            if turns > 0 && shard.get(&oldest).is_some_and(|kept| kept.is_used.swap(false, Ordering::Relaxed)) {
                order.push_back(oldest);
            } else {
                shard.remove(&oldest);
            }
        }
    }

    /// What there is of a host: `host.pem`, and maybe an RSA pair beside it.
    fn files(&self, key: &str) -> [PathBuf; 2] {
        let stem = names::stem(key);
        [self.directory.join(format!("{stem}.pem")), self.directory.join(format!("{stem}.rsa.pem"))]
    }

    fn read_files(&self, key: &str) -> (u64, Result<(HostKeys, Duration), Diagnostic>) {
        let files = self.files(key);
        let stamp = stamp(&files);
        let [main, rsa] = &files;
        let read = |path: &Path| {
            let pair = Pair::of_hosts(path, path)?;
            let is_its_own = pair.is_for(key);
            is_its_own.then_some(pair).ok_or_else(|| {
                problem::unusable(path, "the certificate is not for the host that the file is named after")
            })
        };
        let both = read(main).and_then(|pair| {
            let beside = if rsa.exists() { Some(read(rsa)?) } else { None };
            let expires = beside.iter().map(|pair| pair.expires).fold(pair.expires, Duration::min);
            Ok((HostKeys::new(std::iter::once(&pair).chain(&beside)), expires))
        });
        (stamp, both)
    }

    /// Makes the index anew where the directory changed.
    fn scan(&self) -> std::io::Result<()> {
        let mut index_stamp = self.index_stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(std::slice::from_ref(&self.directory));
        if *index_stamp == Some(now) {
            return Ok(());
        }
        let changed =
            fs::metadata(&self.directory)?.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let mut index = HashSet::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            index.extend(name.to_str().and_then(names::key_of_file).map(Box::from));
            if index.len() > MAX_FILES {
                return Err(std::io::Error::other(format!("it holds over {MAX_FILES} certificates")));
            }
        }
        index.shrink_to_fit();
        self.index.store(Arc::new(index));
        let is_certain = changed.is_some_and(|changed| clock::unix_time().saturating_sub(changed) > CERTAIN_AFTER);
        *index_stamp = is_certain.then_some(now);
        Ok(())
    }

    fn shard(&self, key: &str) -> &RwLock<HashMap<Arc<str>, Arc<Kept>>> {
        // The top bits: the maps in the shards use others of another hash.
        &self.shards[(self.hasher.hash_one(key) >> 60) as usize % SHARDS]
    }
}
