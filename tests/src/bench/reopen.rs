//! Opening a store in a fresh process: after a clean end, after a kill in the middle of an ingest, and
//! without its view. What the operating system has cached stays cached.

use anyhow::Result;

use super::Plan;
use super::ingest::Filling;
use super::load::mebi;
use super::report::Report;
use super::server::open_afresh;

/// The server that is killed takes one row more for so many that are in.
const KILLED_AFTER: u64 = 20;

pub(super) async fn measure(filling: &mut Filling, plan: &Plan, report: &mut Report) -> Result<()> {
    filling.server.stop()?;
    let rows = filling.rows;
    tell(filling, &format!("after a clean end, {rows} rows"), report)?;

    let more = (rows / KILLED_AFTER).max(1);
    let rows = filling.fill_and_kill(plan, more).await?;
    tell(filling, &format!("after kill -9, {rows} rows"), report)?;

    std::fs::remove_dir_all(filling.folder.join("view"))?;
    tell(filling, &format!("without the view, {rows} rows"), report)
}

fn tell(filling: &Filling, when: &str, report: &mut Report) -> Result<()> {
    let opened = open_afresh(&filling.folder)?;
    // The store keeps aside a view that it could not believe.
    let rebuilt = if filling.folder.join("view.damaged").exists() {
        " (the view was rebuilt)"
    } else {
        ""
    };
    let took = opened.took.as_secs_f64();
    report.add("reopen", format!("{when}{rebuilt}"), took, "s");
    let memory = mebi(opened.peak_memory);
    report.add("reopen", format!("{when}, peak memory"), memory, "MiB");
    Ok(())
}
