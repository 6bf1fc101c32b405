//! The codes of a list as they were on a day, by what an edition knows (`reference.codes`).
//!
//! Which codes there are is the contract's to say: a word of the steward dates and renames them, and adds none. A list
//! of which the edition knows nothing is as the contract has it. Absent: which edition that is (the latest).

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;

use crate::kept::Rows;
use crate::reference::{Code, CodeList};

impl CodeList {
    /// The list with those codes that are valid on a day, as they are called on it.
    pub(crate) fn on(mut self, at: NaiveDate, kept: Option<&RecordBatch>, edition: Option<u32>) -> Self {
        (self.at, self.edition) = (Some(at.to_string()), edition);
        let Some(rows) = kept.map(Rows) else { return self };
        let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in (0..rows.0.num_rows()).filter(|row| rows.text("list", *row).as_deref() == Some(self.name.as_str())) {
            known.entry(rows.text("code", row).unwrap_or_default()).or_default().push(row);
        }
        let codes = self.codes.into_iter().filter_map(|code| match known.get(&code.code) {
            Some(its) => its
                .iter()
                .filter(|row| rows.is_so_on(at, **row))
                .max_by_key(|row| rows.day("valid_from", **row))
                .map(|row| called(code, &rows, *row)),
            None => Some(code),
        });
        self.codes = codes.collect();
        self
    }
}

/// A code as a row of the edition calls it.
fn called(code: Code, rows: &Rows<'_>, row: usize) -> Code {
    let written = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    Code {
        en: rows.text("name_en", row).unwrap_or(code.en),
        ur: rows.text("name_ur", row).unwrap_or(code.ur),
        valid_from: written(rows.day("valid_from", row)),
        valid_to: written(rows.day("valid_to", row)),
        replaced_by: rows.text("replaced_by", row),
        ..code
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, StringArray};
    use arrow::datatypes::{Field, Schema};
    use query::{CodeEntry, CodeListMeta};

    use super::*;

    fn list() -> CodeList {
        let code = |code: &str| CodeEntry { code: code.into(), en: "As ever".into(), ..CodeEntry::default() };
        let codes = ["A", "B", "C"].map(code).to_vec();
        let (version, source) = ("2026-11".into(), "Made up".into());
        CodeList::from(CodeListMeta { name: "section".into(), version, source, provisional: false, codes })
    }

    /// Of another list a code that ended, A of two names since 2020 (18,262 days since 1970), and B until then.
    fn kept() -> RecordBatch {
        let text = |values: [&str; 4]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let days = |days: [Option<i32>; 4]| -> ArrayRef { Arc::new(Date32Array::from(days.to_vec())) };
        let columns = [
            ("list", text(["other", "section", "section", "section"])),
            ("code", text(["C", "A", "A", "B"])),
            ("valid_from", days([None, None, Some(18_262), None])),
            ("valid_to", days([Some(0), Some(18_261), None, Some(18_261)])),
            ("replaced_by", Arc::new(StringArray::from(vec![None, None, None, Some("A")]))),
            ("name_en", text(["Gone", "Before", "Since", "Until"])),
        ];
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
    }

    #[test]
    fn a_list_of_a_day_has_the_codes_that_were_valid_as_they_were_called() {
        let names = |at: &str| {
            let list = list().on(at.parse().expect("a day"), Some(&kept()), Some(3));
            list.codes.into_iter().map(|code| format!("{} {}", code.code, code.en)).collect::<Vec<_>>()
        };
        assert_eq!(names("2019-12-31"), ["A Before", "B Until", "C As ever"], "nothing is known of C");
        assert_eq!(names("2020-01-01"), ["A Since", "C As ever"]);
        let before = list().on("2019-12-31".parse().expect("a day"), Some(&kept()), Some(3));
        assert_eq!((before.at.as_deref(), before.edition), (Some("2019-12-31"), Some(3)));
        assert_eq!(
            (before.codes[1].replaced_by.as_deref(), before.codes[1].valid_to.as_deref()),
            (Some("A"), Some("2019-12-31"))
        );
        let unknown = list().on("2019-12-31".parse().expect("a day"), None, None);
        assert_eq!(unknown.codes.len(), 3, "an edition that kept none knows the contract's");
    }
}
