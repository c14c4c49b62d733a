//! `meridian geo`: what a database of places is, and how the embedded table of countries is made of one.

use std::{fs, path::Path, process::ExitCode, time::Duration};

use super::report;
use crate::{
    config,
    geo::{self, About, Atlas, AtlasError},
};

/// Without a file it is about the embedded table.
pub(super) fn run(file: Option<&Path>, pack: Option<&Path>) -> ExitCode {
    let settings =
        config::Geo { database: file.map(Into::into), networks: Vec::new(), watch_interval: Duration::from_secs(5) };
    let atlas = match Atlas::load(&settings) {
        Ok(atlas) => atlas,
        Err(error) => {
            report::complain(&format!("{error}\n"));
            let is_unreadable = matches!(error, AtlasError::Unreadable { .. });
            return if is_unreadable { ExitCode::from(report::COULD_NOT_TELL) } else { ExitCode::FAILURE };
        }
    };
    let mut text = describe(atlas.about());
    if let (Some(file), Some(into)) = (file, pack) {
        match packed(file, into) {
            Ok(said) => text += &said,
            Err(error) => {
                report::complain(&error);
                return ExitCode::from(report::COULD_NOT_TELL);
            }
        }
    }
    report::say(&text)
}

fn describe(about: &About) -> String {
    let About { file, database_type, layout, built, ranges, places } = about;
    let name = file.as_deref().map_or("embedded table".into(), |file| file.display().to_string());
    format!(
        "{name}: `{database_type}`, laid out as {layout}, built on {built}\n  {ranges} ranges of addresses in {places} places\n"
    )
}

fn packed(file: &Path, into: &Path) -> Result<String, String> {
    let bytes = fs::read(file).map_err(|error| format!("cannot read {}: {error}\n", file.display()))?;
    let packed = geo::pack(&bytes).map_err(|error| format!("cannot pack {}: {error}\n", file.display()))?;
    fs::write(into, &packed).map_err(|error| format!("cannot write {}: {error}\n", into.display()))?;
    Ok(format!("  its countries are in {}, {} bytes\n", into.display(), packed.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_is_described_with_its_date() {
        let settings = config::Geo { database: None, networks: Vec::new(), watch_interval: Duration::from_secs(5) };
        let text = describe(Atlas::load(&settings).unwrap().about());
        let date = geo::embedded_date();
        assert!(
            text.starts_with(&format!(
                "embedded table: `countries`, laid out as flat `country_code`, built on {date}\n"
            ))
        );
    }

    #[test]
    fn what_cannot_be_packed_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (file, into) = (folder.path().join("x.mmdb"), folder.path().join("x.bin"));
        assert!(packed(&file, &into).unwrap_err().starts_with("cannot read "));
        fs::write(&file, "nothing").unwrap();
        assert!(packed(&file, &into).unwrap_err().starts_with("cannot pack "));
        assert!(!into.exists());
    }
}
