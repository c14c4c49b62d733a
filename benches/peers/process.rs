//! Programs that are started here, each on its core, and end with us.

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

/// A program that runs until it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it, pinned to a core and silent.
    pub(crate) fn start(core: u32, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string(), program]).args(arguments);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Those of the programs that cannot be found.
pub(crate) fn missing<'a>(programs: &[&'a str]) -> Vec<&'a str> {
    let is_found = |name: &&str| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).chain(["/usr/sbin".into()]).any(|folder| folder.join(name).is_file())
    };
    programs.iter().copied().filter(|name| !is_found(name)).collect()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
