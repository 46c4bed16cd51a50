//! A result as text.

use std::io::{self, Write};

use super::result::{Counts, Latency, Limit, Method, OfLatency, Report, Watched, count};
use crate::chart::text::plain;
use crate::output;

/// What stands where nothing was measured.
pub(super) const NOTHING: &str = "–";

/// A time of milliseconds with its unit, to three digits.
pub(super) fn time(millis: f64) -> String {
    // Each ends where its last figure would be rounded up to one more digit.
    match millis {
        ..0.000_5 => "0".into(),
        ..0.999_5 => format!("{:.0} µs", millis * 1e3),
        ..9.995 => format!("{millis:.2} ms"),
        ..99.95 => format!("{millis:.1} ms"),
        ..999.5 => format!("{millis:.0} ms"),
        ..59_950.0 => format!("{:.1} s", millis / 1e3),
        _ => minutes((millis / 1e3).round()),
    }
}

fn minutes(seconds: f64) -> String {
    let (minutes, seconds) = ((seconds / 60.0).floor(), seconds % 60.0);
    match seconds {
        ..1.0 => format!("{minutes:.0} min"),
        _ => format!("{minutes:.0} min {seconds:.0} s"),
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
        "{} against {}: {} s{ended}, {} calls, {} a second of {}",
        plain(scenario),
        plain(server),
        amount(*seconds),
        amount(count(calls.asked)),
        amount(report.rate_achieved),
        amount(report.rate_asked),
    )?;
    methods(out, report)?;
    for error in &report.errors {
        let (code, times) = (plain(&error.code), amount(count(error.count)));
        let said = format!("{code}: {times} ({})", plain(&error.example));
        output::paragraph(out, &said, "  ")?;
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
    for method in report.rows() {
        table.add_row(row(&method));
    }
    writeln!(out, "{table}")?;
    for method in &report.methods {
        if let Some(rows) = method.rows_achieved {
            let call = plain(&method.call);
            writeln!(out, "{call}: {} figures a second", amount(rows))?;
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
        plain(call),
        amount(count(*asked)),
        amount(count(*failed)),
        amount(*rate_achieved),
    ];
    row.extend(times(latency));
    row
}

fn times(latency: &Latency) -> [String; 6] {
    let figures: [OfLatency; 6] = [
        |latency| latency.mean_ms,
        |latency| latency.p50_ms,
        |latency| latency.p95_ms,
        |latency| latency.p99_ms,
        |latency| latency.p999_ms,
        |latency| latency.max_ms,
    ];
    figures.map(|figure| time_of(latency, figure))
}

/// A figure of a latency, if anything was answered.
pub(super) fn time_of(latency: &Latency, figure: OfLatency) -> String {
    latency.given(figure).map_or(NOTHING.into(), time)
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
         p95 {p95}, p99 {p99}, p99.9 {p999}, max {max}; {} of {} did not come; {} streams broke",
        amount(count(watched.missing)),
        amount(count(watched.expected)),
        watched.broken
    )
}

/// A generator that is late itself says so, before anybody blames the server.
fn lateness(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let late = &report.generator.lateness;
    let mut said = format!(
        "The generator began calls {} late at the 99th percentile, {} at most; that is in the latencies.",
        time_of(late, |late| late.p99_ms),
        time_of(late, |late| late.max_ms)
    );
    if report.latency.is_of_generator(late.p99_ms) {
        said.push_str(" The generator was too slow: most of the latency is its own.");
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
            plain(&step.words()),
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(out, "{}", limit.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (millis, told) in [
            (0.0, "0"),
            (0.152, "152 µs"),
            (0.999_7, "1.00 ms"),
            (4.2, "4.20 ms"),
            (9.996, "10.0 ms"),
            (43.21, "43.2 ms"),
            (312.4, "312 ms"),
            (999.6, "1.0 s"),
            (1_250.0, "1.2 s"),
            (59_960.0, "1 min"),
            (90_000.0, "1 min 30 s"),
            (120_000.0, "2 min"),
        ] {
            assert_eq!(time(millis), told);
        }
    }

    #[test]
    fn nothing_answered_is_no_time_at_all() {
        assert_eq!(times(&Latency::default()), [NOTHING; 6]);
    }

    #[test]
    fn what_a_server_says_does_not_steer_the_terminal() {
        let report = Report {
            errors: vec![super::super::result::CodeCount {
                code: "INTERNAL".into(),
                count: 1,
                example: "\u{1b}[2Jgone".into(),
            }],
            ..Report::new()
        };
        let mut out = Vec::new();
        write(&mut out, &report).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("INTERNAL: 1 ([2Jgone)"), "{text}");
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
