//! `tests/vectors.json`: for any other implementation to be checked against. Nobody in it exists.

use serde::{Deserialize, Serialize};
use tokenize::{Identity, Keyed, Kind, VERSION, seal};

use crate::support::{canonical, key, reading};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors.json");

#[derive(Serialize, Deserialize)]
struct Vectors {
    about: String,
    canonical_form: u32,
    domain: String,
    generation: u32,
    key_hex: String,
    fingerprint: String,
    people: Vec<Vector>,
}

#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Vector {
    name: String,
    surname: String,
    born: String,
    document: String,
    document_kind: String,
    document_country: String,
    mother: String,
    place: String,
    #[serde(default)]
    kinds: Vec<KindVector>,
}

/// A kind's canonical input and token, or why there is none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum KindVector {
    Made { kind: String, canonical: String, token: String },
    NotMade { kind: String, because: String },
}

fn of(vector: &Vector) -> Vector {
    let identity = Identity {
        given: &vector.name,
        surname: &vector.surname,
        born: &vector.born,
        document: &vector.document,
        document_kind: &vector.document_kind,
        document_country: &vector.document_country,
        mother: &vector.mother,
        place: &vector.place,
    };
    let person = seal(&[identity.canonical(&reading())], &mut Keyed::new(&key(1))).unwrap().remove(0);
    let kinds = Kind::ALL.into_iter().zip(canonical(identity)).map(|(kind, canonical)| {
        let token = person.token(kind).map(str::to_owned);
        let kind = kind.code().to_owned();
        match canonical {
            Ok(canonical) => KindVector::Made { kind, canonical, token: token.expect("a canonical form has a token") },
            Err(because) => KindVector::NotMade { kind, because },
        }
    });
    Vector { kinds: kinds.collect(), ..vector.clone() }
}

#[test]
fn canonical_forms_and_tokens_are_those_of_the_vectors() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let mut vectors: Vectors = serde_json::from_str(&text).unwrap();
    if std::env::var_os("WRITE_VECTORS").is_some() {
        vectors.people = vectors.people.iter().map(of).collect();
        vectors.fingerprint = key(1).fingerprint();
        std::fs::write(FILE, serde_json::to_string_pretty(&vectors).unwrap() + "\n").unwrap();
    }
    assert_eq!((vectors.canonical_form, vectors.generation), (VERSION, 1));
    assert_eq!(vectors.fingerprint, key(1).fingerprint());
    for vector in &vectors.people {
        assert_eq!(*vector, of(vector));
    }
    assert!(vectors.people.len() >= 30);
}

#[test]
fn every_token_is_one_that_the_contract_takes() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    let mut seen = 0;
    for made in vectors.people.iter().flat_map(|person| &person.kinds) {
        if let KindVector::Made { kind, token, .. } = made {
            assert!(events::form::is_opaque(token) && tokenize::is_opaque(token), "{token}");
            assert!(events::TokenKind::parse(kind).is_some(), "{kind}");
            seen += 1;
        }
    }
    assert!(seen > 60);
}
