//! The entry for fuzzing: any bytes as a config, through everything that looks at one.

use super::{Identity, changes, from_text};

/// Reads anything as a config, and shows whatever comes of it. For fuzzing.
///
/// # Panics
/// Where an invariant of this module does not hold: never, whatever the bytes are.
pub fn fuzz_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let loaded = from_text("fuzz.toml", text, &Identity::default());
    assert_eq!(loaded.config.is_none(), loaded.diagnostics.has_errors());
    loaded.diagnostics.render_text(true);
    loaded.diagnostics.render_json();
    if let Some(config) = &loaded.config {
        assert!(changes(config, config).is_empty(), "a config differs from itself");
    }
}
