use std::{fs, path::PathBuf, time::Duration};

use super::*;
use crate::config::{Identity, from_text};

const OLD: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const NEW: &str = "000102030405060708090a0b0c0d0e0f";

fn pools(sticky: &str) -> Vec<Arc<config::Pool>> {
    let text = format!(
        "[regions.a]\naddresses = [\"192.0.2.1\"]\n[regions.b]\naddresses = [\"192.0.2.2\"]\n[node]\nregion = \"a\"\n\
         [pools.shop]\nsticky = {sticky}\norigins = [\n\
         {{ address = \"10.0.0.1:80\", region = \"b\" }},\n\
         {{ address = \"10.0.0.2:80\", region = \"a\", standby = true }},\n\
         {{ address = \"10.0.0.3:80\", region = \"a\" }}]\n\
         [[routes]]\npool = \"shop\"\n"
    );
    let loaded = from_text("test.toml", &text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false))).pools
}

fn value(given: &str) -> &[u8] {
    given.split(';').next().unwrap().split_once('=').unwrap().1.as_bytes()
}

fn with_secrets(text: &str) -> Stickiness {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("secrets");
    fs::write(&file, text).unwrap();
    let pools = pools(&format!("{{ secret_file = \"{}\" }}", file.display()));
    Stickiness::build(&pools, None).unwrap()
}

#[test]
fn a_cookie_names_its_origin_by_the_position_that_the_table_gives_it() {
    let all = Stickiness::build(&pools("{}"), None).unwrap();
    let sticky = all.of(PoolId(0)).unwrap();
    for position in 0..3 {
        let given = sticky.given(position, false).unwrap();
        assert_eq!(sticky.read(Some(value(&given))), Shown { origin: Some(position), is_current: true });
    }
    assert_eq!(sticky.given(3, false), None);
    // Region a first, and in it the standby last.
    let of = |address: &str| token(all.own.first(), "shop", &address.parse().unwrap());
    assert_eq!(sticky.known[&of("10.0.0.3:80")].0, 0);
    assert_eq!(sticky.known[&of("10.0.0.2:80")].0, 1);
    assert_eq!(sticky.known[&of("10.0.0.1:80")].0, 2);
}

#[test]
fn a_cookie_is_as_safe_as_the_way_it_came() {
    let all = Stickiness::build(&pools("{ cookie = \"Stay\", ttl = \"1h\" }"), None).unwrap();
    let sticky = all.of(PoolId(0)).unwrap();
    let (plain, secure) = (sticky.given(0, false).unwrap(), sticky.given(0, true).unwrap());
    let token = String::from_utf8(value(&plain).to_vec()).unwrap();
    assert_eq!((token.len(), sticky.cookie()), (22, "Stay"));
    assert_eq!(plain, format!("Stay={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"));
    assert_eq!(secure, format!("{plain}; Secure"));
    assert_eq!(all.of(PoolId(1)).map(|_| ()), None);
}

#[test]
fn what_was_not_given_here_names_nobody() {
    let all = Stickiness::build(&pools("{}"), None).unwrap();
    let sticky = all.of(PoolId(0)).unwrap();
    let given = sticky.given(1, false).unwrap();
    let genuine = value(&given);
    for at in 0..genuine.len() {
        let mut forged = genuine.to_vec();
        forged[at] = if forged[at] == b'A' { b'Q' } else { b'A' };
        assert_eq!(sticky.read(Some(&forged)), Shown::default(), "character {at}");
        assert_eq!(sticky.read(Some(&genuine[..at])), Shown::default(), "{at} characters");
    }
    assert_eq!(sticky.read(None), Shown::default());
    let other = Stickiness::build(&pools("{}"), None).unwrap();
    assert_eq!(other.of(PoolId(0)).unwrap().read(Some(genuine)), Shown::default(), "another node's");
    let after_a_reload = Stickiness::build(&pools("{}"), Some(&all)).unwrap();
    assert_eq!(after_a_reload.of(PoolId(0)).unwrap().read(Some(genuine)).origin, Some(1));
}

#[test]
fn a_new_secret_takes_over_without_a_client_moving() {
    let turns = [OLD.to_owned(), format!("{OLD}\n{NEW}"), format!("# new first\n{NEW}\n{OLD}"), NEW.to_owned()];
    let nodes = turns.map(|text| with_secrets(&text));
    let mut cookie = nodes[0].of(PoolId(0)).unwrap().given(2, true).unwrap();
    for (step, node) in nodes.iter().enumerate() {
        let sticky = node.of(PoolId(0)).unwrap();
        let shown = sticky.read(Some(value(&cookie)));
        assert_eq!(shown, Shown { origin: Some(2), is_current: step != 2 }, "step {step}");
        if !shown.is_current {
            cookie = sticky.given(2, true).unwrap();
        }
    }
    let old = nodes[0].of(PoolId(0)).unwrap().given(2, true).unwrap();
    assert_eq!(nodes[3].of(PoolId(0)).unwrap().read(Some(value(&old))), Shown::default());
}

#[test]
fn a_file_of_secrets_says_what_is_wrong_with_it() {
    for text in ["", "# nothing\n", "e5e973", &"zz".repeat(16), &format!("{OLD}\n").repeat(9)] {
        assert!(Secrets::of_text(text).is_err(), "{text}");
    }
    assert!(Secrets::of_text(&format!("{OLD}\n").repeat(8)).is_ok());
    let missing = pools("{ secret_file = \"/nowhere/to/be/found\" }");
    let error = Stickiness::build(&missing, None).unwrap_err().to_string();
    assert!(error.contains("/nowhere/to/be/found") && error.contains("hint"), "{error}");
    assert_eq!(missing[0].balancing.sticky.as_ref().unwrap().ttl, None::<Duration>);
}
