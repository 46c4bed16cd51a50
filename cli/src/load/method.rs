//! Calls of any method of the schema that reads: a message as the scenario has it, in which words in braces stand for what
//! a key says.

use std::sync::LazyLock;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use proto::trade::v1::Flow;
use toml::{Table, Value};

use super::keys::{Figure, Pair};
use super::wire::framed;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(proto::DESCRIPTORS).expect("the schema was compiled with this binary")
});

/// What the schema says of a method without side effects (`NO_SIDE_EFFECTS`).
const READS: i32 = 1;

/// A method, and what it is asked.
#[derive(Debug)]
pub(super) struct Method<'a> {
    input: MessageDescriptor,
    message: &'a Table,
}

/// What a message can be about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'a> {
    pub(super) figure: Option<&'a Figure>,
    pub(super) pair: Option<&'a Pair>,
}

impl<'a> Method<'a> {
    /// A method by its name (`entente.trade.v1.TradeService/ListSides`), with its message as protobuf's JSON has it.
    pub(super) fn find(name: &str, message: &'a Table) -> anyhow::Result<Method<'a>> {
        let (service, method) = name
            .split_once('/')
            .context("it looks like entente.trade.v1.TradeService/ListSides")?;
        let service = POOL.get_service_by_name(service);
        let service = service.context("the schema has no such service")?;
        let method = service.methods().find(|known| known.name() == method);
        let method = method.context("the service has no such method")?;
        ensure!(
            !method.is_client_streaming() && !method.is_server_streaming(),
            "it is a stream"
        );
        ensure!(reads(&method), "it writes");
        let method = Method {
            input: method.input(),
            message,
        };
        method.ask(About {
            figure: Some(&Figure::example()),
            pair: Some(&["CHN".to_owned(), "KAZ".to_owned()]),
        })?;
        Ok(method)
    }

    /// Its message about these.
    pub(super) fn ask(&self, about: About<'_>) -> anyhow::Result<Bytes> {
        let message = about.fill_table(self.message)?;
        let message = DynamicMessage::deserialize(self.input.clone(), Value::Table(message));
        Ok(framed(&message.context("message")?))
    }
}

fn reads(method: &MethodDescriptor) -> bool {
    let options = method.method_descriptor_proto().options.as_ref();
    options.is_some_and(|options| options.idempotency_level == Some(READS))
}

/// Whether a message has words of a figure, and of a pair.
pub(super) fn needs(message: &Table) -> [bool; 2] {
    let has = |words: &[&str]| message.values().any(|value| mentions(value, words));
    [has(&OF_FIGURES), has(&OF_PAIRS)]
}

fn mentions(value: &Value, words: &[&str]) -> bool {
    match value {
        Value::String(text) => words
            .iter()
            .any(|word| text.contains(&format!("{{{word}}}"))),
        Value::Table(table) => table.values().any(|value| mentions(value, words)),
        Value::Array(values) => values.iter().any(|value| mentions(value, words)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}

const OF_FIGURES: [&str; 8] = [
    "figure",
    "dataset",
    "reporter",
    "counterpart",
    "flow",
    "classification",
    "code",
    "period",
];
const OF_PAIRS: [&str; 2] = ["country", "partner"];

impl About<'_> {
    fn fill_table(self, table: &Table) -> anyhow::Result<Table> {
        let filled = table.iter().map(|(name, value)| {
            let value = self.fill(value).with_context(|| name.clone())?;
            Ok((name.clone(), value))
        });
        filled.collect()
    }

    fn fill(self, value: &Value) -> anyhow::Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.fill_text(text)?),
            Value::Table(table) => Value::Table(self.fill_table(table)?),
            Value::Array(values) => {
                let filled = values.iter().map(|value| self.fill(value));
                Value::Array(filled.collect::<anyhow::Result<_>>()?)
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                value.clone()
            }
        })
    }

    fn fill_text(self, text: &str) -> anyhow::Result<String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').context("a brace is not closed")?;
            filled.push_str(before);
            filled.push_str(&self.word(word)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn word(self, word: &str) -> anyhow::Result<String> {
        if let Some(place) = OF_PAIRS.iter().position(|known| *known == word) {
            let pair = self.pair.context("there is no pair")?;
            return Ok(pair[place].clone());
        }
        let figure = self.figure.context("there is no figure")?;
        Ok(match word {
            "figure" => figure.name(),
            "dataset" => figure.parent(),
            "reporter" => figure.reporter.clone(),
            "counterpart" => figure.partner.clone(),
            "flow" => Flow::try_from(figure.flow())?.as_str_name().to_owned(),
            "classification" => figure.classification.clone(),
            "code" => figure.code.clone(),
            "period" => figure.period.clone(),
            _ => bail!(
                "`{{{word}}}` is none of {}, {}",
                OF_PAIRS.join(", "),
                OF_FIGURES.join(", ")
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use proto::culture::v1::FindVisaRulesRequest;
    use proto::trade::v1::GetSeriesRequest;

    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn words_in_braces_stand_for_the_key() {
        let message = table(
            "parent = '{dataset}'\nreporter = '{reporter}'\npartner = '{counterpart}'\nflow = '{flow}'\n\
             code = '{code}'\nfrequency = 'FREQUENCY_YEAR'",
        );
        let method = Method::find("entente.trade.v1.TradeService/GetSeries", &message).unwrap();
        let figure = Figure::example();
        let about = About {
            figure: Some(&figure),
            pair: None,
        };
        let sent = method.ask(about).unwrap();
        let sent = GetSeriesRequest::decode(&sent[5..]).unwrap();
        assert_eq!(sent.parent, figure.parent());
        assert_eq!((&*sent.reporter, &*sent.partner), ("CHN", "KAZ"));
        assert_eq!(sent.flow(), Flow::Export);
        assert_eq!(needs(&message), [true, false]);
    }

    #[test]
    fn a_message_may_be_nested_and_of_a_pair() {
        let message = table(
            "country = '{partner}'\npartner = '{country}'\nday = { year = 2024, month = 7, day = 1 }",
        );
        let method = "entente.culture.v1.CultureService/FindVisaRules";
        let method = Method::find(method, &message).unwrap();
        let pair = ["MNG".to_owned(), "CHN".to_owned()];
        let about = About {
            figure: None,
            pair: Some(&pair),
        };
        let sent = method.ask(about).unwrap();
        let sent = FindVisaRulesRequest::decode(&sent[5..]).unwrap();
        assert_eq!((&*sent.country, &*sent.partner), ("CHN", "MNG"));
        assert_eq!(sent.day.map(|day| day.month), Some(7));
        assert_eq!(needs(&message), [false, true]);
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        for (method, message, told) in [
            ("GetSeries", "", "it looks like"),
            (
                "entente.trade.v2.TradeService/GetSeries",
                "",
                "no such service",
            ),
            ("entente.trade.v1.TradeService/GetAll", "", "no such method"),
            (
                "entente.trade.v1.TradeService/WatchChanges",
                "",
                "it is a stream",
            ),
            (
                "entente.trade.v1.TradeService/DeleteSector",
                "",
                "it writes",
            ),
            (
                "entente.trade.v1.TradeService/ListSides",
                "land = 'CHN'",
                "land",
            ),
            (
                "entente.trade.v1.TradeService/ListSides",
                "country = 5",
                "message",
            ),
            (
                "entente.trade.v1.TradeService/ListSides",
                "country = '{land}'",
                "`{land}` is none of",
            ),
            (
                "entente.trade.v1.TradeService/ListSides",
                "country = '{country'",
                "brace",
            ),
        ] {
            let error = Method::find(method, &table(message)).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains(told), "{told} in {error}");
        }
    }
}
