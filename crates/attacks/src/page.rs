//! The public page: the scoreboard, what is open and why, how it was measured (privacy.md 7.3: attack results are published).
//!
//! Absent: numbers that no run gave.

use std::fmt::Write;

use crate::score::Scoreboard;

/// `docs/attacks.md`.
pub fn page(board: &Scoreboard) -> String {
    let mut text = String::from(
        "# Attacks\n\nMade by `cargo run -p attacks -- --profile fast|nightly|release --write docs/attacks.md` (`cargo xtask figures guard.attacks`); \
         not written by hand. Each attack asks the public endpoint (`POST /v1/sql` with a key), claims something about a \
         synthetic person, and is scored by a referee who knows the truth. Higher is worse; 0.5 of *accuracy* is a guess. In \
         brackets: the upper 95 % limit after Wilson (of an area under the curve, *AUC*, after Hanley and McNeil; A19 goes by its \
         estimate). Bold: a goal that is missed, or a positive control that stands.\n\n\
         Four targets stand behind the same endpoint and grammar: exact numbers over a floor of 11 (*k11-exact*), set-keyed \
         noise over the same floor (*ckm*), what is built (*ours*), and the same without the separation guard. An attack \
         counts only where it succeeds against the naive ones. Unless a line says *quotas on*, no question is refused for its \
         price, and each trial has a vault that remembers nothing.\n\n",
    );
    let bound = if board.profile.goes_by_limits() { "Goals on the upper limit" } else { "Goals on the point estimate" };
    let _ = writeln!(
        text,
        "Population: {} persons, secrets independent of everything else; attacks that \
         reconstruct, search or learn have populations of 240 to 400 of their own. {bound}.\n",
        board.persons
    );
    text.push_str(&board.table());
    let mut open: Vec<(&str, &str)> =
        board.scores.iter().filter_map(|score| score.open.as_deref().map(|why| (score.attack, why))).collect();
    open.dedup();
    if !open.is_empty() {
        text.push_str("\n## What is open\n\n");
        for (attack, why) in open {
            let _ = writeln!(text, "- **{attack}.** {why}");
        }
        text.push_str("\nSmallest reproductions: `cargo test -p attacks --test reproductions -- --ignored`.\n");
    }
    if !board.remarks.is_empty() {
        text.push_str("\n## What was seen beside\n\n");
        for remark in &board.remarks {
            let _ = writeln!(text, "- {}: `{}`", remark.attack, remark.text);
        }
    }
    text.push_str(
        "\n## What is not here\n\n\
         - Texts that only the naive endpoint would take (OR over two dimensions, NOT on many codes) are put in forms of the \
         grammar, so that all targets answer the same questions. A21 has therefore no positive control: the same guard stands \
         before every target.\n\
         - A9 is cloning alone; A13 has no linkability of its own (tables hold no records); A22 has no declared exact totals and \
         does not look at low bits (all numbers are whole).\n\
         - A7 knows the quasi-identifiers and rebuilds one secret at a time; A8 does not flood the memory with anchors, nor ask \
         before the ministry does; A1 is scored by accuracy alone; populations are of one size and secrets independent.\n\
         - Goals of A8 are set in privacy.md 7.3 by how many others are known: .53 for two, .65 for five and three pairs. Of who asks \
         about every pair of a way, dozens of them, it says nothing: those lines are held to .65. Victims have one record each; who is \
         known to two agencies has two, and two chances to be marked. No class asks about a victim in a crowd of fabricated persons \
         who are not marked.\n\
         - The two openers of A16 have no positive control: they tell nothing on any target.\n\
         - A10 searches with a small budget but before a release (10 questions, 10 individuals, 6 generations, 250 trials a \
         victim): in the black box it does not beat the naive endpoint yet, so that it says nothing there; A11 learns with one \
         classifier, which is linear; its share of true claims at 0.1 % false ones has a goal (1 %) only from 1,000 persons who \
         are not in the data, and is shown here without one.\n\
         - A19 times answers in process: what a network adds is jitter. Intervals beside numbers are offered, and not \
         attacked yet.\n",
    );
    text
}
