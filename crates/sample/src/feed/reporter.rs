//! The reporter: turns stories into messages, sends each when an agency would, and keeps those not yet due.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use events::EventType;

use crate::dice::Dice;
use crate::names::{EventId, Record};
use crate::when::{DAY_MS, midnight_ms};
use crate::world::account::{
    Activity, Arrested, Case, Charged, Contact, Filed, Identification, Inspection, Judged, Named, Order, Referred,
    ReferredFindings, Return, Returned, Service, Story, Victim,
};
use crate::world::present_day;

use super::fields::{self, Fields};
use super::history::Fact;
use super::malformed::Breaker;
use super::message::{Message, Style};
use super::{Expected, Feedline};

pub(super) const HOUR: i64 = 3_600_000;
/// Numbers of what the feed makes up (phantoms, corrections) have this bit; the world's have not.
const INVENTED: u64 = 1 << 62;
/// Of what it makes up beside outreach, this one too.
const BESIDE: u64 = 1 << 61;
/// Of what it makes up of aftermaths, this one.
const AFTER: u64 = 1 << 60;

/// A line that waits for its time; of lines of one instant the one sent first goes first.
struct Waiting {
    due: (i64, u64),
    line: Box<Feedline>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due.cmp(&other.due)
    }
}

/// Reports stories.
pub(super) struct Reporter {
    pub(super) seed: u64,
    pub(super) dice: Dice,
    invented: u64,
    sequence: u64,
    waiting: BinaryHeap<Reverse<Waiting>>,
    breaker: Breaker,
    horizon_ms: i64,
}

impl Reporter {
    /// A reporter of the world of this seed, with its own stream of chance.
    pub(super) fn new(seed: u64, breaker: Breaker) -> Self {
        Self::with(seed, Dice::new(seed, 1 << 32), INVENTED, breaker)
    }

    /// A reporter of aftermaths, with chance and numbers of its own; it makes no malformed lines.
    pub(super) fn of_aftermath(seed: u64) -> Self {
        Self::with(seed, Dice::new(seed, 1 << 35), INVENTED | AFTER, Breaker::never())
    }

    /// A reporter of outreach, with chance and numbers of its own; it makes no malformed lines.
    pub(super) fn of_outreach(seed: u64) -> Self {
        Self::with(seed, Dice::new(seed, 1 << 34), INVENTED | BESIDE, Breaker::never())
    }

    fn with(seed: u64, dice: Dice, invented: u64, breaker: Breaker) -> Self {
        Self {
            seed,
            dice,
            invented,
            sequence: 0,
            waiting: BinaryHeap::new(),
            breaker,
            horizon_ms: midnight_ms(present_day()) + 2 * DAY_MS,
        }
    }

    /// When the next line is due.
    pub(super) fn due_ms(&self) -> i64 {
        self.waiting.peek().map_or(i64::MAX, |waiting| waiting.0.due.0)
    }

    /// The next line that is due before this instant.
    pub(super) fn due_before(&mut self, ms: i64) -> Option<Feedline> {
        if self.waiting.peek()?.0.due.0 >= ms {
            return None;
        }
        self.waiting.pop().map(|Reverse(waiting)| *waiting.line)
    }

    /// Reports all that a story holds.
    pub(super) fn story(&mut self, story: &Story) {
        story.cases.iter().for_each(|case| self.case(case));
        story.victims.iter().for_each(|victim| self.victim(victim));
        story.referred.iter().for_each(|person| self.referred(person));
        story.services.iter().for_each(|service| self.service(service, None));
        story.returned.iter().for_each(|person| self.returned(person));
        story.arrested.iter().for_each(|person| self.arrested(person));
        story.charged.iter().for_each(|person| self.charged(person));
        story.judged.iter().for_each(|person| self.judged(person));
        story.inspections.iter().for_each(|inspection| self.inspection(inspection));
        story.contacts.iter().for_each(|contact| self.contact(contact));
        story.activities.iter().for_each(|activity| self.activity(activity));
    }

    /// Reports what came of a story.
    pub(super) fn aftermath(&mut self, story: &Story) {
        for passed in &story.transfers {
            let fields = fields::transfer(passed);
            self.record_of(EventType::CaseTransferred, passed.record, None, &passed.filed, fields, false);
        }
        for (case, link) in &story.registered_again {
            self.case(case);
            self.record_of(EventType::CaseLinked, link.record, None, &link.filed, fields::link(link), false);
        }
        for reached in &story.stages {
            let fields = fields::stage(reached);
            self.record_of(EventType::CaseStageChanged, reached.record, None, &reached.filed, fields, false);
        }
        for known in &story.known {
            let (kind, fields) = (EventType::AccusedIdentified, fields::known(known));
            self.record_of(kind, known.record, Some(known.named), &known.filed, fields, false);
        }
        story.orders.iter().for_each(|order| self.ordered(order));
        story.referred_findings.iter().for_each(|referred| self.findings_referred(referred));
        for release in &story.releases {
            let fields = fields::release(release);
            self.record_of(EventType::WorkerReleased, release.record, None, &release.filed, fields, true);
        }
    }

    fn ordered(&mut self, order: &Order) {
        let (kind, fields) = (EventType::CompensationOrdered, fields::order(order));
        self.record_of(kind, order.record, Some(order.named), &order.filed, fields, false);
        for payment in &order.payments {
            let (kind, fields) = (EventType::CompensationPaid, fields::payment(payment, order));
            self.record_of(kind, payment.record, Some(order.named), &payment.filed, fields, false);
        }
    }

    fn findings_referred(&mut self, referred: &ReferredFindings) {
        let (kind, fields) = (EventType::InspectionReferred, fields::referred_findings(referred));
        self.record_of(kind, referred.record, None, &referred.filed, fields, false);
        if let Some(action) = &referred.action {
            let fields = fields::action(action, referred.filed.id);
            self.record_of(EventType::ReferralActedOn, action.record, None, &action.filed, fields, false);
        }
    }

    fn case(&mut self, case: &Case) {
        let fields = fields::case(case);
        self.record_of(EventType::CaseRegistered, case.record, None, &case.filed, fields, true);
    }

    fn inspection(&mut self, inspection: &Inspection) {
        let fields = fields::inspection(inspection);
        self.record_of(EventType::InspectionConducted, inspection.record, None, &inspection.filed, fields, true);
    }

    fn contact(&mut self, contact: &Contact) {
        let fields = fields::contact(contact);
        self.record_of(EventType::ContactReceived, contact.record, None, &contact.filed, fields, true);
    }

    fn activity(&mut self, activity: &Activity) {
        let fields = fields::activity(activity);
        self.record_of(EventType::ActivityHeld, activity.record, None, &activity.filed, fields, true);
    }

    /// Reports a record with a single fact.
    fn record_of(
        &mut self,
        kind: EventType,
        record: Record,
        named: Option<Named>,
        filed: &Filed,
        fields: Fields,
        restatable: bool,
    ) -> u32 {
        let mut version = 0;
        self.fact(Fact { kind, record, named, filed, fields, restatable }, &mut version);
        version
    }

    /// Reports an act on a record that has others.
    fn act(&mut self, kind: EventType, record: Record, named: Named, filed: &Filed, fields: Fields, version: &mut u32) {
        self.fact(Fact { kind, record, named: Some(named), filed, fields, restatable: false }, version);
    }

    fn victim(&mut self, victim: &Victim) {
        let restatable = days_differ(victim.records.iter().map(|record| &record.filed));
        for record in &victim.records {
            self.identification(victim.named, record, restatable);
        }
    }

    fn identification(&mut self, named: Named, said: &Identification, restatable: bool) {
        let kind = EventType::VictimIdentified;
        let fields = fields::identification(said);
        let mut version = self.record_of(kind, said.record, Some(named), &said.filed, fields, restatable);
        for decided in &said.determinations {
            let fields = fields::determination(decided);
            self.act(EventType::VictimStatusDetermined, said.record, named, &decided.filed, fields, &mut version);
        }
    }

    fn referred(&mut self, person: &Referred) {
        let mut version = 0;
        for referral in &person.referrals {
            let fields = fields::referral(referral);
            self.act(EventType::VictimReferred, person.record, person.named, &referral.filed, fields, &mut version);
            for service in &referral.services {
                self.service(service, Some(referral.filed.id));
            }
        }
    }

    fn service(&mut self, service: &Service, referral: Option<EventId>) {
        let mut version = 0;
        let (record, named) = (service.record, service.named);
        let fields = fields::service(service, referral);
        self.act(EventType::ServiceStarted, record, named, &service.filed, fields, &mut version);
        if let Some((end, reason)) = &service.end {
            let fields = fields::service_end(end, reason, service, referral);
            self.act(EventType::ServiceEnded, record, named, end, fields, &mut version);
        }
    }

    fn returned(&mut self, person: &Returned) {
        let mut version = 0;
        for home in &person.returns {
            let fields = fields::return_home(home);
            self.act(EventType::VictimReturned, person.record, person.named, &home.filed, fields, &mut version);
            self.assisted(home);
        }
    }

    /// Assistance is reported when it begins; half of the outcomes are added later, by corrections.
    fn assisted(&mut self, home: &Return) {
        for help in &home.assistance {
            let mut version = 0;
            let fields = fields::assistance(help, home.filed.id);
            let (kind, record, named) = (EventType::ReintegrationAssisted, help.record, help.named);
            if help.outcome_6.is_none() || self.dice.mille(500) {
                self.act(kind, record, named, &help.filed, fields, &mut version);
                continue;
            }
            let known: Fields = fields.iter().filter(|field| !field.name.starts_with("outcome")).cloned().collect();
            let fact = Fact { kind, record, named: Some(named), filed: &help.filed, fields: known, restatable: false };
            let told = self.telling(&fact, fact.fields.clone(), &mut version);
            self.send_soon(&told, "fact, outcome added later");
            for (outcome, after) in [("outcome_6", 180), ("outcome_12", 365)] {
                let added: Fields = fields.iter().filter(|field| field.name == outcome).cloned().collect();
                if !added.is_empty() {
                    let after_ms =
                        (told.recorded_ms + after * DAY_MS).min(self.horizon_ms - DAY_MS).max(told.recorded_ms);
                    let message = self.correction_after(&told, after_ms, added, &mut version);
                    self.send_soon(&message, "outcome added");
                }
            }
        }
    }

    fn arrested(&mut self, person: &Arrested) {
        let restatable = days_differ(person.arrests.iter().map(|arrest| &arrest.filed));
        for arrest in &person.arrests {
            let (kind, fields) = (EventType::AccusedArrested, fields::arrest(arrest));
            self.record_of(kind, arrest.record, Some(person.named), &arrest.filed, fields, restatable);
        }
    }

    fn charged(&mut self, person: &Charged) {
        let restatable = days_differ(person.charges.iter().map(|charge| &charge.filed));
        for charge in &person.charges {
            let (named, fields) = (person.named, fields::charge(charge));
            let kind = EventType::ChargeFiled;
            let mut version = self.record_of(kind, charge.record, Some(named), &charge.filed, fields, restatable);
            match &charge.withdrawn {
                Some(filed) => {
                    let fields = fields::withdrawal(filed);
                    self.act(EventType::ChargeWithdrawn, charge.record, named, filed, fields, &mut version);
                }
                None if self.dice.mille(12) => {
                    let filed = self.made_up(&charge.filed);
                    let fields = fields::withdrawal(&filed);
                    self.phantom_act(EventType::ChargeWithdrawn, charge.record, named, &filed, fields, &mut version);
                }
                None => {}
            }
        }
    }

    fn judged(&mut self, person: &Judged) {
        let restatable = days_differ(person.judgments.iter().map(|judgment| &judgment.filed));
        for judgment in &person.judgments {
            let (named, fields) = (person.named, fields::judgment(judgment));
            let kind = EventType::JudgmentDelivered;
            let mut version = self.record_of(kind, judgment.record, Some(named), &judgment.filed, fields, restatable);
            for appeal in &judgment.appeals {
                let fields = fields::appeal(appeal);
                self.act(EventType::AppealDecided, judgment.record, named, &appeal.filed, fields, &mut version);
            }
            if self.dice.mille(12) {
                let filed = self.made_up(&judgment.filed);
                let fields = fields::appeal(&crate::world::account::Appeal { filed, outcome: "overturned" });
                self.phantom_act(EventType::AppealDecided, judgment.record, named, &filed, fields, &mut version);
            }
        }
    }

    /// An act that never was, on a real record; retracted.
    fn phantom_act(
        &mut self,
        kind: EventType,
        record: Record,
        named: Named,
        filed: &Filed,
        fields: Fields,
        version: &mut u32,
    ) {
        let fact = Fact { kind, record, named: Some(named), filed, fields, restatable: false };
        let message = self.telling(&fact, fact.fields.clone(), version);
        self.retracted(&message, Fields::new(), false, version);
    }

    /// Where and when something that never was is filed: after what it is about.
    fn made_up(&mut self, about: &Filed) -> Filed {
        let recorded_ms = self.later(about.recorded_ms, 24 * HOUR, 3000 * HOUR);
        let serial = self.new_number();
        Filed { when: about.when, recorded_ms, serial, id: EventId::new(self.seed, recorded_ms, serial) }
    }

    /// A number that nothing else has.
    pub(super) fn new_number(&mut self) -> u64 {
        self.invented += 1;
        self.invented
    }

    /// An event id that nothing else has.
    pub(super) fn new_id(&mut self, recorded_ms: i64) -> EventId {
        EventId::new(self.seed, recorded_ms, self.new_number())
    }

    /// An instant after another by a lag, not beyond the feed's end.
    pub(super) fn later(&mut self, ms: i64, low: i64, high: i64) -> i64 {
        (ms + self.dice.lag(low, high)).min(self.horizon_ms).max(ms + 1000)
    }

    /// When what was recorded at `ms` reaches the log: mostly within hours, sometimes weeks or months later.
    pub(super) fn transport(&mut self, ms: i64) -> i64 {
        let lag = match self.dice.below(1000) {
            0..700 => i64::from(self.dice.below(2 * HOUR as u32)),
            700..900 => self.dice.lag(HOUR, 48 * HOUR),
            900..975 => self.dice.lag(2 * DAY_MS, 31 * DAY_MS),
            _ => self.dice.lag(25 * DAY_MS, 250 * DAY_MS),
        };
        (ms + lag).min(self.horizon_ms).max(ms)
    }

    /// Sends a message when it happens to arrive.
    pub(super) fn send_soon(&mut self, message: &Message, note: &'static str) {
        let logged = self.transport(message.recorded_ms);
        self.send(message, logged, note);
    }

    /// Sends a message; few are sent twice, now or long after, as before or written anew.
    pub(super) fn send(&mut self, message: &Message, logged_ms: i64, note: &'static str) {
        let style = message.usual_style();
        self.wait(message.line(self.seed, style, logged_ms, Expected::Accept, note));
        if self.dice.mille(5) {
            let again =
                if self.dice.mille(800) { self.dice.lag(0, 2 * DAY_MS) } else { self.dice.lag(DAY_MS, 120 * DAY_MS) };
            let anew = self.dice.mille(400);
            let style = if anew { Style { loose: true, structured: self.dice.mille(500) } } else { style };
            let note = if anew { "duplicate, written anew" } else { "duplicate" };
            let again_ms = (logged_ms + again).min(self.horizon_ms).max(logged_ms);
            self.wait(message.line(self.seed, style, again_ms, Expected::Duplicate, note));
        }
        if let Some(line) = self.breaker.after(message, self.seed, logged_ms) {
            self.wait(line);
        }
    }

    /// Sends two contents of one id, in either order.
    pub(super) fn send_conflict(&mut self, lesser: &Message, greater: &Message) {
        let style = lesser.usual_style();
        let first_ms = self.transport(lesser.recorded_ms);
        let second_ms = first_ms + self.dice.lag(1000, 5 * DAY_MS);
        let (first, second, note) = if self.dice.mille(600) {
            (greater, lesser, "conflict, the second counts")
        } else {
            (lesser, greater, "conflict, the first counts")
        };
        self.wait(first.line(self.seed, style, first_ms, Expected::Accept, note));
        self.wait(second.line(self.seed, style, second_ms, Expected::Conflict, note));
    }

    fn wait(&mut self, line: Feedline) {
        self.sequence += 1;
        self.waiting.push(Reverse(Waiting { due: (line.log_timestamp_ms, self.sequence), line: Box::new(line) }));
    }
}

/// Whether no two acts of a person fall on the same day, so that which of them is first does not hang on the time of
/// recording, which a restatement changes.
fn days_differ<'a>(acts: impl Iterator<Item = &'a Filed> + Clone) -> bool {
    acts.clone()
        .enumerate()
        .all(|(at, act)| acts.clone().skip(at + 1).all(|other| other.when.from() != act.when.from()))
}
