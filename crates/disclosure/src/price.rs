//! What the declared grids of a policy cost, and whether they fit (privacy.md 6.8): computed from the grids alone, before
//! anything is counted.

use policy::{ChargedGrid, Policy};

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
    /// The indicator that declares it; none where a table of an edition is not declared.
    pub indicator: Option<String>,
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

/// The prices of a policy's declared grids, then of the tables of an edition, in the order in which they are charged, each
/// distinct grid once. Exact ones cost nothing and are left out.
pub fn prices(policy: &Policy, tables: &[TableQuery], span: &Span) -> Result<Vec<Price>, DisclosureError> {
    let charging = policy.datasets.charging();
    let mut charges = Charges::new(charging);
    let mut prices = Vec::new();
    let declared = declared(policy, span)?.into_iter().map(|(indicator, query)| (Some(indicator), query));
    for (indicator, query) in declared.chain(tables.iter().map(|query| (None, query.clone()))) {
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
            let counters = grid
                .counters
                .iter()
                .map(|(name, _)| (name.clone(), charges.highest(&grid.universe, name), most(&charging, name)));
            let tier = charges.tier(&grid, blocks.iter().copied());
            prices.push(Price {
                indicator: indicator.clone(),
                grid: grid.name.clone(),
                tier,
                counters: counters.collect(),
            });
        }
    }
    Ok(prices)
}

/// The tables of a policy's declared grids, in order, each with its indicator.
pub(crate) fn declared(policy: &Policy, span: &Span) -> Result<Vec<(String, TableQuery)>, DisclosureError> {
    let table = |grid: &ChargedGrid| {
        let dataset = policy.datasets.get(&grid.dataset);
        let dataset = dataset.ok_or_else(|| DisclosureError::UnknownDataset(grid.dataset.clone()))?;
        Ok((grid.indicator.clone(), TableQuery::declared(grid, dataset, span)))
    };
    policy.datasets.declared().iter().map(table).collect()
}
