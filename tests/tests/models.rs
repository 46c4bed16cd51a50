//! Services against plain models of them: see `tests::model`. `ENTENTE_CASES` says how many runs of each (24).

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use records::Record;
use tests::model::{
    Agreements, Events, Machine, Programmes, Service, Subject, VisaRules, figures, measures,
};

/// Steps of a run, at most.
const STEPS: usize = 30;

fn config() -> Config {
    Config {
        cases: std::env::var("ENTENTE_CASES").map_or(24, |cases| cases.parse().unwrap()),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    }
}

fn run<S: Subject>()
where
    S::Record: Record<S::Model>,
{
    let config = config();
    let steps = Machine::<S>::sequential_strategy(1..STEPS);
    let mut runner = TestRunner::new(config.clone());
    let outcome = runner.run(&steps, |(there, steps, counter)| {
        Service::<S>::test_sequential(config.clone(), there, steps, counter);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn events_are_what_a_map_of_them_is() {
    run::<Events>();
}

#[test]
fn agreements_are_what_a_map_of_them_is() {
    run::<Agreements>();
}

#[test]
fn programmes_are_what_a_map_of_them_is() {
    run::<Programmes>();
}

#[test]
fn measures_are_what_a_map_of_them_is() {
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&measures::any_steps(), |steps| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(measures::run(&steps));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn figures_are_what_a_map_of_them_is() {
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&figures::any_steps(), |steps| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(figures::run(&steps));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn visa_rules_are_what_a_map_of_them_is() {
    run::<VisaRules>();
}
