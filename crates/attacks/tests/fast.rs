//! The profile `fast`: goals are kept but for what is known to be open, positive controls fall, and what is no longer open
//! is no longer on the list.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use attacks::score::Profile;
use attacks::suite;

#[test]
fn goals_are_kept_and_controls_fall() {
    let board = suite::run(Profile::Fast, None, &[], None).unwrap();
    eprintln!("{}", board.table());
    let broken: Vec<String> = board
        .broken()
        .iter()
        .map(|s| format!("{} {} {}: {:.3}", s.attack, s.class, s.target.name(), s.value))
        .collect();
    assert!(broken.is_empty(), "goals missed or controls that stand:\n{}", broken.join("\n"));
    assert_eq!(suite::closed(&board).unwrap(), [""; 0], "no longer open: take them off the list in open.toml");
}
