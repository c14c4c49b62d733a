//! Configs as files: the mistakes people make with what is said about them, the committed examples, and the generated pages.
//!
//! A new mistake is a new file (or directory) in `tests/config/mistakes`; its text is written by `INSTA_UPDATE=always
//! cargo test`.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use meridian::{
    clock::Clock,
    config::{self, Diagnostics, Identity, Severity},
};

const MISTAKES: &str = "tests/config/mistakes";

fn load(path: impl AsRef<Path>) -> config::Loaded {
    config::load(path.as_ref(), &Identity::default())
}

/// Files and directories in name order, without the texts beside them.
fn mistakes() -> Vec<PathBuf> {
    let entries = fs::read_dir(MISTAKES).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> =
        entries.filter(|path| path.is_dir() || path.extension().is_some_and(|e| e == "toml")).collect();
    cases.sort();
    cases
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn beside_the_cases(check: impl FnOnce()) {
    insta::with_settings!({
        snapshot_path => "../config/mistakes",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { check() });
}

#[test]
fn every_mistake_is_told_as_it_should_be() {
    let cases = mistakes();
    assert!(cases.len() >= 30, "{} mistakes", cases.len());
    for case in cases {
        let loaded = load(&case);
        let is_clean = loaded.diagnostics.iter().next().is_none();
        assert!(!is_clean, "{} is no mistake", case.display());
        beside_the_cases(|| insta::assert_snapshot!(name(&case), loaded.diagnostics.render_text(false)));
    }
}

#[test]
fn the_json_of_mistakes_keeps_its_shape() {
    for case in ["several.toml", "defined-in-two-files", "no-files"] {
        let loaded = load(Path::new(MISTAKES).join(case));
        beside_the_cases(|| {
            insta::assert_snapshot!(format!("{}.json", name(Path::new(case))), loaded.diagnostics.render_json());
        });
    }
}

fn codes(diagnostics: &Diagnostics) -> Vec<&'static str> {
    diagnostics.iter().map(|one| one.code.as_str()).collect()
}

#[test]
fn one_run_finds_the_mistakes_of_every_kind() {
    let loaded = load(Path::new(MISTAKES).join("several.toml"));
    assert!(loaded.config.is_none());
    let expected = ["bad-value", "unknown-key", "out-of-limits", "unknown-pool", "out-of-limits", "missing-key"];
    assert_eq!(codes(&loaded.diagnostics), expected);
}

#[test]
fn warnings_alone_do_not_stop_a_config() {
    for case in ["unused.toml", "nameserver-without-address.toml"] {
        let loaded = load(Path::new(MISTAKES).join(case));
        assert!(loaded.config.is_some(), "{}", loaded.diagnostics.render_text(false));
        assert!(loaded.diagnostics.iter().all(|one| one.severity == Severity::Warning));
    }
}

#[test]
fn files_that_are_no_text_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("huge.toml"), "# a comment\n".repeat(900_000)).unwrap();
    fs::write(path("binary.toml"), (0..=255).cycle().take(100_000).collect::<Vec<u8>>()).unwrap();
    fs::write(path("latin-1.toml"), b"[node]\nname = \"M\xfcnchen\"\n").unwrap();
    fs::create_dir(path("directory.toml")).unwrap();
    for (name, code) in [
        ("huge.toml", "too-large"),
        ("binary.toml", "not-utf8"),
        ("latin-1.toml", "not-utf8"),
        ("absent.toml", "unreadable"),
    ] {
        assert_eq!(codes(&load(path(name)).diagnostics), [code], "{name}");
    }
    let mut all = codes(&load(directory.path()).diagnostics);
    all.sort_unstable();
    assert_eq!(all, ["not-utf8", "not-utf8", "too-large", "unreadable"]);

    let loaded = load(path("latin-1.toml"));
    let position = loaded.diagnostics.position(loaded.diagnostics.iter().next().unwrap()).unwrap();
    assert_eq!((position.line, position.column), (Some(2), Some(10)));
}

#[test]
fn a_directory_of_too_many_files_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..10_001 {
        fs::write(directory.path().join(format!("{number}.toml")), "").unwrap();
    }
    assert_eq!(codes(&load(directory.path()).diagnostics), ["too-large"]);
}

#[test]
fn hidden_files_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy("config/meridian.toml", directory.path().join("meridian.toml")).unwrap();
    fs::write(directory.path().join(".meridian.toml"), "not toml").unwrap();
    assert!(load(directory.path()).config.is_some());
}

fn assert_clean(loaded: &config::Loaded) {
    assert!(loaded.diagnostics.iter().next().is_none(), "{}", loaded.diagnostics.render_text(false));
    assert!(loaded.config.is_some());
}

#[test]
fn the_committed_examples_load_without_a_warning() {
    assert_clean(&load("config/meridian.toml"));
    let loaded = load("config/multi-region");
    assert_clean(&loaded);
    let config = loaded.config.unwrap();
    assert_eq!((config.regions.len(), config.pools.len(), config.routes.len()), (3, 2, 3));
    let names: Vec<_> = config.regions[1].neighbours.iter().map(|id| &*config.regions[id.index()].name).collect();
    assert_eq!(names, ["ap-south", "us-east"]);
}

#[test]
fn the_keys_that_the_starter_only_shows_are_true() {
    let shown = |line: &str| {
        line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', ':']) && !rest.is_empty()).map(str::to_owned)
    };
    let starter = fs::read_to_string("config/meridian.toml").unwrap();
    let all: Vec<_> = starter.lines().map(|line| shown(line).unwrap_or_else(|| line.to_owned())).collect();
    assert!(all.iter().filter(|line| !line.starts_with('#') && !line.is_empty()).count() > 80);
    assert_clean(&config::from_text("starter", &all.join("\n"), &Identity::default()));

    // Where a default is shown, it is the default: nothing changes with it.
    let plain = load("config/meridian.toml").config.unwrap();
    let with_defaults: Vec<_> = starter
        .lines()
        .map(|line| shown(line).filter(|line| is_default(line)).unwrap_or_else(|| line.to_owned()))
        .collect();
    let same = config::from_text("starter", &with_defaults.join("\n"), &Identity::default()).config.unwrap();
    assert_eq!(config::changes(&plain, &same), []);
}

/// Whether the reference has this line as a key with its default.
fn is_default(line: &str) -> bool {
    let Some((key, value)) = line.split_once(" = ") else { return false };
    let reference = config::reference();
    reference.lines().any(|row| row.starts_with(&format!("| `{key}` |")) && row.contains(&format!("| `{value}` |")))
}

#[test]
fn flags_and_variables_beat_the_files() {
    let identity = Identity {
        node_name: Some("iad-7".into()),
        region: Some("us-east".into()),
        http: vec!["127.0.0.1:0".parse().unwrap()],
        state_directory: Some("/tmp/meridian".into()),
        ..Identity::default()
    };
    let config = config::load(Path::new("config/multi-region"), &identity).config.unwrap();
    assert_eq!(&*config.node.name, "iad-7");
    assert_eq!(&*config.regions[config.node.region.index()].name, "us-east");
    assert_eq!(config.listen.http, identity.http);
    assert_eq!(config.listen.dns, ["0.0.0.0:53".parse().unwrap()]);
    assert_eq!(config.admin.token_file, Path::new("/tmp/meridian/admin.token"));

    let wrong = Identity { region: Some("us-esat".into()), ..Identity::default() };
    let loaded = config::load(Path::new("config/multi-region"), &wrong);
    assert_eq!(codes(&loaded.diagnostics), ["unknown-region"]);
    assert_eq!(loaded.diagnostics.iter().next().unwrap().hint.as_deref(), Some("did you mean `us-east`?"));
}

#[test]
fn the_generated_pages_are_fresh() {
    for (path, text, flag) in [
        ("config/meridian.schema.json", config::schema(), ""),
        ("config/reference.md", config::reference(), " --reference"),
    ] {
        let committed = fs::read_to_string(path).unwrap_or_default();
        let command = format!("cargo run -- schema{flag} > {path}");
        assert!(committed == text, "{path} is stale: run `{command}` and commit it");
    }
}

/// A large fleet over several files, because one file is at most 8 MiB.
fn write_fleet(directory: &Path, pools: usize, origins: usize) {
    let regions = (0..20).map(|at| {
        format!("[regions.r{at}]\naddresses = [\"192.0.2.{at}\"]\nlocation = {{ latitude = {at}, longitude = {at} }}\n")
    });
    fs::write(directory.join("node.toml"), format!("node.region = \"r0\"\n{}", regions.collect::<String>())).unwrap();
    for (file, numbers) in (0..pools).collect::<Vec<_>>().chunks(1000).enumerate() {
        let mut text = String::new();
        for pool in numbers {
            writeln!(text, "[pools.pool-{pool}]\nretries = 1\n[pools.pool-{pool}.check.http]\npath = \"/healthz\"")
                .unwrap();
            for origin in 0..origins {
                let address = format!("10.{}.{}.{origin}:8080", pool / 250, pool % 250);
                writeln!(
                    text,
                    "[[pools.pool-{pool}.origins]]\naddress = \"{address}\"\nregion = \"r{}\"",
                    (pool + origin) % 20
                )
                .unwrap();
            }
            writeln!(text, "[[routes]]\nhost = \"app-{pool}.shop.example\"\npool = \"pool-{pool}\"").unwrap();
        }
        fs::write(directory.join(format!("pools-{file}.toml")), text).unwrap();
    }
}

#[test]
fn a_large_fleet_loads_in_little_time() {
    let directory = tempfile::tempdir().unwrap();
    write_fleet(directory.path(), 10_000, 10);
    let clock = Clock::system();
    let loaded = load(directory.path());
    let took = clock.now();
    assert_clean(&loaded);
    let config = loaded.config.unwrap();
    assert_eq!((config.pools.len(), config.routes.len()), (10_000, 10_000));
    assert_eq!(config.pools.iter().map(|pool| pool.origins.len()).sum::<usize>(), 100_000);
    // Far more than an unoptimized build takes: to catch what grows with the square, not a slow machine.
    assert!(took < Duration::from_mins(1), "{took:?}");
}

/// A hundred thousand names with two records each, steered ones beside them.
fn write_zone(directory: &Path, names: usize, steered: usize) {
    let mut text = String::from("$TTL 1h\n@ SOA ns1 ops 1 1h 15m 4w 5m\n@ NS ns1.elsewhere.example.\n");
    for at in 0..names {
        writeln!(text, "host-{at} A 10.{}.{}.{}\n\tTXT \"v={at}\"", at / 65_536, at / 256 % 256, at % 256).unwrap();
    }
    let zone = directory.join("shop.zone");
    fs::write(&zone, text).unwrap();
    let steered: String = (0..steered).map(|at| format!("app-{at} = {{ pools = [\"shop\"] }}\n")).collect();
    let config = format!(
        "[regions.a]\naddresses = [\"192.0.2.1\"]\n[pools.shop]\norigins = [{{ address = \"10.0.0.1:80\" }}]\n\
         [zones.\"shop.example\"]\nfiles = [\"{}\"]\n[zones.\"shop.example\".steer]\n{steered}",
        zone.display()
    );
    fs::write(directory.join("shop.toml"), config).unwrap();
}

#[test]
fn a_large_zone_loads_in_little_time() {
    let directory = tempfile::tempdir().unwrap();
    write_zone(directory.path(), 100_000, 20_000);
    let clock = Clock::system();
    let loaded = load(directory.path());
    let took = clock.now();
    assert_clean(&loaded);
    let config = loaded.config.unwrap();
    assert_eq!(
        (config.zones[0].records.len(), config.zones[0].steered.len(), config.policies.len()),
        (200_000, 20_000, 1)
    );
    // Far more than an unoptimized build takes: to catch what grows with the square, not a slow machine.
    assert!(took < Duration::from_mins(1), "{took:?}");
}

#[test]
fn a_thousand_wrong_references_in_a_large_fleet_are_told_in_little_time() {
    let directory = tempfile::tempdir().unwrap();
    write_fleet(directory.path(), 10_000, 1);
    let route = |at| format!("[[routes]]\nhost = \"wrong-{at}.example\"\npool = \"poool-{at}\"\n");
    let wrong: Vec<_> = (0..5_000).map(route).collect();
    fs::write(directory.path().join("wrong.toml"), wrong.concat()).unwrap();
    let clock = Clock::system();
    let loaded = load(directory.path());
    let text = loaded.diagnostics.render_text(false);
    let took = clock.now();
    assert!(text.contains("4000 more mistakes are not shown"));
    assert!(took < Duration::from_mins(1), "{took:?}");
}

/// Every config in the tree, as what to start from.
fn corpus() -> Vec<Vec<u8>> {
    let mut files = vec![PathBuf::from("config/meridian.toml")];
    for directory in ["config/multi-region", MISTAKES] {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        files.extend(
            entries.filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "toml")),
        );
    }
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn no_text_makes_it_panic() {
    let corpus = corpus();
    let mut random = meridian::clock::seeded(7);
    for text in &corpus {
        config::fuzz_config(text);
    }
    for _ in 0..1_500 {
        let mut text = corpus[random.usize(..corpus.len())].clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..=text.len());
            let other = &corpus[random.usize(..corpus.len())];
            let from = random.usize(..other.len());
            match random.u8(..4) {
                0 => text.truncate(at),
                1 => drop(text.splice(at..text.len().min(at + random.usize(..20)), [])),
                2 => drop(text.splice(at..at, other[from..other.len().min(from + 40)].iter().copied())),
                _ => text.insert(at, *random.choice(b"[]{}=.,\"'#\\\n\t \x00*@-09az\xc3\xbc").unwrap()),
            }
        }
        config::fuzz_config(&text);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_value_makes_it_panic(key in "[a-z_.]{1,12}", value in ".{0,40}", section in "(node|http|regions.a|pools.b|zones.c|routes)") {
        config::fuzz_config(format!("[{section}]\n{key} = {value}\n{key} = \"{value}\"\n").as_bytes());
    }
}
