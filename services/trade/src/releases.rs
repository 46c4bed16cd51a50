//! Which days figures of a pair were recorded on, and how many.
//!
//! An entry of this index stands for a day of one dataset, reporter and partner: a bulk of ten years is one, and so is a
//! month's release. Both sides of a pair stand together by day, so a list by date reads its part from either end.

use std::collections::BTreeMap;

use prost::Message;
use proto::{Country, Day};
use store::{Error, Micros, State};

use crate::keys::ReleaseKey;

/// What was recorded on a day.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Release {
    /// The first instant of the day at which figures were recorded.
    #[prost(int64, tag = "1")]
    pub(crate) first: Micros,
    /// The last one.
    #[prost(int64, tag = "2")]
    pub(crate) last: Micros,
    /// Figures that had not been there.
    #[prost(uint64, tag = "3")]
    pub(crate) recorded: u64,
    /// Figures that took the place of another.
    #[prost(uint64, tag = "4")]
    pub(crate) revised: u64,
}

impl Release {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Release, Error> {
        Release::decode(bytes).map_err(|error| Error::View(format!("a release: {error}")))
    }
}

/// What a batch brings, by reporter and partner: figures, and how many of them are revisions.
#[derive(Debug, Default)]
pub(crate) struct Releases(BTreeMap<(Country, Country), (usize, usize)>);

impl Releases {
    pub(crate) fn note(
        &mut self,
        reporter: Country,
        partner: Country,
        figures: usize,
        revised: usize,
    ) {
        let (all, revisions) = self.0.entry((reporter, partner)).or_default();
        *all += figures;
        *revisions += revised;
    }

    /// Adds what was recorded at an instant to its day.
    pub(crate) fn put(
        self,
        state: &mut State<'_>,
        dataset: u32,
        time: Micros,
    ) -> Result<(), Error> {
        let day = Day::of_instant(time).map_or(0, Day::ordinal);
        for ((reporter, partner), (figures, revised)) in self.0 {
            let key = ReleaseKey {
                reporter,
                partner,
                day,
                dataset,
            };
            let key = key.bytes();
            let before = state.get(&key)?.map(|bytes| Release::parse(&bytes));
            let before = before.transpose()?;
            let first = before.as_ref().map_or(time, |before| before.first);
            let before = before.unwrap_or_default();
            let release = Release {
                first,
                last: time,
                recorded: before.recorded + (figures - revised) as u64,
                revised: before.revised + revised as u64,
            };
            state.put(key, release.encode_to_vec())?;
        }
        Ok(())
    }
}
