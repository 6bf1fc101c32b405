//! The saved questions that there are: those that the program brings along and those that readers keep.
//!
//! Guarantees: what is kept is durable before it is shown; a text that cannot be read is set aside with one line in the program's
//! log, and the others stay. Not guaranteed: that another process of the same store shows a new one at once (it follows its folder).
//!
//! Absent: the SQL's meaning, and who may ask it ([`query::Reader`]).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use query::saved::{OURS, Saved};
use tokio::sync::Mutex;

/// Most questions that readers may keep, all together.
const MOST: usize = 1_000;
/// Most of one reader.
const MOST_OF_ONE: usize = 100;

/// Keeps the texts of saved questions.
pub trait Shelf: Send + Sync {
    /// Puts a text under a name, in the place of what was there, or takes it away where there is none; durably, whole or not at all.
    ///
    /// # Errors
    /// One sentence of why not.
    fn put(&self, name: &str, text: Option<&str>) -> Result<(), String>;
}

/// A saved question, and what was learned of it.
pub(crate) struct Entry {
    pub(crate) saved: Saved,
    /// Whether the program brings it along.
    pub(crate) is_ours: bool,
    /// Hash of its text.
    pub(crate) hash: String,
    /// Whether it asks published tables alone; not known before it was planned once.
    pub(crate) is_published: OnceLock<bool>,
}

impl Entry {
    fn new(saved: Saved, is_ours: bool) -> Self {
        let hash = blake3::hash(saved.text().as_bytes()).to_hex()[..32].to_owned();
        Self { saved, is_ours, hash, is_published: OnceLock::new() }
    }
}

/// Why a question was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotKept {
    /// Nothing is kept here.
    Closed,
    /// What is asked for cannot be: a sentence.
    Objection(&'static str),
    /// The disk: a sentence.
    Failed(String),
}

/// All saved questions.
pub struct Questions {
    entries: RwLock<BTreeMap<String, Arc<Entry>>>,
    shelf: Option<Arc<dyn Shelf>>,
    /// Held by who changes them.
    changing: Mutex<()>,
}

impl Default for Questions {
    /// Those that the program brings along; nothing is kept.
    fn default() -> Self {
        Self::new(None, Vec::new())
    }
}

impl Questions {
    /// Those that the program brings along and these, by name and text. Without a shelf nothing is kept.
    pub fn new(shelf: Option<Arc<dyn Shelf>>, kept: Vec<(String, String)>) -> Self {
        let questions = Self { entries: RwLock::default(), shelf, changing: Mutex::default() };
        questions.replace(kept);
        questions
    }

    /// From now on these are kept: the folder has changed. One of the same name and text stays what it is.
    pub fn replace(&self, kept: Vec<(String, String)>) {
        let ours = OURS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned(), true));
        let kept = kept.into_iter().filter(|(name, _)| !is_ours(name)).map(|(name, text)| (name, text, false));
        let mut next = BTreeMap::new();
        for (name, text, is_ours) in ours.chain(kept) {
            match Saved::parse(&name, &text) {
                Ok(saved) => {
                    let entry = Entry::new(saved, is_ours);
                    let same = self.find(&name).filter(|known| known.hash == entry.hash);
                    next.insert(name, same.unwrap_or_else(|| Arc::new(entry)));
                }
                Err(what) => tracing::warn!(name, what, "a saved question cannot be read and is left out"),
            }
        }
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// The question of a name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Keeps a question in the place of one of its name, if `may` says so of that one (or of none); true where there was none.
    /// `may` is asked last before the change is made: what it records is done.
    pub(crate) async fn keep(
        &self,
        saved: Saved,
        may: impl FnOnce(Option<&Entry>) -> Result<(), NotKept> + Send,
    ) -> Result<bool, NotKept> {
        let _one = self.changing.lock().await;
        let known = self.find(&saved.name);
        match &known {
            Some(known) if known.is_ours => {
                return Err(NotKept::Objection("The program brings along a question of that name: choose another."));
            }
            None if self.is_full(saved.owner.as_deref()) => {
                return Err(NotKept::Objection("As many questions are saved as may be: take one away first."));
            }
            _ => {}
        }
        may(known.as_deref())?;
        self.put(&saved.name, Some(saved.text())).await?;
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(saved.name.clone(), Arc::new(Entry::new(saved, false)));
        Ok(known.is_none())
    }

    /// Takes a question away, if `may` says so of it, which is asked last; false where there is none.
    pub(crate) async fn remove(
        &self,
        name: &str,
        may: impl FnOnce(&Entry) -> Result<(), NotKept> + Send,
    ) -> Result<bool, NotKept> {
        let _one = self.changing.lock().await;
        let Some(known) = self.find(name) else { return Ok(false) };
        if known.is_ours {
            return Err(NotKept::Objection("The program brings this question along."));
        }
        may(&known)?;
        self.put(name, None).await?;
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(true)
    }

    /// Whether no more may be kept, of all or of one.
    fn is_full(&self, owner: Option<&str>) -> bool {
        let kept: Vec<Arc<Entry>> = self.all().into_iter().filter(|entry| !entry.is_ours).collect();
        let of_one = kept.iter().filter(|entry| entry.saved.owner.as_deref() == owner).count();
        kept.len() >= MOST || of_one >= MOST_OF_ONE
    }

    /// On a thread that may wait for the disk.
    async fn put(&self, name: &str, text: Option<String>) -> Result<(), NotKept> {
        let shelf = self.shelf.clone().ok_or(NotKept::Closed)?;
        let name = name.to_owned();
        let put = tokio::task::spawn_blocking(move || shelf.put(&name, text.as_deref())).await;
        put.map_err(|_| NotKept::Failed("The question could not be kept.".to_owned()))?.map_err(NotKept::Failed)
    }
}

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|(ours, _)| *ours == name)
}
