//! A result as a page: one file that refers to nothing, has no script, and is readable in the light and in the dark.

mod plot;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use self::plot::{Line, Plot, Scale};
use super::result::{Counts, Latency, Limit, Method, OfLatency, Report, Tick, Watched, count};
use super::table::{NOTHING, amount, per_cent, time_of};
use super::thresholds::Verdict;
use crate::chart::text::plain;

/// Adds what is formatted; a string takes everything.
macro_rules! put {
    ($page:expr, $($words:tt)*) => {
        write!($page, $($words)*).expect("a string takes everything")
    };
}

/// The same, and a line's end.
macro_rules! putln {
    ($page:expr, $($words:tt)*) => {
        writeln!($page, $($words)*).expect("a string takes everything")
    };
}

const STYLE: &str = include_str!("style.css");

/// The page of a result.
pub(super) fn of(report: &Report) -> String {
    let mut page = String::new();
    let title = escaped(&format!("Load test: {}", report.scenario));
    let parts = [
        head(report),
        cards(report),
        thresholds(&report.thresholds),
        report.limit.as_ref().map(limit).unwrap_or_default(),
        charts(report),
        methods(report),
        errors(report),
        report.watchers.as_ref().map(watched).unwrap_or_default(),
        foot(report),
    ];
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    // Should a text ever get past the escaping, there is still nothing that it could load or run.
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    putln!(
        page,
        "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>"
    );
    page.extend(parts);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// Text that is text, and that shows all of itself.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

fn head(report: &Report) -> String {
    let mut page = String::new();
    let held = report
        .thresholds
        .iter()
        .filter(|verdict| verdict.held)
        .count();
    let all = report.thresholds.len();
    let (class, word) = match (held == all, report.interrupted) {
        _ if all == 0 => ("plain", "no thresholds".to_owned()),
        (true, false) if all == 1 => ("good", "the threshold held".to_owned()),
        (true, false) => ("good", format!("all {all} thresholds held")),
        (true, true) => ("plain", "interrupted".to_owned()),
        (false, _) => ("bad", format!("{} of {all} thresholds broke", all - held)),
    };
    putln!(
        page,
        "<header><h1>{} <span class=\"badge {class}\">{word}</span></h1>",
        escaped(&report.scenario)
    );
    putln!(page, "<p class=\"about\">{}</p>", escaped(&report.about));
    putln!(
        page,
        "<p class=\"facts\">{} · {} · {} s after {} s of warming up{} · {} connections · generator with {} cores · \
         entente {}</p></header>",
        escaped(&report.server),
        escaped(&report.started),
        amount(report.seconds),
        amount(report.warm_up_seconds),
        if report.interrupted {
            ", interrupted"
        } else {
            ""
        },
        report.connections,
        report.cores,
        escaped(&report.entente)
    );
    page
}

fn cards(report: &Report) -> String {
    let Counts { asked, failed, .. } = report.calls;
    let told = |figure| time_of(&report.latency, figure);
    let cards = [
        (
            "answered a second",
            amount(report.rate_achieved),
            format!("of {} asked for", amount(report.rate_asked)),
        ),
        (
            "p50",
            told(|latency| latency.p50_ms),
            format!("mean {}", told(|latency| latency.mean_ms)),
        ),
        (
            "p99",
            told(|latency| latency.p99_ms),
            format!("p95 {}", told(|latency| latency.p95_ms)),
        ),
        (
            "p99.9",
            told(|latency| latency.p999_ms),
            format!("longest {}", told(|latency| latency.max_ms)),
        ),
        (
            "failed",
            report.failed().map_or(NOTHING.into(), per_cent),
            format!(
                "{} of {} calls",
                amount(count(failed)),
                amount(count(asked))
            ),
        ),
    ];
    let mut page = String::from("<section class=\"cards\">\n");
    for (title, figure, below) in cards {
        putln!(
            page,
            "<div class=\"card\"><div class=\"title\">{title}</div><div class=\"figure\">{figure}</div>\
             <div class=\"below\">{below}</div></div>"
        );
    }
    page.push_str("</section>\n");
    page
}

fn thresholds(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut page = String::from("<section><h2>Thresholds</h2>\n<ul class=\"verdicts\">\n");
    for verdict in verdicts {
        let (class, mark) = if verdict.held {
            ("good", "held")
        } else {
            ("bad", "broke")
        };
        putln!(
            page,
            "<li><span class=\"badge {class}\">{mark}</span> {}</li>",
            escaped(&verdict.words())
        );
    }
    page.push_str("</ul></section>\n");
    page
}

fn charts(report: &Report) -> String {
    let plots = [
        latency_over_time(&report.timeline),
        throughput(report),
        shares(report),
        in_flight(&report.timeline),
    ];
    plots.iter().map(Plot::figure).collect()
}

fn latency_over_time(ticks: &[Tick]) -> Plot {
    let figures: [(&'static str, OfLatency); 4] = [
        ("p50", |latency| latency.p50_ms),
        ("p95", |latency| latency.p95_ms),
        ("p99", |latency| latency.p99_ms),
        ("max", |latency| latency.max_ms),
    ];
    let lines = figures.map(|(name, figure)| {
        let points = over_time(ticks, |tick| tick.latency.given(figure), f64::max);
        Line::new(name, points)
    });
    Plot {
        title: "Latency over time",
        note: "Of the calls that ended in each second, from when each was to begin. A server that stalls shows here, \
               because calls go on coming due.",
        x: Scale::Seconds,
        y: Scale::Millis,
        lines: lines.into(),
    }
}

fn throughput(report: &Report) -> Plot {
    let ticks = &report.timeline;
    let asked = over_time(ticks, |tick| Some(tick.asked), f64::max);
    // What is bad here is little.
    let answered = over_time(ticks, |tick| Some(tick.answered), f64::min);
    let mut lines = vec![
        Line::new("answered", answered),
        Line::new("asked for", asked).dashed(),
    ];
    if report.calls.failed > 0 {
        let failed = over_time(ticks, |tick| Some(tick.failed), f64::max);
        lines.push(Line::new("failed", failed));
    }
    Plot {
        title: "Calls a second",
        note: "What was to be made, what was answered well, and what failed.",
        x: Scale::Seconds,
        y: Scale::Count,
        lines,
    }
}

fn in_flight(ticks: &[Tick]) -> Plot {
    let points = over_time(ticks, |tick| Some(count(tick.in_flight)), f64::max);
    Plot {
        title: "Calls under way",
        note: "At the end of each second. More and more of them: the server is slower than what is asked of it.",
        x: Scale::Seconds,
        y: Scale::Count,
        lines: vec![Line::new("under way", points)],
    }
}

fn shares(report: &Report) -> Plot {
    // The longest of so many calls stands for half a call, and not at the end of all nines.
    let last = 1.0 - 0.5 / count(report.latency.count.max(1));
    let shares = report.distribution.iter();
    let shares = shares.map(|(share, millis)| (share.min(last), Some(*millis)));
    Plot {
        title: "Latency by share of calls",
        note: "How long the fastest so many took: at 99 %, one call in a hundred took longer.",
        x: Scale::Share,
        y: Scale::Millis,
        lines: vec![Line::new("all calls", shares.collect())],
    }
}

/// A point a second; of a long run, the worst of each of so many stretches, so that no stall is lost.
fn over_time(
    ticks: &[Tick],
    figure: impl Fn(&Tick) -> Option<f64>,
    pick: fn(f64, f64) -> f64,
) -> Vec<(f64, Option<f64>)> {
    const MOST: usize = 600;
    let stretch = ticks.len().div_ceil(MOST).max(1);
    let worst = |ticks: &[Tick]| {
        let at = ticks.last().map_or(0.0, |tick| tick.at);
        (at, ticks.iter().filter_map(&figure).reduce(pick))
    };
    ticks.chunks(stretch).map(worst).collect()
}

fn methods(report: &Report) -> String {
    let mut page = table_head(
        "Calls",
        &[
            "call", "calls", "failed", "a second", "mean", "p50", "p90", "p95", "p99", "p99.9",
            "longest",
        ],
    );
    for method in report.rows() {
        page.push_str(&method_row(&method));
    }
    page.push_str("</tbody></table></div>\n");
    for method in &report.methods {
        if let Some(rows) = method.rows_achieved {
            putln!(
                page,
                "<p class=\"note\">{}: {} figures a second.</p>",
                escaped(&method.call),
                amount(rows)
            );
        }
    }
    page.push_str("</section>\n");
    page
}

fn table_head(title: &str, titles: &[&str]) -> String {
    let mut page = format!("<section><h2>{title}</h2>\n<div class=\"wide\"><table><thead><tr>");
    for title in titles {
        put!(page, "<th>{title}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    page
}

fn method_row(method: &Method) -> String {
    let Method {
        call,
        calls: Counts { asked, failed, .. },
        rate_achieved,
        latency,
        ..
    } = method;
    let figures = [
        amount(count(*asked)),
        amount(count(*failed)),
        amount(*rate_achieved),
    ];
    row(call, figures.into_iter().chain(times(latency)))
}

fn times(latency: &Latency) -> [String; 7] {
    let figures: [OfLatency; 7] = [
        |latency| latency.mean_ms,
        |latency| latency.p50_ms,
        |latency| latency.p90_ms,
        |latency| latency.p95_ms,
        |latency| latency.p99_ms,
        |latency| latency.p999_ms,
        |latency| latency.max_ms,
    ];
    figures.map(|figure| time_of(latency, figure))
}

fn row(name: &str, figures: impl Iterator<Item = String>) -> String {
    let mut page = format!("<tr><th scope=\"row\">{}</th>", escaped(name));
    figures.for_each(|figure| put!(page, "<td>{}</td>", escaped(&figure)));
    page.push_str("</tr>\n");
    page
}

fn errors(report: &Report) -> String {
    if report.errors.is_empty() {
        return String::new();
    }
    let most = report
        .errors
        .iter()
        .map(|error| error.count)
        .max()
        .unwrap_or(1)
        .max(1);
    let mut page = String::from("<section><h2>Errors by code</h2>\n<div class=\"bars\">\n");
    for error in &report.errors {
        let share = count(error.count) / count(most) * 100.0;
        putln!(
            page,
            "<div class=\"code\">{}</div><div class=\"bar\"><span style=\"width:{share:.1}%\"></span></div>\
             <div class=\"times\">{}</div><div class=\"said\">{}</div>",
            escaped(&error.code),
            amount(count(error.count)),
            escaped(&error.example)
        );
    }
    page.push_str("</div></section>\n");
    page
}

fn watched(watched: &Watched) -> String {
    let mut page = table_head(
        "Watchers",
        &[
            "streams",
            "messages",
            "did not come",
            "broke",
            "mean",
            "p50",
            "p90",
            "p95",
            "p99",
            "p99.9",
            "longest",
        ],
    );
    let figures = [
        amount(count(watched.messages)),
        amount(count(watched.missing)),
        amount(count(watched.broken)),
    ];
    page.push_str(&row(
        &watched.streams.to_string(),
        figures.into_iter().chain(times(&watched.latency)),
    ));
    page.push_str(
        "</tbody></table></div>\n<p class=\"note\">From when an event was to be recorded to its message at each \
         stream.</p></section>\n",
    );
    page
}

fn limit(limit: &Limit) -> String {
    let mut page = String::from("<section><h2>The limit</h2>\n");
    putln!(page, "<p>{}</p>", escaped(&limit.words()));
    let mut steps = limit.steps.clone();
    steps.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let of = |figure: OfLatency| {
        let steps = steps.iter();
        let points = steps.map(|step| (step.rate, step.latency.given(figure)));
        points.collect()
    };
    let plot = Plot {
        title: "Latency by rate",
        note: "Each point is a rate that was tried. Where the line turns upwards is the knee.",
        x: Scale::Rate,
        y: Scale::Millis,
        lines: vec![
            Line::new("p50", of(|latency| latency.p50_ms)),
            Line::new("p99", of(|latency| latency.p99_ms)),
        ],
    };
    page.push_str(&plot.figure());
    page.push_str("<div class=\"wide\"><table><thead><tr><th>calls a second</th><th>answered</th><th>failed</th>");
    page.push_str("<th>mean</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th><th>longest</th><th></th>");
    page.push_str("</tr></thead><tbody>\n");
    for step in &steps {
        let figures = [amount(step.achieved), per_cent(step.errors)].into_iter();
        page.push_str(&row(
            &amount(step.rate),
            figures.chain(times(&step.latency)).chain([step.words()]),
        ));
    }
    page.push_str("</tbody></table></div></section>\n");
    page
}

fn foot(report: &Report) -> String {
    let late = &report.generator.lateness;
    let too_slow = if report.latency.is_of_generator(late.p99_ms) {
        " <b>It was too slow: most of the latency is its own.</b>"
    } else {
        ""
    };
    let retried = match report.calls.retried {
        0 => String::new(),
        retried => format!(" Calls were made again {} times.", amount(count(retried))),
    };
    format!(
        "<footer><p>Latency counts from when a call was to begin, whatever the answers before it did; of calls that \
         failed at once none is counted. The generator itself began calls {} late at the 99th percentile, {} at most, \
         which is in the figures.{too_slow}{retried}</p></footer>\n",
        time_of(late, |late| late.p99_ms),
        time_of(late, |late| late.max_ms)
    )
}
