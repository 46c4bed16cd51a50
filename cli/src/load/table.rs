//! A result as text.

use std::io::{self, Write};

use super::result::{Counts, Latency, Limit, Method, Report, Watched, count};
use crate::output;

/// A time of milliseconds with its unit, to three digits.
pub(super) fn time(millis: f64) -> String {
    match millis {
        ..0.000_5 => "0".into(),
        ..1.0 => format!("{:.0} µs", millis * 1e3),
        ..10.0 => format!("{millis:.2} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        ..1_000.0 => format!("{millis:.0} ms"),
        ..60_000.0 => format!("{:.1} s", millis / 1e3),
        _ => format!("{:.0} min", millis / 60_000.0),
    }
}

/// An amount with its thousands apart, and decimals where it is small.
pub(super) fn amount(number: f64) -> String {
    if number.abs() < 100.0 && number.fract().abs() > 0.001 {
        return format!("{number:.1}");
    }
    crate::figures::grouped(&format!("{number:.0}"))
}

/// A share as per cent.
pub(super) fn per_cent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// Writes what came out.
pub(super) fn write(out: &mut dyn Write, report: &Report) -> anyhow::Result<()> {
    let Report {
        scenario,
        server,
        seconds,
        calls,
        ..
    } = report;
    let ended = if report.interrupted {
        ", interrupted"
    } else {
        ""
    };
    writeln!(
        out,
        "{scenario} against {server}: {} s{ended}, {} calls, {} a second of {}",
        amount(*seconds),
        amount(count(calls.asked)),
        amount(report.rate_achieved),
        amount(report.rate_asked),
    )?;
    methods(out, report)?;
    for error in &report.errors {
        let (code, times) = (&error.code, amount(count(error.count)));
        output::paragraph(out, &format!("{code}: {times} ({})", error.example), "  ")?;
    }
    if calls.retried > 0 {
        writeln!(
            out,
            "Calls were made again {} times.",
            amount(count(calls.retried))
        )?;
    }
    watched(out, report.watchers.as_ref())?;
    lateness(out, report)?;
    for verdict in &report.thresholds {
        let mark = if verdict.held { "held  " } else { "BROKEN" };
        writeln!(out, "{mark} {}", verdict.words())?;
    }
    Ok(())
}

fn methods(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let titles = [
        "call", "calls", "failed", "a second", "mean", "p50", "p95", "p99", "p99.9", "max",
    ];
    let mut table = output::table(&titles, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let all = Method {
        call: "all".into(),
        calls: report.calls,
        rate_achieved: report.rate_achieved,
        latency: report.latency,
        rows_achieved: None,
    };
    let several = report.methods.len() > 1;
    for method in report.methods.iter().chain(several.then_some(&all)) {
        table.add_row(row(method));
    }
    writeln!(out, "{table}")?;
    for method in &report.methods {
        if let Some(rows) = method.rows_achieved {
            writeln!(out, "{}: {} figures a second", method.call, amount(rows))?;
        }
    }
    Ok(())
}

fn row(method: &Method) -> Vec<String> {
    let Method {
        call,
        calls: Counts { asked, failed, .. },
        rate_achieved,
        latency,
        ..
    } = method;
    let mut row = vec![
        call.clone(),
        amount(count(*asked)),
        amount(count(*failed)),
        amount(*rate_achieved),
    ];
    row.extend(times(latency));
    row
}

fn times(latency: &Latency) -> [String; 6] {
    let Latency {
        mean_ms,
        p50_ms,
        p95_ms,
        p99_ms,
        p999_ms,
        max_ms,
        ..
    } = latency;
    [mean_ms, p50_ms, p95_ms, p99_ms, p999_ms, max_ms].map(|millis| time(*millis))
}

fn watched(out: &mut dyn Write, watched: Option<&Watched>) -> io::Result<()> {
    let Some(watched) = watched else {
        return Ok(());
    };
    let [mean, p50, p95, p99, p999, max] = times(&watched.latency);
    let (streams, messages) = (watched.streams, amount(count(watched.messages)));
    writeln!(
        out,
        "{streams} watchers, {messages} messages, from when an event was to be recorded: mean {mean}, p50 {p50}, \
         p95 {p95}, p99 {p99}, p99.9 {p999}, max {max}; {} streams broke",
        watched.broken
    )
}

/// A generator that is late itself says so, before anybody blames the server.
fn lateness(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let late = &report.generator.lateness;
    let mut said = format!(
        "The generator began calls {} late at the 99th percentile, {} at most; that is in the latencies.",
        time(late.p99_ms),
        time(late.max_ms)
    );
    if late.p99_ms > 5.0 && late.p99_ms > report.latency.p99_ms / 4.0 {
        said.push_str(" The machine of the generator is too busy for these figures.");
    }
    writeln!(out, "{said}")
}

/// Writes a search for the limit.
pub(super) fn write_limit(out: &mut dyn Write, limit: &Limit) -> io::Result<()> {
    let titles = [
        "calls/s",
        "answered/s",
        "failed",
        "p50",
        "p95",
        "p99",
        "p99.9",
        "max",
        "",
    ];
    let mut table = output::table(&titles, &[0, 1, 2, 3, 4, 5, 6, 7]);
    for step in &limit.steps {
        let [_, p50, p95, p99, p999, max] = times(&step.latency);
        let held = if step.held {
            "held".to_owned()
        } else {
            format!("broke {}", step.broken.join(", "))
        };
        let rate = amount(step.rate);
        let achieved = amount(step.achieved);
        table.add_row([
            rate,
            achieved,
            per_cent(step.errors),
            p50,
            p95,
            p99,
            p999,
            max,
            held,
        ]);
    }
    writeln!(out, "{table}")?;
    match (limit.rate, limit.found) {
        (Some(rate), true) => writeln!(out, "The limit is at {} calls a second.", amount(rate)),
        (Some(rate), false) => writeln!(out, "The limit is above {} calls a second.", amount(rate)),
        (None, _) => writeln!(out, "Not even the lowest rate held."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let told = [0.0, 0.152, 4.2, 43.21, 312.4, 1_250.0, 120_000.0].map(time);
        assert_eq!(
            told,
            [
                "0", "152 µs", "4.20 ms", "43.2 ms", "312 ms", "1.2 s", "2 min"
            ]
        );
    }

    #[test]
    fn amounts_have_thousands_apart() {
        assert_eq!(
            [0.0, 2.5, 42.0, 12_345.6].map(amount),
            ["0", "2.5", "42", "12,346"]
        );
        assert_eq!([0.0, 0.0015, 1.0].map(per_cent), ["0 %", "0.15 %", "100 %"]);
    }
}
