//! The vault as a whole: the same question for ever the same number, nearly the same persons too; what it remembers
//! outlives it; charges (privacy.md 6.7, 6.8).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use disclosure::{
    Answered, Breakdown, CellQuery, Condition, Entry, Head, Measure, ReleaseStore, Remembered, Room, StoreError, Vault,
    VaultError,
};
use policy::{Policy, Profile, Share};

use crate::support::*;

fn room(victims: &[Victim]) -> Room {
    room_of(1, victims)
}

fn room_of(edition: i64, victims: &[Victim]) -> Room {
    let span = disclosure::Span { edition, ..span() };
    Room::new(span, BTreeMap::from([("victims".to_owned(), prepared("victims", victims))]))
}

fn asked(population: &[(&str, &[u16])], by: &[&str]) -> CellQuery {
    let victims = Policy::default().datasets.get("victims").unwrap().clone();
    let condition = |(level, codes): &(&str, &[u16])| Condition {
        dimension: victims.dimension_of(level).unwrap().to_owned(),
        level: (*level).to_owned(),
        codes: codes.to_vec(),
    };
    CellQuery {
        dataset: "victims".into(),
        population: population.iter().map(condition).collect(),
        by: by.iter().map(|level| Breakdown::Level((*level).to_owned())).collect(),
        measures: vec![Measure::Units],
    }
}

fn numbers(answered: &Answered) -> Vec<Option<i64>> {
    answered.cells.iter().map(|cell| value(&cell.figures[0])).collect()
}

fn one(vault: &Vault, question: CellQuery) -> Option<i64> {
    numbers(&vault.ask(&[question], Share::Ministry).unwrap()[0])[0]
}

/// A store that several vaults have open, as processes have a file.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Remembered>>);

impl ReleaseStore for Shared {
    fn head(&mut self) -> Result<Head, StoreError> {
        self.0.lock().unwrap().head()
    }

    fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError> {
        self.0.lock().unwrap().replay(after, each)
    }

    fn commit(&mut self, after: Head, new: &[Entry]) -> Result<Head, StoreError> {
        self.0.lock().unwrap().commit(after, new)
    }
}

fn opened(store: &Shared) -> Vault {
    Vault::open(Arc::new(Policy::default()), &keys(), Box::new(store.clone())).unwrap()
}

#[test]
fn one_person_more_or_less_is_the_same_number() {
    // The equality oracle (A5): with and without one of them.
    let vault = vault();
    let mut all = people(1..=40, |_| ());
    all[0].province = code("province", "PK-SD");
    vault.enter(room(&all));
    let everybody = one(&vault, asked(&[("year", &[2024])], &[]));
    let without = one(&vault, asked(&[("year", &[2024]), ("province", &[code("province", "PK-PB")])], &[]));
    assert!(everybody.is_some());
    assert_eq!(everybody, without);
}

#[test]
fn what_was_asked_first_answers_for_what_is_near_it() {
    let all = {
        let mut all = people(1..=40, |_| ());
        all[0].province = code("province", "PK-SD");
        all
    };
    let (whole, part) = (
        asked(&[("year", &[2024])], &[]),
        asked(&[("year", &[2024]), ("province", &[code("province", "PK-PB")])], &[]),
    );
    let first_whole = vault();
    first_whole.enter(room(&all));
    let first_part = vault();
    first_part.enter(room(&all));
    let a = one(&first_whole, whole.clone());
    let b = one(&first_part, part.clone());
    assert_eq!(a, one(&first_whole, part));
    assert_eq!(b, one(&first_part, whole));
    assert_ne!(a, b, "each has noise of its own; these keys draw different ones");
}

#[test]
fn a_set_that_is_far_has_a_number_of_its_own() {
    let vault = vault();
    let mut all = people(1..=200, |_| ());
    all.iter_mut().take(60).for_each(|v| v.province = code("province", "PK-SD"));
    vault.enter(room(&all));
    let by_province = numbers(&vault.ask(&[asked(&[("year", &[2024])], &["province"])], Share::Ministry).unwrap()[0]);
    let shown: Vec<i64> = by_province.into_iter().flatten().collect();
    assert_eq!(shown.len(), 2);
    assert!(shown.iter().any(|n| n.abs_diff(140) <= 10) && shown.iter().any(|n| n.abs_diff(60) <= 10));
}

#[test]
fn the_same_question_has_the_same_number_after_a_restart() {
    let store = Shared::default();
    let all = people(1..=300, |v| v.province = (v.sid % 3) as u16);
    let question = asked(&[], &["province", "year"]);
    let mut before = {
        let vault = opened(&store);
        vault.enter(room(&all));
        vault.ask(std::slice::from_ref(&question), Share::Ministry).unwrap()
    };
    assert_eq!(std::mem::take(&mut before[0].charged), ["victims: units by province, year: presence +1 in 488 blocks"]);
    let again = opened(&store);
    again.enter(room(&all));
    // The vault is new, so that everything is counted again; what is remembered is enough.
    let head = again.head().unwrap();
    assert_eq!(before, again.ask(std::slice::from_ref(&question), Share::Partners).unwrap());
    again.ask(&[question], Share::Ministry).unwrap();
    assert_eq!(head, again.head().unwrap(), "asking again adds nothing, whoever asks");
}

#[test]
fn a_memory_from_before_marked_persons_gives_the_same_numbers_and_learns_whom_they_stand_for() {
    let (store, older) = (Shared::default(), Shared::default());
    let all = people(1..=300, |v| v.province = (v.sid % 3) as u16);
    let ask = |store: &Shared| {
        let vault = opened(store);
        vault.enter(room(&all));
        numbers(&vault.ask(&[asked(&[("year", &[2024])], &["province"])], Share::Ministry).unwrap()[0])
    };
    let before = ask(&store);
    assert!(before.iter().any(Option::is_some));
    let cores = |store: &Shared| {
        let mut entries = Vec::new();
        store.clone().replay(Head::default(), &mut |entry| entries.push(entry)).unwrap();
        entries.into_iter().partition::<Vec<_>, _>(|entry| matches!(entry, Entry::Core { .. }))
    };
    let (marked, rest) = cores(&store);
    assert!(!marked.is_empty());
    older.clone().commit(Head::default(), &rest).unwrap();
    assert_eq!(before, ask(&older));
    assert_eq!(cores(&older).0, marked);
}

#[test]
fn a_few_changes_between_editions_change_no_number() {
    // A15: one more person in the next Snapshot, or twelve.
    let vault = vault();
    let number = |edition: i64, persons: u64| {
        vault.enter(room_of(edition, &people(1..=persons, |_| ())));
        one(&vault, asked(&[("year", &[2024])], &[]))
    };
    let first = number(1, 100);
    assert_eq!(first, number(2, 101));
    assert_eq!(first, number(3, 103));
    let far = number(4, 140);
    assert!(far.unwrap().abs_diff(140) <= 10);
    assert_eq!(far, number(5, 139));
    assert_eq!(first, number(6, 100), "what was known before is known still");
}

#[test]
fn two_processes_give_one_answer() {
    let store = Shared::default();
    let (server, publisher) = (opened(&store), opened(&store));
    let all = people(1..=50, |_| ());
    server.enter(room(&all));
    publisher.enter(room(&all[1..]));
    let question = asked(&[("year", &[2024])], &[]);
    assert_eq!(one(&server, question.clone()), one(&publisher, question), "the one knows what the other answered");
}

#[test]
fn where_a_chain_of_neighbours_ends_it_does_not_end_between_two_that_differ_by_one_person() {
    // Groups that grow by five at a time are answered like the first, until they are too far from it (A8, chains).
    let vault = vault();
    let (mut ends, mut last) = (0, None);
    for chain in 0..3 {
        for more in (0..=70).step_by(5) {
            let grown = |persons: u64| {
                vault.enter(room(&people(chain * 1_000 + 1..=chain * 1_000 + persons, |_| ())));
                one(&vault, asked(&[("year", &[2024])], &[]))
            };
            let (without, with) = (grown(40 + more), grown(40 + more + 1));
            assert_eq!(without, with, "chain {chain}, {more} more");
            ends += usize::from(more > 0 && last != Some(without));
            last = Some(without);
        }
    }
    assert!(ends >= 3, "chains do end: {ends}");
}

#[test]
fn a_memory_that_cannot_be_written_answers_nothing() {
    struct Full(Remembered);
    impl ReleaseStore for Full {
        fn head(&mut self) -> Result<Head, StoreError> {
            self.0.head()
        }
        fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError> {
            self.0.replay(after, each)
        }
        fn commit(&mut self, _: Head, _: &[Entry]) -> Result<Head, StoreError> {
            Err(StoreError::Io("the disk is full".into()))
        }
    }
    let store = Box::new(Full(Remembered::default()));
    let vault = Vault::open(Arc::new(Policy::default()), &keys(), store).unwrap();
    vault.enter(room(&people(1..=50, |_| ())));
    for _ in 0..2 {
        let refused = vault.ask(&[asked(&[("year", &[2024])], &[])], Share::Ministry);
        assert!(matches!(refused, Err(VaultError::Store(StoreError::Io(_)))));
    }
}

#[test]
fn nobody_is_answered_before_a_snapshot_is_open() {
    let refused = vault().ask(&[asked(&[], &[])], Share::Ministry);
    assert!(matches!(refused, Err(VaultError::NoRoom)));
}

#[test]
fn a_contradiction_is_hidden_like_any_small_group() {
    let vault = vault();
    vault.enter(room(&people(1..=50, |_| ())));
    let answered = vault.ask(&[asked(&[("sex", &[])], &["year"])], Share::Ministry).unwrap();
    assert!(answered[0].cells.iter().all(|cell| is_hidden(&cell.figures[0])));
}

#[test]
fn every_group_has_a_row_whether_anybody_is_in_it_or_not() {
    let rows = |victims: &[Victim]| {
        let vault = vault();
        vault.enter(room(victims));
        let answered = vault.ask(&[asked(&[("year", &[2023, 2024])], &["quarter", "sex"])], Share::Ministry).unwrap();
        answered[0].cells.iter().map(|cell| cell.at.clone()).collect::<Vec<_>>()
    };
    let (none, some) = (rows(&[]), rows(&people(1..=500, |_| ())));
    assert_eq!(none, some);
    assert_eq!(none.len(), (2 * 4 + 1) * 4, "the quarters of two years and the unknown one, by sex");
}

#[test]
fn the_noise_of_later_grids_is_wider() {
    let vault = vault();
    vault.enter(room(&people(1..=2_000, |v| (v.sex, v.age_group) = ((v.sid % 2) as u16, (v.sid % 3) as u16))));
    let tier = |question: CellQuery| {
        let answered = vault.ask(&[question], Share::Ministry).unwrap();
        let shown = answered[0].cells.iter().find_map(|cell| cell.figures[0].tier());
        shown.map(disclosure::Tier::variance)
    };
    let with = |other: &[&str]| asked(&[("year", &[2024])], &[&["exploitation"], other].concat());
    // 1, 1, 1 and 2 of 4.
    assert_eq!(tier(with(&[])), Some(9));
    assert_eq!(tier(with(&["sex"])), Some(9));
    assert_eq!(tier(with(&["age_group"])), Some(9));
    assert_eq!(tier(with(&["sex", "age_group"])), Some(16));
    assert_eq!(tier(with(&[])), Some(9), "what was charged keeps its noise");
}

#[test]
fn a_set_that_is_met_in_grids_of_several_tiers_has_one_number() {
    // Of those sexually exploited all are women and adults: three tables of one release, of variance 9, 9 and 16, speak of
    // the same persons.
    let vault = vault();
    let mut all = people(1..=200, |_| ());
    all.extend(people(201..=400, |v| {
        (v.sex, v.age_group) = (code("sex", "M"), code("age_group", "child"));
        v.exploitation = vec![code("exploitation", "forced_labour")];
    }));
    let rows = prepared("victims", &all);
    let by = |other: &[&str]| {
        let dimensions = ["exploitation"].iter().chain(other).map(|name| whole(name));
        query("victims", std::iter::once(years(&[2024])).chain(dimensions).collect())
    };
    let tables = [by(&[]), by(&["sex"]), by(&["age_group"])];
    let tables = tables.iter().enumerate().map(|(n, asked)| table(&n.to_string(), &rows, asked)).collect();
    let (release, _) = vault.release(tables, &span()).unwrap();
    let mut shown: Vec<i64> = Vec::new();
    for table in &release.tables {
        let sexual =
            |at: &[disclosure::Coordinate]| at[1] == disclosure::Coordinate::Code(code("exploitation", "sexual"));
        shown.extend(table.cells().iter().filter(|cell| sexual(&cell.at)).filter_map(|cell| value(&cell.figure)));
    }
    assert!(shown.len() >= 3, "{}", shown.len());
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]), "{shown:?}");
}

#[test]
fn what_an_edition_hides_is_hidden_from_whoever_asks_though_an_older_one_showed_it() {
    // Of unknown age are fifty, and in the next edition five: the children are hidden with them, who are the same as before.
    let vault = vault();
    let edition = |number: i64, unknown: u64| {
        let mut all = people(1..=95, |v| v.age_group = code("age_group", "child"));
        all.extend(people(96..=195, |_| ()));
        all.extend(people(196..=195 + unknown, |v| v.age_group = code("age_group", "_X")));
        let by_age = query("victims", vec![years(&[2024]), whole("age_group")]);
        let tables = vec![table("t", &prepared("victims", &all), &by_age)];
        let (release, _) = vault.release(tables, &disclosure::Span { edition: number, ..span() }).unwrap();
        vault.enter(room_of(number, &all));
        let child = disclosure::Coordinate::Code(code("age_group", "child"));
        value(release.tables[0].at(&[disclosure::Coordinate::Code(2024), child]).unwrap())
    };
    let children = || one(&vault, asked(&[("year", &[2024]), ("age_group", &[code("age_group", "child")])], &[]));
    let shown = edition(1, 50);
    assert!(shown.is_some());
    assert_eq!(children(), shown);
    assert_eq!(edition(2, 5), None);
    assert_eq!(children(), None);
    assert_eq!(edition(3, 50), None, "for good: the same persons, the same answer");
}

#[test]
fn what_an_edition_hides_is_hidden_from_questions_that_are_stricter_too() {
    // The children are hidden with five of unknown age. Who leaves out the code T of sex asks about the same persons, with the
    // strictest profile.
    let all = |unknown: u64| {
        let mut all = people(1..=95, |v| v.age_group = code("age_group", "child"));
        all.extend(people(96..=195, |_| ()));
        all.extend(people(196..=195 + unknown, |v| v.age_group = code("age_group", "_X")));
        all
    };
    let of_any_sex = [code("sex", "F"), code("sex", "M"), code("sex", "T")];
    let child: (&str, &[u16]) = ("age_group", &[code("age_group", "child")]);
    let stricter = |vault: &Vault| one(vault, asked(&[("year", &[2024]), child, ("sex", &of_any_sex)], &[]));
    let publish = |vault: &Vault, number, unknown| {
        let rows = prepared("victims", &all(unknown));
        let tables = vec![table("t", &rows, &query("victims", vec![years(&[2024]), whole("age_group")]))];
        vault.release(tables, &disclosure::Span { edition: number, ..span() }).unwrap();
        vault.enter(room_of(number, &all(unknown)));
    };
    for asked_before in [false, true] {
        let vault = vault();
        publish(&vault, 1, 50);
        if asked_before {
            assert!(stricter(&vault).is_some());
        }
        publish(&vault, 2, 5);
        assert_eq!(stricter(&vault), None, "asked before: {asked_before}");
    }
}

#[test]
fn agencies_are_shown_where_their_units_are_though_the_same_agencies_are_shown_elsewhere() {
    // Ten agencies hold the records of 120 persons, and those of ten more, one each.
    let spread = |v: &mut Victim| v.agency = (v.sid % 10) as u16;
    let mut all = people(1..=120, spread);
    all.extend(people(121..=130, |v| {
        spread(v);
        v.province = code("province", "PK-BA");
    }));
    let vault = vault();
    vault.enter(room(&all));
    let of = |measures: &[Measure]| {
        let question = CellQuery { measures: measures.into(), ..asked(&[("year", &[2024])], &["province"]) };
        let answered = vault.ask(&[question], Share::Ministry).unwrap().remove(0);
        let at = |province: &str| answered.cells[usize::from(code("province", province))].figures.clone();
        ["PK-PB", "PK-BA"].map(|province| value(at(province).last().unwrap()))
    };
    let [many, few] = of(&[Measure::Units, Measure::Agencies]);
    assert!(many.is_some(), "of many");
    assert_eq!(few, None, "of few, who are too few to be shown");
    assert_eq!(of(&[Measure::Agencies]), [None, None], "without their units nothing is shown");
}

#[test]
fn agencies_are_hidden_where_their_units_are_hidden_for_a_neighbours_sake() {
    // Ten agencies hold the records of each group. Those of unknown age are too few, and the children are hidden with them.
    let spread = |v: &mut Victim| v.agency = (v.sid % 10) as u16;
    let mut all = people(1..=95, |v| v.age_group = code("age_group", "child"));
    all.extend(people(96..=195, |_| ()));
    all.extend(people(196..=205, |v| v.age_group = code("age_group", "_X")));
    all.iter_mut().for_each(spread);
    let vault = vault();
    vault.enter(room(&all));
    let question = CellQuery {
        measures: [Measure::Units, Measure::Agencies].into(),
        ..asked(&[("year", &[2024])], &["age_group"])
    };
    let answered = vault.ask(&[question], Share::Ministry).unwrap().remove(0);
    let shown = |group: &str| {
        let figures = &answered.cells[usize::from(code("age_group", group))].figures;
        [0, 1].map(|measure| value(&figures[measure]).is_some())
    };
    assert_eq!(shown("adult"), [true, true]);
    assert_eq!(["child", "_X"].map(shown), [[false, false]; 2], "which of the two is the small one is not told");
}

#[test]
fn what_a_question_hides_beside_others_is_not_taken_back() {
    let vault = vault();
    let mut all = people(1..=95, |v| v.age_group = code("age_group", "child"));
    all.extend(people(96..=195, |_| ()));
    all.extend(people(196..=200, |v| v.age_group = code("age_group", "_X")));
    vault.enter(room(&all));
    let alone = |group: &str| one(&vault, asked(&[("year", &[2024]), ("age_group", &[code("age_group", group)])], &[]));
    let before = [alone("child"), alone("adult")];
    assert!(before.iter().all(Option::is_some));
    vault.ask(&[asked(&[("year", &[2024])], &["age_group"])], Share::Ministry).unwrap();
    vault.enter(room_of(2, &all));
    assert_eq!([alone("child"), alone("adult")], before);
}

/// The forms of exploitation in two classes: a level of its own for each `n`.
fn classes(n: u16) -> CellQuery {
    CellQuery {
        by: vec![Breakdown::Classes {
            level: "exploitation".into(),
            classes: vec![(0..=n).collect(), (n + 1..14).collect()],
        }],
        ..asked(&[("year", &[2024])], &[])
    }
}

#[test]
fn a_spent_share_is_refused_with_what_is_free() {
    let vault = vault();
    vault.enter(room(&people(1..=500, |_| ())));
    vault.ask(&[asked(&[("year", &[2024])], &["exploitation"])], Share::Ministry).unwrap();
    let mut refused = None;
    for n in 0..12 {
        if let Err(VaultError::Spent(spent)) = vault.ask(&[classes(n)], Share::Partners) {
            refused.get_or_insert((n, spent));
        }
    }
    let (after, spent) = refused.unwrap();
    assert_eq!((after, spent.role), (1, "partners"));
    assert_eq!(spent.counter, "exploitation/sens/many-valued");
    // Neither classes of codes, which nobody can name, nor what was refused.
    assert_eq!(spent.free, ["victims: units by exploitation, year"]);
}

#[test]
fn a_question_that_cannot_be_paid_for_takes_nothing_and_has_nothing_to_be_forgotten() {
    /// Counts how often the memory is read again.
    struct Replayed(Remembered, Arc<AtomicUsize>);
    impl ReleaseStore for Replayed {
        fn head(&mut self) -> Result<Head, StoreError> {
            self.0.head()
        }
        fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError> {
            self.1.fetch_add(1, Relaxed);
            self.0.replay(after, each)
        }
        fn commit(&mut self, after: Head, new: &[Entry]) -> Result<Head, StoreError> {
            self.0.commit(after, new)
        }
    }
    let replays = Arc::new(AtomicUsize::new(0));
    let store = Box::new(Replayed(Remembered::default(), Arc::clone(&replays)));
    let vault = Vault::open(Arc::new(Policy::default()), &keys(), store).unwrap();
    vault.enter(room(&people(1..=50, |_| ())));
    let affordable = asked(&[("year", &[2024])], &["sex"]);
    let dear: Vec<CellQuery> = (0..12).map(classes).collect();
    let refused = || vault.ask(&[std::slice::from_ref(&affordable), &dear].concat(), Share::Partners);
    for _ in 0..2 {
        assert!(matches!(refused(), Err(VaultError::Spent(_))));
    }
    let quoted = vault.quote(&[affordable], Share::Partners).unwrap();
    assert!(!quoted.questions[0][0].is_free, "what was asked together with what is refused was not charged");
    assert_eq!(replays.load(Relaxed), 0);
}

#[test]
fn a_quote_states_the_noise_of_the_most_protected_code_asked_about() {
    // All are many, so that nobody is hidden, and none of them beside another.
    let sexes = ["F", "M", "T", "_X"].map(|sex| code("sex", sex));
    let victims = Policy::default().datasets.get("victims").unwrap().clone();
    for (question, profile, floor) in [
        (asked(&[("year", &[2024])], &["sex"]), Profile::High, 21),
        (asked(&[("year", &[2024]), ("sex", &[sexes[2]])], &[]), Profile::High, 21),
        (asked(&[("year", &[2024]), ("sex", &sexes[..2])], &["sex"]), Profile::Std, 11),
        (asked(&[("year", &[2024])], &["exploitation"]), Profile::Sens, 20),
        (asked(&[("year", &[2024])], &["province"]), Profile::Std, 11),
    ] {
        let vault = vault();
        vault.enter(room(&people(1..=600, |v| v.sex = sexes[v.sid as usize % 4])));
        let question = question.canonical(&victims, span().years);
        let quote =
            vault.quote(std::slice::from_ref(&question), Share::Ministry).unwrap().questions.remove(0).remove(0);
        assert_eq!((quote.profile, quote.floor(&victims)), (profile, floor), "{question:?}");
        let answered = vault.ask(std::slice::from_ref(&question), Share::Ministry).unwrap().remove(0);
        let widest = answered.cells.iter().filter_map(|cell| cell.figures[0].tier()).max();
        assert_eq!(widest, Some(quote.tier()), "{question:?}");
    }
}

#[test]
fn questions_asked_together_are_quoted_one_after_the_other_and_refused_where_asking_is() {
    let vault = vault();
    vault.enter(room(&people(1..=500, |_| ())));
    let statement = [classes(0), classes(1)];
    let alone = |question: &CellQuery| vault.quote(std::slice::from_ref(question), Share::Partners).unwrap();
    assert!(statement.iter().all(|question| alone(question).spent.is_none()), "each can be paid for");
    let together = vault.quote(&statement, Share::Partners).unwrap();
    let Err(VaultError::Spent(spent)) = vault.ask(&statement, Share::Partners) else { panic!("both can be paid for") };
    assert_eq!(together.spent, Some(spent));
    let dear: Vec<CellQuery> = (0..3).map(classes).collect();
    let quoted = vault.quote(&dear, Share::Ministry).unwrap();
    assert_eq!(quoted.spent, None);
    vault.ask(&dear, Share::Ministry).unwrap();
    let paid = vault.quote(&dear, Share::Ministry).unwrap();
    for (before, after) in quoted.questions.iter().flatten().zip(paid.questions.iter().flatten()) {
        assert_eq!((before.is_free, after.is_free), (false, true));
        assert_eq!(before.tier(), after.tier(), "what was quoted is what was charged");
    }
    assert!(quoted.questions[0][0].tier() < quoted.questions[2][0].tier(), "the first raise the noise of the last");
    assert!(
        vault.quote(&[dear[0].clone(), dear[0].clone(), classes(5)], Share::Ministry).unwrap().questions[1][0].is_free
    );
}
