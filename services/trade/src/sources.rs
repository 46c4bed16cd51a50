//! The sources that an answer cites, each once.

use proto::r#type::v1::Source;

use crate::query::source;
use crate::reading::Reading;

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
        numbers: &[u32],
    ) -> Result<Vec<i32>, store::Error> {
        numbers
            .iter()
            .map(|number| self.cite(reading, *number))
            .collect()
    }

    pub(crate) fn into_list(self) -> Vec<Source> {
        self.list
    }
}
