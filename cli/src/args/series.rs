//! Options of series and balances.

use clap::{ArgGroup, Args, ValueEnum};
use proto::trade::v1::{Measure, MonthSpan};
use proto::{Classification, Code, Country, Flow, Frequency, Slug};

use super::answer::{AnswerArgs, AsOfArgs, ChartArgs, WindowArgs, parse_frequency};

/// Options of `entente trade series`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("shown").args(["flow", "measure"]))]
pub(crate) struct SeriesArgs {
    /// Whose statistics: ISO 3166-1 alpha-3, such as CHN
    pub(crate) reporter: Country,
    /// With whom: alpha-3, or WLD for all partners together
    pub(crate) partner: Country,
    /// M imports, X exports, T total trade as published, RM, RX, DX, FM, MIP, MOP, XIP, XOP
    #[arg(long, default_value = "X")]
    pub(crate) flow: Flow,
    /// Instead of a flow, what is computed from the reporter's exports and imports
    #[arg(long)]
    pub(crate) measure: Option<MeasureArg>,
    /// Bring figures under another revision to --classification by the imported tables, where none is split
    #[arg(long, requires = "classification")]
    pub(crate) convert: bool,
    #[command(flatten)]
    pub(crate) goods: GoodsArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) chart: ChartArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade balance`.
#[derive(Debug, Args)]
pub(crate) struct BalanceArgs {
    /// Whose statistics: ISO 3166-1 alpha-3, such as CHN
    pub(crate) reporter: Country,
    /// With whom: alpha-3, or WLD for all partners together
    pub(crate) partner: Country,
    #[command(flatten)]
    pub(crate) goods: GoodsArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) chart: ChartArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Which figures of which dataset.
#[derive(Debug, Args)]
pub(crate) struct GoodsArgs {
    /// Dataset that is asked; figures of different datasets are never merged
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    /// TOTAL, or a code of 2 to 6 digits
    #[arg(long, default_value = "TOTAL", conflicts_with = "sector")]
    pub(crate) code: Code,
    /// The sum over a sector's codes, instead of one code; `entente trade sectors` lists them
    #[arg(long, value_name = "ID", value_parser = Slug::parse)]
    pub(crate) sector: Option<Slug>,
    /// Only figures published under this classification: H0 to H6, S1 to S4, B4, B5, NA
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
}

impl GoodsArgs {
    /// The code as the wire has it: empty where a sector is asked for.
    pub(crate) fn code_text(&self) -> String {
        match self.sector {
            None => self.code.to_string(),
            Some(_) => String::new(),
        }
    }

    /// The sector's name; empty where a code is asked for.
    pub(crate) fn sector_name(&self) -> String {
        let name = self.sector.as_ref().map(proto::sector_name);
        name.unwrap_or_default()
    }

    /// The classification; empty for any.
    pub(crate) fn classification_text(&self) -> String {
        let text = self.classification.map(|given| given.to_string());
        text.unwrap_or_default()
    }
}

/// Which periods, and how long each is.
#[derive(Debug, Args)]
pub(crate) struct TimeArgs {
    /// How long each period is: year, month, cumulated
    #[arg(
        long,
        default_value = "year",
        value_name = "LENGTH",
        conflicts_with = "months",
        value_parser = parse_frequency
    )]
    frequency: Frequency,
    /// Add up these published months of each year: 1..5 is January to May
    #[arg(long, value_name = "FIRST..LAST", value_parser = parse_months)]
    pub(crate) months: Option<MonthSpan>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
}

impl TimeArgs {
    /// How long each period is; months that are added up make a cumulated figure.
    pub(crate) fn frequency(&self) -> Frequency {
        match self.months {
            None => self.frequency,
            Some(_) => Frequency::Cumulated,
        }
    }
}

/// What is computed from exports and imports.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MeasureArg {
    /// Exports − imports
    Balance,
    /// Exports + imports
    Turnover,
}

impl MeasureArg {
    pub(crate) fn to_wire(self) -> Measure {
        match self {
            MeasureArg::Balance => Measure::Balance,
            MeasureArg::Turnover => Measure::Turnover,
        }
    }
}

fn parse_months(text: &str) -> Result<MonthSpan, String> {
    let month = |part: &str| part.parse().ok().filter(|month| (1..=12).contains(month));
    let parts = text.split_once("..").map(|(a, b)| (month(a), month(b)));
    match parts {
        Some((Some(first), Some(last))) if first < last => Ok(MonthSpan { first, last }),
        _ => Err("two months, the later one last: 1..5 is January to May".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_months_has_two_in_order() {
        let span = parse_months("1..5").unwrap();
        assert_eq!((span.first, span.last), (1, 5));
        for wrong in ["5..1", "1..1", "0..5", "1..13", "1", "1...5", "..", "a..b"] {
            assert!(parse_months(wrong).unwrap_err().contains("1..5"), "{wrong}");
        }
    }
}
