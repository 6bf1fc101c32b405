//! What came of stories beside what each agency counts: cases that changed hands and were registered twice, stages they reached,
//! accused persons who became known, compensation ordered and paid, findings referred and acted on, workers released.
//!
//! Each story's aftermath has chance and numbers of its own: what came to the world later changes nothing of what was there.

use crate::agency::{Agency, agency};
use crate::codes::{self, Code};

use super::account::{
    Action, Case, Known as KnownAccused, Link, Named, Order, Payment, ReferredFindings, Release, Stage, Story, Transfer,
};
use super::teller::{Known, Teller, body};

/// The streams of chance of aftermaths begin here, one for each story.
const AFTERMATH: u64 = 1 << 36;

impl Teller {
    /// Tells what came of a story.
    pub(super) fn aftermath(seed: u64, story: &mut Story) {
        let mut teller = Self::after(seed, AFTERMATH + story.number, story.number);
        for case in story.cases.clone() {
            teller.passed_on(story, &case);
            teller.stages(story, &case);
        }
        teller.became_known(story);
        teller.compensated(story);
        teller.followed_up(story);
    }

    /// One case in ten changes hands; in two of three who takes it registers it anew, and says that it is the same.
    fn passed_on(&mut self, story: &mut Story, case: &Case) {
        let from = case.record.agency;
        let Some(day) = self.later(case.filed.when.day, 5, 150).filter(|_| self.dice.mille(100)) else { return };
        let (to, reason) = if from.group == "FIA" {
            (body("POL", case.province), "domestic")
        } else {
            (agency("FIA"), self.dice.pick(&[("transnational", 80), ("specialised_unit", 20)]))
        };
        let record = self.record(from);
        let filed = self.file(day, Known::Nearly, case.filed.recorded_ms);
        story.transfers.push(Transfer { record, filed, case: case.record, to, reason });
        if self.dice.mille(660) {
            self.registered_again(story, case, to, day);
        }
    }

    fn registered_again(&mut self, story: &mut Story, case: &Case, to: &'static Agency, day: i32) {
        let filed = self.file(day, Known::Nearly, 0);
        // Which of the two is first must not hang on the time of recording, which a restatement changes.
        if filed.when.from() == case.filed.when.from() {
            return;
        }
        let again = Case { record: self.record(to), filed, lead_agency_group: None, ..case.clone() };
        let said = self.file(day, Known::Nearly, filed.recorded_ms);
        let link = Link { record: self.record(to), filed: said, case: again.record, other: case.record };
        story.registered_again.push((again, link));
    }

    fn stages(&mut self, story: &mut Story, case: &Case) {
        let mut day = case.filed.when.day;
        let mut after = case.filed.recorded_ms;
        for (stage, per_mille) in
            [("under_investigation", 700), ("charge_submitted", 600), ("in_trial", 650), ("decided", 500)]
        {
            if !self.dice.mille(per_mille) {
                return;
            }
            let Some(next) = self.later(day, 5, 300) else { return };
            let filed = self.file(next, Known::Nearly, after);
            story.stages.push(Stage { record: self.record(case.record.agency), filed, case: case.record, stage });
            (day, after) = (next, filed.recorded_ms);
        }
    }

    /// Three in ten of those arrested were known before; some are never arrested.
    fn became_known(&mut self, story: &mut Story) {
        for arrested in story.arrested.clone() {
            let first = &arrested.arrests[0];
            if self.dice.mille(300) {
                // Between the registration of the case, which begins the story, and the arrest.
                let day = self.dice.between(story.cases[0].filed.when.day, first.filed.when.day);
                let (named, filed) = (arrested.named, self.file(day, Known::Nearly, 0));
                let record = self.record(named.agency);
                story.known.push(KnownAccused { record, filed, ..KnownAccused::of(first, named) });
            }
            if self.dice.mille(120)
                && let Some(day) = self.later(first.filed.when.day, 0, 60)
            {
                let named = Named { agency: arrested.named.agency, person: self.person() };
                let official = self.maybe(&[("no", 95), ("yes", 3), ("_X", 2)], 300);
                let (record, filed) = (self.record(named.agency), self.file(day, Known::Nearly, 0));
                story.known.push(KnownAccused { record, filed, official, ..KnownAccused::of(first, named) });
            }
        }
    }

    /// Half of what courts impose for victims is ordered apart; some of it is paid, in one or two payments.
    fn compensated(&mut self, story: &mut Story) {
        let Some(victim) = story.victims.first().map(|victim| victim.named.person) else { return };
        for judgment in story.judged.clone().iter().flat_map(|person| &person.judgments) {
            let Some(amount) = judgment.sentence.and_then(|sentence| sentence.compensation_pkr) else { continue };
            let Some(day) = self.later(judgment.filed.when.day, 0, 40).filter(|_| self.dice.mille(500)) else {
                continue;
            };
            let court = judgment.record.agency;
            let filed = self.file(day, Known::Nearly, judgment.filed.recorded_ms);
            let mut order = Order {
                named: Named { agency: court, person: victim },
                record: self.record(court),
                filed,
                amount,
                province: judgment.province,
                judgment: judgment.filed.id,
                payments: Vec::new(),
            };
            let mut last = day;
            while order.payments.len() < 2 && self.dice.mille(450) {
                let Some(on) = self.later(last, 10, 400) else { break };
                let (record, filed) = (self.record(court), self.file(on, Known::Nearly, filed.recorded_ms));
                order.payments.push(Payment { record, filed, amount: (amount / 2).max(1) });
                last = on;
            }
            story.orders.push(order);
        }
    }

    /// What inspections found is referred, and acted on or not; four in ten releases are told by themselves.
    fn followed_up(&mut self, story: &mut Story) {
        for inspection in story.inspections.clone() {
            let found: codes::Codes =
                inspection.outcomes.iter().copied().filter(|code| code.ends_with("labour_found")).collect();
            let (day, after) = (inspection.filed.when.day, inspection.filed.recorded_ms);
            if found.is_empty() {
                continue;
            }
            let province = inspection.record.agency.province.unwrap_or("PK-PB");
            if let Some(on) = self.later(day, 1, 40).filter(|_| self.dice.mille(520)) {
                let to = self.dice.pick(&[("POL", 62), ("FIA", 8), ("CPB", 30)]);
                let filed = self.file(on, Known::Nearly, after);
                let record = self.record(inspection.record.agency);
                let action = self.acted(to, province, on, filed.recorded_ms);
                let inspection = inspection.filed.id;
                story.referred_findings.push(ReferredFindings {
                    record,
                    filed,
                    inspection,
                    to,
                    findings: found,
                    action,
                });
            }
            if let Some(released) = inspection.released.filter(|_| self.dice.mille(400)) {
                let filed = self.file(day, Known::Nearly, after);
                story.releases.push(Release {
                    record: self.record(inspection.record.agency),
                    filed,
                    place: inspection.place,
                    sector: inspection.sector,
                    workers: released + i64::from(self.dice.below(4)),
                    inspection: inspection.filed.id,
                });
            }
        }
    }

    fn acted(&mut self, to: Code, province: Code, day: i32, after_ms: i64) -> Option<Action> {
        let on = self.later(day, 1, 120).filter(|_| self.dice.mille(700))?;
        let by = if to == "FIA" { agency("FIA") } else { body(to, province) };
        let what = self.dice.pick(&[
            ("case_registered", 42),
            ("investigation_opened", 18),
            ("no_action", 26),
            ("returned", 10),
            ("_X", 4),
        ]);
        Some(Action { record: self.record(by), filed: self.file(on, Known::Nearly, after_ms), action: what })
    }
}
