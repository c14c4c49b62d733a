//! `meridian demo`: three regions on loopback to try things on.
//!
//! Each region is a real node, a process of its own that can be killed; its origins live in this process and can be told to fail.

mod certificates;
mod guide;
mod nodes;
mod origins;
mod ports;
mod scene;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use super::report;
use scene::Scene;

/// Nodes are ready within a second here; ten mean that something is wrong.
const READY_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn run() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("the demo cannot run: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn play() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let directory = Directory::create()?;
    runtime.block_on(async {
        let scene = Scene::find_places()?;
        origins::start(&scene)?;
        certificates::write(&scene, &directory.0)?;
        let mut nodes = nodes::start(&scene, &directory.0)?;
        report::say("starting three regions ...\n");
        nodes.wait_until_ready(&scene, READY_WITHIN).await?;
        report::say(&guide::text(&scene, &nodes, &directory.0));
        nodes.watch_until_interrupted().await;
        report::say("\nstopping ...\n");
        nodes.stop().await;
        Ok(())
    })
}

/// Where the demo's config, logs and state live; removed when it ends.
struct Directory(PathBuf);

impl Directory {
    fn create() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("meridian-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
