//! The bearer token: made on first start, kept in a file that only its owner reads.

use std::{fs, io, io::Write, path::Path};

/// Shorter ones can be guessed.
const MIN_LENGTH: usize = 16;

/// Who has it may command the node.
#[derive(Clone)]
pub struct Token(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or made.
    #[error("the admin token file {path} cannot be used: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file holds something too short.
    #[error("the admin token in {path} is shorter than {MIN_LENGTH} characters")]
    Short {
        /// Which file.
        path: String,
    },
}

impl Token {
    /// Reads the token, or makes one where there is no such file.
    ///
    /// # Errors
    /// When the file can neither be read nor made, or holds no fit token.
    pub fn load_or_make(path: &Path) -> Result<Self, TokenError> {
        let failed = |cause| TokenError::File { path: path.display().to_string(), cause };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path).map_err(failed)?,
            Err(error) => return Err(failed(error)),
        };
        let token = text.trim();
        if token.len() < MIN_LENGTH {
            return Err(TokenError::Short { path: path.display().to_string() });
        }
        Ok(Self(token.to_owned()))
    }

    /// Compares in a time that does not tell how much was right.
    pub(super) fn is(&self, said: &str) -> bool {
        let difference = self.0.bytes().zip(said.bytes()).fold(0, |sum, (left, right)| sum | (left ^ right));
        self.0.len() == said.len() && difference == 0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

fn make(path: &Path) -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(format!("{token}\n").as_bytes())?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/admin.token");
        let first = Token::load_or_make(&path).unwrap();
        let second = Token::load_or_make(&path).unwrap();
        assert!(first.0.len() == 64 && first.is(&second.0));
        assert!(!first.is("") && !first.is(&first.0[1..]) && !first.is(&"0".repeat(64)));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_short_token_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.token");
        fs::write(&path, "secret\n").unwrap();
        assert!(matches!(Token::load_or_make(&path), Err(TokenError::Short { .. })));
    }
}
