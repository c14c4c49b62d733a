//! A host of its own for one server: a network namespace with a cable to ours. Needs root and iproute2; without, what needs it is left out.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The namespace; it goes with the value.
pub(crate) struct Namespace {
    pub(crate) name: String,
    /// The network of the cable, its other end, and ours.
    network: String,
    pub(crate) there: String,
    here: String,
}

impl Namespace {
    /// `None` where it cannot be made.
    pub(crate) fn make() -> Option<Self> {
        // A cable goes some time after its namespace: no two have one name, or one network.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed) % 250;
        let number = std::process::id() % 10_000 * 250 + made;
        let (name, cable) = (format!("meridian-{number}"), format!("mer{number}"));
        let end = format!("{cable}b");
        ip(&["netns", "add", &name]).then_some(())?;
        let at = |last: &str| format!("10.213.{made}.{last}");
        let made = Self { name, network: at("0/30"), there: at("2"), here: at("1") };
        let Self { name, there, here, .. } = &made;
        let steps: [&[&str]; 6] = [
            &["link", "add", &cable, "type", "veth", "peer", "name", &end, "netns", name],
            &["address", "add", &format!("{here}/30"), "dev", &cable],
            &["link", "set", &cable, "up"],
            &["-n", name, "address", "add", &format!("{there}/30"), "dev", &end],
            &["-n", name, "link", "set", &end, "up"],
            &["-n", name, "link", "set", "lo", "up"],
        ];
        steps.iter().all(|step| ip(step)).then_some(made)
    }

    /// What is answered there goes nowhere from now on, and nobody is told.
    pub(crate) fn cut(&self) {
        for route in [&self.network, &format!("{}/32", self.here)] {
            ip(&["-n", &self.name, "route", "replace", "blackhole", route]);
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.name]);
    }
}

/// Whether the command did what it should.
fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stderr(Stdio::null()).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
