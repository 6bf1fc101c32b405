//! The frame in which a message is set aside, behind its encryption; compiled by the tests of `ingest` too.

use policy::{Keys, Master};

use super::set_aside::{OpenError, Place, SetAsideKeys, open_set_aside, write_frame};

/// Sealed and opened, any bytes are a message that gives these very bytes again, or are refused as no frame.
pub fn frame(bytes: &[u8]) {
    let keys = Keys::derive(&Master::from_bytes([1; 32]));
    let place = Place { log_stream: "log#0/tip.events.FIA.v1", partition: 0, offset: 1 };
    assert!(open_set_aside(&keys, place, Some(bytes)).is_err(), "nobody sealed this");
    let sealed = SetAsideKeys::new(&keys).encrypt(place, bytes);
    match open_set_aside(&keys, place, Some(&sealed)) {
        Ok(message) => {
            let mut again = Vec::new();
            let headers = message.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            write_frame(&mut again, message.key.as_deref(), headers, message.value.as_deref());
            assert_eq!(again, bytes, "read, written");
        }
        Err(error) => assert_eq!(error, OpenError::UnknownForm),
    }
}
