//! Accounts: what an agency's final word says of each thing that happened.
//!
//! One struct per fact, one per person *as one agency knows her*. The world never links two agencies' persons, although
//! it knows that they are the same natural person: indicators do not either (domain.md 7.1).

use crate::agency::Agency;
use crate::codes::{Code, Codes};
use crate::names::{EventId, Person, Record};
use crate::when::When;

/// When a fact happened and how it was put on file.
#[derive(Clone, Copy, Debug)]
pub struct Filed {
    /// When it happened, as exactly as the agency finally knows it.
    pub when: When,
    /// When the agency recorded it: milliseconds since 1970, UTC.
    pub recorded_ms: i64,
    /// Serial number of the fact, unique in the world.
    pub serial: u64,
    /// Id of the event that reports the fact.
    pub id: EventId,
}

/// A person as one agency knows her.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The agency.
    pub agency: &'static Agency,
    /// The person.
    pub person: Person,
}

/// A case on an agency's register.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its record; the record's agency registered it.
    pub record: Record,
    /// Registration.
    pub filed: Filed,
    /// Sections of law, any Act.
    pub sections: Codes,
    /// Domestic or transnational.
    pub scope: Option<Code>,
    /// Province of registration.
    pub province: Code,
    /// Group of the agency that leads, where it is said.
    pub lead_agency_group: Option<Code>,
}

/// A victim as one agency knows her, with all its records of her.
#[derive(Clone, Debug)]
pub struct Victim {
    /// Who, to whom.
    pub named: Named,
    /// One record per identification, the first first.
    pub records: Vec<Identification>,
}

/// One identification of a victim: a record of its own.
#[derive(Clone, Debug)]
pub struct Identification {
    /// The record.
    pub record: Record,
    /// The identification.
    pub filed: Filed,
    /// Sex.
    pub sex: Code,
    /// Age band at identification.
    pub age_band: Code,
    /// Citizenship.
    pub citizenship: Code,
    /// Status at identification.
    pub status: Code,
    /// Forms of exploitation.
    pub exploitation: Codes,
    /// Means of control.
    pub means: Codes,
    /// Acts.
    pub act: Codes,
    /// Who recruited.
    pub recruiter_relation: Option<Code>,
    /// Sector of the economy.
    pub sector: Option<Code>,
    /// Domestic or transnational.
    pub scope: Option<Code>,
    /// Where recruited.
    pub place_recruited: Option<Code>,
    /// Where exploited.
    pub place_exploited: Option<Code>,
    /// Where identified.
    pub place_identified: Code,
    /// Who told the agency.
    pub referral_source: Code,
    /// The case, if there is one.
    pub case: Option<Record>,
    /// Later determinations of her status on this record.
    pub determinations: Vec<Determination>,
}

/// A body's decision whether a person is a victim.
#[derive(Clone, Copy, Debug)]
pub struct Determination {
    /// The decision.
    pub filed: Filed,
    /// What it says.
    pub status: Code,
    /// Group of the body that decided.
    pub body: Code,
}

/// A person whom an agency referred, with all its referrals of her.
#[derive(Clone, Debug)]
pub struct Referred {
    /// Who, by whom.
    pub named: Named,
    /// Her record with the agency.
    pub record: Record,
    /// The referrals, the first first.
    pub referrals: Vec<Referral>,
}

/// One referral and the services that answered it.
#[derive(Clone, Debug)]
pub struct Referral {
    /// The referral.
    pub filed: Filed,
    /// To a body of this group, or abroad.
    pub to_body: Option<Code>,
    /// To this country.
    pub to_country: Option<Code>,
    /// Service sought.
    pub service: Code,
    /// Services begun by this referral.
    pub services: Vec<Service>,
}

/// A service begun, perhaps ended.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Who, by the provider's name for her.
    pub named: Named,
    /// The provider's record.
    pub record: Record,
    /// The beginning.
    pub filed: Filed,
    /// The service.
    pub service: Code,
    /// Group of the provider, where it is said.
    pub provider: Option<Code>,
    /// The end and its reason.
    pub end: Option<(Filed, Code)>,
}

/// A person whose returns an agency reports.
#[derive(Clone, Debug)]
pub struct Returned {
    /// Who, by whom.
    pub named: Named,
    /// Her record with the agency.
    pub record: Record,
    /// The returns, the first first.
    pub returns: Vec<Return>,
}

/// One return from abroad and the assistance after it.
#[derive(Clone, Debug)]
pub struct Return {
    /// The return.
    pub filed: Filed,
    /// From where.
    pub from_country: Code,
    /// Voluntary, assisted, forced.
    pub kind: Code,
    /// Assistance after it.
    pub assistance: Vec<Assistance>,
}

/// Assistance after a return.
#[derive(Clone, Copy, Debug)]
pub struct Assistance {
    /// Who, by the assisting agency's name for her.
    pub named: Named,
    /// The assisting agency's record.
    pub record: Record,
    /// The assistance.
    pub filed: Filed,
    /// Service given.
    pub kind: Code,
    /// Months of it.
    pub months: Option<i64>,
    /// How she was after 6 months, where the agency says so.
    pub outcome_6: Option<Code>,
    /// How she was after 12 months, where the agency says so.
    pub outcome_12: Option<Code>,
}

/// What is said of an accused person with each act of the justice system.
#[derive(Clone, Copy, Debug)]
pub struct Accused {
    /// Sex.
    pub sex: Code,
    /// Age band.
    pub age_band: Code,
    /// Citizenship.
    pub citizenship: Code,
}

/// A person whom an agency arrested, with all its arrests of that person.
#[derive(Clone, Debug)]
pub struct Arrested {
    /// Who, by whom.
    pub named: Named,
    /// The arrests, the first first.
    pub arrests: Vec<Arrest>,
}

/// One arrest.
#[derive(Clone, Debug)]
pub struct Arrest {
    /// The record.
    pub record: Record,
    /// The arrest.
    pub filed: Filed,
    /// The person.
    pub accused: Accused,
    /// Roles in the crime.
    pub roles: Codes,
    /// Whether an official of the state.
    pub official: Option<Code>,
    /// Province of the arrest.
    pub province: Code,
    /// The case.
    pub case: Option<Record>,
}

/// A person whom a prosecution service charged.
#[derive(Clone, Debug)]
pub struct Charged {
    /// Who, by whom.
    pub named: Named,
    /// The charges, the first first.
    pub charges: Vec<Charge>,
}

/// One charge, perhaps withdrawn.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The record.
    pub record: Record,
    /// The filing.
    pub filed: Filed,
    /// The person.
    pub accused: Accused,
    /// Sections of law.
    pub sections: Codes,
    /// Province of the charge.
    pub province: Code,
    /// The case.
    pub case: Option<Record>,
    /// Its withdrawal.
    pub withdrawn: Option<Filed>,
}

/// A person whom a court judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Who, by whom.
    pub named: Named,
    /// The judgments, the first first.
    pub judgments: Vec<Judgment>,
}

/// One judgment and what became of it.
#[derive(Clone, Debug)]
pub struct Judgment {
    /// The record.
    pub record: Record,
    /// The delivery.
    pub filed: Filed,
    /// The person.
    pub accused: Accused,
    /// Province of the court.
    pub province: Code,
    /// Sections of law.
    pub sections: Codes,
    /// The verdict.
    pub verdict: Code,
    /// The sentence of who is convicted.
    pub sentence: Option<Sentence>,
    /// Level of the court.
    pub court_level: Code,
    /// The case.
    pub case: Option<Record>,
    /// Appeals decided, in order.
    pub appeals: Vec<Appeal>,
}

/// A sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Months of imprisonment.
    pub imprisonment_months: Option<i64>,
    /// Fine in rupees.
    pub fine_pkr: Option<i64>,
    /// Compensation to the victim in rupees.
    pub compensation_pkr: Option<i64>,
}

/// A decision on appeal.
#[derive(Clone, Copy, Debug)]
pub struct Appeal {
    /// The decision.
    pub filed: Filed,
    /// What it says.
    pub outcome: Code,
}

/// An inspection of a workplace.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The record.
    pub record: Record,
    /// The visit.
    pub filed: Filed,
    /// Where.
    pub place: Code,
    /// Sector inspected.
    pub sector: Code,
    /// For child labour, bonded labour, or general.
    pub kind: Code,
    /// What it found.
    pub outcomes: Codes,
    /// Workers present.
    pub workers: Option<i64>,
    /// Children among them.
    pub children: Option<i64>,
    /// Persons released.
    pub released: Option<i64>,
}

/// A contact of a helpline.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The record; its name is the contact id.
    pub record: Record,
    /// The contact.
    pub filed: Filed,
    /// What it was about.
    pub kind: Code,
    /// Where the caller was.
    pub place: Code,
    /// Whether somebody was referred.
    pub referral_made: Code,
}

/// A training or awareness activity.
#[derive(Clone, Debug)]
pub struct Activity {
    /// The record.
    pub record: Record,
    /// The day.
    pub filed: Filed,
    /// What was held.
    pub kind: Code,
    /// For whom.
    pub audience: Code,
    /// Where.
    pub place: Code,
    /// How many took part.
    pub participants: Option<i64>,
}

/// A case that was given to another agency.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// The record of it.
    pub record: Record,
    /// The transfer.
    pub filed: Filed,
    /// The case.
    pub case: Record,
    /// To whom.
    pub to: &'static Agency,
    /// Why.
    pub reason: Code,
}

/// An agency's word that two cases are about one trafficking event.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The record of it.
    pub record: Record,
    /// The word.
    pub filed: Filed,
    /// The agency's own case.
    pub case: Record,
    /// The other's.
    pub other: Record,
}

/// A stage that a case reached.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// The record of it.
    pub record: Record,
    /// When it was reached.
    pub filed: Filed,
    /// The case.
    pub case: Record,
    /// The stage.
    pub stage: Code,
}

/// An accused person who became known, arrested before or after, or never.
#[derive(Clone, Debug)]
pub struct Known {
    /// Who, to whom.
    pub named: Named,
    /// The record.
    pub record: Record,
    /// When.
    pub filed: Filed,
    /// The person.
    pub accused: Accused,
    /// Roles in the crime.
    pub roles: Codes,
    /// Whether an official of the state.
    pub official: Option<Code>,
    /// Province of the investigation.
    pub province: Code,
    /// The case.
    pub case: Option<Record>,
}

impl Known {
    /// What an arrest says of the person, as said when the person became known.
    pub(super) fn of(arrest: &Arrest, named: Named) -> Self {
        Self {
            named,
            record: arrest.record,
            filed: arrest.filed,
            accused: arrest.accused,
            roles: arrest.roles.clone(),
            official: arrest.official,
            province: arrest.province,
            case: arrest.case,
        }
    }
}

/// Compensation that a court ordered apart from the judgment.
#[derive(Clone, Debug)]
pub struct Order {
    /// The victim, by the court's name for her.
    pub named: Named,
    /// The record.
    pub record: Record,
    /// The order.
    pub filed: Filed,
    /// Rupees.
    pub amount: i64,
    /// Province of the court.
    pub province: Code,
    /// Id of the event that told of the judgment.
    pub judgment: EventId,
    /// What was paid.
    pub payments: Vec<Payment>,
}

/// A payment of compensation.
#[derive(Clone, Copy, Debug)]
pub struct Payment {
    /// The record.
    pub record: Record,
    /// The payment.
    pub filed: Filed,
    /// Rupees.
    pub amount: i64,
}

/// What an inspection found and the inspector referred.
#[derive(Clone, Debug)]
pub struct ReferredFindings {
    /// The record.
    pub record: Record,
    /// The referral.
    pub filed: Filed,
    /// Id of the event that told of the inspection.
    pub inspection: EventId,
    /// To a body of this group.
    pub to: Code,
    /// What was referred.
    pub findings: Codes,
    /// What the body did.
    pub action: Option<Action>,
}

/// What a body did about a referral.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// The record.
    pub record: Record,
    /// The day.
    pub filed: Filed,
    /// What was done.
    pub action: Code,
}

/// Workers released, told of by themselves.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// The record.
    pub record: Record,
    /// The day.
    pub filed: Filed,
    /// Where.
    pub place: Code,
    /// Sector.
    pub sector: Code,
    /// How many.
    pub workers: i64,
    /// Id of the event that told of the inspection that found them.
    pub inspection: EventId,
}

/// Things that hang together: a case and all that follows from it, a rescue, an inspection, a return.
///
/// A natural person appears in one story only, so a story holds every record that any agency has of her.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Number in the world, from 0.
    pub number: u64,
    /// Cases registered.
    pub cases: Vec<Case>,
    /// Victims identified.
    pub victims: Vec<Victim>,
    /// Persons referred.
    pub referred: Vec<Referred>,
    /// Services begun without a referral.
    pub services: Vec<Service>,
    /// Persons returned.
    pub returned: Vec<Returned>,
    /// Persons arrested.
    pub arrested: Vec<Arrested>,
    /// Persons charged.
    pub charged: Vec<Charged>,
    /// Persons judged.
    pub judged: Vec<Judged>,
    /// Workplaces inspected.
    pub inspections: Vec<Inspection>,
    /// Cases given to other agencies.
    pub transfers: Vec<Transfer>,
    /// Cases that another agency registered anew, and its word that they are the same.
    pub registered_again: Vec<(Case, Link)>,
    /// Stages that cases reached.
    pub stages: Vec<Stage>,
    /// Accused persons who became known.
    pub known: Vec<Known>,
    /// Compensation ordered apart, and paid.
    pub orders: Vec<Order>,
    /// Findings of inspections referred.
    pub referred_findings: Vec<ReferredFindings>,
    /// Workers released.
    pub releases: Vec<Release>,
    /// Contacts of a helpline: in stories of [`crate::World::outreach`] only.
    pub contacts: Vec<Contact>,
    /// Activities held: in stories of [`crate::World::outreach`] only.
    pub activities: Vec<Activity>,
}
