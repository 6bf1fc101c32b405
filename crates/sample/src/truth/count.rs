//! How each indicator counts a story; the definitions stand in the module above.

use crate::codes::{Code, UNKNOWN};
use crate::when::{civil, days};
use crate::world::account::{
    Action, Arrested, Case, Charged, Contact, Filed, Identification, Inspection, Judged, Judgment, Known, Link, Named,
    Referred, ReferredFindings, Return, Returned, Story, Victim,
};

use super::grids::{Grid, Period, Tally};

const ACTUAL: Code = "actual";
const PTPA: [Code; 3] = ["PTPA-3-1", "PTPA-3-2", "PTPA-4"];

const fn grid(indicator: &'static str, measure: &'static str, dims: &'static [&'static str]) -> Grid {
    Grid { indicator, measure, dims, totals: true }
}

/// A grid whose total is published under another name, and therefore not here.
const fn parts(indicator: &'static str, measure: &'static str, dims: &'static [&'static str]) -> Grid {
    Grid { totals: false, ..grid(indicator, measure, dims) }
}

const V01_PLACE: Grid = grid("V01", "victims", &["province"]);
const V01_PERSON: Grid = grid("V01", "victims", &["sex", "age_group"]);
const V02: Grid = grid("V02", "victims", &["province"]);
const V03: Grid = grid("V03", "victims", &["exploitation"]);
const V03_SEX: Grid = grid("V03", "victims", &["exploitation", "sex"]);
const V03_AGE: Grid = grid("V03", "victims", &["exploitation", "age_group"]);
const V11: Grid = grid("V11", "victims", &["referral_source"]);
const C01: Grid = grid("C01", "cases", &["province", "agency_group"]);
const C03_SEX: Grid = grid("C03", "persons_arrested", &["sex"]);
const C03_ROLE: Grid = grid("C03", "persons_arrested", &["role"]);
const C04: Grid = grid("C04", "persons_prosecuted", &["province"]);
const C05_SEX: Grid = grid("C05", "persons_convicted", &["sex"]);
const C05_CITIZENSHIP: Grid = grid("C05", "persons_convicted", &["citizenship"]);
const C05_SECTION: Grid = parts("C05", "persons_convicted", &["section"]);
const L01: Grid = grid("L01", "inspections", &["province", "sector"]);
const L02_FOUND: Grid = grid("L02", "inspections_finding", &["province"]);
const S01: Grid = grid("S01", "persons_referred", &[]);
const S01_STARTED: Grid = grid("S01", "persons_receiving_within_30_days", &[]);
const R01: Grid = grid("R01", "persons_returned", &[]);
const R01_ASSISTED: Grid = grid("R01", "persons_assisted", &[]);
const V10: Grid = grid("V10", "possible_victims", &[]);
const V10_DETERMINED: Grid = grid("V10", "possible_victims_determined_within_90_days", &[]);
const V12: Grid = grid("V12", "victims", &[]);
const V12_AGAIN: Grid = grid("V12", "victims_identified_again_within_24_months", &[]);
const C09_ACCUSED: [Grid; 2] = [grid("C09", "persons_accused", &[]), grid("C09", "officials_accused", &[])];
const C09_PROSECUTED: Grid = grid("C09", "persons_prosecuted", &[]);
const C09_CONVICTED: Grid = grid("C09", "persons_convicted", &[]);
const P01: Grid = grid("P01", "contacts", &[]);
const Q01: Grid = grid("Q01", "persons_identified", &[]);
const Q01_PLAUSIBLE: Grid = grid("Q01", "persons_if_all_plausible_linked", &[]);
const L04: Grid = grid("L04", "inspections_referred", &["province"]);
const L04_ACTED: Grid = grid("L04", "inspections_acted_on", &["province"]);
const R01_6: Grid = parts("R01", "persons_assisted_outcome_6_months", &["outcome_6"]);
const R01_12: Grid = parts("R01", "persons_assisted_outcome_12_months", &["outcome_12"]);

/// A grid of time alone has one nameless group.
const NATIONAL: &[Code] = &[""];

/// Counts all that a story holds.
pub(super) fn story(tally: &mut Tally, story: &Story) {
    story.victims.iter().for_each(|victim| identified(tally, victim));
    counted_cases(story).for_each(|case| registered(tally, case));
    accused(tally, story);
    story.arrested.iter().for_each(|person| arrested(tally, person));
    story.charged.iter().for_each(|person| charged(tally, person));
    story.judged.iter().for_each(|person| convicted(tally, person));
    story.inspections.iter().for_each(|inspection| inspected(tally, inspection));
    story.inspections.iter().for_each(|inspection| followed_up(tally, story, inspection));
    story.referred.iter().for_each(|person| referred(tally, person));
    story.returned.iter().for_each(|person| returned(tally, person));
    story.contacts.iter().for_each(|contact| contacted(tally, contact));
}

/// The order of acts: day, time of recording, event id.
fn order(filed: &Filed) -> (i32, i64, u128) {
    (filed.when.from(), filed.recorded_ms, filed.id.0)
}

fn first<T>(acts: &[T], filed: impl Fn(&T) -> &Filed) -> Option<&T> {
    acts.iter().min_by_key(|act| order(filed(act)))
}

fn any_ptpa(sections: &[Code]) -> bool {
    sections.iter().any(|section| PTPA.contains(section))
}

fn latest_status(records: &[Identification]) -> Code {
    let identified = records.iter().map(|record| (order(&record.filed), record.status));
    let determined = records.iter().flat_map(|record| &record.determinations).map(|d| (order(&d.filed), d.status));
    identified.chain(determined).max_by_key(|(at, _)| *at).map_or(UNKNOWN, |(_, status)| status)
}

fn age_group(band: Code) -> Code {
    match band {
        "00-08" | "09-17" => "child",
        UNKNOWN => UNKNOWN,
        _ => "adult",
    }
}

/// `PK-PB-LHR` lies in `PK-PB`.
fn province_of(place: Code) -> Code {
    if place == UNKNOWN { UNKNOWN } else { &place[..5] }
}

fn identified(tally: &mut Tally, victim: &Victim) {
    let Some(record) = first(&victim.records, |record| &record.filed) else {
        return;
    };
    let (year, quarter) = (Period::year(record.filed.when), Period::quarter(record.filed.when));
    tally.count(Q01, year, NATIONAL, "");
    tally.count(Q01_PLAUSIBLE, year, NATIONAL, "");
    if record.status == "possible" {
        tally.count(V10, year, NATIONAL, "");
        if determined_soon(victim, record) {
            tally.count(V10_DETERMINED, year, NATIONAL, "");
        }
    }
    if latest_status(&victim.records) != ACTUAL {
        return;
    }
    tally.count(V12, year, NATIONAL, "");
    if found_again(victim, record) {
        tally.count(V12_AGAIN, year, NATIONAL, "");
    }
    let (province, age) = (province_of(record.place_identified), age_group(record.age_band));
    tally.count(V01_PLACE, quarter, &[province], "");
    tally.count(V01_PLACE, year, &[province], "");
    tally.count(V01_PERSON, year, &[record.sex], age);
    tally.count(V02, year, &[province], "");
    tally.count(V03, year, &record.exploitation, "");
    tally.count(V03_SEX, year, &record.exploitation, record.sex);
    tally.count(V03_AGE, year, &record.exploitation, age);
    let measure = match age {
        "child" => "child",
        "adult" => "adult",
        _ => "unknown",
    };
    tally.count(grid("V04", measure, &[]), year, NATIONAL, "");
    tally.count(V11, year, &[record.referral_source], "");
}

/// Whether anybody decided what she is on or before the 90th day.
fn determined_soon(victim: &Victim, first: &Identification) -> bool {
    let decided = victim.records.iter().flat_map(|record| &record.determinations);
    let mut settled = decided.filter(|decided| matches!(decided.status, ACTUAL | "not_victim"));
    settled.any(|decided| decided.filed.when.from() <= first.filed.when.from() + 90)
}

/// Whether another record found her more than 90 days and at most 24 months after the first.
fn found_again(victim: &Victim, first: &Identification) -> bool {
    let from = first.filed.when.from();
    let again = from + 91..=two_years_after(from);
    victim.records.iter().any(|record| again.contains(&record.filed.when.from()) && record.status != "not_victim")
}

fn two_years_after(day: i32) -> i32 {
    match civil(day) {
        (year, 2, 29) => days(year + 2, 2, 28),
        (year, month, day) => days(year + 2, month, day),
    }
}

/// Cases but those that are about one event with one that was registered under the PTPA before.
fn counted_cases(story: &Story) -> impl Iterator<Item = &Case> {
    let order = |case: &Case| (case.filed.when.from(), case.filed.recorded_ms);
    let is_before = move |one: &Case, other: &Case| any_ptpa(&one.sections) && order(one) < order(other);
    let again = || story.registered_again.iter();
    let first = move |case: &&Case| {
        !again().any(|(copy, link)| link.other.number == case.record.number && is_before(copy, case))
    };
    let original = |link: &Link| story.cases.iter().find(|case| case.record.number == link.other.number);
    let stands = move |(copy, link): &(Case, Link)| !original(link).is_some_and(|case| is_before(case, copy));
    let copies = story.registered_again.iter().filter(move |pair| stands(pair)).map(|(copy, _)| copy);
    story.cases.iter().filter(first).chain(copies)
}

/// Persons accused, by agency: as first arrested, or as first known where there was no arrest.
fn accused(tally: &mut Tally, story: &Story) {
    let same = |one: Named, other: Named| one.agency == other.agency && one.person == other.person;
    let says_so = |known: &Known| known.official == Some("yes");
    for person in &story.arrested {
        let Some(arrest) = first(&person.arrests, |arrest| &arrest.filed) else { continue };
        let known = story.known.iter().filter(|known| same(known.named, person.named)).any(says_so);
        let official = known || person.arrests.iter().any(|arrest| arrest.official == Some("yes"));
        for grid in C09_ACCUSED.iter().take(1 + usize::from(official)) {
            tally.count(*grid, Period::year(arrest.filed.when), NATIONAL, "");
        }
    }
    let never = |known: &&Known| !story.arrested.iter().any(|person| same(known.named, person.named));
    for known in story.known.iter().filter(never) {
        for grid in C09_ACCUSED.iter().take(1 + usize::from(says_so(known))) {
            tally.count(*grid, Period::year(known.filed.when), NATIONAL, "");
        }
    }
}

/// What became of what an inspection found.
fn followed_up(tally: &mut Tally, story: &Story, inspection: &Inspection) {
    let of = |referred: &&ReferredFindings| {
        referred.inspection == inspection.filed.id && matches!(referred.to, "POL" | "FIA")
    };
    let mut referred = story.referred_findings.iter().filter(of).peekable();
    if referred.peek().is_none() {
        return;
    }
    let (year, province) = (Period::year(inspection.filed.when), province_of(inspection.place));
    tally.count(L04, year, &[province], "");
    let acts =
        |action: &Action| matches!(action.action, "case_registered" | "investigation_opened" | "service_provided");
    if referred.any(|referred| referred.action.as_ref().is_some_and(acts)) {
        tally.count(L04_ACTED, year, &[province], "");
    }
}

fn registered(tally: &mut Tally, case: &Case) {
    if any_ptpa(&case.sections) {
        let group = case.record.agency.group;
        tally.count(C01, Period::quarter(case.filed.when), &[case.province], group);
    }
}

fn arrested(tally: &mut Tally, person: &Arrested) {
    let Some(arrest) = first(&person.arrests, |arrest| &arrest.filed) else {
        return;
    };
    let year = Period::year(arrest.filed.when);
    tally.count(C03_SEX, year, &[arrest.accused.sex], "");
    tally.count(C03_ROLE, year, &arrest.roles, "");
}

fn charged(tally: &mut Tally, person: &Charged) {
    let prosecuting: Vec<_> =
        person.charges.iter().filter(|charge| any_ptpa(&charge.sections) && charge.withdrawn.is_none()).collect();
    if let Some(charge) = first(&prosecuting, |charge| &charge.filed) {
        let year = Period::year(charge.filed.when);
        tally.count(C04, year, &[charge.province], "");
        tally.count(C09_PROSECUTED, year, NATIONAL, "");
    }
}

fn convicts(judgment: &Judgment) -> bool {
    let last = judgment.appeals.last().map(|appeal| appeal.outcome);
    any_ptpa(&judgment.sections)
        && matches!(judgment.verdict, "convicted" | "convicted_lesser")
        && last != Some("overturned")
}

fn convicted(tally: &mut Tally, person: &Judged) {
    let convicting: Vec<_> = person.judgments.iter().filter(|judgment| convicts(judgment)).collect();
    let Some(judgment) = first(&convicting, |judgment| &judgment.filed) else {
        return;
    };
    let year = Period::year(judgment.filed.when);
    let sections: Vec<Code> = judgment.sections.iter().copied().filter(|section| PTPA.contains(section)).collect();
    tally.count(C05_SEX, year, &[judgment.accused.sex], "");
    tally.count(C05_CITIZENSHIP, year, &[judgment.accused.citizenship], "");
    tally.count(C05_SECTION, year, &sections, "");
    tally.count(C09_CONVICTED, year, NATIONAL, "");
}

fn inspected(tally: &mut Tally, inspection: &Inspection) {
    if !matches!(inspection.kind, "child" | "bonded") {
        return;
    }
    let quarter = Period::quarter(inspection.filed.when);
    let province = province_of(inspection.place);
    tally.count(L01, quarter, &[province], inspection.sector);
    if inspection.outcomes.iter().any(|found| matches!(*found, "child_labour_found" | "bonded_labour_found")) {
        tally.count(L02_FOUND, quarter, &[province], "");
    }
}

fn contacted(tally: &mut Tally, contact: &Contact) {
    tally.count(P01, Period::year(contact.filed.when), NATIONAL, "");
}

fn referred(tally: &mut Tally, person: &Referred) {
    let Some(referral) = first(&person.referrals, |referral| &referral.filed) else {
        return;
    };
    let year = Period::year(referral.filed.when);
    tally.count(S01, year, NATIONAL, "");
    let day = referral.filed.when.from();
    let in_time = |from: i32| (0..=30).contains(&(from - day));
    if referral.services.iter().any(|service| in_time(service.filed.when.from())) {
        tally.count(S01_STARTED, year, NATIONAL, "");
    }
}

fn returned(tally: &mut Tally, person: &Returned) {
    let Some(home) = first(&person.returns, |home| &home.filed) else {
        return;
    };
    let year = Period::year(home.filed.when);
    tally.count(R01, year, NATIONAL, "");
    if home.assistance.is_empty() {
        return;
    }
    tally.count(R01_ASSISTED, year, NATIONAL, "");
    tally.count(R01_6, year, &[latest_outcome(home, |a| a.outcome_6)], "");
    tally.count(R01_12, year, &[latest_outcome(home, |a| a.outcome_12)], "");
}

/// What the latest assistance says that says anything.
fn latest_outcome(home: &Return, outcome: impl Fn(&crate::world::account::Assistance) -> Option<Code>) -> Code {
    home.assistance
        .iter()
        .filter_map(|assistance| Some((order(&assistance.filed), outcome(assistance)?)))
        .max_by_key(|(at, _)| *at)
        .map_or(UNKNOWN, |(_, code)| code)
}
