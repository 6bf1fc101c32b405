//! Dimensions and their levels as a question sees them: closed codes, their names, and how they add up.
//!
//! A dimension is the main time, a column, or the bands of a measure; its levels run from fine to coarse. Every level is
//! a name that can be grouped and selected by, with a closed list of codes, `_X` among them (privacy.md 6.2).
//!
//! Absent: counts, questions, SQL.

use std::ops::RangeInclusive;

use events::code_list::{self, CodeList};

use crate::datasets::{Cardinality, Dataset, MeasureColumn, Profile, Resolved};
use crate::time::{self, TimeLevel};

/// The dimension of the main time.
pub const TIME: &str = "time";

impl Dataset {
    /// The dimension that a level belongs to: [`TIME`], the column at its finest level, or the bands themselves.
    pub fn dimension_of(&self, level: &str) -> Option<&str> {
        match self.resolve(level)? {
            Resolved::Time(_) => Some(TIME),
            Resolved::Column(column, _) => Some(&column.name),
            Resolved::Band(measure) => Some(&measure.band),
        }
    }

    /// The names of a dimension's levels, from fine to coarse. Of time, years and fiscal years stand side by side.
    pub fn levels(&self, dimension: &str) -> Vec<&str> {
        if dimension == TIME {
            return TimeLevel::ALL.iter().map(|level| level.name()).collect();
        }
        if let Some(Resolved::Band(measure)) = self.resolve(dimension) {
            return vec![&measure.band];
        }
        self.columns.get(dimension).map_or_else(Vec::new, |column| {
            std::iter::once(column.name.as_str()).chain(column.levels.iter().map(|level| level.name.as_str())).collect()
        })
    }

    /// Every level of every dimension, by name of the dimension.
    pub fn all_levels(&self) -> impl Iterator<Item = &str> {
        std::iter::once(TIME)
            .chain(self.columns.keys().map(String::as_str))
            .chain(self.measures.values().map(|measure| measure.band.as_str()))
            .flat_map(|dimension| self.levels(dimension))
    }

    /// Whether a unit may have several codes of a level.
    pub fn is_many(&self, level: &str) -> bool {
        matches!(self.resolve(level), Some(Resolved::Column(column, _)) if column.cardinality == Cardinality::Many)
    }

    /// The column of a level that has a counter of its own, and how it is protected (privacy.md 6.8).
    pub fn secret(&self, level: &str) -> Option<(&str, Profile)> {
        match self.resolve(level)? {
            Resolved::Column(column, _) if column.secret || column.profile > Profile::Std => {
                Some((&column.name, column.profile))
            }
            _ => None,
        }
    }

    /// How a code of a level is protected; of time and bands like any other.
    pub fn profile_of(&self, level: &str, code: u16) -> Profile {
        match self.resolve(level) {
            Some(Resolved::Column(column, at)) => column.profile_of(at, code),
            Some(Resolved::Time(_) | Resolved::Band(_)) | None => Profile::Std,
        }
    }

    /// The codes of a level, in the order in which they are shown; `years` bounds those of time. `None` for no level.
    pub fn codes(&self, level: &str, years: RangeInclusive<u16>) -> Option<Vec<u16>> {
        match self.resolve(level)? {
            Resolved::Time(time) => Some(time.codes(years)),
            Resolved::Band(measure) => Some((0..=measure.unknown()).collect()),
            resolved @ Resolved::Column(..) => Some((0..list_of(resolved)?.codes.len() as u16).collect()),
        }
    }

    /// The code of a level that means unknown.
    pub fn unknown(&self, level: &str) -> Option<u16> {
        match self.resolve(level)? {
            Resolved::Time(_) => Some(time::UNKNOWN),
            Resolved::Band(measure) => Some(measure.unknown()),
            resolved @ Resolved::Column(..) => Some(list_of(resolved)?.unknown()),
        }
    }

    /// A code as it is written. `None` for no level or no code of it.
    pub fn code_text(&self, level: &str, code: u16) -> Option<String> {
        match self.resolve(level)? {
            Resolved::Time(time) => Some(time.label(code)),
            Resolved::Band(measure) => measure.band_text(code),
            resolved @ Resolved::Column(..) => Some(list_of(resolved)?.get(code)?.code.to_owned()),
        }
    }

    /// The code that is written so at a level; of time, within these years (or [`code_list::UNKNOWN`]).
    pub fn code_of(&self, level: &str, text: &str, years: RangeInclusive<u16>) -> Option<u16> {
        match self.resolve(level)? {
            Resolved::Time(time) => time.codes(years).into_iter().find(|code| time.label(*code) == text),
            Resolved::Band(measure) => {
                (0..=measure.unknown()).find(|code| measure.band_text(*code).as_deref() == Some(text))
            }
            resolved @ Resolved::Column(..) => list_of(resolved)?.code(text),
        }
    }

    /// The coarser code to which a code adds up. `None` where `to` is not the same dimension at the same or a coarser
    /// level, or the code is none of `from`.
    pub fn roll_up(&self, from: &str, to: &str, code: u16) -> Option<u16> {
        match (self.resolve(from)?, self.resolve(to)?) {
            (Resolved::Time(fine), Resolved::Time(coarse)) => fine.roll_up(coarse, code),
            (Resolved::Column(fine, a), Resolved::Column(coarse, b)) if fine.name == coarse.name && a <= b => {
                let (list, base) = (list_of(Resolved::Column(coarse, b))?, list_of(Resolved::Column(fine, a))?);
                base.get(code)?;
                if a == b {
                    return Some(code);
                }
                Some(base.roll_up(code, list))
            }
            (Resolved::Band(fine), Resolved::Band(coarse)) if fine.name == coarse.name => {
                (code <= fine.unknown()).then_some(code)
            }
            _ => None,
        }
    }
}

impl MeasureColumn {
    /// The code of its bands that means that nothing was said: the number of bins.
    pub fn unknown(&self) -> u16 {
        self.bins.len() as u16 - 1
    }

    /// The bin of a value. What lies outside the bounds counts as the bound, as in a sum (privacy.md 6.5).
    pub fn band_of(&self, value: Option<i64>) -> u16 {
        let Some(value) = value else { return self.unknown() };
        let above = self.bins.partition_point(|edge| *edge <= value.clamp(self.min, self.max)) as u16;
        (above - 1).min(self.unknown() - 1)
    }

    /// A bin as it is written: `0`, `6-11`, `240+`, `_X`. `None` for no code of the bands.
    pub fn band_text(&self, code: u16) -> Option<String> {
        let (at, unknown) = (usize::from(code), self.unknown());
        if code == unknown {
            return Some(code_list::UNKNOWN.to_owned());
        }
        let (low, high) = (self.bins.get(at)?, self.bins.get(at + 1)?);
        Some(match high - 1 {
            _ if code + 1 == unknown => format!("{low}+"),
            last if last == *low => low.to_string(),
            last => format!("{low}-{last}"),
        })
    }
}

fn list_of(resolved: Resolved<'_>) -> Option<&'static CodeList> {
    code_list::find(resolved.list()?)
}
