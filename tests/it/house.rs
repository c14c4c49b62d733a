//! The house rules of `src/ARCHITECTURE.md`, kept by reading the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const MAX_LINES: usize = 500;
/// A longer file says this, and why, in its module header.
const EXCUSE: &str = "Longer than 500 lines because";
const BANNED: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "manager"];

/// Which top-level modules each module may name.
type Edges = BTreeMap<String, BTreeSet<String>>;

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Reads the table under "Who may name whom".
fn edges(architecture: &str) -> Edges {
    let rows = architecture.lines().skip_while(|line| *line != "| module | may name |").skip(2);
    let mut edges = Edges::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let split = |cell: &str| cell.split(", ").map(str::to_owned).collect::<Vec<_>>();
        for module in split(cells[0]) {
            edges.insert(module, split(cells[1]).into_iter().filter(|name| name != "nothing").collect());
        }
    }
    edges
}

/// The top-level modules that a source names: `crate::x`, `crate::{x, y::z}`, also through the library's own name.
fn named(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).fold(String::new(), |mut code, line| {
            _ = writeln!(code, "{line}");
            code
        });
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut is_at_name) = (1, true);
        for (offset, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => is_at_name = true,
                c if depth == 1 && is_at_name && is_word(c) => {
                    names.insert(word(&group[offset..]));
                    is_at_name = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

/// Everything in one file that breaks a rule. `path` is relative to `src/`.
fn violations(path: &str, source: &str, edges: &Edges) -> Vec<String> {
    let mut found = Vec::new();
    let top = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    if let Some(may_name) = edges.get(top) {
        let known = named(source).into_iter().filter(|name| edges.contains_key(name));
        for name in known.filter(|name| name != top && !may_name.contains(name)) {
            found.push(format!("{path}: `{top}` may not name `{name}`"));
        }
    } else if !["main", "lib"].contains(&top) {
        found.push(format!("{path}: `{top}` is not in the import table of ARCHITECTURE.md"));
    }
    if source.contains(concat!("super::", "super")) {
        found.push(format!("{path}: climbs two floors at once; name the module from `crate`"));
    }
    let lines = source.lines().count();
    let header: String = source.lines().take_while(|line| line.starts_with("//!")).collect();
    if lines > MAX_LINES && !header.contains(EXCUSE) {
        found.push(format!("{path}: {lines} lines; find the seam, or say `{EXCUSE} …` in its header"));
    }
    let modules =
        source.lines().filter_map(|line| line.trim().strip_suffix(';')?.rsplit_once("mod ")).map(|(_, name)| name);
    for part in path.trim_end_matches(".rs").split('/').chain(modules).filter(|part| BANNED.contains(part)) {
        found.push(format!("{path}: `{part}` says nothing; name the idea"));
    }
    found
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn real_edges() -> Edges {
    edges(&fs::read_to_string(source_root().join("ARCHITECTURE.md")).unwrap())
}

#[test]
fn the_house_is_in_order() {
    let (edges, mut files) = (real_edges(), Vec::new());
    sources(&source_root(), &mut files);
    assert!(files.len() > 50 && edges.len() > 10, "{} files, {} edges", files.len(), edges.len());
    let mut found: Vec<String> = Vec::new();
    for file in files {
        let path = file.strip_prefix(source_root()).unwrap().to_str().unwrap().replace('\\', "/");
        found.extend(violations(&path, &fs::read_to_string(&file).unwrap(), &edges));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_module_of_the_library_is_in_the_import_table() {
    let library = fs::read_to_string(source_root().join("lib.rs")).unwrap();
    let modules: BTreeSet<String> =
        library.lines().filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned())).collect();
    assert_eq!(modules, real_edges().into_keys().collect());
}

#[test]
fn planted_violations_are_found() {
    let edges = real_edges();
    let found = |path: &str, source: &str| violations(path, source, &edges).len();
    assert_eq!(found("dns/steer.rs", "use crate::{clock::Clock, policy::carry, table::{Pool, Row}};\n"), 0);
    assert_eq!(found("dns/steer.rs", "use crate::proxy::Routing;\n"), 1);
    assert_eq!(found("dns/steer.rs", "use crate::{\n    fleet::{PoolId, RegionId},\n    proxy::Routing,\n};\n"), 1);
    assert_eq!(found("proxy/decide.rs", "fn f() { crate::dns::respond(); crate::control::Writer; }\n"), 2);
    assert_eq!(found("clock.rs", "use crate::fleet::Health;\n"), 1);
    assert_eq!(found("attic/box.rs", ""), 1);
    assert_eq!(found("fleet/a.rs", concat!("use super::", "super::x;\n")), 1);
    assert_eq!(found("fleet/helpers.rs", ""), 1);
    assert_eq!(found("fleet/mod.rs", "mod misc;\n"), 1);
    let long = "\n".repeat(MAX_LINES + 1);
    assert_eq!(found("fleet/long.rs", &long), 1);
    assert_eq!(found("fleet/long.rs", &format!("//! {EXCUSE} of a table.\n{long}")), 0);
    assert_eq!(found("fleet/a.rs", "// crate::proxy is not named by a comment\n"), 0);
}
