//! A workbook of two sheets in Office Open XML (ECMA-376): text cells, notes on heads, drop-downs over a range.
//!
//! What every workbook has is [`endpoint::office`]'s. `openpyxl` reads what is written here in CI
//! (`examples/producers/run`).
//!
//! Absent: numbers, formulas, more than what a template and rows to be put right need.

use std::fmt::Write as _;

use endpoint::office::{self, DECLARATION, MAIN, escaped, letters, text_cell};

/// Rows with drop-downs.
const ROWS: usize = 10_000;
/// A column of cells that are text: a date stays as it was typed.
const TEXT: usize = 1;

/// A cell in which something is wrong.
const WRONG: usize = 5;

/// How a head looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// Must be filled.
    Must = 2,
    /// May be left empty.
    May = 3,
    /// An identity, which stays on the machine.
    Identity = 4,
}

/// A column of the sheet of rows.
pub(super) struct Column {
    pub name: String,
    pub head: Head,
    /// What stands in it, as a note on its head.
    pub note: String,
    /// The list on the other sheet that its drop-down shows, and what is said beside it.
    pub list: Option<(usize, &'static str)>,
}

/// A list: a line of titles, and rows of which the first cell is what the drop-down shows.
pub(super) struct List {
    pub rows: Vec<[String; 4]>,
}

/// A cell of a row that is there already, and what is wrong with it.
pub(super) struct Cell {
    pub text: String,
    pub wrong: Option<String>,
}

/// The bytes of the workbook: `rows` to be filled, or with these in it, `lists` behind its drop-downs.
pub(super) fn workbook(columns: &[Column], lists: &[List], rows: &[Vec<Cell>]) -> anyhow::Result<Vec<u8>> {
    let notes = notes(columns, rows);
    let parts = [
        ("[Content_Types].xml", CONTENT_TYPES.to_owned()),
        ("xl/styles.xml", STYLES.to_owned()),
        ("xl/worksheets/sheet1.xml", rows_sheet(columns, lists, rows)),
        ("xl/worksheets/_rels/sheet1.xml.rels", SHEET_RELATIONS.to_owned()),
        ("xl/worksheets/sheet2.xml", lists_sheet(lists)),
        ("xl/comments1.xml", note_texts(&notes)),
        ("xl/drawings/vmlDrawing1.vml", note_shapes(&notes)),
    ];
    Ok(office::workbook(&["rows", "lists"], &parts)?)
}

fn rows_sheet(columns: &[Column], lists: &[List], rows: &[Vec<Cell>]) -> String {
    let mut xml = format!(
        "{SHEET}<sheetViews><sheetView tabSelected=\"1\" workbookViewId=\"0\"><pane xSplit=\"1\" ySplit=\"1\" topLeftCell=\"B2\" activePane=\"bottomRight\" state=\"frozen\"/></sheetView></sheetViews>"
    );
    let _ = write!(
        xml,
        "<cols><col min=\"1\" max=\"{}\" width=\"22\" style=\"{TEXT}\" customWidth=\"1\"/></cols>",
        columns.len()
    );
    xml.push_str("<sheetData><row r=\"1\">");
    for (at, column) in columns.iter().enumerate() {
        text_cell(&mut xml, at, 1, column.head as usize, &column.name);
    }
    xml.push_str("</row>");
    for (row, cells) in (2..).zip(rows) {
        let _ = write!(xml, "<row r=\"{row}\">");
        for (at, cell) in cells.iter().enumerate() {
            text_cell(&mut xml, at, row, if cell.wrong.is_some() { WRONG } else { TEXT }, &cell.text);
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData>");
    let drop_downs = columns.iter().enumerate().filter_map(|(at, column)| Some((at, column.list?)));
    let _ = write!(xml, "<dataValidations count=\"{}\">", drop_downs.clone().count());
    for (at, (list, says)) in drop_downs {
        let (cells, range) = (letters(at), letters(list * 5));
        let last = lists[list].rows.len();
        let _ = write!(
            xml,
            "<dataValidation type=\"list\" allowBlank=\"1\" showInputMessage=\"1\" showErrorMessage=\"1\" error=\"{ERROR}\" prompt=\"{says}\" sqref=\"{cells}2:{cells}{ROWS}\"><formula1>lists!${range}$2:${range}${last}</formula1></dataValidation>"
        );
    }
    xml.push_str("</dataValidations><legacyDrawing r:id=\"rId2\"/></worksheet>");
    xml
}

fn lists_sheet(lists: &[List]) -> String {
    let mut xml = format!(
        "{SHEET}<sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols><col min=\"1\" max=\"{}\" width=\"24\" customWidth=\"1\"/></cols><sheetData>",
        lists.len().max(1) * 5
    );
    for row in 0..lists.iter().map(|list| list.rows.len()).max().unwrap_or(0) {
        let _ = write!(xml, "<row r=\"{}\">", row + 1);
        for (at, list) in lists.iter().enumerate() {
            for (offset, text) in list.rows.get(row).into_iter().flatten().enumerate() {
                text_cell(&mut xml, at * 5 + offset, row + 1, if row == 0 { Head::May as usize } else { TEXT }, text);
            }
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData></worksheet>");
    xml
}

/// A note at a cell: its column and row from 0.
struct Note<'a> {
    column: usize,
    row: usize,
    text: &'a str,
}

/// The notes on heads and on what is wrong.
fn notes<'a>(columns: &'a [Column], rows: &'a [Vec<Cell>]) -> Vec<Note<'a>> {
    let heads = columns.iter().enumerate().map(|(column, head)| Note { column, row: 0, text: &head.note });
    let wrong = (1..).zip(rows).flat_map(|(row, cells)| {
        let noted = move |(column, cell): (usize, &'a Cell)| Some(Note { column, row, text: cell.wrong.as_deref()? });
        cells.iter().enumerate().filter_map(noted)
    });
    heads.chain(wrong).filter(|note| !note.text.is_empty()).collect()
}

fn note_texts(notes: &[Note<'_>]) -> String {
    let mut xml =
        format!("{DECLARATION}<comments xmlns=\"{MAIN}\"><authors><author>Amanat</author></authors><commentList>");
    for Note { column, row, text } in notes {
        let (place, row, text) = (letters(*column), row + 1, escaped(text));
        let _ = write!(
            xml,
            "<comment ref=\"{place}{row}\" authorId=\"0\"><text><r><t xml:space=\"preserve\">{text}</t></r></text></comment>"
        );
    }
    xml.push_str("</commentList></comments>");
    xml
}

/// A note is drawn in VML, which is what spreadsheet programs still ask for.
fn note_shapes(notes: &[Note<'_>]) -> String {
    let mut xml = String::from(
        "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><v:shapetype id=\"note\" coordsize=\"21600,21600\" o:spt=\"202\" path=\"m,l,21600r21600,l21600,xe\"/>",
    );
    for (at, Note { column, row, .. }) in notes.iter().enumerate() {
        let _ = write!(
            xml,
            "<v:shape id=\"note{at}\" type=\"#note\" style=\"position:absolute;width:220pt;height:70pt;visibility:hidden\" fillcolor=\"#ffffe1\"><v:textbox/><x:ClientData ObjectType=\"Note\"><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
        );
    }
    xml.push_str("</xml>");
    xml
}

const ERROR: &str = "Choose from the list, or type a code of the sheet lists.";
const SHEET: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">";
const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"vml\" ContentType=\"application/vnd.openxmlformats-officedocument.vmlDrawing\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/><Override PartName=\"/xl/worksheets/sheet2.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/><Override PartName=\"/xl/comments1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml\"/></Types>";
const SHEET_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments\" Target=\"../comments1.xml\"/><Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/vmlDrawing\" Target=\"../drawings/vmlDrawing1.vml\"/></Relationships>";
/// Fonts and fills of [`Head`], by position: plain, text, must, may, identity; then that of a wrong cell.
const STYLES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts><fills count=\"6\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill><fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFDDEBF7\"/></patternFill></fill><fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFF2F2F2\"/></patternFill></fill><fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFFCE4D6\"/></patternFill></fill><fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFFFC7CE\"/></patternFill></fill></fills><borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs><cellXfs count=\"6\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/><xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/><xf numFmtId=\"49\" fontId=\"1\" fillId=\"2\" borderId=\"0\" xfId=\"0\" applyFont=\"1\" applyFill=\"1\"/><xf numFmtId=\"49\" fontId=\"0\" fillId=\"3\" borderId=\"0\" xfId=\"0\" applyFill=\"1\"/><xf numFmtId=\"49\" fontId=\"0\" fillId=\"4\" borderId=\"0\" xfId=\"0\" applyFill=\"1\"/><xf numFmtId=\"49\" fontId=\"0\" fillId=\"5\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFill=\"1\"/></cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>";
