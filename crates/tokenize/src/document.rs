//! The number of an identity document in its canonical form: what kind it is, whose, and its letters and digits.
//!
//! One number stands on several papers of NADRA: the child's registration certificate (B-form), the CNIC, the NICOP, the
//! POC and the smart forms of each have 13 digits and go on through life, so all of them are one kind, `pk`. It has no check
//! digit; what is checked is its form (National Database and Registration Authority: region, family, sex in 5, 7 and 1
//! digits; the first digit is that of a province, 1 to 8, or 9).
//!
//! Absent: asking NADRA; guessing at a digit that was misread.

use crate::data;
use crate::fold;
use crate::reason::Reason;

/// Kinds of documents that have a form of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// 13 digits of NADRA: CNIC, B-form, NICOP, POC.
    Nadra,
    /// A passport of any country.
    Passport,
    /// Another document: a card of registration of refugees, another country's identity card.
    Other,
}

impl DocumentKind {
    /// The kind by its name in a column, in English or Urdu; none for a name that is not known.
    pub fn parse(text: &str) -> Option<Self> {
        let name = fold::words_and_digits(text).join(" ");
        Some(match name.as_str() {
            "cnic"
            | "nic"
            | "snic"
            | "nicop"
            | "snicop"
            | "poc"
            | "b form"
            | "bform"
            | "form b"
            | "crc"
            | "frc"
            | "id card"
            | "nadra"
            | "شناختی کارڈ"
            | "قومی شناختی کارڈ"
            | "ب فارم"
            | "فارم ب" => Self::Nadra,
            "passport" | "pp" | "پاسپورٹ" => Self::Passport,
            "por"
            | "por card"
            | "acc"
            | "acc card"
            | "afghan citizen card"
            | "proof of registration"
            | "other"
            | "other id"
            | "refugee card"
            | "national id"
            | "دیگر"
            | "مہاجر کارڈ" => Self::Other,
            _ => return None,
        })
    }
}

/// A document number in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
}

impl Document {
    /// Reads a number. `kind` and `country` may be empty: 13 digits are NADRA's, two letters with seven digits are a
    /// passport of Pakistan; every other document needs both.
    pub fn read(number: &str, kind: &str, country: &str) -> Result<Self, Reason> {
        let number = letters_and_digits(number)?;
        if is_nobodys(&number) {
            return Err(Reason::PlaceholderDocument);
        }
        let kind = match kind.trim() {
            "" => guessed(&number).ok_or(Reason::DocumentKind)?,
            named => DocumentKind::parse(named).ok_or(Reason::DocumentKind)?,
        };
        let text = match kind {
            DocumentKind::Nadra => nadra(&number)?,
            DocumentKind::Passport => of_country("passport", &number, country)?,
            DocumentKind::Other => of_country("other", &number, country)?,
        };
        Ok(Self { text })
    }

    /// `pk|3310287654329`, `passport|PK|RT4417852`.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Capital letters and digits alone. Letters of other scripts cannot be in a document's number.
fn letters_and_digits(text: &str) -> Result<String, Reason> {
    let number: String = fold::folded(text).chars().filter(|letter| letter.is_alphanumeric()).collect();
    match number.as_str() {
        "" => Err(Reason::NoDocument),
        number if !number.is_ascii() || number.len() > 20 => Err(Reason::DocumentForm),
        number => Ok(number.to_ascii_uppercase()),
    }
}

/// Zeros, one digit throughout, 123…, 987…, and what the list has.
fn is_nobodys(number: &str) -> bool {
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    let steps =
        |step: u8| digits.len() > 4 && digits.windows(2).all(|pair| (pair[0] - b'0' + step) % 10 == pair[1] - b'0');
    data::is_placeholder("document", &number.to_ascii_lowercase())
        || digits.len() > 1 && digits.iter().all(|digit| *digit == digits[0])
        || digits == b"0"
        || steps(1)
        || steps(9)
}

fn guessed(number: &str) -> Option<DocumentKind> {
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if digits && number.len() == 13 {
        return Some(DocumentKind::Nadra);
    }
    is_pakistani_passport(number).then_some(DocumentKind::Passport)
}

fn is_pakistani_passport(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 9 && bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[2..].iter().all(u8::is_ascii_digit)
}

/// 13 digits; the region begins with 1 to 9, and the family's seven digits are not one digit alone.
fn nadra(number: &str) -> Result<String, Reason> {
    let bytes = number.as_bytes();
    if bytes.len() != 13 || !bytes.iter().all(u8::is_ascii_digit) || bytes[0] == b'0' {
        return Err(Reason::DocumentForm);
    }
    if bytes[5..12].iter().all(|digit| *digit == bytes[5]) {
        return Err(Reason::PlaceholderDocument);
    }
    Ok(format!("pk|{number}"))
}

/// Numbers of several countries may be equal: the country belongs to them. A passport in Pakistan's form without a
/// country is Pakistan's.
fn of_country(kind: &str, number: &str, country: &str) -> Result<String, Reason> {
    if !(5..=20).contains(&number.len()) || number.bytes().filter(u8::is_ascii_digit).count() < 4 {
        return Err(Reason::DocumentForm);
    }
    let country = country.trim();
    let country = match country.as_bytes() {
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => country.to_ascii_uppercase(),
        [] if kind == "passport" && is_pakistani_passport(number) => "PK".into(),
        _ => return Err(Reason::DocumentCountry),
    };
    Ok(format!("{kind}|{country}|{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: &str, kind: &str, country: &str) -> Result<String, Reason> {
        Document::read(number, kind, country).map(|document| document.text)
    }

    #[test]
    fn a_cnic_is_one_number_with_dashes_spaces_or_urdu_digits() {
        for text in ["33102-8765432-9", "3310287654329", " 33102 8765432 9", "۳۳۱۰۲-۸۷۶۵۴۳۲-۹", "٣٣١٠٢٨٧٦٥٤٣٢٩"]
        {
            assert_eq!(read(text, "", "").as_deref(), Ok("pk|3310287654329"), "{text}");
        }
        for kind in ["CNIC", "NICOP", "B-Form", "شناختی کارڈ", "POC"] {
            assert_eq!(read("33102-8765432-9", kind, "").as_deref(), Ok("pk|3310287654329"), "{kind}");
        }
    }

    #[test]
    fn a_passport_has_its_country() {
        assert_eq!(read("rt 4417852", "", "").as_deref(), Ok("passport|PK|RT4417852"));
        assert_eq!(read("RT4417852", "passport", "pk").as_deref(), Ok("passport|PK|RT4417852"));
        assert_eq!(read("P7741238", "passport", "BD").as_deref(), Ok("passport|BD|P7741238"));
        assert_eq!(read("P7741238", "passport", ""), Err(Reason::DocumentCountry));
        assert_eq!(read("P7741238", "", ""), Err(Reason::DocumentKind));
        assert_eq!(read("AF20557831", "POR card", "AF").as_deref(), Ok("other|AF|AF20557831"));
    }

    #[test]
    fn a_number_of_another_form_is_none() {
        for text in ["33102-8765432", "33102-8765432-91", "03102-8765432-9", "3310Z8765432O"] {
            assert_eq!(read(text, "cnic", ""), Err(Reason::DocumentForm), "{text}");
        }
        assert_eq!(read("33102-8765432-9", "library card", ""), Err(Reason::DocumentKind));
    }

    #[test]
    fn a_number_that_is_nobodys_is_none() {
        for text in [
            "0000000000000",
            "00000-0000000-0",
            "1111111111111",
            "1234567890123",
            "9876543210987",
            "33102-0000000-1",
            "N/A",
        ] {
            assert_eq!(read(text, "cnic", ""), Err(Reason::PlaceholderDocument), "{text}");
        }
        assert_eq!(read("-", "cnic", ""), Err(Reason::NoDocument));
        assert_eq!(read("AA0000000", "passport", "PK"), Err(Reason::PlaceholderDocument));
    }
}
