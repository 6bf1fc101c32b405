//! All attacks with their goals and controls (privacy.md 7.3).

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Result;
use policy::Policy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

mod inference;
mod open;

pub use open::closed;

use crate::caseload;
use crate::changes::{self, Change};
use crate::cloning::{self, Cloning};
use crate::dummies::{self, Padding};
use crate::fronts;
use crate::groups::{self, Opener};
use crate::kept::Kept;
use crate::membership::{AcrossProfiles, Attack, Cases, Chains, Difference, Equality, Fronts, Riding, ThirdSets};
use crate::numeric;
use crate::outcomes;
use crate::people::{BALANCED, People};
use crate::referee::{Arena, Membership, Size, WORKERS, accuracy, number, share};
use crate::score::{Profile, Remark, Score, Scoreboard, wilson};
use crate::target::Target;
use crate::trackers::{self, Tracker};
use crate::unpick;

/// Persons of the population.
const PERSONS: usize = 3_000;
/// Persons where each trial has a population of its own.
const FEWER: usize = 1_200;

/// An attack with its name.
type Part = (&'static str, fn(&Arena, &mut Scoreboard) -> Result<()>);

/// In the order of the board; those of the profile `fast` first.
const PARTS: [Part; 23] = [
    ("A1", a1),
    ("A3", a3),
    ("A5", a5),
    ("A17", a17),
    ("A18", a18),
    ("A20", a20),
    ("A21", a21),
    ("A2", a2),
    ("A4", a4),
    ("A6", a6),
    ("A8", a8),
    ("A9", a9),
    ("A14", a14),
    ("A15", a15),
    ("A16", a16),
    ("A22", a22),
    ("A6ii", inference::a6),
    ("A7", inference::a7),
    ("A10", inference::a10),
    ("A11", inference::a11),
    ("A12", inference::a12),
    ("A13", inference::a13),
    ("A19", inference::a19),
];

/// The first so many are the profile `fast`.
const FAST: usize = 7;

/// Runs the attacks of a profile; `only` those named, where any are. What is kept in the folder `resume` is taken from there,
/// and what is made is kept in it.
pub fn run(profile: Profile, trials: Option<usize>, only: &[String], resume: Option<&Path>) -> Result<Scoreboard> {
    let policy = Arc::new(Policy::default());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let people = People { name: 1, ..People::victims(&policy, PERSONS, &mut rng) };
    let trials = trials.unwrap_or(profile.trials());
    let arena = Arena { policy, people, trials, workers: WORKERS, slot: None, doors: Mutex::default() };
    let mut board = Scoreboard::new(profile, PERSONS);
    for (at, (name, part)) in PARTS.into_iter().enumerate() {
        let in_profile = profile != Profile::Fast || at < FAST;
        if only.is_empty() && in_profile || only.iter().any(|wanted| wanted == name || wanted == "all") {
            kept_or_run(&arena, (name, part), resume, &mut board)?;
        }
    }
    open::mark(&mut board)?;
    Ok(board)
}

fn kept_or_run(arena: &Arena, (name, part): Part, resume: Option<&Path>, board: &mut Scoreboard) -> Result<()> {
    if let Some(kept) = resume.and_then(|folder| Kept::read(folder, name, board.profile, arena.trials)) {
        kept.put(name, board);
        return Ok(());
    }
    let (began, mut own) = (Instant::now(), Scoreboard::new(board.profile, board.persons));
    part(arena, &mut own)?;
    let made = Kept::new(name, &own, arena.trials, began.elapsed().as_secs_f64());
    if let Some(folder) = resume {
        made.write(folder, name)?;
    }
    made.put(name, board);
    Ok(())
}

const PLAIN: Membership = Membership {
    secret: BALANCED,
    size: Size::Small,
    r: 0,
    pairs: 1,
    conditions: 2,
    complements: false,
    apart: true,
    having: None,
    cases: None,
};

/// A class, the goal for what is built, and the controls.
type Line<'a> = (String, f64, &'a [(Target, f64)]);

/// One attack on all targets, a line for each claim.
fn on_all(
    arena: &Arena,
    board: &mut Scoreboard,
    (name, attack): (&'static str, &dyn Attack),
    kind: Membership,
    lines: &[Line<'_>],
) -> Result<()> {
    let trials = arena.plans(kind)?;
    for target in Target::ALL {
        // One pair is quickly asked, and how often noise alone gives two sets one number needs many.
        let share = if target == Target::Ours || name == "A1" { 1 } else { CONTROLS };
        let tallies = trials.run(target, attack, share, false)?;
        let scores = tallies.into_iter().zip(lines).map(|(tally, (class, goal, controls))| -> Score {
            accuracy(name, class.clone(), target, tally).bounded(*goal, controls)
        });
        board.scores.extend(scores);
    }
    Ok(())
}

/// The other targets are controls: a part of the trials shows whether they fall.
const CONTROLS: usize = 4;
const FALLS: &[(Target, f64)] = &[(Target::K11Exact, 0.99), (Target::Ckm, 0.90)];
const NAIVE_FALLS: &[(Target, f64)] = &[(Target::K11Exact, 0.99)];

fn a1(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for size in Size::BOTH {
        for r in 0..=2 {
            let kind = Membership { size, r, complements: true, ..PLAIN };
            let controls = if r == 0 { FALLS } else { NAIVE_FALLS };
            on_all(arena, board, ("A1", &Difference), kind, &[(format!("{}, r = {r}", size.name()), 0.53, controls)])?;
        }
    }
    Ok(())
}

fn a5(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for size in Size::BOTH {
        for apart in [true, false] {
            // Ten bases that are no neighbours of each other cannot be had of 3,000 persons.
            let (how, counts): (_, &[usize]) = if apart { ("far apart", &[1, 3]) } else { ("anyhow", &[1, 3, 10]) };
            let kind = Membership { size, pairs: counts[counts.len() - 1], apart, ..PLAIN };
            let line = |m: &usize| (format!("{}, m = {m}, bases {how}", size.name()), 0.53, FALLS);
            let lines: Vec<_> = counts.iter().map(line).collect();
            on_all(arena, board, ("A5", &Equality { counts }), kind, &lines)?;
        }
        // A set of few cases is near the empty one, of which a space of measures is born (privacy.md 6.7).
        if size == Size::Small {
            let kind = Membership { size, cases: Some((7, 24)), ..PLAIN };
            let class = format!("{}, m = 1, cases counted", size.name());
            on_all(arena, board, ("A5", &Cases), kind, &[(class, 0.53, NAIVE_FALLS)])?;
        }
        let kind = Membership { size, conditions: 1, ..PLAIN };
        let line = |m: &usize| (format!("{}, m = {m}, std against sens", size.name()), 0.53, NAIVE_FALLS);
        on_all(arena, board, ("A5", &AcrossProfiles { counts: &[1] }), kind, &[line(&1)])?;
        for target in Target::ALL {
            let arena = &arena.part(if target == Target::Ours { 2 } else { 2 * CONTROLS });
            let tally = groups::across_datasets(arena, target, size)?;
            let class = format!("{}, victims against services", size.name());
            board.scores.push(accuracy("A5", class, target, tally).bounded(0.53, FALLS));
        }
    }
    Ok(())
}

/// The goal where nobody may be hit: the limit of nobody in so many trials, below which none can come.
fn none_of(trials: usize) -> f64 {
    wilson(0.0, trials)
}

fn a3(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let seen = outcomes::repeats(&arena.part(if target == Target::Ours { 1 } else { CONTROLS }), target)?;
        let class = "different numbers of one question".to_owned();
        board.scores.push(number("A3", class, target, seen.values, seen.tried).bounded(1.0, &[]));
        let text = format!(
            "{}: {} texts, {} refused, mean {:.1} from the truth",
            target.name(),
            seen.tried,
            seen.refused,
            seen.off
        );
        board.remarks.push(Remark { attack: "A3", text });
    }
    Ok(())
}

fn a17(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
        let (right, wrong, trials) = groups::group_attribute(arena, target)?;
        let controls = &[(Target::K11Exact, 0.99), (Target::Ckm, 0.30)];
        let class = "right claims beyond doubt about a group".to_owned();
        board.scores.push(share("A17", class, target, right, trials).bounded(none_of(trials), controls));
        if wrong > 0 {
            let text = format!("{}: {wrong} wrong claims of {trials}", target.name());
            board.remarks.push(Remark { attack: "A17", text });
        }
        let (zeros, cells) = groups::zeros(arena, target)?;
        board.scores.push(number("A17", "zeros shown".to_owned(), target, zeros, cells).bounded(0.0, &[]));
    }
    Ok(())
}

fn texts(board: &mut Scoreboard, attack: &'static str, target: Target, seen: outcomes::Seen, control: f64, what: &str) {
    let controls = &[(Target::K11Exact, control)][..usize::from(control > 0.0)];
    let score = number(attack, what.to_owned(), target, seen.apart.len(), seen.tried);
    board.scores.push(score.bounded(0.0, controls));
    let canaries = number(attack, "canaries in answers".to_owned(), target, seen.canaries, seen.tried);
    board.scores.push(canaries.bounded(0.0, &[]));
    if target == Target::Ours {
        let remarks = seen.apart.into_iter().map(|text| Remark { attack, text });
        board.remarks.extend(remarks);
    }
}

fn a18(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let victims = if matches!(target, Target::Ours | Target::K11Exact) { 10 } else { 2 };
        let what = "payloads that tell two databases apart";
        texts(board, "A18", target, outcomes::errors(arena, target, victims)?, 40.0, what);
    }
    Ok(())
}

fn a20(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let what = "answers that tell two databases apart";
        texts(board, "A20", target, outcomes::metadata(arena, target)?, 1.0, what);
    }
    Ok(())
}

fn a21(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let what = "bypasses accepted, or with another meaning";
        texts(board, "A21", target, outcomes::bypasses(arena, target)?, 0.0, what);
    }
    Ok(())
}

fn a2(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
        let seen = numeric::tracker(arena, target)?;
        let goal = seen.guessed as f64 / seen.trials.max(1) as f64 + 0.03;
        let class = "one large code: groups of 1..10 within ±1".to_owned();
        let controls = &[(Target::K11Exact, 0.99)];
        board.scores.push(share("A2", class, target, seen.near, seen.trials).bounded(goal, controls));
        for tracker in Tracker::ALL {
            let seen = trackers::tracked(arena, target, tracker)?;
            let goal = seen.guessed as f64 / seen.trials.max(1) as f64 + 0.03;
            let class = format!("{}: groups of 1..10 within ±1", tracker.name());
            board.scores.push(share("A2", class, target, seen.near, seen.trials).bounded(goal, controls));
        }
    }
    Ok(())
}

fn a4(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
        let seen = trackers::averaged(arena, target)?;
        let class = "sums of two parts of one group, most at once".to_owned();
        board.scores.push(number("A4", class, target, seen.copies, seen.trials).bounded(8.0, &[]));
        let class = "n < 100, exact by averaging".to_owned();
        let controls = &[(Target::K11Exact, 0.99)];
        board.scores.push(share("A4", class, target, seen.exact, seen.trials).bounded(0.40, controls));
        let class = "n < 100, exact by the one number".to_owned();
        board.scores.push(share("A4", class, target, seen.guessed, seen.trials).bounded(0.40, controls));
        let seen = trackers::suppressed(arena, target)?;
        let goal = seen.guessed as f64 / seen.trials.max(1) as f64 + 0.03;
        let class = "hidden parts of 1..10 by averaging, within ±1".to_owned();
        board.scores.push(share("A4", class, target, seen.near, seen.trials).bounded(goal, controls));
    }
    Ok(())
}

fn a6(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let seen = cloning::lots(arena, target)?;
        let class = "(i) subsets as if by lot, accepted".to_owned();
        board.scores.push(number("A6", class, target, seen.apart.len(), seen.tried).bounded(0.0, &[]));
        if target == Target::Ours {
            board.remarks.extend(seen.apart.into_iter().map(|text| Remark { attack: "A6", text }));
        }
    }
    Ok(())
}

fn a9(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for size in Size::BOTH {
        let kind = Membership { size, conditions: 1, ..PLAIN };
        on_all(arena, board, ("A9", &Cloning), kind, &[(format!("{}, cloning", size.name()), 0.55, NAIVE_FALLS)])?;
    }
    Ok(())
}

fn a16(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    let classes =
        [(Opener::ThirdCase, "a third case opens a cell"), (Opener::ThirdAgency, "a third agency opens a cell")];
    for (opener, class) in classes {
        for target in Target::ALL {
            let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
            let tally = groups::opener(arena, target, opener)?;
            board.scores.push(accuracy("A16", class.to_owned(), target, tally).bounded(0.53, &[]));
        }
    }
    for target in Target::ALL {
        let seen = caseload::stories(arena, target)?;
        let class = "private caseloads within 10 %, of those shown".to_owned();
        let naive = &[(Target::K11Exact, 1.0)];
        board.scores.push(number("A16", class, target, seen.estimated, seen.dominated).bounded(0.0, naive));
        let class = "cells shown with > 80 % of one case".to_owned();
        board.scores.push(number("A16", class, target, seen.one_case, seen.shown).bounded(0.0, naive));
    }
    Ok(())
}

/// Fewer persons, where each trial has rows of its own: they take longer to prepare than to ask about.
fn smaller(arena: &Arena, share: usize) -> Arena {
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let people = People { name: 4, ..People::victims(&arena.policy, FEWER, &mut rng) };
    Arena { people, ..arena.part(share) }
}

fn a14(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    let arena = &smaller(arena, 1);
    let classes = [
        (Padding::AtTheEdge, "11 in one case between two cells"),
        (Padding::FourCases, "12 in four cases between two cells"),
        (Padding::OneCase, "20 in one case around a lone victim"),
        (Padding::ManyCases, "20 in 20 cases around a lone victim"),
        (Padding::OverTime, "3 with each Snapshot, in one case"),
    ];
    for (padding, class) in classes {
        for target in Target::ALL {
            let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
            let tally = dummies::padded(arena, target, padding)?;
            board.scores.push(accuracy("A14", class.to_owned(), target, tally).bounded(0.55, NAIVE_FALLS));
        }
    }
    Ok(())
}

fn a15(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    let arena = &smaller(arena, 1);
    let changes = [
        (Change::Added, "reported", FALLS),
        (Change::AddedWithTwo, "reported with two known", NAIVE_FALLS),
        (Change::Corrected, "corrected late", FALLS),
    ];
    for size in Size::BOTH {
        for (change, what, controls) in changes {
            for target in Target::ALL {
                let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
                for (tally, cells) in changes::came(arena, target, size, change)?.into_iter().zip([1, 3]) {
                    let class = format!("{}, {what}, cells = {cells}", size.name());
                    board.scores.push(accuracy("A15", class, target, tally).bounded(0.55, controls));
                }
            }
        }
    }
    for target in Target::ALL {
        let seen = changes::histories(arena, target)?;
        let class = "numbers that moved for ≤ 3 since first shown".to_owned();
        let naive = &[(Target::K11Exact, 50.0)];
        board.scores.push(number("A15", class, target, seen.revealed, seen.moved).bounded(0.0, naive));
        let class = "small steps that moved a number".to_owned();
        board.scores.push(share("A15", class, target, seen.small_moved, seen.small).bounded(0.10, &[]));
    }
    Ok(())
}

fn a22(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(22);
    let judged = People { name: 2, ..People::judged(&arena.policy, PERSONS, &mut rng) };
    for target in Target::ALL {
        let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
        let (right, trials) = numeric::sentence(arena, &judged, target)?;
        let class = "sentence of a hidden person, to the month".to_owned();
        // A guess is right once in 120.
        board.scores.push(share("A22", class, target, right, trials).bounded(0.03, &[(Target::K11Exact, 0.99)]));
    }
    let served = unpick::served(arena);
    for target in Target::ALL {
        let arena = &arena.part(if target == Target::Ours { 1 } else { CONTROLS });
        let (right, trials) = unpick::decimals(arena, &judged, target)?;
        let class = "means that say more than sum and count".to_owned();
        board.scores.push(number("A22", class, target, right, trials).bounded(0.0, &[]));
        let naive = &[(Target::K11Exact, 0.99)];
        let hits = unpick::tiers(arena, target)?;
        let class = "exact size by two profiles of one set".to_owned();
        // One draw of variance 4 is zero once in five.
        board.scores.push(share("A22", class, target, hits.right, hits.trials).bounded(0.25, naive));
        let hits = unpick::acts(arena, &served, target)?;
        let class = "acts of a hidden person, on division by three".to_owned();
        // A guess is right once in three.
        board.scores.push(share("A22", class, target, hits.right, hits.trials).bounded(0.363, naive));
    }
    Ok(())
}

fn a8(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for target in Target::ALL {
        let share = if target == Target::Ours { 1 } else { CONTROLS };
        let tally = fronts::single_persons(&arena.part(share), target)?;
        let class = "fronts by single persons, worst orders".to_owned();
        board.scores.push(accuracy("A8", class, target, tally).bounded(0.65, FALLS));
        let tally = fronts::by_threes(&arena.part(share), target)?;
        board.scores.push(accuracy("A8", "pairs led to by threes".to_owned(), target, tally).bounded(0.65, FALLS));
        for way in &fronts::WAYS {
            let tally = fronts::on_the_way(&arena.part(share), target, way)?;
            let class = format!("pairs all the way, {}", way.name);
            board.scores.push(accuracy("A8", class, target, tally).bounded(0.65, FALLS));
        }
    }
    for size in Size::BOTH {
        let kind = Membership { size, pairs: 3, ..PLAIN };
        let attack = ThirdSets { counts: &[1, 3], apart: 10..=22 };
        let line = |m: &usize| (format!("{}, third sets, m = {m}", size.name()), 0.53, FALLS);
        let lines: Vec<_> = [1, 3].iter().map(line).collect();
        on_all(arena, board, ("A8", &attack), kind, &lines)?;
        let trials = arena.plans(kind)?;
        for (tally, m) in trials.run(Target::Ours, &attack, 2, true)?.into_iter().zip([1, 3]) {
            let class = format!("{}, third sets, m = {m}, quotas on", size.name());
            board.scores.push(accuracy("A8", class, Target::Ours, tally).bounded(0.53, &[]));
        }
        let line = |m: &usize| (format!("{}, chains, m = {m}", size.name()), 0.53, FALLS);
        let lines: Vec<_> = [1, 3].iter().map(line).collect();
        on_all(arena, board, ("A8", &Chains { counts: &[1, 3], longest: 80 }), kind, &lines)?;
        let fronts = Fronts { counts: &[1, 3], longest: 40 };
        let line = |m: &usize| (format!("{}, two fronts, m = {m}", size.name()), 0.53, FALLS);
        let lines: Vec<_> = [1, 3].iter().map(line).collect();
        on_all(arena, board, ("A8", &fronts), kind, &lines)?;
        for (r, counts, goal) in RIDES {
            let kind = Membership { size, pairs: counts[counts.len() - 1], r: 2 * r, having: Some(r), ..PLAIN };
            let line = |m: &usize| (format!("{}, r = {r}, m = {m}", size.name()), goal, NAIVE_FALLS);
            let lines: Vec<_> = counts.iter().map(line).collect();
            on_all(arena, board, ("A8", &Riding { counts }), kind, &lines)?;
        }
    }
    Ok(())
}

/// Boundary riding: how many others are known, with how many pairs, and what may come of it (privacy.md 7.3).
const RIDES: [(usize, &[usize], f64); 3] = [(3, &[1], 0.65), (5, &[1, 3], 0.65), (7, &[1], 0.67)];
