//! What is to be asked, how often, and what must hold: a file in TOML.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use toml::Table;

use super::arrival::{Arrival, Segment};
use super::kind::Kind;
use super::method::{self, Method};
use super::span::Span;
use super::thresholds::Thresholds;
use crate::generate::MOST_ROWS;
use crate::whole;

/// A file of a scenario is no larger.
const MAX_BYTES: u64 = 1 << 20;
/// Scenarios that Entente ships, by name.
const BUNDLED: [(&str, &str); 8] = [
    ("smoke", include_str!("../../../tests/load/smoke.toml")),
    (
        "point-read",
        include_str!("../../../tests/load/point-read.toml"),
    ),
    (
        "read-only",
        include_str!("../../../tests/load/read-only.toml"),
    ),
    (
        "read-mostly",
        include_str!("../../../tests/load/read-mostly.toml"),
    ),
    (
        "briefing",
        include_str!("../../../tests/load/briefing.toml"),
    ),
    ("ingest", include_str!("../../../tests/load/ingest.toml")),
    (
        "watchers",
        include_str!("../../../tests/load/watchers.toml"),
    ),
    ("ramp", include_str!("../../../tests/load/ramp.toml")),
];

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it is called.
    pub(crate) name: String,
    /// What it is for.
    #[serde(default)]
    pub(crate) about: String,
    /// How long it is measured.
    pub(crate) duration: Option<Span>,
    /// How long it runs before, at the first rate, unmeasured.
    #[serde(default = "two_seconds")]
    pub(crate) warm_up: Span,
    /// Connections that calls are spread over.
    #[serde(default = "four")]
    pub(crate) connections: u16,
    /// How long a call may take, from when it was to be made.
    #[serde(default = "five_seconds")]
    pub(crate) deadline: Span,
    /// Calls under way at a time; one that would be more is not made, and counted as an error of the generator.
    #[serde(default = "ten_thousand")]
    pub(crate) max_in_flight: u32,
    /// How often a call that found nobody (UNAVAILABLE) is made again, if it changes nothing.
    #[serde(default)]
    pub(crate) retries: u8,
    /// When calls are made.
    #[serde(default)]
    pub(crate) arrival: Arrival,
    /// Which calls.
    #[serde(default)]
    pub(crate) mix: Vec<Part>,
    /// What they ask about.
    #[serde(default)]
    pub(crate) keys: Keys,
    /// What `ingest` sends.
    #[serde(default)]
    pub(crate) ingest: Ingest,
    /// Streams that are open meanwhile.
    #[serde(default)]
    pub(crate) watchers: Watchers,
    /// What must hold, or the exit code says so.
    #[serde(default)]
    pub(crate) thresholds: Thresholds,
}

/// A kind of call, or any method of the schema that reads, as a part of all.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    pub(crate) call: Option<Kind>,
    /// `entente.culture.v1.CultureService/FindVisaRules`, instead of a kind.
    pub(crate) method: Option<String>,
    /// What the method is asked, as protobuf's JSON has it.
    #[serde(default)]
    pub(crate) message: Table,
    /// Of the sum of all weights.
    #[serde(default = "one")]
    pub(crate) weight: u32,
    /// What must hold of these calls.
    #[serde(default)]
    pub(crate) thresholds: Thresholds,
}

/// What calls ask about.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    /// Where they are from.
    pub(crate) from: KeySource,
    /// Figures that are looked at to choose from.
    pub(crate) sample: u32,
    /// How often each is asked for.
    pub(crate) pick: Pick,
    /// Of `generated`, and of all chance.
    pub(crate) seed: u64,
    /// Of `generated`: how many figures there are.
    pub(crate) rows: u64,
    /// Of `generated`: their dataset.
    pub(crate) dataset: String,
    /// Pairs of countries (`CHN-KAZ`) instead of those of the figures.
    pub(crate) pairs: Vec<String>,
}

/// Where keys are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeySource {
    /// What the server has.
    Server,
    /// What `entente generate` made.
    Generated,
}

/// How often each key is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pick {
    /// All alike.
    Even,
    /// The first most often (Zipf).
    Zipf,
}

/// What an ingest sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ingest {
    /// Batches of a call.
    pub(crate) batches: u16,
    /// Figures of a batch.
    pub(crate) rows: u16,
}

/// Streams that wait for what is recorded of a pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Watchers {
    /// How many.
    pub(crate) count: u16,
    /// Of which pair; calls of `record-event` write there.
    pub(crate) pair: String,
    /// How late messages may come.
    pub(crate) thresholds: Thresholds,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys {
            from: KeySource::Server,
            sample: 5_000,
            pick: Pick::Zipf,
            seed: 1,
            rows: 100_000,
            dataset: "generated".into(),
            pairs: Vec::new(),
        }
    }
}

impl Default for Ingest {
    fn default() -> Ingest {
        Ingest {
            batches: 2,
            rows: 500,
        }
    }
}

impl Default for Watchers {
    fn default() -> Watchers {
        Watchers {
            count: 0,
            pair: "CHN-KAZ".into(),
            thresholds: Thresholds::default(),
        }
    }
}

fn one() -> u32 {
    1
}

fn four() -> u16 {
    4
}

fn ten_thousand() -> u32 {
    10_000
}

fn two_seconds() -> Span {
    Span(std::time::Duration::from_secs(2))
}

fn five_seconds() -> Span {
    Span(std::time::Duration::from_secs(5))
}

impl Scenario {
    /// A file, or one that Entente ships, by its name.
    pub(crate) fn find(name: &str) -> anyhow::Result<Scenario> {
        let path = Path::new(name);
        if let Some((_, text)) = BUNDLED.iter().find(|(known, _)| *known == name) {
            return Scenario::parse(text).with_context(|| format!("the scenario {name}"));
        }
        if !path.exists() && !name.contains(['/', '.']) {
            let names: Vec<&str> = BUNDLED.iter().map(|(known, _)| *known).collect();
            bail!(
                "there is no file `{name}`, and the scenarios by name are {}",
                names.join(", ")
            );
        }
        let text = whole::read(path, MAX_BYTES)?;
        Scenario::parse(&text).with_context(|| format!("the scenario {name}"))
    }

    /// Those that Entente ships, each with what it is for.
    pub(crate) fn bundled() -> anyhow::Result<Vec<Scenario>> {
        BUNDLED
            .iter()
            .map(|(_, text)| Scenario::parse(text))
            .collect()
    }

    fn parse(text: &str) -> anyhow::Result<Scenario> {
        let scenario: Scenario = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// What the form of the file does not say.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.segments()?;
        ensure!(!self.mix.is_empty(), "mix: there is no call in it");
        ensure!(self.mix.len() <= 50, "mix: more than 50 parts");
        let weights: u64 = self.mix.iter().map(|part| u64::from(part.weight)).sum();
        ensure!(weights > 0, "mix: all weights are 0");
        ensure!(
            (1..=1_000).contains(&self.connections),
            "connections: 1 to 1,000"
        );
        ensure!(self.max_in_flight > 0, "max_in_flight: at least 1");
        ensure!(!self.deadline.0.is_zero(), "deadline: more than 0");
        ensure!(self.retries <= 50, "retries: at most 50");
        ensure!(
            (1..=1_000_000).contains(&self.keys.sample),
            "keys.sample: 1 to 1,000,000"
        );
        let Ingest { batches, rows } = self.ingest;
        ensure!((1..=1_000).contains(&batches), "ingest.batches: 1 to 1,000");
        ensure!((1..=5_000).contains(&rows), "ingest.rows: 1 to 5,000");
        ensure!(
            self.watchers.count <= 2_000,
            "watchers.count: at most 2,000"
        );
        ensure!(
            (1..=MOST_ROWS).contains(&self.keys.rows),
            "keys.rows: 1 to {MOST_ROWS}"
        );
        self.mix.iter().try_for_each(Part::check)?;
        self.thresholds().try_for_each(|(of, thresholds)| {
            thresholds
                .check()
                .map_err(|error| anyhow::anyhow!("{of}thresholds.{error}"))
        })?;
        self.watched()?;
        self.pairs().map(drop)
    }

    /// All thresholds, each with what stands before its name.
    fn thresholds(&self) -> impl Iterator<Item = (&str, &Thresholds)> {
        let parts = self.mix.iter().map(|part| ("mix.", &part.thresholds));
        let all = [
            ("", &self.thresholds),
            ("watchers.", &self.watchers.thresholds),
        ];
        all.into_iter().chain(parts)
    }

    /// Forgets all that must hold: of all calls, of parts, and of the watchers.
    pub(crate) fn drop_thresholds(&mut self) {
        self.thresholds = Thresholds::default();
        self.watchers.thresholds = Thresholds::default();
        for part in &mut self.mix {
            part.thresholds = Thresholds::default();
        }
    }

    /// The stretches that are measured.
    pub(crate) fn segments(&self) -> anyhow::Result<Vec<Segment>> {
        self.arrival
            .segments(self.duration)
            .map_err(anyhow::Error::msg)
    }

    /// The pairs that are named.
    pub(crate) fn pairs(&self) -> anyhow::Result<Vec<[String; 2]>> {
        let pairs = self.keys.pairs.iter();
        let read = |text: &String| pair(text).with_context(|| format!("keys.pairs: `{text}`"));
        pairs.map(read).collect()
    }

    /// The pair that is watched.
    pub(crate) fn watched(&self) -> anyhow::Result<[String; 2]> {
        let text = &self.watchers.pair;
        pair(text).with_context(|| format!("watchers.pair: `{text}`"))
    }

    /// As results name the parts: all but the first of one name with a number.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let name = |part| {
            let name = Part::name(part);
            let number = seen.entry(name).or_default();
            *number += 1;
            match number {
                1 => name.to_owned(),
                number => format!("{name} ({number})"),
            }
        };
        self.mix.iter().map(name).collect()
    }

    /// Whether something is written to the server.
    pub(crate) fn writes(&self) -> bool {
        self.mix.iter().any(Part::writes)
    }
}

impl Part {
    fn check(&self) -> anyhow::Result<()> {
        let is_one = self.call.is_some() != self.method.is_some();
        ensure!(is_one, "mix: a part has a `call` or a `method`");
        let has_message = self.method.is_some() || self.message.is_empty();
        ensure!(has_message, "mix: a `message` is of a `method`");
        if let Some(name) = &self.method {
            let asked = Method::find(name, &self.message);
            asked.with_context(|| format!("mix: the method `{name}`"))?;
        }
        Ok(())
    }

    /// A kind, or the service and the method.
    pub(crate) fn name(&self) -> &str {
        match (self.call, &self.method) {
            (Some(kind), _) => kind.name(),
            (None, Some(method)) => method.rsplit('.').next().unwrap_or(method),
            (None, None) => "",
        }
    }

    /// Its method, as a path.
    pub(crate) fn path(&self) -> String {
        let method = self.method.as_ref().map(|method| format!("/{method}"));
        let kind = self.call.map(|kind| kind.path().to_owned());
        kind.or(method).unwrap_or_default()
    }

    /// Whether it writes.
    pub(crate) fn writes(&self) -> bool {
        self.call.is_some_and(Kind::writes)
    }

    /// Whether it asks about figures.
    pub(crate) fn needs_figures(&self) -> bool {
        let [figures, _] = method::needs(&self.message);
        figures || self.call.is_some_and(Kind::needs_figures)
    }

    /// Whether it asks about pairs.
    pub(crate) fn needs_pairs(&self) -> bool {
        let [_, pairs] = method::needs(&self.message);
        pairs || self.call.is_some_and(Kind::needs_pairs)
    }
}

fn pair(text: &str) -> anyhow::Result<[String; 2]> {
    let (a, b) = text.split_once('-').context("it looks like CHN-KAZ")?;
    let known = |code: &str| -> anyhow::Result<String> {
        let country: proto::Country = code.parse()?;
        Ok(country.to_string())
    };
    let (a, b) = (known(a)?, known(b)?);
    ensure!(a != b, "two different countries make a pair");
    Ok([a, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_that_are_shipped_can_be_read_under_their_names() {
        for (scenario, (name, _)) in Scenario::bundled().unwrap().iter().zip(BUNDLED) {
            assert_eq!(scenario.name, name);
            assert!(!scenario.about.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_called_read_only_or_tried_first_writes_nothing() {
        for name in ["read-only", "smoke"] {
            assert!(!Scenario::find(name).unwrap().writes(), "{name}");
        }
    }

    #[test]
    fn read_mostly_is_read_only_with_events_instead_of_some_figures() {
        let mix = |name| Scenario::find(name).unwrap().mix;
        let (events, mut reads): (Vec<Part>, Vec<Part>) =
            mix("read-mostly").into_iter().partition(Part::writes);
        let mut figures = reads.iter_mut();
        let figures = figures.find(|part| part.call == Some(Kind::PointRead));
        figures.unwrap().weight += events.iter().map(|part| part.weight).sum::<u32>();
        assert_eq!(reads, mix("read-only"));
    }

    #[test]
    fn parts_of_one_method_have_names_of_their_own() {
        let visa = |day| {
            format!(
                "[[mix]]\nmethod = 'entente.culture.v1.CultureService/FindVisaRules'\n\
                 message = {{ country = 'CHN', partner = 'KAZ', day = {{ year = 2024, month = 7, day = {day} }} }}\n"
            )
        };
        let text = format!(
            "name = 'a'\nduration = '1s'\narrival.rate = 1\n{}[[mix]]\ncall = 'health'\n{}",
            visa(1),
            visa(2)
        );
        let names = Scenario::parse(&text).unwrap().names();
        let visa = "CultureService/FindVisaRules";
        assert_eq!(names, [visa, "health", &format!("{visa} (2)")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let good = "name = 'a'\nduration = '1s'\narrival.rate = 1\n[[mix]]\ncall = 'health'\n";
        assert!(Scenario::parse(good).is_ok());
        for (text, told) in [
            ("name = 'a'\nduratoin = '1s'", "duratoin"),
            (
                "name = 'a'\nduration = 'soon'",
                "`soon` is no length of time",
            ),
            (
                "name = 'a'\n[[mix]]\ncall = 'guess'",
                "unknown variant `guess`",
            ),
            (
                "name = 'a'\nduration = '1s'\narrival.rate = 1",
                "mix: there is no call",
            ),
            (
                &format!("{good}\n[keys]\npairs = ['CHN']"),
                "it looks like CHN-KAZ",
            ),
            (
                &format!("{good}\n[keys]\npairs = ['CHN-CHN']"),
                "two different countries",
            ),
            (
                &format!("{good}\n[ingest]\nrows = 0"),
                "ingest.rows: 1 to 5,000",
            ),
            (&format!("{good}weight = 0"), "all weights are 0"),
            (
                &format!("{good}[[mix]]\nweight = 1"),
                "a `call` or a `method`",
            ),
            (
                &format!("{good}message = {{ country = 'CHN' }}"),
                "a `message` is of a `method`",
            ),
            (
                &format!("{good}[[mix]]\nmethod = 'entente.trade.v1.TradeService/GetAll'"),
                "TradeService/GetAll`: the service has no such method",
            ),
            (
                &format!("{good}thresholds = {{ errors = 2 }}"),
                "mix.thresholds.errors: 2 is no share",
            ),
            (
                &format!("{good}[thresholds]\nachieved = nan"),
                "thresholds.achieved: NaN is no share",
            ),
        ] {
            let error = format!("{:#}", Scenario::parse(text).unwrap_err());
            assert!(error.contains(told), "{told} in {error}");
        }
    }

    #[test]
    fn a_name_that_is_neither_file_nor_scenario_is_told_with_those_that_are() {
        let error = Scenario::find("read-always").unwrap_err().to_string();
        assert!(error.contains("read-mostly"), "{error}");
    }
}
