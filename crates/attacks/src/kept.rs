//! What the parts of a run have given, kept in a folder, so that a run that was broken off goes on where it was (`--resume`).
//!
//! A part that was made with another profile, another number of trials or from other sources is made anew, so that a board is put
//! together from parts of one and the same.
//!
//! Absent: parts of a part.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::score::{Profile, Remark, Score, Scoreboard};

/// The board of one part.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    sources: String,
    profile: Profile,
    trials: usize,
    seconds: f64,
    scores: Vec<Score>,
    remarks: Vec<Remark>,
}

impl Kept {
    /// What a part has given.
    pub fn new(name: &str, board: &Scoreboard, trials: usize, seconds: f64) -> Self {
        let (scores, remarks) = (board.scores.clone(), board.remarks.clone());
        Self { sources: sources(name), profile: board.profile, trials, seconds, scores, remarks }
    }

    /// Reads what a part gave, where it was run like this.
    pub fn read(folder: &Path, name: &str, profile: Profile, trials: usize) -> Option<Self> {
        let kept: Self = serde_json::from_reader(File::open(path(folder, name)).ok()?).ok()?;
        (kept.sources == sources(name) && kept.profile == profile && kept.trials == trials).then_some(kept)
    }

    /// Keeps it.
    pub fn write(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        // Whole or not at all.
        let (unfinished, path) = (folder.join(format!("{name}.unfinished")), path(folder, name));
        serde_json::to_writer(File::create(&unfinished)?, self)?;
        Ok(std::fs::rename(unfinished, path)?)
    }

    /// Puts it on a board.
    pub fn put(self, name: &'static str, board: &mut Scoreboard) {
        board.scores.extend(self.scores);
        board.remarks.extend(self.remarks);
        board.seconds.insert(name, self.seconds);
    }
}

/// The hash of the sources that scores of a part follow from, with that of the module that is its own (`build.rs`).
fn sources(part: &str) -> String {
    let own = env!("AMANAT_ATTACKS_OWN").split(' ').filter_map(|own| own.split_once('='));
    let own = own.filter(|(of, _)| *of == part).map(|(_, hash)| hash);
    [env!("AMANAT_ATTACKS_SOURCES")].into_iter().chain(own).collect::<Vec<_>>().join(" ")
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::referee::{accuracy, number};
    use crate::score::Tally;
    use crate::target::Target;

    #[test]
    fn a_part_that_was_kept_is_the_part_that_was_run() {
        let folder = std::env::temp_dir().join(format!("amanat-attacks-{}", std::process::id()));
        let mut board = Scoreboard::new(Profile::Fast, 10);
        board.scores.push(accuracy("A1", "r = 0".to_owned(), Target::Ours, Tally::default()).bounded(0.53, &[]));
        board.scores.push(number("A3", "numbers".to_owned(), Target::Ckm, 1, 5));
        board.remarks.push(Remark { attack: "A3", text: "seen".to_owned() });
        Kept::new("A1", &board, 7, 1.5).write(&folder, "A1").expect("written");
        assert!(Kept::read(&folder, "A1", Profile::Fast, 8).is_none(), "another number of trials");
        for (name, made) in [("A3", "others"), ("A3", "A19"), ("A19", "A3")] {
            let other = Kept { sources: sources(made), ..Kept::new(name, &board, 7, 1.5) };
            let other = if made == "others" { Kept { sources: made.to_owned(), ..other } } else { other };
            other.write(&folder, name).expect("written");
            assert!(Kept::read(&folder, name, Profile::Fast, 7).is_none(), "other sources");
        }
        let mut again = Scoreboard::new(Profile::Fast, 10);
        Kept::read(&folder, "A1", Profile::Fast, 7).expect("kept").put("A1", &mut again);
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!((again.scores, again.remarks), (board.scores, board.remarks));
    }
}
