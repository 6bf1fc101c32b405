//! What the vault remembers: sets it was asked about, answers it gave, charges it made (privacy.md 6.1, 6.7, 6.8).
//!
//! Entries are facts in the order in which they happened; replayed in that order they make the same memory again.
//! [`Remembered`] keeps them in memory, for tests and for what is never shown to anybody; crate `ledger` keeps them on
//! disk.
//!
//! Absent: persons. An anchor is sums of keyed values; solved, that of a small set gives pseudonyms (`sketch`), so a store is
//! guarded like the records.

use policy::Profile;
use serde::{Deserialize, Serialize};

/// Where a store stands: how many entries it holds, and a hash over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub entries: u64,
    /// Hash of the entry before, and of this entry: `BLAKE3(hash before || entry)`; zeros before the first.
    pub hash: [u8; 32],
}

/// One fact. Its form is frozen: stores keep it for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A set that was asked about and is near no other. Anchors are numbered by their order, from 0.
    Anchor(Anchor),
    /// The answer that an anchor has for a profile. Given once; a number may be taken back once, by an edition that hides it.
    Answer {
        /// Number of the anchor.
        anchor: u64,
        /// For cells of this profile.
        profile: Profile,
        /// Variance of its noise.
        tier: u16,
        /// The released number, times 10^6 where it is a sum; `None` where it was suppressed.
        value: Option<i128>,
    },
    /// A grid that was charged.
    Charge(Charge),
    /// A set that was asked about and is near another one: the anchor that answers for that one answers for it.
    Neighbour {
        /// The set.
        set: AskedSet,
        /// Number of the anchor.
        anchor: u64,
    },
    /// What a set that was asked about has of marked units, as no set before: who answers for it answers for all that have the same.
    Core {
        /// Universe and measure, as the vault names them.
        space: String,
        /// Sum of the keys of the marked units and of what is measured of them, modulo 2^128.
        core: u128,
        /// Number of the anchor.
        anchor: u64,
    },
}

/// A set that was asked about and is near no other, so that it has answers of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The set.
    pub set: AskedSet,
    /// What the floors need to know of it.
    pub facts: AnchorFacts,
}

/// A set that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedSet {
    /// Universe and measure, as the vault names them (`"victims/units"`).
    pub space: String,
    /// Number of elements.
    pub n: u64,
    /// Sum of the elements' keys modulo 2^128.
    pub c: u128,
    /// Odd syndromes of its elements (14 words).
    pub sketch: Vec<u64>,
    /// Odd syndromes of its cases with their members (14 words).
    pub case_sketch: Vec<u64>,
    /// Counts of elements by bucket, modulo 256 (64 bytes).
    pub buckets: Vec<u8>,
}

/// What the floors judge an anchor by: the numbers of its own set, whoever asks through it (privacy.md 6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnchorFacts {
    /// Distinct units.
    pub units: u64,
    /// What is measured: units, rows, cases, agencies, or the sum times 10^6.
    pub value: i128,
    /// Units of the largest case.
    pub top_case: u64,
    /// Units beside the largest cases: all but one of those that must be there.
    pub beside_cases: u64,
    /// Whether private caseloads dominate it, or few make its sum.
    pub dominated: bool,
}

/// A grid charged to blocks (privacy.md 6.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The universe whose counters it raises.
    pub universe: String,
    /// What was charged: dimensions and levels of the question, and its measure.
    pub grid: String,
    /// Who pays: the share of a role, or `None` for a declared grid.
    pub role: Option<String>,
    /// Blocks that it touches: province and quarter, as codes.
    pub blocks: Vec<(u16, u16)>,
    /// Counters and by how much they rise in each of the blocks.
    pub counters: Vec<(String, u32)>,
    /// For blocks whose quarter was open, the edition at which it was charged; a later edition charges them again.
    pub open_at: Option<i64>,
}

/// As the log of questions has it: `victims: units by sex, year: presence +1 in 24 blocks`.
impl std::fmt::Display for Charge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counters: Vec<String> = self.counters.iter().map(|(name, weight)| format!("{name} +{weight}")).collect();
        let (counters, blocks) = (counters.join(", "), self.blocks.len());
        let blocks = if blocks == 1 { "1 block".to_owned() } else { format!("{blocks} blocks") };
        write!(f, "{}: {counters} in {blocks}", self.grid)
    }
}

/// Why the store failed. What it holds is not named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store. It is never made anew beside data that were asked about.
    #[error(
        "the vault's memory is missing: restore it from the backup of the same data; without it the same question would get a second number"
    )]
    Missing,
    /// The store belongs to another key.
    #[error("the vault's memory was made under another key")]
    OtherKey,
    /// The store ends before what is known to have been in it.
    #[error("the vault's memory ends at entry {has}, and {known} are known: restore the newer one")]
    Behind {
        /// Entries that it holds.
        has: u64,
        /// Entries that are known to have been there.
        known: u64,
    },
    /// Someone else committed in between; replay and ask again.
    #[error("the vault's memory has moved on")]
    Moved,
    /// An entry is not what was written.
    #[error("entry {0} of the vault's memory is damaged")]
    Damaged(u64),
    /// The disk failed.
    #[error("the vault's memory cannot be read or written")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The memory of the vault.
///
/// Guarantees: what `commit` has acknowledged is durable and is replayed in that order, whole or not at all. `commit`
/// fails with [`StoreError::Moved`] unless `after` is the head. Non-guarantees: that a failed commit left nothing; the
/// caller replays before it goes on.
pub trait ReleaseStore: Send {
    /// The head.
    fn head(&mut self) -> Result<Head, StoreError>;

    /// Tells the entries after a head, in order, and returns the head then. Fails with [`StoreError::Behind`] or
    /// [`StoreError::Damaged`] where `after` is not on the way to the head.
    fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError>;

    /// Adds entries durably and returns the new head.
    fn commit(&mut self, after: Head, new: &[Entry]) -> Result<Head, StoreError>;
}

/// A memory that ends with the process.
#[derive(Debug, Default)]
pub struct Remembered {
    entries: Vec<Entry>,
    heads: Vec<Head>,
}

impl Remembered {
    /// What a store held when it stood at `until`: for making again what was released then. Fails where the store does,
    /// and where it never stood there.
    pub fn copy(store: &mut dyn ReleaseStore, until: Head) -> Result<Self, StoreError> {
        let mut copy = Self::default();
        let mut failed = Ok(Head::default());
        store.replay(Head::default(), &mut |entry| {
            if copy.entries.len() as u64 != until.entries {
                failed = copy.head().and_then(|head| copy.commit(head, &[entry]));
            }
        })?;
        failed?;
        match copy.head()? {
            head if head == until => Ok(copy),
            head if head.entries < until.entries => Err(StoreError::Behind { has: head.entries, known: until.entries }),
            head => Err(StoreError::Damaged(head.entries)),
        }
    }
}

impl ReleaseStore for Remembered {
    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.heads.last().copied().unwrap_or_default())
    }

    fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError> {
        let from = usize::try_from(after.entries).unwrap_or(usize::MAX);
        let known = from.checked_sub(1).map_or(Some(Head::default()), |at| self.heads.get(at).copied());
        match known {
            None => Err(StoreError::Behind { has: self.entries.len() as u64, known: after.entries }),
            Some(head) if head != after => Err(StoreError::Damaged(after.entries)),
            Some(_) => {
                self.entries[from..].iter().cloned().for_each(each);
                self.head()
            }
        }
    }

    fn commit(&mut self, after: Head, new: &[Entry]) -> Result<Head, StoreError> {
        if self.head()? != after {
            return Err(StoreError::Moved);
        }
        for entry in new {
            let head = self.head()?.after(&entry.to_bytes());
            self.entries.push(entry.clone());
            self.heads.push(head);
        }
        self.head()
    }
}

impl Head {
    /// As it is written in manifests: `entries:hash`.
    pub fn to_text(self) -> String {
        format!("{}:{}", self.entries, blake3::Hash::from_bytes(self.hash).to_hex())
    }

    /// The head that is written so.
    pub fn from_text(text: &str) -> Option<Self> {
        let (entries, hash) = text.split_once(':')?;
        Some(Self { entries: entries.parse().ok()?, hash: *blake3::Hash::from_hex(hash).ok()?.as_bytes() })
    }

    /// The head after an entry with these bytes.
    #[must_use]
    pub fn after(self, entry: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.hash).update(entry);
        Self { entries: self.entries + 1, hash: hasher.finalize().into() }
    }
}

impl Entry {
    /// The bytes that are kept and hashed: postcard's form of the entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("an entry is plain data")
    }

    /// The entry of these bytes; `None` where they are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
