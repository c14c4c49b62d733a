use super::changes;
use crate::config::{Config, Identity, from_text};

const BASE: &str = r#"
[node]
region = "b"

[regions.b]
addresses = ["192.0.2.2"]

[pools.shop]
[[pools.shop.origins]]
address = "10.0.0.1:80"
region = "b"

[[routes]]
pool = "shop"

[zones."shop.example"]
nameservers = ["ns.other.example"]
[zones."shop.example".records.www]
TXT = ["one"]
[zones."shop.example".steer."@"]
"#;

fn config(text: &str) -> Config {
    let loaded = from_text("test.toml", text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}

fn between(old: &str, new: &str) -> Vec<String> {
    changes(&config(old), &config(new)).iter().map(ToString::to_string).collect()
}

#[test]
fn ids_that_shift_are_no_change() {
    let more = format!(
        "{BASE}[regions.a]\naddresses = [\"192.0.2.1\"]\n[pools.a]\norigins = [{{ address = \"10.0.0.9:80\", region = \"a\" }}]\n\
         [[routes]]\nhost = \"a.example\"\npool = \"a\"\n"
    );
    assert_eq!(
        between(BASE, &more),
        [
            "region `a` came",
            "pool `a` came",
            "route `a.example/` came",
            "zone `shop.example`: steered name `shop.example`: weights is now [a 1, b 1], was [b 1]"
        ]
    );
}

#[test]
fn what_went_is_named() {
    let less = BASE.replace("[zones.\"shop.example\".records.www]\nTXT = [\"one\"]\n", "");
    assert_eq!(between(BASE, &less), ["zone `shop.example`: TXT records of `www.shop.example` went"]);
}

#[test]
fn changed_values_say_what_they_are_and_were() {
    let weight = BASE.replace("region = \"b\"\n\n[[routes]]", "region = \"b\"\nweight = 7\n\n[[routes]]");
    assert_eq!(between(BASE, &weight), ["pool `shop`: origin 10.0.0.1:80: weight is now 7, was 100"]);
    let check =
        BASE.replace("[pools.shop]", "[pools.shop.check.http]\npath = \"/up\"\ninterval = \"2s\"\n[pools.shop]");
    assert_eq!(
        between(BASE, &check),
        [
            "pool `shop`: check is now HTTP `/up` of `shop` for 200-399, was TCP",
            "pool `shop`: check interval is now 2s, was 1s"
        ]
    );
}

#[test]
fn what_clients_and_origins_are_told_is_said_key_by_key() {
    let told = format!(
        "http.identity = {{ via = true, trace = \"make\" }}\nhttp.https_redirect = {{ port = 8443 }}\n\
         http.hsts = {{ max_age = \"1d\" }}\n{BASE}"
    );
    assert_eq!(
        between(BASE, &told),
        [
            "http: https_redirect is now 308 to port 8443, was off",
            "http: hsts is now max-age=86400, was off",
            "http.identity: via is now true, was false",
            "http.identity: trace is now make, was keep"
        ]
    );
}

#[test]
fn what_only_a_restart_changes_says_so() {
    let moved = format!("listen.http = [\"127.0.0.1:8080\"]\nhttp.max_headers = 64\n{BASE}");
    let changes = changes(&config(BASE), &config(&moved));
    let restarts: Vec<_> = changes.iter().map(|change| change.needs_restart).collect();
    assert_eq!(restarts, [true, false, false], "{changes:?}");
    assert!(changes[0].to_string().ends_with("(after a restart)"));
}

#[test]
fn tls_changes_on_both_sides_and_for_single_hosts() {
    let new = format!(
        "listen.https = [\"127.0.0.1:443\"]\n[tls]\ndirectory = \"certs.d\"\nmin_version = \"1.3\"\n\
         client_certificates = {{ mode = \"optional\", ca = \"a.pem\" }}\n\
         [tls.hosts.\"admin.example\"]\nclient_certificates = {{ mode = \"required\" }}\n\
         {}",
        BASE.replace(
            "[pools.shop]",
            "[pools.shop]\nprotocol = \"h2\"\ntls = { ca = \"o.pem\", server_name = \"shop.internal\" }"
        )
    );
    assert_eq!(
        between(BASE, &new),
        [
            "listen.https is now [127.0.0.1:443], was [] (after a restart)",
            "tls: directory is now `certs.d`, was none",
            "tls: min_version is now 1.3, was 1.2",
            "tls: client_certificates is now optional by `a.pem`, was off",
            "tls of `admin.example` came",
            "pool `shop`: protocol is now h2, was h1",
            "pool `shop`: tls is now ca `o.pem` for shop.internal, was off"
        ]
    );
    let less = new.replace("mode = \"required\"", "mode = \"off\"");
    assert_eq!(
        between(&new, &less),
        ["tls of `admin.example`: client_certificates is now off, was required by `a.pem`"]
    );
}
