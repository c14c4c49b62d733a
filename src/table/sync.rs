//! The primitives that loom has to see, and the one swap that publishes a generation.
//!
//! The loom build replaces `ArcSwap` by a mutex around the same pointer: loom then checks what this module's users rely on
//! (rows are filled before they are published, a row is not reused while held), not `ArcSwap` itself, which has its own tests.

#[cfg(not(loom))]
pub(super) use std::sync::atomic::AtomicU64;

#[cfg(loom)]
pub(super) use loom::sync::atomic::AtomicU64;

/// Shared by all clones of a row's handle; the last one out gives the row back.
#[cfg(not(loom))]
pub(super) type Hold = std::sync::Arc<()>;

/// Shared by all clones of a row's handle; the last one out gives the row back.
#[cfg(loom)]
pub(super) type Hold = loom::sync::Arc<()>;

pub(super) use published::{Cached, Published};

#[cfg(not(loom))]
mod published {
    use std::sync::Arc;

    use arc_swap::{ArcSwap, Cache};

    /// The current value; clones share it.
    #[derive(Debug)]
    pub(crate) struct Published<T>(Arc<ArcSwap<T>>);

    /// One reader's copy of the pointer: a look costs one load while nothing changed.
    #[derive(Debug)]
    pub(crate) struct Cached<T>(Cache<Arc<ArcSwap<T>>, Arc<T>>);

    impl<T> Clone for Published<T> {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Published<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self(Arc::new(ArcSwap::new(value)))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            self.0.load_full()
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            self.0.store(value);
        }

        pub(crate) fn cached(&self) -> Cached<T> {
            Cached(Cache::new(Arc::clone(&self.0)))
        }
    }

    impl<T> Cached<T> {
        pub(crate) fn look(&mut self) -> &Arc<T> {
            self.0.load()
        }
    }
}

#[cfg(loom)]
mod published {
    use std::sync::Arc;

    use loom::sync::Mutex;

    #[derive(Debug)]
    pub(crate) struct Published<T>(loom::sync::Arc<Mutex<Arc<T>>>);

    #[derive(Debug)]
    pub(crate) struct Cached<T> {
        source: Published<T>,
        seen: Arc<T>,
    }

    impl<T> Clone for Published<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }

    impl<T> Published<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self(loom::sync::Arc::new(Mutex::new(value)))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            Arc::clone(&self.0.lock().expect("no panic while held"))
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            let old = std::mem::replace(&mut *self.0.lock().expect("no panic while held"), value);
            drop(old);
        }

        pub(crate) fn cached(&self) -> Cached<T> {
            Cached { source: self.clone(), seen: self.load() }
        }
    }

    impl<T> Cached<T> {
        pub(crate) fn look(&mut self) -> &Arc<T> {
            self.seen = self.source.load();
            &self.seen
        }
    }
}
