//! From a row's cells to a figure.

use proto::trade::v1::Valuation;
use proto::{Classification, Code, Country, Flow, Period, Scaled};

use super::column::{COLUMNS, Column};
use super::origin::Origins;
use super::status::{self, Status};
use super::terms::Terms;
use super::{STRUCTURE_ID, period, text};
use crate::rows::{Flags, GroupKey, Place, Row, excerpt, number};

/// Where each column's text stands in its row; none: the file has no such column.
pub(super) type Spans = [Option<(usize, usize)>; COLUMNS];

/// A row's columns.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) text: &'a str,
    pub(super) spans: &'a Spans,
    pub(super) terms: &'a Terms,
}

impl<'a> Cells<'a> {
    /// A column as it is written, or as it was set for all rows.
    fn exact(self, column: Column) -> &'a str {
        match self.spans[column as usize] {
            Some((start, end)) => &self.text[start..end],
            None => self.terms.set(column).unwrap_or_default(),
        }
    }

    /// A code without the label that may follow it: of `A: Annual` the `A`.
    pub(super) fn code(self, column: Column) -> &'a str {
        let text = self.exact(column);
        let code = text.split_once(':').map_or(text, |(code, _)| code);
        code.trim_ascii()
    }

    /// A number, or nothing: SDMX writes a number that is left out on purpose `NaN`.
    fn number(self, column: Column) -> &'a str {
        let text = self.exact(column);
        if text.eq_ignore_ascii_case("nan") {
            ""
        } else {
            text
        }
    }

    /// A free text, or nothing: SDMX writes one that is left out on purpose `#N/A`.
    pub(super) fn text(self, column: Column) -> &'a str {
        match self.exact(column) {
            "#N/A" => "",
            cell if self.is_own() => text::disarmed(cell),
            cell => cell,
        }
    }

    /// Whether it is a row of a file that Entente wrote.
    fn is_own(self) -> bool {
        self.exact(Column::StructureId).trim_ascii() == STRUCTURE_ID
    }
}

/// What is wrong with a row.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) column: Column,
    pub(super) reason: String,
}

pub(super) fn fault(column: Column, reason: impl Into<String>) -> Fault {
    let reason = reason.into();
    Fault { column, reason }
}

/// A row without fault.
pub(super) enum Mapped {
    Row(Row),
    /// Why it is left out.
    LeftOut(&'static str),
}

/// Maps rows.
pub(super) struct Mapper {
    origins: Origins,
    /// What of the last row was not kept.
    pub(super) unkept: Vec<&'static str>,
}

impl Mapper {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            origins: Origins::new(terms.source.clone()),
            unkept: Vec::new(),
        }
    }

    pub(super) fn map(&mut self, place: Place, cells: Cells<'_>) -> Result<Mapped, Fault> {
        self.unkept.clear();
        let is_merge = check_action(cells)?;
        let Some(flags) = self.qualified(cells)? else {
            return Ok(Mapped::LeftOut("without a value"));
        };
        if cells.number(Column::Value).is_empty() {
            return left_without_value(is_merge);
        }
        let key = key(cells)?;
        let code = code(cells, key.classification)?;
        check_currency(cells)?;
        check_valuation(cells, key.flow)?;
        let row = Row {
            place,
            key,
            code,
            value: value(cells)?,
            net_weight: amount(cells, Column::NetWeight)?,
            quantity: amount(cells, Column::Quantity)?,
            quantity_unit: unit(cells)?,
            flags,
            source: self.origins.of(cells)?,
        };
        if is_merge {
            self.unkept.push("merged rows, taken as whole figures");
        }
        Ok(Mapped::Row(row))
    }

    /// What qualifies the figure; none where there is none. Our own column of flags says more than a status.
    fn qualified(&mut self, cells: Cells<'_>) -> Result<Option<Flags>, Fault> {
        let letter = cells.code(Column::Status);
        let mut flags = Flags::default();
        match status::meaning(letter) {
            Status::Figure(flag) => flag.into_iter().for_each(|flag| flags.insert(flag)),
            Status::Unkept => self.unkept.push("statuses that are not kept"),
            Status::Missing => return Ok(None),
            Status::Forecast => {
                let reason = "`F` is a forecast: only what was observed is taken";
                return Err(fault(Column::Status, reason));
            }
            Status::Unknown => {
                let reason = format!("{} is no status of CL_OBS_STATUS", excerpt(letter));
                return Err(fault(Column::Status, reason));
            }
        }
        if cells.spans[Column::Flags as usize].is_none() || !cells.is_own() {
            return Ok(Some(flags));
        }
        own_flags(cells, letter).map(Some)
    }
}

fn own_flags(cells: Cells<'_>, letter: &str) -> Result<Flags, Fault> {
    let no_flag = |name: &str| fault(Column::Flags, format!("{} is no flag", excerpt(name)));
    let flags = status::parse_names(cells.exact(Column::Flags)).map_err(no_flag)?;
    if letter.is_empty() || letter == status::letter(flags) {
        return Ok(flags);
    }
    let reason = format!("{} contradicts the flags", excerpt(letter));
    Err(fault(Column::Status, reason))
}

/// Whether the row is a merge. By SDMX, information without a destination is appended.
fn check_action(cells: Cells<'_>) -> Result<bool, Fault> {
    match cells.code(Column::Action) {
        "" | "I" | "A" | "R" => Ok(false),
        "M" => Ok(true),
        "D" => {
            let reason =
                "`D` deletes a figure: what was published is kept, and can only be revised";
            Err(fault(Column::Action, reason))
        }
        other => {
            let reason = format!("{} is none of I, A, M, R, D", excerpt(other));
            Err(fault(Column::Action, reason))
        }
    }
}

/// A merge without a value changes what is there; it does not state that there is none.
fn left_without_value(is_merge: bool) -> Result<Mapped, Fault> {
    if is_merge {
        let reason =
            "a merge (`M`) without a value changes parts of a figure: only whole ones are taken";
        return Err(fault(Column::Value, reason));
    }
    Ok(Mapped::LeftOut("without a value"))
}

fn key(cells: Cells<'_>) -> Result<GroupKey, Fault> {
    Ok(GroupKey {
        reporter: country(cells, Column::Reporter)?,
        partner: country(cells, Column::Partner)?,
        flow: flow(cells)?,
        classification: classification(cells)?,
        period: when(cells)?,
    })
}

/// By ISO 3166-1 alpha-3 or alpha-2, or by number: M49's, else UN Comtrade's.
fn country(cells: Cells<'_>, column: Column) -> Result<Country, Fault> {
    let text = cells.code(column);
    let numbered = |text: &str| {
        let code = number_of(text)?;
        Country::from_m49(code).or_else(|| Country::from_comtrade(code))
    };
    let country = match text {
        "W0" | "WORLD" => Some(Country::WORLD),
        _ if text.len() == 2 => Country::from_alpha2(text),
        _ => numbered(text),
    };
    match country {
        Some(country) => Ok(country),
        None => text
            .parse()
            .map_err(|error: proto::CountryError| fault(column, error.to_string())),
    }
}

/// One to three digits.
fn number_of<T: std::str::FromStr>(text: &str) -> Option<T> {
    let plain = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn flow(cells: Cells<'_>) -> Result<Flow, Fault> {
    let text = cells.code(Column::Flow);
    let numbered = number_of(text).and_then(Flow::from_legacy);
    match numbered.or_else(|| Flow::from_code(text)) {
        Some(flow) => Ok(flow),
        None => Err(fault(
            Column::Flow,
            format!("{} is no flow: M, X, T, RM, RX, …", excerpt(text)),
        )),
    }
}

fn classification(cells: Cells<'_>) -> Result<Classification, Fault> {
    let column = Column::Classification;
    match cells.code(column).parse() {
        Ok(Classification::Eb) => Err(fault(column, "services (`EB`): only goods are taken")),
        Ok(classification) => Ok(classification),
        Err(error) => Err(fault(column, error.to_string())),
    }
}

fn when(cells: Cells<'_>) -> Result<Period, Fault> {
    let text = cells.exact(Column::Period).trim_ascii();
    let refused = |reason| fault(Column::Period, format!("{}: {reason}", excerpt(text)));
    let period = period::parse(text).map_err(refused)?;
    let frequency = cells.code(Column::Frequency);
    if period::agrees(frequency, period) {
        return Ok(period);
    }
    let reason = format!("{} contradicts the period {period}", excerpt(frequency));
    Err(fault(Column::Frequency, reason))
}

fn code(cells: Cells<'_>, classification: Classification) -> Result<Code, Fault> {
    let column = Column::Code;
    let text = cells.code(column);
    let text = if text == "_T" { "TOTAL" } else { text };
    let code: Code = text
        .parse()
        .map_err(|error: proto::CodeError| fault(column, error.to_string()))?;
    if classification.is_hs() && code.level() % 2 == 1 {
        let reason = format!("`{code}` has an odd number of digits: was a leading zero lost?");
        return Err(fault(column, reason));
    }
    Ok(code)
}

fn check_currency(cells: Cells<'_>) -> Result<(), Fault> {
    let text = cells.code(Column::Currency);
    let due = cells.terms.currency;
    if text.is_empty() || text == due.as_str() {
        return Ok(());
    }
    let reason = format!("{}: the dataset is in {due}", excerpt(text));
    Err(fault(Column::Currency, reason))
}

fn check_valuation(cells: Cells<'_>, flow: Flow) -> Result<(), Fault> {
    let text = cells.code(Column::Valuation);
    let given = match text {
        "" => return Ok(()),
        "CIF" => Valuation::Cif,
        "FOB" => Valuation::Fob,
        _ => {
            let reason = format!("{} is neither CIF nor FOB", excerpt(text));
            return Err(fault(Column::Valuation, reason));
        }
    };
    if given == cells.terms.valuation(flow) {
        return Ok(());
    }
    let reason = format!("{text}: the dataset does not state that for {flow}");
    Err(fault(Column::Valuation, reason))
}

fn value(cells: Cells<'_>) -> Result<Scaled, Fault> {
    let text = cells.number(Column::Value);
    let power = power(cells)?;
    let times = match power {
        0 => String::new(),
        _ => format!(" with UNIT_MULT {power}"),
    };
    number::parse_exact(text, power).map_err(|reason| {
        let reason = format!("{}{times}: {reason}", excerpt(text));
        fault(Column::Value, reason)
    })
}

fn power(cells: Cells<'_>) -> Result<i32, Fault> {
    let text = cells.code(Column::Multiplier);
    if text.is_empty() {
        return Ok(0);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let power = if plain { text.parse().ok() } else { None };
    let reason = || format!("{} is no power of ten", excerpt(text));
    power.ok_or_else(|| fault(Column::Multiplier, reason()))
}

fn amount(cells: Cells<'_>, column: Column) -> Result<Option<Scaled>, Fault> {
    let text = cells.number(column);
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |reason| fault(column, format!("{}: {reason}", excerpt(text)));
    number::parse_exact(text, 0).map(Some).map_err(refused)
}

fn unit(cells: Cells<'_>) -> Result<u8, Fault> {
    let text = cells.code(Column::QuantityUnit);
    if text.is_empty() {
        return Ok(0);
    }
    let unit = number_of(text).filter(|unit| *unit <= 99);
    let reason = || format!("{} is no unit of UN Comtrade, 1 to 99", excerpt(text));
    unit.ok_or_else(|| fault(Column::QuantityUnit, reason()))
}
