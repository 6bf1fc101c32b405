//! What every workbook in Office Open XML (ECMA-376) has: its parts in one archive, names of cells, cells of text.
//!
//! No library: docs/decisions/2026-11-30-a-workbook-by-own-writer.md says why. Two make workbooks of it: questionnaires
//! (`questionnaire`) and the templates of `amanat template`. Absent: what stands in a sheet.

use std::fmt::Write as _;
use std::io::Write as _;

use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use crate::archive::FIRST_MOMENT;

/// The bytes of a workbook whose sheets have these names, in order, and of its other parts by their names: `[Content_Types].xml`, styles
/// (`xl/styles.xml`) and each sheet (`xl/worksheets/sheet1.xml`, …). The same parts give the same bytes.
///
/// # Errors
/// A part's name that an archive cannot have.
pub fn workbook(sheets: &[&str], parts: &[(&str, String)]) -> Result<Vec<u8>, rawzip::Error> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let described = described(sheets);
    for (name, content) in parts.iter().chain(&described) {
        let file = archive.new_file(name).compression_method(CompressionMethod::STORE);
        let (mut entry, config) = file.last_modified(UtcDateTime::from_unix(FIRST_MOMENT)).start()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(content.as_bytes())?;
        let (_, descriptor) = writer.finish()?;
        entry.finish(descriptor)?;
    }
    archive.finish()
}

/// The parts that name the others.
fn described(sheets: &[&str]) -> [(&'static str, String); 3] {
    let (mut listed, mut related) = (String::new(), String::new());
    for (at, name) in (1..).zip(sheets) {
        let _ = write!(listed, "<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"rId{at}\"/>");
        let _ = write!(
            related,
            "<Relationship Id=\"rId{at}\" Type=\"{KIND}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>"
        );
    }
    let styles = sheets.len() + 1;
    let _ = write!(related, "<Relationship Id=\"rId{styles}\" Type=\"{KIND}/styles\" Target=\"styles.xml\"/>");
    let relations = |of: &str| format!("{DECLARATION}<Relationships xmlns=\"{PACKAGE}\">{of}</Relationships>");
    let document = format!("<Relationship Id=\"rId1\" Type=\"{KIND}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    let workbook =
        format!("{DECLARATION}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{KIND}\"><sheets>{listed}</sheets></workbook>");
    [
        ("_rels/.rels", relations(&document)),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations(&related)),
    ]
}

/// Adds a cell of text. Rows are counted from 1, columns from 0; `style` is a position among the styles.
pub fn text_cell(xml: &mut String, column: usize, row: usize, style: usize, text: &str) {
    let (place, text) = (letters(column), escaped(text));
    let _ = write!(
        xml,
        "<c r=\"{place}{row}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>"
    );
}

/// The letters of a column, from 0: A, B, … Z, AA.
pub fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + (column % 26) as u8));
        if column < 26 {
            return letters.into_iter().rev().collect();
        }
        column = column / 26 - 1;
    }
}

/// A text as XML writes it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// How every part begins.
pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
/// The name space of sheets, styles and notes.
pub const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
/// The beginning of the kinds of relations.
const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn columns_go_on_behind_z() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
