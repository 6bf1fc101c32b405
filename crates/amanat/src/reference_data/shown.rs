//! Reference data as a person or a program reads them: a table, CSV, JSON.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate};
use models::edition::Populations;
use models::reference::{Cell, Count, Line, text_of_day};
use serde_json::{Map, Value, json};

/// Rows with the names of their columns.
pub struct Rows {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// Entries.
    pub fn of<L: Line>(entries: &[L]) -> Self {
        let columns = L::COLUMNS.iter().map(|column| column.name).collect();
        Self { columns, rows: entries.iter().map(L::cells).collect() }
    }

    /// What counts come to in the year of a date.
    pub fn of_year(counts: &[Count], date: NaiveDate) -> Self {
        let text = |text: String| Cell::Text(Some(text));
        let rows = Populations::of(counts).rows(date.year()..=date.year()).into_iter().map(|row| {
            vec![
                Cell::Number(Some(row.year.into())),
                text(row.province),
                text(row.sex),
                text(row.age_group),
                Cell::Number(Some(row.population)),
                text(row.method),
                text(row.source),
            ]
        });
        let columns = vec!["year", "area", "sex", "age_group", "population", "method", "source"];
        Self { columns, rows: rows.collect() }
    }

    /// As a JSON array of objects; what is not there is null.
    pub fn json(&self) -> String {
        let value = |cell: &Cell| match cell {
            Cell::Text(text) => json!(text),
            Cell::Number(number) => json!(number),
            Cell::Day(day) => json!(day.map(text_of_day)),
        };
        let object = |cells: &Vec<Cell>| {
            let pairs = self.columns.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), value(cell)));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        format!("{}\n", Value::Array(self.rows.iter().map(object).collect()))
    }

    /// As CSV with a line of column names.
    pub fn csv(&self) -> anyhow::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for cells in &self.rows {
            writer.write_record(cells.iter().map(text))?;
        }
        Ok(String::from_utf8(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)?)
    }

    /// In columns, for people.
    pub fn table(&self) -> String {
        if self.rows.is_empty() {
            return "nothing is known: `amanat reference load` says it\n".to_owned();
        }
        let texts: Vec<Vec<String>> = self.rows.iter().map(|cells| cells.iter().map(text).collect()).collect();
        let width = |at: usize| {
            let cells = texts.iter().map(|row| row[at].chars().count());
            cells.chain([self.columns[at].len()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (cell, width) in cells.zip(&widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            line.trim_end().to_owned() + "\n"
        };
        let mut out = line(&mut self.columns.iter().copied());
        for row in &texts {
            out += &line(&mut row.iter().map(String::as_str));
        }
        out
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone().unwrap_or_default(),
        Cell::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
        Cell::Day(day) => day.map(text_of_day).unwrap_or_default(),
    }
}
