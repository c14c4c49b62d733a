//! A path that becomes another.

use super::segments::{Path, behind};
use crate::config::{PathChange, PathPattern};

/// What becomes of the path of a route's requests.
#[derive(Debug)]
pub(in crate::proxy) struct Rewrite {
    to: Box<str>,
    /// How many segments give way to it; all of them where nothing is said.
    instead_of: Option<usize>,
}

impl Rewrite {
    pub(super) fn new(change: &PathChange, matched: &PathPattern) -> Self {
        match change {
            PathChange::Whole(path) => Self { to: (**path).into(), instead_of: None },
            PathChange::Prefix(prefix) => {
                let (PathPattern::Exact(path) | PathPattern::Below(path)) = matched;
                let mut segments = 0;
                if let Some(path) = Path::read(path) {
                    path.each(|_| {
                        segments += 1;
                        true
                    });
                }
                Self { to: (**prefix).into(), instead_of: Some(segments) }
            }
        }
    }

    /// The new path in two parts; the second stands in the one that was sent. Together they begin with one slash.
    pub(in crate::proxy) fn apply<'a>(&'a self, path: &'a str) -> [&'a str; 2] {
        let rest = self.instead_of.map_or("", |segments| behind(path, segments));
        // `//` at the beginning would be a host to some.
        let rest = if &*self.to == "/" { rest.trim_start_matches(['/', '\\']) } else { rest };
        [&self.to, rest]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(change: &PathChange, matched: &str, path: &str) -> String {
        Rewrite::new(change, &PathPattern::Below(matched.into())).apply(path).concat()
    }

    #[test]
    fn a_prefix_gives_way_and_the_rest_stays_as_it_was_sent() {
        let prefix = |to: &str| PathChange::Prefix(to.into());
        for (to, matched, path, expected) in [
            ("/new", "/old", "/old/a%20b", "/new/a%20b"),
            ("/new", "/old", "/old", "/new"),
            ("/new", "/old", "/old/", "/new/"),
            ("/new", "/old", "//%6Fld;x//a", "/new//a"),
            ("/new", "/old", "/old%2Fa", "/new%2Fa"),
            ("/", "/old", "/old/a", "/a"),
            ("/", "/old", "/old", "/"),
            ("/", "/old", "/old//evil.example", "/evil.example"),
            ("/", "/old", "/old\\\\evil.example", "/evil.example"),
            ("/", "/", "//evil.example", "/evil.example"),
            ("/v2", "/", "/a/b", "/v2/a/b"),
            ("/v2", "/", "/", "/v2/"),
            ("/x/y", "/a/b", "/a/b/c", "/x/y/c"),
        ] {
            assert_eq!(rewritten(&prefix(to), matched, path), expected, "{matched} to {to}: {path}");
        }
        assert_eq!(rewritten(&PathChange::Whole("/one".into()), "/", "/a/b"), "/one");
    }
}
