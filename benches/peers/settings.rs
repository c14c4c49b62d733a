//! What the origin and the proxies are told: equal settings, as far as they can be.
//!
//! One worker. Connections are kept on both sides, and the same three headers are added. TLS 1.3 alone; the client's order decides between
//! AES-128 and AES-256. HAProxy and nginx keep no sessions. meridian cannot be told so: it sends tickets, which no client uses.

use std::path::Path;

use crate::certificate::Certificate;

/// Where one proxy listens, and where its origin does.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) clear: u16,
    pub(crate) tls: u16,
    pub(crate) origin: u16,
}

/// nginx, sending files.
pub(crate) fn origin(at: &Path, port: u16) -> String {
    format!(
        "{}http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=10;\n{}\
         server {{ listen 127.0.0.1:{port} backlog=4096; root {}; }} }}\n",
        nginx_process(at, "origin"),
        nginx_paths(at),
        at.display()
    )
}

pub(crate) fn nginx(at: &Path, certificate: &Certificate, ports: Ports) -> String {
    let Ports { clear, tls, origin } = ports;
    format!(
        "{}http {{ access_log off; keepalive_requests 100000000;\n{}\
         ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;\n\
         upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 100000000; }}\n\
         server {{ listen 127.0.0.1:{clear} backlog=4096; listen 127.0.0.1:{tls} ssl http2 backlog=4096;\n\
         location / {{ proxy_pass http://origin; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $host;\n\
         proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-Id $request_id; }} }} }}\n",
        nginx_process(at, "proxy"),
        nginx_paths(at),
        certificate.chain.display(),
        certificate.key.display(),
    )
}

fn nginx_process(at: &Path, name: &str) -> String {
    format!(
        "daemon off; master_process off; worker_processes 1; pid {}/nginx-{name}.pid; error_log /dev/null;\n\
         events {{ worker_connections 30000; }}\n",
        at.display()
    )
}

fn nginx_paths(at: &Path) -> String {
    ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", at.display()))
        .collect()
}

pub(crate) fn haproxy(certificate: &Certificate, ports: Ports) -> String {
    let Ports { clear, tls, origin } = ports;
    let front = |name: &str, bind: String| {
        format!(
            "frontend {name}\n bind {bind} backlog 4096\n unique-id-format %[uuid()]\n unique-id-header X-Request-Id\n \
             http-request set-header X-Forwarded-Proto {name}\n default_backend back\n"
        )
    };
    format!(
        "global\n nbthread 1\n maxconn 9900\n tune.ssl.cachesize 0\n\
         defaults\n mode http\n timeout connect 1s\n timeout client 60s\n timeout server 30s\n option forwardfor\n http-reuse always\n\
         {}{}backend back\n server origin 127.0.0.1:{origin}\n",
        front("http", format!("127.0.0.1:{clear}")),
        front(
            "https",
            format!(
                "127.0.0.1:{tls} ssl crt {} alpn h2,http/1.1 ssl-min-ver TLSv1.3 no-tls-tickets prefer-client-ciphers",
                certificate.both.display()
            )
        ),
    )
}

pub(crate) fn meridian(certificate: &Certificate, ports: Ports, [dns, admin]: [u16; 2]) -> String {
    let Ports { clear, tls, origin } = ports;
    // `wrk` and `h2load` ask for an address, and so for no host.
    format!(
        "[listen]\nhttp = [\"127.0.0.1:{clear}\"]\nhttps = [\"127.0.0.1:{tls}\"]\n\
         dns = [\"127.0.0.1:{dns}\"]\nadmin = \"127.0.0.1:{admin}\"\n\
         [tls]\nmin_version = \"1.3\"\nunknown_host = \"first\"\n[[tls.certificates]]\nchain = \"{}\"\nkey = \"{}\"\n\
         [http]\nworkers = 1\nmax_connections = 30000\nmax_connections_per_client = 30000\n[dns]\nthreads = 1\n\
         [regions.here]\naddresses = [\"127.0.0.1\"]\n[regions.here.check.tcp]\nport = {clear}\n\
         [[routes]]\nhost = \"*\"\npool = \"origin\"\n\
         [pools.origin]\nmax_idle_connections = 256\n[[pools.origin.origins]]\naddress = \"127.0.0.1:{origin}\"\n",
        certificate.chain.display(),
        certificate.key.display(),
    )
}
