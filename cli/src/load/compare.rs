//! Two results side by side.

use std::collections::BTreeSet;
use std::io::Write;

use super::result::{Counts, Latency, Report, count};
use super::table::{amount, per_cent, time};
use crate::output;

/// A figure of both results.
struct Line {
    what: String,
    before: f64,
    after: f64,
    say: fn(f64) -> String,
}

/// Writes each figure of both, and their ratio.
pub(super) fn write(out: &mut dyn Write, before: &Report, after: &Report) -> anyhow::Result<()> {
    for (name, report) in [("A", before), ("B", after)] {
        writeln!(
            out,
            "{name}: {} against {}, {}, {} s, entente {}",
            report.scenario,
            report.server,
            report.started,
            amount(report.seconds),
            report.entente
        )?;
    }
    if before.scenario != after.scenario {
        writeln!(out, "The two are of different scenarios.")?;
    }
    let mut table = output::table(&["", "A", "B", "B / A"], &[1, 2, 3]);
    for line in lines(before, after) {
        let ratio = if line.before > 0.0 {
            format!("{:.2}", line.after / line.before)
        } else {
            "–".into()
        };
        table.add_row([
            line.what,
            (line.say)(line.before),
            (line.say)(line.after),
            ratio,
        ]);
    }
    Ok(writeln!(out, "{table}")?)
}

fn lines(before: &Report, after: &Report) -> Vec<Line> {
    let mut lines = vec![
        line(
            "calls a second, asked for",
            before.rate_asked,
            after.rate_asked,
            amount,
        ),
        line(
            "calls a second",
            before.rate_achieved,
            after.rate_achieved,
            amount,
        ),
        line(
            "failed",
            failed(&before.calls),
            failed(&after.calls),
            per_cent,
        ),
    ];
    lines.extend(latencies("", &before.latency, &after.latency));
    let names = |report: &Report| -> BTreeSet<String> {
        report
            .methods
            .iter()
            .map(|method| method.call.clone())
            .collect()
    };
    let both: BTreeSet<String> = names(before).intersection(&names(after)).cloned().collect();
    for name in both.iter().filter(|_| both.len() > 1) {
        let of = |report: &Report| {
            report
                .methods
                .iter()
                .find(|method| method.call == *name)
                .cloned()
        };
        if let (Some(before), Some(after)) = (of(before), of(after)) {
            lines.push(line(
                &format!("{name}: a second"),
                before.rate_achieved,
                after.rate_achieved,
                amount,
            ));
            lines.extend(latencies(
                &format!("{name}: "),
                &before.latency,
                &after.latency,
            ));
        }
    }
    if let (Some(before), Some(after)) = (&before.watchers, &after.watchers) {
        lines.extend(latencies("watchers: ", &before.latency, &after.latency));
    }
    if let (Some(before), Some(after)) = (&before.limit, &after.limit)
        && let (Some(before), Some(after)) = (before.rate, after.rate)
    {
        lines.push(line("the limit, calls a second", before, after, amount));
    }
    lines
}

fn line(what: &str, before: f64, after: f64, say: fn(f64) -> String) -> Line {
    let what = what.to_owned();
    Line {
        what,
        before,
        after,
        say,
    }
}

/// A figure of a latency.
type OfLatency = fn(&Latency) -> f64;

fn latencies(of: &str, before: &Latency, after: &Latency) -> Vec<Line> {
    let figures: [(&str, OfLatency); 5] = [
        ("p50", |latency| latency.p50_ms),
        ("p95", |latency| latency.p95_ms),
        ("p99", |latency| latency.p99_ms),
        ("p99.9", |latency| latency.p999_ms),
        ("max", |latency| latency.max_ms),
    ];
    let line = |(name, of_latency): (&str, OfLatency)| {
        line(
            &format!("{of}{name}"),
            of_latency(before),
            of_latency(after),
            time,
        )
    };
    figures.into_iter().map(line).collect()
}

fn failed(calls: &Counts) -> f64 {
    count(calls.failed) / count(calls.asked.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_stands_beside_the_other_ones_with_the_ratio() {
        let report = |p99_ms, rate_achieved| Report {
            scenario: "smoke".into(),
            rate_achieved,
            latency: Latency {
                p99_ms,
                ..Latency::default()
            },
            ..Report::new()
        };
        let mut out = Vec::new();
        write(&mut out, &report(10.0, 1_000.0), &report(25.0, 900.0)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let row = |what: &str| {
            let row = text
                .lines()
                .find(|line| line.trim_start().starts_with(what))
                .unwrap();
            row.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(row("p99 "), ["p99", "10.0", "ms", "25.0", "ms", "2.50"]);
        assert_eq!(
            row("calls a second  "),
            ["calls", "a", "second", "1,000", "900", "0.90"]
        );
    }
}
