//! Bytes to event and back.

use events::encode::{self, Draft};
use events::{Data, Limits, Message, Occurred, TokenKind, code_list, data};
use smallvec::smallvec;
use uuid::Uuid;

fn victim() -> Data {
    let code = |list: &str, code: &str| code_list::list(list).code(code).unwrap();
    Data::VictimIdentified(data::VictimIdentified {
        sex: code("sex", "F"),
        age_band: code("age_band", "09-17"),
        citizenship: code("citizenship", "PK"),
        status: code("trafficking_status", "actual"),
        exploitation: smallvec![code("exploitation", "bonded_labour"), code("exploitation", "other")],
        means: Some(smallvec![code("means", "debt_bondage")]),
        act: None,
        recruiter_relation: None,
        sector: Some(code("sector", "brick_kiln")),
        scope: None,
        place_recruited: None,
        place_transit: None,
        place_exploited: None,
        place_identified: code("place", "PK-PB-LHR"),
        referral_source: Some(code("referral_source", "police")),
        case_id: Some("POL-PB/0123456789bcdfgh".into()),
        contact_id: Some("HLP-PB/0123456789bcdfgh".into()),
    })
}

#[test]
fn what_is_written_is_read_again_in_both_modes() {
    let data = victim();
    let draft = Draft {
        id: Uuid::from_u128(0x018f_3b5c_0000_7000_8000_0000_0000_0001),
        agency: "POL-PB",
        record_id: "POL-PB/9876543210bcdfgh",
        record_version: 1,
        recorded_at: 1_710_000_000_000_000,
        occurred: Occurred::parse("2024-03-09"),
        synthetic: true,
        person: &[(TokenKind::Document, "bcdfghjkmnpqrstv"), (TokenKind::Phonetic, "0bcdfghjkmnpqrstv")],
        data: &data,
    };
    let (binary, line) = (encode::binary(&draft), encode::structured(&draft));
    let headers = binary.header_slices();
    let message = Message { key: Some(&binary.key), headers: &headers, value: Some(&binary.value) };
    let event = events::decode(&message, &Limits::default()).unwrap();
    assert_eq!(event.data, data);
    assert_eq!(event.raw[event.tokens[0].at.clone()], *b"bcdfghjkmnpqrstv");
    let again = encode::event_of_line(line.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(again, event);
    assert_eq!(encode::binary_of(&again), binary);
}
