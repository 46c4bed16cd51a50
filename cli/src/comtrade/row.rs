//! From a row's text to a figure: each rule of the domain once, for every layout.

use proto::{Classification, Code, Country, Flow, Frequency, Period};

use super::cells::Cells;
use super::layout::{Column, Layout};
use super::measures::Measures;
use crate::rows::{GroupKey, Place, Row, excerpt};

type IsTotal = fn(&str) -> bool;

/// Each column that breaks a total down, how it writes the total, and what is said of the others: they are
/// parts of a figure that has its own row, never added up, and not taken.
const BREAKDOWNS: [(Column, IsTotal, &str); 4] = [
    (
        Column::SecondPartner,
        is_zero,
        "as breakdowns by partner2Code",
    ),
    (
        Column::Customs,
        is_all_procedures,
        "as breakdowns by customsCode",
    ),
    (Column::Transport, is_zero, "as breakdowns by motCode"),
    (Column::Supply, is_zero, "as breakdowns by mosCode"),
];

/// A row without fault.
pub(super) enum Mapped {
    Row(Row),
    /// What is said of it.
    Breakdown(&'static str),
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

/// Maps rows. It remembers what consecutive rows share.
pub(super) struct Mapper {
    layout: Layout,
    reporter: Last<Country>,
    partner: Last<Country>,
    flow: Last<Flow>,
    classification: Last<Classification>,
    period: Last<Period>,
    /// Figures rounded in the rows mapped.
    pub(super) rounded: u64,
}

impl Mapper {
    pub(super) fn new(layout: Layout) -> Self {
        let period = &[
            Column::Period,
            Column::Frequency,
            Column::Year,
            Column::Month,
        ];
        Self {
            layout,
            reporter: Last::of(&[Column::Reporter]),
            partner: Last::of(&[Column::Partner]),
            flow: Last::of(&[Column::Flow]),
            classification: Last::of(&[Column::Classification]),
            period: Last::of(period),
            rounded: 0,
        }
    }

    pub(super) fn map(&mut self, place: Place, cells: Cells<'_>) -> Result<Mapped, Fault> {
        check_goods(self.layout, cells)?;
        for (column, is_total, why) in BREAKDOWNS {
            if !is_total(cells.code(column)) {
                return Ok(Mapped::Breakdown(why));
            }
        }
        let key = self.key(cells)?;
        let code = code(key.classification, cells)?;
        let measures = Measures::read(self.layout, cells)?;
        self.rounded += measures.rounded;
        Ok(Mapped::Row(Row {
            place,
            key,
            code,
            value: measures.value,
            net_weight: measures.net_weight,
            quantity: measures.quantity,
            quantity_unit: measures.unit,
            flags: measures.flags,
            source: None,
        }))
    }

    fn key(&mut self, cells: Cells<'_>) -> Result<GroupKey, Fault> {
        let layout = self.layout;
        Ok(GroupKey {
            reporter: self
                .reporter
                .get(cells, |cells| country(cells, Column::Reporter))?,
            partner: self
                .partner
                .get(cells, |cells| country(cells, Column::Partner))?,
            flow: self.flow.get(cells, |cells| flow(layout, cells))?,
            classification: self.classification.get(cells, classification)?,
            period: self.period.get(cells, |cells| period(layout, cells))?,
        })
    }
}

/// The last value of some columns. Rows come sorted, so the next one mostly has the same text.
struct Last<T> {
    columns: &'static [Column],
    texts: Vec<String>,
    value: Option<T>,
}

impl<T: Copy> Last<T> {
    fn of(columns: &'static [Column]) -> Self {
        let texts = vec![String::new(); columns.len()];
        let value = None;
        Self {
            columns,
            texts,
            value,
        }
    }

    fn get<'a>(
        &mut self,
        cells: Cells<'a>,
        parse: impl FnOnce(Cells<'a>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut texts = self.columns.iter().zip(&self.texts);
        let same = texts.all(|(column, text)| cells.code(*column) == text);
        match self.value {
            Some(value) if same => Ok(value),
            _ => Ok(self.renew(cells, parse(cells)?)),
        }
    }

    fn renew(&mut self, cells: Cells<'_>, value: T) -> T {
        for (column, text) in self.columns.iter().zip(&mut self.texts) {
            text.clear();
            text.push_str(cells.code(*column));
        }
        self.value = Some(value);
        value
    }
}

/// The old layout has no such column: it says services by their classification.
fn check_goods(layout: Layout, cells: Cells<'_>) -> Result<(), Fault> {
    match cells.code(Column::Type) {
        "C" => Ok(()),
        "" if layout == Layout::LegacyCsv => Ok(()),
        "S" => Err(fault(Column::Type, "services: only goods (`C`) are taken")),
        other => {
            let reason = format!("{} is not `C` (goods)", excerpt(other));
            Err(fault(Column::Type, reason))
        }
    }
}

fn is_zero(text: &str) -> bool {
    whole(text).bytes().all(|byte| byte == b'0')
}

fn is_all_procedures(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("C00")
}

/// A whole number as pandas writes it when its column has gaps: `842.0`.
fn whole(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// A code number; the error says what is wrong with its text.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let digits = whole(text);
    if digits.is_empty() {
        return Err("empty".to_owned());
    }
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = if plain { digits.parse().ok() } else { None };
    parsed.ok_or_else(|| format!("{} is not a code number", excerpt(text)))
}

fn country(cells: Cells<'_>, column: Column) -> Result<Country, Fault> {
    let text = cells.code(column);
    let code: u16 = number(text).map_err(|reason| fault(column, reason))?;
    let unknown = || {
        fault(
            column,
            format!("{} is no area code of UN Comtrade", excerpt(text)),
        )
    };
    Country::from_comtrade(code).ok_or_else(unknown)
}

fn flow(layout: Layout, cells: Cells<'_>) -> Result<Flow, Fault> {
    let text = cells.code(Column::Flow);
    let flow = if layout == Layout::LegacyCsv {
        number(text).ok().and_then(Flow::from_legacy)
    } else {
        Flow::from_code(text).filter(|flow| *flow != Flow::TotalTrade)
    };
    let unknown = || {
        fault(
            Column::Flow,
            format!("{} is no flow of UN Comtrade", excerpt(text)),
        )
    };
    flow.ok_or_else(unknown)
}

fn classification(cells: Cells<'_>) -> Result<Classification, Fault> {
    let text = cells.code(Column::Classification);
    match text.parse() {
        Ok(Classification::Eb) => {
            let reason = "services (`EB`): only goods are taken";
            Err(fault(Column::Classification, reason))
        }
        Ok(classification) => Ok(classification),
        Err(error) => Err(fault(Column::Classification, error.to_string())),
    }
}

fn period(layout: Layout, cells: Cells<'_>) -> Result<Period, Fault> {
    let text = cells.code(Column::Period);
    let period =
        Period::from_comtrade(text).map_err(|error| fault(Column::Period, error.to_string()))?;
    check_frequency(layout, period, cells)?;
    let start = period.start();
    check_equal(Column::Year, start.year(), period, cells)?;
    let month = match period.frequency() {
        Frequency::Year => 52,
        Frequency::Month | Frequency::Cumulated => start.month().into(),
    };
    check_equal(Column::Month, month, period, cells)?;
    Ok(period)
}

fn check_frequency(layout: Layout, period: Period, cells: Cells<'_>) -> Result<(), Fault> {
    let text = cells.code(Column::Frequency);
    let agrees = match text {
        "A" => period.frequency() == Frequency::Year,
        "M" => period.frequency() == Frequency::Month,
        "" => layout == Layout::LegacyCsv,
        other => {
            let reason = format!(
                "{} is neither `A` (annual) nor `M` (monthly)",
                excerpt(other)
            );
            return Err(fault(Column::Frequency, reason));
        }
    };
    if agrees {
        return Ok(());
    }
    let reason = format!("{} contradicts the period {period}", excerpt(text));
    Err(fault(Column::Frequency, reason))
}

fn check_equal(column: Column, due: u16, period: Period, cells: Cells<'_>) -> Result<(), Fault> {
    let text = cells.code(column);
    if text.is_empty() || number(text) == Ok(due) {
        return Ok(());
    }
    let reason = format!("{} contradicts the period {period}", excerpt(text));
    Err(fault(column, reason))
}

fn code(classification: Classification, cells: Cells<'_>) -> Result<Code, Fault> {
    let column = Column::Commodity;
    let code: Code = match cells.code(column).parse() {
        Ok(code) => code,
        Err(error) => return Err(fault(column, format!("{error}"))),
    };
    if classification.is_hs() && code.level() % 2 == 1 {
        let reason = format!("`{code}` has an odd number of digits: was a leading zero lost?");
        return Err(fault(column, reason));
    }
    let level = cells.code(Column::Level);
    if level.is_empty() || number(level) == Ok(code.level()) {
        return Ok(code);
    }
    let reason = format!("{} contradicts the code `{code}`", excerpt(level));
    Err(fault(Column::Level, reason))
}
