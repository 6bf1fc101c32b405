//! Justice: a case and its accused persons, from registration through arrest and charge to judgment and appeal.

use crate::agency::{Agency, agency};
use crate::codes::{self, Code, Codes, UNKNOWN};
use crate::names::{Person, Record};
use crate::when::days;

use super::account::{
    Accused, Appeal, Arrest, Arrested, Case, Charge, Charged, Filed, Judged, Judgment, Named, Sentence, Story,
};
use super::teller::{Known, Teller, body};

/// What a court is asked to judge.
struct Indictment {
    named: Named,
    accused: Accused,
    province: Code,
    sections: Codes,
    case: Option<Record>,
}

impl Teller {
    /// A case is registered; victims are found with it, persons arrested, charged, judged.
    pub(super) fn case(&mut self, day: i32) -> Story {
        let mut story = self.begin();
        let province = self.province();
        let lead = if self.dice.mille(330) { agency("FIA") } else { body("POL", province) };
        let case = self.registered(lead, province, day);
        let (record, sections) = (case.record, case.sections.clone());
        story.cases.push(case);
        for _ in 0..self.dice.lag(0, 5) {
            self.victim(&mut story, lead, province, day, Some(record));
        }
        for _ in 0..self.dice.lag(0, 5).max(i64::from(self.dice.mille(550))) {
            self.prosecution(&mut story, lead, province, day, record, &sections);
        }
        story
    }

    fn registered(&mut self, lead: &'static Agency, province: Code, day: i32) -> Case {
        let scope =
            if lead.group == "FIA" { self.maybe(codes::FIA_SCOPE, 60) } else { self.maybe(&[("domestic", 1)], 200) };
        Case {
            record: self.record(lead),
            filed: self.file(day, Known::Perhaps, 0),
            sections: self.sections(day),
            scope,
            province: self.written_province(province),
            lead_agency_group: self.dice.mille(300).then_some(lead.group),
        }
    }

    /// Sections of law in force on a day: the Act of 2018 only after it came into force.
    fn sections(&mut self, day: i32) -> Codes {
        if day < days(2018, 6, 1) || self.dice.mille(120) {
            return if day >= days(2018, 7, 1) && self.dice.mille(150) {
                Codes::from_slice(&["PSMA-3"])
            } else {
                self.codes(codes::OTHER_SECTION, 220)
            };
        }
        let mut sections = self.codes(codes::PTPA, 180);
        if self.dice.mille(300) {
            let other = self.dice.pick(codes::OTHER_SECTION);
            if other != UNKNOWN {
                sections.push(other);
            }
        }
        sections
    }

    /// The sections at the next stage: mostly the same, sometimes only one, sometimes others.
    fn sections_after(&mut self, before: &Codes, day: i32) -> Codes {
        match self.dice.below(1000) {
            0..100 => Codes::from_slice(&before[..1]),
            100..150 => self.sections(day),
            _ => before.clone(),
        }
    }

    /// One accused person's way.
    fn prosecution(
        &mut self,
        story: &mut Story,
        lead: &'static Agency,
        province: Code,
        day: i32,
        case: Record,
        sections: &Codes,
    ) {
        let person = self.person();
        let accused = Accused {
            sex: self.dice.pick(codes::ACCUSED_SEX),
            age_band: if self.dice.mille(60) { UNKNOWN } else { self.dice.pick(codes::ADULT_BAND) },
            citizenship: self.dice.pick(codes::ACCUSED_CITIZENSHIP),
        };
        let Some(day) = self.later(day, 0, 90) else {
            return;
        };
        let arrests = self.arrests(lead, accused, province, day, case);
        story.arrested.push(Arrested { named: Named { agency: lead, person }, arrests });
        if !self.dice.mille(800) {
            return;
        }
        let charges = self.charges(accused, province, day, case, sections);
        if charges.is_empty() {
            return;
        }
        let named = Named { agency: body("PRO", province), person };
        let tried = charges
            .iter()
            .find(|charge| charge.withdrawn.is_none())
            .map(|charge| (charge.filed, charge.sections.clone()));
        story.charged.push(Charged { named, charges });
        if let Some((charged, sections)) = tried {
            self.trial(story, person, accused, province, case, charged, &sections);
        }
    }

    fn arrests(
        &mut self,
        lead: &'static Agency,
        accused: Accused,
        province: Code,
        day: i32,
        case: Record,
    ) -> Vec<Arrest> {
        let mut arrests = vec![self.arrest(lead, accused, province, day, Some(case))];
        if self.dice.mille(40)
            && let Some(again) = self.later(day, 30, 900)
        {
            arrests.push(self.arrest(lead, accused, province, again, None));
        }
        arrests
    }

    fn arrest(
        &mut self,
        lead: &'static Agency,
        accused: Accused,
        province: Code,
        day: i32,
        case: Option<Record>,
    ) -> Arrest {
        let roles = self.codes(codes::ROLE, 240);
        let official = if roles.contains(&"official") {
            Some("yes")
        } else {
            self.maybe(&[("no", 97), ("yes", 1), ("_X", 2)], 300)
        };
        Arrest {
            record: self.record(lead),
            filed: self.file(day, Known::Perhaps, 0),
            accused,
            roles,
            official,
            province: self.written_province(province),
            case,
        }
    }

    /// One charge, seldom a second; one in seventeen is withdrawn.
    fn charges(&mut self, accused: Accused, province: Code, day: i32, case: Record, sections: &Codes) -> Vec<Charge> {
        let mut charges = Vec::new();
        let mut next = self.later(day, 14, 240);
        while let Some(on) = next {
            let filed = self.file(on, Known::Perhaps, 0);
            let withdrawn = if self.dice.mille(60) { self.later(on, 10, 300) } else { None };
            charges.push(Charge {
                record: self.record(body("PRO", province)),
                filed,
                accused,
                sections: self.sections_after(sections, on),
                province: self.written_province(province),
                case: (!self.dice.mille(100)).then_some(case),
                withdrawn: withdrawn.map(|on| self.file(on, Known::Nearly, filed.recorded_ms)),
            });
            let again = if withdrawn.is_some() { 350 } else { 50 };
            next = if charges.len() < 3 && self.dice.mille(again) { self.later(on, 20, 400) } else { None };
        }
        charges
    }

    #[allow(clippy::too_many_arguments)] // the parts of an indictment, each known from another stage
    fn trial(
        &mut self,
        story: &mut Story,
        person: Person,
        accused: Accused,
        province: Code,
        case: Record,
        charged: Filed,
        sections: &Codes,
    ) {
        if !self.dice.mille(820) {
            return;
        }
        let named = Named { agency: body("CRT", province), person };
        let on = self.later(charged.when.day, 60, 800);
        let Some(on) = on else { return };
        let indictment = Indictment {
            named,
            accused,
            province: self.written_province(province),
            sections: self.sections_after(sections, on),
            case: (!self.dice.mille(150)).then_some(case),
        };
        let mut judgments = vec![self.judgment(&indictment, on)];
        if self.dice.mille(30)
            && let Some(again) = self.later(on, 30, 900)
        {
            judgments.push(self.judgment(&indictment, again));
        }
        story.judged.push(Judged { named, judgments });
    }

    fn judgment(&mut self, of: &Indictment, day: i32) -> Judgment {
        let verdict = self.dice.pick(codes::VERDICT);
        let filed = self.file(day, Known::Perhaps, 0);
        let convicted = matches!(verdict, "convicted" | "convicted_lesser");
        let sentence = (convicted && self.dice.mille(930)).then(|| self.sentence());
        Judgment {
            record: self.record(of.named.agency),
            filed,
            accused: of.accused,
            province: of.province,
            sections: of.sections.clone(),
            verdict,
            sentence,
            court_level: self.dice.pick(codes::COURT),
            case: of.case,
            appeals: self.appeals(filed, day),
        }
    }

    fn sentence(&mut self) -> Sentence {
        let prison = self.dice.mille(620);
        Sentence {
            imprisonment_months: prison.then(|| i64::from(self.dice.between(1, 40)) * 3),
            fine_pkr: (!prison || self.dice.mille(500)).then(|| i64::from(self.dice.between(1, 200)) * 5000),
            compensation_pkr: self.dice.mille(60).then(|| i64::from(self.dice.between(1, 100)) * 10_000),
        }
    }

    fn appeals(&mut self, judged: Filed, day: i32) -> Vec<Appeal> {
        let mut appeals = Vec::new();
        let (mut day, mut after) = (day, judged.recorded_ms);
        while appeals.len() < 2 && self.dice.mille(if appeals.is_empty() { 140 } else { 120 }) {
            let Some(next) = self.later(day, 60, 700) else {
                break;
            };
            let filed = self.file(next, Known::Nearly, after);
            appeals.push(Appeal { filed, outcome: self.dice.pick(codes::APPEAL) });
            (day, after) = (next, filed.recorded_ms);
        }
        appeals
    }
}
