//! What the system says of a process and of the machine. Linux says it in `/proc`; elsewhere these
//! figures are zero.

use std::time::Duration;

/// How often a second Linux counts CPU time in `/proc`, on every architecture it shows that to.
const TICKS: u64 = 100;

/// The most memory that a process has held so far, in bytes.
pub(super) fn peak_memory(process: u32) -> u64 {
    1024 * number_after(&format!("/proc/{process}/status"), "VmHWM:")
}

/// The memory that a process holds, in bytes.
pub(super) fn memory(process: u32) -> u64 {
    1024 * number_after(&format!("/proc/{process}/status"), "VmRSS:")
}

/// The CPU time of a process so far, in user mode and in the kernel.
pub(super) fn cpu_time(process: u32) -> Duration {
    let stat = read(&format!("/proc/{process}/stat"));
    // The name, in parentheses, may hold spaces; what follows it does not.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}

/// One line on the machine, and on the build.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let memory = number_after("/proc/meminfo", "MemTotal:") / (1024 * 1024);
    let build = if cfg!(debug_assertions) {
        "; NOT OPTIMISED, the figures mean nothing"
    } else {
        ""
    };
    let system = std::env::consts::OS;
    format!(
        "{cores} cores, {memory} GiB, {system} {}{build}",
        kernel.trim()
    )
}

fn number_after(file: &str, name: &str) -> u64 {
    let text = read(file);
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}
