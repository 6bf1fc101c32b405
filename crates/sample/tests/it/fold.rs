//! The feed, folded by the rules of domain.md 4 and 7.1 in the plainest way, says in the end what the world says.
//!
//! This fold is a second account of the rules, for this test alone: all events in memory, JSON objects merged field by
//! field. It shares nothing with `sql/` and nothing with the truth.

use std::collections::{BTreeMap, HashMap};

use events::calendar::{Occurred, Precision, quarter, year};
use events::{EventType, Limits, Message, decode};
use sample::{Expected, Feed, Size, Truth, World};
use serde_json::{Map, Value};

type Object = Map<String, Value>;
/// Order of a fact on its record: version, time, id.
type Place = (i64, i64, u128);
/// (indicator, measure, time period, dims) → value.
type Numbers = BTreeMap<String, i64>;

#[derive(Clone)]
struct Told {
    kind: EventType,
    record: String,
    person: Option<String>,
    place: Place,
    raw: Vec<u8>,
}

/// Which rules are at work; each can be switched off to see that it matters.
#[derive(Clone, Copy)]
struct Rules {
    corrections: bool,
    retractions: bool,
    least_bytes: bool,
}

const ALL: Rules = Rules { corrections: true, retractions: true, least_bytes: true };

/// Events by (agency, id); of a conflict the least bytes.
fn events_of(world: World, rules: Rules) -> HashMap<(String, u128), Told> {
    let mut events: HashMap<(String, u128), Told> = HashMap::new();
    for line in Feed::new(world) {
        if matches!(line.expected, Expected::SetAside(_) | Expected::Duplicate) {
            continue;
        }
        let headers = line.header_slices();
        let message = Message { key: line.key.as_deref(), headers: &headers, value: Some(&line.value) };
        let event = decode(&message, &Limits::default()).unwrap();
        let id = event.id.as_u128();
        let told = Told {
            kind: event.kind,
            record: event.record_id.to_string(),
            person: event.tokens.first().map(|token| token.token.to_owned()),
            place: (event.record_version, event.recorded_at, id),
            raw: event.raw.to_vec(),
        };
        let key = (event.agency.to_owned(), id);
        match events.get(&key) {
            Some(before) if (before.raw <= told.raw) == rules.least_bytes => {}
            _ => {
                events.insert(key, told);
            }
        }
    }
    events
}

/// A fact that stands, its corrections applied.
struct Fact {
    kind: EventType,
    record: String,
    person: String,
    agency: String,
    place: Place,
    object: Object,
}

struct Folding {
    facts: Vec<Fact>,
}

impl Folding {
    fn of(world: World, rules: Rules) -> Self {
        let events = events_of(world, rules);
        let parsed: HashMap<&(String, u128), Object> =
            events.iter().map(|(key, told)| (key, serde_json::from_slice(&told.raw).unwrap())).collect();
        let aims_at = |key: &(String, u128), told: &Told| {
            let target = uuid::Uuid::parse_str(parsed[key]["target"].as_str().unwrap()).unwrap().as_u128();
            let aim = (key.0.clone(), target);
            let fits = events.get(&aim).is_some_and(|at| {
                at.record == told.record && at.kind.name() == parsed[key]["target_type"].as_str().unwrap()
            });
            fits.then_some(aim)
        };
        let mut retracted = std::collections::HashSet::new();
        for (key, told) in
            events.iter().filter(|(_, told)| told.kind == EventType::RecordRetracted && rules.retractions)
        {
            retracted.extend(aims_at(key, told));
        }
        let mut corrections: HashMap<(String, u128), Vec<(Place, &Object)>> = HashMap::new();
        for (key, told) in
            events.iter().filter(|(_, told)| told.kind == EventType::RecordCorrected && rules.corrections)
        {
            if let Some(aim) = aims_at(key, told).filter(|_| !retracted.contains(key)) {
                corrections.entry(aim).or_default().push((told.place, parsed[key]["fields"].as_object().unwrap()));
            }
        }
        let mut facts = Vec::new();
        for (key, told) in events.iter().filter(|(key, told)| told.kind.is_fact() && !retracted.contains(key)) {
            let mut object = parsed[key].clone();
            let mut mends = corrections.remove(key).unwrap_or_default();
            mends.sort_by_key(|(place, _)| *place);
            for (_, fields) in mends {
                object.extend(fields.clone());
            }
            facts.push(Fact {
                kind: told.kind,
                record: told.record.clone(),
                person: format!("{} {}", key.0, told.person.clone().unwrap_or_default()),
                agency: key.0.clone(),
                place: told.place,
                object,
            });
        }
        facts.sort_by_key(|fact| fact.place);
        Self { facts }
    }

    /// Acts of a type, each by itself.
    fn acts(&self, kind: EventType) -> Vec<State> {
        self.facts.iter().filter(|fact| fact.kind == kind).map(State::of).collect()
    }

    /// States of records of a type: later versions replace field by field, the first keeps the record's time.
    fn records(&self, kind: EventType) -> Vec<State> {
        let mut records: BTreeMap<(String, String), State> = BTreeMap::new();
        for fact in self.facts.iter().filter(|fact| fact.kind == kind) {
            records
                .entry((fact.record.clone(), fact.person.clone()))
                .and_modify(|state| state.object.extend(fact.object.clone()))
                .or_insert_with(|| State::of(fact));
        }
        records.into_values().collect()
    }
}

/// A record or act as it finally stands.
#[derive(Clone)]
struct State {
    record: String,
    person: String,
    agency: String,
    id: u128,
    recorded: i64,
    object: Object,
}

impl State {
    fn of(fact: &Fact) -> Self {
        Self {
            record: fact.record.clone(),
            person: fact.person.clone(),
            agency: fact.agency.clone(),
            id: fact.place.2,
            recorded: fact.place.1,
            object: fact.object.clone(),
        }
    }

    fn occurred(&self) -> Occurred {
        Occurred::parse(self.object["occurred_on"].as_str().unwrap()).unwrap()
    }

    fn order(&self) -> (i32, i64, u128) {
        (self.occurred().from, self.recorded, self.id)
    }

    fn year(&self) -> String {
        year(self.occurred().from).to_string()
    }

    fn quarter(&self) -> String {
        let occurred = self.occurred();
        if occurred.precision == Precision::Year {
            return "_X".into();
        }
        format!("{}-Q{}", year(occurred.from), quarter(occurred.from))
    }

    fn code(&self, field: &str) -> &str {
        self.object.get(field).and_then(Value::as_str).unwrap_or("_X")
    }

    fn codes(&self, field: &str) -> Vec<&str> {
        self.object[field].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect()
    }

    fn ptpa(&self) -> bool {
        self.codes("sections").iter().any(|section| section.starts_with("PTPA"))
    }
}

fn firsts(states: impl IntoIterator<Item = State>) -> Vec<State> {
    let mut first: BTreeMap<String, State> = BTreeMap::new();
    for state in states {
        match first.get(&state.person) {
            Some(before) if before.order() <= state.order() => {}
            _ => {
                first.insert(state.person.clone(), state);
            }
        }
    }
    first.into_values().collect()
}

fn province(place: &str) -> &str {
    if place == "_X" { place } else { &place[..5] }
}

fn age_group(band: &str) -> &'static str {
    match band {
        "_X" => "_X",
        "00-08" | "09-17" => "child",
        _ => "adult",
    }
}

/// Counts under each combination of codes and totals.
fn count(numbers: &mut Numbers, what: &str, period: &str, dims: &[(&str, Vec<&str>)]) {
    let mut rows = vec![String::new()];
    for (name, codes) in dims {
        rows = rows
            .iter()
            .flat_map(|row| {
                let sep = if row.is_empty() { "" } else { ";" };
                codes.iter().chain([&"_T"]).map(move |code| format!("{row}{sep}{name}={code}"))
            })
            .collect();
    }
    // convicted by section and assisted by outcome have their totals in other cells
    let no_total = ["section=_T", "outcome_6=_T", "outcome_12=_T"];
    for row in rows.iter().filter(|row| !no_total.contains(&row.as_str())) {
        *numbers.entry(format!("{what},{period},{row}")).or_default() += 1;
    }
}

fn indicators(folding: &Folding) -> Numbers {
    let mut n = Numbers::new();
    victims(folding, &mut n);
    justice(folding, &mut n);
    labour(folding, &mut n);
    followed_up(folding, &mut n);
    support(folding, &mut n);
    n
}

fn victims(folding: &Folding, n: &mut Numbers) {
    let identified = folding.records(EventType::VictimIdentified);
    let determined = folding.acts(EventType::VictimStatusDetermined);
    let mut latest: HashMap<String, ((i32, i64, u128), String)> = HashMap::new();
    for state in identified.iter().chain(&determined) {
        let entry = latest.entry(state.person.clone()).or_insert((state.order(), state.code("status").into()));
        if entry.0 < state.order() {
            *entry = (state.order(), state.code("status").into());
        }
    }
    for person in firsts(identified.clone()) {
        let (when, from) = (person.year(), person.occurred().from);
        count(n, "Q01,persons_identified", &when, &[]);
        count(n, "Q01,persons_if_all_plausible_linked", &when, &[]);
        if person.code("status") == "possible" {
            count(n, "V10,possible_victims", &when, &[]);
            let settles = |state: &&State| {
                state.person == person.person
                    && matches!(state.code("status"), "actual" | "not_victim")
                    && state.occurred().from - from <= 90
            };
            if determined.iter().any(|state| settles(&state)) {
                count(n, "V10,possible_victims_determined_within_90_days", &when, &[]);
            }
        }
        if latest[&person.person].1 != "actual" {
            continue;
        }
        count(n, "V12,victims", &when, &[]);
        let again = |state: &State| {
            let later = state.occurred().from;
            state.person == person.person
                && state.code("status") != "not_victim"
                && later - from > 90
                && months_of(later) <= months_of(from) + 2400
        };
        if identified.iter().any(again) {
            count(n, "V12,victims_identified_again_within_24_months", &when, &[]);
        }
        let (when, sex, age) = (person.year(), person.code("sex"), age_group(person.code("age_band")));
        let place = vec![province(person.code("place_identified"))];
        count(n, "V01,victims", &when, &[("province", place.clone())]);
        count(n, "V01,victims", &person.quarter(), &[("province", place.clone())]);
        count(n, "V01,victims", &when, &[("sex", vec![sex]), ("age_group", vec![age])]);
        count(n, "V02,victims", &when, &[("province", place)]);
        let forms = person.codes("exploitation");
        count(n, "V03,victims", &when, &[("exploitation", forms.clone())]);
        count(n, "V03,victims", &when, &[("exploitation", forms.clone()), ("sex", vec![sex])]);
        count(n, "V03,victims", &when, &[("exploitation", forms), ("age_group", vec![age])]);
        let measure = if age == "_X" { "V04,unknown".into() } else { format!("V04,{age}") };
        count(n, &measure, &when, &[]);
        count(n, "V11,victims", &when, &[("referral_source", vec![person.code("referral_source")])]);
    }
}

/// A day as hundreds of months and days of a month: what is at most 24 months later is at most 2,400 more.
fn months_of(day: i32) -> i32 {
    let (year, month, day) = events::calendar::civil_from_days(day);
    (year * 12 + month as i32) * 100 + day as i32
}

fn justice(folding: &Folding, n: &mut Numbers) {
    let cases: HashMap<String, State> = folding
        .records(EventType::CaseRegistered)
        .into_iter()
        .filter(State::ptpa)
        .map(|case| (case.record.clone(), case))
        .collect();
    let mut same: Vec<(String, String)> = Vec::new();
    for link in folding.acts(EventType::CaseLinked) {
        let (one, other) = (link.code("case_id").to_owned(), link.code("other_case_id").to_owned());
        same.extend([(one.clone(), other.clone()), (other, one)]);
    }
    for case in cases.values() {
        let before = |other: &String| cases.get(other).is_some_and(|other| other.order() < case.order());
        if same.iter().any(|(one, other)| *one == case.record && before(other)) {
            continue;
        }
        let group = case.agency.split('-').next().unwrap();
        let dims = [("province", vec![case.code("province")]), ("agency_group", vec![group])];
        count(n, "C01,cases", &case.quarter(), &dims);
    }
    let arrests = folding.records(EventType::AccusedArrested);
    for person in firsts(arrests.clone()) {
        count(n, "C03,persons_arrested", &person.year(), &[("sex", vec![person.code("sex")])]);
        count(n, "C03,persons_arrested", &person.year(), &[("role", person.codes("role"))]);
    }
    let known = folding.records(EventType::AccusedIdentified);
    let arrested: std::collections::HashSet<_> = arrests.iter().map(|arrest| arrest.person.clone()).collect();
    let officials: std::collections::HashSet<_> = arrests
        .iter()
        .chain(&known)
        .filter(|said| said.code("official") == "yes")
        .map(|said| said.person.clone())
        .collect();
    let never_arrested = firsts(known.into_iter().filter(|said| !arrested.contains(&said.person)));
    for person in firsts(arrests).into_iter().chain(never_arrested) {
        count(n, "C09,persons_accused", &person.year(), &[]);
        if officials.contains(&person.person) {
            count(n, "C09,officials_accused", &person.year(), &[]);
        }
    }
    let withdrawn: std::collections::HashSet<_> = folding
        .acts(EventType::ChargeWithdrawn)
        .into_iter()
        .map(|withdrawal| (withdrawal.record, withdrawal.person))
        .collect();
    let standing = folding.records(EventType::ChargeFiled).into_iter();
    let standing =
        standing.filter(|charge| charge.ptpa() && !withdrawn.contains(&(charge.record.clone(), charge.person.clone())));
    for person in firsts(standing) {
        count(n, "C04,persons_prosecuted", &person.year(), &[("province", vec![person.code("province")])]);
        count(n, "C09,persons_prosecuted", &person.year(), &[]);
    }
    let appeals: HashMap<_, _> = folding
        .records(EventType::AppealDecided)
        .into_iter()
        .map(|appeal| ((appeal.record.clone(), appeal.person.clone()), appeal.code("outcome").to_owned()))
        .collect();
    let convicting = folding.records(EventType::JudgmentDelivered).into_iter().filter(|judgment| {
        let appeal = appeals.get(&(judgment.record.clone(), judgment.person.clone()));
        judgment.ptpa()
            && matches!(judgment.code("verdict"), "convicted" | "convicted_lesser")
            && appeal.is_none_or(|outcome| outcome != "overturned")
    });
    for person in firsts(convicting) {
        let sections: Vec<_> = person.codes("sections").into_iter().filter(|code| code.starts_with("PTPA")).collect();
        count(n, "C05,persons_convicted", &person.year(), &[("sex", vec![person.code("sex")])]);
        count(n, "C05,persons_convicted", &person.year(), &[("citizenship", vec![person.code("citizenship")])]);
        count(n, "C05,persons_convicted", &person.year(), &[("section", sections)]);
        count(n, "C09,persons_convicted", &person.year(), &[]);
    }
}

fn labour(folding: &Folding, n: &mut Numbers) {
    for visit in folding.records(EventType::InspectionConducted) {
        if !matches!(visit.code("kind"), "child" | "bonded") {
            continue;
        }
        let (when, place) = (visit.quarter(), vec![province(visit.code("place"))]);
        count(n, "L01,inspections", &when, &[("province", place.clone()), ("sector", vec![visit.code("sector")])]);
        if visit.codes("outcome").iter().any(|found| found.ends_with("labour_found")) {
            count(n, "L02,inspections_finding", &when, &[("province", place)]);
        }
    }
}

/// Whether findings were referred to law enforcement, and acted on, by the inspection's events.
fn followed_up(folding: &Folding, n: &mut Numbers) {
    let id_of = |state: &State, field: &str| {
        state.object.get(field).map(|id| uuid::Uuid::parse_str(id.as_str().unwrap()).unwrap().as_u128())
    };
    let acts =
        |state: &State| matches!(state.code("action"), "case_registered" | "investigation_opened" | "service_provided");
    let actions: Vec<State> = folding.acts(EventType::ReferralActedOn).into_iter().filter(acts).collect();
    let mut outcomes: HashMap<String, bool> = HashMap::new();
    for referred in folding.acts(EventType::InspectionReferred) {
        let named = id_of(&referred, "inspection_id").unwrap();
        let told =
            folding.facts.iter().find(|fact| fact.kind == EventType::InspectionConducted && fact.place.2 == named);
        let Some(told) = told.filter(|_| matches!(referred.code("to_body"), "POL" | "FIA")) else { continue };
        let acted = actions.iter().any(|action| id_of(action, "referral_id") == Some(referred.id));
        *outcomes.entry(told.record.clone()).or_default() |= acted;
    }
    for visit in folding.records(EventType::InspectionConducted) {
        let Some(acted) = outcomes.get(&visit.record) else { continue };
        let place = [("province", vec![province(visit.code("place"))])];
        count(n, "L04,inspections_referred", &visit.year(), &place);
        if *acted {
            count(n, "L04,inspections_acted_on", &visit.year(), &place);
        }
    }
}

fn support(folding: &Folding, n: &mut Numbers) {
    for contact in folding.records(EventType::ContactReceived) {
        count(n, "P01,contacts", &contact.year(), &[]);
    }
    let id_of = |state: &State, field: &str| {
        state.object.get(field).map(|id| uuid::Uuid::parse_str(id.as_str().unwrap()).unwrap().as_u128())
    };
    let mut starts: HashMap<u128, Vec<i32>> = HashMap::new();
    for service in folding.acts(EventType::ServiceStarted) {
        if let Some(referral) = id_of(&service, "referral_id") {
            starts.entry(referral).or_default().push(service.occurred().from);
        }
    }
    for referral in firsts(folding.acts(EventType::VictimReferred)) {
        count(n, "S01,persons_referred", &referral.year(), &[]);
        let day = referral.occurred().from;
        let in_time = |from: &i32| (day..=day + 30).contains(from);
        if starts.get(&referral.id).is_some_and(|starts| starts.iter().any(in_time)) {
            count(n, "S01,persons_receiving_within_30_days", &referral.year(), &[]);
        }
    }
    let mut help: HashMap<u128, Vec<State>> = HashMap::new();
    for assistance in folding.acts(EventType::ReintegrationAssisted) {
        if let Some(home) = id_of(&assistance, "return_id") {
            help.entry(home).or_default().push(assistance);
        }
    }
    for home in firsts(folding.acts(EventType::VictimReturned)) {
        count(n, "R01,persons_returned", &home.year(), &[]);
        let Some(help) = help.get_mut(&home.id) else {
            continue;
        };
        help.sort_by_key(State::order);
        count(n, "R01,persons_assisted", &home.year(), &[]);
        for outcome in ["outcome_6", "outcome_12"] {
            let said = help.iter().rev().find_map(|assistance| assistance.object.get(outcome)?.as_str());
            count(
                n,
                &format!("R01,persons_assisted_{outcome}_months"),
                &home.year(),
                &[(outcome, vec![said.unwrap_or("_X")])],
            );
        }
    }
}

fn truth(world: World) -> Numbers {
    let cells = Truth::of(world).cells();
    cells.iter().map(|cell| (cell.to_string().rsplit_once(',').unwrap().0.to_owned(), cell.value)).collect()
}

fn differences(told: &Numbers, happened: &Numbers) -> Vec<String> {
    let keys: std::collections::BTreeSet<_> = told.keys().chain(happened.keys()).collect();
    let differing = keys.into_iter().filter(|key| told.get(*key) != happened.get(*key));
    differing.map(|key| format!("{key}: told {:?}, true {:?}", told.get(key), happened.get(key))).collect()
}

#[test]
fn what_the_feed_says_in_the_end_is_the_truth() {
    for seed in [1, 2] {
        let world = World::new(seed, Size::Small);
        let told = indicators(&Folding::of(world, ALL));
        assert_eq!(differences(&told, &truth(world)), Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn without_corrections_retractions_or_the_rule_of_conflicts_it_is_not() {
    let world = World::new(1, Size::Small);
    let happened = truth(world);
    let without = |rules| differences(&indicators(&Folding::of(world, rules)), &happened).len();
    assert!(without(Rules { corrections: false, ..ALL }) > 100);
    assert!(without(Rules { retractions: false, ..ALL }) > 100);
    assert!(without(Rules { least_bytes: false, ..ALL }) > 20);
}

#[test]
fn the_thirteen_indicators_have_large_national_numbers_in_every_year_that_knows_them() {
    let numbers = truth(World::new(1, Size::Small));
    let yearly = [
        (2011, 150, ("V01,victims", "province=_T")),
        (2011, 150, ("V02,victims", "province=_T")),
        (2011, 150, ("V03,victims", "exploitation=_T")),
        (2011, 25, ("V04,child", "")),
        (2011, 150, ("V11,victims", "referral_source=_T")),
        (2011, 60, ("C03,persons_arrested", "sex=_T")),
        (2019, 60, ("C04,persons_prosecuted", "province=_T")),
        (2020, 30, ("C05,persons_convicted", "sex=_T")),
        (2011, 100, ("S01,persons_referred", "")),
        (2011, 50, ("S01,persons_receiving_within_30_days", "")),
        (2011, 45, ("R01,persons_returned", "")),
        (2011, 30, ("R01,persons_assisted", "")),
    ];
    for (from, least, (what, dims)) in yearly {
        for year in from..=2025 {
            let number = numbers.get(&format!("{what},{year},{dims}")).copied().unwrap_or_default();
            assert!(number >= least, "{what} {year}: {number}");
        }
    }
    for what in ["C01,cases", "L01,inspections", "L02,inspections_finding"] {
        assert!(numbers.keys().filter(|key| key.starts_with(what)).count() > 50, "{what}");
    }
}
