//! The first message of a proof (SCRAM-SHA-256), measured before it is read.
//!
//! What a message of the family of passwords is is known when it is its turn, so that its body is read apart from the others
//! (`codec`); there, too, the library does not look where it ends.

use pgwire::messages::startup::{PasswordMessageFamily, SASLInitialResponse};

/// The mechanism and what the client begins with; none of a message that is cut short or too long.
pub(super) fn first(message: PasswordMessageFamily) -> Option<SASLInitialResponse> {
    let PasswordMessageFamily::Raw(body) = &message else { return None };
    let name = body.iter().position(|byte| *byte == 0)?;
    let (length, data) = body.get(name + 1..)?.split_first_chunk::<4>()?;
    let is_whole = match i32::from_be_bytes(*length) {
        -1 => data.is_empty(),
        length => usize::try_from(length) == Ok(data.len()),
    };
    if is_whole { message.into_sasl_initial_response().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    #[test]
    fn a_message_that_is_cut_short_or_too_long_is_none() {
        let read = |body: &[u8]| first(PasswordMessageFamily::Raw(BytesMut::from(body)));
        let whole = read(b"SCRAM-SHA-256\0\0\0\0\x03n,,").expect("a message");
        assert_eq!((whole.auth_method.as_str(), whole.data.as_deref()), ("SCRAM-SHA-256", Some(&b"n,,"[..])));
        assert_eq!(read(b"x\0\xff\xff\xff\xff").expect("a message").data, None);
        for body in [
            &b""[..],
            b"x",
            b"x\0",
            b"x\0\0\0\0",
            b"x\0\0\0\0\x02n",
            b"x\0\0\0\0\0n",
            b"x\0\x7f\xff\xff\xff",
            b"x\0\xff\xff\xff\xfe",
        ] {
            assert!(read(body).is_none(), "{body:?}");
        }
    }
}
