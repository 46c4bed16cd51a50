//! The records that Entente ships: sectors to start with; statements, events, agreements, programmes, visa rules and
//! measures for the demonstration.

use anyhow::Context;
use proto::culture::v1::{CreateProgrammeRequest, CreateVisaRuleRequest, RecordMeasuresRequest};
use proto::events::v1::{CreateAgreementRequest, CreateEventRequest};
use proto::trade::v1::{CreateSectorRequest, CreateStatementRequest};

use crate::output;

/// The sectors that Entente ships.
pub(crate) fn starting_sectors() -> anyhow::Result<Vec<CreateSectorRequest>> {
    sectors(include_str!("../demo/sectors.json")).context("reading the starting sectors")
}

/// The statements of the demonstration.
pub(crate) fn demo_statements() -> anyhow::Result<Vec<CreateStatementRequest>> {
    let file = include_str!("../demo/statements.json");
    list("entente.trade.v1.CreateStatementRequest", file).context("reading the statements")
}

/// The events of the demonstration, in the order in which they are to be created.
pub(crate) fn demo_events() -> anyhow::Result<Vec<CreateEventRequest>> {
    let file = include_str!("../demo/events.json");
    list("entente.events.v1.CreateEventRequest", file).context("reading the events")
}

/// The agreements of the demonstration.
pub(crate) fn demo_agreements() -> anyhow::Result<Vec<CreateAgreementRequest>> {
    let file = include_str!("../demo/agreements.json");
    list("entente.events.v1.CreateAgreementRequest", file).context("reading the agreements")
}

/// The programmes of the demonstration.
pub(crate) fn demo_programmes() -> anyhow::Result<Vec<CreateProgrammeRequest>> {
    let file = include_str!("../demo/programmes.json");
    list("entente.culture.v1.CreateProgrammeRequest", file).context("reading the programmes")
}

/// The visa rules of the demonstration.
pub(crate) fn demo_visa_rules() -> anyhow::Result<Vec<CreateVisaRuleRequest>> {
    let file = include_str!("../demo/visa-rules.json");
    list("entente.culture.v1.CreateVisaRuleRequest", file).context("reading the visa rules")
}

/// The measures of the demonstration.
pub(crate) fn demo_measures() -> anyhow::Result<RecordMeasuresRequest> {
    let file = include_str!("../demo/measures.json");
    output::from_json("entente.culture.v1.RecordMeasuresRequest", file)
        .context("reading the measures")
}

/// Reads one request as JSON, or a list of them.
pub(crate) fn sectors(text: &str) -> anyhow::Result<Vec<CreateSectorRequest>> {
    list("entente.trade.v1.CreateSectorRequest", text)
}

/// Reads one message as JSON, or a list of them.
pub(crate) fn list<M: prost::Message + Default>(name: &str, text: &str) -> anyhow::Result<Vec<M>> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let value: serde_json::Value = serde_json::from_str(text)?;
    let one_or_more = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    let parsed = one_or_more.iter().enumerate().map(|(at, value)| {
        let parsed = output::from_json(name, &value.to_string());
        parsed.with_context(|| format!("entry {}", at + 1))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_can_be_read() {
        assert!(starting_sectors().unwrap().len() >= 3);
        assert!(demo_statements().unwrap().len() >= 3);
        assert!(demo_events().unwrap().len() >= 20);
        assert!(demo_agreements().unwrap().len() >= 10);
        assert!(demo_programmes().unwrap().len() >= 5);
        assert!(demo_visa_rules().unwrap().len() >= 2);
        assert!(demo_measures().unwrap().measures.len() >= 10);
    }

    #[test]
    fn each_title_of_the_demonstration_is_in_five_languages() {
        let events = demo_events()
            .unwrap()
            .into_iter()
            .map(|one| one.event.unwrap().title);
        let agreements = demo_agreements().unwrap().into_iter();
        let agreements = agreements.map(|one| one.agreement.unwrap().title);
        let programmes = demo_programmes().unwrap().into_iter();
        let programmes = programmes.map(|one| one.programme.unwrap().title);
        for title in events.chain(agreements).chain(programmes) {
            let languages: Vec<String> = title.unwrap().texts.into_keys().collect();
            assert_eq!(languages, ["en", "fr", "kk", "ru", "zh"]);
        }
    }

    #[test]
    fn an_entry_that_is_no_request_is_named() {
        let error = sectors(r#"[{"sectorId": "cars"}, {"sector": 5}]"#).unwrap_err();
        assert!(format!("{error:#}").contains("entry 2"), "{error:#}");
        assert_eq!(sectors(r#"{"sectorId": "cars"}"#).unwrap().len(), 1);
    }
}
