//! Rows that the agencies' door would not accept, as a workbook in which they can be put right: the cells as they were sent, what is wrong
//! as a note on each, drop-downs where the mapping names values. The sheet has the columns of the file, so that it can be saved as CSV and sent
//! by the same mapping.
//!
//! Absent: keeping any of it. The workbook is the answer to the request that brought the rows.

use ::gateway::csv::{Corrections, WrongRow};

use super::workbook::{Cell, Column, Head, List, workbook};

/// The bytes of the workbook.
pub(super) fn workbook_of(corrections: &Corrections<'_>) -> anyhow::Result<Vec<u8>> {
    let mut lists = Vec::new();
    let columns: Vec<Column> = corrections.header.iter().map(|name| column(corrections, name, &mut lists)).collect();
    let rows: Vec<Vec<Cell>> = corrections.rows.iter().map(|row| cells(corrections, row)).collect();
    workbook(&columns, &lists, &rows)
}

/// A column, with a drop-down of the values that the mapping names.
fn column(corrections: &Corrections<'_>, name: &str, lists: &mut Vec<List>) -> Column {
    let sources = corrections.mapping.fields.iter().filter(|(_, source)| source.column.as_deref() == Some(name));
    let field = sources.into_iter().find(|(_, source)| !source.values.is_empty());
    let list = field.map(|(field, source)| {
        let titles = [field.clone(), "codes".into(), String::new(), String::new()];
        let values = source.values.iter().map(|(value, codes)| {
            let codes: Vec<&str> = codes.iter().collect();
            [value.clone(), codes.join(", "), String::new(), String::new()]
        });
        lists.push(List { rows: std::iter::once(titles).chain(values).collect() });
        (lists.len() - 1, "Choose one. What each means: sheet lists.")
    });
    Column { name: name.to_owned(), head: Head::May, note: String::new(), list }
}

/// The cells of a row. What is wrong with the row as a whole is said at its first cell.
fn cells(corrections: &Corrections<'_>, row: &WrongRow) -> Vec<Cell> {
    let width = corrections.header.len();
    let mut cells: Vec<Cell> =
        row.cells.iter().take(width).map(|text| Cell { text: text.clone(), wrong: None }).collect();
    cells.resize_with(width, || Cell { text: String::new(), wrong: None });
    for (place, expected) in &row.mistakes {
        let at = corrections.column_of(place).unwrap_or(0);
        let Some(cell) = cells.get_mut(at) else { continue };
        let said = format!("line {}, {place}: {expected}", row.line);
        cell.wrong = Some(cell.wrong.take().map_or_else(|| said.clone(), |known| format!("{known}\n{said}")));
    }
    cells
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ::gateway::csv::Mapping;

    use super::*;

    const MAPPING: &str = r#"
        title = "victims"
        event = "victim.identified"
        key = "no"
        agency = { constant = "FIA" }
        time = { column = "recorded", form = "date" }
        [fields]
        sex = { column = "gender", values = { woman = "F", man = "M" } }
    "#;

    #[test]
    fn each_mistake_is_a_note_at_its_cell_and_a_broken_row_keeps_what_it_has() {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let header = ["no", "recorded", "gender"].map(str::to_owned);
        let mistake = |place: &str, expected: &str| (place.to_owned(), expected.to_owned());
        let row = |line, cells: &[&str], mistakes| WrongRow {
            line,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            mistakes,
        };
        let rows = vec![
            row(2, &["1", "2026-01-01", "?"], vec![mistake("data.sex", "a code of the list sex is expected")]),
            row(5, &["7"], vec![mistake("line 5", "has another number of cells than the header")]),
        ];
        let corrections = Corrections { mapping: &mapping, header: &header, rows };
        let first = cells(&corrections, &corrections.rows[0]);
        assert_eq!(first.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(), ["1", "2026-01-01", "?"]);
        assert_eq!(first[2].wrong.as_deref(), Some("line 2, data.sex: a code of the list sex is expected"));
        let broken = cells(&corrections, &corrections.rows[1]);
        assert_eq!((broken.len(), broken[0].text.as_str(), broken[0].wrong.is_some()), (3, "7", true));
        let bytes = workbook_of(&corrections).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for part in ["<comment ref=\"C2\"", "sqref=\"C2:C10000\"", "woman", "s=\"5\""] {
            assert!(text.contains(part), "{part}");
        }
    }
}
