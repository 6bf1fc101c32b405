//! A mapping and a CSV file to events; compiled by the tests of `gateway` too.

use super::mapping::Mapping;
use super::rows::{Rows, check_time, header, reader};

/// A mapping, a line `---`, and a CSV file. Errors of the file name lines and columns of the mapping, never a cell.
pub fn mapping_and_rows(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (mapping, file) = text.split_once("\n---\n").unwrap_or((text, ""));
    let Ok(mapping) = Mapping::parse(mapping) else { return };
    let _ = mapping.agencies();
    let Ok(names) = header(&mut reader(file.as_bytes())) else { return };
    let checked = mapping.check_header(&names).is_ok();
    let Ok(mut rows) = Rows::new(&mapping, blake3::hash(file.as_bytes()), [7; 32], file.as_bytes()) else { return };
    while let Some(row) = rows.next_row() {
        match row {
            Ok((row, lossy)) => {
                let read: serde_json::Value = serde_json::from_str(&row.json).expect("a row is a JSON object");
                assert!(read["data"].is_object() && lossy.iter().all(|rule| *rule < mapping.lossy.len()));
                let _ = check_time(&mapping, &row, 1_767_225_600_000);
                if checked {
                    let _ = events::encode::event_of_line(row.json.as_bytes(), &events::Limits::default());
                }
            }
            Err(error) => {
                let _ = error.to_string();
            }
        }
    }
}
