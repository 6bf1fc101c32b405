//! Sorts more rows than memory holds: sorted runs in unnamed scratch files, merged as a stream.
//!
//! Memory: one run (`run_bytes`) while rows come in, and one small batch of each run while they go out.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::path::{Path, PathBuf};

use arrow::array::ArrayRef;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};

use crate::{LakeError, Result};

/// Rows of a batch of a run, and of what comes out.
const BATCH_ROWS: usize = 1024;

/// Takes batches in any order.
pub(super) struct Sorter {
    schema: SchemaRef,
    keys: Keys,
    held: Vec<RecordBatch>,
    held_bytes: usize,
    run_bytes: usize,
    scratch: PathBuf,
    runs: Vec<Run>,
}

/// Turns the sort columns of a batch into comparable rows.
struct Keys {
    columns: Vec<usize>,
    converter: RowConverter,
}

impl Keys {
    fn new(schema: &SchemaRef, by: &[&str]) -> Result<Self> {
        let columns = by.iter().map(|name| schema.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let fields = columns.iter().map(|at| SortField::new(schema.field(*at).data_type().clone())).collect();
        Ok(Self { columns, converter: RowConverter::new(fields)? })
    }

    fn of(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|at| ArrayRef::clone(batch.column(*at))).collect();
        Ok(self.converter.convert_columns(&columns)?)
    }
}

impl Sorter {
    /// Sorts rows of `schema` by the columns named, ascending, nulls first.
    pub fn new(schema: SchemaRef, by: &[&str], run_bytes: usize, scratch: &Path) -> Result<Self> {
        let keys = Keys::new(&schema, by)?;
        let scratch = scratch.to_path_buf();
        Ok(Self { schema, keys, held: Vec::new(), held_bytes: 0, run_bytes, scratch, runs: Vec::new() })
    }

    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.held_bytes += batch.get_array_memory_size();
        self.held.push(batch);
        if self.held_bytes >= self.run_bytes {
            let run = self.spill()?;
            self.runs.push(run);
        }
        Ok(())
    }

    /// All rows in order.
    pub fn finish(mut self) -> Result<Merged> {
        let mut runs = std::mem::take(&mut self.runs);
        if !self.held.is_empty() {
            runs.push(Run::Held(self.sorted()?));
        }
        let mut sources = Vec::new();
        for mut run in runs {
            if let Some(batch) = run.next()? {
                let rows = self.keys.of(&batch)?;
                sources.push(Source { run, batch, rows, at: 0 });
            }
        }
        Ok(Merged { keys: self.keys, sources })
    }

    /// The rows held, in order, in batches; nothing is held afterwards.
    fn sorted(&mut self) -> Result<VecDeque<RecordBatch>> {
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let rows = held.iter().map(|batch| self.keys.of(batch)).collect::<Result<Vec<_>>>()?;
        let all = rows.iter().enumerate();
        let mut order: Vec<(usize, usize)> =
            all.flat_map(|(batch, rows)| (0..rows.num_rows()).map(move |row| (batch, row))).collect();
        order.sort_unstable_by(|a, b| rows[a.0].row(a.1).cmp(&rows[b.0].row(b.1)));
        let batches: Vec<&RecordBatch> = held.iter().collect();
        Ok(order.chunks(BATCH_ROWS).map(|chunk| interleave_record_batch(&batches, chunk)).collect::<Result<_, _>>()?)
    }

    fn spill(&mut self) -> Result<Run> {
        let io = |e| LakeError::io("use scratch files in", &self.scratch, e);
        let mut file = tempfile::tempfile_in(&self.scratch).map_err(io)?;
        let batches = self.sorted()?;
        let mut writer = StreamWriter::try_new(BufWriter::new(&mut file), &self.schema)?;
        for batch in &batches {
            writer.write(batch)?;
        }
        writer.finish()?;
        drop(writer);
        file.rewind().map_err(|e| LakeError::io("use scratch files in", &self.scratch, e))?;
        Ok(Run::File(StreamReader::try_new(BufReader::new(file), None)?))
    }
}

/// Rows in order.
enum Run {
    Held(VecDeque<RecordBatch>),
    File(StreamReader<BufReader<File>>),
}

impl Run {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Self::Held(batches) => Ok(batches.pop_front()),
            Self::File(reader) => Ok(reader.next().transpose()?),
        }
    }
}

struct Source {
    run: Run,
    batch: RecordBatch,
    rows: Rows,
    at: usize,
}

/// Runs as one stream in order.
pub(super) struct Merged {
    keys: Keys,
    sources: Vec<Source>,
}

impl Merged {
    /// The next rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        // Batches that rows were taken from; those that a source stands in come first, in the order of sources.
        let mut batches: Vec<RecordBatch> = self.sources.iter().map(|source| source.batch.clone()).collect();
        let mut place: Vec<usize> = (0..batches.len()).collect();
        let mut taken = Vec::with_capacity(BATCH_ROWS);
        while taken.len() < BATCH_ROWS {
            // Few runs, so looking at each is no slower than a heap that has to own its keys.
            let least = (0..self.sources.len()).min_by(|a, b| self.sources[*a].head().cmp(&self.sources[*b].head()));
            let Some(least) = least else { break };
            taken.push((place[least], self.sources[least].at));
            if self.sources[least].advance(&self.keys)? {
                if self.sources[least].at == 0 {
                    place[least] = batches.len();
                    batches.push(self.sources[least].batch.clone());
                }
            } else {
                self.sources.remove(least);
                place.remove(least);
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        Ok(Some(interleave_record_batch(&batches, &taken)?))
    }
}

impl Source {
    fn head(&self) -> arrow::row::Row<'_> {
        self.rows.row(self.at)
    }

    /// Goes on to the next row; false at the end.
    fn advance(&mut self, keys: &Keys) -> Result<bool> {
        self.at += 1;
        if self.at < self.batch.num_rows() {
            return Ok(true);
        }
        let Some(batch) = self.run.next()? else { return Ok(false) };
        self.rows = keys.of(&batch)?;
        self.batch = batch;
        self.at = 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{AsArray, DictionaryArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema};

    use super::*;

    fn batch(numbers: &[i64]) -> RecordBatch {
        let few = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let fields = vec![Field::new("n", DataType::Int64, false), Field::new("word", few, false)];
        let words: DictionaryArray<Int32Type> = numbers.iter().map(|n| ["a", "b", "c"][*n as usize % 3]).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(numbers.to_vec())), Arc::new(words)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[test]
    fn rows_come_out_in_order_whether_they_fit_into_memory_or_not() {
        // A fixed shuffle: 7919 has no factor in common with 10,000.
        let numbers: Vec<i64> = (0..10_000).map(|n| n * 7_919 % 10_000).collect();
        for run_bytes in [1, 1 << 16, usize::MAX] {
            let mut sorter = Sorter::new(batch(&[]).schema(), &["n"], run_bytes, &std::env::temp_dir()).unwrap();
            for chunk in numbers.chunks(777) {
                sorter.push(batch(chunk)).unwrap();
            }
            let mut merged = sorter.finish().unwrap();
            let mut next = 0;
            while let Some(rows) = merged.next().unwrap() {
                let words = arrow::compute::cast(rows.column(1), &DataType::Utf8).unwrap();
                for (n, word) in
                    rows.column(0).as_primitive::<Int64Type>().values().iter().zip(words.as_string::<i32>())
                {
                    assert_eq!(
                        (*n, word),
                        (next, Some(["a", "b", "c"][next as usize % 3])),
                        "runs of {run_bytes} bytes"
                    );
                    next += 1;
                }
            }
            assert_eq!(next, 10_000);
        }
    }
}
