//! Victims: found by the police, the Federal Investigation Agency, inspectors, shelters and others, with or without a
//! case; found again; found by a second agency; their status determined.

use crate::agency::{Agency, agency};
use crate::codes::{self, Code};
use crate::names::{Person, Record};
use crate::size::child_per_mille;
use crate::when::civil;

use super::account::{Determination, Filed, Identification, Named, Story, Victim};
use super::teller::{Known, Teller, body};

impl Teller {
    /// Persons found without a case, one to seven of them, by one body.
    pub(super) fn rescue(&mut self, day: i32) -> Story {
        let mut story = self.begin();
        let province = self.province();
        let group = self.dice.pick(codes::IDENTIFIER);
        let finder = self.finder(group, province);
        for _ in 0..=self.dice.lag(0, 7) {
            self.victim(&mut story, finder, province, day, None);
        }
        story
    }

    /// The agency of a group that works in a province.
    fn finder(&mut self, group: Code, province: Code) -> &'static Agency {
        match group {
            "FIA" => agency("FIA"),
            "IOM" => agency("IOM"),
            "NGO" => agency(["NGO-SSDO", "NGO-PB", "NGO-SD"][self.dice.below(3) as usize]),
            _ => body(group, province),
        }
    }

    /// A new person is found; whatever follows for her is told too.
    pub(super) fn victim(
        &mut self,
        story: &mut Story,
        finder: &'static Agency,
        province: Code,
        day: i32,
        case: Option<Record>,
    ) {
        let person = self.person();
        let named = Named { agency: finder, person };
        let records = self.identifications(finder, province, day, case);
        let of_age = records[0].age_band;
        story.victims.push(Victim { named, records });
        self.second_agency(story, person, province, day);
        self.support(story, named, province, day, of_age);
    }

    /// The agency's records of a person: one, seldom two or three.
    fn identifications(
        &mut self,
        finder: &'static Agency,
        province: Code,
        day: i32,
        case: Option<Record>,
    ) -> Vec<Identification> {
        let first = self.identification(finder, province, day, case);
        let mut records = vec![first];
        let mut last = day;
        while records.len() < 3 && self.dice.mille(70) {
            let same_day = self.dice.mille(60);
            let Some(again) = (if same_day { Some(last) } else { self.later(last, 40, 900) }) else {
                break;
            };
            let before = records[0].clone();
            records.push(self.again(before, finder, province, again));
            last = again;
        }
        records
    }

    /// A later record of the same person: some things are said differently.
    fn again(&mut self, before: Identification, finder: &'static Agency, province: Code, day: i32) -> Identification {
        let fresh = self.identification(finder, province, day, None);
        let age_band = if self.dice.mille(250) { fresh.age_band } else { before.age_band };
        let sex = if self.dice.mille(40) { fresh.sex } else { before.sex };
        Identification { age_band, sex, citizenship: before.citizenship, ..fresh }
    }

    /// Eight in a hundred are identified by a second agency too, which knows nothing of the first.
    fn second_agency(&mut self, story: &mut Story, person: Person, province: Code, day: i32) {
        if !self.dice.mille(80) {
            return;
        }
        let group = self.dice.one(&["SHL", "CPB", "HLP", "NGO", "POL"]);
        let finder = self.finder(group, province);
        let Some(day) = self.later(day, 1, 200) else {
            return;
        };
        if story.victims.iter().any(|victim| victim.named.agency == finder && victim.named.person == person) {
            return;
        }
        let records = vec![self.identification(finder, province, day, None)];
        story.victims.push(Victim { named: Named { agency: finder, person }, records });
    }

    fn identification(
        &mut self,
        finder: &'static Agency,
        province: Code,
        day: i32,
        case: Option<Record>,
    ) -> Identification {
        let group = finder.group;
        let record = self.record(finder);
        let filed = self.file(day, Known::Perhaps, 0);
        let exploitation = self.codes(codes::exploitation(group), 160);
        let status = self.dice.pick(codes::STATUS);
        let origin = if self.dice.mille(700) { province } else { self.province() };
        Identification {
            record,
            filed,
            sex: self.dice.pick(codes::victim_sex(group)),
            age_band: self.age_band(group, day),
            citizenship: self.dice.pick(codes::VICTIM_CITIZENSHIP),
            status,
            means: self.codes(codes::MEANS, 420),
            act: self.codes(codes::ACT, 300),
            recruiter_relation: self.maybe(codes::RECRUITER, 250),
            sector: self.maybe(codes::sector(exploitation[0]), 200),
            scope: if group == "FIA" { self.maybe(codes::FIA_SCOPE, 50) } else { self.maybe(&[("domestic", 1)], 400) },
            place_recruited: if self.dice.mille(450) { Some(self.place(origin)) } else { None },
            place_exploited: if self.dice.mille(600) { Some(self.place(province)) } else { None },
            place_identified: self.place(province),
            referral_source: self.dice.pick(codes::referral_source(group)),
            exploitation,
            case,
            determinations: if group == "NGO" { Vec::new() } else { self.determinations(filed, status) },
        }
    }

    fn age_band(&mut self, group: Code, day: i32) -> Code {
        let year = civil(day).0;
        let child = match group {
            "CPB" => 960,
            "LAB" => child_per_mille(year) + 140,
            "FIA" | "IOM" => child_per_mille(year) / 3,
            _ => child_per_mille(year),
        };
        if self.dice.mille(45) {
            codes::UNKNOWN
        } else if self.dice.mille(child) {
            self.dice.pick(codes::CHILD_BAND)
        } else {
            self.dice.pick(codes::ADULT_BAND)
        }
    }

    /// Two in three possible victims are determined; few actual ones are looked at again.
    fn determinations(&mut self, identified: Filed, status: Code) -> Vec<Determination> {
        let (chance, actual) = if status == "actual" { (40, 100) } else { (650, 680) };
        let mut decided = Vec::new();
        let (mut day, mut after) = (identified.when.day, identified.recorded_ms);
        let mut chance = chance;
        while decided.len() < 3 && self.dice.mille(chance) {
            let Some(next) = self.later(day, 1, 240) else {
                break;
            };
            let filed = self.file(next, Known::Nearly, after);
            let status = if self.dice.mille(actual) {
                "actual"
            } else {
                self.dice.one(&["not_victim", "not_victim", "possible"])
            };
            let body = self.dice.one(&["POL", "FIA", "CRT", "CPB", "LAB"]);
            decided.push(Determination { filed, status, body });
            (day, after, chance) = (next, filed.recorded_ms, 60);
        }
        decided
    }
}
