//! The reporting calendar as questions see it: the flag L of an answer is that of the edition (privacy.md 6.6).
//!
//! A published table names its cells; a question is about any of the codes that its conditions and its breakdown leave. Of
//! several periods, provinces or groups nothing was collected where nothing was of each.
//!
//! Absent: cells of persons; how late a report is.

use std::collections::BTreeMap;

use disclosure::{CodesAt, Reporting};
use events::code_list;
use policy::{Agency, Policy, TimeLevel};

use super::EditionError;
use super::as_of::AsOf;
use super::calendar::{Calendar, EditionSource, Place};
use crate::indicator::{self, Table};

/// The calendar, and whose reports are counted by the declared grids of each dataset.
pub(super) struct Reports {
    calendar: Calendar,
    bodies: BTreeMap<String, Vec<Agency>>,
}

impl Reports {
    /// Reads the calendar of a Snapshot as of a date.
    pub(super) fn read<S>(source: &S, policy: &Policy, as_of: AsOf) -> Result<Self, EditionError>
    where
        S: EditionSource,
        S::Error: std::fmt::Display,
    {
        Ok(Self::of(Calendar::read(source, policy, as_of)?, policy))
    }

    /// A calendar with the bodies of a policy.
    pub(super) fn of(calendar: Calendar, policy: &Policy) -> Self {
        let mut bodies: BTreeMap<String, Vec<Agency>> = BTreeMap::new();
        for indicator in indicator::all() {
            let declared = |table: &&Table| table.has_exact_cells(policy);
            for table in indicator.tables.iter().filter(declared) {
                let known = bodies.entry(table.dataset.clone()).or_default();
                let new = policy.agencies.iter().filter(|agency| indicator.agencies.contains(&agency.group));
                let new: Vec<Agency> = new.filter(|agency| !known.contains(agency)).cloned().collect();
                known.extend(new);
            }
        }
        Self { calendar, bodies }
    }

    /// Whether nothing was collected of a period in a part of the country from a group, or of what they are parts of.
    fn is_silent_at(&self, dataset: &str, days: (i32, i32), group: Option<u16>, province: Option<u16>) -> bool {
        let Some(bodies) = self.bodies.get(dataset) else { return false };
        let (groups, provinces) = (code_list::list("agency_group"), code_list::list("province"));
        let is_silent = |group: Option<u16>, province: Option<u16>| {
            let of_group = |agency: &&Agency| group.is_none_or(|code| groups.text(code) == agency.group);
            let agencies = bodies.iter().filter(of_group).collect();
            let province = province.map(|code| (provinces.text(code), code));
            self.calendar.is_silent(dataset, days, &Place { agencies, province })
        };
        let wider = |code: Option<u16>| [code, None].into_iter().take(1 + usize::from(code.is_some()));
        wider(group).any(|group| wider(province).any(|province| is_silent(group, province)))
    }
}

impl Reporting for Reports {
    fn is_silent(&self, dataset: &str, on: &CodesAt) -> bool {
        let Some(periods) = periods(on) else { return false };
        let unknown = code_list::list("province").unknown();
        let each = |level: &str| -> Vec<Option<u16>> {
            on.get(level).map_or_else(|| vec![None], |codes| codes.iter().map(|&code| Some(code)).collect())
        };
        let (groups, provinces) = (each("agency_group"), each("province"));
        periods.iter().all(|&days| {
            groups.iter().all(|&group| {
                // Who reports on no province in particular is not known either.
                let province = |province: &Option<u16>| province.filter(|&code| code != unknown);
                provinces.iter().all(|code| self.is_silent_at(dataset, days, group, province(code)))
            })
        })
    }
}

/// The periods that codes of time leave, each with its first and last day: those of the finest level that lie in one of each
/// coarser one. `None` where there are none, or not all are known.
fn periods(on: &CodesAt) -> Option<Vec<(i32, i32)>> {
    let levels = TimeLevel::ALL.into_iter().filter_map(|level| Some((level, on.get(level.name())?)));
    let mut by_level =
        levels.map(|(level, codes)| codes.iter().map(|&code| level.days(code)).collect::<Option<Vec<_>>>());
    let mut periods = by_level.next()??;
    for coarser in by_level {
        let coarser = coarser?;
        periods.retain(|&(from, to)| coarser.iter().any(|&(first, last)| from <= last && first <= to));
    }
    (!periods.is_empty()).then_some(periods)
}
