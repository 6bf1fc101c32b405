//! From one message to an event or a reason, without changing anything: decode, admit, seal.

use std::borrow::Cow;
use std::sync::Arc;

use eventlog::{Headers, Record};
use events::avro::WriterSchemas;
use events::{FaultClass, Limits, Message};
use lake::StoreKind;
use policy::Keys;
use smallvec::SmallVec;

use super::At;
use crate::admit::admit;
use crate::batch::{Run, Topic};
use crate::copies::Kept;
use crate::crash::catch;
use crate::headers::{KeptHeaders, REPLAY_OF, kept_headers};
use crate::seal::{Sealed, seal};
use crate::set_aside::{ErrorClass, Place, SetAsideKeys, write_frame};
use crate::side::Side;
use crate::window::First;

const CRASH: &str = "value: the decoder of this program failed on the message, which is a fault of the program and not \
                     necessarily of the message; report it with this row's position";

/// What turns one message into an event or a reason; changes nothing.
pub(super) struct Reader {
    pub keys: Arc<Keys>,
    pub set_aside: SetAsideKeys,
    pub content_key: (u64, u64),
    pub limits: Limits,
    pub store: StoreKind,
    /// Known when the batch being read was gathered, at least.
    pub schemas: Arc<WriterSchemas>,
}

impl Reader {
    /// Decode, admit, seal; or a row of the side lane that says why not.
    pub fn read<'a>(
        &self,
        topic: &'a Topic,
        at: At,
        record: &Record<'a>,
        headers: &'a [(&'a str, &'a [u8])],
    ) -> Result<Sealed<'a>, Side> {
        let message = Message { key: record.key, headers, value: record.value };
        let decode = || {
            lake::crash_point("decode", at.offset);
            events::decode_with(&message, &self.limits, &self.schemas)
        };
        let event = match catch(decode) {
            Ok(Ok(event)) => event,
            Ok(Err(fault)) => {
                return Err(self.set_aside(topic, at, record, class_of(fault.class), fault.to_string().into()));
            }
            Err(()) => return Err(self.set_aside(topic, at, record, ErrorClass::DecoderCrash, CRASH.into())),
        };
        match admit(&event, topic, self.store, at.log_ms) {
            Ok(admitted) => Ok(seal(event, admitted, &self.keys)),
            Err(refusal) => Err(self.set_aside(topic, at, record, refusal.class, refusal.sentence.into())),
        }
    }

    /// The event at an offset of the run, read once more; `None` when there is none or it was not accepted.
    pub fn read_again(&self, run: &Run, at: At) -> Option<Kept> {
        let chunk = run.chunks.iter().find(|chunk| chunk.next_offset() > at.offset)?;
        let record = chunk.iter().find(|record| record.offset == at.offset)?;
        let headers = collect(record.headers);
        let sealed = self.read(&run.topic, at, &record, &headers).ok()?;
        Some(Kept::new(&sealed, &headers_of(run, at, &headers, sealed.event.synthetic)))
    }

    pub fn second_copy(&self, kept: Kept, first: First) -> Side {
        let same = first.content == Some(kept.content().fingerprint(self.content_key));
        Side::copy(kept, first.offset, same.then_some(true), first.content.is_none())
    }

    pub fn set_aside(
        &self,
        topic: &Topic,
        at: At,
        record: &Record<'_>,
        class: ErrorClass,
        sentence: Cow<'static, str>,
    ) -> Side {
        let mut frame = Vec::new();
        write_frame(&mut frame, record.key, record.headers, record.value);
        let place = Place { log_stream: &topic.id.log_stream, partition: topic.id.partition, offset: at.offset };
        let hash = self.set_aside.hash(&frame);
        Side::SetAside { class, sentence, payload: self.set_aside.encrypt(place, &frame), hash }
    }
}

/// What is kept of a record's headers, and what the row resolves, if it is a replay's.
pub(super) fn headers_of<'a>(run: &'a Run, at: At, headers: &[(&str, &'a [u8])], synthetic: bool) -> KeptHeaders<'a> {
    let mut kept = kept_headers(headers, synthetic);
    kept.extend(run.origin(at.offset).map(|origin| (REPLAY_OF, origin)));
    kept
}

pub(super) fn collect(headers: Headers<'_>) -> SmallVec<[(&str, &[u8]); 12]> {
    headers.collect()
}

const fn class_of(class: FaultClass) -> ErrorClass {
    match class {
        FaultClass::Parse => ErrorClass::Parse,
        FaultClass::Schema => ErrorClass::Schema,
        FaultClass::Oversize => ErrorClass::Oversize,
    }
}
