//! Who is one with whom, found anew among all persons of all agencies, and what has to be said of it (models.md 2, domain.md 4).
//!
//! What linkage compares comes from two places: the keyed hashes of tokens from the lake, where alone they are, and what agencies say
//! of sex, age, citizenship and place from the states of records, corrected as they stand. What it said before, and what the steward
//! decided, are states as well. So nothing is kept here: the same facts give the same words.
//!
//! Absent: the comparison (crate `linkage`); the log, onto which the words go as events like any other ([`Found::events`]).

mod said;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType, UInt16Type};
use events::{EventType, code_list};
use futures::TryStreamExt;
use lake::folder;
use lake::{EventsSnapshot, Store};
use linkage::{Born, Decisions, Kind, Known, LinkRef, Mention, PersonId, Register, Said, Summary, Word};
use policy::{Erased, Policy};
use uuid::Uuid;

use crate::erased::Orders;
use crate::error::ModelsError;
use crate::keys::Keys;
use crate::layers::{Layers, Pick};
use crate::model::{self, Model};
use crate::refresh::STAGED;
use crate::snapshot::{MARTS, SnapshotInfo, info_of};
use crate::sql::SqlSet;
use crate::stage::{self, Family};
use crate::states::{STATES, States};

pub use said::{LINK, STEWARD, counted, decided, erasure};
pub(crate) use said::{OwnEvent, letters};

/// What linkage found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What has to be said, in order: of whom, the version of her record of linkage, and the word.
    pub words: Vec<(PersonId, i64, Word)>,
    /// Pairs for the steward, the likeliest first.
    pub doubtful: Vec<linkage::Doubtful>,
    /// What it does to the number of persons.
    pub summary: Summary,
    /// The newest time of the facts that were looked at, microseconds UTC: the same facts, the same time.
    pub as_of_us: i64,
}

/// Links all persons of the latest Snapshot.
///
/// # Errors
/// No Snapshot; decisions that contradict each other; storage errors.
pub async fn link(
    store: &Store,
    events: &EventsSnapshot,
    policy: &Policy,
    keys: &policy::Keys,
    threads: usize,
) -> Result<Found, ModelsError> {
    let erased = Orders::of(events, keys).await?.erased;
    let facts = Facts::open(store, policy, threads).await?;
    let (mut mentions, as_of_us) = facts.named(events, &erased).await?;
    for (table, place, list) in SAY {
        for rows in facts.states.all(table, &columns_said(place)).await? {
            say(&mut mentions, &rows, place, list);
        }
    }
    let (known, versions) = facts.known().await?;
    let decisions = facts.decisions().await?;
    let register = Register::of(mentions.into_values()).map_err(ModelsError::Register)?;
    let compare = move || linkage::link(&register, &decisions).map(|linkage| (linkage, decisions));
    let linked = tokio::task::spawn_blocking(compare).await.map_err(|_| ModelsError::Stopped)?;
    let (linkage, decisions) = linked.map_err(ModelsError::Decisions)?;
    let words = numbered(linkage::words(&known, &linkage, &decisions), versions);
    Ok(Found { words, doubtful: linkage.doubtful, summary: linkage.summary, as_of_us })
}

/// The persons whom any event names by this surrogate, each with all ids that are counted as one with her. They are several where it is
/// the surrogate of a token that many bear, as one that is made of a name.
///
/// # Errors
/// No Snapshot; storage errors.
pub async fn counted_as_one(
    store: &Store,
    events: &EventsSnapshot,
    policy: &Policy,
    surrogate: PersonId,
    threads: usize,
) -> Result<Vec<BTreeSet<PersonId>>, ModelsError> {
    let facts = Facts::open(store, policy, threads).await?;
    let named = named_by(events, surrogate).await?;
    let (known, _) = facts.known().await?;
    let whom = |person: &PersonId| known.get(person).and_then(|known| known.into).unwrap_or(*person);
    let mut all: BTreeMap<PersonId, BTreeSet<PersonId>> = BTreeMap::new();
    for person in &named {
        all.entry(whom(person)).or_default().insert(*person);
    }
    for person in known.keys() {
        if let Some(ids) = all.get_mut(&whom(person)) {
            ids.insert(*person);
        }
    }
    Ok(all.into_iter().map(|(root, ids)| ids.into_iter().chain([root]).collect()).collect())
}

/// The steward's words on pairs that stand in the latest Snapshot: the two, and whether they are one.
///
/// # Errors
/// No Snapshot; storage errors.
pub async fn standing(
    store: &Store,
    policy: &Policy,
    threads: usize,
) -> Result<Vec<(PersonId, PersonId, bool)>, ModelsError> {
    let mut said = Facts::open(store, policy, threads).await?.standing().await?;
    said.sort_unstable();
    Ok(said)
}

/// The persons of events that name somebody by this surrogate, be it of their first token or of another.
async fn named_by(events: &EventsSnapshot, surrogate: PersonId) -> Result<BTreeSet<PersonId>, ModelsError> {
    let mut persons = BTreeSet::new();
    for file in events.files.iter() {
        let mut batches = events.read(file, &["event_type", "subject_refs"])?;
        while let Some(rows) = batches.try_next().await? {
            let (kinds, subjects) = (stage::texts(&rows, 0)?, rows.column(1).as_list::<i32>());
            for row in (0..rows.num_rows()).filter(|row| subjects.is_valid(*row)) {
                let of_row = subjects.value(row);
                let of_row: Vec<&[u8]> = of_row.as_binary::<i32>().iter().flatten().collect();
                let is_named = of_row.contains(&&surrogate[..]);
                if is_named && kinds.get(row).and_then(EventType::from_name).is_some_and(EventType::names_a_person) {
                    persons.extend(of_row.first().and_then(|first| PersonId::try_from(*first).ok()));
                }
            }
        }
    }
    Ok(persons)
}

/// Tables that say who a person is, the column of a place, and its code list.
const SAY: [(&str, &str, &str); 4] = [
    ("victim_records", "place_identified", "place"),
    ("accused_records", "province", "province"),
    ("charge_records", "province", "province"),
    ("judgment_records", "province", "province"),
];

fn columns_said(place: &'static str) -> [&'static str; 6] {
    ["person_id", "sex", "age_band", "citizenship", "occurred_from", place]
}

/// Words with the version of the record that each becomes.
fn numbered(words: Vec<(PersonId, Word)>, mut versions: BTreeMap<PersonId, i64>) -> Vec<(PersonId, i64, Word)> {
    let mut number = |person: &PersonId| {
        let version = versions.entry(*person).or_insert(0);
        *version += 1;
        *version
    };
    words.into_iter().map(|(person, word)| (person, number(&person), word)).collect()
}

/// The states and staged rows of the latest Snapshot.
pub(crate) struct Facts<'a> {
    policy: &'a Policy,
    pub(crate) states: States,
    pub(crate) staged: Layers,
    parallel: usize,
}

impl<'a> Facts<'a> {
    pub(crate) async fn open(store: &Store, policy: &'a Policy, parallel: usize) -> Result<Self, ModelsError> {
        let latest = folder::latest(store, MARTS).await?.ok_or(ModelsError::NoSnapshot)?;
        let SnapshotInfo { states, staged, .. } = info_of(&latest)?;
        let states = folder::open(store, STATES, &states.ok_or(ModelsError::NoSnapshot)?).await?;
        let models: Vec<Model> = model::models(&SqlSet::embedded())?;
        let states = States::open(store, states, &models, Keys::default(), parallel).await?;
        let staged = Layers::below(store, STAGED, folder::open(store, STAGED, &staged).await?).await?;
        Ok(Self { policy, states, staged, parallel })
    }

    /// Everybody who is named by tokens, with their hashes, and the newest time of it.
    async fn named(
        &self,
        events: &EventsSnapshot,
        erased: &Erased,
    ) -> Result<(BTreeMap<PersonId, Mention>, i64), ModelsError> {
        let retracted = self.retracted().await?;
        let (mut mentions, mut newest) = (BTreeMap::new(), 0);
        for file in events.files.iter() {
            let mut batches = events.read(file, &COLUMNS)?;
            while let Some(rows) = batches.try_next().await? {
                newest = newest.max(self.name(&mut mentions, &rows, &retracted)?);
            }
        }
        mentions.retain(|person, _| !erased.has(person));
        Ok((mentions, newest))
    }

    /// Events about persons that were taken back.
    async fn retracted(&self) -> Result<HashSet<(u16, u128)>, ModelsError> {
        let is_so = Pick::new(&["retracted"], |rows| Ok(rows.column(0).as_boolean().clone()));
        let mut found = HashSet::new();
        for family in Family::all().filter(|family| family.person) {
            let (kept, columns) = (stage::kept(family), stage::EVENT);
            let rows = self.staged.rows(kept, Some(&columns), std::slice::from_ref(&is_so), self.parallel).await?;
            found.extend(rows.iter().flat_map(stage::events));
        }
        Ok(found)
    }

    /// Adds who is named by rows of [`COLUMNS`]; gives the newest time.
    fn name(
        &self,
        mentions: &mut BTreeMap<PersonId, Mention>,
        rows: &RecordBatch,
        retracted: &HashSet<(u16, u128)>,
    ) -> Result<i64, ModelsError> {
        let mut newest = 0;
        for row in Row::all(rows)? {
            newest = newest.max(row.recorded_us);
            let agency = self.policy.agencies.get(row.agency).ok_or(stage::StageError::Agency)?.index;
            if retracted.contains(&(agency, row.event_id.as_u128())) {
                continue;
            }
            let sealed =
                events::decode_sealed(row.kind, row.version, row.payload).map_err(stage::StageError::Decode)?;
            let Some((_, person)) = sealed.persons.first() else { continue };
            let seen = (row.recorded_us / 1000, row.event_id.into_bytes());
            let mention = mentions.entry(*person).or_insert_with(|| Mention::new(*person, agency, seen));
            mention.first_seen = mention.first_seen.min(seen);
            for ((kind, _), hash) in sealed.persons.iter().zip(row.hashes.as_binary::<i32>()) {
                let hash = hash.and_then(|hash| LinkRef::try_from(hash).ok());
                let known = Kind::parse(kind.as_str()).zip(hash);
                mention.refs.extend(known.filter(|known| !mention.refs.contains(known)));
            }
        }
        Ok(newest)
    }

    /// What linkage said of persons before, and the version of each one's record.
    async fn known(&self) -> Result<(BTreeMap<PersonId, Known>, BTreeMap<PersonId, i64>), ModelsError> {
        let (mut known, mut versions) = (BTreeMap::new(), BTreeMap::new());
        for rows in self.states.all("people", &["person_id", "into_id", "plausible_id", "version"]).await? {
            let (persons, into, plausible) = (ids(&rows, 0), ids(&rows, 1), ids(&rows, 2));
            let said = rows.column(3).as_primitive::<Int64Type>();
            for row in 0..rows.num_rows() {
                let Some(person) = id(persons, row) else { continue };
                known.insert(person, Known { into: id(into, row), plausible: id(plausible, row) });
                if said.is_valid(row) {
                    versions.insert(person, said.value(row));
                }
            }
        }
        Ok((known, versions))
    }

    /// The steward's words on pairs.
    async fn standing(&self) -> Result<Vec<(PersonId, PersonId, bool)>, ModelsError> {
        let yes_no = code_list::list("yes_no");
        let (yes, no) = (yes_no.code("yes"), yes_no.code("no"));
        let mut said = Vec::new();
        for rows in self.states.all("decisions", &["person_id", "other_id", "one"]).await? {
            let (persons, others) = (ids(&rows, 0), ids(&rows, 1));
            let words = rows.column(2).as_primitive::<UInt16Type>();
            for row in 0..rows.num_rows() {
                let pair = id(persons, row).zip(id(others, row));
                let word = Some(words.value(row)).filter(|word| [yes, no].contains(&Some(*word)));
                said.extend(pair.zip(word).map(|((person, other), word)| (person, other, Some(word) == yes)));
            }
        }
        Ok(said)
    }

    /// What must be obeyed: the steward's words, and what agencies say of tokens that they made anew.
    async fn decisions(&self) -> Result<Decisions, ModelsError> {
        let (mut one, mut not_one) = (BTreeSet::new(), BTreeSet::new());
        for (person, other, are_one) in self.standing().await? {
            if are_one {
                one.insert((person, other))
            } else {
                not_one.insert((person, other))
            };
        }
        for rows in self.states.all("links", &["person_id", "into_id", "by_linkage"]).await? {
            let (persons, into, by_linkage) = (ids(&rows, 0), ids(&rows, 1), rows.column(2).as_boolean());
            for row in (0..rows.num_rows()).filter(|row| !by_linkage.value(*row)) {
                one.extend(id(persons, row).zip(id(into, row)));
            }
        }
        Ok(Decisions { one: one.into_iter().collect(), not_one: not_one.into_iter().collect() })
    }
}

/// Columns of the lake that say who is named, in this order.
const COLUMNS: [&str; 8] =
    ["event_id", "event_type", "agency", "schema_id", "recorded_at", "payload", "_status", "link_refs"];

/// An accepted event that names a person by tokens.
struct Row<'a> {
    event_id: Uuid,
    kind: EventType,
    agency: &'a str,
    version: u16,
    recorded_us: i64,
    payload: &'a [u8],
    /// Keyed hashes of its tokens.
    hashes: ArrayRef,
}

impl<'a> Row<'a> {
    /// Those among rows of [`COLUMNS`]. A token that was made anew is told of by an event of its own, and is no evidence.
    fn all(rows: &'a RecordBatch) -> Result<Vec<Self>, ModelsError> {
        let texts = |at: usize| stage::texts(rows, at);
        let (kinds, agencies, schemas, statuses) = (texts(1)?, texts(2)?, texts(3)?, texts(6)?);
        let ids = rows.column(0).as_string::<i32>();
        let times = rows.column(4).as_primitive::<TimestampMicrosecondType>();
        let (payloads, links) = (rows.column(5).as_binary::<i32>(), rows.column(7).as_list::<i32>());
        let mut out = Vec::new();
        for row in 0..rows.num_rows() {
            let kind = kinds.get(row).and_then(EventType::from_name).filter(|kind| kind.names_a_person());
            let Some(kind) = kind.filter(|kind| *kind != EventType::TokensRotated) else { continue };
            if statuses.get(row) != Some("ok") || payloads.is_null(row) {
                continue;
            }
            let wrong = stage::StageError::Row;
            out.push(Self {
                event_id: events::form::parse_uuid(ids.value(row)).ok_or_else(|| wrong("event_id"))?,
                kind,
                agency: agencies.get(row).unwrap_or_default(),
                version: schemas.get(row).and_then(stage::version_of).ok_or_else(|| wrong("schema_id"))?,
                recorded_us: times.value(row),
                payload: payloads.value(row),
                hashes: links.value(row),
            });
        }
        Ok(out)
    }
}

/// Adds what a record says of a person.
fn say(mentions: &mut BTreeMap<PersonId, Mention>, rows: &RecordBatch, place: &str, list: &str) {
    let (sexes, bands) = (code_list::list("sex"), code_list::list("age_band"));
    let (citizenships, places, provinces) =
        (code_list::list("citizenship"), code_list::list(list), code_list::list("province"));
    let persons = ids(rows, 0);
    let codes = |at: usize| rows.column(at).as_primitive::<UInt16Type>();
    let said = |at: usize, row: usize, unknown: u16| {
        let code = Some(codes(at).value(row)).filter(|code| codes(at).is_valid(row) && *code != unknown);
        code.map_or(Said::Nothing, Said::One)
    };
    let days = rows.column(4).as_primitive::<Date32Type>();
    for row in 0..rows.num_rows() {
        let Some(mention) = id(persons, row).and_then(|person| mentions.get_mut(&person)) else { continue };
        mention.sex = mention.sex.and(said(1, row, sexes.unknown()));
        mention.citizenship = mention.citizenship.and(said(3, row, citizenships.unknown()));
        mention.province = mention.province.and(match said(5, row, places.unknown()) {
            Said::One(code) if place != "province" => match places.roll_up(code, provinces) {
                unknown if unknown == provinces.unknown() => Said::Nothing,
                province => Said::One(province),
            },
            said => said,
        });
        if let Said::One(band) = said(2, row, bands.unknown())
            && days.is_valid(row)
            && let Some(born) = born(bands.text(band), days.value(row))
        {
            mention.born = mention.born.and(born);
        }
    }
}

/// In which years somebody of an age band on a day (days since 1970-01-01) can be born.
fn born(band: &str, day: i32) -> Option<Born> {
    let year = i16::try_from(events::calendar::year(day)).ok()?;
    let (least, most): (i16, i16) = match (band.strip_suffix('+'), band.split_once('-')) {
        (Some(least), _) => (least.parse().ok()?, OLDEST),
        (None, Some((least, most))) => (least.parse().ok()?, most.parse().ok()?),
        (None, None) => return None,
    };
    Some(Born::between(year - most - 1, year - least))
}

/// Nobody is older, years.
const OLDEST: i16 = 110;

fn ids(rows: &RecordBatch, at: usize) -> &FixedSizeBinaryArray {
    rows.column(at).as_fixed_size_binary()
}

fn id(ids: &FixedSizeBinaryArray, row: usize) -> Option<PersonId> {
    if ids.is_null(row) { None } else { ids.value(row).try_into().ok() }
}
