//! Support: referrals and the services that answer them; returns from abroad and the assistance after them.

use crate::agency::{Agency, agency};
use crate::codes::{self, Code};
use crate::names::Person;

use super::account::{Assistance, Filed, Named, Referral, Referred, Return, Returned, Service, Story};
use super::teller::{Known, Teller, body, present_day};

/// Agencies that assist, of similar size, so that no single private caseload dominates a cell (privacy.md 6.6).
const ASSISTING: [&str; 6] = ["SHL-PB", "SHL-SD", "SHL-KP", "NGO-SSDO", "NGO-PB", "NGO-SD"];

impl Teller {
    /// Half of the persons found are referred; some find a service on their own.
    pub(super) fn support(&mut self, story: &mut Story, named: Named, province: Code, day: i32, age_band: Code) {
        let child = matches!(age_band, "00-08" | "09-17");
        if self.dice.mille(500) {
            let record = self.record(named.agency);
            let mut referrals = Vec::new();
            let mut next = self.later(day, 0, 60);
            while let Some(on) = next {
                referrals.push(self.referral(named, province, on, child));
                next = if referrals.len() < 3 && self.dice.mille(130) { self.later(on, 0, 240) } else { None };
            }
            if !referrals.is_empty() {
                story.referred.push(Referred { named, record, referrals });
            }
        }
        if self.dice.mille(70)
            && let Some(on) = self.later(day, 0, 200)
        {
            let service = self.service(named.person, province, on, 0, child);
            story.services.push(service);
        }
    }

    fn referral(&mut self, named: Named, province: Code, day: i32, child: bool) -> Referral {
        let filed = self.file(day, Known::Nearly, 0);
        let abroad = self.dice.mille(25);
        let to_body = (!abroad).then(|| self.dice.one(&["SHL", "NGO", "CPB", "HLP", "SHL", "NGO"]));
        let to_country = abroad.then(|| self.dice.one(&["AF", "BD", "IR", "MM"]));
        let service = self.dice.pick(codes::SERVICE);
        let mut services = Vec::new();
        while services.len() < 2 && self.dice.mille(if services.is_empty() { 760 } else { 170 }) {
            let after = self.days_to_service();
            services.push(self.service(named.person, province, day + after, filed.recorded_ms, child));
        }
        Referral { filed, to_body, to_country, service, services }
    }

    /// Days from a referral to the service, with the edges of "within 30 days" made frequent.
    fn days_to_service(&mut self) -> i32 {
        match self.dice.below(1000) {
            0..30 => 0,
            30..65 => 30,
            65..100 => 31,
            100..112 => -self.dice.between(1, 5),
            112..700 => self.dice.lag(1, 25) as i32,
            700..930 => self.dice.between(25, 90),
            _ => self.dice.between(90, 200),
        }
    }

    fn service(&mut self, person: Person, province: Code, day: i32, after_ms: i64, child: bool) -> Service {
        let day = day.min(present_day() - 60);
        let provider = self.provider(province, child);
        let filed = self.file(day, Known::Nearly, after_ms);
        let ended = self.dice.mille(620).then(|| day + self.dice.lag(3, 300) as i32);
        let end = ended.filter(|on| *on < present_day() - 60).map(|on| self.ending(on, filed));
        Service {
            named: Named { agency: provider, person },
            record: self.record(provider),
            filed,
            service: self.dice.pick(codes::SERVICE),
            provider: self.dice.mille(600).then_some(provider.group),
            end,
        }
    }

    fn ending(&mut self, day: i32, begun: Filed) -> (Filed, Code) {
        (self.file(day, Known::Nearly, begun.recorded_ms), self.dice.pick(codes::EXIT))
    }

    fn provider(&mut self, province: Code, child: bool) -> &'static Agency {
        if child && self.dice.mille(350) { body("CPB", province) } else { agency(self.dice.one(&ASSISTING)) }
    }

    /// A person returns from abroad, seldom twice; two in three are assisted.
    pub(super) fn return_home(&mut self, day: i32) -> Story {
        let mut story = self.begin();
        let person = self.person();
        let reporter = agency(self.dice.pick(codes::RETURNER));
        let record = self.record(reporter);
        let mut returns = vec![self.one_return(person, day)];
        if self.dice.mille(50)
            && let Some(again) = self.later(day, 60, 900)
        {
            returns.push(self.one_return(person, again));
        }
        story.returned.push(Returned { named: Named { agency: reporter, person }, record, returns });
        story
    }

    fn one_return(&mut self, person: Person, day: i32) -> Return {
        let filed = self.file(day, Known::Perhaps, 0);
        let mut assistance = Vec::new();
        if self.dice.mille(700) {
            assistance.push(self.assistance(person, day, filed, true));
            if self.dice.mille(120) {
                assistance.push(self.assistance(person, day, filed, false));
            }
        }
        Return {
            filed,
            from_country: self.dice.pick(codes::FROM),
            kind: self.dice.pick(codes::RETURN_KIND),
            assistance,
        }
    }

    /// Assistance begins within months; only the first of a return says how the person is doing later on.
    fn assistance(&mut self, person: Person, returned_on: i32, returned: Filed, follows_up: bool) -> Assistance {
        let helper = agency(self.dice.one(&["IOM", "NGO-SSDO", "NGO-PB", "NGO-SD"]));
        let day = (returned_on + self.dice.lag(2, 150) as i32).min(present_day() - 40);
        let known_at = |days: i32| follows_up && returned_on + days < present_day() - 30;
        let outcome_6 = (known_at(180) && self.dice.mille(840)).then(|| self.dice.pick(codes::OUTCOME));
        let outcome_12 = (known_at(365) && self.dice.mille(720)).then(|| self.dice.pick(codes::OUTCOME));
        Assistance {
            named: Named { agency: helper, person },
            record: self.record(helper),
            filed: self.file(day, Known::Nearly, returned.recorded_ms),
            kind: self.dice.pick(codes::REINTEGRATION),
            months: self.dice.mille(800).then(|| i64::from(self.dice.between(1, 24))),
            outcome_6,
            outcome_12,
        }
    }
}
