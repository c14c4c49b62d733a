//! From a file, a directory or a text to a [`Config`], with everything that is wrong on the way.

use std::path::Path;

use super::{
    Config, Diagnostic, Diagnostics, Identity,
    document::{Table, decode_document, merge, parse},
    files,
    resolve::resolve,
};

/// What came of it.
#[derive(Debug)]
pub struct Loaded {
    /// The config; `None` exactly when there are errors.
    pub config: Option<Config>,
    /// All mistakes, warnings among them.
    pub diagnostics: Diagnostics,
}

impl Loaded {
    /// Adds mistakes that lie outside the config's text, in files that it names.
    #[must_use]
    pub(crate) fn with(mut self, mistakes: Vec<Diagnostic>) -> Self {
        for mistake in mistakes {
            self.diagnostics.push(mistake);
        }
        Self { config: self.config.filter(|_| !self.diagnostics.has_errors()), ..self }
    }
}

/// Loads a file, or all `*.toml` files of a directory in name order.
pub fn load(path: &Path, identity: &Identity) -> Loaded {
    let mut problems = Diagnostics::default();
    let texts = files::read(path, &mut problems);
    from_texts(texts, identity, problems)
}

/// Loads one text, as if it were a file of that name.
pub fn from_text(name: &str, text: &str, identity: &Identity) -> Loaded {
    let mut problems = Diagnostics::default();
    let file = problems.add_file(name.to_owned());
    from_texts(vec![(file, text.to_owned())], identity, problems)
}

fn from_texts(
    texts: Vec<(super::diagnostic::FileId, String)>,
    identity: &Identity,
    mut problems: Diagnostics,
) -> Loaded {
    let mut whole = Table::new();
    for (file, text) in texts {
        let table = parse(file, &text, &mut problems);
        problems.put_text(file, text);
        merge(&mut whole, table, &mut problems);
    }
    let document = decode_document(whole, &mut problems);
    let config = resolve(&document, identity, &mut problems);
    problems.settle();
    Loaded { config: config.filter(|_| !problems.has_errors()), diagnostics: problems }
}
