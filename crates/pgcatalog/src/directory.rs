//! Names and numbers of everything that is described, for functions and for filling the tables. OIDs of what the caller describes
//! come from a hash of its name, so that a client that keeps them between two editions finds the same table again.

use std::collections::{HashMap, HashSet};

use crate::builtin::{self, RELATIONS, ROUTINES};
use crate::described::{Described, FunctionKind};
use crate::oid;

/// A column of a class.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) not_null: bool,
}

/// A table or view.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) schema: u32,
    pub(crate) kind: char,
    /// Its row type and the type of arrays of rows; 0 for a system table.
    pub(crate) row_type: u32,
    pub(crate) row_array: u32,
    pub(crate) columns: Vec<Attribute>,
}

/// A function, PostgreSQL's or the caller's.
#[derive(Debug)]
pub(crate) struct Procedure {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) schema: u32,
    pub(crate) kind: char,
    pub(crate) set: bool,
    pub(crate) arguments: Vec<u32>,
    pub(crate) result: u32,
    pub(crate) variadic: u32,
    pub(crate) defaults: usize,
    pub(crate) all_arguments: Option<String>,
    pub(crate) modes: Option<String>,
    pub(crate) names: Option<String>,
    pub(crate) strict: bool,
    pub(crate) volatile: char,
    pub(crate) source: String,
}

/// Everything that has a name and a number.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) database: String,
    pub(crate) database_oid: u32,
    pub(crate) server_version: String,
    /// OID and name, the system's first.
    pub(crate) schemas: Vec<(u32, String)>,
    /// Names of the described schemas, in their order.
    pub(crate) default_path: Vec<String>,
    pub(crate) classes: Vec<Class>,
    pub(crate) procedures: Vec<Procedure>,
    pub(crate) roles: Vec<(u32, String)>,
    /// Comments by object, table of the object, column.
    pub(crate) comments: HashMap<(u32, u32, i32), String>,
    class_by_oid: HashMap<u32, usize>,
    class_by_name: HashMap<(u32, String), usize>,
    procedure_by_oid: HashMap<u32, usize>,
    row_types: HashMap<u32, (usize, bool)>,
}

/// OID of `information_schema`, as PostgreSQL 15 gives it.
pub(crate) const INFORMATION_SCHEMA: u32 = 13207;

/// OIDs below are PostgreSQL's own (`FirstNormalObjectId`).
const FIRST_NORMAL: u32 = 16384;

/// OIDs stay in the positive half of 32 bits: some clients read them as a signed number.
const SPAN: u32 = 0x3FFF_FFFF;

/// Gives numbers to names: a hash (FNV-1a), and the next free number where two agree.
#[derive(Default)]
struct Numbers {
    taken: HashSet<u32>,
}

impl Numbers {
    fn of(&mut self, kind: &str, name: &str) -> u32 {
        let mut oid = hashed(kind, name);
        while !self.taken.insert(oid) {
            oid = FIRST_NORMAL + (oid + 1 - FIRST_NORMAL) % SPAN;
        }
        oid
    }
}

/// The number of a role that was not described: that of a session's user.
pub(crate) fn hashed(kind: &str, name: &str) -> u32 {
    let hash = kind
        .bytes()
        .chain([0])
        .chain(name.bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    FIRST_NORMAL + hash % SPAN
}

impl Directory {
    /// Numbers everything that is described.
    pub(crate) fn new(described: &Described) -> Self {
        let mut numbers = Numbers::default();
        let mut directory = Self {
            database: described.database.clone(),
            database_oid: numbers.of("database", &described.database),
            server_version: described.server_version.clone(),
            schemas: vec![
                (oid::PG_CATALOG, "pg_catalog".into()),
                (INFORMATION_SCHEMA, "information_schema".into()),
                (99, "pg_toast".into()),
            ],
            default_path: described.schemas.iter().map(|schema| schema.name.clone()).collect(),
            classes: Vec::new(),
            procedures: Vec::new(),
            roles: Vec::new(),
            comments: HashMap::new(),
            class_by_oid: HashMap::new(),
            class_by_name: HashMap::new(),
            procedure_by_oid: HashMap::new(),
            row_types: HashMap::new(),
        };
        directory.add_roles(described, &mut numbers);
        directory.add_system_classes();
        directory.add_schemas(described, &mut numbers);
        directory.add_procedures(described, &mut numbers);
        directory.index();
        directory
    }

    fn add_roles(&mut self, described: &Described, numbers: &mut Numbers) {
        // Somebody owns the tables, whether named or not.
        let owner = [described.database.clone()];
        let roles = if described.roles.is_empty() { &owner[..] } else { &described.roles };
        for (place, role) in roles.iter().enumerate() {
            let number = if place == 0 { 10 } else { numbers.of("role", role) };
            self.roles.push((number, role.clone()));
        }
    }

    fn add_system_classes(&mut self) {
        for relation in RELATIONS.iter() {
            let schema = if relation.schema == "pg_catalog" { oid::PG_CATALOG } else { INFORMATION_SCHEMA };
            let columns = relation.columns.iter().map(|column| Attribute {
                name: column.name.into(),
                type_oid: column.type_oid,
                not_null: column.not_null,
            });
            self.classes.push(Class {
                oid: relation.oid,
                name: relation.name.into(),
                schema,
                kind: relation.kind,
                row_type: 0,
                row_array: 0,
                columns: columns.collect(),
            });
        }
    }

    fn add_schemas(&mut self, described: &Described, numbers: &mut Numbers) {
        for schema in &described.schemas {
            let number = numbers.of("schema", &schema.name);
            self.schemas.push((number, schema.name.clone()));
            self.comment(number, oid::PG_NAMESPACE, 0, &schema.comment);
            for table in &schema.tables {
                let full = format!("{}\0{}", schema.name, table.name);
                let class = numbers.of("class", &full);
                self.comment(class, oid::PG_CLASS, 0, &table.comment);
                for (place, column) in table.columns.iter().enumerate() {
                    self.comment(class, oid::PG_CLASS, place as i32 + 1, &column.comment);
                }
                let columns = table.columns.iter().map(|column| Attribute {
                    name: column.name.clone(),
                    type_oid: column.type_oid,
                    not_null: column.not_null,
                });
                self.classes.push(Class {
                    oid: class,
                    name: table.name.clone(),
                    schema: number,
                    kind: 'r',
                    row_type: numbers.of("type", &full),
                    row_array: numbers.of("array", &full),
                    columns: columns.collect(),
                });
            }
        }
    }

    fn add_procedures(&mut self, described: &Described, numbers: &mut Numbers) {
        for routine in ROUTINES.iter() {
            let expand = routine.name == "_pg_expandarray";
            self.procedures.push(Procedure {
                oid: routine.oid,
                name: routine.name.into(),
                schema: if expand { INFORMATION_SCHEMA } else { oid::PG_CATALOG },
                kind: routine.kind,
                set: routine.set,
                arguments: routine.arguments.clone(),
                result: routine.result,
                variadic: routine.variadic,
                defaults: routine.defaults,
                all_arguments: routine.all_arguments.clone(),
                modes: routine.modes.clone(),
                names: routine.names.clone(),
                strict: routine.strict,
                volatile: routine.volatile,
                source: routine.source.into(),
            });
        }
        // The caller's functions are listed in the first described schema: what is in pg_catalog, `\df` and others leave out.
        let schema = self.schemas.get(3).map_or(oid::PG_CATALOG, |(number, _)| *number);
        for function in &described.functions {
            let number = numbers.of("function", &format!("{}\0{:?}", function.name, function.arguments));
            self.comment(number, oid::PG_PROC, 0, &function.comment);
            self.procedures.push(Procedure {
                oid: number,
                name: function.name.clone(),
                schema,
                kind: match function.kind {
                    FunctionKind::Scalar => 'f',
                    FunctionKind::Aggregate => 'a',
                    FunctionKind::Window => 'w',
                },
                set: false,
                arguments: function.arguments.clone(),
                result: function.result,
                variadic: 0,
                defaults: 0,
                all_arguments: None,
                modes: None,
                names: None,
                strict: false,
                volatile: 's',
                source: function.name.clone(),
            });
        }
    }

    fn comment(&mut self, object: u32, table: u32, column: i32, text: &str) {
        if !text.is_empty() {
            self.comments.insert((object, table, column), text.to_owned());
        }
    }

    fn index(&mut self) {
        for (place, class) in self.classes.iter().enumerate() {
            self.class_by_oid.insert(class.oid, place);
            self.class_by_name.insert((class.schema, class.name.clone()), place);
            if class.row_type != 0 {
                self.row_types.insert(class.row_type, (place, false));
                self.row_types.insert(class.row_array, (place, true));
            }
        }
        for (place, procedure) in self.procedures.iter().enumerate() {
            self.procedure_by_oid.insert(procedure.oid, place);
        }
    }

    /// The class of that number.
    pub(crate) fn class(&self, number: u32) -> Option<&Class> {
        self.class_by_oid.get(&number).map(|&place| &self.classes[place])
    }

    /// The class of that name in a schema.
    pub(crate) fn class_in(&self, schema: u32, name: &str) -> Option<&Class> {
        self.class_by_name.get(&(schema, name.to_owned())).map(|&place| &self.classes[place])
    }

    /// The first class of that name along a search path, `pg_catalog` first.
    pub(crate) fn class_along(&self, path: &[String], name: &str) -> Option<&Class> {
        std::iter::once("pg_catalog")
            .chain(path.iter().map(String::as_str))
            .filter_map(|schema| self.schema_named(schema))
            .find_map(|schema| self.class_in(schema, name))
    }

    /// The function of that number.
    pub(crate) fn procedure(&self, number: u32) -> Option<&Procedure> {
        self.procedure_by_oid.get(&number).map(|&place| &self.procedures[place])
    }

    /// The functions of a name.
    pub(crate) fn procedures_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Procedure> {
        self.procedures.iter().filter(move |procedure| procedure.name == name)
    }

    /// The number of a schema.
    pub(crate) fn schema_named(&self, name: &str) -> Option<u32> {
        self.schemas.iter().find(|(_, schema)| schema == name).map(|(number, _)| *number)
    }

    /// The name of a schema.
    pub(crate) fn schema(&self, number: u32) -> Option<&str> {
        self.schemas.iter().find(|(schema, _)| *schema == number).map(|(_, name)| name.as_str())
    }

    /// The name of a described role.
    pub(crate) fn role(&self, number: u32) -> Option<&str> {
        self.roles.iter().find(|(role, _)| *role == number).map(|(_, name)| name.as_str())
    }

    /// The number of a role: of a described one, or what a session's own user has.
    pub(crate) fn role_named(&self, name: &str) -> Option<u32> {
        self.roles.iter().find(|(_, role)| role == name).map(|(number, _)| *number)
    }

    /// The table of whose rows a type is, and whether it is that of arrays of them.
    pub(crate) fn row_type(&self, number: u32) -> Option<(&Class, bool)> {
        self.row_types.get(&number).map(|&(place, array)| (&self.classes[place], array))
    }

    /// Name of a type as `format_type` writes it (`src/backend/utils/adt/format_type.c`); `-1` says no modifier.
    pub(crate) fn format_type(&self, number: u32, modifier: Option<i64>) -> String {
        if number == 0 {
            return "-".into();
        }
        if let Some(kind) = builtin::type_of(number) {
            if kind.category == 'A' && kind.element != 0 && kind.length == -1 && kind.name.starts_with('_') {
                return format!("{}[]", self.format_type(kind.element, modifier));
            }
            return plain_type(number, kind.name, modifier);
        }
        match self.row_type(number) {
            Some((class, array)) => format!("{}{}", quote_ident(&class.name), if array { "[]" } else { "" }),
            None => "???".into(),
        }
    }

    /// The number of a type by any of its names: `integer`, `int4`, `character varying(10)`, `pg_catalog.int4`, `text[]`.
    pub(crate) fn type_number(&self, text: &str, path: &[String]) -> Option<u32> {
        let text = text.trim();
        if let Some(element) = text.strip_suffix("[]") {
            let element = self.type_number(element, path)?;
            return match self.row_type(element) {
                Some((class, false)) => Some(class.row_array),
                Some(_) => None,
                None => builtin::type_of(element).map(|kind| kind.array).filter(|&array| array != 0),
            };
        }
        let (bare, modifier) = match (text.find('('), text.rfind(')')) {
            (Some(open), Some(close)) if open < close => (format!("{}{}", &text[..open], &text[close + 1..]), true),
            _ => (text.to_owned(), false),
        };
        let spoken = bare.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if let Some(number) = spoken_type(&spoken, modifier) {
            return Some(number);
        }
        let parts = split_identifier(&bare)?;
        match parts.as_slice() {
            [name] => builtin::type_named(name).map(|kind| kind.oid).or_else(|| {
                path.iter()
                    .filter_map(|schema| self.schema_named(schema))
                    .find_map(|schema| self.class_in(schema, name))
                    .map(|class| class.row_type)
            }),
            [schema, name] if schema == "pg_catalog" => builtin::type_named(name).map(|kind| kind.oid),
            [schema, name] => self.class_in(self.schema_named(schema)?, name).map(|class| class.row_type),
            _ => None,
        }
        .filter(|&number| number != 0)
    }
}

/// The names that SQL gives to types beside PostgreSQL's own.
fn spoken_type(name: &str, modifier: bool) -> Option<u32> {
    Some(match name {
        "boolean" => oid::BOOL,
        "smallint" => oid::INT2,
        "integer" | "int" => oid::INT4,
        "bigint" => oid::INT8,
        "real" => oid::FLOAT4,
        "double precision" | "float" => oid::FLOAT8,
        "decimal" | "dec" => oid::NUMERIC,
        "character varying" | "char varying" => oid::VARCHAR,
        "character" | "char" => oid::BPCHAR,
        "\"char\"" => oid::CHAR,
        "timestamp without time zone" => oid::TIMESTAMP,
        "timestamp with time zone" => oid::TIMESTAMPTZ,
        "time without time zone" => oid::TIME,
        "time with time zone" => oid::TIMETZ,
        "bit varying" => 1562,
        _ if modifier && name == "timestamp" => oid::TIMESTAMP,
        _ => return None,
    })
}

fn plain_type(number: u32, name: &str, modifier: Option<i64>) -> String {
    let size = modifier.filter(|&modifier| modifier >= 0);
    let length = |base: &str| match size {
        Some(modifier) if modifier >= 4 => format!("{base}({})", modifier - 4),
        _ => base.to_owned(),
    };
    let precision = |base: &str, rest: &str| match size {
        Some(modifier) => format!("{base}({modifier}){rest}"),
        None => format!("{base}{rest}"),
    };
    match number {
        oid::BOOL => "boolean".into(),
        oid::INT2 => "smallint".into(),
        oid::INT4 => "integer".into(),
        oid::INT8 => "bigint".into(),
        oid::FLOAT4 => "real".into(),
        oid::FLOAT8 => "double precision".into(),
        oid::CHAR => "\"char\"".into(),
        oid::VARCHAR => length("character varying"),
        oid::BPCHAR if modifier == Some(-1) => "bpchar".into(),
        oid::BPCHAR => length("character"),
        oid::NUMERIC => match size {
            Some(modifier) if modifier >= 4 => {
                format!("numeric({},{})", ((modifier - 4) >> 16) & 0xffff, (modifier - 4) & 0x7ff)
            }
            _ => "numeric".into(),
        },
        oid::TIMESTAMP => precision("timestamp", " without time zone"),
        oid::TIMESTAMPTZ => precision("timestamp", " with time zone"),
        oid::TIME => precision("time", " without time zone"),
        oid::TIMETZ => precision("time", " with time zone"),
        oid::INTERVAL => precision("interval", ""),
        1560 => precision("bit", ""),
        1562 => precision("bit varying", ""),
        _ => quote_ident(name),
    }
}

/// A name as SQL must write it: in double quotes where it is not plain lower case.
pub(crate) fn quote_ident(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !crate::keywords::must_be_quoted(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The parts of a name with dots and quotes; `None` where it is no name. Parts without quotes are folded to lower case.
pub(crate) fn split_identifier(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let part;
        if let Some(after) = rest.strip_prefix('"') {
            let mut name = String::new();
            let mut letters = after.char_indices().peekable();
            let end = loop {
                match letters.next()? {
                    (_, '"') if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                        name.push('"');
                        letters.next();
                    }
                    (place, '"') => break place + 1,
                    (_, letter) => name.push(letter),
                }
            };
            part = name;
            rest = &after[end..];
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            part = rest[..end].trim().to_lowercase();
            rest = &rest[end..];
            if part.contains(|letter: char| letter.is_whitespace() || letter == '"') {
                return None;
            }
        }
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Some(parts),
            None => return None,
        }
    }
}
