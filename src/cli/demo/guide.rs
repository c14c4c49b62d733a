//! What the demo prints: what runs, and what to try.

use std::path::Path;

use super::{
    certificates::AUTHORITY,
    nodes::Nodes,
    scene::{Place, Scene},
};

/// How this program is called from where the user stands.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_else(|_| "meridian".into());
    let here = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    here.unwrap_or(&path).display().to_string()
}

/// The guide, for a terminal of 100 columns.
pub(super) fn text(scene: &Scene, nodes: &Nodes, directory: &Path) -> String {
    let first = &scene.places[0];
    let (http, dns, admin) = (scene.http(first), scene.dns(first), scene.admin(first));
    let (dns_address, dns_port, panel) = (dns.ip(), dns.port(), scene.panel());
    let (region, https) = (first.region, scene.https(first));
    let authority = directory.join(AUTHORITY);
    let authority = authority.display();
    let token_of = |node: &str| directory.join(node).join("admin.token").display().to_string();
    let token = token_of(first.node);
    let one =
        |place: &Place| format!(" \\\n      --admin {} --token-file {}", scene.admin(place), token_of(place.node));
    let all: String = scene.places.iter().map(one).collect();
    let program = program();
    let rows: String = scene
        .places
        .iter()
        .enumerate()
        .map(|(number, place)| {
            format!(
                "    {:<11} http://{:<16} dns {:<16} admin {:<16} pid {}\n",
                place.region,
                scene.http(place).to_string(),
                scene.dns(place).to_string(),
                scene.admin(place).to_string(),
                nodes.process_id(number),
            )
        })
        .collect();
    format!(
        r"
  meridian demo: three regions, two origins each, one table of health per node

{rows}
  Ask a region, in the clear and by HTTP/2 over TLS
    curl http://{http}/
    curl --cacert {authority} https://{https}/

  Ask DNS which region is next to a client: in Europe, in America, in Australia
    dig @{dns_address} -p {dns_port} shop.example A +short +subnet=193.0.6.0/24
    dig @{dns_address} -p {dns_port} shop.example A +short +subnet=8.8.8.0/24
    dig @{dns_address} -p {dns_port} shop.example A +short +subnet=139.130.4.0/24
    {program} explain dns shop.example --from 8.8.8.8 --admin {admin} --token-file {token}

  See what a node believes
    {program} status --admin {admin} --token-file {token}
    curl http://{admin}/metrics

  Let the origins of {region} fail, and watch it leave DNS and HTTP together (about 2 s)
    curl -X POST http://{panel}/fail/{region}
    curl http://{http}/                                  # answered by the nearest other region
    dig @{dns_address} -p {dns_port} shop.example A +short
    curl -X POST http://{panel}/recover/{region}         # held for 5 s, then all of its clients within 20 s
    {program} explain route http://shop.example/ --admin {admin} --token-file {token}

  Kill a whole node (front door gone), or drain its region by hand, on all nodes
    kill -9 {last_process}
    {program} drain us-east --over 20s --expires-in 2m --reason trying --author me{all}
    {program} ready us-east --reason enough --author me{all}

  Logs and config: {directory}
  Stop with Ctrl-C.

",
        last_process = nodes.process_id(scene.places.len() - 1),
        directory = directory.display(),
    )
}
