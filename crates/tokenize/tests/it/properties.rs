//! What holds for every text.

use proptest::prelude::*;
use tokenize::name::Name;
use tokenize::{Birth, DateOrder, Document, Identity, Input, Keyed, Kind, Places, seal, token};

use crate::support::{key, reading};

/// Letters that names are written in, and what stands between them.
fn names() -> impl Strategy<Value = String> {
    proptest::string::string_regex(
        "[a-zA-Z ./'’\\-äéñß]{0,30}|[ابپتٹجچحخدڈرڑزسشصعغفقکگلمنںوہھءیےيكىةأإآ \u{64b}-\u{652}ـ]{0,20}|.{0,40}",
    )
    .unwrap()
}

fn sealed(identity: Identity<'_>) -> Vec<(Kind, String)> {
    let person = seal(&[identity.canonical(&reading())], &mut Keyed::new(&key(1))).unwrap().remove(0);
    person.tokens().map(|(kind, token)| (kind, token.to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(name in names()) {
        if let Ok(once) = Name::read(&name) {
            prop_assert_eq!(Name::read(&once.text()).map(|twice| twice.text()), Ok(once.text()));
        }
    }

    #[test]
    fn no_text_makes_it_panic(a in any::<String>(), b in any::<String>(), c in any::<String>()) {
        let _ = sealed(Identity {
            given: &a, surname: &b, born: &c, document: &b, document_kind: &c, document_country: &a, mother: &c, place: &a,
        });
        let _ = (Birth::read(&a, DateOrder::MonthFirst, 2026), Places::default().read(&b), tokenize::sound(&c));
    }

    #[test]
    fn case_spaces_and_marks_make_no_difference(name in "[a-z]{2,9}( [a-z]{2,9}){0,3}", extra in "[ \t.]{1,3}") {
        let other = name.to_uppercase().replace(' ', &format!("{extra} ")).replace('E', "É").replace('U', "ü");
        prop_assert_eq!(Name::read(&name), Name::read(&other));
    }

    #[test]
    fn harakat_tatweel_and_the_keyboard_make_no_difference(name in "[بتجدرسشفقلمنکی]{2,6}( [بتجدرسشفقلمنکی]{2,6}){0,2}") {
        let other = name.replace('ی', "ي").replace('ک', "ك").replace('م', "مُـ").replace(' ', "  \u{200f}");
        prop_assert_eq!(Name::read(&name), Name::read(&other));
    }

    #[test]
    fn digits_of_every_script_are_one_document(number in "[1-8][0-9]{12}") {
        let extended: String = number.bytes().map(|digit| char::from_u32(0x6f0 + u32::from(digit - b'0')).unwrap()).collect();
        let dashed = format!("{}-{}-{}", &number[..5], &number[5..12], &number[12..]);
        prop_assert_eq!(Document::read(&number, "", ""), Document::read(&extended, "cnic", ""));
        prop_assert_eq!(Document::read(&number, "", ""), Document::read(&dashed, "", ""));
    }

    #[test]
    fn every_output_is_a_token_of_the_contract(output in any::<[u8; 32]>()) {
        for kind in Kind::ALL {
            prop_assert!(events::form::is_opaque(&token(kind, &output)));
        }
    }

    #[test]
    fn two_outputs_are_two_tokens(one in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
        let of = |half: [u8; 16]| token(Kind::Document, &std::array::from_fn(|at| half.get(at).copied().unwrap_or(0)));
        prop_assert_eq!(of(one) == of(other), one == other);
    }

    #[test]
    fn what_is_hashed_of_two_kinds_is_never_the_same(name in names(), mother in names(), number in "[1-8][0-9]{12}") {
        let identity = Identity {
            given: &name, born: "5/3/1999", document: &number, mother: &mother, place: "Lahore", ..Identity::default()
        };
        let inputs: Vec<Input> = identity.canonical(&reading()).inputs.into_iter().flatten().collect();
        for (at, input) in inputs.iter().enumerate() {
            prop_assert!(inputs[..at].iter().all(|other| other.bytes() != input.bytes()));
            prop_assert_eq!(inputs.iter().filter(|other| other.text()[..18] == input.text()[..18]).count(), 1);
        }
    }
}

#[test]
fn a_separator_cannot_be_written_into_a_name() {
    let of = |given, surname| sealed(Identity { given, surname, born: "5/3/1999", ..Identity::default() });
    assert_eq!(of("Zahra|T1|x", "Khan"), of("Zahra T x", "Khan"));
}

#[test]
fn kinds_and_their_codes_are_those_of_the_contract() {
    use events::TokenKind;
    let ours = Kind::ALL.map(Kind::code);
    let theirs = TokenKind::ALL.map(TokenKind::as_str);
    assert_eq!(ours, theirs[..4]);
}
