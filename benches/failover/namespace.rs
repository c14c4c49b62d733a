//! A host of its own for one server: a network namespace with a cable to ours. Needs root and iproute2; without, what needs it is left out.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// Ours, and the other's end of the cable.
pub(crate) const THERE: &str = "10.213.0.2";
const HERE: &str = "10.213.0.1";

/// The namespace; it goes with the value.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

impl Namespace {
    /// `None` where it cannot be made.
    pub(crate) fn make() -> Option<Self> {
        // A cable goes some time after its namespace: no two have one name.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() % 10_000 * 10 + MADE.fetch_add(1, Ordering::Relaxed) % 10;
        let (name, cable) = (format!("meridian-{number}"), format!("mer{number}"));
        let end = format!("{cable}b");
        ip(&["netns", "add", &name]).then_some(())?;
        let made = Self { name };
        let name = &made.name;
        let steps: [&[&str]; 6] = [
            &["link", "add", &cable, "type", "veth", "peer", "name", &end, "netns", name],
            &["address", "add", &format!("{HERE}/30"), "dev", &cable],
            &["link", "set", &cable, "up"],
            &["-n", name, "address", "add", &format!("{THERE}/30"), "dev", &end],
            &["-n", name, "link", "set", &end, "up"],
            &["-n", name, "link", "set", "lo", "up"],
        ];
        steps.iter().all(|step| ip(step)).then_some(made)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.name]);
    }
}

/// Whether the command did what it should.
pub(crate) fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stderr(Stdio::null()).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
