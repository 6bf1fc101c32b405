//! What the parts of a run have given, kept in a folder, so that a run that was broken off goes on where it was (`--resume`).
//!
//! A part that was made with another profile, another number of trials or another build of the program is made anew, so that a
//! board is put together from parts of one and the same.
//!
//! Absent: parts of a part.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::score::{Profile, Remark, Score, Scoreboard};

/// The board of one part.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    build: String,
    profile: Profile,
    trials: usize,
    seconds: f64,
    scores: Vec<Score>,
    remarks: Vec<Remark>,
}

impl Kept {
    /// What a part has given.
    pub fn new(board: &Scoreboard, trials: usize, seconds: f64) -> Self {
        let (scores, remarks) = (board.scores.clone(), board.remarks.clone());
        Self { build: BUILD.clone(), profile: board.profile, trials, seconds, scores, remarks }
    }

    /// Reads what a part gave, where it was run like this.
    pub fn read(folder: &Path, name: &str, profile: Profile, trials: usize) -> Option<Self> {
        let kept: Self = serde_json::from_reader(File::open(path(folder, name)).ok()?).ok()?;
        (kept.build == *BUILD && kept.profile == profile && kept.trials == trials).then_some(kept)
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

/// The hash of the running program; without one nothing that is kept counts as its own.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    let hashed =
        std::env::current_exe().and_then(File::open).and_then(|program| hasher.update_reader(program).map(|_| ()));
    match hashed {
        Ok(()) => hasher.finalize().to_hex().to_string(),
        Err(_) => format!("process {}", std::process::id()),
    }
});

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
        Kept::new(&board, 7, 1.5).write(&folder, "A1").expect("written");
        assert!(Kept::read(&folder, "A1", Profile::Fast, 8).is_none(), "another number of trials");
        let other = Kept { build: "another".to_owned(), ..Kept::new(&board, 7, 1.5) };
        other.write(&folder, "A3").expect("written");
        assert!(Kept::read(&folder, "A3", Profile::Fast, 7).is_none(), "another build");
        let mut again = Scoreboard::new(Profile::Fast, 10);
        Kept::read(&folder, "A1", Profile::Fast, 7).expect("kept").put("A1", &mut again);
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!((again.scores, again.remarks), (board.scores, board.remarks));
    }
}
