//! The records that Entente ships: sectors to start with, and statements for the demonstration.

use anyhow::Context;
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

/// Reads one request as JSON, or a list of them.
pub(crate) fn sectors(text: &str) -> anyhow::Result<Vec<CreateSectorRequest>> {
    list("entente.trade.v1.CreateSectorRequest", text)
}

/// Reads one message as JSON, or a list of them.
pub(crate) fn list<M: prost::Message + Default>(name: &str, text: &str) -> anyhow::Result<Vec<M>> {
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
    }

    #[test]
    fn an_entry_that_is_no_request_is_named() {
        let error = sectors(r#"[{"sectorId": "cars"}, {"sector": 5}]"#).unwrap_err();
        assert!(format!("{error:#}").contains("entry 2"), "{error:#}");
        assert_eq!(sectors(r#"{"sectorId": "cars"}"#).unwrap().len(), 1);
    }
}
