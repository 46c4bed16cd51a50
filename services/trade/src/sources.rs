//! The sources that an answer cites, each once.

use prost::Message;
use proto::Violations;
use proto::r#type::v1::Source;

use crate::amount::Cited;
use crate::query::source;
use crate::reading::Reading;

/// The most bytes of an answer, its sources included: a client takes 4 MiB if nobody told it otherwise.
pub(crate) const MAX_ANSWER: usize = 3 << 20;

/// An answer that is not too large; else the field that makes it so is at fault.
pub(crate) fn bounded<M: Message>(answer: M, field: &str) -> Result<M, Violations> {
    if answer.encoded_len() > MAX_ANSWER {
        let what = "the answer with its sources has more than 3 MiB; ask for less of it";
        return Err(Violations::one(field, what));
    }
    Ok(answer)
}

/// Sources, numbered from 1 in the order in which they were cited.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    numbers: Vec<(u32, u32)>,
    list: Vec<Source>,
}

impl Sources {
    /// The number of a source of a dataset.
    pub(crate) fn cite(&mut self, reading: &Reading<'_>, number: u32) -> Result<i32, store::Error> {
        let key = (reading.record.number, number);
        let known = self.numbers.iter().position(|known| *known == key);
        let at = if let Some(at) = known {
            at
        } else {
            let source = source(reading.state, &reading.record, number)?;
            self.list.push(source.unwrap_or_default());
            self.numbers.push(key);
            self.list.len() - 1
        };
        Ok(i32::try_from(at + 1).unwrap_or_default())
    }

    /// The numbers of several.
    pub(crate) fn cite_all(
        &mut self,
        reading: &Reading<'_>,
        cited: &Cited,
    ) -> Result<Vec<i32>, store::Error> {
        cited
            .iter()
            .map(|number| self.cite(reading, number))
            .collect()
    }

    /// A source by its number.
    pub(crate) fn get(&self, number: i32) -> Option<&Source> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.list.get(at)
    }

    pub(crate) fn into_list(self) -> Vec<Source> {
        self.list
    }
}
