use events::EventType;
use policy::{CTDC_AGENCIES, DEFAULT_AGENCIES, DEFAULT_DATASETS, OnReject, Policy, PolicyError};

#[test]
fn an_agency_emits_the_types_of_its_group_and_no_others() {
    let agencies = Policy::default().agencies;
    assert!(agencies.may_emit("POL-PB", EventType::CaseRegistered));
    assert!(agencies.may_emit("PRO-SD", EventType::ChargeFiled));
    assert!(!agencies.may_emit("POL-PB", EventType::JudgmentDelivered));
    assert!(!agencies.may_emit("CRT-PB", EventType::CaseRegistered));
    assert!(!agencies.may_emit("FIA", EventType::InspectionConducted));
}

#[test]
fn helplines_alone_tell_of_contacts_and_any_body_of_its_activities() {
    let agencies = Policy::default().agencies;
    for agency in &agencies {
        let (code, group) = (agency.code.as_str(), agency.group.as_str());
        assert_eq!(agencies.may_emit(code, EventType::ContactReceived), group == "HLP", "{code}");
        let of_the_house = ["LINK", "STEWARD"].contains(&group);
        assert_eq!(agencies.may_emit(code, EventType::ActivityHeld), !of_the_house, "{code}");
    }
}

#[test]
fn an_agency_that_is_not_listed_emits_nothing() {
    assert!(!Policy::default().agencies.may_emit("POL-XX", EventType::CaseRegistered));
}

#[test]
fn whoever_emits_facts_may_correct_and_retract_its_own() {
    let agencies = Policy::default().agencies;
    for agency in ["FIA", "CRT-KP", "SHL-PB", "OEP"] {
        assert!(agencies.may_emit(agency, EventType::RecordCorrected), "{agency}");
        assert!(agencies.may_emit(agency, EventType::RecordRetracted), "{agency}");
    }
    assert!(!agencies.may_emit("LINK", EventType::RecordCorrected));
}

#[test]
fn only_the_steward_keeps_the_reporting_calendar() {
    let agencies = Policy::default().agencies;
    let keepers: Vec<_> = agencies.iter().filter(|a| agencies.may_emit(&a.code, EventType::ReportExpected)).collect();
    assert_eq!(keepers.len(), 1);
    assert_eq!(keepers[0].code, "STEWARD");
}

#[test]
fn private_caseloads_are_shelters_helplines_civil_society_and_international_partners() {
    let agencies = Policy::default().agencies;
    for agency in &agencies {
        let private = ["SHL", "HLP", "NGO", "IOM", "ICMPD", "ILO", "UNODC"].contains(&agency.group.as_str());
        assert_eq!(agency.private, private, "{}", agency.code);
    }
}

#[test]
fn agencies_are_numbered_in_the_order_of_the_file() {
    let agencies = Policy::default().agencies;
    for (at, agency) in agencies.iter().enumerate() {
        assert_eq!(usize::from(agency.index), at);
        assert_eq!(agencies.by_index(agency.index), agencies.get(&agency.code));
    }
    assert_eq!(agencies.get("FIA").unwrap().index, 0);
}

#[test]
fn an_agency_of_an_unknown_group_is_refused_by_name() {
    let text = format!("{DEFAULT_AGENCIES}\n[[agency]]\ncode = \"XYZ\"\ngroup = \"XYZ\"\nen = \"x\"\nur = \"x\"\n");
    assert!(matches!(Policy::parse(&text, DEFAULT_DATASETS), Err(PolicyError::Unknown { what: "group", .. })));
}

#[test]
fn an_agency_listed_twice_is_refused() {
    let text = format!("{DEFAULT_AGENCIES}\n[[agency]]\ncode = \"FIA\"\ngroup = \"FIA\"\nen = \"x\"\nur = \"x\"\n");
    assert!(matches!(Policy::parse(&text, DEFAULT_DATASETS), Err(PolicyError::Repeated { .. })));
}

#[test]
fn the_hash_tells_two_policies_apart() {
    assert_ne!(Policy::default().hash, Policy::ctdc().hash);
    let moved = format!("{CTDC_AGENCIES}\n");
    assert_ne!(Policy::parse(&moved, DEFAULT_DATASETS).unwrap().hash, Policy::default().hash);
}

#[test]
fn a_type_that_this_edition_does_not_know_is_refused_by_name() {
    let text = DEFAULT_AGENCIES.replacen("\"case.registered\"", "\"case.whispered\"", 1);
    assert!(matches!(Policy::parse(&text, DEFAULT_DATASETS), Err(PolicyError::Unknown { what: "event type", .. })));
}

#[test]
fn every_type_of_the_edition_is_emitted_by_someone() {
    let agencies = Policy::default().agencies;
    for kind in EventType::ALL {
        assert!(agencies.iter().any(|a| agencies.may_emit(&a.code, *kind)), "{kind}");
    }
}

fn with(on_reject: &str) -> Result<Policy, PolicyError> {
    let (head, rest) = DEFAULT_AGENCIES.split_once("[on_reject]").unwrap();
    let rest = rest.split_once("\n\n").unwrap().1;
    Policy::parse(&format!("{head}{on_reject}\n\n{rest}"), DEFAULT_DATASETS)
}

/// ingestion.md 3.6: five percent of a window of ten thousand.
#[test]
fn what_cannot_be_accepted_is_set_aside_up_to_five_percent_of_ten_thousand_unless_the_file_says_otherwise() {
    let by_default = OnReject::SetAsideWithLimit { most: 500, window: 10_000 };
    for agencies in [Policy::default().agencies, with("").unwrap().agencies, Policy::ctdc().agencies] {
        assert!(agencies.iter().all(|agency| agency.on_reject == by_default));
        assert_eq!(agencies.on_reject("POL-XX"), by_default, "of an agency that is not listed");
    }
    let agencies = with("[on_reject]\nlimit_percent = 10\nwindow = 25").unwrap().agencies;
    assert_eq!(agencies.on_reject("FIA"), OnReject::SetAsideWithLimit { most: 2, window: 25 });
    assert_eq!(with("[on_reject]\nrule = \"suspend\"").unwrap().agencies.on_reject("FIA"), OnReject::Suspend);
}

#[test]
fn an_agency_may_have_a_rule_of_its_own() {
    let text = DEFAULT_AGENCIES.replace("code = \"FIA\"\n", "code = \"FIA\"\non_reject = \"set_aside\"\n");
    let agencies = Policy::parse(&text, DEFAULT_DATASETS).unwrap().agencies;
    assert_eq!(agencies.on_reject("FIA"), OnReject::SetAside);
    assert_ne!(agencies.on_reject("POL-PB"), OnReject::SetAside);
}

#[test]
fn a_rule_that_is_none_or_a_limit_of_nothing_is_refused_by_name() {
    for (text, named) in [
        ("[on_reject]\nrule = \"drop\"", "suspend"),
        ("[on_reject]\nlimit_percent = 0", "limit_percent"),
        ("[on_reject]\nlimit_percent = 101", "limit_percent"),
        ("[on_reject]\nwindow = 0", "window"),
        ("[on_reject]\nratio = 5", "ratio"),
    ] {
        let error = with(text).unwrap_err().to_string();
        assert!(error.starts_with("agencies.toml") && error.contains(named), "{error}");
    }
}
