//! Asking: the hosts file, then the servers.

use std::{net::IpAddr, str::FromStr, time::Duration};

use hickory_resolver::{
    Hosts, TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig},
    lookup::Lookup,
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::Query,
        rr::{Name, RecordType},
    },
    system_conf,
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    known::{Answer, Found},
    race::MAX_ADDRESSES,
};
use crate::config;

/// Who is asked, and how; made anew when the config or the system's files may have changed.
pub(super) struct Client {
    pub(super) settings: config::Resolver,
    hosts: Hosts,
    servers: Result<TokioResolver, NetError>,
    /// Bounds what is asked at once.
    places: Semaphore,
}

impl Client {
    /// Reads the system's files. Where they cannot be read that is logged, and only what needs them fails.
    pub(super) fn new(settings: &config::Resolver) -> Self {
        let hosts = Hosts::from_system().unwrap_or_else(|error| {
            tracing::warn!(%error, "the hosts file cannot be read");
            Hosts::default()
        });
        let servers = servers(settings);
        if let Err(error) = &servers {
            tracing::warn!(%error, "names of origins cannot be looked up: name the servers in `resolver.servers`");
        }
        Self { settings: settings.clone(), hosts, servers, places: Semaphore::new(settings.max_in_flight) }
    }

    /// Both families at the same time, within the time for one lookup.
    pub(super) async fn look_up(&self, host: &str) -> Answer {
        let Ok(mut name) = Name::from_str(host) else {
            let failed = || Found::Failed("it is no name".into());
            return Answer { v6: failed(), v4: failed() };
        };
        name.set_fqdn(true);
        let fixed = |kind| self.hosts.lookup_static_host(&Query::query(name.clone(), kind));
        let (v6, v4) = (fixed(RecordType::AAAA), fixed(RecordType::A));
        if v6.is_some() || v4.is_some() {
            let found = |lookup: Option<Lookup>| lookup.map_or(Found::Nothing, |lookup| found(&lookup));
            return Answer { v6: found(v6), v4: found(v4) };
        }
        let _place = self.places.acquire().await;
        let (v6, v4) = tokio::join!(self.ask(&name, RecordType::AAAA), self.ask(&name, RecordType::A));
        Answer { v6, v4 }
    }

    async fn ask(&self, name: &Name, kind: RecordType) -> Found {
        let servers = match &self.servers {
            Ok(servers) => servers,
            Err(error) => return Found::Failed(error.to_string()),
        };
        match timeout(self.settings.timeout, servers.lookup(name.clone(), kind)).await {
            Ok(Ok(lookup)) => found(&lookup),
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(_)))) => Found::Nothing,
            Ok(Err(error)) => Found::Failed(error.to_string()),
            Err(_) => Found::Failed("no answer in time".into()),
        }
    }
}

/// Without a cache, whose idea of a TTL would stand before ours.
fn servers(settings: &config::Resolver) -> Result<TokioResolver, NetError> {
    let config = if settings.servers.is_empty() {
        system_conf::read_system_conf()?.0
    } else {
        let server = |address: &std::net::SocketAddr| {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            server.connections.iter_mut().for_each(|connection| connection.port = address.port());
            server
        };
        ResolverConfig::from_name_servers(settings.servers.iter().map(server).collect())
    };
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.edns0 = true;
    // A lost datagram gets a second try within the time for the whole.
    options.timeout = settings.timeout / 2;
    options.attempts = 1;
    builder.build()
}

/// The addresses of an answer; with aliases on the way, the shortest TTL counts. Those that no server can have are left out: some
/// resolvers say `0.0.0.0` for "blocked", and connecting to it would lead to this machine.
fn found(lookup: &Lookup) -> Found {
    let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
    let usable = addresses.filter(|address| !address.is_unspecified() && !address.is_multicast());
    let addresses: Vec<IpAddr> = usable.take(MAX_ADDRESSES).collect();
    let ttl = lookup.answers().iter().map(|record| record.ttl).min().unwrap_or_default();
    if addresses.is_empty() { Found::Nothing } else { Found::Addresses(addresses, Duration::from_secs(ttl.into())) }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use hickory_resolver::proto::{
        op::{Message, ResponseCode},
        rr::{RData, Record, rdata::CNAME},
    };
    use tokio::net::UdpSocket;

    use super::*;

    /// A server that has an alias with a TTL of 7 s to an address with one of 30 s, and a bad day.
    async fn server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                let query = Message::from_vec(&buffer[..length]).unwrap();
                let (question, mut answer) =
                    (query.queries[0].clone(), Message::response(query.metadata.id, query.metadata.op_code));
                answer.add_query(question.clone());
                match (question.name().to_ascii().as_str(), question.query_type()) {
                    ("silent.test.", _) => continue,
                    ("broken.test.", _) => answer.metadata.response_code = ResponseCode::ServFail,
                    ("alias.test.", RecordType::A) => {
                        let target = Name::from_ascii("target.test.").unwrap();
                        let alias = RData::CNAME(CNAME(target.clone()));
                        answer.add_answer(Record::from_rdata(question.name().clone(), 7, alias));
                        for last in [0, 9] {
                            let data = RData::A(std::net::Ipv4Addr::new(0, 0, 0, last).into());
                            answer.add_answer(Record::from_rdata(target.clone(), 30, data));
                        }
                    }
                    _ => answer.metadata.response_code = ResponseCode::NXDomain,
                }
                socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn answers_say_where_for_how_long_or_why_not() {
        let settings = config::Resolver {
            servers: vec![server().await],
            timeout: Duration::from_millis(200),
            min_ttl: Duration::from_secs(1),
            max_ttl: Duration::from_mins(1),
            max_in_flight: 4,
        };
        let client = Client::new(&settings);
        let address = Found::Addresses(vec!["0.0.0.9".parse().unwrap()], Duration::from_secs(7));
        assert_eq!(client.look_up("alias.test").await, Answer { v6: Found::Nothing, v4: address });
        assert_eq!(client.look_up("absent.test").await, Answer { v6: Found::Nothing, v4: Found::Nothing });
        for host in ["broken.test", "silent.test"] {
            let answer = client.look_up(host).await;
            assert!(matches!(answer, Answer { v6: Found::Failed(_), v4: Found::Failed(_) }), "{host}: {answer:?}");
        }
        let Found::Addresses(..) = client.look_up("localhost").await.v4 else { panic!("`localhost` is no question") };
    }
}
