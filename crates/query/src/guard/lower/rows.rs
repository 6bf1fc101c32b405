//! The rows of a grouping set, and where each of their values comes from.

use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;
use disclosure::{Breakdown, CellQuery, MOST_CELLS, Measure, Refused};
use policy::{Dataset, Profile, Resolved};

use super::asked::{Asked, refused};
use super::bases::{At, Base, rows_of};
use super::measure::{Ask, What};
use super::region::{Form, Meaning, Region};
use super::release::{Cell, Histogram, Row, Source};
use super::{Lowering, misplaced};
use crate::notes::Note;
use crate::refusal::Refusal;

/// A grouping set of an aggregate.
pub(super) struct GroupingSet<'s, 'a> {
    pub(super) region: &'s Region<'a>,
    /// All group expressions of the aggregate.
    pub(super) meanings: &'s [Meaning],
    /// Those of this set; the others are NULL in its rows.
    pub(super) keys: &'s [usize],
    pub(super) asks: &'s [Ask],
    /// Types of the group expressions and aggregates in the raw plan.
    pub(super) types: &'s [&'s DataType],
}

impl<'a> Lowering<'a> {
    /// The rows of a grouping set: every group that its population leaves possible.
    pub(super) fn rows(&mut self, set: &GroupingSet<'_, 'a>) -> Result<Vec<Row>, Refusal> {
        let GroupingSet { region, meanings, keys, asks, .. } = set;
        let bases = self.bases(region, keys.iter().filter_map(|&key| meanings.get(key)))?;
        for base in &bases {
            if region.dataset.is_many(base.breakdown.level()) {
                self.notes.push(Note::overlap(base.breakdown.level()));
            }
        }
        let asked = self.questions_of(region, &bases, asks)?;
        // Without a measure, a group is listed if it is shown.
        let lists = asked.iter().all(Option::is_none);
        let listed = if lists { Some(self.question(region, &bases, &[], Vec::new())?) } else { None };
        // A question whose conditions fix a level has few cells, and its rows are still those of every group.
        let cells = bases.iter().map(|base| base.groups.len()).fold(1, usize::saturating_mul);
        if cells > MOST_CELLS {
            return Err(refused(&Refused::TooManyCells { cells }));
        }
        let fixed: Vec<Option<u16>> = meanings.iter().map(|meaning| self.fixed_level(region, meaning)).collect();
        let row = |groups: Vec<u16>| {
            let at = At { dataset: region.dataset, bases: &bases, groups: &groups };
            let mut values = set.labels(at, &fixed)?;
            for (number, asked) in asked.iter().enumerate() {
                values.push(self.source(set, number, asked.as_ref(), at)?);
            }
            let only_if = listed.as_ref().map(|listed| cell(listed, at).ok_or_else(misplaced::internal)).transpose()?;
            Ok(Row { only_if, values })
        };
        rows_of(&bases).into_iter().map(row).collect()
    }

    /// The one code of the level of a key.
    fn fixed_level(&self, region: &Region<'a>, meaning: &Meaning) -> Option<u16> {
        match meaning {
            Meaning::Level { level, .. } => self.fixed(region, level),
            Meaning::Labels { .. } | Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => None,
        }
    }

    /// Where the value of an aggregate comes from in a row.
    fn source(
        &self,
        set: &GroupingSet<'_, 'a>,
        number: usize,
        asked: Option<&Asked>,
        at: At<'_>,
    ) -> Result<Source, Refusal> {
        let (ask, dataset) = (&set.asks[number], at.dataset);
        if let What::Grouping(keys) = &ask.what {
            let bits = keys.iter().fold(0_i64, |bits, key| bits << 1 | i64::from(!set.keys.contains(key)));
            let bits = ScalarValue::Int64(Some(bits)).cast_to(set.types[set.meanings.len() + number]);
            return bits.map(Source::Known).map_err(|_| misplaced::internal());
        }
        let asked = asked.ok_or_else(misplaced::internal)?;
        let possible = asked.possible.iter().zip(at.groups).all(|(possible, group)| possible.contains(group));
        // A contradiction is like any other small group: nothing to see (privacy.md 6.2, rule 2).
        let nothing = Source::Known(match &ask.what {
            What::Figure(Measure::Sum(_)) | What::Mean(_) | What::Quantile(..) => ScalarValue::Decimal128(None, 38, 6),
            What::Figure(_) | What::Shown(_) | What::Grouping(_) => ScalarValue::Int64(None),
        });
        if !possible {
            return Ok(nothing);
        }
        let measure = |of: &Measure| asked.query.measures.iter().position(|m| m == of).ok_or_else(misplaced::internal);
        Ok(match (&ask.what, cell(asked, at)) {
            (What::Shown(level), _) => {
                Source::Shown(self.cells_of_codes(asked, at, level).into_iter().map(|(_, cell)| cell).collect())
            }
            (What::Quantile(measure, order), _) => {
                let measure = dataset.measures.get(measure).ok_or_else(misplaced::internal)?;
                let edges = |code: usize| Some((*measure.bins.get(code)?, *measure.bins.get(code + 1)?));
                let bin = |(code, cell)| edges(usize::from(code)).map(|(low, high)| (low, high, cell));
                let bins = self.cells_of_codes(asked, at, &measure.band).into_iter().filter_map(bin).collect();
                Source::Quantile(Histogram { bins, order: *order, k: floor(dataset, &asked.query) })
            }
            (What::Figure(of @ Measure::Sum(_)), Some(cell)) => Source::Sum(cell, measure(of)?),
            (What::Figure(of), Some(cell)) => Source::Count(cell, measure(of)?),
            (What::Mean(column), Some(cell)) => Source::Mean {
                cell,
                sum: measure(&Measure::Sum(column.clone()))?,
                units: measure(&Measure::Units)?,
                // A mean is shown of twice the floor of units at least (privacy.md 6.5, Mean).
                least: 2 * floor(dataset, &asked.query) as i64,
            },
            (What::Figure(_) | What::Mean(_) | What::Grouping(_), _) => nothing,
        })
    }

    /// The cells of a row, one for each known code of a level that is not of the row itself.
    fn cells_of_codes(&self, asked: &Asked, at: At<'_>, level: &str) -> Vec<(u16, Cell)> {
        let dataset = at.dataset;
        let query = CellQuery { by: vec![Breakdown::Level(level.to_owned())], ..asked.query.clone() };
        let codes = query.groups(dataset, self.protected.years.clone()).pop().unwrap_or_default();
        let cell = |code: u16| {
            let own = [Base::single(dataset, level, code)];
            let own = At { dataset, bases: &own, groups: &[code] };
            let coordinate = |by: &Breakdown| at.coordinate(by).or_else(|| own.coordinate(by));
            let at = asked.query.by.iter().map(coordinate).collect::<Option<Vec<_>>>()?;
            Some((code, Cell { question: asked.number, at }))
        };
        let known = codes.into_iter().filter(|&code| Some(code) != dataset.unknown(level));
        known.filter_map(cell).collect()
    }
}

impl GroupingSet<'_, '_> {
    /// The values of the group expressions in a row.
    fn labels(&self, at: At<'_>, fixed: &[Option<u16>]) -> Result<Vec<Source>, Refusal> {
        let label = |(key, meaning): (usize, &Meaning)| {
            let value = if self.keys.contains(&key) { label(meaning, fixed[key], at) } else { ScalarValue::Null };
            value.cast_to(self.types[key]).map(Source::Known).map_err(|_| misplaced::internal())
        };
        self.meanings.iter().enumerate().map(label).collect()
    }
}

/// The coordinates of a row in a question's answer; none where the question has a level that the row has not.
fn cell(asked: &Asked, at: At<'_>) -> Option<Cell> {
    let at = asked.query.by.iter().map(|by| at.coordinate(by)).collect::<Option<Vec<_>>>()?;
    Some(Cell { question: asked.number, at })
}

/// What a column of the key says of a row.
fn label(meaning: &Meaning, fixed: Option<u16>, at: At<'_>) -> ScalarValue {
    match meaning {
        Meaning::Level { level, form } => {
            let code = fixed.or_else(|| at.code(level));
            code.map_or(ScalarValue::Null, |code| written(at.dataset, level, *form, code))
        }
        Meaning::Labels { level, labels } => {
            let code = at.code(level);
            let label = labels.iter().find(|(of, _)| Some(*of) == code);
            label.map_or(ScalarValue::Null, |(_, label)| label.clone())
        }
        Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => ScalarValue::Null,
    }
}

/// A code as its column writes it.
fn written(dataset: &Dataset, level: &str, form: Form, code: u16) -> ScalarValue {
    let first_day = || match dataset.resolve(level) {
        Some(Resolved::Time(time)) => time.days(code).map(|(first, _)| first),
        Some(Resolved::Column(..) | Resolved::Band(_)) | None => None,
    };
    match form {
        Form::Text => ScalarValue::Utf8(dataset.code_text(level, code)),
        Form::Year => ScalarValue::Int32((code != policy::time::UNKNOWN).then_some(i32::from(code))),
        Form::FirstDay => ScalarValue::Date32(first_day()),
        Form::Number => ScalarValue::Null,
    }
}

/// The floor on units of the strictest profile that a question touches (privacy.md 6.6, rule 1).
fn floor(dataset: &Dataset, query: &CellQuery) -> u64 {
    let levels = query.population.iter().map(|c| c.level.as_str()).chain(query.by.iter().map(Breakdown::level));
    let profile = |level: &str| match dataset.resolve(level) {
        Some(Resolved::Column(column, _)) => {
            column.raise.iter().map(|&(_, _, profile)| profile).fold(column.profile, Profile::max)
        }
        Some(Resolved::Time(_) | Resolved::Band(_)) | None => Profile::Std,
    };
    dataset.floor(levels.map(profile).fold(Profile::Std, Profile::max))
}
