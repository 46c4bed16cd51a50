//! What a process counts, as Prometheus would read it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::http;

/// A scrape.
#[derive(Clone, Debug)]
pub struct Counts {
    /// The text.
    pub text: String,
}

impl Counts {
    /// Asks a process.
    pub async fn of(address: SocketAddr) -> Counts {
        let page = http::get(address, "/metrics").await;
        assert_eq!(page.code, 200, "{page:?}");
        let text = String::from_utf8(page.body.to_vec());
        Counts {
            text: text.expect("a text"),
        }
    }

    /// The sum of all values of a name whose labels include these; zero if there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.found(name, labels).sum()
    }

    /// Whether there is a value of a name whose labels include these, be it zero.
    pub fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.found(name, labels).next().is_some()
    }

    fn found(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = f64> {
        let wanted = move |found: &BTreeMap<&str, &str>| {
            labels
                .iter()
                .all(|(label, value)| found.get(label) == Some(value))
        };
        let lines = self.text.lines().filter_map(read);
        let found = lines.filter(move |(other, labels, _)| *other == name && wanted(labels));
        found.map(|(_, _, value)| value)
    }

    /// The names of what is counted, as their `TYPE` lines say them.
    pub fn names(&self) -> BTreeSet<&str> {
        let types = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|rest| rest.split(' ').next()).collect()
    }

    /// The names that are explained.
    pub fn explained(&self) -> BTreeSet<&str> {
        let helps = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("# HELP "));
        helps.filter_map(|rest| rest.split(' ').next()).collect()
    }

    /// The values that a label has anywhere.
    pub fn values(&self, label: &str) -> BTreeSet<&str> {
        let lines = self.text.lines().filter_map(read);
        lines
            .filter_map(|(_, labels, _)| labels.get(label).copied())
            .collect()
    }
}

/// A line of a value. None of our labels has a comma or a quote in it.
fn read(line: &str) -> Option<(&str, BTreeMap<&str, &str>, f64)> {
    if line.starts_with('#') {
        return None;
    }
    let (what, value) = line.rsplit_once(' ')?;
    let (name, labels) = what.split_once('{').unwrap_or((what, ""));
    let labels = labels.trim_end_matches('}').split(',');
    let labels = labels.filter_map(|label| label.split_once('='));
    let labels = labels.map(|(label, value)| (label, value.trim_matches('"')));
    Some((name, labels.collect(), value.parse().ok()?))
}
