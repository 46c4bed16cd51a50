//! The highest rate at which all holds: doubled until something breaks, then narrowed down between the two.

use anyhow::Context;

use super::Stage;
use super::arrival::Segment;
use super::result::{Limit, Report, Step};
use super::scenario::Scenario;
use super::table::amount;
use crate::args::load::LoadArgs;

/// Where the search begins when the scenario does not say.
const FIRST: f64 = 100.0;
const LOWEST: f64 = 1.0;
const HIGHEST: f64 = 500_000.0;
/// So near are the rate that held and the one that did not, at the end.
const NEAR: f64 = 0.05;
/// Rates that are tried at most.
const MOST: usize = 24;
/// What must hold where the scenario says nothing of it.
const P99: &str = "p99=10ms";
const ERRORS: f64 = 0.001;
const ACHIEVED: f64 = 0.95;

/// Searches for the limit of a scenario; the report is of the highest rate that held.
pub(super) async fn find(
    stage: &mut Stage,
    scenario: &Scenario,
    args: &LoadArgs,
) -> anyhow::Result<Report> {
    let scenario = strict(scenario, args.only_thresholds);
    let mut search = Search::new(first(&scenario));
    let (mut held, mut broke) = (None, None);
    while let Some(rate) = search.next() {
        let step = try_rate(stage, &scenario, args, rate).await?;
        // What was not tried to its end neither held nor broke.
        if step.interrupted {
            search.interrupted = true;
            break;
        }
        search.note(rate, step.held(), told(rate, &step));
        if step.held() {
            held = Some(step);
        } else {
            broke = Some(step);
        }
    }
    let mut report = held
        .or(broke)
        .context("interrupted before a rate was tried")?;
    report.limit = Some(search.limit());
    Ok(report)
}

/// The scenario with something that can break, unless nothing is to hold but what the command line says.
fn strict(scenario: &Scenario, is_said: bool) -> Scenario {
    let mut scenario = scenario.clone();
    if is_said {
        return scenario;
    }
    let thresholds = &mut scenario.thresholds;
    if !thresholds.has_latency() {
        thresholds.set(P99).expect("it is well formed");
    }
    thresholds.errors.get_or_insert(ERRORS);
    thresholds.achieved.get_or_insert(ACHIEVED);
    scenario
}

fn first(scenario: &Scenario) -> f64 {
    let rate = scenario.arrival.rate.unwrap_or(FIRST);
    rate.clamp(LOWEST, HIGHEST)
}

/// Tries a rate, and once more if it breaks: a machine hiccups.
async fn try_rate(
    stage: &mut Stage,
    scenario: &Scenario,
    args: &LoadArgs,
    rate: f64,
) -> anyhow::Result<Report> {
    let segment = Segment {
        from: rate,
        to: rate,
        length: args.step.0,
    };
    let title = format!("{} a second", amount(rate));
    let report = stage.measure(scenario, &[segment], &title).await?;
    if report.held() || report.interrupted {
        return Ok(report);
    }
    stage.measure(scenario, &[segment], &title).await
}

fn told(rate: f64, report: &Report) -> Step {
    let broken = report.thresholds.iter().filter(|verdict| !verdict.held);
    Step {
        rate,
        achieved: report.rate_achieved,
        latency: report.latency,
        lateness_p99_ms: report.generator.lateness.p99_ms,
        errors: report.failed().unwrap_or_default(),
        held: report.held(),
        broken: broken.map(|verdict| verdict.what.clone()).collect(),
    }
}

/// Which rates are tried.
#[derive(Debug)]
struct Search {
    next: f64,
    held: Option<f64>,
    broke: Option<f64>,
    steps: Vec<Step>,
    interrupted: bool,
}

impl Search {
    fn new(first: f64) -> Search {
        Search {
            next: first,
            held: None,
            broke: None,
            steps: Vec::new(),
            interrupted: false,
        }
    }

    /// The rate that is to be tried now; none at the end.
    fn next(&self) -> Option<f64> {
        (!self.is_near() && self.steps.len() < MOST).then_some(self.next)
    }

    /// Whether no other rate would say more.
    fn is_near(&self) -> bool {
        match (self.held, self.broke) {
            (Some(held), Some(broke)) => broke - held <= held * NEAR,
            (None, Some(broke)) => broke <= LOWEST,
            (Some(held), None) => held >= HIGHEST,
            (None, None) => false,
        }
    }

    fn note(&mut self, rate: f64, held: bool, step: Step) {
        self.steps.push(step);
        if held {
            self.held = Some(rate);
        } else {
            self.broke = Some(rate);
        }
        self.next = match (self.held, self.broke) {
            (Some(held), Some(broke)) => f64::midpoint(held, broke),
            (Some(held), None) => (held * 2.0).min(HIGHEST),
            (None, Some(broke)) => (broke / 2.0).max(LOWEST),
            (None, None) => self.next,
        };
        if self.next > 100.0 {
            self.next = self.next.round();
        }
    }

    fn limit(self) -> Limit {
        Limit {
            rate: self.held,
            found: self.broke.is_some() && self.is_near(),
            interrupted: self.interrupted,
            steps: self.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a server that breaks above a rate.
    fn search(first: f64, capacity: f64) -> Limit {
        let mut search = Search::new(first);
        while let Some(rate) = search.next() {
            search.note(rate, rate <= capacity, Step::default());
        }
        search.limit()
    }

    #[test]
    fn the_limit_is_found_from_below_and_from_above() {
        for (first, capacity) in [
            (100.0, 12_345.0),
            (100_000.0, 12_345.0),
            (10.0, 17.0),
            (5.0, 2.5),
        ] {
            let limit = search(first, capacity);
            let rate = limit.rate.unwrap();
            assert!(
                limit.found && rate <= capacity && rate >= capacity * 0.9,
                "{limit:?}"
            );
            assert!(limit.steps.len() <= 16, "{}", limit.steps.len());
        }
    }

    #[test]
    fn a_search_that_ends_early_has_not_found_the_limit() {
        let mut search = Search::new(100.0);
        for (rate, held) in [(100.0, true), (200.0, true), (400.0, false)] {
            search.note(rate, held, Step::default());
        }
        let limit = search.limit();
        assert_eq!((limit.rate, limit.found), (Some(200.0), false));
    }

    #[test]
    fn what_is_to_hold_is_made_up_where_the_scenario_says_nothing_of_latencies() {
        let mut scenario = Scenario::find("smoke").unwrap();
        let limits = |scenario: &Scenario| {
            let thresholds = strict(scenario, false).thresholds;
            (thresholds.p99, thresholds.errors, thresholds.achieved)
        };
        let p99 = "10ms".parse().ok();
        assert_eq!(limits(&scenario), (p99, Some(0.0), Some(ACHIEVED)));
        scenario.thresholds.set("p50=1ms").unwrap();
        assert_eq!(limits(&scenario), (None, Some(0.0), Some(ACHIEVED)));
    }

    #[test]
    fn nothing_is_made_up_where_only_the_command_lines_thresholds_are_to_hold() {
        let mut scenario = Scenario::find("smoke").unwrap();
        scenario.drop_thresholds();
        scenario.thresholds.set("p50=1ms").unwrap();
        let held = strict(&scenario, true).thresholds;
        assert_eq!(held, scenario.thresholds);
    }

    #[test]
    fn what_never_breaks_or_never_holds_has_no_limit() {
        let limit = search(100.0, f64::MAX);
        assert_eq!((limit.rate, limit.found), (Some(HIGHEST), false));
        let limit = search(100.0, 0.0);
        assert_eq!((limit.rate, limit.found), (None, true));
    }
}
