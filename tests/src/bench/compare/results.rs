//! The table: a line for each figure, a column for each system, and how many times better ours is.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what the program is for, and standard error says how far it is"
)]

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::System;
use super::contender::Loaded;
use super::question::Question;
use crate::bench::load::{Latencies, float};
use crate::bench::process;
use crate::bench::report::{Format, readable};

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    rows: u64,
    lines: Vec<Line>,
    /// What each system is, and what its loading consisted of.
    notes: Vec<String>,
}

/// One figure of each system.
#[derive(Debug)]
struct Line {
    what: String,
    unit: Unit,
    figures: [Option<f64>; System::ALL.len()],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    RowsPerSecond,
    BytesPerRow,
    Micros,
    Mebibytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::RowsPerSecond => "rows/s",
            Unit::BytesPerRow => "bytes/row",
            Unit::Micros => "µs",
            Unit::Mebibytes => "MiB",
        }
    }

    /// How many times better `ours` is than `theirs`.
    fn advantage(self, ours: f64, theirs: f64) -> f64 {
        match self {
            Unit::RowsPerSecond => ours / theirs,
            Unit::BytesPerRow | Unit::Micros | Unit::Mebibytes => theirs / ours,
        }
    }
}

impl Line {
    fn of(&self, system: System) -> Option<f64> {
        self.figures[system as usize]
    }

    /// How many times better ours is than that system.
    fn advantage(&self, system: System) -> Option<f64> {
        let (ours, theirs) = self.of(System::Ours).zip(self.of(system))?;
        Some(self.unit.advantage(ours, theirs))
    }
}

impl Results {
    pub(super) fn loaded(&mut self, system: System, loaded: &Loaded) {
        self.rows = loaded.rows;
        let rows = float(loaded.rows);
        let first = loaded
            .steps
            .first()
            .map_or(0.0, |step| step.took.as_secs_f64());
        let mut add = |what: &str, unit, figure| self.add(what.into(), unit, system, figure);
        add("ingest, the rows alone", Unit::RowsPerSecond, rows / first);
        let all = loaded.took().as_secs_f64();
        add(
            "ingest, until all can be asked",
            Unit::RowsPerSecond,
            rows / all,
        );
        add(
            "ingest, on disk",
            Unit::BytesPerRow,
            float(loaded.bytes) / rows,
        );
        let step = |step: &super::contender::Step| {
            format!("{} {:.1} s", step.name, step.took.as_secs_f64())
        };
        let steps: Vec<String> = loaded.steps.iter().map(step).collect();
        self.notes
            .push(format!("{}. Ingest: {}.", loaded.about, steps.join(", ")));
    }

    pub(super) fn answered(&mut self, system: System, question: Question, latencies: &Latencies) {
        for (name, share) in [("median", 0.5), ("p99", 0.99)] {
            let what = format!("{}, {name}", question.name());
            self.add(what, Unit::Micros, system, latencies.micros(share));
        }
        let (name, calls) = (question.name(), latencies.count());
        eprintln!("{name}: {}: {calls} calls", system.name());
    }

    /// The most that our server has held.
    pub(super) fn memory(&mut self, mebibytes: f64) {
        let what = "server's peak memory".into();
        self.add(what, Unit::Mebibytes, System::Ours, mebibytes);
    }

    fn add(&mut self, what: String, unit: Unit, system: System, figure: f64) {
        let (name, readable, unit_name) = (system.name(), readable(figure), unit.name());
        eprintln!("{what}: {name}: {readable} {unit_name}");
        let place = self.lines.iter().position(|line| line.what == what);
        let place = place.unwrap_or_else(|| {
            let figures = [None; System::ALL.len()];
            self.lines.push(Line {
                what,
                unit,
                figures,
            });
            self.lines.len() - 1
        });
        self.lines[place].figures[system as usize] = Some(figure);
    }

    pub(super) fn print(&self, format: Format) {
        match format {
            Format::Table => println!("{}\n\n{}", self.table(), self.remarks().join("\n")),
            Format::Json => println!("{:#}", self.json()),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        let against = |system: System| format!("ours against {}", system.name());
        let mut header = vec![
            format!("{} rows", readable(float(self.rows))),
            "unit".into(),
        ];
        header.extend(System::ALL.map(|system| system.name().to_owned()));
        header.extend([System::Postgres, System::DuckDb].map(against));
        table.set_header(header);
        for line in &self.lines {
            table.add_row(cells(line));
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![
            "\"Ours against\" is how many times as good ours is: above 1 it is better. - is what was \
             not measured."
                .to_owned(),
        ];
        remarks.extend(self.notes.iter().map(|note| format!("* {note}")));
        remarks.push(process::machine());
        remarks
    }

    fn json(&self) -> Value {
        let line = |line: &Line| {
            let mut told = json!({"what": line.what, "unit": line.unit.name()});
            for system in System::ALL {
                told[system.name()] = json!(line.of(system));
            }
            told
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        json!({
            "machine": process::machine(),
            "rows": self.rows,
            "systems": self.notes,
            "figures": lines,
        })
    }
}

fn cells(line: &Line) -> Vec<String> {
    let told = |figure: Option<f64>| figure.map_or("-".into(), readable);
    let mut cells = vec![line.what.clone(), line.unit.name().to_owned()];
    cells.extend(System::ALL.map(|system| told(line.of(system))));
    cells.extend([System::Postgres, System::DuckDb].map(|it| told(line.advantage(it))));
    cells
}
