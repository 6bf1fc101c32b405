//! The rows of an answer, whole and in order, with their columns; written in pieces.

use std::sync::Arc;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::{BufMut, BytesMut};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{FieldDescription, RowDescription};
use query::{Note, Turn};
use tokio::sync::OwnedSemaphorePermit;

use super::cells::{Cells, Column, Form, size_of, write_text};

/// Rows that are written at once.
pub(super) const PIECE: usize = 1_024;

/// An answer as the wire gives it.
pub(super) struct Table {
    pub(super) columns: Arc<Vec<Column>>,
    rows: Rows,
    pub(super) count: usize,
    /// What should be known of it.
    pub(super) notes: Vec<Note>,
    /// What keeps the memory of its rows from others, until it is dropped.
    pub(super) held: Held,
}

/// Who answers for the memory of rows: the turn that they were computed in, or a share of what open cursors may hold.
#[derive(Default)]
pub(super) enum Held {
    #[default]
    Nothing,
    Turn(#[expect(dead_code, reason = "held")] Turn),
    Share(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
}

enum Rows {
    Batches(Vec<RecordBatch>),
    Texts(Vec<Vec<Option<String>>>),
}

impl Table {
    /// Rows of an answer.
    pub(super) fn of_answer(answer: query::Answer) -> Self {
        let columns = Arc::new(answer.schema.fields().iter().map(|field| Column::from(field.as_ref())).collect());
        let count = answer.row_count();
        let held = Held::Turn(answer.turn);
        Self { columns, rows: Rows::Batches(answer.batches), count, notes: answer.notes, held }
    }

    /// Rows that are texts already.
    pub(super) fn of_texts(columns: Vec<Column>, rows: Vec<Vec<Option<String>>>) -> Self {
        let count = rows.len();
        Self { columns: Arc::new(columns), rows: Rows::Texts(rows), count, notes: Vec::new(), held: Held::Nothing }
    }

    /// Bytes of the rows in memory, about.
    pub(super) fn bytes(&self) -> usize {
        match &self.rows {
            Rows::Batches(batches) => batches.iter().map(RecordBatch::get_array_memory_size).sum(),
            Rows::Texts(rows) => rows.iter().flatten().flatten().map(|text| text.len() + 24).sum(),
        }
    }

    /// Calls for each of some rows with its cells as a client of the given forms takes them.
    fn each(
        &self,
        from: usize,
        most: usize,
        forms: &Forms,
        mut write: impl FnMut(&mut dyn FnMut(&mut BytesMut) -> Result<(), ArrowError>) -> Result<(), ArrowError>,
    ) -> Result<usize, ArrowError> {
        let until = from.saturating_add(most).min(self.count);
        match &self.rows {
            Rows::Texts(rows) => {
                for row in rows.iter().take(until).skip(from) {
                    write(&mut |out| {
                        for (at, (text, column)) in row.iter().zip(self.columns.iter()).enumerate() {
                            write_text(text.as_deref(), column.type_oid, forms.of(at), out);
                        }
                        Ok(())
                    })?;
                }
            }
            Rows::Batches(batches) => {
                let mut first = 0;
                for batch in batches {
                    let (begin, end) = (from.max(first), until.min(first + batch.num_rows()));
                    if begin < end {
                        let mut cells = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
                        for row in begin - first..end - first {
                            write(&mut |out| {
                                let mut cells = cells.iter_mut().enumerate();
                                cells.try_for_each(|(at, cells)| cells.write(row, forms.of(at), out))
                            })?;
                        }
                    }
                    first += batch.num_rows();
                }
            }
        }
        Ok(until.saturating_sub(from))
    }

    /// Some rows as messages, and how many.
    pub(super) fn data_rows(&self, from: usize, most: usize, forms: &Forms) -> Result<(BytesMut, usize), ArrowError> {
        let mut out = BytesMut::new();
        let count = self.each(from, most, forms, |row| {
            out.put_u8(b'D');
            let begin = out.len();
            out.put_i32(0);
            out.put_i16(self.columns.len() as i16);
            row(&mut out)?;
            let length = (out.len() - begin) as i32;
            out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
            Ok(())
        })?;
        Ok((out, count))
    }

    /// Some rows as COPY writes them, each in a message, and how many.
    pub(super) fn copy_rows(
        &self,
        from: usize,
        most: usize,
        mut line: impl FnMut(&[u8], &mut BytesMut),
        forms: &Forms,
    ) -> Result<(BytesMut, usize), ArrowError> {
        let (mut out, mut cells) = (BytesMut::new(), BytesMut::new());
        let count = self.each(from, most, forms, |row| {
            cells.clear();
            row(&mut cells)?;
            message(&mut out, |out| line(&cells, out));
            Ok(())
        })?;
        Ok((out, count))
    }
}

/// Writes a message of COPY's data.
pub(super) fn message(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(b'd');
    let begin = out.len();
    out.put_i32(0);
    body(out);
    let length = (out.len() - begin) as i32;
    out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
}

/// In which form a client takes each column: one for all, or one for each (PostgreSQL documentation, 55.2.3).
#[derive(Debug, Clone, Default)]
pub(super) struct Forms(Vec<i16>);

impl Forms {
    pub(super) fn new(codes: Vec<i16>) -> Self {
        Self(codes)
    }

    pub(super) fn all_binary() -> Self {
        Self(vec![1])
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() * std::mem::size_of::<i16>()
    }

    /// Whether there are as many as columns, or one, or none.
    pub(super) fn fit(&self, columns: usize) -> bool {
        self.0.len() <= 1 || self.0.len() == columns
    }

    pub(super) fn of(&self, column: usize) -> Form {
        let code = if self.0.len() == 1 { self.0.first() } else { self.0.get(column) };
        if code == Some(&1) { Form::Binary } else { Form::Text }
    }
}

/// The description of columns in the forms in which they will come.
pub(super) fn row_description(columns: &[Column], forms: &Forms) -> PgWireBackendMessage {
    let field = |(at, column): (usize, &Column)| {
        let format = i16::from(forms.of(at) == Form::Binary);
        FieldDescription::new(column.name.clone(), 0, 0, column.type_oid, size_of(column.type_oid), -1, format)
    };
    PgWireBackendMessage::RowDescription(RowDescription::new(columns.iter().enumerate().map(field).collect()))
}
