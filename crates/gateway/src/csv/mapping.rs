//! The mapping file: which column of a CSV becomes which field of an event, and what is lost on the way.
//!
//! Parsed and checked against the file's header before anything is read: a missing column is named, a column that the
//! mapping neither uses nor declares as not carried is named too, because a silent drop is how numbers go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use events::{EventType, TokenKind};
use serde::Deserialize;

/// A mapping file (TOML).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the file is, for the report.
    pub title: String,
    /// Event type without its prefix, for instance `victim.identified`.
    pub event: String,
    /// Column that identifies a row for its agency. Without it a row is its position in this very file.
    #[serde(default)]
    pub key: Option<String>,
    /// Whose event a row is.
    pub agency: Source,
    /// When the agency recorded it.
    pub time: Time,
    /// Fields of the event's `data`.
    pub fields: BTreeMap<String, Source>,
    /// Columns of tokens that `amanat tokenize` has made, by the kind of token. Without it, and in a row without any token, the
    /// person is the row itself.
    #[serde(default)]
    pub person: BTreeMap<String, String>,
    /// Columns that no field takes, each with the reason.
    #[serde(default)]
    pub not_carried: BTreeMap<String, String>,
    /// Rows whose meaning is bent, by the values of their columns; counted in the report.
    #[serde(default)]
    pub lossy: Vec<Lossy>,
    /// Fields that the file cannot fill, for the report.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Whether nobody in the file exists. Said by who wrote the mapping, never guessed from the store: a store of
    /// synthetic data sets real rows aside, and the other way round.
    #[serde(default)]
    pub synthetic: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A column …
    #[serde(default)]
    pub column: Option<String>,
    /// … or the same text for every row.
    #[serde(default)]
    pub constant: Option<String>,
    /// Value of the column → code. A value that is not listed is passed on as it is and judged by the contract.
    #[serde(default)]
    pub values: BTreeMap<String, Codes>,
    /// The field is a list.
    #[serde(default)]
    pub list: bool,
    /// The field is a whole number.
    #[serde(default)]
    pub number: bool,
}

/// One code or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Codes {
    /// One code.
    One(String),
    /// Several codes of a list field; none leaves the field out.
    Many(Vec<String>),
}

/// `time` of the envelope.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// The column.
    pub column: String,
    /// What stands in it.
    pub form: TimeForm,
}

/// What stands in a time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// `2012`: recorded at the end of that year.
    Year,
    /// `2012-03-09`: recorded at the end of that day.
    Date,
    /// RFC 3339 with an offset.
    Rfc3339,
}

/// A way in which rows lose meaning.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lossy {
    /// Column = value, all of them.
    pub when: BTreeMap<String, String>,
    /// What is lost, in a sentence.
    pub because: String,
}

/// Why a mapping was refused.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The mapping file is not there or cannot be read.
    #[error("cannot read the mapping file {0}: {1}")]
    Unreadable(std::path::PathBuf, std::io::Error),
    /// It is not a mapping.
    #[error("the mapping file {0} is not valid: {1}")]
    Invalid(std::path::PathBuf, String),
    /// The mapping names columns that the file does not have.
    #[error(
        "the mapping names column(s) {missing} that the file does not have. Its header has: {header}. Correct the mapping, or export the file again."
    )]
    MissingColumns {
        /// Names, quoted and comma separated.
        missing: String,
        /// The header.
        header: String,
    },
    /// The file has columns that the mapping does not speak of.
    #[error(
        "the file has column(s) {0} that the mapping does not speak of. Map them under [fields], or list them under [not_carried] with the reason."
    )]
    UnmappedColumns(String),
    /// A column stands twice in the header.
    #[error("column {0:?} stands twice in the header; rename one")]
    RepeatedColumn(String),
}

impl Mapping {
    /// Reads and parses a mapping file.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| MappingError::Unreadable(path.to_path_buf(), error))?;
        Self::parse(&text).map_err(|what| MappingError::Invalid(path.to_path_buf(), what))
    }

    /// Parses a mapping.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let sources =
            mapping.fields.iter().map(|(name, source)| (name.as_str(), source)).chain([("agency", &mapping.agency)]);
        for (name, source) in sources {
            if source.column.is_some() == source.constant.is_some() {
                return Err(format!("`{name}` must have either `column` or `constant`"));
            }
        }
        if mapping.agency.column.is_some() && mapping.agency.values.is_empty() {
            return Err(
                "`agency` by column needs `values`, so that the streams of the file are known beforehand".into()
            );
        }
        if mapping.agency.values.values().any(|codes| codes.iter().count() != 1) {
            return Err("`agency` takes exactly one code for each of its `values`: a row is of one agency".into());
        }
        if mapping.fields.contains_key("person") || mapping.fields.contains_key("record_version") {
            return Err("`person` and `record_version` are no fields: columns of tokens stand under [person], and without them a row is one record and one person, or its key column's".into());
        }
        mapping.check_person()?;
        Ok(mapping)
    }

    /// Tokens are of kinds that tell who somebody is, in an event that names a person.
    fn check_person(&self) -> Result<(), String> {
        let known = |kind: &String| TokenKind::parse(kind).is_some_and(|kind| kind != TokenKind::Record);
        if !self.person.keys().all(known) {
            return Err(
                "[person] takes a column for each of `document`, `name_birth`, `phonetic` and `mother_name`".into()
            );
        }
        let named = EventType::from_name(&format!("pk.tip.{}", self.event)).is_some_and(EventType::names_a_person);
        if self.person.is_empty() || named {
            Ok(())
        } else {
            Err("[person]: this type of event names no person".into())
        }
    }

    /// Columns of tokens with their kinds, the kind that tells most first: the first token names the person.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (TokenKind, &str)> {
        TokenKind::ALL.into_iter().filter_map(|kind| Some((kind, self.person.get(kind.as_str())?.as_str())))
    }

    /// Compares with the header of a file: every column that the mapping names is there, every column of the file is spoken of.
    pub fn check_header(&self, header: &[String]) -> Result<(), MappingError> {
        let mut present = BTreeSet::new();
        for name in header {
            if !present.insert(name.as_str()) {
                return Err(MappingError::RepeatedColumn(name.clone()));
            }
        }
        let named = self.columns();
        let missing: Vec<String> =
            named.iter().filter(|name| !present.contains(**name)).map(|name| format!("{name:?}")).collect();
        if !missing.is_empty() {
            return Err(MappingError::MissingColumns { missing: missing.join(", "), header: header.join(", ") });
        }
        let unmapped: Vec<String> = present.difference(&named).map(|name| format!("{name:?}")).collect();
        if unmapped.is_empty() { Ok(()) } else { Err(MappingError::UnmappedColumns(unmapped.join(", "))) }
    }

    /// The agencies that rows of a file can belong to, sorted.
    pub fn agencies(&self) -> Vec<String> {
        let mut agencies: Vec<String> = match &self.agency.constant {
            Some(agency) => vec![agency.clone()],
            None => self.agency.values.values().flat_map(Codes::iter).map(str::to_owned).collect(),
        };
        agencies.sort();
        agencies.dedup();
        agencies
    }

    fn columns(&self) -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> = self.fields.values().filter_map(|source| source.column.as_deref()).collect();
        names.extend(self.agency.column.as_deref());
        names.extend(self.key.as_deref());
        names.extend(self.person.values().map(String::as_str));
        names.insert(&self.time.column);
        names.extend(self.not_carried.keys().map(String::as_str));
        names.extend(self.lossy.iter().flat_map(|lossy| lossy.when.keys().map(String::as_str)));
        names
    }
}

impl Codes {
    /// The codes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Codes::One(code) => std::slice::from_ref(code),
            Codes::Many(codes) => codes.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Mapping {
        Mapping::parse(
            "title = 't'\nevent = 'victim.identified'\nagency = { constant = 'IOM' }\ntime = { column = 'year', form = 'year' }\n[fields]\nsex = { column = 'gender', values = { Female = 'F' } }\n[not_carried]\nnote = 'free text'\n",
        )
        .unwrap()
    }

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_missing_column_is_named_with_the_header() {
        let error = small().check_header(&header(&["year", "note"])).unwrap_err().to_string();
        assert!(error.contains("\"gender\"") && error.contains("year, note"), "{error}");
    }

    #[test]
    fn a_column_that_the_mapping_does_not_speak_of_is_named() {
        let error = small().check_header(&header(&["year", "note", "gender", "district"])).unwrap_err().to_string();
        assert!(error.contains("\"district\""), "{error}");
    }

    #[test]
    fn a_column_that_stands_twice_is_refused() {
        assert!(matches!(
            small().check_header(&header(&["year", "year", "note", "gender"])),
            Err(MappingError::RepeatedColumn(_))
        ));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(Mapping::parse("titel = 't'").is_err());
    }

    #[test]
    fn an_agency_of_no_code_or_of_two_is_refused() {
        for codes in ["[]", "['IOM', 'FIA']"] {
            let text = format!(
                "title = 't'\nevent = 'e'\nagency = {{ column = 'a', values = {{ A = {codes} }} }}\ntime = {{ column = 'y', form = 'year' }}\n[fields]\n"
            );
            assert!(Mapping::parse(&text).unwrap_err().contains("exactly one code"), "{codes}");
        }
    }

    #[test]
    fn columns_of_tokens_are_of_known_kinds_in_an_event_that_names_a_person() {
        let of = |event: &str, kind: &str| {
            let text = format!(
                "title = 't'\nevent = '{event}'\nagency = {{ constant = 'IOM' }}\ntime = {{ column = 'y', form = 'year' }}\n[fields]\n[person]\n{kind} = 'token'\n"
            );
            Mapping::parse(&text).map(|mapping| mapping.check_header(&header(&["y", "token"])).is_ok())
        };
        assert_eq!(of("victim.identified", "phonetic"), Ok(true));
        assert!(of("victim.identified", "record").unwrap_err().contains("name_birth"));
        assert!(of("activity.held", "document").unwrap_err().contains("names no person"));
    }

    #[test]
    fn a_field_needs_a_column_or_a_constant() {
        let text = "title = 't'\nevent = 'e'\nagency = { constant = 'IOM' }\ntime = { column = 'y', form = 'year' }\n[fields]\nsex = { list = true }\n";
        assert!(Mapping::parse(text).unwrap_err().contains("sex"));
    }
}
