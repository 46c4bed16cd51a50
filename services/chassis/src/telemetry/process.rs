//! What the system says of the process, under the names that all exporters give it. Only Linux says it.

use std::fmt::Write;
use std::sync::LazyLock;

use jiff::Timestamp;

/// How often a second Linux counts CPU time in `/proc`, on every architecture it shows that to.
const TICKS: f64 = 100.0;

/// When the process was first asked, which is soon after its start.
static START: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);

/// Takes the time as that of the start.
pub(super) fn start() {
    LazyLock::force(&START);
}

/// Adds what is known to the text.
pub(super) fn write(text: &mut String) {
    let started = START.as_duration().as_secs_f64();
    let known = [
        (
            "process_cpu_seconds_total",
            "counter",
            "CPU time, in user mode and in the kernel.",
            cpu_seconds(),
        ),
        (
            "process_resident_memory_bytes",
            "gauge",
            "Memory that the process holds.",
            resident(),
        ),
        (
            "process_open_fds",
            "gauge",
            "Open files and connections.",
            open_files(),
        ),
        (
            "process_max_fds",
            "gauge",
            "Files and connections that may be open.",
            most_files(),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "When the process started, in seconds since 1970.",
            Some(started),
        ),
    ];
    for (name, kind, help, value) in known {
        if let Some(value) = value {
            let line = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
            text.write_str(&line).expect("a text takes all");
        }
    }
}

fn cpu_seconds() -> Option<f64> {
    let stat = read("stat")?;
    // The name, in parentheses, may hold spaces; what follows it does not.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    Some(ticks / TICKS)
}

fn resident() -> Option<f64> {
    let kib: f64 = number_after(&read("status")?, "VmRSS:")?;
    Some(kib * 1024.0)
}

fn open_files() -> Option<f64> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(f64::from(u32::try_from(open).ok()?))
}

fn most_files() -> Option<f64> {
    number_after(&read("limits")?, "Max open files")
}

fn number_after(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/{file}")).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_says_all_of_it() {
        assert!(cpu_seconds().is_some());
        assert!(resident().unwrap() > 1e5);
        assert!(open_files().unwrap() >= 3.0);
        assert!(most_files().unwrap() >= open_files().unwrap());
    }
}
