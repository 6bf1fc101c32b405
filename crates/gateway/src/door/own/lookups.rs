//! What the book says of one agency: its receipts with how far their events are, its messages that were not accepted, its days, the last
//! report on its feed.
//!
//! Absent: other agencies; writing.

use std::collections::{BTreeMap, HashMap, HashSet};

use events::calendar::format_instant;

use super::super::book::{Book, Sql, kept};
use super::super::receipt::{Counts, Kept, Status, id_text};
use super::{Aside, DAY_MS, Day, KARACHI_MS, Listed};
use crate::error::Result;

/// Events of receipts that one answer counts, or in which it looks for lines: more are another answer's, so that nobody waits long behind it.
const LOOKED_THROUGH: usize = 50_000;

impl Book {
    /// Receipts of an agency before a number, the newest first; and the number before which there may be more.
    pub(super) fn receipts(&self, agency: &str, before: i64, limit: usize) -> Result<(Vec<Listed>, Option<i64>)> {
        let sql = "SELECT id, agency, log, made_ms, places, refused, number FROM receipts
                   WHERE agency = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
        let read = || -> Sql<(Vec<Listed>, Option<i64>)> {
            let _one_moment = self.connection.unchecked_transaction()?;
            let mut query = self.connection.prepare_cached(sql)?;
            let mut rows = query.query((agency, before, limit as i64))?;
            let (mut listed, mut events) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let (number, kept): (i64, Kept) = (row.get(6)?, kept(row)?);
                events += kept.places.len();
                listed.push(Listed::of(&kept, self.counts(&kept)?));
                if listed.len() == limit || events >= LOOKED_THROUGH {
                    return Ok((listed, Some(number)));
                }
            }
            Ok((listed, None))
        };
        self.typed(read())
    }

    /// How far the events of a receipt are: the sums of [`Book::outcomes`], asked partition by partition.
    fn counts(&self, kept: &Kept) -> Sql<Counts> {
        let stream = format!("{}/{}", kept.log, kept.stream());
        let mut places: BTreeMap<i32, HashSet<i64>> = BTreeMap::new();
        for place in &kept.places {
            places.entry(place.partition).or_default().insert(place.offset);
        }
        let mut counts = Counts::default();
        for (partition, offsets) in places {
            let (first, last) = (offsets.iter().min().copied(), offsets.iter().max().copied());
            let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
            let sql = "SELECT offset, status FROM exceptions WHERE stream = ?1 AND partition = ?2 AND offset BETWEEN ?3 AND ?4";
            let mut query = self.connection.prepare_cached(sql)?;
            let rows = query.query_map((&stream, partition, first, last), |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            let mut not = HashSet::new();
            for row in rows {
                let (offset, status) = row?;
                if offsets.contains(&offset) && not.insert(offset) {
                    *counts.of(Status::of(&status)) += 1;
                }
            }
            let rest = offsets.iter().filter(|offset| !not.contains(offset)).copied().collect();
            self.count_rest((&stream, partition), (first, last), rest, &mut counts)?;
        }
        Ok(counts)
    }

    /// Of events that are no exception, those that are in the lake, that were passed over, and that wait.
    fn count_rest(
        &self,
        (stream, partition): (&str, i32),
        (first, last): (i64, i64),
        mut rest: Vec<i64>,
        counts: &mut Counts,
    ) -> Sql<()> {
        // Ranges do not overlap: the first that matters is the last that begins no later.
        let sql =
            "SELECT first, next FROM told WHERE stream = ?1 AND partition = ?2 AND first <= ?4 AND first >= coalesce(
                   (SELECT max(first) FROM told WHERE stream = ?1 AND partition = ?2 AND first <= ?3), ?3)";
        let mut query = self.connection.prepare_cached(sql)?;
        let told = query
            .query_map((stream, partition, first, last), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        for range in told {
            let (from, to) = range?;
            let before = rest.len();
            rest.retain(|offset| !(from..to).contains(offset));
            *counts.of(Status::Accepted) += (before - rest.len()) as u64;
        }
        let sql = "SELECT next FROM heard WHERE stream = ?1 AND partition = ?2";
        let heard: i64 = {
            let mut query = self.connection.prepare_cached(sql)?;
            let mut rows = query.query((stream, partition))?;
            rows.next()?.map_or(Ok(0), |row| row.get(0))?
        };
        for offset in rest {
            *counts.of(if offset < heard { Status::PassedOver } else { Status::Durable }) += 1;
        }
        Ok(())
    }

    /// Messages of an agency that were not accepted, before a number, the newest first, each with its number.
    pub(super) fn set_aside(
        &self,
        (log, agency): (&str, &str),
        before: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Aside)>> {
        let name = eventlog::stream_name(agency);
        let sql = "SELECT number, partition, offset, status, class, detail, told_ms FROM exceptions
                   WHERE stream = ?1 AND number < ?2 AND status <> 'duplicate' ORDER BY number DESC LIMIT ?3";
        let read = || -> Sql<Vec<(i64, Aside)>> {
            let _one_moment = self.connection.unchecked_transaction()?;
            let mut query = self.connection.prepare_cached(sql)?;
            let rows = query.query_map((format!("{log}/{name}"), before, limit as i64), |row| {
                let (status, told_ms): (String, i64) = (row.get(3)?, row.get(6)?);
                let aside = Aside {
                    told: format_instant(told_ms.saturating_mul(1000)),
                    status: Status::of(&status),
                    reason: row.get(4)?,
                    detail: row.get(5)?,
                    stream: name.clone(),
                    partition: row.get(1)?,
                    offset: row.get(2)?,
                    receipt: None,
                    line: None,
                };
                Ok((row.get(0)?, aside))
            })?;
            let mut found = rows.collect::<Sql<Vec<_>>>()?;
            self.find_lines((log, agency), &mut found)?;
            Ok(found)
        };
        self.typed(read())
    }

    /// Finds the receipts and lines of messages that came by this door, among the agency's newest receipts.
    fn find_lines(&self, (log, agency): (&str, &str), found: &mut [(i64, Aside)]) -> Sql<()> {
        let mut wanted: HashMap<(i32, i64), usize> = HashMap::new();
        for (at, (_, aside)) in found.iter().enumerate() {
            wanted.insert((aside.partition, aside.offset), at);
        }
        let sql = "SELECT id, agency, log, made_ms, places, refused FROM receipts
                   WHERE agency = ?1 AND log = ?2 ORDER BY number DESC";
        let mut query = self.connection.prepare_cached(sql)?;
        let mut rows = query.query((agency, log))?;
        let mut looked = 0;
        while let Some(row) = rows.next()?.filter(|_| !wanted.is_empty() && looked < LOOKED_THROUGH) {
            let kept = kept(row)?;
            looked += kept.places.len().max(1);
            for place in &kept.places {
                if let Some(at) = wanted.remove(&(place.partition, place.offset)) {
                    let aside = &mut found[at].1;
                    (aside.receipt, aside.line) = (Some(id_text(kept.id)), Some(place.line));
                }
            }
        }
        Ok(())
    }

    /// What became of an agency's messages on each day from this one on (days since 1970 in Asia/Karachi), the newest first.
    pub(super) fn days(&self, (log, agency): (&str, &str), first: i64) -> Result<Vec<Day>> {
        let stream = format!("{log}/{}", eventlog::stream_name(agency));
        let since_ms = first * DAY_MS - KARACHI_MS;
        let read = || -> Sql<Vec<Day>> {
            let mut days: BTreeMap<i64, Day> = BTreeMap::new();
            let sql = "SELECT (told_ms + ?3) / ?4, sum(next - first) FROM told WHERE stream = ?1 AND told_ms >= ?2 GROUP BY 1";
            let mut query = self.connection.prepare_cached(sql)?;
            let all = query.query_map((&stream, since_ms, KARACHI_MS, DAY_MS), |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in all {
                let (day, count): (i64, i64) = row?;
                days.entry(day).or_default().accepted = count as u64;
            }
            let sql = "SELECT (told_ms + ?3) / ?4, status, count(*) FROM exceptions
                       WHERE stream = ?1 AND told_ms >= ?2 GROUP BY 1, 2";
            let mut query = self.connection.prepare_cached(sql)?;
            let not = query.query_map((&stream, since_ms, KARACHI_MS, DAY_MS), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            for row in not {
                let (day, status, count): (i64, String, i64) = row?;
                let (day, count) = (days.entry(day).or_default(), count as u64);
                day.accepted = day.accepted.saturating_sub(count);
                match Status::of(&status) {
                    Status::Duplicate => day.duplicates += count,
                    Status::Conflict => day.conflicts += count,
                    _ => day.set_aside += count,
                }
            }
            let text = |day: i64| policy::time::date_text(i32::try_from(day).unwrap_or(i32::MAX));
            Ok(days.into_iter().rev().map(|(day, counted)| Day { date: text(day), ..counted }).collect())
        };
        self.typed(read())
    }

    /// The last report on an agency's feed, with the log's time of it.
    pub(super) fn feed(&self, agency: &str) -> Result<Option<(i64, Vec<u8>)>> {
        let sql = "SELECT told_ms, report FROM feeds WHERE agency = ?1";
        let read = || -> Sql<Option<(i64, Vec<u8>)>> {
            let mut query = self.connection.prepare_cached(sql)?;
            let mut rows = query.query([agency])?;
            rows.next()?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
        };
        self.typed(read())
    }
}
