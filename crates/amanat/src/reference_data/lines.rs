//! A file of reference data, judged line by line.
//!
//! A mistake names the line, the column and what is expected; what stood there is never quoted. Absent: the log.

use std::collections::BTreeMap;

use models::reference::{Count, Fields, Line, Reference, Wrong};

/// The column that takes a line's key back; every file may have it.
const WITHDRAWN: &str = "withdrawn";
/// Mistakes that are told of one file.
const MOST_TOLD: usize = 20;

/// What a file says.
#[derive(Debug, PartialEq)]
pub struct Told<L> {
    /// Entries that are new or other than what is known, and whether each is taken back.
    pub new: Vec<(L, bool)>,
    /// Lines that say what is known.
    pub known: usize,
}

/// Reads a file and compares it with what is known, beneath which lies what the program and the policy bring along.
///
/// # Errors
/// The mistakes, each with its place.
pub fn read<L: Line>(file: &[u8], reference: &Reference, beneath: &Reference) -> Result<Told<L>, Vec<String>> {
    let known = L::all(reference);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(without_mark(file));
    let columns = columns::<L>(&mut reader).map_err(|mistake| vec![mistake])?;
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => match line::<L>(&record, &columns) {
                Ok(entry) => lines.push((number(record.position()), entry)),
                Err(wrong) => mistakes.push(format!("line {}, {wrong}", number(record.position()))),
            },
            Err(error) => mistakes.push(format!("line {}: {}", number(error.position()), why(&error))),
        }
    }
    mistakes.extend(repeated(&lines));
    mistakes.extend(unknown_areas(&lines, reference));
    mistakes.extend(unknown_agencies(&lines, reference));
    mistakes.extend(undated(&lines, known));
    mistakes.extend(never_said(&lines, known, L::all(beneath)));
    if !mistakes.is_empty() {
        return Err(shortened(mistakes));
    }
    Ok(compared(lines.into_iter().map(|(_, line)| line), known))
}

/// Spreadsheets begin UTF-8 with a byte order mark.
fn without_mark(file: &[u8]) -> &[u8] {
    file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file)
}

fn number(position: Option<&csv::Position>) -> u64 {
    position.map_or(0, csv::Position::line)
}

fn why(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "text in UTF-8 is expected",
        csv::ErrorKind::UnequalLengths { .. } => "as many cells as the first line has columns are expected",
        _ => "a line of CSV is expected",
    }
}

/// The place of each column by name.
fn columns<L: Line>(reader: &mut csv::Reader<&[u8]>) -> Result<BTreeMap<String, usize>, String> {
    let names: Vec<&str> = L::COLUMNS.iter().map(|column| column.name).collect();
    let expected = || format!("the columns of {} are {}, {WITHDRAWN}", L::TABLE, names.join(", "));
    let header = reader.headers().map_err(|error| format!("line 1: {}", why(&error)))?;
    let mut found = BTreeMap::new();
    for (at, name) in header.iter().enumerate() {
        if !names.contains(&name) && name != WITHDRAWN {
            return Err(format!("line 1: column {} has a name that is not known; {}", at + 1, expected()));
        }
        if found.insert(name.to_owned(), at).is_some() {
            return Err(format!("line 1: column {} has a name that stood before; {}", at + 1, expected()));
        }
    }
    let missing = L::COLUMNS.iter().find(|column| !column.optional && !found.contains_key(column.name));
    missing.map_or(Ok(found), |column| Err(format!("line 1: there is no column {}; {}", column.name, expected())))
}

fn line<L: Line>(record: &csv::StringRecord, columns: &BTreeMap<String, usize>) -> Result<(L, bool), Wrong> {
    let cell = |name: &str| record.get(*columns.get(name)?).filter(|cell| !cell.is_empty());
    let fields = Fields(&cell);
    Ok((L::read(&fields)?, fields.withdrawn()?))
}

/// Lines of one key: which of them stands, a file cannot say.
fn repeated<L: Line>(lines: &[(u64, (L, bool))]) -> Vec<String> {
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let again = lines.iter().filter_map(|(number, (entry, _))| {
        let before = *first.entry(entry.key()).or_insert(*number);
        (before != *number)
            .then(|| format!("line {number}: it speaks of the same as line {before}; one of them is expected"))
    });
    again.collect()
}

fn unknown_areas<L: Line>(lines: &[(u64, (L, bool))], reference: &Reference) -> Vec<String> {
    let own: Vec<String> = lines.iter().filter_map(|(_, (entry, _))| own_area(entry)).collect();
    let is_declared = |area: &str| reference.areas.iter().any(|known| known.area == area);
    let is_known = |area: &str| area == Count::NATION || is_declared(area) || own.iter().any(|own| own == area);
    let mut mistakes = Vec::new();
    for (number, (entry, _)) in lines {
        for (column, _) in entry.areas().into_iter().filter(|(_, area)| !is_known(area)) {
            mistakes.push(format!(
                "line {number}, column {column}: an area that is known is expected (`amanat reference list areas`), or one of this file"
            ));
        }
    }
    mistakes
}

/// Agencies that neither the policy nor an earlier word knows: who reports is the policy's to say, and a word on an
/// agency adds none.
fn unknown_agencies<L: Line>(lines: &[(u64, (L, bool))], reference: &Reference) -> Vec<String> {
    let is_known = |agency: &str| reference.agencies.iter().any(|known| known.agency == agency);
    let mut mistakes = Vec::new();
    for (number, (entry, _)) in lines {
        for (column, _) in entry.agencies().into_iter().filter(|(_, agency)| !is_known(agency)) {
            mistakes.push(format!(
                "line {number}, column {column}: an agency that the policy knows is expected (`amanat reference list agencies`)"
            ));
        }
    }
    mistakes
}

/// The area that an entry declares.
fn own_area<L: Line>(entry: &L) -> Option<String> {
    (L::TABLE == "areas").then(|| entry.key().split('/').next().unwrap_or_default().to_owned())
}

/// Lines without a first day that are not what the program brings along.
fn undated<L: Line>(lines: &[(u64, (L, bool))], known: &[L]) -> Vec<String> {
    let is_new = |entry: &L| !entry.is_dated() && !known.contains(entry);
    let told = lines.iter().filter(|(_, (entry, _))| is_new(entry));
    told.map(|(number, _)| {
        format!("line {number}, column valid_from: a day such as 2018-05-31 is expected, and nothing is there")
    })
    .collect()
}

/// Lines that take back what nobody has said, or what is brought along.
fn never_said<L: Line>(lines: &[(u64, (L, bool))], known: &[L], beneath: &[L]) -> Vec<String> {
    let told = lines.iter().filter(|(_, (_, withdrawn))| *withdrawn).filter_map(|(number, (entry, _))| {
        let why = match known.iter().find(|known| known.key() == entry.key()) {
            None => "nobody has said this, or it was taken back before",
            Some(standing) if beneath.contains(standing) => {
                "the program brings this along; it can be replaced, not taken back"
            }
            Some(_) => return None,
        };
        Some(format!("line {number}, column {WITHDRAWN}: {why}"))
    });
    told.collect()
}

fn compared<L: Line>(lines: impl Iterator<Item = (L, bool)>, known: &[L]) -> Told<L> {
    let by_key: BTreeMap<String, &L> = known.iter().map(|entry| (entry.key(), entry)).collect();
    let mut told = Told { new: Vec::new(), known: 0 };
    for (entry, withdrawn) in lines {
        if !withdrawn && by_key.get(&entry.key()).is_some_and(|known| **known == entry) {
            told.known += 1;
        } else {
            told.new.push((entry, withdrawn));
        }
    }
    told
}

fn shortened(mut mistakes: Vec<String>) -> Vec<String> {
    if mistakes.len() > MOST_TOLD {
        let more = mistakes.len() - MOST_TOLD;
        mistakes.truncate(MOST_TOLD);
        mistakes.push(format!("and {more} more"));
    }
    mistakes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use models::reference::{Agency, Area, Court, DatedCode};
    use policy::Policy;

    use super::*;

    const COUNTS: &str = "area,counted_on,sex,age_group,persons,method,source\n";

    /// Before the steward has said a word.
    fn judged<L: Line>(file: &str) -> Result<Told<L>, Vec<String>> {
        let known = Reference::beneath(&Policy::default());
        read(file.as_bytes(), &known, &known)
    }

    fn counts(lines: &str) -> Result<Told<Count>, Vec<String>> {
        judged(&format!("{COUNTS}{lines}"))
    }

    #[test]
    fn the_file_of_what_is_known_says_nothing_new() {
        let known = Reference::beneath(&Policy::default());
        let file = include_str!("../../../../sql/reference/population.csv");
        assert_eq!(judged::<Count>(file).unwrap(), Told { new: Vec::new(), known: 18 });
        says_nothing(&known.areas);
        says_nothing(&known.agencies);
        says_nothing(&known.codes);
        let nowhere = Reference { areas: Vec::new(), ..known.clone() };
        let mistakes = read::<Count>(file.as_bytes(), &nowhere, &known).unwrap_err();
        assert_eq!(mistakes.len(), 15, "five provinces of three censuses");
    }

    /// What is shown as CSV can be loaded.
    fn says_nothing<L: Line>(entries: &[L]) {
        let listed = crate::reference_data::shown::Rows::of(entries).csv().unwrap();
        let told = judged::<L>(&listed).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        assert_eq!((told.new.len(), told.known), (0, entries.len()), "{}", L::TABLE);
    }

    #[test]
    fn a_line_that_differs_or_is_new_is_said_and_one_alone_of_each_key() {
        let told = counts(
            "PK-GB,2023-03-01,,,1700000,estimate,A made-up estimate\nPK,2023-03-01,_T,_T,241499431,census,Another\n",
        );
        let told = told.unwrap();
        assert_eq!((told.new.len(), told.known), (2, 0), "another source is another word");
        let twice = "PK-GB,2023-03-01,,,1,estimate,Made up\nPK-GB,2023-03-01,_T,_T,2,estimate,Made up\n";
        assert_eq!(counts(twice).unwrap_err(), ["line 3: it speaks of the same as line 2; one of them is expected"]);
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_column_and_quotes_nothing() {
        let told = counts(
            "PK-GB,2023,,,5,census,Made up\nPK-GB,2023-01-01,,,plenty,census,Made up\n\
             PK-ZZ,2023-01-01,,,5,census,Made up\nPK-GB,2023-01-01\n",
        );
        let told = told.unwrap_err();
        let places: Vec<&str> = told.iter().map(|told| told.split(':').next().unwrap()).collect();
        let expected = ["line 2, column counted_on", "line 3, column persons", "line 5", "line 4, column area"];
        assert_eq!(places, expected, "{told:?}");
        assert!(!told.iter().any(|told| told.contains("plenty") || told.contains("ZZ")), "{told:?}");
        let of_courts = |file: &str| judged::<Court>(file).unwrap_err();
        let header = of_courts("court,judge\n");
        assert!(header[0].starts_with("line 1: column 2 has a name that is not known"), "{header:?}");
        assert!(!header[0].contains("judge"), "{header:?}");
        let short = of_courts("court,level\n");
        assert!(short[0].starts_with("line 1: there is no column area"), "{short:?}");
    }

    #[test]
    fn an_area_has_a_first_day_and_a_parent_that_is_known_or_stands_in_the_file() {
        let file = "area,level,parent,valid_from,valid_to,name_en,name_ur,source\n\
            PK-XD,division,PK-PB,2020-01-01,,Made up,فرضی,Notification\n\
            PK-XD-ONE,district,PK-XD,2020-01-01,,Made up,فرضی,Notification\n\
            PK-XD-TWO,district,PK-PB,2020-01-01,,Made up,فرضی,Notification\n";
        let told = judged::<Area>;
        assert_eq!(told(file).unwrap().new.len(), 3);
        let wrong = |from: &str, to: &str| told(&file.replacen(from, to, 1)).unwrap_err();
        let ended = wrong("TWO,district,PK-PB,2020-01-01,,", "TWO,district,PK-PB,2020-01-01,2019-12-31,");
        assert_eq!(ended, ["line 4, column valid_to: a day that is not before valid_from is expected"]);
        assert!(wrong("PK-XD,2020", "PK-YY,2020")[0].starts_with("line 3, column parent"));
        assert!(wrong("PK-XD,2020-01-01", "PK-XD,")[0].starts_with("line 3, column valid_from"));
    }

    #[test]
    fn what_nobody_said_cannot_be_taken_back_nor_what_is_brought_along() {
        let told = |line: &str| {
            let file = format!("{},withdrawn\n{line},yes\n", COUNTS.trim_end());
            judged::<Count>(&file).unwrap_err()
        };
        assert!(told("PK-GB,2023-01-01,,,5,census,Made up")[0].contains("nobody has said this"));
        let built_in = "PK,2023-03-01,,,241499431,census,Population and Housing Census 2023 (gazetted)";
        assert!(told(built_in)[0].contains("brings this along"));
    }

    #[test]
    fn a_word_on_an_agency_adds_none_to_the_policy_nor_one_on_a_code_to_its_list() {
        let agencies = |line: &str| {
            judged::<Agency>(&format!(
                "agency,agency_group,valid_from,valid_to,successor,name_en,name_ur,source\n{line},Made up 1098,فرضی ۱۰۹۸,Made up\n"
            ))
        };
        assert_eq!(agencies("HLP-NAT,HLP,2015-01-01,2024-06-30,HLP-PB").unwrap().new.len(), 1);
        let unknown = agencies("HLP-ZZ,HLP,2015-01-01,,").unwrap_err();
        assert_eq!(
            unknown,
            ["line 2, column agency: an agency that the policy knows is expected (`amanat reference list agencies`)"]
        );
        assert!(
            agencies("HLP-NAT,HLP,2015-01-01,,HLP-ZZ").unwrap_err()[0].contains("column successor: an agency that")
        );
        assert!(agencies("HLP-NAT,HLP,2015-01-01,,HLP-NAT").unwrap_err()[0].contains("another agency"));
        assert!(agencies("HLP-NAT,HLP,,,").unwrap_err()[0].starts_with("line 2, column valid_from"));

        let codes = |line: &str| {
            judged::<DatedCode>(&format!(
                "list,code,valid_from,valid_to,replaced_by,name_en,name_ur,source\n{line},Made up s. 4,فرضی دفعہ 4,Made up\n"
            ))
        };
        assert_eq!(codes("section,PTPA-4,2018-06-01,2030-12-31,PTPA-3-1").unwrap().new.len(), 1);
        let wrong = |line: &str| codes(line).unwrap_err().remove(0);
        assert!(wrong("sections,PTPA-4,2018-06-01,,").contains("column list: the name of a code list"));
        assert!(wrong("section,PTPA-9,2018-06-01,,").contains("column code: a code of the list section is expected"));
        assert!(wrong("section,PTPA-4,2018-06-01,,PTPA-4").contains("column replaced_by: another code of the list"));
    }
}
