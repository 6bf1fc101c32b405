//! Pages of the rows of an indicator: how many rows, and the row that the page before ended with.

use query::{IndicatorMeta, Rows};

use super::internal;
use crate::long::Long;
use crate::problem::{Kind, Problem};
use crate::request::Pairs;

/// Which part of the rows is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) limit: Option<usize>,
    /// The row before the first, by [`row_key`].
    pub(crate) after: Option<String>,
}

impl Paging {
    pub(crate) fn take(pairs: &mut Pairs) -> Result<Self, Problem> {
        let malformed = |detail: &str, hint: &str| Problem::new(Kind::MalformedParameter, detail, hint);
        let limit = pairs.take("limit").map(|text| {
            let number = text.parse().ok().filter(|n| *n > 0);
            number.ok_or_else(|| malformed("limit is not a number of rows.", "Write a number from 1."))
        });
        let after = pairs.take("after").map(|key| {
            let is_key = key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit());
            let hint = "Follow the link of the page before (Link: rel=\"next\", or page.next).";
            if is_key { Ok(key.to_ascii_lowercase()) } else { Err(malformed("after is not the key of a row.", hint)) }
        });
        Ok(Self { limit: limit.transpose()?, after: after.transpose()? })
    }

    /// Of all rows those of the page; with it the key of its last row, where others follow.
    pub(crate) fn cut(&self, meta: &IndicatorMeta, rows: Rows) -> Result<(Rows, Option<String>), Problem> {
        if *self == Self::default() {
            return Ok((rows, None));
        }
        let keys = Long::new(meta, &rows).map_err(|e| internal(&e))?;
        let all = rows.batch.num_rows();
        let first = match &self.after {
            None => 0,
            Some(after) => (0..all).find(|row| row_key(&keys, *row) == *after).map(|row| row + 1).ok_or_else(|| {
                let hint = "A page goes on in the edition and with the filters of the page before: follow its link.";
                Problem::new(Kind::MalformedParameter, "after names no row of this selection.", hint)
            })?,
        };
        let count = self.limit.unwrap_or(all).min(all - first);
        let next = (count > 0 && first + count < all).then(|| row_key(&keys, first + count - 1));
        Ok((Rows { batch: rows.batch.slice(first, count), ..rows }, next))
    }
}

/// A row's key as a page names it: opaque, the same in every answer of the edition.
fn row_key(long: &Long, row: usize) -> String {
    let mut hash = blake3::Hasher::new();
    for part in long.key(row) {
        hash.update(part.as_bytes()).update(b"\x1f");
    }
    hash.finalize().to_hex()[..16].to_owned()
}
