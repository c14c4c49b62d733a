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
            "zone `shop.example`: steered name `shop.example`: policy is now weighted [a 1, b 1], was weighted [b 1]"
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
fn what_changed_of_dns_is_said_key_by_key() {
    let new = format!(
        "listen.dns_tls = [\"127.0.0.1:853\"]\ntls.directory = \"certs.d\"\n[dns]\nnsid = \"a\"\nchaos = \"b\"\n\
         max_tcp_connections_per_client = 7\ncookies = {{ secret_file = \"keys\" }}\nrate_limit = {{ enabled = false }}\n\
         log = {{ path = \"-\", sample = 0.5 }}\n[geo]\ndatabase = \"city.mmdb\"\nwatch_interval = \"1m\"\n\
         networks.\"10.0.0.0/8\" = {{ country = \"DE\", latitude = 50.1, longitude = 8.7 }}\n{BASE}"
    );
    assert_eq!(
        between(BASE, &new),
        [
            "listen.dns_tls is now [127.0.0.1:853], was [] (after a restart)",
            "dns: max_tcp_connections_per_client is now 7, was 100",
            "dns: nsid is now `a`, was none",
            "dns: chaos is now `b`, was none",
            "dns: cookies is now on, with the secrets in `keys`, was on, with a secret of its own",
            "dns: rate_limit is now off, was 200 a second, 200 at once, slip 2, by /24 and /56, not [127.0.0.0/8, ::1/128], 65536 kept",
            "dns: log is now 0.5 of all to `-`, was off",
            "geo: database is now `city.mmdb`, was the built-in one",
            "geo: watch_interval is now 1m, was 5s",
            "geo: network 10.0.0.0/8 is now DE 50.1, 8.7, was as the database says",
            "tls: directory is now `certs.d`, was none",
        ]
    );
}

#[test]
fn what_changed_of_a_zone_and_its_names_is_said() {
    let new = BASE
        .replace("nameservers = [\"ns.other.example\"]", "nameservers = [\"ns.third.example\"]\nclient_subnet = false\nnegative_ttl = \"9s\"")
        .replace("TXT = [\"one\"]", "TXT = [\"two\", \"one\"]\nttl = \"1m\"\nother = ['TYPE65400 \\# 0']")
        .replace("steer.\"@\"]", "records.bare]\nALIAS = \"shop.example\"\n[zones.\"shop.example\".steer.\"@\"]\nttl = \"20s\"\nmin_ttl = \"2s\"\nhttps.enabled = true")
        .replace("addresses = [\"192.0.2.2\"]", "addresses = [\"192.0.2.2\"]\njurisdiction = \"EU\"\nlocation = { latitude = 1, longitude = 2 }");
    assert_eq!(
        between(BASE, &new),
        [
            "region `b`: location is now 1, 2, was unknown",
            "region `b`: jurisdiction is now EU, was none",
            "zone `shop.example`: nameservers is now [ns.third.example], was [ns.other.example]",
            "zone `shop.example`: primary is now ns.third.example, was ns.other.example",
            "zone `shop.example`: negative_ttl is now 9, was 30",
            "zone `shop.example`: client_subnet is now false, was true",
            "zone `shop.example`: TXT records of `www.shop.example` changed",
            "zone `shop.example`: TXT records of `www.shop.example`: ttl is now 60, was 3600",
            "zone `shop.example`: TYPE65400 records of `www.shop.example` came",
            "zone `shop.example`: alias of `bare.shop.example` is now shop.example, was none",
            "zone `shop.example`: steered name `shop.example`: policy is now nearest [b], was weighted [b 1]",
            "zone `shop.example`: steered name `shop.example`: ttl is now 20, was 30",
            "zone `shop.example`: steered name `shop.example`: min_ttl is now 2, was 5",
            "zone `shop.example`: steered name `shop.example`: https is now [h2, http/1.1] on port 443, was off",
        ]
    );
    let order = BASE.replace("TXT = [\"one\"]", "TXT = [\"one\", \"two\"]");
    let other_order = BASE.replace("TXT = [\"one\"]", "TXT = [\"two\", \"one\"]");
    assert_eq!(between(&order, &other_order), [""; 0]);
}

#[test]
fn policies_are_told_by_their_names() {
    let with = |policies: &str, steer: &str| {
        let named = BASE.replace("steer.\"@\"]", &format!("steer.\"@\"]\n{steer}"));
        format!("{named}[policies]\n{policies}")
    };
    let old =
        with("a.failover.order = [\"b\"]\nc.geo = { countries = { DE = \"a\" }, default = \"b\" }\n", "policy = \"a\"");
    let new = with(
        "a.failover = { order = [\"c\", \"b\"], trickle = 2.5 }\nc.geo = { continents = { EU = \"b\" }, default = \"b\" }\nd.hash = {}\n",
        "policy = \"c\"",
    );
    assert_eq!(
        between(&old, &new),
        [
            "policy `d` came",
            "policy `a`: what it does is now failover [`c`, b], trickle 2.50 %, was failover [b]",
            "policy `c`: what it does is now geo [EU b], else b, was geo [DE `a`], else b",
            "zone `shop.example`: steered name `shop.example`: policy is now `c`, was `a`",
        ]
    );
    let word = with("", "policy = \"hash\"");
    assert_eq!(
        between(BASE, &word),
        [
            "zone `shop.example`: steered name `shop.example`: policy is now hash [b 1] by /24 and /48, was weighted [b 1]"
        ]
    );
}

#[test]
fn a_zone_that_was_written_anew_does_not_fill_the_log() {
    let many: String = (0..150).map(|at| format!("records.n{at}.TXT = [\"x\"]\n")).collect();
    let new = BASE.replace("nameservers", &format!("{many}nameservers"));
    let told = between(BASE, &new);
    assert_eq!((told.len(), told.last().unwrap().as_str()), (101, "zone `shop.example`: 50 more changes of records"));
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
            "pool `shop`: tls is now ca `o.pem` for shop.internal, was off",
            "zone `shop.example`: steered name `shop.example`: https is now [h2, http/1.1] on port 443, was off"
        ]
    );
    let less = new.replace("mode = \"required\"", "mode = \"off\"");
    assert_eq!(
        between(&new, &less),
        ["tls of `admin.example`: client_certificates is now off, was required by `a.pem`"]
    );
}

#[test]
fn how_origins_share_requests_is_told_in_words() {
    let pool = "[pools.shop]\n";
    let hashed = "[pools.shop]\nbalance = \"hash\"\nhash = { header = \"x-user\", bound = 125 }\n\
                  sticky = { ttl = \"1h\", secret_file = \"keys\" }\n";
    let new = BASE
        .replace(pool, hashed)
        .replace("region = \"b\"\n\n[[routes]]", "region = \"b\"\nstandby = true\n\n[[routes]]");
    assert_eq!(
        between(BASE, &new),
        [
            "pool `shop`: balance is now hash, was round-robin",
            "pool `shop`: hash key is now header `x-user`, was the client's address",
            "pool `shop`: hash bound is now 125, was 150",
            "pool `shop`: sticky is now cookie `meridian-shop`, for 1h, with the secrets in `keys`, was off",
            "pool `shop`: origin 10.0.0.1:80: tier is now 10, was 0",
        ]
    );
}
