//! Each kind of check, from its config to what came back, against servers that are good, bad, silent, slow or hostile.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    clock::Clock,
    config::{Config, Identity, from_text},
    health::{Brought, Outcome, ask_once, targets},
    resolver::Directory,
    tls::Outward,
};

/// Room for a busy machine; what is silent has to say so itself.
const TIMING: &str = "timeout = \"20s\"";
const SHORT: &str = "timeout = \"200ms\"";

fn config(check: &str, address: SocketAddr) -> Config {
    let text = format!(
        "regions.here = {{ addresses = [\"192.0.2.1\"], check = \"none\" }}\n\
         [pools.shop]\norigins = [{{ address = \"{address}\" }}]\n[pools.shop.check.{check}\n"
    );
    let loaded = from_text("test.toml", &text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}

async fn outcomes(config: &Config) -> Vec<Outcome> {
    let secured = Outward::load(config).unwrap();
    ask_once(&targets(config), &config.health, &Directory::default(), &secured).await
}

/// What one probe of this check brought.
async fn ask(check: &str, address: SocketAddr) -> Brought {
    let mut outcomes = outcomes(&config(check, address)).await;
    outcomes.pop().unwrap().probes.pop().unwrap().1
}

async fn good(check: &str, address: SocketAddr) -> String {
    let brought = ask(&format!("{check}\n{TIMING}"), address).await;
    assert!(brought.is_good, "{check}: {brought:?}");
    brought.words.to_string()
}

async fn bad(check: &str, address: SocketAddr) -> String {
    let brought = ask(&format!("{check}\n{TIMING}"), address).await;
    assert!(!brought.is_good, "{check}: {brought:?}");
    assert!(brought.took < Duration::from_secs(15), "it was bad, not late: {brought:?}");
    brought.words.to_string()
}

/// Nothing comes of it in time; and that is noticed in time.
async fn late(check: &str, address: SocketAddr) {
    let brought = ask(&format!("{check}\n{SHORT}"), address).await;
    assert!(!brought.is_good && brought.took >= Duration::from_millis(200), "{brought:?}");
    assert!(brought.took < Duration::from_secs(5), "{brought:?}");
    assert_eq!(&*brought.words, "no answer in time");
}

async fn server<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Reads a little and says that.
async fn says(answer: &'static str) -> SocketAddr {
    server(move |mut stream| async move {
        _ = stream.read(&mut [0; 4096]).await;
        _ = stream.write_all(answer.as_bytes()).await;
        _ = stream.shutdown().await;
        _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

/// Says the beginning, and then more and more for as long as it is let; counts what it got rid of.
async fn never_ends(beginning: &'static str, more: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let address = server(move |mut stream| {
        let sent = Arc::clone(&counted);
        async move {
            _ = stream.read(&mut [0; 4096]).await;
            let mut piece = beginning;
            while stream.write_all(piece.as_bytes()).await.is_ok() {
                sent.fetch_add(piece.len(), Ordering::SeqCst);
                piece = more;
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    (address, sent)
}

async fn silent() -> SocketAddr {
    server(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await
}

async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

const OK: &str =
    "HTTP/1.1 200 OK\r\nX-Ready: not yet\r\nX-Ready: yes, at last\r\nContent-Length: 12\r\n\r\nall is well\n";

#[tokio::test]
async fn http_is_judged_by_status_header_and_body() {
    let address = says(OK).await;
    assert_eq!(good("http]", address).await, "status 200");
    for check in [
        "http]\nstatus = \"404, 200-201\"",
        "http]\nbody.contains = \"is well\"",
        "http]\nbody.regex = \"(?m)^all .* well$\"",
        "http]\nheader.name = \"X-READY\"",
        "http]\nheader = { name = \"x-ready\", value = { contains = \"at last\" } }",
        "http]\nheader = { name = \"x-ready\", value = { regex = \"^yes\" } }",
    ] {
        good(check, address).await;
    }
    assert_eq!(bad("http]\nstatus = 204", address).await, "status 200");
    assert_eq!(bad("http]\nbody.contains = \"ill\"", address).await, "what it says is not what it should");
    assert_eq!(bad("http]\nbody.regex = \"^is\"", address).await, "what it says is not what it should");
    assert_eq!(bad("http]\nheader.name = \"x-steady\"", address).await, "its header is not as it should be");
    bad("http]\nheader = { name = \"x-ready\", value = { regex = \"^no$\" } }", address).await;
    bad("http]", says("hello\r\n\r\n").await).await;
    bad("http]", says("").await).await;
    assert!(bad("http]", nobody().await).await.contains("refused"));
}

#[tokio::test]
async fn http_is_asked_as_the_check_says() {
    let address = server(|mut stream| async move {
        let mut seen = vec![0; 4096];
        let count = stream.read(&mut seen).await.unwrap();
        let head = String::from_utf8_lossy(&seen[..count]).to_ascii_lowercase();
        let is_right = head.starts_with("options /up?x=1 http/1.1\r\n")
            && head.contains("\r\nhost: shop.example\r\n")
            && head.contains("\r\nx-token: a b\r\n")
            && head.contains("\r\nuser-agent: mine\r\n")
            && head.contains("\r\nconnection: close\r\n");
        let status = if is_right { "204 Good" } else { "400 Bad" };
        _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
    })
    .await;
    let check = "http]\nmethod = \"OPTIONS\"\npath = \"/up?x=1\"\nhost = \"shop.example\"\n\
                 headers = { X-Token = \"a b\", user-agent = \"mine\" }\nstatus = 204";
    good(check, address).await;
    bad("http]\nstatus = 204", address).await;
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_off_and_one_that_never_comes_is_late() {
    let (address, sent) =
        never_ends("HTTP/1.1 200 OK\r\n", "x-more: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").await;
    bad("http]", address).await;
    assert!(sent.load(Ordering::SeqCst) < 16 << 20, "a head is at most 16 KiB, and the rest is what sockets hold");
    let (address, _) = never_ends("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n").await;
    late("http]", address).await;

    let line = "no and no and no and no and no and no and no and no and no and no and no and no and no and no and no\n";
    let (address, sent) = never_ends("HTTP/1.1 200 OK\r\n\r\n", line).await;
    assert_eq!(bad("http]\nbody.contains = \"yes\"", address).await, "what it says is not what it should");
    assert!(sent.load(Ordering::SeqCst) < 16 << 20);
    assert_eq!(good("http]\nbody.contains = \"no\"", address).await, "status 200");
    assert_eq!(good("http]\nreport = true", address).await, "status 200");

    let gigabyte = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
    let address = server(move |mut stream| async move {
        _ = stream.read(&mut [0; 4096]).await;
        _ = stream.write_all(gigabyte.as_bytes()).await;
        std::future::pending::<()>().await;
    })
    .await;
    good("http]", address).await;
    late("http]\nbody.contains = \"yes\"", address).await;
    late("http]", silent().await).await;
}

/// Speaks HTTP/2 and answers as it is told: status, headers, pieces of the body, trailers.
async fn speak_h2<S>(
    stream: S,
    answer: http::Response<()>,
    pieces: &[&'static [u8]],
    trailers: &[(&'static str, &'static str)],
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut reply))) = connection.accept().await {
        drop(request);
        let (mut parts, ()) = answer.clone().into_parts();
        parts.version = http::Version::HTTP_2;
        let is_over = pieces.is_empty() && trailers.is_empty();
        let Ok(mut body) = reply.send_response(http::Response::from_parts(parts, ()), is_over) else { return };
        for piece in pieces {
            _ = body.send_data(Bytes::from_static(piece), false);
        }
        let trailers = trailers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        if !is_over {
            _ = body.send_trailers(trailers.collect());
        }
    }
}

async fn h2_server(status: u16, headers: Fields, pieces: Pieces, trailers: Fields) -> SocketAddr {
    server(move |stream| async move {
        let answer = headers
            .iter()
            .fold(http::Response::builder().status(status), |answer, (name, value)| answer.header(*name, *value));
        speak_h2(stream, answer.body(()).unwrap(), pieces, trailers).await;
    })
    .await
}

#[tokio::test]
async fn http2_is_judged_by_the_same() {
    let address = h2_server(200, &[("x-ready", "yes")], &[b"all is ", b"well"], &[]).await;
    let check = |more: &str| format!("http]\nprotocol = \"h2\"\n{more}");
    assert_eq!(good(&check("body.contains = \"is well\"\nheader.name = \"x-ready\""), address).await, "status 200");
    bad(&check("body.contains = \"ill\""), address).await;
    bad(&check("status = 204"), address).await;
    bad(&check(""), says(OK).await).await;
    late(&check(""), silent().await).await;
}

type Pieces = &'static [&'static [u8]];
type Fields = &'static [(&'static str, &'static str)];

const GRPC: Fields = &[("content-type", "application/grpc")];

#[tokio::test]
async fn grpc_has_to_say_serving() {
    const SERVING: &[&[u8]] = &[b"\0\0\0\0\x02\x08\x01"];
    const FINE: &[(&str, &str)] = &[("grpc-status", "0")];
    assert_eq!(good("grpc]", h2_server(200, GRPC, SERVING, FINE).await).await, "serving");
    let split: &[&[u8]] = &[b"\0\0\0", b"\0\x02\x08", b"\x01"];
    good("grpc]\nservice = \"shop.Cart\"", h2_server(200, GRPC, split, FINE).await).await;
    let refusals: [(Pieces, Fields, &str); 6] = [
        (&[b"\0\0\0\0\x02\x08\x02"], FINE, "not serving"),
        (&[b"\0\0\0\0\0"], FINE, "serving status 0"),
        (&[b"\0\0\0\0\x02\x08"], FINE, "not an answer of gRPC: its message is not as long as it says"),
        (&[], FINE, "not an answer of gRPC: it has no message"),
        (SERVING, &[], "not an answer of gRPC: it has no status"),
        (SERVING, &[("grpc-status", "14")], "gRPC status 14"),
    ];
    for (pieces, trailers, words) in refusals {
        assert_eq!(bad("grpc]", h2_server(200, GRPC, pieces, trailers).await).await, words);
    }
    let unknown = &[("content-type", "application/grpc"), ("grpc-status", "5")];
    assert_eq!(
        bad("grpc]", h2_server(200, unknown, &[], &[]).await).await,
        "gRPC status 5: it does not know the service"
    );
    assert_eq!(bad("grpc]", h2_server(503, &[], &[], &[]).await).await, "status 503");
    let long: &[&[u8]] = &[&[0; 1_000], &[0; 1_000]];
    assert_eq!(bad("grpc]", h2_server(200, GRPC, long, FINE).await).await, "not an answer of gRPC: it is too long");
    bad("grpc]", says(OK).await).await;
    late("grpc]", silent().await).await;
}

#[tokio::test]
async fn tcp_sends_and_waits_for_what_should_come() {
    let address = says("220 ready\r\n+PONG\r\n").await;
    assert_eq!(good("tcp]", address).await, "connected");
    good("tcp]\nsend = \"PING\\r\\n\"\nexpect = \"+PONG\"", address).await;
    good("tcp]\nsend = \"hex:00\"\nexpect = \"hex:2b504f4e470d\"", address).await;
    assert!(bad("tcp]\nsend = \"x\"\nexpect = \"-ERR\"", address).await.contains("closed before"));
    bad("tcp]", nobody().await).await;
    late("tcp]\nexpect = \"x\"", silent().await).await;
    let (address, sent) =
        never_ends("a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
            .await;
    assert_eq!(bad("tcp]\nsend = \"x\"\nexpect = \"b\"", address).await, "what it says is not what it should");
    assert!(sent.load(Ordering::SeqCst) < 16 << 20);
}

/// A server with a certificate of its own for a host, which is its own authority; it answers HTTP.
async fn tls_server(folder: &Path, host: &str, protocol: &'static [u8]) -> SocketAddr {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([host.to_owned()]).unwrap();
    fs::write(folder.join("ca.pem"), cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                speak_h2(stream, http::Response::new(()), &[], &[]).await;
                return;
            }
            if matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {
                _ = stream.write_all(OK.as_bytes()).await;
                _ = stream.shutdown().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn certificates_are_verified_and_have_to_be_for_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let address = tls_server(folder.path(), "shop.test", b"http/1.1").await;
    let ca = format!("ca = \"{}\"", folder.path().join("ca.pem").display());
    let check = |kind: &str, more: &str| format!("{kind}]\n{more}\ntls = {{ {ca} }}");
    let named = "server_name = \"shop.test\"";
    for kind in ["tls", "http"] {
        let words = good(&check(kind, named), address).await;
        assert!(words == "status 200" || words.starts_with("certificate good for "), "{words}");
        for wrong in ["", "server_name = \"other.test\""] {
            assert!(bad(&check(kind, wrong), address).await.starts_with("TLS: "), "{kind} {wrong}");
        }
        let nobodys = format!("{kind}]\n{named}\ntls = {{ verify = \"webpki\" }}");
        assert!(bad(&nobodys, address).await.starts_with("TLS: "), "an authority that is not believed");
        assert!(bad(&check(kind, named), says(OK).await).await.starts_with("TLS: "));
        late(&check(kind, named), silent().await).await;
    }
    good(&check("tls", &format!("{named}\nmin_days = 30")), address).await;
    // Until 4096: what generates it takes the longest that there is.
    assert!(good(&check("tls", named), address).await.starts_with("certificate good for 7"));
}

#[tokio::test]
async fn http2_is_spoken_by_tls_where_it_is_agreed_on() {
    let folder = tempfile::tempdir().unwrap();
    let address = tls_server(folder.path(), "shop.test", b"h2").await;
    let tls = format!("server_name = \"shop.test\"\ntls = {{ ca = \"{}\" }}", folder.path().join("ca.pem").display());
    good(&format!("http]\nprotocol = \"h2\"\n{tls}"), address).await;
    assert!(bad(&format!("http]\n{tls}"), address).await.starts_with("TLS: "), "no protocol in common");
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let address = tls_server(folder.path(), "shop.test", b"http/1.1").await;
    let file = folder.path().join("ca.pem");
    let pool = |days: u32| {
        format!("tls]\nmin_days = {days}\nserver_name = \"shop.test\"\ntls = {{ ca = \"{}\" }}", file.display())
    };
    // The key allows ten years at most, so what it is measured by is moved instead.
    good(&pool(3_650), address).await;
    let reach = Directory::default().reach(&address.into());
    let config = config(&pool(0), address);
    let secured = Outward::load(&config).unwrap();
    let wanted = config.pools[0].check.only().unwrap().tls.as_ref().unwrap();
    let tls = secured.of_check(wanted);
    let asked = super::tls::ask(&reach, tls, u32::MAX).await;
    assert!(matches!(asked, Err(super::Failure::EndsSoon(days)) if days > 3_650), "{asked:?}");
}

fn command(script: &str, timing: &str) -> String {
    format!("command]\nprogram = \"sh\"\narguments = [\"-c\", '{script}']\n{timing}")
}

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 81);

#[tokio::test]
async fn a_command_says_it_by_how_it_ends_and_knows_whom_it_is_about() {
    assert_eq!(good("command]\nprogram = \"true\"", ANYWHERE).await, "ended with 0");
    assert_eq!(bad(&command("exit 3", ""), ANYWHERE).await, "the command ended with 3");
    assert_eq!(bad(&command("kill -TERM $$", ""), ANYWHERE).await, "the command was killed");
    assert!(bad("command]\nprogram = \"/nonexistent/x\"", ANYWHERE).await.contains("could not be started"));
    let told = "test \"$MERIDIAN_ADDRESS $MERIDIAN_POOL $MERIDIAN_REGION\" = \"127.0.0.1:81 shop here\"";
    good(&command(told, ""), ANYWHERE).await;
    good(&command("test -z \"$HOME$CARGO_MANIFEST_DIR\" && ! read -r line", ""), ANYWHERE).await;
    good(&command("head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2", ""), ANYWHERE).await;
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let script = format!("sleep 600 & echo $$ $! > {}.new; mv {0}.new {0}; wait", file.display());
    let asked = ask(&command(&script, "timeout = \"2s\""), ANYWHERE).await;
    assert_eq!(&*asked.words, "no answer in time");
    let pids = fs::read_to_string(file).unwrap();
    let is_running = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
    };
    let clock = Clock::system();
    while pids.split_whitespace().any(is_running) {
        assert!(clock.now() < Duration::from_secs(10), "{pids} still run");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn commands_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock").display().to_string();
    let origins: String = (1..=4).map(|port| format!("{{ address = \"127.0.0.1:{port}\" }}, ")).collect();
    let text = format!(
        "regions.here = {{ addresses = [\"192.0.2.1\"], check = \"none\" }}\nhealth.max_commands = 1\n[pools.shop]\n\
         origins = [{origins}]\n[pools.shop.check.{}\n",
        command(&format!("mkdir {lock} || exit 9; sleep 0.05; rmdir {lock}"), TIMING)
    );
    let config = from_text("test.toml", &text, &Identity::default()).config.unwrap();
    for outcome in outcomes(&config).await {
        assert!(outcome.probes[0].1.is_good, "two at once: {outcome:?}");
    }
}
