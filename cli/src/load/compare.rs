//! Two results side by side.

use std::io::Write;

use super::result::{Latency, Method, OfLatency, Report};
use super::table::{NOTHING, amount, per_cent, time};
use crate::chart::text::plain;
use crate::output;

/// A figure of both results; none where nothing was measured, which is not the same as 0.
struct Line {
    what: String,
    figures: [Option<f64>; 2],
    say: fn(f64) -> String,
}

/// Writes each figure of both, and their ratio.
pub(super) fn write(out: &mut dyn Write, before: &Report, after: &Report) -> anyhow::Result<()> {
    for (name, report) in [("A", before), ("B", after)] {
        writeln!(
            out,
            "{name}: {} against {}, {}, {} s, entente {}",
            plain(&report.scenario),
            plain(&report.server),
            plain(&report.started),
            amount(report.seconds),
            plain(&report.entente)
        )?;
    }
    for doubt in doubts(before, after) {
        writeln!(out, "{doubt}")?;
    }
    let mut table = output::table(&["", "A", "B", "B / A"], &[1, 2, 3]);
    for line in lines([before, after]) {
        let [a, b] = line
            .figures
            .map(|figure| figure.map_or(NOTHING.into(), line.say));
        table.add_row([plain(&line.what), a, b, ratio(line.figures)]);
    }
    Ok(writeln!(out, "{table}")?)
}

/// Why the two may say nothing of each other.
fn doubts(before: &Report, after: &Report) -> Vec<String> {
    let mut doubts = Vec::new();
    if before.scenario != after.scenario {
        doubts.push("The two are of different scenarios.".to_owned());
    }
    for (name, report) in [("A", before), ("B", after)] {
        if report.interrupted {
            doubts.push(format!("{name} was interrupted."));
        }
    }
    let (a, b) = (before.rate_asked, after.rate_asked);
    if (a - b).abs() > a.max(b) / 100.0 {
        let (a, b) = (amount(a), amount(b));
        doubts.push(format!(
            "A was asked for {a} calls a second, and B for {b}."
        ));
    }
    doubts
}

fn ratio(figures: [Option<f64>; 2]) -> String {
    match figures {
        [Some(before), Some(after)] if before > 0.0 => format!("{:.2}", after / before),
        _ => NOTHING.into(),
    }
}

fn lines(reports: [&Report; 2]) -> Vec<Line> {
    let rate = |what: &str, of: fn(&Report) -> f64| {
        line(what, reports.map(|report| Some(of(report))), amount)
    };
    let mut lines = vec![
        rate("calls a second, asked for", |report| report.rate_asked),
        rate("calls a second", |report| report.rate_achieved),
        line("failed", reports.map(Report::failed), per_cent),
    ];
    lines.extend(latencies("", reports.map(|report| &report.latency)));
    lines.extend(by_method(reports));
    if let [Some(before), Some(after)] = reports.map(|report| report.watchers.as_ref()) {
        lines.extend(latencies("watchers: ", [&before.latency, &after.latency]));
    }
    if let [Some(before), Some(after)] = reports.map(|report| report.limit.as_ref()) {
        let rates = [before.rate, after.rate];
        lines.push(line("the limit, calls a second", rates, amount));
    }
    lines
}

/// Of each kind of call that both have, where they have several.
fn by_method([before, after]: [&Report; 2]) -> Vec<Line> {
    let pair = |method: &Method| {
        let mut others = after.methods.iter();
        let other = others.find(|other| other.call == method.call)?;
        Some([method.clone(), other.clone()])
    };
    let mut both: Vec<[Method; 2]> = before.methods.iter().filter_map(pair).collect();
    both.sort_by(|[a, _], [b, _]| a.call.cmp(&b.call));
    if both.len() < 2 {
        return Vec::new();
    }
    let lines = both.iter().flat_map(|methods| {
        let [before, after] = methods;
        let name = &before.call;
        let rates = [before, after].map(|method| Some(method.rate_achieved));
        let rate = line(&format!("{name}: a second"), rates, amount);
        let of = [&before.latency, &after.latency];
        std::iter::once(rate).chain(latencies(&format!("{name}: "), of))
    });
    lines.collect()
}

fn line(what: &str, figures: [Option<f64>; 2], say: fn(f64) -> String) -> Line {
    let what = what.to_owned();
    Line { what, figures, say }
}

fn latencies(of: &str, latencies: [&Latency; 2]) -> Vec<Line> {
    let figures: [(&str, OfLatency); 5] = [
        ("p50", |latency| latency.p50_ms),
        ("p95", |latency| latency.p95_ms),
        ("p99", |latency| latency.p99_ms),
        ("p99.9", |latency| latency.p999_ms),
        ("max", |latency| latency.max_ms),
    ];
    let line = |(name, figure): (&str, OfLatency)| {
        let figures = latencies.map(|latency| latency.given(figure));
        line(&format!("{of}{name}"), figures, time)
    };
    figures.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(count: u64, p99_ms: f64, rate_achieved: f64) -> Report {
        Report {
            scenario: "smoke".into(),
            rate_asked: 1_000.0,
            rate_achieved,
            latency: Latency {
                count,
                p99_ms,
                ..Latency::default()
            },
            ..Report::new()
        }
    }

    fn compared(before: &Report, after: &Report) -> String {
        let mut out = Vec::new();
        write(&mut out, before, after).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn row(text: &str, what: &str) -> String {
        let mut rows = text.lines().map(str::trim_start);
        let row = rows.find(|line| line.starts_with(what)).unwrap();
        row.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_figure_stands_beside_the_other_ones_with_the_ratio() {
        let text = compared(&report(9, 10.0, 1_000.0), &report(9, 25.0, 900.0));
        assert_eq!(row(&text, "p99 "), "p99 10.0 ms 25.0 ms 2.50");
        assert_eq!(
            row(&text, "calls a second  "),
            "calls a second 1,000 900 0.90"
        );
        assert!(!text.contains("was asked for"), "{text}");
    }

    #[test]
    fn nothing_answered_is_not_the_best_of_all_latencies() {
        let text = compared(&report(9, 10.0, 1_000.0), &report(0, 0.0, 0.0));
        assert_eq!(row(&text, "p99 "), "p99 10.0 ms – –");
    }

    #[test]
    fn what_makes_a_comparison_doubtful_is_told() {
        let (whole, mut part) = (report(9, 1.0, 1.0), report(9, 1.0, 1.0));
        part.interrupted = true;
        part.rate_asked = 500.0;
        let text = compared(&whole, &part);
        assert!(text.contains("B was interrupted."), "{text}");
        assert!(
            text.contains("A was asked for 1,000 calls a second, and B for 500."),
            "{text}"
        );
    }
}
