//! One published figure, without what its block says already.

use proto::trade::v1 as wire;
use proto::{Code, Scaled, Violations, to_timestamp};
use store::Micros;
use wire::ObservationFlag;

/// A figure as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) code: Code,
    pub(crate) value: Scaled,
    pub(crate) net_weight: Option<Scaled>,
    pub(crate) quantity: Option<Scaled>,
    /// UN Comtrade's quantity unit code; 0 without a quantity's unit.
    pub(crate) unit: u8,
    pub(crate) flags: Flags,
    /// Number of its source within the dataset; 0 is the dataset's own.
    pub(crate) source: u32,
    /// When it was recorded: its vintage.
    pub(crate) since: Micros,
    /// Number of the ingest that recorded it.
    pub(crate) ingest: u32,
}

impl Figure {
    /// The figure as a row that refers to its source by `source`, with its vintage.
    pub(crate) fn to_row(self, source: i32) -> wire::ObservationRow {
        let text = |amount: Option<Scaled>| amount.map(|a| a.to_string()).unwrap_or_default();
        wire::ObservationRow {
            number: 0,
            code: self.code.to_string(),
            value: self.value.to_string(),
            net_weight: text(self.net_weight),
            quantity: text(self.quantity),
            quantity_unit: self.unit.into(),
            flags: self.flags.to_wire(),
            source,
            vintage: Some(to_timestamp(self.since)),
        }
    }

    /// Whether both say the same, whenever and by whichever ingest they were recorded.
    pub(crate) fn says_the_same(&self, other: &Figure) -> bool {
        let as_other = Figure {
            since: other.since,
            ingest: other.ingest,
            ..*self
        };
        as_other == *other
    }
}

/// What qualifies a figure: a set of [`ObservationFlag`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

const KNOWN: [ObservationFlag; 9] = [
    ObservationFlag::Provisional,
    ObservationFlag::Estimated,
    ObservationFlag::QuantityEstimated,
    ObservationFlag::NetWeightEstimated,
    ObservationFlag::Implied,
    ObservationFlag::LowerBound,
    ObservationFlag::Unverified,
    ObservationFlag::Rounded,
    ObservationFlag::Aggregated,
];

impl Flags {
    pub(crate) fn from_bits(bits: u16) -> Flags {
        Flags(bits)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// All flags of both.
    pub(crate) fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    pub(crate) fn contains(self, flag: ObservationFlag) -> bool {
        self.0 & bit(flag) != 0
    }

    pub(crate) fn to_wire(self) -> Vec<i32> {
        let set = KNOWN.into_iter().filter(|flag| self.contains(*flag));
        set.map(i32::from).collect()
    }

    pub(crate) fn from_wire(numbers: &[i32]) -> Result<Flags, String> {
        let mut flags = Flags::default();
        for number in numbers {
            let flag = KNOWN.into_iter().find(|flag| i32::from(*flag) == *number);
            flags.0 |= bit(flag.ok_or_else(|| format!("{number} is no flag"))?);
        }
        Ok(flags)
    }
}

fn bit(flag: ObservationFlag) -> u16 {
    1 << i32::from(flag)
}

/// A row as it was given: a figure, and the index of its source in the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) figure: Figure,
    pub(crate) source_index: usize,
}

impl Row {
    /// Parses a row of a batch that has `sources` sources.
    pub(crate) fn parse(row: &wire::ObservationRow, sources: usize) -> Result<Row, Violations> {
        let wire::ObservationRow {
            number: _,
            code,
            value,
            net_weight,
            quantity,
            quantity_unit,
            flags,
            source,
            vintage: _,
        } = row;
        let mut violations = Violations::new();
        let code = violations.check("code", code.parse::<Code>());
        let value = violations.check("value", amount(value));
        let net_weight = violations.check("net_weight", optional(net_weight));
        let quantity = violations.check("quantity", optional(quantity));
        let unit = violations.check("quantity_unit", unit(*quantity_unit, quantity.flatten()));
        let flags = violations.check("flags", Flags::from_wire(flags));
        let source_index = violations.check("source", index(*source, sources));
        let (Some(code), Some(value), Some(net_weight), Some(quantity), Some(unit)) =
            (code, value, net_weight, quantity, unit)
        else {
            return Err(violations);
        };
        let figure = Figure {
            code,
            value,
            net_weight,
            quantity,
            unit,
            flags: flags.unwrap_or_default(),
            source: 0,
            since: 0,
            ingest: 0,
        };
        violations.into_result(Row {
            figure,
            source_index: source_index.unwrap_or_default(),
        })
    }
}

fn amount(text: &str) -> Result<Scaled, String> {
    let amount = Scaled::parse(text).map_err(|error| error.to_string())?;
    if amount.is_negative() {
        return Err("must not be negative".into());
    }
    Ok(amount)
}

fn optional(text: &str) -> Result<Option<Scaled>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    amount(text).map(Some)
}

fn unit(unit: i32, quantity: Option<Scaled>) -> Result<u8, String> {
    match (u8::try_from(unit), quantity) {
        (Ok(0), Some(_)) => Err("is required with a quantity".into()),
        (Ok(unit @ 0..=99), _) => Ok(unit),
        _ => Err("must be 0 to 99".into()),
    }
}

fn index(index: i32, sources: usize) -> Result<usize, String> {
    match usize::try_from(index) {
        Ok(index) if index <= sources => Ok(index),
        _ => Err(format!("the batch has {sources} sources")),
    }
}
