use policy::{Keys, Master, case_sid, link_ref, person_surrogate, record_sid, sid};
use proptest::prelude::*;

fn keys() -> Keys {
    Keys::derive(&Master::from_bytes([7; 32]))
}

#[test]
fn every_purpose_has_a_key_of_its_own() {
    let k = keys();
    let all = [
        &k.person,
        &k.link,
        &k.sid,
        &k.rk,
        &k.ek,
        &k.noise,
        &k.threshold,
        &k.distance,
        &k.swap,
        &k.set_aside,
        &k.set_aside_nonce,
        &k.set_aside_hash,
        &k.audit_head,
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn context_strings_are_frozen() {
    let k = keys();
    for (key, context) in [
        (&k.person, "amanat 2026-11 person"),
        (&k.link, "amanat 2026-11 link"),
        (&k.sid, "amanat 2026-11 sid"),
        (&k.rk, "amanat 2026-11 rk"),
        (&k.ek, "amanat 2026-11 ek"),
        (&k.noise, "amanat 2026-11 noise"),
        (&k.threshold, "amanat 2026-11 thr"),
        (&k.distance, "amanat 2026-11 dist"),
        (&k.swap, "amanat 2026-11 swap"),
        (&k.set_aside, "amanat 2026-11 set-aside"),
        (&k.set_aside_nonce, "amanat 2026-11 set-aside-nonce"),
        (&k.set_aside_hash, "amanat 2026-11 set-aside-hash"),
        (&k.audit_head, "amanat 2026-11 audit-head"),
    ] {
        assert_eq!(**key, blake3::derive_key(context, &[7; 32]), "{context}");
    }
}

#[test]
fn nothing_prints_a_secret() {
    let master = Master::from_bytes([0xab; 32]);
    let printed = format!("{master:?} {:?}", Keys::derive(&master));
    assert!(!printed.contains("ab, ab") && !printed.contains("171"), "{printed}");
}

#[test]
fn the_fingerprint_names_the_key_and_is_not_the_key() {
    let (one, other) = (Master::from_bytes([1; 32]), Master::from_bytes([2; 32]));
    assert_ne!(one.fingerprint(), other.fingerprint());
    assert_eq!(one.fingerprint().len(), 16);
    let full = blake3::derive_key("amanat 2026-11 fingerprint", &[1; 32]);
    assert!(one.fingerprint().starts_with(&format!("{:02x}", full[0])));
}

#[test]
fn a_surrogate_is_the_keyed_hash_of_agency_and_token() {
    let k = keys();
    let expected = blake3::keyed_hash(&k.person, b"POL-PB\0bcdfghjk12345678");
    assert_eq!(person_surrogate(&k, "POL-PB", "bcdfghjk12345678"), expected.as_bytes()[..16]);
}

proptest! {
    #[test]
    fn the_same_token_of_two_agencies_gives_two_surrogates_and_one_link(token in "[0-9b-df-h]{16,64}") {
        let k = keys();
        prop_assert_ne!(person_surrogate(&k, "FIA", &token), person_surrogate(&k, "IOM", &token));
        prop_assert_eq!(link_ref(&k, "document", &token), link_ref(&k, "document", &token));
        prop_assert_ne!(link_ref(&k, "document", &token), link_ref(&k, "phonetic", &token));
    }

    #[test]
    fn a_person_has_another_identifier_in_each_universe(person in any::<[u8; 16]>()) {
        let k = keys();
        prop_assert_ne!(sid(&k, "victims", person), sid(&k, "accused", person));
    }

    #[test]
    fn a_case_is_the_same_in_every_dataset(id in "[A-Z]{3}-PB/[0-9b-df-h]{16}") {
        let k = keys();
        prop_assert_eq!(case_sid(&k, &id), record_sid(&k, "cases", &id));
        prop_assert_ne!(case_sid(&k, &id), record_sid(&k, "inspections", &id));
    }
}
