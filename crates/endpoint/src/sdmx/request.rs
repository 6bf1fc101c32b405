//! The parameters of a data query: what is asked for, and what of the standard is not made here.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use query::{Catalogue, Current, IndicatorMeta, Rows, Selection, known};

use super::filter::Filter;
use super::message::Shape;
use super::model::{self, Role};
use crate::data::internal;
use crate::long::Long;
use crate::problem::{Kind, Problem};
use crate::request::Pairs;

/// Which editions are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Latest,
    /// The newest that had been published by then.
    AsOf(DateTime<Utc>),
    /// All, or all by then.
    History(Option<DateTime<Utc>>),
}

/// A data query.
pub(super) struct Asked {
    pub(super) meta: IndicatorMeta,
    /// The indicator, without filters: those of SDMX are applied to its rows.
    pub(super) selection: Selection,
    pub(super) at: At,
    pub(super) shape: Shape,
    filter: Filter,
    first: Option<usize>,
    last: Option<usize>,
    offset: usize,
    limit: Option<usize>,
    /// The same for all requests that are written alike.
    pub(super) key: String,
}

/// Parameters of the standard that are not made here, each with what to do instead.
const NOT_MADE: [(&str, &str); 3] = [
    ("updatedAfter", "Ask with includeHistory=true, or GET /v1/indicators/{id}/revisions for what has changed."),
    ("sort", "Leave it out: series and observations have one order, that of the edition."),
    ("reportingYearStartDay", "Leave it out: years and quarters are of the calendar."),
];

const PARAMETERS: [&str; 11] = [
    "c[…]",
    "asOf",
    "includeHistory",
    "firstNObservations",
    "lastNObservations",
    "dimensionAtObservation",
    "attributes",
    "measures",
    "offset",
    "limit",
    "format",
];

/// What the standard has and this service does not.
pub(super) fn not_made(name: &str, hint: &str) -> Problem {
    Problem::new(Kind::NotImplemented, format!("{name} is not implemented."), hint)
}

impl Asked {
    /// Reads a query.
    ///
    /// # Errors
    /// A problem that names the parameter and what it may be.
    pub(super) fn read(catalogue: &Catalogue, id: &str, key: &str, mut pairs: Pairs) -> Result<Self, Problem> {
        // Says that there is none, with the ids that there are.
        let selection = Selection::new(catalogue, id, [])?;
        let meta = catalogue.indicator(&selection.indicator).ok_or_else(Problem::internal)?.clone();
        // As texts in quotes: a value that has the form of further parameters is none of them.
        let written = format!("/sdmx/data {} {key:?} {:?}", meta.id, pairs.rest().collect::<Vec<_>>());
        for (name, hint) in NOT_MADE {
            if pairs.take(name).is_some() {
                return Err(not_made(name, hint));
            }
        }
        let (first, last) = (number(&mut pairs, "firstNObservations", 1)?, number(&mut pairs, "lastNObservations", 1)?);
        let (offset, limit) = (number(&mut pairs, "offset", 0)?.unwrap_or(0), number(&mut pairs, "limit", 1)?);
        let at = at(&mut pairs)?;
        let shape = shape(&mut pairs, &meta, matches!(at, At::History(_)))?;
        let mut filter = Filter::default();
        filter.add_key(catalogue, &meta, key)?;
        for (name, value) in pairs.rest() {
            if !filter.add_condition(catalogue, &meta, name, value)? {
                return Err(unknown(name, &PARAMETERS));
            }
        }
        Ok(Self { meta, selection, at, shape, filter, first, last, offset, limit, key: written })
    }

    /// The rows of one edition that are asked for.
    pub(super) fn rows(&self, current: &Current, edition: u32) -> Result<Long, Problem> {
        let mut selection = self.selection.clone();
        selection.edition = Some(edition);
        let rows = current.rows(&selection)?;
        let long = Long::new(&self.meta, &rows).map_err(|e| internal(&e))?;
        let components = model::components(&self.meta);
        let ids: Vec<String> = components.into_iter().filter(|c| c.role == Role::Dimension).map(|c| c.id).collect();
        let mut wanted: Vec<usize> = (0..long.len).filter(|row| self.filter.takes(&long, &ids, *row)).collect();
        if self.first.is_some() || self.last.is_some() {
            wanted = self.ends_of_series(&long, wanted);
        }
        let wanted: Vec<usize> = wanted.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect();
        if wanted.len() == long.len {
            return Ok(long);
        }
        let mut keep = vec![false; long.len];
        for row in wanted {
            keep[row] = true;
        }
        let batch = arrow::compute::filter_record_batch(&rows.batch, &keep.into()).map_err(|e| internal(&e))?;
        Long::new(&self.meta, &Rows { batch, ..rows }).map_err(|e| internal(&e))
    }

    /// Of each series the first and the last so many observations; what is no period of time is after all that are.
    fn ends_of_series(&self, long: &Long, wanted: Vec<usize>) -> Vec<usize> {
        let mut series: HashMap<(&str, Vec<&str>), Vec<usize>> = HashMap::new();
        for row in wanted {
            let mut key = long.key(row);
            let period = key.remove(1);
            series.entry((model::frequency(period), key)).or_default().push(row);
        }
        let mut kept = Vec::new();
        for rows in series.values_mut() {
            rows.sort_by_key(|row| long.period.of(*row));
            let count = rows.len();
            let is_kept = |at: usize| {
                self.first.is_some_and(|first| at < first)
                    || self.last.is_some_and(|last| at.saturating_add(last) >= count)
            };
            kept.extend(rows.iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, row)| *row));
        }
        kept.sort_unstable();
        kept
    }
}

/// A parameter that this address does not have.
fn unknown(name: &str, known: &[&str]) -> Problem {
    let short: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    let hint = format!("A parameter is one of {}.", known.join(", "));
    Problem::new(Kind::MalformedParameter, format!("There is no parameter '{short}'."), hint)
}

impl Pairs {
    /// An error where parameters are left that the address does not have.
    pub(crate) fn none_left(&self, known: &[&str]) -> Result<(), Problem> {
        self.rest().next().map_or(Ok(()), |(name, _)| Err(unknown(name, known)))
    }
}

fn number(pairs: &mut Pairs, name: &str, least: usize) -> Result<Option<usize>, Problem> {
    let Some(text) = pairs.take(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|n| *n >= least);
    let malformed = || {
        let detail = format!("{name} is not a number of observations.");
        Problem::new(Kind::MalformedParameter, detail, format!("Write a number from {least}."))
    };
    number.map(Some).ok_or_else(malformed)
}

fn at(pairs: &mut Pairs) -> Result<At, Problem> {
    let malformed = |detail: &str, hint: &str| Problem::new(Kind::MalformedParameter, detail, hint);
    let as_of = pairs.take("asOf").map(|text| {
        let hint = "Write a day in Pakistan or a moment in UTC: 2026-01-31, 2026-01-31T12:00:00Z.";
        moment(&text).ok_or_else(|| malformed("asOf is no moment.", hint))
    });
    let as_of = as_of.transpose()?;
    match pairs.take("includeHistory").as_deref() {
        None | Some("false") => Ok(as_of.map_or(At::Latest, At::AsOf)),
        Some("true") => Ok(At::History(as_of)),
        Some(_) => Err(malformed("includeHistory is neither true nor false.", "Write includeHistory=true.")),
    }
}

/// A moment of the standard: a date with a time, without an offset in UTC; or a date, which is a day in Pakistan to its end, as
/// everywhere here.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    // A plus that came as a space is one.
    let text = text.replace(' ', "+");
    if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
        return Some(at.to_utc());
    }
    if let Ok(at) = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S") {
        return Some(at.and_utc());
    }
    known::end(NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?)
}

fn shape(pairs: &mut Pairs, meta: &IndicatorMeta, history: bool) -> Result<Shape, Problem> {
    let malformed = |detail: &str, hint: String| Err(Problem::new(Kind::MalformedParameter, detail, hint));
    let flat = match pairs.take("dimensionAtObservation").as_deref() {
        None | Some("TIME_PERIOD") => false,
        Some("AllDimensions") => true,
        Some(id) => {
            let hint = "It is TIME_PERIOD (series) or AllDimensions (a table); other cross-sections are not made.";
            if model::components(meta).iter().any(|c| c.id == id && c.role == Role::Dimension) {
                return Err(not_made("This dimensionAtObservation", hint));
            }
            return malformed("dimensionAtObservation names no dimension.", hint.into());
        }
    };
    let value = match pairs.take("measures").as_deref() {
        None | Some("all" | "OBS_VALUE") => true,
        Some("none") => false,
        Some(_) => return malformed("measures names none that there is.", "It is all, none or OBS_VALUE.".into()),
    };
    let components = model::components(meta);
    let of = |roles: &[Role]| -> Vec<String> {
        components.iter().filter(|c| roles.contains(&c.role)).map(|c| c.id.clone()).collect()
    };
    let all = of(&[Role::Observation, Role::DataSet]);
    let mut attributes = None;
    for part in pairs.take("attributes").iter().flat_map(|text| text.split(',')) {
        let ids = match part {
            "dsd" | "all" => all.clone(),
            // There are none of series, and no reference metadata.
            "none" | "series" | "msd" => Vec::new(),
            "dataset" => of(&[Role::DataSet]),
            "obs" => of(&[Role::Observation]),
            id if all.iter().any(|known| known == id) => vec![id.to_owned()],
            _ => {
                let hint = format!("It is dsd, all, none, dataset, series, obs, or of {}.", all.join(", "));
                return malformed("attributes names none that there is.", hint);
            }
        };
        attributes.get_or_insert_with(Vec::new).extend(ids);
    }
    Ok(Shape { flat, value, attributes, history })
}
