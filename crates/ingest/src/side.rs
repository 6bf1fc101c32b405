//! Rows of the side lane: what was set aside, and second copies.

use std::borrow::Cow;

use lake::PartitionId;

use crate::batch::Topic;
use crate::columns::{Columns, Row, RowStatus};
use crate::copies::Kept;
use crate::headers::REPLAY_OF;
use crate::pipeline::At;
use crate::set_aside::ErrorClass;
use crate::status::Counts;

const CONFLICT: &str = "id: this id was used before with other content (header amanat-of names the row); publish a \
                        correction of the first event, or give this one an id of its own";

/// A row of the side lane and its place.
#[derive(Debug)]
pub(crate) struct SideRow {
    pub at: At,
    pub what: Side,
}

/// What a row of the side lane says.
#[derive(Debug)]
pub(crate) enum Side {
    /// Not accepted: the bytes, encrypted, and why.
    SetAside { class: ErrorClass, sentence: Cow<'static, str>, payload: Vec<u8>, hash: String },
    /// An event id that has an earlier row.
    Copy(Box<Copied>),
}

/// A second copy.
#[derive(Debug)]
pub(crate) struct Copied {
    pub kept: Kept,
    /// Offset of the first row with its id.
    pub first: i64,
    /// The first row's partition, where that is not the copy's own.
    elsewhere: Option<PartitionId>,
    /// Whether both say the same; `None` until compared.
    same: Option<bool>,
    /// Whether the window did not know the first row's content, and so may not know that of others from the same file.
    pub learns: bool,
}

impl Copied {
    pub(crate) fn id(&self) -> [u8; 16] {
        self.kept.envelope.id.into_bytes()
    }

    /// The first row is another one, to be compared with.
    pub(crate) fn point_to(&mut self, first: i64, elsewhere: Option<PartitionId>) {
        (self.first, self.elsewhere) = (first, elsewhere);
        self.same = None;
    }
}

impl Side {
    pub(crate) fn copy(kept: Kept, first: i64, same: Option<bool>, learns: bool) -> Self {
        Self::Copy(Box::new(Copied { kept, first, elsewhere: None, same, learns }))
    }
}

impl SideRow {
    pub(crate) fn copy(at: At, kept: Kept, first: i64, elsewhere: Option<PartitionId>) -> Self {
        Self { at, what: Side::Copy(Box::new(Copied { kept, first, elsewhere, same: None, learns: false })) }
    }

    /// It, if it is a copy of the row at this place.
    pub(crate) fn copy_of(&mut self, run: usize, first: i64) -> Option<&mut Copied> {
        match &mut self.what {
            Side::Copy(copy) if self.at.run == run && copy.first == first && copy.elsewhere.is_none() => Some(copy),
            _ => None,
        }
    }

    /// It, if it is a copy that was not compared yet.
    pub(crate) fn undecided(&self) -> Option<&Copied> {
        match &self.what {
            Side::Copy(copy) if copy.same.is_none() => Some(copy),
            _ => None,
        }
    }

    /// Says how the comparison ended.
    pub(crate) fn settle(&mut self, same: bool) {
        if let Side::Copy(copy) = &mut self.what {
            copy.same = Some(same);
        }
    }

    /// Appends the row to the lane. `keep_until` is the last date on which set-aside bytes are to be kept (ingestion.md
    /// 3.6): whoever expires them reads it from the row, whatever is configured then.
    pub(crate) fn append(&self, lane: &mut Columns, topic: &Topic, keep_until: &str) {
        match &self.what {
            Side::SetAside { class, sentence, payload, hash } => {
                lane.write_payload(payload);
                lane.append(&Row {
                    at: self.at,
                    status: RowStatus::SetAside,
                    envelope: None,
                    refs: None,
                    headers: &[("amanat-hash", hash), ("amanat-keep-until", keep_until)],
                    error: Some((*class, sentence)),
                });
            }
            Side::Copy(copy) => append_copy(self.at, copy, lane, topic),
        }
    }

    /// Adds the row to the counts of its partition.
    pub(crate) fn count(&self, counts: &mut Counts) {
        match &self.what {
            Side::SetAside { class, .. } => counts.set_aside[*class as usize] += 1,
            Side::Copy(copy) if copy.same == Some(true) => counts.duplicate += 1,
            Side::Copy(_) => counts.conflict += 1,
        }
    }
}

fn append_copy(at: At, copy: &Copied, lane: &mut Columns, topic: &Topic) {
    let of = format!("{}/{}", copy.elsewhere.as_ref().unwrap_or(&topic.id), copy.first);
    let envelope = Some(copy.kept.envelope.borrow());
    if copy.same == Some(true) {
        lane.append_without_payload(&Row {
            at,
            status: RowStatus::Duplicate,
            envelope,
            refs: None,
            // Of what came with it, only what it resolves: the first row says the rest.
            headers: &headers(&of, copy.kept.headers.iter().filter(|(name, _)| *name == REPLAY_OF)),
            error: None,
        });
        return;
    }
    let headers = headers(&of, copy.kept.headers.iter());
    lane.write_payload(&copy.kept.payload);
    lane.append(&Row {
        at,
        status: RowStatus::Conflict,
        envelope,
        refs: Some((&copy.kept.subjects, &copy.kept.links)),
        headers: &headers,
        error: Some((ErrorClass::Conflict, CONFLICT)),
    });
}

fn headers<'a>(of: &'a str, kept: impl Iterator<Item = &'a (&'static str, String)>) -> Vec<(&'a str, &'a str)> {
    kept.map(|(name, value)| (*name, value.as_str())).chain([("amanat-of", of)]).collect()
}
