//! What the declared grids of a policy cost, and whether they fit (privacy.md 6.8): computed from the grids alone, before
//! anything is counted.

use policy::Policy;

use crate::charges::{Charges, most};
use crate::error::DisclosureError;
use crate::footprint::Span;
use crate::noise::Tier;
use crate::query::TableQuery;

/// The share of each counter that declared grids may use: the rest is for questions.
const DECLARED_PERCENT: u64 = 50;

/// What one declared grid costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The grid: `victims: units by province, status, year`.
    pub grid: String,
    /// The tier of its cells where it was charged last, that is widest.
    pub tier: Tier,
    /// The counters that it raises: name, where they stand after it in the block that was charged most, and the most that
    /// they may reach.
    pub counters: Vec<(String, u64, u64)>,
}

impl Price {
    /// The first counter of which the declared grids have used more than their half.
    pub fn overdrawn(&self) -> Option<&(String, u64, u64)> {
        self.counters.iter().find(|(_, charged, most)| charged * 100 > most * DECLARED_PERCENT)
    }
}

/// The prices of declared tables in the order in which they are charged, each distinct grid once. Exact ones cost nothing
/// and are left out.
pub fn prices(policy: &Policy, tables: &[TableQuery], span: &Span) -> Result<Vec<Price>, DisclosureError> {
    let mut charges = Charges::default();
    let mut prices = Vec::new();
    for query in tables {
        let dataset = policy.datasets.get(&query.dataset);
        let dataset = dataset.ok_or_else(|| DisclosureError::UnknownDataset(query.dataset.clone()))?;
        for (grid, blocks) in query.margins_charged(dataset, span) {
            let due = charges.due(&grid, &blocks, span.open(), None);
            if due.is_empty() {
                continue;
            }
            for charge in &due {
                charges.take(charge);
            }
            let counters =
                grid.counters.iter().map(|(name, _)| (name.clone(), charges.highest(&grid.universe, name), most(name)));
            let tier = charges.tier(&grid, blocks.iter().copied());
            prices.push(Price { grid: grid.name.clone(), tier, counters: counters.collect() });
        }
    }
    Ok(prices)
}
