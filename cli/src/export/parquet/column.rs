//! The columns of a Parquet file: where each comes from, and the cells that wait to be written.

use std::borrow::Cow;

use ::parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType,
    Int32Type, Int64Type,
};
use ::parquet::errors::Result;
use ::parquet::file::writer::SerializedColumnWriter;
use proto::{Period, Scaled};

use crate::export::figure::{Figure, date};
use crate::export::subject::valuation_code;
use crate::sdmx::status;

/// The columns in the order of [`all`]. A value may have 18 digits before its point or 6 behind it: 24 in
/// all, more than 8 bytes hold.
pub(super) const SCHEMA: &str = "message entente_trade {
    REQUIRED BYTE_ARRAY dataset (UTF8);
    REQUIRED BYTE_ARRAY reporter (UTF8);
    REQUIRED BYTE_ARRAY partner (UTF8);
    REQUIRED BYTE_ARRAY flow (UTF8);
    REQUIRED BYTE_ARRAY classification (UTF8);
    REQUIRED BYTE_ARRAY code (UTF8);
    REQUIRED BYTE_ARRAY period (UTF8);
    REQUIRED INT32 period_start (DATE);
    REQUIRED INT32 period_months;
    REQUIRED FIXED_LEN_BYTE_ARRAY (11) value (DECIMAL(24,6));
    REQUIRED BYTE_ARRAY currency (UTF8);
    OPTIONAL BYTE_ARRAY valuation (UTF8);
    OPTIONAL FIXED_LEN_BYTE_ARRAY (11) net_weight_kg (DECIMAL(24,6));
    OPTIONAL FIXED_LEN_BYTE_ARRAY (11) quantity (DECIMAL(24,6));
    OPTIONAL INT32 quantity_unit;
    REQUIRED GROUP flags (LIST) { REPEATED GROUP list { REQUIRED BYTE_ARRAY element (UTF8); } }
    OPTIONAL BYTE_ARRAY source_title (UTF8);
    OPTIONAL BYTE_ARRAY source_publisher (UTF8);
    OPTIONAL BYTE_ARRAY source_uri (UTF8);
    OPTIONAL BYTE_ARRAY source_published_on (UTF8);
    OPTIONAL BYTE_ARRAY source_read_on (UTF8);
    OPTIONAL BYTE_ARRAY source_licence (UTF8);
    REQUIRED BOOLEAN may_be_shown_outside;
    OPTIONAL BYTE_ARRAY source_note (UTF8);
    OPTIONAL INT64 vintage (TIMESTAMP(MICROS,true));
}";

/// Bytes of a decimal.
const WIDTH: usize = 11;
/// Decimals of a decimal.
const SCALE: u32 = 6;

/// The columns in the order of [`SCHEMA`].
pub(super) fn all() -> Vec<Box<dyn Column>> {
    vec![
        text(|f| f.subject.name().into()),
        text(|f| f.key.reporter.to_string().into()),
        text(|f| f.key.partner.to_string().into()),
        text(|f| f.key.flow.code().into()),
        text(|f| f.key.classification.as_str().into()),
        text(|f| f.code.as_str().into()),
        text(|f| f.key.period.to_string().into()),
        required::<Int32Type>(|f| Some(day(f.key.period))),
        required::<Int32Type>(|f| i32::try_from(f.key.period.months()).ok()),
        required::<FixedLenByteArrayType>(|f| Some(decimal(f.value))),
        text(|f| f.subject.currency().into()),
        optional_text(|f| valuation_code(f.valuation()).into()),
        optional::<FixedLenByteArrayType>(|f| f.net_weight.map(decimal)),
        optional::<FixedLenByteArrayType>(|f| f.quantity.map(decimal)),
        optional::<Int32Type>(|f| Some(f.quantity_unit).filter(|unit| *unit != 0)),
        Box::new(FlagLists::default()),
        optional_text(|f| f.source.title.as_str().into()),
        optional_text(|f| f.source.publisher.as_str().into()),
        optional_text(|f| f.source.uri.as_str().into()),
        optional_text(|f| date(f.source.published_on).into()),
        optional_text(|f| date(f.source.read_on).into()),
        optional_text(|f| f.source.licence.as_str().into()),
        required::<BoolType>(|f| Some(f.source.may_be_shown_outside)),
        optional_text(|f| f.source.note.as_str().into()),
        optional::<Int64Type>(|f| f.vintage),
    ]
}

/// Cells of one column that wait.
pub(super) trait Column: Send {
    /// Takes the cell of a figure.
    fn take(&mut self, figure: &Figure<'_>);

    /// Writes what waits.
    fn write(&mut self, writer: SerializedColumnWriter<'_>) -> Result<()>;
}

/// Days from 1970 to the first of a period.
fn day(period: Period) -> i32 {
    let start = period.start();
    let (Ok(year), Ok(month)) = (i16::try_from(start.year()), i8::try_from(start.month())) else {
        return 0;
    };
    let day = jiff::civil::date(year, month, 1);
    (day - jiff::civil::date(1970, 1, 1)).get_days()
}

/// Big-endian, in two's complement, by the schema's scale.
fn decimal(value: Scaled) -> FixedLenByteArray {
    let unscaled = i128::from(value.mantissa()) * 10_i128.pow(SCALE - u32::from(value.scale()));
    let bytes = unscaled.to_be_bytes();
    ByteArray::from(bytes[bytes.len() - WIDTH..].to_vec()).into()
}

/// A column of a type of Parquet.
struct Typed<T: DataType> {
    get: fn(&Figure<'_>) -> Option<T::T>,
    values: Vec<T::T>,
    /// Which cells have a value; none in a column that always has one.
    defined: Option<Vec<i16>>,
}

fn required<T: DataType>(get: fn(&Figure<'_>) -> Option<T::T>) -> Box<dyn Column> {
    typed::<T>(get, None)
}

fn optional<T: DataType>(get: fn(&Figure<'_>) -> Option<T::T>) -> Box<dyn Column> {
    typed::<T>(get, Some(Vec::new()))
}

fn typed<T: DataType>(
    get: fn(&Figure<'_>) -> Option<T::T>,
    defined: Option<Vec<i16>>,
) -> Box<dyn Column> {
    let values = Vec::new();
    Box::new(Typed::<T> {
        get,
        values,
        defined,
    })
}

impl<T: DataType> Column for Typed<T> {
    fn take(&mut self, figure: &Figure<'_>) {
        let value = (self.get)(figure);
        if let Some(defined) = &mut self.defined {
            defined.push(value.is_some().into());
        }
        self.values.extend(value);
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let column = writer.typed::<T>();
        column.write_batch(&self.values, self.defined.as_deref(), None)?;
        self.values.clear();
        if let Some(defined) = &mut self.defined {
            defined.clear();
        }
        writer.close()
    }
}

type GetText = for<'a> fn(&'a Figure<'_>) -> Cow<'a, str>;

/// A column of texts. Neighbours are mostly equal, and share their bytes.
struct Texts {
    get: GetText,
    values: Vec<ByteArray>,
    defined: Option<Vec<i16>>,
}

fn text(get: GetText) -> Box<dyn Column> {
    let (values, defined) = (Vec::new(), None);
    Box::new(Texts {
        get,
        values,
        defined,
    })
}

/// Nothing where the text is empty.
fn optional_text(get: GetText) -> Box<dyn Column> {
    let (values, defined) = (Vec::new(), Some(Vec::new()));
    Box::new(Texts {
        get,
        values,
        defined,
    })
}

impl Column for Texts {
    fn take(&mut self, figure: &Figure<'_>) {
        let text = (self.get)(figure);
        if let Some(defined) = &mut self.defined {
            defined.push((!text.is_empty()).into());
            if text.is_empty() {
                return;
            }
        }
        let value = match self.values.last() {
            Some(last) if last.data() == text.as_bytes() => last.clone(),
            Some(_) | None => ByteArray::from(text.as_ref()),
        };
        self.values.push(value);
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let column = writer.typed::<ByteArrayType>();
        column.write_batch(&self.values, self.defined.as_deref(), None)?;
        self.values.clear();
        if let Some(defined) = &mut self.defined {
            defined.clear();
        }
        writer.close()
    }
}

/// The lists of flags, mostly empty.
#[derive(Default)]
struct FlagLists {
    values: Vec<ByteArray>,
    /// 1 for a flag, 0 for an empty list.
    defined: Vec<i16>,
    /// 0 for the first of a list, 1 for the others.
    repeated: Vec<i16>,
}

impl Column for FlagLists {
    fn take(&mut self, figure: &Figure<'_>) {
        let before = self.values.len();
        for flag in figure.flags.iter() {
            self.repeated.push((self.values.len() > before).into());
            self.defined.push(1);
            self.values.push(ByteArray::from(status::name(flag)));
        }
        if self.values.len() == before {
            self.repeated.push(0);
            self.defined.push(0);
        }
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let column = writer.typed::<ByteArrayType>();
        let (defined, repeated) = (Some(&self.defined[..]), Some(&self.repeated[..]));
        column.write_batch(&self.values, defined, repeated)?;
        *self = Self::default();
        writer.close()
    }
}
