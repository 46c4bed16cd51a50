//! A row's value, weight, quantity and flags.

use proto::Scaled;
use proto::trade::v1::ObservationFlag;

use super::cells::Cells;
use super::layout::{Column, Layout};
use super::row::{Fault, fault, number as code_number};
use crate::rows::{Flags, excerpt, number};

/// Bits of `legacyEstimationFlag`.
const QUANTITY_BIT: u8 = 2;
const NET_WEIGHT_BIT: u8 = 4;

/// What a row measures.
pub(super) struct Measures {
    pub(super) value: Scaled,
    pub(super) net_weight: Option<Scaled>,
    pub(super) quantity: Option<Scaled>,
    pub(super) unit: u8,
    pub(super) flags: Flags,
    /// How many of the figures were rounded.
    pub(super) rounded: u64,
}

impl Measures {
    pub(super) fn read(layout: Layout, cells: Cells<'_>) -> Result<Self, Fault> {
        let mut rounded = 0;
        let value = figure(cells, Column::Value, &mut rounded)?;
        let value = value.ok_or_else(|| fault(Column::Value, "no value"))?;
        let net_weight = figure(cells, Column::NetWeight, &mut rounded)?;
        let net_weight = net_weight.filter(|weight| *weight != Scaled::ZERO);
        let unit = unit(layout, cells)?;
        let quantity = if unit == 0 {
            None
        } else {
            figure(cells, Column::Quantity, &mut rounded)?
        };
        Ok(Self {
            value,
            net_weight,
            quantity,
            unit,
            flags: flags(cells, quantity.is_some(), net_weight.is_some())?,
            rounded,
        })
    }
}

fn figure(cells: Cells<'_>, column: Column, rounded: &mut u64) -> Result<Option<Scaled>, Fault> {
    let text = cells.exact(column);
    if text.is_empty() {
        return Ok(None);
    }
    match number::parse(text) {
        Ok(figure) => {
            *rounded += u64::from(figure.rounded);
            Ok(Some(figure.value))
        }
        Err(reason) => Err(fault(column, format!("{}: {reason}", excerpt(text)))),
    }
}

/// The unit of the quantity; 0 for none, which is -1 today and was 1 once.
fn unit(layout: Layout, cells: Cells<'_>) -> Result<u8, Fault> {
    let text = cells.code(Column::Unit);
    if matches!(text, "" | "-1" | "-1.0") {
        return Ok(0);
    }
    match code_number(text) {
        Ok(1) if layout == Layout::LegacyCsv => Ok(0),
        Ok(unit @ 0..=99) => Ok(unit),
        Ok(_) => Err(fault(Column::Unit, format!("{} is no unit", excerpt(text)))),
        Err(reason) => Err(fault(Column::Unit, reason)),
    }
}

/// Flags of what is given. The columns of their own win over the old bit field.
fn flags(cells: Cells<'_>, quantity: bool, net_weight: bool) -> Result<Flags, Fault> {
    let bits = estimation_bits(cells)?;
    let quantity_estimated = truth(cells, Column::QuantityEstimated)?;
    let weight_estimated = truth(cells, Column::NetWeightEstimated)?;
    let mut flags = Flags::default();
    if quantity && quantity_estimated.unwrap_or(bits & QUANTITY_BIT != 0) {
        flags.insert(ObservationFlag::QuantityEstimated);
    }
    if net_weight && weight_estimated.unwrap_or(bits & NET_WEIGHT_BIT != 0) {
        flags.insert(ObservationFlag::NetWeightEstimated);
    }
    if truth(cells, Column::Aggregate)? == Some(true) {
        flags.insert(ObservationFlag::Aggregated);
    }
    Ok(flags)
}

fn estimation_bits(cells: Cells<'_>) -> Result<u8, Fault> {
    match cells.code(Column::EstimationFlag) {
        "" => Ok(0),
        text => code_number(text).map_err(|reason| fault(Column::EstimationFlag, reason)),
    }
}

fn truth(cells: Cells<'_>, column: Column) -> Result<Option<bool>, Fault> {
    let text = cells.code(column);
    if text.is_empty() {
        Ok(None)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Ok(Some(false))
    } else if text == "1" || text.eq_ignore_ascii_case("true") {
        Ok(Some(true))
    } else {
        Err(fault(
            column,
            format!("{} is neither true nor false", excerpt(text)),
        ))
    }
}
