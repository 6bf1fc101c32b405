//! The fields that an event's data carries, as values that can be written, compared and replaced one by one.
use crate::agency::Agency;
use crate::codes::{Code, Codes};
use crate::names::{EventId, Record};
use crate::when::When;
use crate::world::account::{
    Accused, Action, Activity, Appeal, Arrest, Assistance, Case, Charge, Contact, Determination, Filed, Identification,
    Inspection, Judgment, Known, Link, Order, Payment, Referral, ReferredFindings, Release, Return, Sentence, Service,
    Stage, Transfer,
};

/// The value of a field.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Code(Code),
    Codes(Codes),
    Number(i64),
    When(When),
    Event(EventId),
    Record(Record),
    Agency(&'static Agency),
    Sentence(Sentence),
}

/// A field of an event's data.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

/// The fields of an event's data, `occurred_on` first.
pub(super) type Fields = Vec<Field>;

/// Collects fields.
struct Collect(Fields);

impl Collect {
    fn of(filed: &Filed) -> Self {
        Self(Fields::with_capacity(16)).with("occurred_on", Value::When(filed.when))
    }

    fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.push(Field { name, value });
        self
    }

    fn code(self, name: &'static str, code: Code) -> Self {
        self.with(name, Value::Code(code))
    }

    fn codes(self, name: &'static str, codes: &Codes) -> Self {
        self.with(name, Value::Codes(codes.clone()))
    }

    fn maybe(self, name: &'static str, code: Option<Code>) -> Self {
        if let Some(code) = code { self.code(name, code) } else { self }
    }

    fn number(self, name: &'static str, number: Option<i64>) -> Self {
        if let Some(number) = number { self.with(name, Value::Number(number)) } else { self }
    }

    fn case(self, case: Option<Record>) -> Self {
        if let Some(case) = case { self.with("case_id", Value::Record(case)) } else { self }
    }

    fn accused(self, accused: &Accused) -> Self {
        self.code("sex", accused.sex).code("age_band", accused.age_band).code("citizenship", accused.citizenship)
    }
}

pub(super) fn case(case: &Case) -> Fields {
    Collect::of(&case.filed)
        .codes("sections", &case.sections)
        .maybe("scope", case.scope)
        .code("province", case.province)
        .maybe("lead_agency_group", case.lead_agency_group)
        .0
}

pub(super) fn identification(said: &Identification) -> Fields {
    Collect::of(&said.filed)
        .code("sex", said.sex)
        .code("age_band", said.age_band)
        .code("citizenship", said.citizenship)
        .code("status", said.status)
        .codes("exploitation", &said.exploitation)
        .codes("means", &said.means)
        .codes("act", &said.act)
        .maybe("recruiter_relation", said.recruiter_relation)
        .maybe("sector", said.sector)
        .maybe("scope", said.scope)
        .maybe("place_recruited", said.place_recruited)
        .maybe("place_exploited", said.place_exploited)
        .code("place_identified", said.place_identified)
        .code("referral_source", said.referral_source)
        .case(said.case)
        .0
}

pub(super) fn determination(decided: &Determination) -> Fields {
    Collect::of(&decided.filed).code("status", decided.status).code("body", decided.body).0
}

pub(super) fn referral(referral: &Referral) -> Fields {
    Collect::of(&referral.filed)
        .maybe("to_body", referral.to_body)
        .maybe("to_country", referral.to_country)
        .code("service", referral.service)
        .0
}

pub(super) fn service(service: &Service, referral: Option<EventId>) -> Fields {
    let fields = Collect::of(&service.filed);
    let fields = if let Some(id) = referral { fields.with("referral_id", Value::Event(id)) } else { fields };
    fields.code("service", service.service).maybe("provider", service.provider).0
}

pub(super) fn service_end(end: &Filed, reason: Code, service: &Service, referral: Option<EventId>) -> Fields {
    let fields = Collect::of(end);
    let fields = if let Some(id) = referral { fields.with("referral_id", Value::Event(id)) } else { fields };
    fields.code("service", service.service).code("exit_reason", reason).0
}

pub(super) fn return_home(home: &Return) -> Fields {
    Collect::of(&home.filed).code("from_country", home.from_country).code("kind", home.kind).0
}

pub(super) fn assistance(help: &Assistance, home: EventId) -> Fields {
    Collect::of(&help.filed)
        .with("return_id", Value::Event(home))
        .code("kind", help.kind)
        .number("months", help.months)
        .maybe("outcome_6", help.outcome_6)
        .maybe("outcome_12", help.outcome_12)
        .0
}

pub(super) fn arrest(arrest: &Arrest) -> Fields {
    Collect::of(&arrest.filed)
        .accused(&arrest.accused)
        .codes("role", &arrest.roles)
        .maybe("official", arrest.official)
        .code("province", arrest.province)
        .case(arrest.case)
        .0
}

pub(super) fn known(known: &Known) -> Fields {
    Collect::of(&known.filed)
        .accused(&known.accused)
        .codes("role", &known.roles)
        .maybe("official", known.official)
        .code("province", known.province)
        .case(known.case)
        .0
}

pub(super) fn transfer(passed: &Transfer) -> Fields {
    Collect::of(&passed.filed)
        .with("case_id", Value::Record(passed.case))
        .with("to_agency", Value::Agency(passed.to))
        .code("reason", passed.reason)
        .0
}

pub(super) fn link(link: &Link) -> Fields {
    let fields = Collect::of(&link.filed).with("case_id", Value::Record(link.case));
    fields.with("other_case_id", Value::Record(link.other)).0
}

pub(super) fn stage(reached: &Stage) -> Fields {
    Collect::of(&reached.filed).with("case_id", Value::Record(reached.case)).code("stage", reached.stage).0
}

pub(super) fn order(order: &Order) -> Fields {
    Collect::of(&order.filed)
        .with("amount_pkr", Value::Number(order.amount))
        .code("province", order.province)
        .with("judgment_id", Value::Event(order.judgment))
        .0
}

pub(super) fn payment(payment: &Payment, order: &Order) -> Fields {
    Collect::of(&payment.filed)
        .with("amount_pkr", Value::Number(payment.amount))
        .code("province", order.province)
        .with("order_id", Value::Event(order.filed.id))
        .0
}

pub(super) fn referred_findings(referred: &ReferredFindings) -> Fields {
    Collect::of(&referred.filed)
        .with("inspection_id", Value::Event(referred.inspection))
        .code("to_body", referred.to)
        .codes("findings", &referred.findings)
        .0
}

pub(super) fn action(action: &Action, referral: EventId) -> Fields {
    Collect::of(&action.filed).with("referral_id", Value::Event(referral)).code("action", action.action).0
}

pub(super) fn release(release: &Release) -> Fields {
    Collect::of(&release.filed)
        .code("place", release.place)
        .code("sector", release.sector)
        .with("workers", Value::Number(release.workers))
        .with("inspection_id", Value::Event(release.inspection))
        .0
}

pub(super) fn charge(charge: &Charge) -> Fields {
    Collect::of(&charge.filed)
        .accused(&charge.accused)
        .codes("sections", &charge.sections)
        .code("province", charge.province)
        .case(charge.case)
        .0
}

pub(super) fn withdrawal(filed: &Filed) -> Fields {
    Collect::of(filed).0
}

pub(super) fn judgment(judgment: &Judgment) -> Fields {
    let fields = Collect::of(&judgment.filed)
        .accused(&judgment.accused)
        .code("province", judgment.province)
        .codes("sections", &judgment.sections)
        .code("verdict", judgment.verdict);
    let fields = match judgment.sentence {
        Some(sentence) => fields.with("sentence", Value::Sentence(sentence)),
        None => fields,
    };
    fields.code("court_level", judgment.court_level).case(judgment.case).0
}

pub(super) fn appeal(appeal: &Appeal) -> Fields {
    Collect::of(&appeal.filed).code("outcome", appeal.outcome).0
}

pub(super) fn inspection(inspection: &Inspection) -> Fields {
    Collect::of(&inspection.filed)
        .code("place", inspection.place)
        .code("sector", inspection.sector)
        .code("kind", inspection.kind)
        .codes("outcome", &inspection.outcomes)
        .number("workers", inspection.workers)
        .number("children", inspection.children)
        .number("released", inspection.released)
        .0
}

pub(super) fn contact(contact: &Contact) -> Fields {
    Collect::of(&contact.filed)
        .code("kind", contact.kind)
        .code("place", contact.place)
        .code("referral_made", contact.referral_made)
        .0
}

pub(super) fn activity(activity: &Activity) -> Fields {
    Collect::of(&activity.filed)
        .code("kind", activity.kind)
        .code("audience", activity.audience)
        .code("place", activity.place)
        .number("participants", activity.participants)
        .0
}
