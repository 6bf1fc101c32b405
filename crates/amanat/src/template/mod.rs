//! `amanat template`: a spreadsheet for those who have no system, with the mapping by which its rows become events.
//!
//! Everything in it follows from the contract: a column for each field with its meaning, a drop-down of each code list with labels in
//! English and Urdu, the sheet of lists behind them. The rows of a type that names a person have columns for her identity; the
//! columns file that goes with it makes `amanat tokenize` seal them, and the mapping takes the sealed file alone.
//!
//! Absent: several codes in one cell (a field that takes several takes one from a sheet), corrections (they name what they
//! replace by the id of an event, which no sheet knows).

mod corrections;
mod workbook;

use std::sync::LazyLock;

use ::gateway::csv::Corrections;
use ::gateway::door::{Sheets, Template};
use events::{EventType, code_list};
use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::cli::TemplateArgs;
use crate::exit::{self, Failure};
use workbook::{Column, Head, List, workbook};

/// The column by which a row is known when the file is sent again.
const KEY: &str = "record";
/// The column of the day on which the agency recorded it.
const TIME: &str = "recorded_on";
/// Columns of an identity with what they are to `amanat tokenize`, and what stands in them.
const IDENTITY: [(&str, &str, &str); 8] = [
    ("name", "name", "The whole name, or the given name. Sealed on your machine, never sent."),
    ("surname", "surname", "The surname, if it is not in the column before. Sealed on your machine, never sent."),
    ("born", "born", "Date of birth: 1999-03-05, 1999-03 or 1999. Sealed on your machine, never sent."),
    ("document", "document", "Number of the CNIC, B-form, passport. Sealed on your machine, never sent."),
    ("document_kind", "document_kind", "cnic, passport or other. Never sent."),
    ("document_country", "document_country", "Two letters: PK, AF, BD. Never sent."),
    ("mother", "mother", "The mother's name. Sealed on your machine, never sent."),
    ("home_district", "place", "The family's district. Sealed on your machine, never sent."),
];

/// A column of the sheet that becomes a field.
struct Field {
    name: String,
    says: String,
    required: bool,
    list: Option<&'static code_list::CodeList>,
    several: bool,
    number: bool,
}

/// Runs `amanat template …`.
pub fn run(args: &TemplateArgs) -> anyhow::Result<()> {
    let made = made(kind(&args.event)?, &args.agency, args.synthetic)?;
    let beside = args.xlsx.with_extension("mapping.toml");
    std::fs::write(&args.xlsx, &made.workbook)?;
    std::fs::write(&beside, &made.mapping)?;
    let mut wrote = format!("{}\n{}\n", args.xlsx.display(), beside.display());
    if let Some(text) = &made.columns {
        let columns = args.xlsx.with_extension("columns.toml");
        std::fs::write(&columns, text)?;
        wrote += &format!("{}\n", columns.display());
    }
    exit::print(&wrote)
}

/// The files for rows of a type.
fn made(kind: EventType, agency: &str, synthetic: bool) -> anyhow::Result<Template> {
    let fields = fields(kind)?;
    let people = kind.names_a_person();
    Ok(Template {
        workbook: sheet(&fields, people)?,
        mapping: mapping(kind, &fields, agency, synthetic)?,
        columns: if people { Some(toml::to_string(&columns_file(&fields))?) } else { None },
    })
}

/// Spreadsheets for the agencies' door of a data directory.
pub struct OfTheDoor {
    /// Whether the store holds a synthetic country, so that rows are of nobody.
    pub synthetic: bool,
}

impl Sheets for OfTheDoor {
    fn has_template(&self, kind: EventType) -> bool {
        // Corrections name what they replace by the id of an event; what is about reports and linkage is nobody's row.
        static THERE: LazyLock<Vec<EventType>> = LazyLock::new(|| {
            EventType::ALL.iter().copied().filter(|kind| kind.is_fact() && fields(*kind).is_ok()).collect()
        });
        THERE.contains(&kind)
    }

    fn template(&self, agency: &str, kind: EventType) -> Option<Template> {
        self.has_template(kind).then(|| made(kind, agency, self.synthetic).ok()).flatten()
    }

    fn corrections(&self, rows: &Corrections<'_>) -> Option<Vec<u8>> {
        corrections::workbook_of(rows).ok()
    }
}

fn kind(name: &str) -> Result<EventType, Failure> {
    EventType::from_name(&format!("pk.tip.{name}")).ok_or_else(|| {
        let all: Vec<_> = EventType::ALL.iter().map(|kind| kind.short_name()).collect();
        Failure::Usage(format!("no event type is called so; there are {}", all.join(", ")))
    })
}

/// The fields of a type that a cell can hold. Refuses a type that needs one which it cannot.
fn fields(kind: EventType) -> Result<Vec<Field>, Failure> {
    let schema = events::schema::of(kind, kind.newest());
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|field| field == name));
    let made = |name: &str| name == "record_version" || name == "person";
    let properties = schema["properties"].as_object().into_iter().flatten().filter(|(name, _)| !made(name));
    let mut fields = Vec::new();
    for (name, property) in properties {
        match field(name, property, required(name)) {
            Some(field) => fields.push(field),
            None if required(name) => {
                return Err(Failure::Usage(format!("a row cannot hold `{name}`, which events of this type must have")));
            }
            None => {}
        }
    }
    Ok(fields)
}

fn field(name: &str, property: &Value, required: bool) -> Option<Field> {
    let says = property["description"].as_str().unwrap_or_default().to_owned();
    let several = property["type"] == "array";
    let value = if several { &property["items"] } else { property };
    let list = says.split("list `").nth(1).and_then(|rest| rest.split('`').next()).and_then(code_list::find);
    let coded = value["enum"].is_array() && list.is_some();
    let plain = matches!(value["type"].as_str(), Some("string" | "integer"));
    let number = value["type"] == "integer";
    (coded || plain).then(|| Field {
        name: name.to_owned(),
        says,
        required,
        list: list.filter(|_| coded),
        several,
        number,
    })
}

/// What a drop-down shows for a code.
fn shown(code: &code_list::Code) -> String {
    format!("{}: {} ({})", code.code, code.en, code.ur)
}

fn sheet(fields: &[Field], people: bool) -> anyhow::Result<Vec<u8>> {
    let plain =
        |name: &str, says: &str, head| Column { name: name.to_owned(), head, note: note(says, head), list: None };
    let mut columns = vec![
        plain(KEY, "Your number of this row; never used again.", Head::Must),
        plain(TIME, "The day you recorded it: 2026-03-09.", Head::Must),
    ];
    let identity = IDENTITY.iter().filter(|_| people);
    columns.extend(identity.map(|(name, _, says)| plain(name, says, Head::Identity)));
    let mut listed: Vec<&code_list::CodeList> = Vec::new();
    for field in fields {
        let head = if field.required { Head::Must } else { Head::May };
        let list = field.list.map(|list| {
            let place = listed.iter().position(|known| known.name == list.name).unwrap_or_else(|| {
                listed.push(list);
                listed.len() - 1
            });
            (place, prompt(field))
        });
        columns.push(Column { list, ..plain(&field.name, &field.says, head) });
    }
    let lists: Vec<List> = listed.into_iter().map(list).collect();
    workbook(&columns, &lists, &[])
}

fn note(says: &str, head: Head) -> String {
    format!("{}{says}", if head == Head::Must { "Must be filled. " } else { "" })
}

/// What is said beside a cell with a drop-down.
fn prompt(field: &Field) -> &'static str {
    match (field.required, field.several) {
        (true, false) => "Choose one. What each means: sheet lists.",
        (true, true) => "Choose the one that applies most. What each means: sheet lists.",
        (false, _) => "Choose one, or leave it empty. What each means: sheet lists.",
    }
}

fn list(list: &code_list::CodeList) -> List {
    let titles = [list.name.to_owned(), "code".into(), "English".into(), "اردو".into()];
    let codes = list.codes.iter().map(|code| [shown(code), code.code.into(), code.en.into(), code.ur.into()]);
    List { rows: std::iter::once(titles).chain(codes).collect() }
}

/// The mapping of the rows, or of the sealed rows of a type that names a person.
fn mapping(kind: EventType, fields: &[Field], agency: &str, synthetic: bool) -> anyhow::Result<String> {
    let text = |text: &str| Toml::String(text.to_owned());
    let mut mapping = Table::new();
    mapping.insert("title".into(), text(&format!("Rows of {}", kind.short_name())));
    mapping.insert("event".into(), text(kind.short_name()));
    mapping.insert("key".into(), text(KEY));
    mapping.insert("synthetic".into(), synthetic.into());
    mapping.insert("agency".into(), Toml::Table(Table::from_iter([("constant".into(), text(agency))])));
    mapping.insert(
        "time".into(),
        Toml::Table(Table::from_iter([("column".into(), text(TIME)), ("form".into(), text("date"))])),
    );
    if kind.names_a_person() {
        let kinds = tokenize::Kind::ALL.map(|kind| (kind.code().to_owned(), text(&format!("token_{}", kind.code()))));
        mapping.insert("person".into(), Toml::Table(kinds.into_iter().collect()));
    }
    mapping
        .insert("fields".into(), Toml::Table(fields.iter().map(|field| (field.name.clone(), source(field))).collect()));
    let written = toml::to_string(&mapping)?;
    let read = gateway::csv::Mapping::parse(&written)
        .map_err(|what| anyhow::anyhow!("the mapping that was made is none: {what}"))?;
    anyhow::ensure!(read.agencies() == [agency], "the mapping that was made is of another agency");
    Ok(written)
}

/// Where a field comes from: its column, with what a drop-down shows for each code.
fn source(field: &Field) -> Toml {
    let mut source = Table::from_iter([("column".to_owned(), Toml::String(field.name.clone()))]);
    if field.several {
        source.insert("list".into(), true.into());
    }
    if field.number {
        source.insert("number".into(), true.into());
    }
    if let Some(list) = field.list {
        let values = list.codes.iter().map(|code| (shown(code), Toml::String(code.code.to_owned())));
        source.insert("values".into(), Toml::Table(values.collect()));
    }
    Toml::Table(source)
}

/// What `amanat tokenize` does with the columns.
fn columns_file(fields: &[Field]) -> Table {
    let text = |text: &str| Toml::String(text.to_owned());
    let keep = [KEY, TIME].into_iter().chain(fields.iter().map(|field| field.name.as_str()));
    let roles = IDENTITY.map(|(column, role, _)| (role.to_owned(), text(column)));
    Table::from_iter([
        ("keep".to_owned(), Toml::Array(keep.map(text).collect())),
        ("columns".to_owned(), Toml::Table(roles.into_iter().collect())),
    ])
}
