//! Erasing: what was sealed of a person goes, and where the row of another names her, her image takes her place (ingestion.md 3.12).
//!
//! | row | becomes |
//! |---|---|
//! | an event about her, a word of linkage or of the steward about her, a correction or retraction of one of these | a stub: `_status` is `erased`; agency, id, type, place in the log and times of arrival stay, so that each offset still is there once and a second copy is still known |
//! | a second copy or a second content of one of these | the same, still a `duplicate` or a `conflict` |
//! | a word about another that names her | as it was, with her image in payload, `subject_refs` and record id |
//! | the order to erase her | the same, and `erased`: it was carried out |
//!
//! A surrogate is 16 bytes and its image is too, so a payload is overwritten in place, whatever its form. Absent: who is erased
//! ([`policy::Erased`]), which files hold her ([`lake::maintain`]).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, ListArray, ListBuilder, MapBuilder,
    RecordBatch, StringArray, StringBuilder, new_null_array,
};
use arrow::compute::{cast, kernels::zip::zip};
use arrow::datatypes::{DataType, Field};
use events::{Data, EventType};
use lake::maintain::Erase;
use lake::{LakeError, Result};
use policy::Erased;
use uuid::Uuid;

use crate::lookup::text;
use crate::seal::Surrogate;

/// Columns of which a stub keeps nothing. Its headers keep our own alone: by `amanat-replay-of` a replay knows what it brought in.
const FORGOTTEN: [&str; 8] = [
    "record_id",
    "record_version",
    "occurred_from",
    "occurred_to",
    "occurred_precision",
    "recorded_at",
    "payload",
    "link_refs",
];

/// Takes persons out of rows of the table `events`.
#[derive(Debug)]
pub struct Eraser {
    erased: Arc<Erased>,
    /// Where something is told about them, or was said of such.
    gone: HashSet<Told>,
    /// Corrections and retractions of what is gone.
    said: HashSet<(Told, EventType)>,
    /// Events of which a content was erased before: in which record it was told is not known any more.
    before: HashSet<EventKey>,
    /// Events that have several contents.
    several: HashSet<EventKey>,
    /// Contents of these that are about nobody who is erased, where they are told.
    others: HashMap<Told, HashSet<EventType>>,
}

/// Agency and event id.
type EventKey = (String, Uuid);
/// An event as it is told in a record.
type Told = (EventKey, String);

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Stub,
    /// Other persons are left in it; whether it is the order.
    Images {
        order: bool,
    },
}

impl Eraser {
    /// Erases these persons. Has seen no row yet.
    pub fn new(erased: Arc<Erased>) -> Self {
        Self {
            erased,
            gone: HashSet::new(),
            said: HashSet::new(),
            before: HashSet::new(),
            several: HashSet::new(),
            others: HashMap::new(),
        }
    }

    /// Whether all that an event told in a record was about somebody who is erased: of what is left nothing may be taken, for it counts.
    fn is_gone(&self, told: &Told) -> bool {
        let is_left = |kind: &EventType| !self.said.contains(&(told.clone(), *kind));
        let others = self.others.get(told).is_some_and(|others| others.iter().any(is_left));
        !others && (self.gone.contains(told) || self.before.contains(&told.0))
    }

    fn fate(&self, rows: &Rows, row: usize) -> Fate {
        let (status, kind) = (rows.status.value(row), rows.kind(row));
        let is_said = || rows.told(row).zip(kind).is_some_and(|said| self.said.contains(&said));
        match status {
            "ok" | "conflict" => match kind {
                Some(EventType::PersonErasureOrdered) if self.names_one(rows, row) => Fate::Images { order: true },
                _ if self.is_about_one(rows, row) || is_said() => Fate::Stub,
                _ if self.names_one(rows, row) => Fate::Images { order: false },
                _ => Fate::Stays,
            },
            "duplicate" if is_said() || rows.told(row).is_some_and(|told| self.is_gone(&told)) => Fate::Stub,
            _ => Fate::Stays,
        }
    }

    /// Whether an event is about somebody who is erased: its first subject is the person, of a word as of a fact.
    fn is_about_one(&self, rows: &Rows, row: usize) -> bool {
        rows.subjects(row).first().is_some_and(|person| self.erased.has(person))
    }

    /// Whether a surrogate of somebody who is erased stands in it still.
    fn names_one(&self, rows: &Rows, row: usize) -> bool {
        rows.subjects(row).iter().any(|subject| self.erased.in_place_of(subject).is_some())
    }

    /// A payload or record id with images in place of surrogates, as `written` writes them.
    fn overwritten(&self, bytes: &[u8], subjects: &[Surrogate], written: fn(&Surrogate) -> [u8; 32]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for subject in subjects {
            let Some(image) = self.erased.in_place_of(subject) else { continue };
            let (from, to) = (written(subject), written(&image));
            let places: Vec<usize> =
                out.windows(from.len()).enumerate().filter(|(_, w)| *w == from).map(|(at, _)| at).collect();
            for at in places {
                out[at..at + to.len()].copy_from_slice(&to);
            }
        }
        out
    }
}

impl Erase for Eraser {
    fn see(&mut self, rows: &RecordBatch) -> Result<bool> {
        let rows = Rows::of(rows)?;
        let mut some = false;
        for row in 0..rows.status.len() {
            match rows.status.value(row) {
                // Of an event that was erased before nothing says whose it was.
                "erased" if rows.kind(row) != Some(EventType::PersonErasureOrdered) => {
                    self.before.extend(rows.key(row));
                }
                status @ ("ok" | "conflict") => self.note(&rows, row, status == "conflict"),
                _ => {}
            }
            some |= self.fate(&rows, row) != Fate::Stays;
        }
        Ok(some)
    }

    fn see_said_of_others(&mut self, rows: &RecordBatch) -> Result<bool> {
        let seen = Rows::of(rows)?;
        let payloads = rows.column_by_name("payload").map(AsArray::as_binary::<i32>);
        let mut more = false;
        for row in 0..seen.status.len() {
            let (Some(kind), Some(payload)) = (seen.kind(row), payloads.filter(|payloads| payloads.is_valid(row)))
            else {
                continue;
            };
            let target = seen.version(row).and_then(|version| target(kind, version, payload.value(row)));
            let Some(((key, record), target)) = seen.told(row).zip(target) else { continue };
            if self.is_gone(&((key.0.clone(), target), record.clone())) {
                self.gone.insert((key.clone(), record.clone()));
                more |= self.said.insert(((key, record), kind));
            }
        }
        Ok(more)
    }

    fn erase(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let seen = Rows::of(&rows)?;
        let fates: Vec<Fate> = (0..rows.num_rows()).map(|row| self.fate(&seen, row)).collect();
        let stubs: BooleanArray = fates.iter().map(|fate| Some(*fate == Fate::Stub)).collect();
        let schema = rows.schema();
        let columns = schema.fields().iter().zip(rows.columns()).map(|(field, column)| -> Result<ArrayRef> {
            match field.name().as_str() {
                "_status" => statuses(&seen.status, &fates, field.data_type()),
                "subject_refs" => Ok(self.refs(&seen, &fates, field)),
                "headers" => own_headers(column, &stubs),
                "payload" => Ok(self.payloads(column.as_binary(), &seen, &fates)),
                "record_id" => Ok(self.records(&seen, &fates)),
                name if FORGOTTEN.contains(&name) => without(column, &stubs),
                _ => Ok(Arc::clone(column)),
            }
        });
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_>>()?)?)
    }
}

impl Eraser {
    /// Notes an accepted row, or another content of one: what was told of persons who are erased, and what else such an event tells.
    fn note(&mut self, rows: &Rows, row: usize, is_conflict: bool) {
        let Some(told) = rows.told(row) else { return };
        if is_conflict {
            self.several.insert(told.0.clone());
        }
        if self.is_about_one(rows, row) {
            self.gone.insert(told);
        } else if let Some(kind) = rows.kind(row).filter(|_| self.several.contains(&told.0)) {
            self.others.entry(told).or_default().insert(kind);
        }
    }

    fn refs(&self, rows: &Rows, fates: &[Fate], field: &Field) -> ArrayRef {
        let mut out = ListBuilder::new(BinaryBuilder::new());
        if let DataType::List(element) = field.data_type() {
            out = out.with_field(Arc::clone(element));
        }
        for (row, fate) in fates.iter().enumerate() {
            if *fate == Fate::Stub || rows.subjects.is_null(row) {
                out.append_null();
                continue;
            }
            for subject in rows.subjects(row) {
                out.values().append_value(self.erased.in_place_of(&subject).unwrap_or(subject));
            }
            out.append(true);
        }
        Arc::new(out.finish())
    }

    fn payloads(&self, payloads: &BinaryArray, rows: &Rows, fates: &[Fate]) -> ArrayRef {
        let mut out = BinaryBuilder::with_capacity(payloads.len(), payloads.value_data().len());
        for (row, fate) in fates.iter().enumerate() {
            match fate {
                _ if payloads.is_null(row) => out.append_null(),
                Fate::Stays => out.append_value(payloads.value(row)),
                Fate::Stub => out.append_null(),
                Fate::Images { .. } => {
                    out.append_value(self.overwritten(payloads.value(row), &rows.subjects(row), crate::seal::hex));
                }
            }
        }
        Arc::new(out.finish())
    }

    fn records(&self, rows: &Rows, fates: &[Fate]) -> ArrayRef {
        let of = |(row, fate): (usize, &Fate)| {
            let record = rows.records.is_valid(row).then(|| rows.records.value(row))?;
            match fate {
                Fate::Stays => Some(record.to_owned()),
                Fate::Stub => None,
                Fate::Images { .. } => {
                    let bytes = self.overwritten(record.as_bytes(), &rows.subjects(row), events::form::person_letters);
                    String::from_utf8(bytes).ok()
                }
            }
        };
        Arc::new(fates.iter().enumerate().map(of).collect::<StringArray>())
    }
}

/// What is asked of rows.
struct Rows {
    ids: StringArray,
    kinds: StringArray,
    agencies: StringArray,
    schemas: StringArray,
    records: StringArray,
    status: StringArray,
    subjects: ListArray,
}

impl Rows {
    fn of(rows: &RecordBatch) -> Result<Self> {
        let column =
            |name: &str| rows.column_by_name(name).ok_or_else(|| LakeError::Schema(format!("no column `{name}`")));
        let texts = |name: &str| text(column(name)?);
        Ok(Self {
            ids: texts("event_id")?,
            kinds: texts("event_type")?,
            agencies: texts("agency")?,
            schemas: texts("schema_id")?,
            records: texts("record_id")?,
            status: texts("_status")?,
            subjects: column("subject_refs")?.as_list::<i32>().clone(),
        })
    }

    fn kind(&self, row: usize) -> Option<EventType> {
        self.kinds.is_valid(row).then(|| EventType::from_name(self.kinds.value(row)))?
    }

    fn version(&self, row: usize) -> Option<u16> {
        self.schemas
            .is_valid(row)
            .then(|| EventType::of_dataschema(self.schemas.value(row)))?
            .map(|(_, version)| version)
    }

    fn key(&self, row: usize) -> Option<EventKey> {
        let id = self.ids.is_valid(row).then(|| Uuid::try_parse(self.ids.value(row)).ok())??;
        Some((self.agencies.is_valid(row).then(|| self.agencies.value(row).to_owned())?, id))
    }

    /// The event in its record; none of a stub.
    fn told(&self, row: usize) -> Option<Told> {
        let record = self.records.is_valid(row).then(|| self.records.value(row).to_owned())?;
        Some((self.key(row)?, record))
    }

    fn subjects(&self, row: usize) -> Vec<Surrogate> {
        if self.subjects.is_null(row) {
            return Vec::new();
        }
        let refs = self.subjects.value(row);
        refs.as_binary::<i32>().iter().filter_map(|subject| Surrogate::try_from(subject?).ok()).collect()
    }
}

/// The event that a correction or retraction is about.
fn target(kind: EventType, version: u16, payload: &[u8]) -> Option<Uuid> {
    match events::decode_sealed(kind, version, payload).ok()?.data {
        Data::RecordCorrected(correction) => Some(correction.target),
        Data::RecordRetracted(retraction) => Some(retraction.target),
        _ => None,
    }
}

/// Null where it is a stub. Made anew of its values: what lies under a null must not reach the new file.
fn without(column: &ArrayRef, stubs: &BooleanArray) -> Result<ArrayRef> {
    Ok(zip(stubs, &new_null_array(column.data_type(), column.len()), column)?)
}

fn statuses(before: &StringArray, fates: &[Fate], wanted: &DataType) -> Result<ArrayRef> {
    let of = |(row, fate): (usize, &Fate)| match (fate, before.value(row)) {
        (Fate::Stub, status @ ("duplicate" | "conflict")) => Some(status),
        (Fate::Stub | Fate::Images { order: true }, _) => Some("erased"),
        (_, status) => Some(status),
    };
    let after: ArrayRef = Arc::new(fates.iter().enumerate().map(of).collect::<StringArray>());
    Ok(cast(&after, wanted)?)
}

/// Of a stub the headers that are our own.
fn own_headers(column: &ArrayRef, stubs: &BooleanArray) -> Result<ArrayRef> {
    let headers = column.as_map();
    let DataType::Map(entries, _) = headers.data_type() else {
        return Err(LakeError::Schema("`headers` is no map".into()));
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(LakeError::Schema("`headers` has no entries".into()));
    };
    let names = arrow::array::builder::MapFieldNames {
        entry: entries.name().clone(),
        key: fields[0].name().clone(),
        value: fields[1].name().clone(),
    };
    let mut out = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
        .with_keys_field(Arc::clone(&fields[0]))
        .with_values_field(Arc::clone(&fields[1]));
    for row in 0..headers.len() {
        if headers.is_valid(row) {
            let entry = headers.value(row);
            let (keys, values) = (entry.column(0).as_string::<i32>(), entry.column(1).as_string::<i32>());
            for (key, value) in keys
                .iter()
                .zip(values)
                .filter(|(key, _)| !stubs.value(row) || key.is_some_and(|key| key.starts_with("amanat-")))
            {
                out.keys().append_option(key);
                out.values().append_option(value);
            }
        }
        out.append(headers.is_valid(row))?;
    }
    Ok(Arc::new(out.finish()))
}
