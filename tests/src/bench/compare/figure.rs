//! A figure as a row of a table, narrow as a careful administrator would make it: numbers for countries
//! and flows, decimals as whole thousandths.

use proto::trade::v1::ObservationRow;

use super::question::column;
use super::world::{Group, flow_number, period_number};

/// A row. The columns of both other systems have these names and this order.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) reporter: i16,
    pub(super) partner: i16,
    pub(super) flow: i16,
    pub(super) period: i32,
    /// Digits of the code; 0 of the total.
    pub(super) level: i16,
    pub(super) code: String,
    pub(super) value: i64,
    pub(super) net_weight: Option<i64>,
    pub(super) quantity: Option<i64>,
    pub(super) quantity_unit: Option<i16>,
    /// The wire's flags, a bit each.
    pub(super) flags: i16,
}

/// The rows of a group.
pub(super) fn figures(group: Group) -> impl Iterator<Item = Figure> {
    let Group { lane, month, rows } = group;
    rows.into_iter().map(move |row| Figure {
        reporter: column(lane.reporter),
        partner: column(lane.partner),
        flow: flow_number(lane.flow),
        period: period_number(month),
        level: level(&row.code),
        value: row.value.parse().unwrap_or_default(),
        net_weight: thousandths(&row.net_weight),
        quantity: thousandths(&row.quantity),
        quantity_unit: i16::try_from(row.quantity_unit).ok().filter(|it| *it > 0),
        flags: flags(&row),
        code: row.code,
    })
}

pub(super) fn level(code: &str) -> i16 {
    match code {
        "TOTAL" => 0,
        digits => i16::try_from(digits.len()).unwrap_or_default(),
    }
}

/// A decimal of at most three places; none of an empty text.
pub(super) fn thousandths(decimal: &str) -> Option<i64> {
    shifted(decimal, 3)
}

/// A decimal of at most six places; none of an empty text.
pub(super) fn millionths(decimal: &str) -> Option<i64> {
    shifted(decimal, 6)
}

/// A decimal without its point, which stands before the last `places` digits.
fn shifted(decimal: &str, places: usize) -> Option<i64> {
    let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
    (!whole.is_empty()).then_some(())?;
    format!("{whole}{part:0<places$}").parse().ok()
}

fn flags(row: &ObservationRow) -> i16 {
    row.flags.iter().fold(0, |bits, flag| bits | 1 << flag)
}
