//! A vault's memory that ends with the process, and tells what was charged.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use disclosure::{Charge, Entry, Head, ReleaseStore, Remembered, StoreError};

/// Charges of a vault so far.
#[derive(Debug, Clone, Default)]
pub struct Bill(Arc<Mutex<Vec<Charge>>>);

impl Bill {
    /// The grids that were charged, in order, with what each weighs.
    pub fn grids(&self) -> Vec<String> {
        let mut grids: Vec<String> = Vec::new();
        for charge in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let weights = charge.counters.iter().map(|(counter, weight)| format!("{counter} +{weight}"));
            let grid = format!("{}: {}", charge.grid, weights.collect::<Vec<_>>().join(", "));
            if !grids.contains(&grid) {
                grids.push(grid);
            }
        }
        grids
    }

    /// Each counter, as `universe counter`, in the block where it stands highest.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let mut blocks: HashMap<(String, (u16, u16)), u64> = HashMap::new();
        for charge in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (counter, weight) in &charge.counters {
                for block in &charge.blocks {
                    let name = format!("{} {counter}", charge.universe);
                    *blocks.entry((name, *block)).or_default() += u64::from(*weight);
                }
            }
        }
        let mut highest: BTreeMap<String, u64> = BTreeMap::new();
        for ((name, _), sum) in blocks {
            let known = highest.entry(name).or_default();
            *known = sum.max(*known);
        }
        highest
    }
}

/// A memory whose charges can be looked at.
#[derive(Debug, Default)]
pub struct Noted {
    memory: Remembered,
    bill: Bill,
}

impl Noted {
    /// An empty one, and its bill.
    pub fn new() -> (Self, Bill) {
        let noted = Self::default();
        let bill = noted.bill.clone();
        (noted, bill)
    }
}

impl ReleaseStore for Noted {
    fn head(&mut self) -> Result<Head, StoreError> {
        self.memory.head()
    }

    fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError> {
        self.memory.replay(after, each)
    }

    fn commit(&mut self, after: Head, new: &[Entry]) -> Result<Head, StoreError> {
        let head = self.memory.commit(after, new)?;
        let charges = new.iter().filter_map(|entry| match entry {
            Entry::Charge(charge) => Some(charge.clone()),
            Entry::Anchor(_) | Entry::Neighbour { .. } | Entry::Core { .. } | Entry::Answer { .. } => None,
        });
        self.bill.0.lock().unwrap_or_else(PoisonError::into_inner).extend(charges);
        Ok(head)
    }
}
