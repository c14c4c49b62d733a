//! What is probed: every origin, and every address of every front door.

use std::{net::SocketAddr, sync::Arc};

use super::Tree;
use crate::{
    config::{Check, CheckKind, Checks, Config},
    fleet::{Address, Subject},
};

/// One thing to know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What the verdict is about.
    pub subject: Subject,
    /// Its configured weight, which what it says of its weight is measured by; nothing for a front door.
    pub weight: Option<u16>,
    /// What is asked for it. A front door works if one of its addresses does: clients try them in turn.
    pub probes: Tree<Asked>,
}

/// One question to one address. The same question is asked once, however many targets need it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Who is asked.
    pub address: Address,
    /// How.
    pub check: Arc<Check>,
    /// The region that a command is told; nobody else is told any.
    pub region: Option<Arc<str>>,
}

impl Asked {
    fn at(address: &Address, check: &Arc<Check>, region: &Arc<str>) -> Self {
        Self {
            address: check.port.map_or_else(|| address.clone(), |port| address.with_port(port)),
            check: Arc::clone(check),
            region: matches!(check.kind, CheckKind::Command { .. }).then(|| Arc::clone(region)),
        }
    }
}

/// Everything that a config wants probed; what is not checked is not among it.
pub fn targets(config: &Config) -> Vec<Target> {
    let origins = config.pools.iter().flat_map(|pool| {
        pool.origins.iter().filter_map(|origin| {
            let region = &config.regions[origin.region.index()].name;
            Some(Target {
                subject: Subject::Origin { pool: Arc::clone(&pool.name), address: origin.address.clone() },
                weight: Some(origin.weight),
                probes: tree(&pool.check, &mut |check| Asked::at(&origin.address, check, region))?,
            })
        })
    });
    let front_doors = config.regions.iter().filter_map(|region| {
        let at = |ip| {
            let address = SocketAddr::new(ip, 0).into();
            tree(&region.check, &mut |check| Asked::at(&address, check, &region.name))
        };
        let mut doors = region.addresses.iter().map(|ip| at(*ip)).collect::<Option<Vec<_>>>()?;
        Some(Target {
            subject: Subject::FrontDoor { region: Arc::clone(&region.name) },
            weight: None,
            probes: if doors.len() == 1 { doors.pop()? } else { Tree::AtLeast(1, doors) },
        })
    });
    origins.chain(front_doors).collect()
}

/// The same shape with a question for each check; nothing where nobody asks.
fn tree(checks: &Checks, ask: &mut impl FnMut(&Arc<Check>) -> Asked) -> Option<Tree<Asked>> {
    match checks {
        Checks::None => None,
        Checks::One(check) => Some(Tree::Leaf(ask(check))),
        Checks::AtLeast { count, of } => {
            Some(Tree::AtLeast(*count, of.iter().map(|one| tree(one, ask)).collect::<Option<_>>()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Identity, from_text};

    fn all(text: &str) -> Vec<Target> {
        targets(&from_text("test.toml", text, &Identity::default()).config.unwrap())
    }

    #[test]
    fn several_addresses_of_a_door_are_any_of_them_and_who_is_not_checked_is_no_target() {
        let text = "[regions.here]\naddresses = [\"192.0.2.1\", \"192.0.2.2\"]\n[regions.there]\naddresses = [\"192.0.2.3\"]\n\
                    check = \"none\"\n[pools.shop]\ncheck = \"none\"\norigins = [{ address = \"10.0.0.1:1\", region = \"here\" }]\n\
                    [node]\nregion = \"here\"\n";
        let targets = all(text);
        assert_eq!(targets.len(), 1);
        let Tree::AtLeast(1, doors) = &targets[0].probes else { panic!("{targets:?}") };
        let Tree::Leaf(second) = &doors[1] else { panic!("{doors:?}") };
        assert_eq!(second.address, "192.0.2.2:80".parse().unwrap());
    }

    #[test]
    fn the_same_check_of_one_address_is_one_question_but_a_command_is_its_pools() {
        let text = "regions.here.addresses = [\"192.0.2.1\"]\n\
                    checks.db.tcp = { port = 5432 }\nchecks.script.command = { program = \"true\" }\n\
                    [pools.a]\ncheck.all = [\"db\", \"script\"]\norigins = [{ address = \"10.0.0.1:1\" }]\n\
                    [pools.b]\ncheck.all = [\"db\", \"script\"]\norigins = [{ address = \"10.0.0.1:2\" }]\n";
        let targets = all(text);
        let leaves = |target: &Target| {
            let mut all = Vec::new();
            target.probes.each(&mut |leaf| all.push(leaf.clone()));
            all
        };
        let (a, b) = (leaves(&targets[0]), leaves(&targets[1]));
        assert_eq!(a[0], b[0], "asked at the check's own port");
        assert_ne!(a[1], b[1]);
    }
}
