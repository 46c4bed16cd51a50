//! What a file holds, row by row.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use proto::trade::v1::ObservationFlag;
use proto::r#type::v1::Source;
use proto::{Classification, Code, Country, Flow, Period, Scaled};

/// What one row of a file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A figure.
    Row(Row),
    /// A row that is right, and no figure that could be taken.
    LeftOut {
        /// Where it stands.
        place: Place,
        /// Why, for people, from "left out" on: `without a value`.
        why: &'static str,
    },
    /// A row that is wrong.
    Rejected(Rejection),
}

/// Where a row stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of the row among the rows of data, from 1.
    pub row: u64,
    /// The line of the file in which it starts, from 1.
    pub line: u64,
}

/// A published figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub place: Place,
    /// What it shares with the other commodities of its group.
    pub key: GroupKey,
    /// The commodity.
    pub code: Code,
    /// Its value in the dataset's currency.
    pub value: Scaled,
    /// Its net weight in kilograms, where given.
    pub net_weight: Option<Scaled>,
    /// Its quantity, where given.
    pub quantity: Option<Scaled>,
    /// UN Comtrade's code of the quantity's unit; 0: none.
    pub quantity_unit: u8,
    /// What qualifies it.
    pub flags: Flags,
    /// Its own source; none: the dataset's.
    pub source: Option<Arc<Source>>,
}

/// What the rows of an [`ObservationGroup`](proto::trade::v1::ObservationGroup) share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// Whose statistics.
    pub reporter: Country,
    /// With whom.
    pub partner: Country,
    /// In which direction.
    pub flow: Flow,
    /// The classification of the codes.
    pub classification: Classification,
    /// When.
    pub period: Period,
}

/// Why a row is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where it stands.
    pub place: Place,
    /// The column at fault, by its title in the file; empty when it is the row as a whole.
    pub column: String,
    /// What is wrong, for people.
    pub reason: String,
}

/// A set of [`ObservationFlag`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// Adds a flag.
    pub fn insert(&mut self, flag: ObservationFlag) {
        self.0 |= 1 << flag as i32;
    }

    /// Whether a flag is set.
    pub fn contains(self, flag: ObservationFlag) -> bool {
        self.0 & (1 << flag as i32) != 0
    }

    /// Whether no flag is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = ObservationFlag> {
        let set = (0..16).filter(move |bit| self.0 & (1 << bit) != 0);
        set.filter_map(|bit| ObservationFlag::try_from(bit).ok())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What the rows read so far came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Figures.
    pub rows: u64,
    /// Rows that are wrong.
    pub rejected: u64,
    /// Values, weights and quantities that had over 6 decimals and were rounded.
    pub rounded: u64,
    /// Rows that were left out, by the reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Rows of which something beside the figure was not kept, by what that is.
    pub remarks: BTreeMap<&'static str, u64>,
}

impl Summary {
    pub(crate) fn count(&mut self, record: &Record) {
        match record {
            Record::Row(_) => self.rows += 1,
            Record::LeftOut { why, .. } => *self.left_out.entry(why).or_default() += 1,
            Record::Rejected(_) => self.rejected += 1,
        }
    }
}
