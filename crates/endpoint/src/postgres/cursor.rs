//! A place in the rows of an answer: what a portal has given, where a cursor stands.

use std::sync::Arc;

use arrow::error::ArrowError;
use bytes::BytesMut;

use super::statement::Step;
use super::table::{Forms, Table};

/// Some rows of a table, in order or backwards; for a cursor, where it stands.
pub(super) struct Slice {
    pub(super) table: Arc<Table>,
    /// The next row to give.
    next: usize,
    /// Rows that are left to give.
    left: usize,
    backwards: bool,
    /// Of a cursor: the row that it stands on, from 1; 0 before the first, one more than there are behind the last.
    stands: usize,
}

impl Slice {
    /// All rows; a cursor stands before the first.
    pub(super) fn all(table: Table) -> Self {
        let left = table.count;
        Self { table: Arc::new(table), next: 0, left, backwards: false, stands: 0 }
    }

    /// Rows that are left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Writes at most so many rows, and says how many.
    pub(super) fn take(&mut self, most: usize, forms: &Forms) -> Result<(BytesMut, usize), ArrowError> {
        if self.left == 0 {
            return Ok((BytesMut::new(), 0));
        }
        // Backwards one by one: nobody fetches many.
        let most = if self.backwards { 1 } else { most.min(self.left) };
        let (rows, count) = self.table.data_rows(self.next, most, forms)?;
        self.left -= count;
        self.next = if self.backwards { self.next.saturating_sub(count) } else { self.next + count };
        Ok((rows, count))
    }

    /// The same without its rows, once they are given: the columns stay known.
    pub(super) fn done_with(mut self) -> Self {
        if self.left == 0 && self.stands == 0 && self.table.count > 0 {
            let empty = Table::of_texts(self.table.columns.to_vec(), Vec::new());
            self.table = Arc::new(empty);
            self.next = 0;
        }
        self
    }

    /// Moves a cursor; gives the rows that it moves over.
    pub(super) fn step(&mut self, step: Step) -> Slice {
        let count = self.table.count;
        let (from, left, backwards, stands) = match step {
            Step::By(0) => (self.stands.saturating_sub(1), usize::from(self.is_on_a_row()), false, self.stands),
            Step::By(by) if by > 0 => self.forward(usize::try_from(by).unwrap_or(usize::MAX)),
            Step::By(by) => self.backward(usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX)),
            Step::All { forward: true } => self.forward(usize::MAX),
            Step::All { forward: false } => self.backward(usize::MAX),
            Step::To(at) => {
                let stands = if at >= 0 {
                    usize::try_from(at).unwrap_or(usize::MAX).min(count + 1)
                } else {
                    (count + 1).saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX))
                };
                let is_row = (1..=count).contains(&stands);
                (stands.saturating_sub(1), usize::from(is_row), false, stands)
            }
        };
        self.stands = stands;
        Slice { table: Arc::clone(&self.table), next: from, left, backwards, stands: 0 }
    }

    fn is_on_a_row(&self) -> bool {
        (1..=self.table.count).contains(&self.stands)
    }

    fn forward(&self, by: usize) -> (usize, usize, bool, usize) {
        let count = self.table.count;
        let left = by.min(count.saturating_sub(self.stands));
        let stands = if by > left { count + 1 } else { self.stands + left };
        (self.stands.min(count), left, false, stands)
    }

    fn backward(&self, by: usize) -> (usize, usize, bool, usize) {
        let before = self.stands.saturating_sub(1);
        let left = by.min(before);
        let stands = if by > left { 0 } else { self.stands - left };
        (before.saturating_sub(1), left, true, stands)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::{Column, oid};
    use super::*;

    fn cursor(rows: usize) -> Slice {
        let column = Column { name: "n".to_owned(), type_oid: oid::INT4 };
        Slice::all(Table::of_texts(vec![column], (1..=rows).map(|n| vec![Some(n.to_string())]).collect()))
    }

    /// The numbers in the rows that a slice gives.
    fn given(mut slice: Slice) -> Vec<usize> {
        let mut all = Vec::new();
        while slice.left() > 0 {
            let (rows, count) = slice.take(2, &Forms::default()).expect("rows");
            let mut rest = &rows[..];
            for _ in 0..count {
                let length = i32::from_be_bytes(rest[1..5].try_into().expect("four")) as usize;
                all.push(std::str::from_utf8(&rest[11..=length]).expect("digits").parse().expect("a number"));
                rest = &rest[length + 1..];
            }
        }
        all
    }

    #[test]
    fn a_cursor_goes_where_postgres_goes() {
        let mut cursor = cursor(5);
        assert_eq!(given(cursor.step(Step::By(2))), [1, 2]);
        assert_eq!(given(cursor.step(Step::By(0))), [2], "the row it stands on");
        assert_eq!(given(cursor.step(Step::By(-1))), [1]);
        assert_eq!(given(cursor.step(Step::By(-1))), Vec::<usize>::new(), "before the first");
        assert_eq!(given(cursor.step(Step::All { forward: true })), [1, 2, 3, 4, 5]);
        assert_eq!(given(cursor.step(Step::By(1))), Vec::<usize>::new(), "behind the last");
        assert_eq!(given(cursor.step(Step::By(-2))), [5, 4]);
        assert_eq!(given(cursor.step(Step::To(2))), [2]);
        assert_eq!(given(cursor.step(Step::To(-1))), [5]);
        assert_eq!(given(cursor.step(Step::To(9))), Vec::<usize>::new());
        assert_eq!(given(cursor.step(Step::All { forward: false })), [5, 4, 3, 2, 1]);
        assert_eq!(given(cursor.step(Step::By(i64::MIN))), Vec::<usize>::new());
        assert_eq!(given(cursor.step(Step::By(i64::MAX))), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_cursor_over_nothing_has_nothing() {
        for step in [Step::By(1), Step::By(0), Step::By(-1), Step::To(1), Step::To(-1), Step::All { forward: true }] {
            assert_eq!(given(cursor(0).step(step)), Vec::<usize>::new(), "{step:?}");
        }
    }
}
