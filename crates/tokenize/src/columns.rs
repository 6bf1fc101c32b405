//! Which column is what: roles from a columns file, from flags, and where neither speaks, from the header's own words.
//!
//! Every column has exactly one fate. What no rule knows is named and refused, never passed on: a column that nobody thought of
//! is how a name travels.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::birth::DateOrder;
use crate::place::Places;
use crate::{data, fold};

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The whole name, or the given name.
    Name,
    /// The surname, where it has a column of its own.
    Surname,
    /// The date of birth.
    Born,
    /// The number of a document.
    Document,
    /// The kind of that document.
    DocumentKind,
    /// Its country, as a code of two letters.
    DocumentCountry,
    /// The mother's name.
    Mother,
    /// The place of the family. It may be kept as well.
    Place,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Surname,
        Self::Born,
        Self::Document,
        Self::DocumentKind,
        Self::DocumentCountry,
        Self::Mother,
        Self::Place,
    ];

    /// Its name in a columns file, a flag, or the object `person` of an NDJSON line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Surname => "surname",
            Self::Born => "born",
            Self::Document => "document",
            Self::DocumentKind => "document_kind",
            Self::DocumentCountry => "document_country",
            Self::Mother => "mother",
            Self::Place => "place",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A columns file (TOML), with what flags add to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The column of each role.
    pub columns: BTreeMap<Role, String>,
    /// Columns that go to the output as they are.
    pub keep: Vec<String>,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// Whether 05/03/1999 is March (`day_first`) or May (`month_first`).
    pub dates: Dates,
    /// Places as this agency writes them, to their districts.
    pub places: BTreeMap<String, String>,
}

/// The order of day and month in a columns file.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// 05/03/1999 is in March.
    #[default]
    DayFirst,
    /// 05/03/1999 is in May.
    MonthFirst,
}

/// Why columns were refused. Names columns, never a cell.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// The file is no columns file.
    #[error("the columns file is not valid: {0}")]
    Invalid(String),
    /// A place's district is not on the list.
    #[error("[places]: {0:?} is given a district that is not on the list of Pakistan's districts")]
    District(String),
    /// The header is no header.
    #[error(
        "the first line looks like a person, not like the names of columns; give the file a header, as in `name,born,document`"
    )]
    NoHeader,
    /// A named column is missing.
    #[error("no column is called {0:?}; the header's names must be given as they stand there")]
    Missing(String),
    /// Two columns have one name.
    #[error("column {0:?} stands twice in the header; rename one")]
    Repeated(String),
    /// A column is to be two things.
    #[error("column {0:?} is given two fates; only the column of `place` may be kept as well")]
    Twice(String),
    /// Two columns look like one role.
    #[error(
        "columns {0:?} and {1:?} both look like `{2}`; say which it is with --column {2}=NAME, and --drop the other"
    )]
    Ambiguous(String, String, &'static str),
    /// Columns that nothing speaks of.
    #[error("it is not said what becomes of column(s) {0}; name each with --keep, --drop or --column ROLE=NAME")]
    Unspoken(String),
    /// There is nothing to make tokens from.
    #[error("no column holds a name or a document's number; say which with --column name=… or --column document=…")]
    NoIdentity,
    /// A kept column has the name of one that is made.
    #[error("column {0:?} has the name of a column that is made; rename or drop it")]
    Made(String),
}

impl Columns {
    /// Parses a columns file.
    pub fn parse(text: &str) -> Result<Self, ColumnsError> {
        toml::from_str(text).map_err(|error| ColumnsError::Invalid(error.message().to_owned()))
    }

    /// The order of day and month.
    pub fn order(&self) -> DateOrder {
        match self.dates {
            Dates::DayFirst => DateOrder::DayFirst,
            Dates::MonthFirst => DateOrder::MonthFirst,
        }
    }

    /// The agency's own places.
    pub fn places(&self) -> Result<Places, ColumnsError> {
        let pairs = || self.places.iter().map(|(place, district)| (place.as_str(), district.as_str()));
        Places::of(pairs()).map_err(|at| ColumnsError::District(pairs().nth(at).map_or("", |pair| pair.0).to_owned()))
    }

    /// What becomes of each column of this header.
    pub(crate) fn plan(&self, header: &[String]) -> Result<Plan, ColumnsError> {
        check_header(header)?;
        let at = |name: &str| {
            header.iter().position(|column| column == name).ok_or_else(|| ColumnsError::Missing(name.to_owned()))
        };
        let mut plan = Plan { roles: BTreeMap::new(), keep: Vec::new(), before: None };
        for (role, name) in &self.columns {
            plan.roles.insert(*role, at(name)?);
        }
        plan.keep = self.keep.iter().map(|name| at(name)).collect::<Result<_, _>>()?;
        let drop = self.drop.iter().map(|name| at(name)).collect::<Result<Vec<_>, _>>()?;
        plan.before = header.iter().position(|name| name == BECAUSE);
        self.guess(header, &drop, &mut plan)?;
        plan.keep.sort_unstable();
        plan.keep.dedup();
        plan.check(header, &drop)?;
        Ok(plan)
    }

    /// Gives the columns that nothing speaks of the role that their names say.
    fn guess(&self, header: &[String], drop: &[usize], plan: &mut Plan) -> Result<(), ColumnsError> {
        let mut unspoken = Vec::new();
        for (at, name) in header.iter().enumerate() {
            let spoken = plan.keep.contains(&at) || drop.contains(&at) || plan.before == Some(at);
            if spoken || plan.roles.values().any(|taken| *taken == at) {
                continue;
            }
            match GUESSES.get(&fold::words_and_digits(name).join(" ")) {
                Some(role) => match plan.roles.get(role) {
                    Some(other) if self.columns.contains_key(role) || *other == at => {
                        unspoken.push(format!("{name:?}"));
                    }
                    Some(other) => {
                        return Err(ColumnsError::Ambiguous(header[*other].clone(), name.clone(), role.as_str()));
                    }
                    None => {
                        plan.roles.insert(*role, at);
                    }
                },
                None => unspoken.push(format!("{name:?}")),
            }
        }
        if unspoken.is_empty() { Ok(()) } else { Err(ColumnsError::Unspoken(unspoken.join(", "))) }
    }
}

/// Of rows that were set aside before: why. Left out when they are read again.
pub(crate) const BECAUSE: &str = "not_sealed_because";

/// What becomes of the columns of a file.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where each role stands.
    pub roles: BTreeMap<Role, usize>,
    /// What is kept, in the order of the file.
    pub keep: Vec<usize>,
    /// Where the reasons of an earlier run stand.
    pub before: Option<usize>,
}

impl Plan {
    fn check(&self, header: &[String], drop: &[usize]) -> Result<(), ColumnsError> {
        if !self.roles.contains_key(&Role::Name) && !self.roles.contains_key(&Role::Document) {
            return Err(ColumnsError::NoIdentity);
        }
        let mut fates = vec![0; header.len()];
        let place = self.roles.get(&Role::Place);
        let roles = self.roles.values().filter(|at| !(place == Some(at) && self.keep.contains(at)));
        for at in roles.chain(&self.keep).chain(drop) {
            fates[*at] += 1;
        }
        if let Some(at) = fates.iter().position(|fates| *fates > 1) {
            return Err(ColumnsError::Twice(header[at].clone()));
        }
        match self.keep.iter().find(|at| header[**at].starts_with("token_")) {
            Some(at) => Err(ColumnsError::Made(header[*at].clone())),
            None => Ok(()),
        }
    }
}

/// A header is names, each once; a line with a long number, an empty name or nothing but people's names is data.
fn check_header(header: &[String]) -> Result<(), ColumnsError> {
    let is_person = |name: &String| {
        let words = fold::words(name);
        let digits = fold::folded(name).chars().filter(char::is_ascii_digit).count();
        digits > 4 || name.is_empty() || !words.is_empty() && words.iter().all(|word| data::spelling(word).is_some())
    };
    if header.iter().any(is_person) {
        return Err(ColumnsError::NoHeader);
    }
    match header.iter().enumerate().find(|(at, name)| header[..*at].contains(name)) {
        Some((_, name)) => Err(ColumnsError::Repeated(name.clone())),
        None => Ok(()),
    }
}

/// What headers say, in English and Urdu, after folding.
static GUESSES: LazyLock<HashMap<String, Role>> = LazyLock::new(|| {
    const WORDS: [(Role, &[&str]); 8] = [
        (
            Role::Name,
            &[
                "name",
                "full name",
                "fullname",
                "given name",
                "given names",
                "first name",
                "forename",
                "victim name",
                "name of victim",
                "person name",
                "نام",
                "پورا نام",
                "متاثرہ کا نام",
            ],
        ),
        (Role::Surname, &["surname", "last name", "family name", "خاندانی نام"]),
        (
            Role::Born,
            &[
                "born",
                "dob",
                "d o b",
                "date of birth",
                "birth date",
                "birthdate",
                "birth day",
                "year of birth",
                "yob",
                "تاریخ پیدائش",
                "سال پیدائش",
            ],
        ),
        (
            Role::Document,
            &[
                "cnic",
                "cnic no",
                "cnic number",
                "nic",
                "document",
                "document no",
                "document number",
                "id number",
                "id card",
                "id card no",
                "passport",
                "passport no",
                "passport number",
                "شناختی کارڈ",
                "شناختی کارڈ نمبر",
                "پاسپورٹ نمبر",
            ],
        ),
        (Role::DocumentKind, &["document kind", "document type", "id type", "دستاویز کی قسم"]),
        (Role::DocumentCountry, &["document country", "issuing country", "passport country"]),
        (
            Role::Mother,
            &["mother", "mother name", "mothers name", "name of mother", "والدہ", "والدہ کا نام", "ماں کا نام"],
        ),
        (Role::Place, &["home district", "district of origin", "family district", "آبائی ضلع"]),
    ];
    let all =
        WORDS.iter().flat_map(|(role, words)| words.iter().map(|word| (fold::words_and_digits(word).join(" "), *role)));
    all.collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn headers_in_english_and_urdu_say_what_they_are() {
        let columns = Columns { keep: vec!["sex".into()], ..Columns::default() };
        for names in [
            ["Name", "D.O.B.", "CNIC No.", "Mother's Name", "sex"],
            ["نام", "تاریخ پیدائش", "شناختی کارڈ نمبر", "والدہ کا نام", "sex"],
        ] {
            let plan = columns.plan(&header(&names)).unwrap();
            assert_eq!(
                plan.roles.keys().copied().collect::<Vec<_>>(),
                [Role::Name, Role::Born, Role::Document, Role::Mother]
            );
            assert_eq!(plan.keep, [4]);
        }
    }

    #[test]
    fn a_column_that_nothing_speaks_of_is_refused_by_name() {
        let error = Columns::default().plan(&header(&["name", "phone"])).unwrap_err();
        assert_eq!(error, ColumnsError::Unspoken("\"phone\"".into()));
    }

    #[test]
    fn two_columns_of_one_role_are_not_chosen_between() {
        let error = Columns::default().plan(&header(&["name", "cnic", "passport no"])).unwrap_err();
        assert!(matches!(error, ColumnsError::Ambiguous(..)), "{error}");
    }

    #[test]
    fn a_first_line_that_is_a_person_is_not_printed() {
        for names in [["Muhammad Ali", "x"], ["name", "33102-8765432-9"], ["name", ""]] {
            let error = Columns::default().plan(&header(&names)).unwrap_err();
            assert_eq!(error, ColumnsError::NoHeader);
        }
    }

    #[test]
    fn only_a_place_may_be_kept_as_well() {
        let mut columns = Columns { keep: vec!["district".into()], ..Columns::default() };
        columns.columns.insert(Role::Place, "district".into());
        assert!(columns.plan(&header(&["name", "district"])).is_ok());
        columns.keep.push("name".into());
        columns.columns.insert(Role::Name, "name".into());
        assert_eq!(columns.plan(&header(&["name", "district"])).err(), Some(ColumnsError::Twice("name".into())));
    }
}
