//! The codes that the world draws, with their weights. Orders of magnitude: domain.md 6.
//!
//! Weights are recollections rounded to shares, not statistics: the sample is synthetic and says so. That each code
//! stands in its list under `schemas/code-lists` is a test.

use smallvec::SmallVec;

/// A code of a closed list.
pub type Code = &'static str;
/// Codes of a multi-valued field, distinct, in the order of reporting.
pub type Codes = SmallVec<[Code; 4]>;
/// Codes with their weights.
pub type Weighted = &'static [(Code, u32)];

/// Unknown, in every list.
pub const UNKNOWN: Code = "_X";

/// Provinces by their share of what happens (Punjab most).
pub const PROVINCE: Weighted =
    &[("PK-PB", 480), ("PK-SD", 225), ("PK-KP", 145), ("PK-BA", 60), ("PK-IS", 45), ("PK-GB", 15), ("PK-JK", 30)];

/// Divisions of a province; the province itself where no division is said.
pub fn places(province: Code) -> Weighted {
    match province {
        "PK-PB" => &[
            ("PK-PB", 10),
            ("PK-PB-LHR", 24),
            ("PK-PB-FSD", 16),
            ("PK-PB-MUL", 12),
            ("PK-PB-RWP", 10),
            ("PK-PB-GRW", 9),
            ("PK-PB-BWP", 7),
            ("PK-PB-DGK", 6),
            ("PK-PB-SGD", 5),
            ("PK-PB-SWL", 4),
            ("PK-PB-GRT", 4),
        ],
        "PK-SD" => &[
            ("PK-SD", 8),
            ("PK-SD-KHI", 40),
            ("PK-SD-HYD", 22),
            ("PK-SD-SUK", 10),
            ("PK-SD-MPK", 9),
            ("PK-SD-LRK", 6),
            ("PK-SD-SBA", 5),
        ],
        "PK-KP" => &[
            ("PK-KP", 10),
            ("PK-KP-PSH", 38),
            ("PK-KP-MRD", 14),
            ("PK-KP-HZR", 12),
            ("PK-KP-MKD", 12),
            ("PK-KP-DIK", 6),
            ("PK-KP-BNU", 5),
            ("PK-KP-KHT", 4),
        ],
        "PK-BA" => &[
            ("PK-BA", 10),
            ("PK-BA-QTA", 46),
            ("PK-BA-MKR", 16),
            ("PK-BA-KLT", 9),
            ("PK-BA-NSB", 7),
            ("PK-BA-ZHB", 5),
            ("PK-BA-LRL", 3),
            ("PK-BA-RKN", 3),
            ("PK-BA-SBI", 2),
        ],
        "PK-GB" => &[("PK-GB", 10), ("PK-GB-GLT", 45), ("PK-GB-BLT", 30), ("PK-GB-DMR", 15)],
        "PK-JK" => &[("PK-JK", 10), ("PK-JK-MZD", 40), ("PK-JK-MRP", 35), ("PK-JK-PNC", 15)],
        "PK-IS" => &[("PK-IS", 1)],
        _ => &[(UNKNOWN, 1)],
    }
}

/// The kinds of body that identify victims, by share of identifications.
pub const IDENTIFIER: Weighted =
    &[("POL", 520), ("FIA", 120), ("LAB", 120), ("CPB", 90), ("SHL", 55), ("NGO", 55), ("HLP", 25), ("IOM", 15)];

/// Sex of victims found by the body named.
pub fn victim_sex(group: Code) -> Weighted {
    match group {
        "FIA" | "IOM" => &[("F", 300), ("M", 670), ("T", 10), ("_X", 20)],
        "LAB" => &[("F", 420), ("M", 560), ("_X", 20)],
        "CPB" => &[("F", 520), ("M", 460), ("T", 5), ("_X", 15)],
        "SHL" | "NGO" | "HLP" => &[("F", 880), ("M", 80), ("T", 25), ("_X", 15)],
        _ => &[("F", 800), ("M", 165), ("T", 15), ("_X", 20)],
    }
}

/// Age bands of children.
pub const CHILD_BAND: Weighted = &[("00-08", 28), ("09-17", 72)];
/// Age bands of adults.
pub const ADULT_BAND: Weighted =
    &[("18-20", 17), ("21-23", 16), ("24-26", 15), ("27-29", 13), ("30-38", 22), ("39-47", 11), ("48+", 6)];
/// Citizenship of victims.
pub const VICTIM_CITIZENSHIP: Weighted =
    &[("PK", 930), ("AF", 30), ("BD", 14), ("MM", 8), ("UZ", 4), ("IR", 4), ("_X", 10)];
/// Citizenship of accused persons.
pub const ACCUSED_CITIZENSHIP: Weighted = &[("PK", 940), ("AF", 30), ("IR", 8), ("BD", 5), ("CN", 5), ("_X", 12)];
/// Status at identification (domain.md 3.4).
pub const STATUS: Weighted = &[("actual", 630), ("possible", 345), ("not_victim", 15), ("_X", 10)];

/// Forms of exploitation that the body named finds.
pub fn exploitation(group: Code) -> Weighted {
    match group {
        "FIA" | "IOM" => &[
            ("forced_labour", 520),
            ("sexual", 180),
            ("domestic_servitude", 80),
            ("forced_criminality", 70),
            ("slavery_like", 40),
            ("organ_removal", 30),
            ("camel_jockeying_or_sport", 15),
            ("other", 35),
            ("_X", 30),
        ],
        "LAB" => &[
            ("bonded_labour", 680),
            ("forced_labour", 210),
            ("domestic_servitude", 50),
            ("slavery_like", 40),
            ("_X", 20),
        ],
        "CPB" => &[
            ("forced_begging", 360),
            ("domestic_servitude", 220),
            ("sexual", 170),
            ("forced_labour", 110),
            ("illegal_adoption", 30),
            ("forced_criminality", 40),
            ("child_soldiering", 10),
            ("camel_jockeying_or_sport", 10),
            ("_X", 50),
        ],
        "SHL" | "NGO" | "HLP" => &[
            ("forced_marriage", 330),
            ("sexual", 340),
            ("domestic_servitude", 160),
            ("forced_labour", 70),
            ("slavery_like", 40),
            ("other", 30),
            ("_X", 30),
        ],
        _ => &[
            ("sexual", 430),
            ("bonded_labour", 160),
            ("forced_marriage", 120),
            ("forced_labour", 110),
            ("forced_begging", 70),
            ("domestic_servitude", 50),
            ("organ_removal", 15),
            ("slavery_like", 15),
            ("other", 15),
            ("_X", 15),
        ],
    }
}

/// Means of control (domain.md 3.6).
pub const MEANS: Weighted = &[
    ("false_promises", 20),
    ("debt_bondage", 16),
    ("threats", 15),
    ("psychological_abuse", 11),
    ("physical_abuse", 10),
    ("restricts_movement", 9),
    ("takes_earnings", 7),
    ("withholds_documents", 5),
    ("sexual_abuse", 5),
    ("excessive_working_hours", 5),
    ("withholds_necessities", 3),
    ("restricts_financial_access", 2),
    ("psychoactive_substances", 2),
    ("threat_of_law_enforcement", 2),
    ("restricts_medical_care", 1),
    ("uses_children", 1),
    ("other", 1),
    ("_X", 4),
];
/// Acts (domain.md 3.7).
pub const ACT: Weighted =
    &[("recruitment", 40), ("transportation", 25), ("harbouring", 14), ("receipt", 12), ("transfer", 9), ("_X", 4)];
/// Who recruited (domain.md 3.8).
pub const RECRUITER: Weighted = &[
    ("employer_or_agent", 34),
    ("family", 20),
    ("friend", 13),
    ("intimate_partner", 10),
    ("stranger", 12),
    ("religious_or_community_leader", 2),
    ("official", 1),
    ("other", 3),
    ("_X", 10),
];

/// Economic sector of an exploitation.
pub fn sector(exploitation: Code) -> Weighted {
    match exploitation {
        "bonded_labour" => &[("brick_kiln", 55), ("agriculture", 30), ("carpet", 6), ("mining", 5), ("_X", 4)],
        "forced_labour" | "slavery_like" => &[
            ("F", 30),
            ("agriculture", 18),
            ("garment", 14),
            ("fisheries", 8),
            ("mining", 8),
            ("I", 8),
            ("H", 6),
            ("_X", 8),
        ],
        "domestic_servitude" => &[("domestic_work", 96), ("_X", 4)],
        "forced_begging" => &[("begging", 80), ("street", 16), ("_X", 4)],
        _ => &[("S", 40), ("I", 15), ("R", 10), ("street", 10), ("_X", 25)],
    }
}

/// Who told the body named (domain.md 3.12).
pub fn referral_source(group: Code) -> Weighted {
    match group {
        "LAB" => &[("labour_inspection", 800), ("community", 90), ("ngo", 70), ("_X", 40)],
        "HLP" => &[("helpline", 850), ("self", 100), ("_X", 50)],
        "IOM" => &[("mission", 600), ("self", 200), ("ngo", 150), ("_X", 50)],
        "SHL" | "NGO" => &[
            ("court", 230),
            ("self", 240),
            ("ngo", 190),
            ("community", 130),
            ("police", 110),
            ("hospital", 60),
            ("_X", 40),
        ],
        "FIA" => &[("fia", 620), ("mission", 160), ("self", 90), ("community", 60), ("_X", 70)],
        _ => &[
            ("police", 470),
            ("community", 160),
            ("helpline", 100),
            ("ngo", 90),
            ("self", 70),
            ("hospital", 40),
            ("court", 30),
            ("other", 10),
            ("_X", 30),
        ],
    }
}

/// Services (domain.md 3.13).
pub const SERVICE: Weighted = &[
    ("shelter", 30),
    ("medical", 16),
    ("psychosocial", 18),
    ("legal", 14),
    ("education", 5),
    ("vocational", 5),
    ("financial", 5),
    ("family_tracing", 4),
    ("protection", 3),
    ("_X", 1),
];
/// Support after return.
pub const REINTEGRATION: Weighted =
    &[("reintegration", 45), ("vocational", 20), ("financial", 18), ("psychosocial", 10), ("medical", 7)];
/// Why a service ended.
pub const EXIT: Weighted = &[
    ("completed", 50),
    ("left", 14),
    ("family", 16),
    ("transferred", 9),
    ("repatriated", 3),
    ("lost_contact", 5),
    ("deceased", 1),
    ("other", 1),
    ("_X", 1),
];
/// Outcome of reintegration after 6 or 12 months.
pub const OUTCOME: Weighted = &[
    ("reintegrated", 52),
    ("partly_reintegrated", 24),
    ("not_reintegrated", 9),
    ("migrated_again", 6),
    ("trafficked_again", 2),
    ("lost_contact", 6),
    ("_X", 1),
];
/// From where people return.
pub const FROM: Weighted = &[
    ("AE", 22),
    ("SA", 20),
    ("OM", 11),
    ("IR", 14),
    ("TR", 12),
    ("GR", 6),
    ("LY", 5),
    ("IT", 3),
    ("MY", 4),
    ("QA", 2),
    ("_X", 1),
];
/// How they return.
pub const RETURN_KIND: Weighted = &[("forced", 44), ("assisted", 34), ("voluntary", 19), ("_X", 3)];
/// Who reports a return.
pub const RETURNER: Weighted = &[("OEP", 42), ("FIA", 28), ("IOM", 30)];

/// Roles of accused persons (domain.md 3.14).
pub const ROLE: Weighted = &[
    ("recruiter", 30),
    ("exploiter", 29),
    ("transporter", 16),
    ("harbourer", 11),
    ("financier", 5),
    ("facilitator", 6),
    ("official", 1),
    ("_X", 2),
];
/// Sex of accused persons.
pub const ACCUSED_SEX: Weighted = &[("M", 720), ("F", 250), ("T", 8), ("_X", 22)];
/// Sections of the Act of 2018; before it there are none of these.
pub const PTPA: Weighted = &[("PTPA-3-1", 44), ("PTPA-3-2", 42), ("PTPA-4", 14)];
/// Sections of other Acts that a trafficking case is registered under.
pub const OTHER_SECTION: Weighted = &[
    ("PPC-371A", 20),
    ("PPC-371B", 16),
    ("PPC-366A", 14),
    ("PPC-366B", 8),
    ("PPC-370", 8),
    ("PPC-371", 5),
    ("PPC-374", 8),
    ("BLSA-11", 14),
    ("BLSA-12", 4),
    ("other", 2),
    ("_X", 1),
];
/// Verdicts (domain.md 3.17).
pub const VERDICT: Weighted = &[
    ("convicted", 560),
    ("convicted_lesser", 80),
    ("acquitted", 270),
    ("discharged", 45),
    ("withdrawn", 20),
    ("abated", 15),
    ("_X", 10),
];
/// Court of first decision.
pub const COURT: Weighted = &[("sessions", 62), ("magistrate", 24), ("special", 12), ("_X", 2)];
/// Decision on an appeal.
pub const APPEAL: Weighted = &[("upheld", 56), ("overturned", 27), ("varied", 16), ("_X", 1)];

/// What a helpline is contacted about.
pub const CONTACT_KIND: Weighted = &[
    ("help", 24),
    ("tip", 14),
    ("child_missing", 12),
    ("recruitment", 15),
    ("information", 22),
    ("follow_up", 8),
    ("other", 4),
    ("_X", 1),
];
/// Kind of an activity.
pub const ACTIVITY_KIND: Weighted = &[
    ("training", 36),
    ("training_of_trainers", 5),
    ("seminar", 14),
    ("community_session", 20),
    ("school_session", 10),
    ("campaign", 7),
    ("coordination_meeting", 6),
    ("other", 2),
];
/// Who is trained.
pub const OFFICIALS: Weighted = &[
    ("police", 30),
    ("fia", 9),
    ("prosecutors", 12),
    ("judges", 8),
    ("labour_inspectors", 10),
    ("child_protection", 9),
    ("service_providers", 9),
    ("health_workers", 3),
    ("mixed", 9),
    ("_X", 1),
];
/// Who is made aware.
pub const PUBLIC: Weighted = &[
    ("community", 34),
    ("workers", 18),
    ("migrants", 14),
    ("students", 8),
    ("teachers", 6),
    ("employers", 6),
    ("journalists", 4),
    ("civil_society", 5),
    ("general_public", 4),
    ("_X", 1),
];
/// Who holds activities (domain.md 2: any body; civil society most).
pub const HOLDER: Weighted =
    &[("NGO", 46), ("POL", 14), ("FIA", 8), ("IOM", 9), ("SHL", 6), ("CPB", 6), ("LAB", 6), ("HLP", 5)];

/// Kind of an inspection.
pub const INSPECTION_KIND: Weighted = &[("child", 42), ("bonded", 33), ("general", 23), ("_X", 2)];
/// Sector inspected.
pub const INSPECTED: Weighted = &[
    ("brick_kiln", 34),
    ("agriculture", 12),
    ("garment", 12),
    ("carpet", 8),
    ("I", 8),
    ("G", 8),
    ("domestic_work", 4),
    ("mining", 5),
    ("fisheries", 4),
    ("C", 4),
    ("_X", 1),
];
/// Scope of a case that the Federal Investigation Agency leads.
pub const FIA_SCOPE: Weighted =
    &[("transnational_out", 72), ("transnational_in", 14), ("transit", 10), ("domestic", 4)];
