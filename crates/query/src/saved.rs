//! Saved questions: SQL with a name, a description and parameters, kept as text files that psql can run as well.
//!
//! The head of a file is comments of the form `-- word: text`, the rest is one question with `$1`, `$2`, … for its parameters
//! in their order:
//!
//! ```sql
//! -- title: Victims identified in a year, by province
//! -- title.ur: …
//! -- description: Whom, and what not.
//! -- parameter: year text = 2025; The year of identification
//! -- parameter: sex text of sex = _T; Of one sex, or of all
//! -- schedule: edition
//! select …
//! ```
//!
//! Guarantees: what is parsed is written again as the same question; each parameter has a value where none is given, so that every
//! saved question has an answer at its bare address. Not guaranteed: that the SQL is answered, which a [`Reader`](crate::Reader)
//! decides each time, for whoever asks. Absent: where the files are kept, who may write them.

use crate::catalogue::{Catalogue, Text};
use crate::question::Param;
use crate::selection::COMMON_CODES;

/// Longest name.
const LONGEST_NAME: usize = 60;
/// Longest title or description, characters.
const LONGEST_TEXT: usize = 2_000;
/// Most parameters.
const MOST_PARAMETERS: usize = 12;
/// Longest value of a parameter, characters.
const LONGEST_VALUE: usize = 200;

/// The questions that the program brings along, with their names.
pub const OURS: [(&str, &str); 8] = [
    ("victims-by-year", include_str!("../../../sql/questions/victims-by-year.sql")),
    ("victims-by-province", include_str!("../../../sql/questions/victims-by-province.sql")),
    ("child-share", include_str!("../../../sql/questions/child-share.sql")),
    ("cases-to-convictions", include_str!("../../../sql/questions/cases-to-convictions.sql")),
    ("inspections-by-province", include_str!("../../../sql/questions/inspections-by-province.sql")),
    ("changed-between-editions", include_str!("../../../sql/questions/changed-between-editions.sql")),
    ("children-by-province", include_str!("../../../sql/questions/children-by-province.sql")),
    ("who-refers-victims", include_str!("../../../sql/questions/who-refers-victims.sql")),
];

/// A saved question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its name in addresses: small letters, digits and hyphens.
    pub name: String,
    /// What it asks, in a line.
    pub title: Text,
    /// What should be known of it.
    pub description: Text,
    /// `$1`, `$2`, … in order.
    pub parameters: Vec<Parameter>,
    /// When its answer is made.
    pub schedule: Schedule,
    /// Who sees it.
    pub audience: Audience,
    /// The account that saved it; none where the program brings it along or the operator wrote it.
    pub owner: Option<String>,
    /// The question.
    pub sql: String,
}

/// A parameter of a saved question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in addresses: small letters, digits and underscores.
    pub name: String,
    /// What its values are.
    pub kind: ParameterKind,
    /// The code list that its values are from.
    pub code_list: Option<String>,
    /// Its value where none is given.
    pub default: String,
    /// What it means.
    pub description: String,
}

/// What values of a parameter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// true or false.
    Boolean,
}

/// When the answer of a saved question is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// As soon as there is an edition, so that nobody waits: of questions about published tables alone.
    Edition,
    /// When somebody asks.
    Asked,
}

/// Who sees a saved question. Its answer is another matter: that has who may ask its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Public,
    /// Who shows a key or password.
    Readers,
}

impl ParameterKind {
    const ALL: [Self; 4] = [Self::Text, Self::Integer, Self::Number, Self::Boolean];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }

    /// A value of this kind; None where the text is none.
    fn read(self, text: &str) -> Option<Param> {
        match self {
            Self::Text => (text.chars().count() <= LONGEST_VALUE).then(|| Param::Text(text.to_owned())),
            Self::Integer => text.parse::<i64>().ok().map(|number| Param::Number(number.into())),
            Self::Number => serde_json::from_str(text).ok().map(Param::Number),
            Self::Boolean => text.parse().ok().map(Param::Bool),
        }
    }
}

impl Schedule {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edition => "edition",
            Self::Asked => "asked",
        }
    }
}

impl Audience {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Readers => "readers",
        }
    }
}

/// Whether a text can be the name of a saved question.
pub fn is_name(name: &str) -> bool {
    let of = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(of) && !name.starts_with('-')
}

impl Parameter {
    /// The value that a text stands for; a sentence of what is wrong with it, which does not repeat it.
    pub fn value(&self, text: &str, catalogue: &Catalogue) -> Result<Param, String> {
        let value = self.kind.read(text).ok_or_else(|| format!("{} is no {}.", self.name, self.kind.name()))?;
        let list = self.code_list.as_deref().and_then(|list| catalogue.code_list(list));
        let is_listed =
            list.is_none_or(|list| COMMON_CODES.contains(&text) || list.codes.iter().any(|entry| entry.code == text));
        if is_listed { Ok(value) } else { Err(format!("{} is no code of its list.", self.name)) }
    }
}

impl Saved {
    /// Reads the text of a saved question; a sentence that names the line and the remedy where it is none.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        if !is_name(name) {
            return Err(format!("a name is of small letters, digits and hyphens, at most {LONGEST_NAME}"));
        }
        let mut saved = Self {
            name: name.to_owned(),
            title: Text::default(),
            description: Text::default(),
            parameters: Vec::new(),
            schedule: Schedule::Asked,
            audience: Audience::Readers,
            owner: None,
            sql: String::new(),
        };
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let Some((word, said)) = line.strip_prefix("-- ").and_then(|line| line.split_once(':')) else { break };
            saved.read(word.trim(), &one_line(said)).map_err(|what| format!("line {}: {what}", number + 1))?;
            at += line.len();
        }
        text.get(at..).unwrap_or_default().trim().clone_into(&mut saved.sql);
        saved.whole()
    }

    fn read(&mut self, word: &str, said: &str) -> Result<(), String> {
        if said.chars().count() > LONGEST_TEXT {
            return Err(format!("a text is at most {LONGEST_TEXT} characters long"));
        }
        match word {
            "title" => said.clone_into(&mut self.title.en),
            "title.ur" => said.clone_into(&mut self.title.ur),
            "description" => said.clone_into(&mut self.description.en),
            "description.ur" => said.clone_into(&mut self.description.ur),
            "parameter" => self.parameters.push(parameter(said)?),
            "owner" => self.owner = (!said.is_empty()).then(|| said.to_owned()),
            "schedule" => {
                self.schedule = match said {
                    "edition" => Schedule::Edition,
                    "asked" => Schedule::Asked,
                    _ => return Err("a schedule is edition or asked".to_owned()),
                }
            }
            "audience" => {
                self.audience = match said {
                    "public" => Audience::Public,
                    "readers" => Audience::Readers,
                    _ => return Err("an audience is public or readers".to_owned()),
                }
            }
            _ => {
                let words = "title, title.ur, description, description.ur, parameter, schedule, audience, owner";
                return Err(format!("the head of a saved question has the words {words}; end it with an empty line"));
            }
        }
        Ok(())
    }

    /// The question, where nothing is missing and nothing stands twice.
    ///
    /// # Errors
    /// A sentence of what is missing.
    pub fn whole(self) -> Result<Self, String> {
        if self.title.en.is_empty() {
            return Err("a title is missing: -- title: …".to_owned());
        }
        if self.sql.is_empty() {
            return Err("the SQL is missing".to_owned());
        }
        if self.parameters.len() > MOST_PARAMETERS {
            return Err(format!("at most {MOST_PARAMETERS} parameters"));
        }
        for (at, own) in self.parameters.iter().enumerate() {
            if self.parameters[..at].iter().any(|other| other.name == own.name) {
                return Err(format!("the parameter {} stands twice", own.name));
            }
        }
        Ok(self)
    }

    /// The text that [`Saved::parse`] reads.
    pub fn text(&self) -> String {
        let mut head = vec![("title", self.title.en.clone()), ("title.ur", self.title.ur.clone())];
        head.extend([("description", self.description.en.clone()), ("description.ur", self.description.ur.clone())]);
        let line = |own: &Parameter| {
            parameter_line(&own.name, own.kind.name(), own.code_list.as_deref(), (&own.default, &own.description))
        };
        head.extend(self.parameters.iter().map(|own| ("parameter", line(own))));
        head.extend([("schedule", self.schedule.name().to_owned()), ("audience", self.audience.name().to_owned())]);
        head.extend(self.owner.clone().map(|owner| ("owner", owner)));
        text_of(&head, &self.sql)
    }

    /// Values of `$1`, `$2`, … from what was given by name; a sentence of what is wrong with it.
    pub fn values(&self, given: &[(&str, &str)], catalogue: &Catalogue) -> Result<Vec<Param>, String> {
        if let Some((unknown, _)) = given.iter().find(|(name, _)| self.parameters.iter().all(|own| own.name != *name)) {
            let names: Vec<&str> = self.parameters.iter().map(|own| own.name.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let unknown: String = unknown.chars().take(LONGEST_NAME).collect();
            return Err(format!("The question has no parameter {unknown}; it has {names}."));
        }
        let value = |own: &Parameter| {
            let given = given.iter().rev().find(|(name, _)| *name == own.name).map(|(_, value)| *value);
            own.value(given.unwrap_or(&own.default), catalogue)
        };
        self.parameters.iter().map(value).collect()
    }
}

/// A text of words of the head with what they say, and SQL. What says nothing is left out; line ends in what is said are spaces, so
/// that nothing said becomes another line of the head.
pub fn text_of(head: &[(&str, String)], sql: &str) -> String {
    let said = head.iter().filter(|(_, said)| !said.is_empty());
    let mut lines: Vec<String> = said.map(|(word, said)| format!("-- {word}: {}", one_line(said))).collect();
    lines.extend([String::new(), sql.to_owned(), String::new()]);
    lines.join("\n")
}

/// What is said, with one space where there is any: as it is written, so that it is read as the same again.
fn one_line(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the word `parameter` says.
pub fn parameter_line(name: &str, kind: &str, list: Option<&str>, (default, description): (&str, &str)) -> String {
    let of = list.map_or(String::new(), |list| format!(" of {list}"));
    format!("{name} {kind}{of} = {default}; {description}")
}

/// Reads `name kind [of list] = default; description`.
fn parameter(said: &str) -> Result<Parameter, String> {
    let form = || "a parameter is written: name kind [of list] = default; description".to_owned();
    let (head, rest) = said.split_once('=').ok_or_else(form)?;
    let (default, description) = rest.split_once(';').unwrap_or((rest, ""));
    let words: Vec<&str> = head.split_whitespace().collect();
    let (name, kind, code_list) = match words.as_slice() {
        [name, kind] => (name, kind, None),
        [name, kind, "of", list] => (name, kind, Some((*list).to_owned())),
        _ => return Err(form()),
    };
    let of = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.bytes().all(of) || name.len() > LONGEST_NAME {
        return Err("the name of a parameter is of small letters, digits and underscores".to_owned());
    }
    if RESERVED.contains(name) {
        return Err(format!("{name} has a meaning of its own in addresses; give the parameter another name"));
    }
    let kind = ParameterKind::ALL.into_iter().find(|known| known.name() == *kind);
    let kind = kind.ok_or("the kind of a parameter is text, integer, number or boolean")?;
    let default = default.trim().to_owned();
    kind.read(&default).ok_or_else(|| format!("the default of {name} is no {}", kind.name()))?;
    Ok(Parameter { name: (*name).to_owned(), kind, code_list, default, description: description.trim().to_owned() })
}

/// What addresses of answers and pages say beside parameters.
pub const RESERVED: [&str; 5] = ["format", "bom", "companions", "lang", "edition"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "-- title: Victims\n-- parameter: year integer = 2024; The year\n-- parameter: sex text of sex = _T; Of whom\n\
        -- schedule: edition\n-- audience: public\n\n-- a remark\nselect $1, $2\n";

    #[test]
    fn what_is_read_is_written_as_the_same_question() {
        let saved = Saved::parse("victims", TEXT).unwrap();
        assert_eq!(
            (saved.schedule, saved.audience, saved.sql.as_str()),
            (Schedule::Edition, Audience::Public, "-- a remark\nselect $1, $2")
        );
        assert_eq!(Saved::parse("victims", &saved.text()).unwrap(), saved);
        for (name, text) in OURS {
            let ours = Saved::parse(name, text).unwrap_or_else(|what| panic!("{name}: {what}"));
            assert_eq!(Saved::parse(name, &ours.text()).unwrap(), ours, "{name}");
            assert!(!ours.title.ur.is_empty() && !ours.description.en.is_empty(), "{name} speaks both languages");
        }
    }

    #[test]
    fn each_parameter_has_a_value_and_a_wrong_one_is_named_and_not_repeated() {
        let saved = Saved::parse("victims", TEXT).unwrap();
        let values = |given: &[(&str, &str)]| saved.values(given, &Catalogue::default());
        assert_eq!(values(&[]).unwrap(), [Param::Number(2024.into()), Param::Text("_T".into())]);
        assert_eq!(values(&[("year", "2020"), ("year", "2021")]).unwrap()[0], Param::Number(2021.into()));
        let wrong = values(&[("year", "Karachi")]).unwrap_err();
        assert!(wrong.contains("year") && !wrong.contains("Karachi"), "{wrong}");
        assert!(values(&[("province", "PK-PB")]).unwrap_err().contains("year, sex"));
    }

    #[test]
    fn a_head_that_cannot_be_read_names_its_line() {
        for (text, said) in [
            ("-- title: A\n-- colour: red\nselect 1", "line 2"),
            ("-- title: A\n-- parameter: a\nselect 1", "line 2: a parameter is written"),
            ("-- title: A\n-- parameter: format text = a\nselect 1", "meaning of its own"),
            ("-- title: A\n-- parameter: a integer = x\nselect 1", "is no integer"),
            ("-- title: A\n-- parameter: a text = x\n-- parameter: a text = y\nselect 1", "stands twice"),
            ("select 1", "a title is missing"),
            ("-- title: A\n", "the SQL is missing"),
        ] {
            let what = Saved::parse("a", text).unwrap_err();
            assert!(what.contains(said), "{what}");
        }
        for name in ["", "-a", "A", "a/b", "a.b", "a b"] {
            assert!(Saved::parse(name, TEXT).is_err(), "{name}");
        }
    }
}
