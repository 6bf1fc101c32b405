//! A filled form as a workbook in Office Open XML (ECMA-376): three sheets of texts and numbers, nothing computed.
//!
//! What every workbook has is [`crate::office`]'s.
//! Absent: formulas: what a spreadsheet would compute is what must not be computed (totals less the shown parts).

use std::fmt::Write as _;

use query::questionnaire::{Cell, Filled, FilledTable};

use super::{COLUMNS, legend, lines};
use crate::office::{letters, text_cell, workbook as packed};

/// How a cell looks, by its place in `STYLES`.
#[derive(Clone, Copy)]
enum Style {
    Plain = 0,
    Head = 1,
    Flag = 2,
}

/// The bytes of the workbook.
pub(super) fn workbook(filled: &Filled) -> Result<Vec<u8>, rawzip::Error> {
    let parts = [
        ("[Content_Types].xml", CONTENT_TYPES.to_owned()),
        ("xl/styles.xml", STYLES.to_owned()),
        ("xl/worksheets/sheet1.xml", form(filled)),
        ("xl/worksheets/sheet2.xml", cells(filled)),
        ("xl/worksheets/sheet3.xml", notes(filled)),
    ];
    packed(&["form", "cells", "notes"], &parts)
}

/// A sheet while it is written, row by row.
struct Sheet {
    xml: String,
    rows: usize,
}

impl Sheet {
    fn new(widths: &[usize]) -> Self {
        let mut xml = format!("{SHEET}<cols>");
        for (at, width) in widths.iter().enumerate() {
            let place = at + 1;
            let _ = write!(xml, "<col min=\"{place}\" max=\"{place}\" width=\"{width}\" customWidth=\"1\"/>");
        }
        xml.push_str("</cols><sheetData>");
        Self { xml, rows: 0 }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = (Style, String)>) {
        self.rows += 1;
        let _ = write!(self.xml, "<row r=\"{}\">", self.rows);
        for (at, (style, text)) in cells.into_iter().enumerate() {
            self.cell(at, style, &text);
        }
        self.xml.push_str("</row>");
    }

    /// What is a number is one; all else is a text.
    fn cell(&mut self, column: usize, style: Style, text: &str) {
        if text.is_empty() {
            return;
        }
        let (row, style) = (self.rows, style as usize);
        let is_number = text.len() < 16 && text.parse::<f64>().is_ok_and(f64::is_finite);
        if is_number && text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            let place = letters(column);
            let _ = write!(self.xml, "<c r=\"{place}{row}\" s=\"{style}\"><v>{text}</v></c>");
        } else {
            text_cell(&mut self.xml, column, row, style, text);
        }
    }

    fn end(mut self) -> String {
        self.xml.push_str("</sheetData></worksheet>");
        self.xml
    }
}

fn heads(texts: &[&str]) -> Vec<(Style, String)> {
    texts.iter().map(|text| (Style::Head, (*text).to_owned())).collect()
}

/// The tables one below the other; each value with its flag beside it.
fn form(filled: &Filled) -> String {
    let mut sheet = Sheet::new(&[42, 14, 8, 14, 8, 14, 8, 14, 8]);
    sheet.row(heads(&[filled.form.title.0]));
    sheet.row(heads(&[filled.form.title.1]));
    sheet.row([(Style::Plain, source(filled))]);
    for table in &filled.tables {
        sheet.row([]);
        sheet.row(heads(&[&format!("{} {}", table.table.id, table.table.title.0)]));
        sheet.row([(Style::Plain, table.table.title.1.to_owned()), (Style::Plain, origin(table))]);
        let columns = table.columns.iter().flat_map(|label| [label.en.clone(), "flag".to_owned()]);
        sheet.row(std::iter::once(String::new()).chain(columns).map(|text| (Style::Head, text)));
        for (label, cells) in table.rows.iter().zip(&table.cells) {
            let shown = cells.iter().flat_map(|cell| [(Style::Plain, shown(cell)), (Style::Flag, cell.status.clone())]);
            sheet.row(std::iter::once((Style::Plain, label.en.clone())).chain(shown));
        }
    }
    sheet.end()
}

/// The value, or the flag in its place.
fn shown(cell: &Cell) -> String {
    cell.value.as_ref().map_or_else(|| cell.status.clone(), |[value, ..]| value.clone())
}

fn source(filled: &Filled) -> String {
    let edition = &filled.edition;
    let synthetic = if edition.synthetic { "SYNTHETIC: nobody in it exists. " } else { "" };
    format!("{synthetic}Edition {} of Amanat, data as of {}, period {}", edition.edition, edition.as_of, filled.period)
}

fn origin(table: &FilledTable) -> String {
    format!("indicator {}, measure {}", table.table.indicator, table.table.measure)
}

/// A line for each cell.
fn cells(filled: &Filled) -> String {
    let mut sheet = Sheet::new(&[12, 14, 40, 26, 16, 12, 10, 10, 10, 30, 10, 10, 26, 30, 8, 12]);
    sheet.row(heads(&COLUMNS));
    for line in lines(filled) {
        sheet.row(line.map(|text| (Style::Plain, text)));
    }
    sheet.end()
}

/// What whoever fills in the form must know, and the flags that occur.
fn notes(filled: &Filled) -> String {
    let mut sheet = Sheet::new(&[10, 100]);
    sheet.row([(Style::Head, "note".to_owned()), (Style::Plain, filled.form.note.to_owned())]);
    sheet.row([(Style::Head, "source".to_owned()), (Style::Plain, source(filled))]);
    let interval =
        "lo95 and hi95 are the 95 % interval of the protection's noise, no confidence interval of an estimate";
    sheet.row([(Style::Head, "lo95".to_owned()), (Style::Plain, interval.to_owned())]);
    for flag in filled.flags() {
        sheet.row([(Style::Flag, flag.to_owned()), (Style::Plain, legend(flag).to_owned())]);
    }
    sheet.end()
}

const SHEET: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">";
const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/><Override PartName=\"/xl/worksheets/sheet2.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/><Override PartName=\"/xl/worksheets/sheet3.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/></Types>";
/// Fonts of [`Style`], by position: plain, head, flag.
const STYLES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><fonts count=\"3\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font><font><i/><sz val=\"9\"/><color rgb=\"FF666666\"/><name val=\"Calibri\"/></font></fonts><fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills><borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs><cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/><xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/><xf numFmtId=\"0\" fontId=\"2\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/></cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_a_text_and_a_value_a_number() {
        let mut sheet = Sheet::new(&[10]);
        sheet.row([(Style::Plain, "253".to_owned()), (Style::Flag, "Q".to_owned()), (Style::Plain, "inf".to_owned())]);
        let xml = sheet.end();
        assert!(xml.contains("<c r=\"A1\" s=\"0\"><v>253</v></c>"), "{xml}");
        assert!(xml.contains("t=\"inlineStr\"><is><t xml:space=\"preserve\">Q</t>"), "{xml}");
        assert!(xml.contains("preserve\">inf<"), "what is no number of a sheet is a text");
    }
}
