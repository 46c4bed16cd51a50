//! A block: the figures that share a key, as packed columns.
//!
//! Most columns of most blocks hold one value over and over (no unit, no flag, one vintage). Such a
//! column is stored as that single value, or not at all when it is zero.

use prost::Message;
use proto::{Code, Scaled};
use store::{Error, Micros};

use crate::figure::{Figure, Flags};

/// The most figures that a block takes; no chapter of any classification has as many codes.
pub(crate) const MAX_FIGURES: usize = 2_048;

/// Figures in the order of their codes, each code once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    figures: Vec<Figure>,
}

impl Block {
    pub(crate) fn new(mut figures: Vec<Figure>) -> Block {
        figures.sort_unstable_by_key(|figure| figure.code);
        Block { figures }
    }

    pub(crate) fn figures(&self) -> &[Figure] {
        &self.figures
    }

    pub(crate) fn get(&self, code: Code) -> Option<&Figure> {
        let found = self.figures.binary_search_by_key(&code, |f| f.code);
        found.ok().map(|at| &self.figures[at])
    }

    /// Puts figures in; those they take the place of come back.
    pub(crate) fn put(&mut self, new: impl IntoIterator<Item = Figure>) -> Vec<Figure> {
        let mut superseded = Vec::new();
        let mut added = Vec::new();
        for figure in new {
            match self.figures.binary_search_by_key(&figure.code, |f| f.code) {
                Ok(at) => superseded.push(std::mem::replace(&mut self.figures[at], figure)),
                Err(_) => added.push(figure),
            }
        }
        if !added.is_empty() {
            self.figures.extend(added);
            self.figures.sort_by_key(|figure| figure.code);
        }
        superseded
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let figures = &self.figures;
        let first_vintage = figures.iter().map(|f| f.since).min().unwrap_or_default();
        let stored = Stored {
            rows: u32::try_from(figures.len()).expect("a block is bounded"),
            codes: deltas(figures.iter().map(|f| ordinal(f.code))),
            values: packed(figures.iter().map(|f| mantissa(f.value))),
            value_scales: packed(figures.iter().map(|f| u32::from(f.value.scale()))),
            net_weights: packed(figures.iter().map(|f| given(f.net_weight))),
            net_weight_scales: packed(figures.iter().map(|f| scale(f.net_weight))),
            quantities: packed(figures.iter().map(|f| given(f.quantity))),
            quantity_scales: packed(figures.iter().map(|f| scale(f.quantity))),
            units: packed(figures.iter().map(|f| u32::from(f.unit))),
            flags: packed(figures.iter().map(|f| u32::from(f.flags.bits()))),
            sources: packed(figures.iter().map(|f| f.source)),
            first_vintage: first_vintage.cast_unsigned(),
            vintages: packed(figures.iter().map(|f| f.since.abs_diff(first_vintage))),
            ingests: packed(figures.iter().map(|f| f.ingest)),
        };
        stored.encode_to_vec()
    }

    /// One figure of an encoded block: the codes are read as far as it, and of each other column its row.
    pub(crate) fn find(bytes: &[u8], code: Code) -> Result<Option<Figure>, Error> {
        let columns = Columns::parse(bytes)?;
        let wanted = ordinal(code);
        let mut codes = columns.codes;
        let mut ordinal = 0;
        for row in 0..columns.rows {
            ordinal = next_ordinal(&mut codes, ordinal)?;
            if ordinal >= wanted {
                let mut columns = columns.at(row)?;
                let found = ordinal == wanted;
                return found.then(|| columns.next_figure(ordinal)).transpose();
            }
        }
        Ok(None)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Block, Error> {
        let mut columns = Columns::parse(bytes)?;
        let mut codes = columns.codes;
        let mut figures = Vec::with_capacity(columns.rows);
        let mut ordinal = 0;
        for _ in 0..columns.rows {
            ordinal = next_ordinal(&mut codes, ordinal)?;
            figures.push(columns.next_figure(ordinal)?);
        }
        Ok(Block { figures })
    }
}

/// A block as it is stored. A column has a value a row, or one for all, or none for zeros.
#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(uint32, tag = "1")]
    rows: u32,
    #[prost(uint32, repeated, tag = "2")]
    codes: Vec<u32>,
    #[prost(uint64, repeated, tag = "3")]
    values: Vec<u64>,
    #[prost(uint32, repeated, tag = "4")]
    value_scales: Vec<u32>,
    #[prost(uint64, repeated, tag = "5")]
    net_weights: Vec<u64>,
    #[prost(uint32, repeated, tag = "6")]
    net_weight_scales: Vec<u32>,
    #[prost(uint64, repeated, tag = "7")]
    quantities: Vec<u64>,
    #[prost(uint32, repeated, tag = "8")]
    quantity_scales: Vec<u32>,
    #[prost(uint32, repeated, tag = "9")]
    units: Vec<u32>,
    #[prost(uint32, repeated, tag = "10")]
    flags: Vec<u32>,
    #[prost(uint32, repeated, tag = "11")]
    sources: Vec<u32>,
    #[prost(uint64, tag = "12")]
    first_vintage: u64,
    #[prost(uint64, repeated, tag = "13")]
    vintages: Vec<u64>,
    #[prost(uint32, repeated, tag = "14")]
    ingests: Vec<u32>,
}

/// A column of a stored block, from some row on: the varints of a packed field.
#[derive(Clone, Copy, Debug, Default)]
struct Column<'a> {
    rest: &'a [u8],
    /// The value of all rows, when it is one.
    all: Option<u64>,
}

impl<'a> Column<'a> {
    fn new(bytes: &'a [u8]) -> Result<Column<'a>, Error> {
        let mut rest = bytes;
        if rest.is_empty() {
            return Ok(Column { rest, all: Some(0) });
        }
        let first = varint(&mut rest)?;
        let all = rest.is_empty().then_some(first);
        Ok(Column { rest: bytes, all })
    }

    /// The column from `rows` further down on.
    fn skip(mut self, rows: usize) -> Result<Column<'a>, Error> {
        if self.all.is_some() || rows == 0 {
            return Ok(self);
        }
        // A varint ends with the first byte whose highest bit is clear.
        let ends = self
            .rest
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte < 0x80);
        let last = ends.map(|(at, _)| at).nth(rows - 1);
        self.rest = &self.rest[last.ok_or_else(short)? + 1..];
        Ok(self)
    }

    fn next<T: TryFrom<u64>>(&mut self) -> Result<T, Error> {
        let value = match self.all {
            Some(all) => all,
            None if self.rest.is_empty() => return Err(short()),
            None => varint(&mut self.rest)?,
        };
        T::try_from(value).map_err(|_| malformed("a number is too large"))
    }
}

fn short() -> Error {
    malformed("a column is short")
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Error> {
    prost::encoding::decode_varint(bytes).map_err(|error| malformed(&error.to_string()))
}

/// The columns of an encoded [`Stored`], read where they lie.
#[derive(Clone, Copy, Debug, Default)]
struct Columns<'a> {
    rows: usize,
    codes: Column<'a>,
    values: Column<'a>,
    value_scales: Column<'a>,
    net_weights: Column<'a>,
    net_weight_scales: Column<'a>,
    quantities: Column<'a>,
    quantity_scales: Column<'a>,
    units: Column<'a>,
    flags: Column<'a>,
    sources: Column<'a>,
    first_vintage: u64,
    vintages: Column<'a>,
    ingests: Column<'a>,
}

impl<'a> Columns<'a> {
    fn parse(mut bytes: &'a [u8]) -> Result<Columns<'a>, Error> {
        let mut columns = Columns::empty()?;
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let number = varint(&mut bytes)?;
            match (key >> 3, key & 7) {
                (1, 0) => columns.rows = usize::try_from(number).unwrap_or(usize::MAX),
                (12, 0) => columns.first_vintage = number,
                (field, 2) => {
                    let length = usize::try_from(number).unwrap_or(usize::MAX);
                    let (column, rest) = bytes.split_at_checked(length).ok_or_else(short)?;
                    bytes = rest;
                    columns.set(field, Column::new(column)?)?;
                }
                _ => return Err(malformed("a field of another kind")),
            }
        }
        if columns.rows > MAX_FIGURES {
            return Err(malformed("too many rows"));
        }
        Ok(columns)
    }

    fn empty() -> Result<Columns<'a>, Error> {
        let none = Column::new(&[])?;
        Ok(Columns {
            codes: none,
            values: none,
            value_scales: none,
            net_weights: none,
            net_weight_scales: none,
            quantities: none,
            quantity_scales: none,
            units: none,
            flags: none,
            sources: none,
            vintages: none,
            ingests: none,
            ..Columns::default()
        })
    }

    fn set(&mut self, field: u64, column: Column<'a>) -> Result<(), Error> {
        *match field {
            2 => &mut self.codes,
            3 => &mut self.values,
            4 => &mut self.value_scales,
            5 => &mut self.net_weights,
            6 => &mut self.net_weight_scales,
            7 => &mut self.quantities,
            8 => &mut self.quantity_scales,
            9 => &mut self.units,
            10 => &mut self.flags,
            11 => &mut self.sources,
            13 => &mut self.vintages,
            14 => &mut self.ingests,
            _ => return Err(malformed("an unknown column")),
        } = column;
        Ok(())
    }

    /// The columns from a row on; the codes, which are differences, stay where they are.
    fn at(&self, row: usize) -> Result<Columns<'a>, Error> {
        Ok(Columns {
            rows: self.rows,
            codes: self.codes,
            values: self.values.skip(row)?,
            value_scales: self.value_scales.skip(row)?,
            net_weights: self.net_weights.skip(row)?,
            net_weight_scales: self.net_weight_scales.skip(row)?,
            quantities: self.quantities.skip(row)?,
            quantity_scales: self.quantity_scales.skip(row)?,
            units: self.units.skip(row)?,
            flags: self.flags.skip(row)?,
            sources: self.sources.skip(row)?,
            first_vintage: self.first_vintage,
            vintages: self.vintages.skip(row)?,
            ingests: self.ingests.skip(row)?,
        })
    }

    fn next_figure(&mut self, ordinal: u32) -> Result<Figure, Error> {
        let first: Micros = self.first_vintage.cast_signed();
        let since = first.checked_add_unsigned(self.vintages.next()?);
        Ok(Figure {
            code: code(ordinal)?,
            value: scaled(self.values.next()?, self.value_scales.next()?)?,
            net_weight: if_given(self.net_weights.next()?, self.net_weight_scales.next()?)?,
            quantity: if_given(self.quantities.next()?, self.quantity_scales.next()?)?,
            unit: self.units.next()?,
            flags: Flags::from_bits(self.flags.next()?),
            source: self.sources.next()?,
            since: since.ok_or_else(|| malformed("a vintage"))?,
            ingest: self.ingests.next()?,
        })
    }
}

fn next_ordinal(codes: &mut Column<'_>, before: u32) -> Result<u32, Error> {
    let ordinal = before.checked_add(codes.next()?);
    ordinal.ok_or_else(|| malformed("a code"))
}

fn malformed(what: &str) -> Error {
    Error::View(format!("a block does not parse: {what}"))
}

fn packed<T: Copy + Default + PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut column: Vec<T> = values.collect();
    let first = column.first().copied().unwrap_or_default();
    if column.iter().all(|value| *value == first) {
        column.truncate(usize::from(first != T::default()));
    }
    column
}

/// Differences, each to the one before; never one value for all, since each row adds its own.
fn deltas(ordinals: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut before = 0;
    let differences = ordinals.map(|ordinal| ordinal - std::mem::replace(&mut before, ordinal));
    differences.collect()
}

/// A number that sorts as the code: its digits, filled up with zeros to six, and how many they are.
fn ordinal(code: Code) -> u32 {
    if code.is_total() {
        return 0;
    }
    let digits = code.as_str().bytes().chain(std::iter::repeat(b'0')).take(6);
    let padded = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    padded * 8 + u32::from(code.level())
}

fn code(ordinal: u32) -> Result<Code, Error> {
    if ordinal == 0 {
        return Ok(Code::TOTAL);
    }
    let mut digits = [b'0'; 6];
    let mut rest = ordinal / 8;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
    }
    let code = digits.get(..(ordinal % 8) as usize).unwrap_or_default();
    let code = std::str::from_utf8(code).unwrap_or_default();
    code.parse().map_err(|_| malformed("a code"))
}

fn mantissa(amount: Scaled) -> u64 {
    u64::try_from(amount.mantissa()).expect("amounts are not negative")
}

/// 0 for what was not given, else the mantissa plus one.
fn given(amount: Option<Scaled>) -> u64 {
    amount.map_or(0, |amount| mantissa(amount) + 1)
}

fn scale(amount: Option<Scaled>) -> u32 {
    amount.map_or(0, |amount| u32::from(amount.scale()))
}

fn scaled(mantissa: u64, scale: u8) -> Result<Scaled, Error> {
    let mantissa = i64::try_from(mantissa).map_err(|_| malformed("a value"))?;
    Scaled::new(mantissa, scale).ok_or_else(|| malformed("a value"))
}

fn if_given(given: u64, scale: u8) -> Result<Option<Scaled>, Error> {
    let Some(mantissa) = given.checked_sub(1) else {
        return Ok(None);
    };
    scaled(mantissa, scale).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts() -> impl Strategy<Value = Scaled> {
        let parts = (0..1_000_000_000_000_000_000_i64, 0..=6_u8);
        parts.prop_filter_map("too many digits", |(m, s)| Scaled::new(m, s))
    }

    fn codes() -> impl Strategy<Value = Code> {
        "TOTAL|[0-9]{2,6}".prop_map(|text| text.parse().expect("a code"))
    }

    fn figures() -> impl Strategy<Value = Figure> {
        let optional = || proptest::option::of(amounts());
        (
            (codes(), amounts(), optional(), optional(), 0..100_u8),
            (0..512_u16, 0..3_u32, -5..5_i64, 0..3_u32),
        )
            .prop_map(
                |((code, value, net_weight, quantity, unit), (flags, source, since, ingest))| {
                    Figure {
                        code,
                        value,
                        net_weight,
                        quantity,
                        unit,
                        flags: Flags::from_bits(flags),
                        source,
                        since,
                        ingest,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn a_block_comes_back_as_it_was(figures in prop::collection::vec(figures(), 0..40)) {
            let mut block = Block::default();
            block.put(figures);
            // A code that came twice in one call is there twice; blocks are built from distinct codes.
            block.figures.dedup_by_key(|figure| figure.code);
            let bytes = block.encode();
            for figure in block.figures() {
                prop_assert_eq!(Block::find(&bytes, figure.code).expect("parses"), Some(*figure));
            }
            prop_assert_eq!(Block::decode(&bytes).expect("parses"), block);
        }

        #[test]
        fn bytes_that_are_no_block_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            // Either way, no panic.
            drop(Block::decode(&bytes));
        }
    }

    #[test]
    fn putting_a_figure_again_gives_back_the_old_one() {
        let figure = |code: &str, value| Figure {
            code: code.parse().expect("a code"),
            value: Scaled::new(value, 0).expect("fits"),
            net_weight: None,
            quantity: None,
            unit: 0,
            flags: Flags::default(),
            source: 0,
            since: 1,
            ingest: 1,
        };
        let mut block = Block::new(vec![figure("8703", 1), figure("870380", 2)]);
        let superseded = block.put([figure("8703", 5), figure("8704", 6)]);
        assert_eq!(superseded, [figure("8703", 1)]);
        let codes: Vec<_> = block.figures().iter().map(|f| f.code.to_string()).collect();
        assert_eq!(codes, ["8703", "870380", "8704"]);
        assert_eq!(
            block.get("8703".parse().expect("a code")),
            Some(&figure("8703", 5))
        );
        assert_eq!(block.get("87".parse().expect("a code")), None);
    }
}
