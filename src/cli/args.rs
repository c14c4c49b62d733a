//! What can be typed.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::LazyLock,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{check, demo, explain, geo, operate, probe, report, schema, serve, status};
use crate::{admin::RouteQuestion, config::Identity, telemetry::LogFormat};

/// The program's, and how old the places are that it knows by itself.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{}\ncountries of {}", env!("CARGO_PKG_VERSION"), crate::geo::embedded_date()));

/// A global load balancer: authoritative GeoDNS and an HTTP proxy that answer from one table of health.
#[derive(Debug, Parser)]
#[command(name = "meridian", version = VERSION.as_str(), arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node.
    Serve(Serve),
    /// Say everything that is wrong with a config, and start nothing.
    Check(Check),
    /// Ask origins and front doors once by their checks, from here, and show what comes back.
    Probe(Probe),
    /// Print the JSON Schema of the config, for editors.
    Schema(Schema),
    /// Show what a running node believes.
    Status(Status),
    /// Say why a running node decides as it does.
    Explain(Explain),
    /// Take a region or an origin out of service on a node: its DNS answers lead elsewhere, clients with a kept connection are let go at a
    /// pace, and requests go to the next region meanwhile. Nodes do not tell each other: name all of them with --admin.
    Drain(Drain),
    /// Take it back into service on a node: nobody's word stands against its checks any more.
    Ready(Ready),
    /// Say what a database of places is.
    Geo(Geo),
    /// Run three small regions on loopback, with origins of their own, to try things on.
    Demo,
}

/// What differs from node to node, over what the config says.
#[derive(Debug, Args)]
struct NodeFlags {
    /// The node's name.
    #[arg(long, env = "MERIDIAN_NODE_NAME", value_name = "NAME")]
    node_name: Option<String>,
    /// The region it stands in.
    #[arg(long, env = "MERIDIAN_REGION", value_name = "REGION")]
    region: Option<String>,
    /// Where it listens for HTTP; may be given more than once.
    #[arg(long, env = "MERIDIAN_LISTEN_HTTP", value_name = "ADDRESS", value_delimiter = ',')]
    listen_http: Vec<SocketAddr>,
    /// Where it listens for HTTPS; may be given more than once.
    #[arg(long, value_name = "ADDRESS", env = "MERIDIAN_LISTEN_HTTPS", value_delimiter = ',')]
    listen_https: Vec<SocketAddr>,
    /// Where it listens for DNS; may be given more than once.
    #[arg(long, env = "MERIDIAN_LISTEN_DNS", value_name = "ADDRESS", value_delimiter = ',')]
    listen_dns: Vec<SocketAddr>,
    /// Where the admin API, metrics and health pages are.
    #[arg(long, env = "MERIDIAN_LISTEN_ADMIN", value_name = "ADDRESS")]
    listen_admin: Option<SocketAddr>,
    /// Where it keeps what must survive a restart.
    #[arg(long, env = "MERIDIAN_STATE_DIRECTORY", value_name = "DIRECTORY")]
    state_directory: Option<PathBuf>,
}

impl From<NodeFlags> for Identity {
    fn from(flags: NodeFlags) -> Self {
        Self {
            node_name: flags.node_name,
            region: flags.region,
            http: flags.listen_http,
            https: flags.listen_https,
            dns: flags.listen_dns,
            admin: flags.listen_admin,
            state_directory: flags.state_directory,
        }
    }
}

#[derive(Debug, Args)]
struct Serve {
    /// A config file, or a directory of `*.toml` files.
    #[arg(long, env = "MERIDIAN_CONFIG", value_name = "PATH")]
    config: PathBuf,
    #[command(flatten)]
    node: NodeFlags,
    /// How log lines look.
    #[arg(long, env = "MERIDIAN_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
    /// Which log lines are written: a level, or a filter such as `info,meridian::health=debug`.
    #[arg(long, env = "MERIDIAN_LOG_LEVEL", value_name = "FILTER", default_value = "info")]
    log_level: String,
    /// Drain and stop when standard input ends, too; for a parent process that wants no orphans.
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

#[derive(Debug, Args)]
struct Check {
    /// A config file, or a directory of `*.toml` files.
    #[arg(env = "MERIDIAN_CONFIG", value_name = "PATH", default_value = "meridian.toml")]
    config: PathBuf,
    #[command(flatten)]
    node: NodeFlags,
    /// How mistakes are told.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct Probe {
    /// A pool, whose origins are asked, or a region, whose front door is; everything where none is named.
    #[arg(value_name = "POOL|REGION")]
    name: Option<String>,
    /// A config file, or a directory of `*.toml` files.
    #[arg(long, env = "MERIDIAN_CONFIG", value_name = "PATH", default_value = "meridian.toml")]
    config: PathBuf,
    #[command(flatten)]
    node: NodeFlags,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For editors and CI.
    Json,
}

#[derive(Debug, Args)]
struct Schema {
    /// Print the reference page of every key instead, as Markdown.
    #[arg(long)]
    reference: bool,
}

#[derive(Debug, Args)]
struct Explain {
    #[command(subcommand)]
    what: Explained,
}

#[derive(Debug, Subcommand)]
enum Explained {
    /// A request: its route, each region and why it is passed over, the rung of the ladder, the origin.
    Route {
        /// An `http` or `https` URL.
        url: String,
        /// Whose request it is.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
        from: IpAddr,
        /// Its method.
        #[arg(long, value_name = "METHOD", default_value = "GET")]
        method: String,
        /// A header of it, as `NAME: VALUE`; may be given more than once.
        #[arg(long = "header", value_name = "HEADER", value_parser = header)]
        headers: Vec<(String, String)>,
        #[command(flatten)]
        node: Asked,
    },
    /// A DNS answer: each step from the client's place to the region.
    Dns {
        /// The name asked for.
        name: String,
        /// Whose query it is.
        #[arg(long, value_name = "ADDRESS")]
        from: IpAddr,
        /// The type asked for.
        #[arg(long = "type", value_name = "TYPE", default_value = "A")]
        kind: String,
        #[command(flatten)]
        node: Asked,
    },
}

#[derive(Debug, Args)]
struct Geo {
    /// An MMDB file; the embedded table of countries where there is none.
    #[arg(value_name = "FILE.mmdb")]
    file: Option<PathBuf>,
    /// Write its countries to a file, in the form in which the binary embeds them.
    #[arg(long, value_name = "OUT", requires = "file")]
    pack: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Drain {
    #[command(flatten)]
    order: Order,
    /// Less and less for so long before, such as `10m`; at once without.
    #[arg(long, value_name = "DURATION")]
    over: Option<String>,
    /// For so long, such as `2h`; until `ready` without.
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<String>,
}

#[derive(Debug, Args)]
struct Ready {
    #[command(flatten)]
    order: Order,
}

/// Whom it is about, and who decides.
#[derive(Debug, Args)]
struct Order {
    /// A region, or an origin as `POOL/ADDRESS`.
    #[arg(value_name = "REGION")]
    subject: String,
    /// Why, for those who come after.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides.
    #[arg(long, env = "USER", value_name = "NAME")]
    author: String,
    /// The admin address of a node that is told; may be given more than once. Others go on as before.
    #[arg(long, env = "MERIDIAN_ADMIN", value_name = "ADDRESS", default_value = "127.0.0.1:9900")]
    admin: Vec<SocketAddr>,
    /// The file with the admin token: one for all of them, or one for each in the same order.
    #[arg(long, env = "MERIDIAN_ADMIN_TOKEN_FILE", value_name = "FILE", default_value = "state/admin.token")]
    token_file: Vec<PathBuf>,
    /// Print the JSON that the node sent; of several, a line for each with the address of its `node` and its `answer`.
    #[arg(long)]
    json: bool,
}

impl From<Order> for operate::Order {
    fn from(order: Order) -> Self {
        let Order { subject, reason, author, admin: nodes, token_file: token_files, json } = order;
        Self { subject, author, reason, nodes, token_files, json }
    }
}

#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    node: Asked,
}

/// Which running node is asked, and how its answer is shown.
#[derive(Debug, Args)]
struct Asked {
    /// The node's admin address.
    #[arg(long, env = "MERIDIAN_ADMIN", value_name = "ADDRESS", default_value = "127.0.0.1:9900")]
    admin: SocketAddr,
    /// The file with the admin token.
    #[arg(long, env = "MERIDIAN_ADMIN_TOKEN_FILE", value_name = "FILE", default_value = "state/admin.token")]
    token_file: PathBuf,
    /// Print the JSON that the node sent.
    #[arg(long)]
    json: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written `NAME: VALUE`")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

/// Parses the command line and runs it.
pub fn run() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help and version end here, too; clap knows which of them is a mistake.
            _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match command {
        Command::Serve(serve) => serve::run(
            serve::Options {
                config: serve.config,
                identity: serve.node.into(),
                stop_with_stdin: serve.stop_with_stdin,
            },
            serve.log_format,
            &serve.log_level,
        ),
        Command::Check(check) => {
            let format = match check.format {
                Format::Text => check::Format::Text { colour: report::is_colourful() },
                Format::Json => check::Format::Json,
            };
            let answer = check::run(&check.config, &check.node.into(), format);
            report::say(&answer.text);
            if answer.is_usable { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Probe(asked) => probe::run(&asked.config, &asked.node.into(), asked.name.as_deref(), asked.json),
        Command::Schema(Schema { reference: true }) => report::say(&schema::run(schema::Form::Reference)),
        Command::Schema(_) => report::say(&schema::run(schema::Form::JsonSchema)),
        Command::Status(Status { node }) => status::run(node.admin, &node.token_file, node.json),
        Command::Explain(Explain { what: Explained::Route { url, from, method, headers, node } }) => {
            let question = RouteQuestion { method, url, from, headers };
            explain::route(&question, node.admin, &node.token_file, node.json)
        }
        Command::Explain(Explain { what: Explained::Dns { name, from, kind, node } }) => {
            explain::dns(&name, from, &kind, node.admin, &node.token_file, node.json)
        }
        Command::Drain(Drain { order, over, expires_in }) => operate::drain(&order.into(), over, expires_in),
        Command::Ready(Ready { order }) => operate::ready(&order.into()),
        Command::Geo(about) => geo::run(about.file.as_deref(), about.pack.as_deref()),
        Command::Demo => demo::run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_version_says_how_old_the_embedded_countries_are() {
        let text = Cli::command().render_version();
        let date = crate::geo::embedded_date();
        assert_eq!(text, format!("meridian {}\ncountries of {date}\n", env!("CARGO_PKG_VERSION")));
    }

    /// One variable means the same to all commands.
    #[test]
    fn several_nodes_are_named_one_by_one() {
        let order = ["meridian", "ready", "near", "--author", "ada", "--reason", "x"];
        let with = |more: &[&'static str]| Cli::try_parse_from(order.into_iter().chain(more.iter().copied()));
        assert!(with(&["--admin", "127.0.0.1:1", "--admin", "127.0.0.1:2"]).is_ok());
        assert!(with(&["--admin", "127.0.0.1:1,127.0.0.1:2"]).is_err());
    }

    #[test]
    fn nothing_is_packed_without_a_file() {
        assert!(Cli::try_parse_from(["meridian", "geo", "--pack", "out.bin"]).is_err());
        assert!(Cli::try_parse_from(["meridian", "geo", "x.mmdb", "--pack", "out.bin"]).is_ok());
    }
}
