//! Each indicator on a handful of people of whom everything is known: what must be counted stands beside them, reckoned by hand.
//!
//! The people meet the traps of domain.md 5: two agencies know one person, a determination comes late, a charge is withdrawn, a
//! judgment overturned, an age or a quarter unknown, one release is told twice. What is compared is what an edition would count
//! before anything is protected.

use std::collections::BTreeMap;

use events::EventType;
use models::Snapshot;
use models::edition::{DIMENSIONS, unprotected};

use crate::road::{Road, Told, id, subject};
use crate::support::{keys, policy, vault};

mod justice;
mod labour;
mod support;
mod victims;

/// The day that the counts speak of, after all that is told.
const AS_OF: &str = "2025-03-09";

/// What agencies tell, in order.
#[derive(Default)]
struct Tale {
    told: Vec<Told>,
}

impl Tale {
    /// An event with a record of its own; gives its number, which is that of its record too.
    fn tell(&mut self, agency: &'static str, kind: &'static str, data: &str) -> u64 {
        let number = self.told.len() as u64 + 1;
        self.of_record(agency, number, kind, data)
    }

    /// An event of a record that another event began; gives its number.
    fn of_record(&mut self, agency: &'static str, record: u64, kind: &'static str, data: &str) -> u64 {
        let number = self.told.len() as u64 + 1;
        let version = EventType::from_name(&format!("pk.tip.{kind}")).unwrap().newest();
        let data = format!(r#"{{"record_version":{number},{data}}}"#);
        self.told.push(Told { agency, number, kind, version, record, hour: 9, data });
        number
    }

    /// Linkage says that whom one agency calls by a letter is whom another does; the latter's id stays.
    fn one(&mut self, (agency, person): (&str, char), (other, into): (&str, char)) {
        let (of, into) = (surrogate(agency, person), surrogate(other, into));
        let data = format!(r#""person_id":"{of}","into":"{into}","evidence":"model","confidence":990"#);
        self.tell("LINK", "persons.merged", &data);
    }

    /// Linkage finds that plausible, and no more.
    fn perhaps_one(&mut self, (agency, person): (&str, char), (other, into): (&str, char)) {
        let (of, into) = (surrogate(agency, person), surrogate(other, into));
        self.tell("LINK", "persons.doubted", &format!(r#""person_id":"{of}","into":"{into}""#));
    }

    /// The marts of all that was told, every test of every `.yml` run.
    async fn marts(&self) -> Snapshot {
        Road::new().tell(&self.told).await.0
    }

    /// What the indicators count.
    async fn counted(&self) -> Counted {
        Counted::of(&self.marts().await)
    }
}

/// The counts of all tables of all indicators before protection.
struct Counted(BTreeMap<[String; 3], Vec<([String; DIMENSIONS.len()], u64)>>);

impl Counted {
    fn of(snapshot: &Snapshot) -> Self {
        let policy = policy();
        let counts = unprotected(&snapshot.source(&policy), &vault(&policy), AS_OF.parse().unwrap()).unwrap();
        let mut cells: BTreeMap<[String; 3], Vec<_>> = BTreeMap::new();
        for (key, count) in counts {
            cells.entry([key.indicator, key.measure, key.time_period]).or_default().push((key.dimensions, count));
        }
        Self(cells)
    }

    /// A cell: the indicator, the measure, the period, and codes of dimensions; the others at their total.
    fn at(&self, indicator: &str, measure: &str, period: &str, codes: &[(&str, &str)]) -> u64 {
        let cells = self.0.get(&[indicator, measure, period].map(str::to_owned));
        let cells = cells.unwrap_or_else(|| panic!("{indicator} counts no {measure} in {period}"));
        let is_at = |dimensions: &[String; DIMENSIONS.len()]| {
            DIMENSIONS.iter().zip(dimensions).all(|(name, code)| {
                let wanted = codes.iter().find(|(dimension, _)| dimension == name).map(|(_, code)| *code);
                wanted.map_or(code == "_T" || code == "_Z", |wanted| code == wanted)
            })
        };
        let found: Vec<u64> =
            cells.iter().filter(|(dimensions, _)| is_at(dimensions)).map(|(_, count)| *count).collect();
        assert!(!found.is_empty(), "{indicator}: {measure} in {period} has no cell at {codes:?}");
        assert!(found.iter().all(|count| *count == found[0]), "{indicator}: {measure} at {codes:?} is {found:?}");
        found[0]
    }

    /// The total of a year.
    fn year(&self, indicator: &str, measure: &str, year: &str) -> u64 {
        self.at(indicator, measure, year, &[])
    }
}

/// `"person":[…]`: the person whom an agency calls by this letter or digit.
fn who(person: char) -> String {
    format!(r#""person":[{{"kind":"document","token":"{}"}}]"#, token(person))
}

fn token(person: char) -> String {
    format!("bcdfghjkmnpqrst{person}")
}

fn surrogate(agency: &str, person: char) -> String {
    format!("{:032x}", u128::from_be_bytes(policy::person_surrogate(&keys(), agency, &token(person))))
}

/// The id of the event of this number.
fn event(number: u64) -> String {
    id(number).to_string()
}

/// The id of a case, or of a contact, by the number of the event that told of it first.
fn record(agency: &str, number: u64) -> String {
    subject(agency, number)
}
