//! Who may ask what, drawn in one file: roles against tables and addresses (architecture.md, rule 12).
//!
//! Guarantees: what has no row is nobody's; a row has a mark for every role; no row stands twice. Not guaranteed: that every
//! table and address has a row. Whoever opens them asks for that ([`Access::has_table`], [`Access::has_route`]).
//!
//! Absent: who somebody is ([`Readers`](crate::Readers)), which numbers are safe (`disclosure`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::PolicyError;
use crate::roles::Role;

const FILE: &str = "access.toml";
/// How many roles there are.
const ROLES: usize = Role::ALL.len();
/// What stands where a role may do nothing.
const NOTHING: &str = "-";
/// What stands where a role may use an address.
const MAY: &str = "+";
/// What ends a name that stands for all tables of a schema.
const ALL_OF: &str = ".*";

/// What may be asked of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// Its rows as they are published: `r`.
    Rows,
    /// Released cells, counted, sparse and noisy (privacy.md 6.1): `c`.
    Cells,
    /// EXPLAIN: what a question about cells would cost, without its answer: `e`.
    Explain,
}

impl Ask {
    /// All kinds of question.
    pub const ALL: [Self; 3] = [Self::Rows, Self::Cells, Self::Explain];

    const fn letter(self) -> char {
        match self {
            Self::Rows => 'r',
            Self::Cells => 'c',
            Self::Explain => 'e',
        }
    }
}

/// The drawn policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    tables: BTreeMap<String, [Vec<Ask>; ROLES]>,
    routes: BTreeMap<String, [bool; ROLES]>,
    embargoed: [bool; ROLES],
}

impl Access {
    /// Reads `access.toml`. The only way to make one.
    ///
    /// Fails where the columns are not the roles in their order, a row has another number of marks, or a mark is none.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File =
            toml::from_str(text).map_err(|source| PolicyError::Syntax { file: FILE, source: Box::new(source) })?;
        let columns: Vec<&str> = file.columns.split_whitespace().collect();
        if columns != Role::ALL.map(Role::name) {
            return Err(unknown(
                "columns",
                "list of roles; public analyst steward agency auditor operator, not",
                &file.columns,
            ));
        }
        let editions = file.editions.embargoed.as_deref();
        let embargoed = editions.map_or(Ok([false; ROLES]), |row| marks("embargoed", row, may))?;
        Ok(Self { tables: rows(file.tables, asks)?, routes: rows(file.routes, may)?, embargoed })
    }

    /// Whether a role may ask this of a table (`published.v01`). The row of the table itself goes before that of its schema.
    pub fn may_ask(&self, role: Role, table: &str, ask: Ask) -> bool {
        self.table(table).is_some_and(|row| row[role.column()].contains(&ask))
    }

    /// Whether a role may use an address, written `GET /v1/indicators/{id}`.
    pub fn may_use(&self, role: Role, route: &str) -> bool {
        self.routes.get(route).is_some_and(|row| row[role.column()])
    }

    /// Whether a role may ask in SQL what an edition under embargo says, before it is released.
    pub fn may_see_embargoed(&self, role: Role) -> bool {
        self.embargoed[role.column()]
    }

    /// Whether a table has a row, its own or that of its schema.
    pub fn has_table(&self, table: &str) -> bool {
        self.table(table).is_some()
    }

    /// Whether an address has a row.
    pub fn has_route(&self, route: &str) -> bool {
        self.routes.contains_key(route)
    }

    /// The rows of tables, as they are named.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// The rows of addresses.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.routes.keys().map(String::as_str)
    }

    fn table(&self, table: &str) -> Option<&[Vec<Ask>; ROLES]> {
        self.tables.get(table).or_else(|| {
            let (schema, _) = table.split_once('.')?;
            self.tables.get(&format!("{schema}{ALL_OF}"))
        })
    }
}

impl Default for Access {
    /// The compiled-in policy.
    fn default() -> Self {
        Self::parse(crate::DEFAULT_ACCESS).expect("the compiled-in policy is read by a test")
    }
}

fn rows<T>(
    rows: BTreeMap<String, String>,
    read: fn(&str) -> Option<T>,
) -> Result<BTreeMap<String, [T; ROLES]>, PolicyError> {
    rows.into_iter().map(|(name, row)| Ok((name.clone(), marks(&name, &row, read)?))).collect()
}

/// A mark for each role.
fn marks<T>(name: &str, row: &str, read: fn(&str) -> Option<T>) -> Result<[T; ROLES], PolicyError> {
    let marks = row.split_whitespace().map(|mark| read(mark).ok_or_else(|| unknown(name, "mark", mark)));
    let marks = marks.collect::<Result<Vec<T>, _>>()?;
    marks.try_into().map_err(|_| PolicyError::OutOfRange {
        file: FILE,
        place: name.to_owned(),
        what: "a row has one mark for each of the six roles",
    })
}

fn asks(mark: &str) -> Option<Vec<Ask>> {
    if mark == NOTHING {
        return Some(Vec::new());
    }
    mark.chars().map(|letter| Ask::ALL.into_iter().find(|ask| ask.letter() == letter)).collect()
}

fn may(mark: &str) -> Option<bool> {
    [(MAY, true), (NOTHING, false)].into_iter().find(|(known, _)| *known == mark).map(|(_, may)| may)
}

fn unknown(place: &str, what: &'static str, name: &str) -> PolicyError {
    PolicyError::Unknown { file: FILE, place: place.to_owned(), what, name: name.to_owned() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    columns: String,
    tables: BTreeMap<String, String>,
    routes: BTreeMap<String, String>,
    #[serde(default)]
    editions: Editions,
}

/// Which editions who may ask about; of those that are released everybody.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Editions {
    embargoed: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEAD: &str = "columns = \"public analyst steward agency auditor operator\"\n";

    fn drawn(rows: &str) -> Result<Access, PolicyError> {
        Access::parse(&format!("{HEAD}[tables]\n{rows}\n[routes]\n\"GET /\" = \"+ + + + + -\"\n"))
    }

    #[test]
    fn what_has_no_row_is_nobodys_and_a_row_of_its_own_goes_first() {
        let access = drawn("\"published.*\" = \"r r r r r r\"\n\"published.draft\" = \"- - r - - -\"").unwrap();
        assert!(access.may_ask(Role::Public, "published.v01", Ask::Rows));
        assert!(!access.may_ask(Role::Public, "published.v01", Ask::Cells));
        assert!(!access.may_ask(Role::Analyst, "published.draft", Ask::Rows));
        assert!(access.may_ask(Role::Steward, "published.draft", Ask::Rows));
        for role in Role::ALL {
            assert!(!access.may_ask(role, "protected.victims", Ask::Cells));
            assert!(!access.may_ask(role, "published", Ask::Rows));
            assert!(!access.may_use(role, "POST /"));
        }
        assert!(access.may_use(Role::Auditor, "GET /") && !access.may_use(Role::Operator, "GET /"));
    }

    #[test]
    fn an_edition_under_embargo_is_nobodys_where_no_row_says_whose() {
        assert!(Role::ALL.into_iter().all(|role| !drawn("").unwrap().may_see_embargoed(role)));
        let access = Access::default();
        let may: Vec<Role> = Role::ALL.into_iter().filter(|role| access.may_see_embargoed(*role)).collect();
        assert_eq!(may, [Role::Steward]);
        let unknown = format!("{HEAD}[tables]\n[routes]\n[editions]\ndraft = \"+ + + + + +\"\n");
        assert!(Access::parse(&unknown).is_err());
    }

    #[test]
    fn a_row_that_is_not_drawn_for_every_role_is_refused() {
        assert!(matches!(drawn("\"published.*\" = \"r r r r r\""), Err(PolicyError::OutOfRange { .. })));
        assert!(matches!(drawn("\"published.*\" = \"r r r r r x\""), Err(PolicyError::Unknown { .. })));
        assert!(matches!(drawn("\"a\" = \"- - - - - -\"\n\"a\" = \"r r r r r r\""), Err(PolicyError::Syntax { .. })));
        let other = "columns = \"analyst public steward agency auditor operator\"\n[tables]\n[routes]\n";
        assert!(matches!(Access::parse(other), Err(PolicyError::Unknown { .. })));
    }

    #[test]
    fn the_compiled_in_policy_lets_nobody_without_a_role_at_protected_tables() {
        let access = Access::default();
        let protected: Vec<&str> = access.tables().filter(|table| table.starts_with("protected.")).collect();
        assert!(!protected.is_empty());
        for table in protected {
            for ask in Ask::ALL {
                assert!(!access.may_ask(Role::Public, table, ask), "{table}");
            }
            assert!(Role::ALL.iter().all(|role| !access.may_ask(*role, table, Ask::Rows)), "{table} has no rows");
        }
    }
}
