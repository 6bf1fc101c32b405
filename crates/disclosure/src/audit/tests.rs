//! Leaks planted on a board: numbers that complementary suppression, table by table, would have left open. The audit
//! finds each, hides what must be hidden, and is content afterwards.

use std::collections::BTreeMap;

use events::code_list::list;
use policy::{Key, Keys, Master, Policy};

use super::*;
use crate::board::{Reason, State, TierAt, Tiers};
use crate::floors;
use crate::memory::{Draft, Memory};
use crate::microdata::{Column, Microdata, Prepared};
use crate::noise::Tier;
use crate::query::{Dimension, Measure, TableQuery};
use crate::tabulate::tabulate;

fn keys() -> Keys {
    let raw = |first: u8| Key::from_bytes(std::array::from_fn(|i| first + i as u8));
    Keys { rk: raw(0), noise: raw(0x20), threshold: raw(0x40), ..Keys::derive(&Master::from_bytes([9; 32])) }
}

/// Persons as (quarter of 2024, province), each in a case of their own.
fn rows(groups: &[(u16, u16, usize)]) -> Prepared {
    let places = || groups.iter().flat_map(|&(quarter, province, n)| std::iter::repeat_n((quarter, province), n));
    let persons = places().count();
    let one = |codes: Vec<u16>| Column::One(codes);
    let dims = BTreeMap::from([
        ("year".to_owned(), one(vec![2024; persons])),
        ("quarter".to_owned(), one(places().map(|place| place.0).collect())),
        ("province".to_owned(), one(places().map(|place| place.1).collect())),
    ]);
    let sid: Vec<u64> = (1..=persons as u64).collect();
    let data = Microdata {
        dataset: "victims".into(),
        case_sid: sid.clone(),
        sid,
        agency: vec![0; persons],
        served_by: None,
        dims,
        measures: BTreeMap::new(),
    };
    Prepared::new(data, &Policy::default(), &keys()).unwrap()
}

/// The tiers of a vault that was charged nothing.
struct AtFirst;

impl Tiers for AtFirst {
    fn of<'a>(&'a self, _: &'a TableQuery) -> TierAt<'a> {
        Box::new(|_| Tier::V4)
    }
}

fn provinces() -> Dimension {
    Dimension::whole_list("province", list("province").codes.len())
}

fn years() -> Dimension {
    Dimension::codes("year", vec![2024])
}

fn quarters() -> Dimension {
    Dimension::codes("quarter", vec![0, 1, 2, 3]).rolling_up_to("year", vec![Some(2024); 4])
}

/// The tables on a board, floors applied and nothing else.
fn board(rows: &Prepared, tables: Vec<Vec<Dimension>>) -> Board {
    let counted = tables.into_iter().enumerate().map(|(n, by)| {
        let query = TableQuery { dataset: "victims".into(), measure: Measure::Units, population: BTreeMap::new(), by };
        (format!("t{n}"), tabulate(rows, &query).unwrap(), Vec::new())
    });
    let mut board = Board::new(counted.collect(), &AtFirst).unwrap();
    let mut memory = Memory::default();
    floors::apply(&mut board, &keys(), &mut Draft::on(&mut memory));
    board
}

fn hidden(board: &Board) -> Vec<CellId> {
    (0..board.cells.len()).filter(|&id| board.cells[id].shown().is_none()).collect()
}

fn hidden_and_inhabited(board: &Board) -> Vec<CellId> {
    hidden(board).into_iter().filter(|&id| board.cells[id].facts.n > 0).collect()
}

/// Makes the cells known to be empty, so that nothing shares a hidden cell's uncertainty.
fn rule_out_the_empty(board: &mut Board) {
    for cell in &mut board.cells {
        if cell.facts.n == 0 {
            cell.mark = Some(crate::released::Marked::Impossible);
        }
    }
}

#[test]
fn a_lone_hidden_part_of_a_shown_total_is_found() {
    // 5 persons of 205; the other province shows about 200.
    let mut board = board(&rows(&[(0, 0, 200), (0, 1, 5)]), vec![vec![years(), provinces()]]);
    rule_out_the_empty(&mut board);
    let planted = hidden_and_inhabited(&board);
    assert_eq!(planted.len(), 1);
    // The noise of one sibling and the total confines it to some 40 values, 0 among them: bounds alone do not leak.
    assert!(holds_for(&board, &planted).unwrap());
    // Exact numbers would: without noise the subtraction is exact.
    for cell in &mut board.cells {
        if let State::Shown { .. } = cell.state {
            cell.state = State::Shown { value: cell.facts.n as i128, tier: None, pinned: false };
        }
    }
    assert!(!holds_for(&board, &planted).unwrap(), "200 of 205 are shown exactly");
    let report = run(&mut board).unwrap();
    assert!(report.hidden_by_audit >= 1 && report.confined == 0, "{report:?}");
    assert!(holds_for(&board, &hidden_and_inhabited(&board)).unwrap());
}

#[test]
fn a_part_that_must_be_somebody_is_found() {
    // Shown: total at 40 - 10 at least; the sibling at most 11 + 10. What is left cannot be nobody.
    let mut board = board(&rows(&[(0, 0, 100), (0, 1, 8)]), vec![vec![years(), provinces()]]);
    rule_out_the_empty(&mut board);
    let planted = hidden_and_inhabited(&board);
    for id in 0..board.cells.len() {
        let cell = &mut board.cells[id];
        if let State::Shown { tier, .. } = cell.state {
            // The released values as unlucky noise could make them: total high, sibling low.
            let value = if cell.facts.n == 108 { 118 } else { 92 };
            // The guard gives both one number, they are so near; as if each had answered for itself.
            cell.anchor = None;
            cell.state = State::Shown { value, tier, pinned: false };
        }
    }
    assert!(!holds_for(&board, &planted).unwrap(), "108..128 less 82..102 is 6 at least");
    run(&mut board).unwrap();
    assert!(holds_for(&board, &hidden_and_inhabited(&board)).unwrap());
}

#[test]
fn a_quarter_that_follows_from_its_year_in_another_table_is_found() {
    let rows = rows(&[(0, 0, 100), (1, 0, 100), (2, 0, 100), (3, 0, 6)]);
    let mut board = board(&rows, vec![vec![years()], vec![quarters()]]);
    let planted = hidden(&board);
    assert_eq!(planted.len(), 1, "the quarter with six persons");
    for cell in &mut board.cells {
        if let State::Shown { .. } = cell.state {
            cell.state = State::Shown { value: cell.facts.n as i128, tier: None, pinned: false };
        }
    }
    assert!(!holds_for(&board, &planted).unwrap(), "the year less three quarters");
    let report = run(&mut board).unwrap();
    assert_eq!((report.components, report.confined), (1, 0));
    assert!(hidden(&board).len() >= 2);
    assert!(holds_for(&board, &hidden(&board)).unwrap());
}

#[test]
fn a_part_that_follows_from_a_total_in_another_table_is_found() {
    let rows = rows(&[(0, 0, 100), (0, 1, 100), (0, 2, 6)]);
    let without_total = Dimension::codes("province", (0..list("province").codes.len() as u16).collect());
    let mut board = board(&rows, vec![vec![years()], vec![years(), without_total]]);
    rule_out_the_empty(&mut board);
    let planted = hidden_and_inhabited(&board);
    assert_eq!(planted.len(), 1, "the province with six persons");
    for cell in &mut board.cells {
        if let State::Shown { .. } = cell.state {
            cell.state = State::Shown { value: cell.facts.n as i128, tier: None, pinned: false };
        }
    }
    assert!(!holds_for(&board, &planted).unwrap(), "the year less two provinces");
    run(&mut board).unwrap();
    assert!(holds_for(&board, &hidden_and_inhabited(&board)).unwrap());
}

#[test]
fn a_cell_that_follows_from_three_families_together_is_found() {
    // No family has a lone hidden cell, yet the sums confine the small ones: 3 + 4 in one row, 4 + 5 in the other.
    let rows = rows(&[(0, 0, 3), (0, 1, 4), (0, 2, 300), (1, 0, 4), (1, 1, 5), (1, 2, 300)]);
    let mut board = board(&rows, vec![vec![years(), provinces()], vec![quarters(), provinces()]]);
    rule_out_the_empty(&mut board);
    for cell in &mut board.cells {
        if let State::Shown { .. } = cell.state {
            cell.state = State::Shown { value: cell.facts.n as i128, tier: None, pinned: false };
        }
    }
    let planted = hidden_and_inhabited(&board);
    assert!(planted.len() >= 4);
    assert!(
        board.families.iter().all(|family| {
            let lone = family.children.iter().filter(|id| planted.contains(id)).count();
            lone != 1 || planted.contains(&family.total)
        }),
        "no family has a lone hidden cell"
    );
    assert!(!holds_for(&board, &planted).unwrap(), "each is at most 7 or 9: less than the floor");
    let report = run(&mut board).unwrap();
    assert!(report.hidden_by_audit > 0 && report.programs > 0, "{report:?}");
    assert!(holds_for(&board, &hidden_and_inhabited(&board)).unwrap());
}

#[test]
fn a_release_without_hidden_cells_needs_no_program() {
    let mut board = board(&rows(&[(0, 0, 100)]), vec![vec![years()]]);
    assert_eq!(run(&mut board).unwrap(), AuditReport::default());
}

#[test]
fn what_contradicts_itself_is_not_released() {
    let mut board = board(&rows(&[(0, 0, 200), (0, 1, 5)]), vec![vec![years(), provinces()]]);
    for id in 0..board.cells.len() {
        let cell = &mut board.cells[id];
        if cell.shown().is_some() {
            // The total below its part, beyond any noise.
            let value = if cell.facts.n == 205 { 50 } else { 200 };
            cell.state = State::Shown { value, tier: Some(crate::noise::Tier::V4), pinned: false };
        }
    }
    assert!(matches!(run(&mut board), Err(DisclosureError::Audit(_))));
}

/// Tells the audit that a cell is known too well, with these cells shown and no others.
fn help(board: &mut Board, failing: CellId, shown: &[CellId]) -> Result<AuditReport, DisclosureError> {
    help_after(board, failing, shown, 0).map(|(report, _)| report)
}

/// The same after other parts of the release have hidden so many cells in this round; tells what is examined again, too.
fn help_after(
    board: &mut Board,
    failing: CellId,
    shown: &[CellId],
    hidden_by_audit: usize,
) -> Result<(AuditReport, Vec<CellId>), DisclosureError> {
    for (id, cell) in board.cells.iter_mut().enumerate() {
        let value = i128::from(cell.facts.n);
        cell.state = if shown.contains(&id) {
            State::Shown { value, tier: None, pinned: false }
        } else {
            State::Hidden(Reason::SmallCount)
        };
    }
    let families_of = board.families_of();
    let mut confined = vec![false; board.cells.len()];
    let mut report = AuditReport { hidden_by_audit, ..AuditReport::default() };
    let mut round = Round::default();
    let systems = System::components(board, Some(&[failing]));
    hide_siblings(board, &families_of, (&systems[0], &[failing]), &mut confined, &mut round, &mut report)?;
    report.confined = confined.iter().filter(|&&confined| confined).count();
    Ok((report, round.touched))
}

/// Two provinces by year and by quarter, a cell of a quarter, and one that shares no family with it.
fn near_and_far() -> (Board, CellId, CellId) {
    let rows = rows(&[(0, 0, 100), (0, 1, 100), (1, 0, 100), (1, 1, 100)]);
    let board = board(&rows, vec![vec![years(), provinces()], vec![quarters(), provinces()]]);
    let families_of = board.families_of();
    let near = board.tables[1].ids[0];
    let stranger = |id: &CellId| !families_of[*id].iter().any(|family| families_of[near].contains(family));
    let far = *board.tables[1].ids.iter().rev().find(|id| board.cells[**id].facts.n > 0 && stranger(id)).unwrap();
    (board, near, far)
}

#[test]
fn where_no_sibling_is_left_the_rest_of_what_hangs_together_is_hidden() {
    let (mut board, near, far) = near_and_far();
    let report = help(&mut board, near, &[far]).unwrap();
    assert_eq!((report.hidden_by_audit, report.confined), (1, 0));
    assert!(board.cells[far].shown().is_none());
}

#[test]
fn what_can_be_computed_and_no_hiding_can_free_is_not_released() {
    let (mut board, near, far) = near_and_far();
    let failed = help(&mut board, near, &[]).unwrap_err();
    assert!(matches!(failed, DisclosureError::Audit(_)), "{failed}");
    // What exact numbers of the state confine is public, and told apart.
    board.cells[far].exact = true;
    let report = help(&mut board, near, &[far]).unwrap();
    assert_eq!((report.hidden_by_audit, report.confined), (0, 1));
}

#[test]
fn what_another_part_has_hidden_in_the_same_round_is_examined_again_and_not_given_up() {
    let (mut board, near, _) = near_and_far();
    // Another part hid a cell, and with it whatever the same set answers for: here all that this part could have hidden.
    let (report, touched) = help_after(&mut board, near, &[], 1).unwrap();
    assert_eq!((report.hidden_by_audit, report.confined, touched), (1, 0, vec![near]));
}

/// Persons of provinces with a measure of so much each, in rupees.
fn paid(groups: &[(u16, usize, i64)]) -> Prepared {
    let persons = || groups.iter().flat_map(|&(province, n, each)| std::iter::repeat_n((province, each), n));
    let count = persons().count();
    let sid: Vec<u64> = (1..=count as u64).collect();
    let data = Microdata {
        dataset: "judgments".into(),
        case_sid: sid.clone(),
        sid,
        agency: vec![0; count],
        served_by: None,
        dims: BTreeMap::from([
            ("year".to_owned(), Column::One(vec![2024; count])),
            ("province".to_owned(), Column::One(persons().map(|(province, _)| province).collect())),
        ]),
        measures: BTreeMap::from([("compensation_pkr".to_owned(), persons().map(|(_, each)| Some(each)).collect())]),
    };
    Prepared::new(data, &Policy::default(), &keys()).unwrap()
}

#[test]
fn a_sum_that_follows_from_its_total_is_found() {
    let rows = paid(&[(0, 200, 400_000), (1, 150, 300_000), (2, 4, 500_000)]);
    let measure = Measure::Sum("compensation_pkr".into());
    let by = vec![years(), provinces()];
    let query = TableQuery { dataset: "judgments".into(), measure, population: BTreeMap::new(), by };
    let counted = vec![("t".to_owned(), tabulate(&rows, &query).unwrap(), Vec::new())];
    let mut board = Board::new(counted, &AtFirst).unwrap();
    let mut memory = Memory::default();
    floors::apply(&mut board, &keys(), &mut Draft::on(&mut memory));
    rule_out_the_empty(&mut board);
    let planted = hidden_and_inhabited(&board);
    assert_eq!(planted.len(), 1, "the province with four persons");
    // The noise of a sum is as wide as its bounds: what it leaves is wider than the floor's number of largest values.
    assert!(holds_for(&board, &planted).unwrap());
    for cell in &mut board.cells {
        if let State::Shown { .. } = cell.state {
            cell.state = State::Shown { value: cell.facts.measured.value, tier: None, pinned: false };
        }
    }
    assert!(!holds_for(&board, &planted).unwrap(), "without noise the total less two provinces is exact");
    run(&mut board).unwrap();
    assert!(holds_for(&board, &hidden_and_inhabited(&board)).unwrap());
}
