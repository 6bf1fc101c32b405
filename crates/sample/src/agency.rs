//! The synthetic country's agencies: who reports, on which topic, in which tokenizing domain.
//!
//! The codes are those of domain.md 2. Which event types an agency may emit is the policy's business; the world only
//! lets an agency report what domain.md 4 lets it report.

use crate::codes::Code;

/// An agency that reports.
#[derive(Debug)]
pub struct Agency {
    /// Position in [`AGENCIES`].
    pub number: u8,
    /// Code, as in `tip.events.<code>.v1`.
    pub code: &'static str,
    /// Its group (code list `agency_group`).
    pub group: Code,
    /// Province of a provincial body.
    pub province: Option<Code>,
    /// Tokenizing domain: agencies of one domain give a person's document the same token.
    pub domain: u8,
    /// Topic of its events.
    pub topic: &'static str,
    /// Its name as a source of events, `urn:pk:tip:<code>`.
    pub source: &'static str,
}

impl PartialEq for Agency {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Agency {}

/// Law enforcement, prosecution and courts share the keys of one tokenizing machine.
const STATE: u8 = 0;
/// Labour departments and child-protection bureaus share another.
const WELFARE: u8 = 1;
/// The civil-society partners that SSDO hosts share a third.
const PARTNERS: u8 = 2;

macro_rules! agencies {
    ($($number:literal $code:literal $group:literal $province:expr, $domain:expr;)*) => {
        /// All agencies, by number.
        pub static AGENCIES: &[Agency] = &[$(Agency {
            number: $number,
            code: $code,
            group: $group,
            province: $province,
            domain: $domain,
            topic: concat!("tip.events.", $code, ".v1"),
            source: concat!("urn:pk:tip:", $code),
        },)*];
    };
}

agencies! {
    0 "FIA" "FIA" None, STATE;
    1 "POL-PB" "POL" Some("PK-PB"), STATE;
    2 "POL-SD" "POL" Some("PK-SD"), STATE;
    3 "POL-KP" "POL" Some("PK-KP"), STATE;
    4 "POL-BA" "POL" Some("PK-BA"), STATE;
    5 "POL-IS" "POL" Some("PK-IS"), STATE;
    6 "POL-GB" "POL" Some("PK-GB"), STATE;
    7 "POL-JK" "POL" Some("PK-JK"), STATE;
    8 "PRO-PB" "PRO" Some("PK-PB"), STATE;
    9 "PRO-SD" "PRO" Some("PK-SD"), STATE;
    10 "PRO-KP" "PRO" Some("PK-KP"), STATE;
    11 "PRO-BA" "PRO" Some("PK-BA"), STATE;
    12 "PRO-IS" "PRO" Some("PK-IS"), STATE;
    13 "PRO-GB" "PRO" Some("PK-GB"), STATE;
    14 "PRO-JK" "PRO" Some("PK-JK"), STATE;
    15 "CRT-PB" "CRT" Some("PK-PB"), STATE;
    16 "CRT-SD" "CRT" Some("PK-SD"), STATE;
    17 "CRT-KP" "CRT" Some("PK-KP"), STATE;
    18 "CRT-BA" "CRT" Some("PK-BA"), STATE;
    19 "CRT-IS" "CRT" Some("PK-IS"), STATE;
    20 "CRT-GB" "CRT" Some("PK-GB"), STATE;
    21 "CRT-JK" "CRT" Some("PK-JK"), STATE;
    22 "LAB-PB" "LAB" Some("PK-PB"), WELFARE;
    23 "LAB-SD" "LAB" Some("PK-SD"), WELFARE;
    24 "LAB-KP" "LAB" Some("PK-KP"), WELFARE;
    25 "LAB-BA" "LAB" Some("PK-BA"), WELFARE;
    26 "LAB-IS" "LAB" Some("PK-IS"), WELFARE;
    27 "CPB-PB" "CPB" Some("PK-PB"), WELFARE;
    28 "CPB-SD" "CPB" Some("PK-SD"), WELFARE;
    29 "CPB-KP" "CPB" Some("PK-KP"), WELFARE;
    30 "SHL-PB" "SHL" Some("PK-PB"), PARTNERS;
    31 "SHL-SD" "SHL" Some("PK-SD"), PARTNERS;
    32 "SHL-KP" "SHL" Some("PK-KP"), 3;
    33 "HLP-PB" "HLP" Some("PK-PB"), 4;
    34 "HLP-SD" "HLP" Some("PK-SD"), 4;
    35 "NGO-SSDO" "NGO" None, PARTNERS;
    36 "NGO-PB" "NGO" Some("PK-PB"), PARTNERS;
    37 "NGO-SD" "NGO" Some("PK-SD"), 5;
    38 "IOM" "IOM" None, 6;
    39 "OEP" "OEP" None, 7;
    40 "STEWARD" "STEWARD" None, 8;
    41 "HLP-KP" "HLP" Some("PK-KP"), 4;
}

/// The agency of a code that stands in the table.
pub fn agency(code: &str) -> &'static Agency {
    AGENCIES.iter().find(|agency| agency.code == code).expect("callers name agencies of the table")
}

/// The body of a group in a province, where there is one.
pub fn provincial(group: Code, province: Code) -> Option<&'static Agency> {
    AGENCIES.iter().find(|agency| agency.group == group && agency.province == Some(province))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agencys_number_is_its_place_in_the_table() {
        for (place, agency) in AGENCIES.iter().enumerate() {
            assert_eq!(place, usize::from(agency.number), "{}", agency.code);
        }
    }
}
