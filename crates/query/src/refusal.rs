//! A refusal is an answer: short, factual, with a remedy, and never with a value from the data.
//!
//! Every refusal has one of the codes below. The texts depend on the question and the catalogue alone, so the same
//! question is refused alike whatever the data say (privacy.md 6.4, 6.11). Those of protected tables bear the numbers of
//! privacy.md 6.4.

use std::fmt;

use disclosure::Spent;
use serde::Serialize;

/// Where in the text of the question the trouble is. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

/// Why a question is not answered. The name is stable: clients may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The text is not SQL.
    Syntax,
    /// No statement, or more than one.
    OneStatement,
    /// A statement other than a query.
    Statement,
    /// A part of SQL that this endpoint does not offer.
    Construct,
    /// More text than the limit.
    TooLong,
    /// Deeper nesting than the limit.
    TooDeep,
    /// More parts than the limit: tables, columns, grouping sets.
    TooComplex,
    /// No such table.
    UnknownTable,
    /// No such column.
    UnknownColumn,
    /// A function that is not offered.
    UnknownFunction,
    /// Parts that do not fit together: types, grouping, names used twice.
    Meaning,
    /// Parameters and placeholders do not match.
    Parameter,
    /// Nothing has been published yet.
    NoEdition,
    /// An edition that does not exist.
    UnknownEdition,
    /// A date on which no edition was known.
    NoEditionOnDate,
    /// An arithmetic or conversion error while computing.
    Expression,
    /// More time than the limit.
    TimeLimit,
    /// More memory than the limit.
    MemoryLimit,
    /// More rows than the limit.
    RowLimit,
    /// Too many questions at once.
    Busy,
    /// Too many questions in a minute.
    TooOften,
    /// The question was withdrawn.
    Cancelled,
    /// A defect of ours.
    Internal,
    /// A question about protected tables without a key, or with one that nobody knows.
    KeyNeeded,
    /// A table that the asker's role, or what its key is bound to, does not let it ask.
    NotAllowed,
    // Of protected tables (privacy.md 6.4): static, from the text and the catalogue alone, but for the last three.
    /// No such table among the protected ones.
    #[serde(rename = "PRIV-1001")]
    ProtectedTable,
    /// A column that stands inside `count(distinct …)` and nowhere else, or one that cannot be selected by.
    #[serde(rename = "PRIV-1002")]
    NotFilterable,
    /// A form that is not allowed between records of people and the aggregate over them.
    #[serde(rename = "PRIV-1003")]
    ProtectedForm,
    /// A literal that is no code, no breakpoint, or no published period of the column.
    #[serde(rename = "PRIV-1004")]
    NotACode,
    /// A join of protected tables, or of one with anything but the code list of a level.
    #[serde(rename = "PRIV-1005")]
    ProtectedJoin,
    /// Released rows joined back to protected ones, or a subquery over them in a condition.
    #[serde(rename = "PRIV-1006")]
    Steering,
    /// A function between records of people and the aggregate over them.
    #[serde(rename = "PRIV-1007")]
    ProtectedFunction,
    /// More dimensions, conditions, measures or codes than one question may have.
    #[serde(rename = "PRIV-1008")]
    TooManyDimensions,
    /// Too many expected units would fall into small cells.
    #[serde(rename = "PRIV-1009")]
    TooSparse,
    /// A statement other than a query that names a protected table.
    #[serde(rename = "PRIV-1010")]
    ProtectedStatement,
    /// An aggregate that has no safe measure.
    #[serde(rename = "PRIV-1011")]
    ProtectedAggregate,
    /// More cells than one question may have.
    #[serde(rename = "PRIV-1012")]
    TooManyCells,
    /// More grouping sets over protected tables than one question may have.
    #[serde(rename = "PRIV-1013")]
    TooManyGroupingSets,
    /// A user-defined level that leaves codes without a class.
    #[serde(rename = "PRIV-1014")]
    NotTotal,
    /// NOT, more than three codes, or a user-defined level on a many-valued dimension.
    #[serde(rename = "PRIV-1015")]
    ManyValued,
    /// Records as known on a date other than today's, whose Snapshot is not open.
    #[serde(rename = "PRIV-1016")]
    NotTheOpenSnapshot,
    /// The charges of a public block are spent.
    #[serde(rename = "PRIV-1020")]
    ChargesSpent,
    /// An arithmetic or conversion error over released rows.
    #[serde(rename = "PRIV-2001")]
    ProtectedExpression,
    /// A defect of ours, or no vault to answer from: one text for everything.
    #[serde(rename = "PRIV-5000")]
    ProtectedInternal,
}

impl Code {
    /// All codes, in the order of the manual.
    pub const ALL: [Code; 44] = [
        Code::Syntax,
        Code::OneStatement,
        Code::Statement,
        Code::Construct,
        Code::TooLong,
        Code::TooDeep,
        Code::TooComplex,
        Code::UnknownTable,
        Code::UnknownColumn,
        Code::UnknownFunction,
        Code::Meaning,
        Code::Parameter,
        Code::NoEdition,
        Code::UnknownEdition,
        Code::NoEditionOnDate,
        Code::Expression,
        Code::TimeLimit,
        Code::MemoryLimit,
        Code::RowLimit,
        Code::Busy,
        Code::TooOften,
        Code::Cancelled,
        Code::Internal,
        Code::KeyNeeded,
        Code::NotAllowed,
        Code::ProtectedTable,
        Code::NotFilterable,
        Code::ProtectedForm,
        Code::NotACode,
        Code::ProtectedJoin,
        Code::Steering,
        Code::ProtectedFunction,
        Code::TooManyDimensions,
        Code::TooSparse,
        Code::ProtectedStatement,
        Code::ProtectedAggregate,
        Code::TooManyCells,
        Code::TooManyGroupingSets,
        Code::NotTotal,
        Code::ManyValued,
        Code::NotTheOpenSnapshot,
        Code::ChargesSpent,
        Code::ProtectedExpression,
        Code::ProtectedInternal,
    ];

    /// The stable name: `unknown_table`, and of protected tables `PRIV-1003`.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Whether it is of a question about protected tables.
    pub fn is_protected(self) -> bool {
        self.name().starts_with("PRIV-")
    }

    /// Whether a question that is refused with it is recorded: whoever reaches for what is not theirs stands in the log as well.
    pub fn is_recorded(self) -> bool {
        self == Self::NotAllowed || self.is_protected()
    }

    /// The HTTP status that says the same (RFC 9110; 422 for what is understood and cannot be done).
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// What to do where a refusal has nothing better to say.
    fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Code::Syntax => {
                "The form is SELECT … FROM … WHERE … GROUP BY … ORDER BY …; texts stand in '…', names that are no plain words in \"…\"."
            }
            Code::Meaning | Code::Construct | Code::UnknownColumn => {
                "SELECT table_name, column_name, data_type FROM information_schema.columns lists names and types."
            }
            Code::UnknownFunction => "SELECT * FROM information_schema.functions lists what is offered.",
            Code::Parameter => "Give one value in params for each of $1, $2, …",
            Code::Expression | Code::ProtectedExpression => {
                "Divide by nullif(…, 0), and cast only what has that form: try_cast gives NULL for the rest."
            }
            Code::Internal | Code::ProtectedInternal => {
                "Ask again in a while; if it stays, tell who runs this service the number of the incident."
            }
            _ => return None,
        })
    }

    /// One line, the same for every refusal of this code.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Code::Syntax => ("syntax", 400, "The text is not SQL"),
            Code::OneStatement => ("one_statement", 400, "One statement at a time"),
            Code::Statement => ("statement", 403, "Only queries are answered"),
            Code::Construct => ("construct", 422, "This part of SQL is not offered"),
            Code::TooLong => ("too_long", 413, "The question is too long"),
            Code::TooDeep => ("too_deep", 422, "The question is nested too deeply"),
            Code::TooComplex => ("too_complex", 422, "The question has too many parts"),
            Code::UnknownTable => ("unknown_table", 422, "There is no such table"),
            Code::UnknownColumn => ("unknown_column", 422, "There is no such column"),
            Code::UnknownFunction => ("unknown_function", 422, "This function is not offered"),
            Code::Meaning => ("meaning", 422, "The parts of the question do not fit together"),
            Code::Parameter => ("parameter", 422, "Parameters and placeholders do not match"),
            Code::NoEdition => ("no_edition", 503, "Nothing has been published yet"),
            Code::UnknownEdition => ("unknown_edition", 404, "There is no such edition"),
            Code::NoEditionOnDate => ("no_edition_on_date", 404, "No edition was known on that date"),
            Code::Expression => ("expression", 422, "An expression could not be computed"),
            Code::TimeLimit => ("time_limit", 504, "The question takes too long"),
            Code::MemoryLimit => ("memory_limit", 422, "The question needs too much memory"),
            Code::RowLimit => ("row_limit", 422, "The answer has too many rows"),
            Code::Busy => ("busy", 429, "Too many questions at once"),
            Code::TooOften => ("too_often", 429, "Too many questions in a minute"),
            Code::Cancelled => ("cancelled", 499, "The question was withdrawn"),
            Code::Internal => ("internal", 500, "Something went wrong on our side"),
            Code::KeyNeeded => ("key_needed", 401, "A key is needed"),
            Code::NotAllowed => ("not_allowed", 403, "Your role may not ask this"),
            Code::ProtectedTable => ("PRIV-1001", 422, "There is no such protected table"),
            Code::NotFilterable => ("PRIV-1002", 422, "This column can only be counted"),
            Code::ProtectedForm => ("PRIV-1003", 422, "This form is not allowed below the aggregate"),
            Code::NotACode => ("PRIV-1004", 422, "This value is not a code of the column"),
            Code::ProtectedJoin => ("PRIV-1005", 422, "Records of people are joined to code lists only"),
            Code::Steering => ("PRIV-1006", 422, "Released numbers cannot select records of people"),
            Code::ProtectedFunction => ("PRIV-1007", 422, "This function is not allowed in this place"),
            Code::TooManyDimensions => ("PRIV-1008", 422, "The question has too many dimensions"),
            Code::TooSparse => ("PRIV-1009", 422, "Most cells of this breakdown would be empty or hidden"),
            Code::ProtectedStatement => ("PRIV-1010", 403, "Only queries are answered from protected tables"),
            Code::ProtectedAggregate => ("PRIV-1011", 422, "This aggregate is not allowed over protected tables"),
            Code::TooManyCells => ("PRIV-1012", 422, "The question has too many cells"),
            Code::TooManyGroupingSets => ("PRIV-1013", 422, "The question has too many grouping sets"),
            Code::NotTotal => ("PRIV-1014", 422, "The classes do not cover every code"),
            Code::ManyValued => ("PRIV-1015", 422, "A person may have several codes of this column"),
            Code::NotTheOpenSnapshot => ("PRIV-1016", 422, "Records are answered as they are known now"),
            Code::ChargesSpent => ("PRIV-1020", 403, "This breakdown has been asked for too often"),
            Code::ProtectedExpression => {
                ("PRIV-2001", 422, "An expression over released numbers could not be computed")
            }
            Code::ProtectedInternal => ("PRIV-5000", 500, "Something went wrong on our side"),
        }
    }
}

/// Why a question is not answered, where, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The cause.
    pub code: Code,
    /// What is wrong with this question, in one or two sentences.
    pub detail: String,
    /// What to ask or do instead.
    pub hint: Option<String>,
    /// Where in the text, if it can be told.
    pub place: Option<Place>,
    /// Of a fault of ours, the number under which the log has it: random, so that it tells nothing of the question.
    pub incident: Option<String>,
}

impl Refusal {
    /// A refusal without place or hint.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), hint: None, place: None, incident: None }
    }

    /// One text for everything that is ours with a question about protected tables (privacy.md 6.4, 5000): what it was
    /// stands in the operator's log, and which question it was in the log of what was asked.
    pub fn ours() -> Self {
        Self::new(Code::ProtectedInternal, "The question could not be answered; the fault is ours.").with_remedy()
    }

    /// What a role cannot pay for any more, and what is free beside it.
    pub fn spent(Spent { role, counter, free }: &Spent) -> Self {
        let of = counter.split_once('/').map_or(String::new(), |(column, _)| format!(" with {column}"));
        let detail = format!("What {role} may ask about these provinces and periods{of} in this way is spent.");
        let hint = match free.first() {
            Some(nearest) => format!("What was asked before is free: {nearest}. So are the published tables."),
            None => "Ask for fewer dimensions, or the published tables.".to_owned(),
        };
        Self::new(Code::ChargesSpent, detail).hint(hint)
    }

    /// The same with a hint, if only a general one: nobody is left without a next step.
    #[must_use]
    pub(crate) fn with_remedy(mut self) -> Self {
        self.hint = self.hint.or_else(|| self.code.remedy().map(str::to_owned));
        self
    }

    /// The same with the number of the incident, where the fault is ours; that is logged, whether or not its cause was.
    #[must_use]
    pub(crate) fn numbered(mut self, incident: String) -> Self {
        if matches!(self.code, Code::Internal | Code::ProtectedInternal) {
            tracing::error!(incident, code = self.code.name(), "a question ended in a fault of ours");
            self.incident = Some(incident);
        }
        self
    }

    /// The same with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a place.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// HTTP status of its code.
    pub fn status(&self) -> u16 {
        self.code.status()
    }

    /// Title of its code.
    pub fn title(&self) -> &'static str {
        self.code.title()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.detail)?;
        if let Some(place) = self.place {
            write!(f, " (line {}, column {})", place.line, place.column)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " {hint}")?;
        }
        if let Some(incident) = &self.incident {
            write!(f, " Incident {incident}.")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
