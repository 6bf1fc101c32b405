//! What was not collected: cells of declared grids for which a report was expected and none came (flag L).
//!
//! On a declared grid a zero is a statement: the state did nothing. Where the bodies that could have said so are silent
//! (no fact, no "nothing to report"), the statement would be false, and the cell is marked as not collected
//! (domain.md 5, "zero against not reported"; privacy.md 6.6, 6.14).
//!
//! A report is missing when the steward expected it, its period has ended by `as_of`, the agency sent no fact of that
//! kind in the period and did not say that there was nothing. A cell is not collected when reports on it were expected
//! and all of them are missing, and nobody else reported there either. A national body reports on every province.
//!
//! Absent: marks on protected cells. There an L would confirm that nobody is there, which is never confirmed of persons;
//! missing and hidden look the same (Q).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use disclosure::{Column, Mark, Marked, Microdata, MicrodataSource, TableQuery};
use events::code_list;
use events::feed::ReportState;
use policy::{Agency, Policy, TimeLevel};

use super::EditionError;
use super::as_of::AsOf;
use crate::indicator::{self, Indicator, Table};
use crate::reference::Reference;
use crate::snapshot::{Report, Source};

/// What an edition is made from: rows for the vault, the reporting calendar, and reference data.
pub trait EditionSource: MicrodataSource {
    /// The reporting calendar: reports expected, and reports that there was nothing to report.
    fn calendar(&self) -> Result<Vec<Report>, Self::Error>;

    /// The rows of a dataset that began on one of these days (days since 1970-01-01).
    fn within(&self, dataset: &str, days: &RangeInclusive<i32>) -> Result<Microdata, Self::Error>;

    /// Reference data, of which denominators are made; what the program brings along where the source has none.
    fn reference(&self) -> Result<Reference, Self::Error> {
        Ok(Reference::built_in())
    }
}

impl EditionSource for Source<'_> {
    fn calendar(&self) -> Result<Vec<Report>, Self::Error> {
        self.snapshot().calendar()
    }

    fn within(&self, dataset: &str, days: &RangeInclusive<i32>) -> Result<Microdata, Self::Error> {
        Source::within(self, dataset, days)
    }

    fn reference(&self) -> Result<Reference, Self::Error> {
        Reference::of(self.snapshot(), self.policy())
    }
}

/// The reporting calendar as of a date, and who reported what.
pub(super) struct Calendar {
    /// Expected reports whose period has ended, and whether each is missing.
    expected: Vec<(Report, bool)>,
    /// Where facts are reported on, whoever reports them: for each dataset the kinds of which the grids ask.
    reported: BTreeMap<String, BTreeSet<Fact>>,
}

/// Some facts of an agency of about the same time in a province: as much of them as the calendar needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    agency: u16,
    /// First and last day on which they may have happened.
    from: i32,
    to: i32,
    province: u16,
}

impl Calendar {
    /// Reads the calendar, and of the datasets that have declared grids where they have facts.
    pub(super) fn read<S>(source: &S, policy: &Policy, as_of: AsOf) -> Result<Self, EditionError>
    where
        S: EditionSource,
        S::Error: std::fmt::Display,
    {
        let failed = |error: S::Error| EditionError::Microdata(error.to_string());
        let lines = source.calendar().map_err(failed)?;
        let mut reported = BTreeMap::new();
        let declared = |table: &&Table| table.is_exact(policy);
        for table in indicator::all().iter().flat_map(|indicator| &indicator.tables).filter(declared) {
            if !lines.is_empty() && !reported.contains_key(&table.dataset) {
                let rows = source.within(&table.dataset, &as_of.days()).map_err(failed)?;
                reported.insert(table.dataset.clone(), facts(&rows));
            }
        }
        Ok(Self::new(&lines, reported, as_of.day()))
    }

    fn new(lines: &[Report], reported: BTreeMap<String, BTreeSet<Fact>>, today: i32) -> Self {
        let due = lines.iter().filter(|line| !line.nil && line.to <= today);
        let expected = due.map(|line| (*line, is_missing(line, lines, &reported))).collect();
        Self { expected, reported }
    }

    /// Marks on the cells of a table that were not collected; none where all of it is protected. Where only its totals are
    /// exact (C05 by sex: the year's convictions), the vault lets them fall on these alone.
    pub(super) fn not_collected(
        &self,
        indicator: &Indicator,
        table: &Table,
        query: &TableQuery,
        policy: &Policy,
    ) -> Vec<Mark> {
        if !table.has_exact_cells(policy) {
            return Vec::new();
        }
        let mut marks = Vec::new();
        for (period, days) in periods(query) {
            for (place, of) in places(indicator, query, policy) {
                if self.is_silent(&table.dataset, days, &of) {
                    let at = place.into_iter().chain([period.clone()]).map(|(name, code)| (name, vec![code]));
                    marks.push(Mark { status: Marked::NotCollected, at: at.collect() });
                }
            }
        }
        marks
    }

    /// Whether reports on this were expected, all of them are missing, and nobody else reported on it.
    pub(super) fn is_silent(&self, dataset: &str, (from, to): (i32, i32), of: &Place<'_>) -> bool {
        let Some(kind) = kind_of(dataset) else { return false };
        let concerns = |line: &Report| line.kind == kind && line.from <= to && from <= line.to;
        let mut missing =
            self.expected.iter().filter(|(line, _)| concerns(line) && of.may_come_from(line.agency)).map(|(_, m)| *m);
        let silent = missing.next().is_some_and(|first| first && missing.all(|each| each));
        let here = |fact: &Fact| fact.from <= to && from <= fact.to && of.is_of(fact);
        silent && !self.reported.get(dataset).is_some_and(|facts| facts.iter().any(here))
    }
}

/// A part of a grid, as far as reporting bodies differ by it.
pub(super) struct Place<'a> {
    /// The bodies of the indicator's groups, or of one group.
    pub(super) agencies: Vec<&'a Agency>,
    /// One province: its name and code.
    pub(super) province: Option<(&'static str, u16)>,
}

impl Place<'_> {
    /// Whether an agency reports on this: those of the province, and national ones.
    fn may_come_from(&self, agency: u16) -> bool {
        let here = |a: &&&Agency| match (&a.province, self.province) {
            (Some(own), Some((asked, _))) => own == asked,
            _ => true,
        };
        self.agencies.iter().filter(here).any(|a| a.index == agency)
    }

    /// Whether a fact lies here.
    fn is_of(&self, fact: &Fact) -> bool {
        self.agencies.iter().any(|a| a.index == fact.agency)
            && self.province.is_none_or(|(_, code)| code == fact.province)
    }
}

/// What is reported, as the calendar calls it: by the name of the dataset.
fn kind_of(dataset: &str) -> Option<u16> {
    code_list::list("report_kind").code(dataset)
}

/// When an agency spoke of something, wherever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spoken {
    /// Number of the agency.
    pub(crate) agency: u16,
    /// Of what (list `report_kind`).
    pub(crate) kind: u16,
    /// First and last day on which it may have happened.
    pub(crate) from: i32,
    pub(crate) to: i32,
}

/// The reports that are expected, and how far each is: missing by the rule by which cells are marked as not collected.
pub(crate) fn missing_reports(lines: &[Report], spoke: &[Spoken], today: i32) -> Vec<(Report, ReportState)> {
    let kinds = code_list::list("report_kind");
    let mut reported: BTreeMap<String, BTreeSet<Fact>> =
        kinds.codes.iter().map(|kind| (kind.code.to_owned(), BTreeSet::new())).collect();
    for Spoken { agency, kind, from, to } in spoke.iter().copied() {
        let fact = Fact { agency, from, to, province: code_list::list("province").unknown() };
        reported.entry(kinds.text(kind).to_owned()).or_default().insert(fact);
    }
    let state = |line: &Report| {
        let nil = |other: &&Report| other.nil && other.agency == line.agency && other.kind == line.kind;
        let nothing = lines.iter().filter(nil).any(|other| other.from <= line.to && line.from <= other.to);
        match (is_missing(line, lines, &reported), nothing) {
            (true, _) if line.to > today => ReportState::Ahead,
            (true, _) => ReportState::Missing,
            (false, true) => ReportState::Nothing,
            (false, false) => ReportState::Received,
        }
    };
    lines.iter().filter(|line| !line.nil).map(|line| (*line, state(line))).collect()
}

fn is_missing(line: &Report, lines: &[Report], reported: &BTreeMap<String, BTreeSet<Fact>>) -> bool {
    let meets = |from: i32, to: i32| from <= line.to && line.from <= to;
    let nil = |other: &Report| other.nil && other.agency == line.agency && other.kind == line.kind;
    let kinds = code_list::list("report_kind");
    let facts = reported.get(kinds.codes[usize::from(line.kind)].code);
    let spoke = |fact: &Fact| fact.agency == line.agency && meets(fact.from, fact.to);
    !lines.iter().any(|other| nil(other) && meets(other.from, other.to))
        && facts.is_some_and(|facts| !facts.iter().any(spoke))
}

/// The periods of a question that have dates.
fn periods(query: &TableQuery) -> Vec<((String, u16), (i32, i32))> {
    let mut periods = Vec::new();
    for (level, name) in [(TimeLevel::Year, "year"), (TimeLevel::Quarter, "quarter")] {
        for dimension in query.by.iter().filter(|dimension| dimension.name == name) {
            let dated = dimension.codes.iter().filter_map(|&code| Some(((name.to_owned(), code), level.days(code)?)));
            periods.extend(dated);
        }
    }
    periods
}

/// The parts of a question by province and group of agencies, the whole among them.
fn places<'a>(indicator: &Indicator, query: &TableQuery, policy: &'a Policy) -> Vec<(Vec<(String, u16)>, Place<'a>)> {
    let codes = |name: &str| {
        let dimension = query.by.iter().find(|dimension| dimension.name == name);
        dimension.map_or(&[][..], |dimension| dimension.codes.as_slice())
    };
    let provinces = code_list::list("province");
    let known = codes("province").iter().filter(|&&code| code != provinces.unknown());
    let groups = code_list::list("agency_group");
    let mut places = Vec::new();
    for group in std::iter::once(None).chain(codes("agency_group").iter().map(Some)) {
        let in_group = |agency: &&Agency| {
            indicator.agencies.contains(&agency.group)
                && group.is_none_or(|&code| groups.codes[usize::from(code)].code == agency.group)
        };
        let agencies: Vec<&Agency> = policy.agencies.iter().filter(in_group).collect();
        for province in std::iter::once(None).chain(known.clone().map(Some)) {
            let mut at: Vec<(String, u16)> = group.map(|&code| ("agency_group".to_owned(), code)).into_iter().collect();
            at.extend(province.map(|&code| ("province".to_owned(), code)));
            let province = province.map(|&code| (provinces.codes[usize::from(code)].code, code));
            places.push((at, Place { agencies: agencies.clone(), province }));
        }
    }
    places
}

/// Who reported in which period and province, each once.
fn facts(rows: &Microdata) -> BTreeSet<Fact> {
    let one = |name: &str| match rows.dims.get(name) {
        Some(Column::One(codes)) => Some(codes.as_slice()),
        _ => None,
    };
    let (year, quarter, month, province) = (one("year"), one("quarter"), one("month"), one("province"));
    let unknown = code_list::list("province").unknown();
    let at = |column: Option<&[u16]>, row: usize| column.and_then(|codes| codes.get(row).copied());
    let mut facts = BTreeSet::new();
    for row in 0..rows.agency.len() {
        let days = [(TimeLevel::Month, month), (TimeLevel::Quarter, quarter), (TimeLevel::Year, year)];
        let Some((from, to)) = days.into_iter().find_map(|(level, column)| level.days(at(column, row)?)) else {
            continue;
        };
        let province = at(province, row).unwrap_or(unknown);
        facts.insert(Fact { agency: rows.agency[row], from, to, province });
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::super::reports::Reports;
    use super::*;

    /// The first and last day of a year.
    fn year(year: u16) -> (i32, i32) {
        TimeLevel::Year.days(year).unwrap()
    }

    fn as_of() -> AsOf {
        AsOf::new("2025-01-31".parse().unwrap()).unwrap()
    }

    struct Told {
        lines: Vec<Report>,
        facts: BTreeSet<Fact>,
        policy: Policy,
    }

    impl Told {
        fn new() -> Self {
            Self { lines: Vec::new(), facts: BTreeSet::new(), policy: Policy::default() }
        }

        fn line(mut self, agency: &str, (from, to): (i32, i32), nil: bool) -> Self {
            let agency = self.policy.agencies.get(agency).unwrap().index;
            self.lines.push(Report { agency, kind: kind_of("cases").unwrap(), from, to, nil });
            self
        }

        fn expected(self, agency: &str, of: u16) -> Self {
            self.line(agency, year(of), false)
        }

        fn nothing(self, agency: &str, of: u16) -> Self {
            self.line(agency, year(of), true)
        }

        fn fact(mut self, agency: &str, of: u16, province: &str) -> Self {
            let agency = self.policy.agencies.get(agency).unwrap().index;
            let (from, to) = year(of);
            self.facts.insert(Fact { agency, from, to, province: code("province", province) });
            self
        }

        /// The marks on C01 (quarter × province × agency group), as `period province group`.
        fn marks(&self) -> Vec<String> {
            let indicator = indicator::all().iter().find(|i| i.id == "C01").unwrap();
            let table = &indicator.tables[0];
            let query = table.query(&self.policy, indicator::Years { first: 2024, last: 2024 }).unwrap();
            let reported = BTreeMap::from([("cases".to_owned(), self.facts.clone())]);
            let calendar = Calendar::new(&self.lines, reported, as_of().day());
            let marks = calendar.not_collected(indicator, table, &query, &self.policy);
            marks.iter().filter(|mark| mark.status == Marked::NotCollected).map(spell).collect()
        }
    }

    fn code(list: &str, code: &str) -> u16 {
        code_list::list(list).code(code).unwrap()
    }

    fn spell(mark: &Mark) -> String {
        let text = |name: &str| mark.at.get(name).map_or("all", |codes| code_list::list(name).text(codes[0]));
        let quarter = indicator::quarter_name(mark.at["quarter"][0]);
        format!("{quarter} {} {}", text("province"), text("agency_group"))
    }

    /// Whether each cell of C01 is marked, and what a question about it hears.
    fn marked_and_asked(told: Told) -> Vec<(String, bool, bool)> {
        use disclosure::Reporting;
        let indicator = indicator::all().iter().find(|i| i.id == "C01").unwrap();
        let table = &indicator.tables[0];
        let query = table.query(&told.policy, indicator::Years { first: 2024, last: 2024 }).unwrap();
        let reported = BTreeMap::from([("cases".to_owned(), told.facts)]);
        let calendar = Calendar::new(&told.lines, reported, as_of().day());
        let marks = calendar.not_collected(indicator, table, &query, &told.policy);
        let reports = Reports::of(calendar, &told.policy);
        let codes = |name: &str| {
            let dimension = query.by.iter().find(|dimension| dimension.name == name).unwrap();
            dimension.codes.iter().map(|&code| Some(code)).chain([None]).collect::<Vec<_>>()
        };
        let mut cells = Vec::new();
        for quarter in codes("quarter").into_iter().flatten() {
            for province in codes("province") {
                for group in codes("agency_group") {
                    let named = [("quarter", Some(quarter)), ("province", province), ("agency_group", group)];
                    let at =
                        named.into_iter().filter_map(|(name, code)| Some((name.to_owned(), vec![code?]))).collect();
                    let covers = |mark: &Mark| {
                        mark.at.iter().all(|(name, codes)| disclosure::CodesAt::get(&at, name) == Some(codes))
                    };
                    cells.push((format!("{at:?}"), marks.iter().any(covers), reports.is_silent("cases", &at)));
                }
            }
        }
        cells
    }

    #[test]
    fn a_question_hears_of_each_cell_what_the_edition_says() {
        let expected =
            |told: Told| ["POL-GB", "POL-PB", "FIA"].iter().fold(told, |told, agency| told.expected(agency, 2024));
        for told in [
            expected(Told::new()),
            expected(Told::new()).fact("FIA", 2024, "PK-PB"),
            expected(Told::new()).fact("POL-PB", 2024, "PK-GB"),
            expected(Told::new()).nothing("POL-GB", 2024),
            Told::new().expected("POL-GB", 2024),
            Told::new(),
        ] {
            let cells = marked_and_asked(told);
            assert!(cells.len() > 100);
            for (cell, marked, asked) in cells {
                assert_eq!(marked, asked, "{cell}");
            }
        }
    }

    #[test]
    fn a_report_that_was_expected_and_did_not_come_is_not_collected() {
        let told = Told::new().expected("POL-GB", 2024).expected("FIA", 2024).fact("FIA", 2024, "PK-PB");
        let quarters: Vec<String> = (1..=4).map(|q| format!("2024-Q{q} PK-GB POL")).collect();
        let mut marks = told.marks();
        // The police of one province were expected, so they are all the police there are.
        marks.retain(|mark| !mark.contains(" all POL"));
        assert_eq!(marks, quarters);
    }

    #[test]
    fn who_says_that_there_was_nothing_has_reported() {
        assert!(Told::new().expected("POL-GB", 2024).nothing("POL-GB", 2024).marks().is_empty());
    }

    #[test]
    fn who_sent_a_fact_has_reported_wherever_it_happened() {
        assert!(Told::new().expected("POL-GB", 2024).fact("POL-GB", 2024, "PK-PB").marks().is_empty());
    }

    #[test]
    fn what_was_not_expected_is_not_missing() {
        assert!(Told::new().marks().is_empty());
        assert!(Told::new().expected("POL-GB", 2023).marks().is_empty());
    }

    #[test]
    fn a_report_on_a_year_that_is_not_over_is_not_missing() {
        assert!(Told::new().expected("POL-GB", 2025).marks().is_empty());
    }

    #[test]
    fn a_total_is_collected_where_one_body_reported() {
        let both = Told::new().expected("POL-GB", 2024).expected("POL-PB", 2024).fact("POL-PB", 2024, "PK-PB");
        assert!(both.marks().iter().all(|mark| mark.ends_with("PK-GB POL") || mark.ends_with("PK-GB all")));
        let none = Told::new().expected("POL-GB", 2024).expected("FIA", 2024);
        assert!(none.marks().contains(&"2024-Q3 all all".to_owned()));
    }

    #[test]
    fn what_another_body_reported_there_is_not_hidden() {
        let told = Told::new().expected("POL-GB", 2024).fact("POL-PB", 2024, "PK-GB");
        assert!(!told.marks().iter().any(|mark| mark.contains("PK-GB")));
    }

    #[test]
    fn nothing_is_marked_on_a_protected_table() {
        let told = Told::new().expected("FIA", 2024);
        let indicator = indicator::all().iter().find(|i| i.id == "V01").unwrap();
        let kind = kind_of("victims").unwrap();
        let lines: Vec<Report> = told.lines.iter().map(|line| Report { kind, ..*line }).collect();
        let reported = BTreeMap::from([("victims".to_owned(), BTreeSet::new())]);
        let calendar = Calendar::new(&lines, reported, as_of().day());
        for table in &indicator.tables {
            let query = table.query(&told.policy, indicator::Years { first: 2024, last: 2024 }).unwrap();
            assert!(calendar.not_collected(indicator, table, &query, &told.policy).is_empty());
        }
    }

    #[test]
    fn the_exact_total_of_a_protected_table_is_marked_and_no_other_cell_of_it() {
        let told = Told::new().expected("PRO-PB", 2024);
        let indicator = indicator::all().iter().find(|i| i.id == "C05").unwrap();
        let court = told.policy.agencies.iter().find(|agency| agency.group == "CRT").unwrap().index;
        let kind = kind_of("judgments").unwrap();
        let lines: Vec<Report> = told.lines.iter().map(|line| Report { kind, agency: court, ..*line }).collect();
        let reported = BTreeMap::from([("judgments".to_owned(), BTreeSet::new())]);
        let calendar = Calendar::new(&lines, reported, as_of().day());
        for table in &indicator.tables {
            let query = table.query(&told.policy, indicator::Years { first: 2024, last: 2024 }).unwrap();
            let marks = calendar.not_collected(indicator, table, &query, &told.policy);
            assert_eq!(marks.len(), 1, "{:?}", table.by);
            assert_eq!(marks[0].at, BTreeMap::from([("year".to_owned(), vec![2024])]));
        }
    }

    #[test]
    fn months_known_make_a_fact_as_narrow_as_its_month() {
        let rows = Microdata {
            dataset: "cases".into(),
            sid: vec![1, 2],
            case_sid: vec![1, 2],
            agency: vec![0, 0],
            served_by: None,
            dims: BTreeMap::from([
                ("year".to_owned(), Column::One(vec![2024, 2024])),
                ("quarter".to_owned(), Column::One(vec![indicator::quarter_code(2024, 2), policy::time::UNKNOWN])),
                (
                    "month".to_owned(),
                    Column::One(vec![TimeLevel::Month.of_day(year(2024).0 + 100), policy::time::UNKNOWN]),
                ),
            ]),
            measures: BTreeMap::new(),
        };
        let spans: Vec<i32> = facts(&rows).iter().map(|fact| fact.to - fact.from).collect();
        assert_eq!(spans, [365, 29]);
    }

    #[test]
    fn each_expected_report_is_ahead_received_nothing_or_missing() {
        use ReportState::{Ahead, Missing, Nothing, Received};
        let told = Told::new()
            .expected("FIA", 2022)
            .expected("FIA", 2023)
            .expected("FIA", 2024)
            .expected("FIA", 2025)
            .nothing("FIA", 2023);
        let agency = told.policy.agencies.get("FIA").unwrap().index;
        let (from, to) = year(2022);
        let spoke = Spoken { agency, kind: kind_of("cases").unwrap(), from, to: to - 300 };
        let states = |spoke: &[Spoken]| -> Vec<ReportState> {
            missing_reports(&told.lines, spoke, as_of().day()).into_iter().map(|(_, state)| state).collect()
        };
        assert_eq!(states(&[spoke]), [Received, Nothing, Missing, Ahead]);
        let other = Spoken { kind: kind_of("charges").unwrap(), ..spoke };
        assert_eq!(states(&[other]), [Missing, Nothing, Missing, Ahead]);
    }
}
