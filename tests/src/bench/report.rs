//! The table of figures.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what the program is for, and standard error says how far it is"
)]

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::process;

/// How the figures are printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Format {
    /// For people, and for a document.
    #[default]
    #[value(alias = "markdown")]
    Table,
    /// For programs.
    Json,
}

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    notes: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    part: &'static str,
    what: String,
    figure: f64,
    unit: &'static str,
}

impl Report {
    /// Adds a figure.
    pub(super) fn add(
        &mut self,
        part: &'static str,
        what: impl Into<String>,
        figure: f64,
        unit: &'static str,
    ) {
        let row = Row {
            part,
            what: what.into(),
            figure,
            unit,
        };
        eprintln!("{part}: {}: {} {unit}", row.what, readable(figure));
        self.rows.push(row);
    }

    /// Says something beside the figures.
    pub(super) fn note(&mut self, text: &str) {
        eprintln!("{text}");
        self.notes.push(text.to_owned());
    }

    pub(super) fn print(&self, format: Format) {
        match format {
            Format::Table => {
                println!("{}\n{}", self.table(), process::machine());
                self.notes.iter().for_each(|note| println!("{note}"));
            }
            Format::Json => println!("{:#}", self.json()),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["part", "what", "figure", "unit"]);
        for row in &self.rows {
            let figure = readable(row.figure);
            table.add_row([row.part, &row.what, &figure, row.unit]);
        }
        if let Some(figures) = table.column_mut(2) {
            figures.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn json(&self) -> Value {
        let row = |row: &Row| json!({"part": row.part, "what": row.what, "figure": row.figure, "unit": row.unit});
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({"machine": process::machine(), "figures": rows})
    }
}

/// Three digits or more, thousands apart.
pub(super) fn readable(figure: f64) -> String {
    if figure < 1_000.0 {
        let decimals = match figure {
            ..10.0 => 2,
            ..100.0 => 1,
            _ => 0,
        };
        return format!("{figure:.decimals$}");
    }
    let digits = format!("{figure:.0}");
    let mut text = String::with_capacity(digits.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
