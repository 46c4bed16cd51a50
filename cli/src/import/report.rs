//! What an import came to, in words.

use std::io::Write;

use proto::trade::v1 as wire;

use super::reading::Reading;
use crate::{figures, output};

/// What became of a file.
pub(super) struct Report {
    pub(super) reading: Reading,
    pub(super) response: wire::IngestObservationsResponse,
}

impl Report {
    fn counts(&self) -> wire::RowCounts {
        self.response.counts.unwrap_or_default()
    }

    pub(super) fn rejected(&self) -> u64 {
        let standing = self.response.ingest.as_ref();
        let standing = standing.and_then(|ingest| ingest.counts);
        // Rows of batches that were in already were rejected then.
        let by_service = match standing {
            Some(standing) if self.response.skipped_batches > 0 => standing.rejected,
            Some(_) | None => self.counts().rejected,
        };
        self.reading.summary.rejected + by_service.unsigned_abs()
    }

    /// Tells what became of the file: rejected rows on standard error, the sums on standard output.
    pub(super) fn show(&self, name: &str, remark: &str) -> anyhow::Result<()> {
        let mut err = std::io::stderr().lock();
        let of_service = self.response.rejections.iter().map(|rejection| {
            let number = rejection.row.unsigned_abs();
            let numbering = self.reading.numbering;
            numbering.told(number, &rejection.field, &rejection.reason)
        });
        let lines: Vec<String> = self
            .reading
            .rejections
            .iter()
            .cloned()
            .chain(of_service)
            .collect();
        for line in &lines {
            writeln!(err, "{name}: {line}")?;
        }
        let untold = self.rejected() - lines.len() as u64;
        if untold > 0 {
            writeln!(err, "{name}: and {untold} more rejected rows")?;
        }
        self.show_sums(name, remark, &mut output::stdout())
    }

    fn show_sums(&self, name: &str, remark: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let Reading { kind, summary, .. } = &self.reading;
        let counts = self.counts();
        let count = |number: u64| figures::grouped(&number.to_string());
        writeln!(out, "{name}: {kind}, {} figures", count(summary.rows))?;
        writeln!(
            out,
            "  new {}, revised {}, unchanged {}, rejected {}",
            count(counts.new.unsigned_abs()),
            count(counts.revised.unsigned_abs()),
            count(counts.unchanged.unsigned_abs()),
            count(self.rejected()),
        )?;
        for (why, rows) in &summary.left_out {
            writeln!(out, "  left out {why}: {}", count(*rows))?;
        }
        for (what, rows) in &summary.remarks {
            writeln!(out, "  {what}: {}", count(*rows))?;
        }
        for remark in &self.reading.remarks {
            writeln!(out, "  {remark}")?;
        }
        if summary.rounded > 0 {
            writeln!(out, "  rounded to 6 decimals: {}", count(summary.rounded))?;
        }
        if self.response.skipped_batches > 0 {
            writeln!(
                out,
                "  batches that were in already: {}",
                self.response.skipped_batches
            )?;
        }
        if !remark.is_empty() {
            writeln!(out, "  {remark}")?;
        } else if counts.new + counts.revised == 0 {
            writeln!(out, "  nothing changed")?;
        }
        Ok(out.flush()?)
    }
}
