//! Rows of a CSV file that are not accepted, to be put right in a spreadsheet and sent again.
//!
//! Absent: the spreadsheet (whoever opens the door makes it).

use super::Mapping;

/// The rows of a file that are not accepted.
#[derive(Debug)]
pub struct Corrections<'a> {
    /// By which rows became events.
    pub mapping: &'a Mapping,
    /// The names of the columns, as the file has them.
    pub header: &'a [String],
    /// The rows, in the order of the file.
    pub rows: Vec<WrongRow>,
}

/// A row that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongRow {
    /// Its line in the file, from 1.
    pub line: u32,
    /// Its cells, as the file has them.
    pub cells: Vec<String>,
    /// What is wrong: the place as the door names it (`data.sex`, `column "recorded_on"`), and what is expected there.
    pub mistakes: Vec<(String, String)>,
}

impl Corrections<'_> {
    /// The column that a place of a mistake is in; none where it is the whole row.
    pub fn column_of(&self, place: &str) -> Option<usize> {
        let named = |name: &str| self.header.iter().position(|column| column == name);
        if let Some((_, quoted)) = place.split_once("column \"") {
            return named(quoted.split('"').next()?);
        }
        let path = place.strip_prefix("data.").unwrap_or(place);
        let field = path.split(['.', '[', ' ']).next()?;
        let source = self.mapping.fields.get(field).and_then(|source| source.column.as_deref());
        named(match field {
            "time" => &self.mapping.time.column,
            "person" => self.mapping.person.values().next()?,
            "id" | "subject" => self.mapping.key.as_deref()?,
            _ => source?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MAPPING: &str = r#"
        title = "victims"
        event = "victim.identified"
        key = "no"
        agency = { constant = "FIA" }
        time = { column = "recorded", form = "date" }
        person = { document = "token" }
        [fields]
        sex = { column = "gender" }
        means = { column = "how", list = true }
        status = { constant = "actual" }
    "#;

    #[test]
    fn a_place_is_in_the_column_of_which_its_value_was_made() {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let header = ["no", "recorded", "token", "gender", "how"].map(str::to_owned);
        let corrections = Corrections { mapping: &mapping, header: &header, rows: Vec::new() };
        let column = |place: &str| corrections.column_of(place).map(|at| header[at].as_str());
        assert_eq!(column("data.sex"), Some("gender"));
        assert_eq!(column("data.means[1]"), Some("how"));
        assert_eq!(column("data.person[0].token"), Some("token"));
        assert_eq!(column("time"), Some("recorded"));
        assert_eq!(column("line 3, column \"recorded\""), Some("recorded"));
        assert_eq!(column("data.status"), None, "the same in every row");
        assert_eq!(column("line 7"), None);
    }
}
