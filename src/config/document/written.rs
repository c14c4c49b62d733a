//! Values that remember where they were written.

use std::ops::Deref;

use crate::config::diagnostic::Place;

/// A value and where it was written; a default was written nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Written<T> {
    pub(crate) value: T,
    pub(crate) place: Option<Place>,
    /// Whether it is a default in the place of something that could not be read: nothing is to be said about it.
    pub(crate) is_stand_in: bool,
}

/// A value that may be left out.
#[derive(Clone, Debug)]
pub(crate) enum Optional<T> {
    Absent,
    /// There is something, and what is wrong with it was reported.
    Unreadable,
    Present(Written<T>),
}

/// Several values.
#[derive(Clone, Debug)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<Written<T>>,
    /// Whether an item was left out because it could not be read.
    pub(crate) is_broken: bool,
}

/// Several values, each under a name that the operator chose; in the order of the names.
#[derive(Clone, Debug)]
pub(crate) struct Named<T> {
    pub(crate) entries: Vec<Entitled<T>>,
    /// The names of those that could not be read.
    pub(crate) unreadable: Vec<String>,
}

/// A value with its name.
#[derive(Clone, Debug)]
pub(crate) struct Entitled<T> {
    pub(crate) name: String,
    /// Where the name is written.
    pub(crate) place: Option<Place>,
    pub(crate) value: T,
}

impl<T> Written<T> {
    pub(crate) fn new(value: T, place: Option<Place>) -> Self {
        Self { value, place, is_stand_in: false }
    }
}

impl<T> Deref for Written<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Optional<T> {
    pub(crate) fn as_ref(&self) -> Option<&Written<T>> {
        match self {
            Self::Present(written) => Some(written),
            Self::Absent | Self::Unreadable => None,
        }
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }

    /// What was written, or a default.
    pub(crate) fn or_default(self, default: impl FnOnce() -> Written<T>) -> Written<T> {
        let is_stand_in = self.is_unreadable();
        match self {
            Self::Present(written) => written,
            Self::Absent | Self::Unreadable => Written { is_stand_in, ..default() },
        }
    }
}

impl<T> Deref for Named<T> {
    type Target = [Entitled<T>];

    fn deref(&self) -> &[Entitled<T>] {
        &self.entries
    }
}
