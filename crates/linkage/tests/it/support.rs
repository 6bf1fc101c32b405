//! Registers of synthetic countries, and small ones by hand.

use std::collections::BTreeMap;

use linkage::quality::Quality;
use linkage::{Born, Decisions, Kind, Linkage, Mention, PersonId, Register, Said, link};
use sample::linkage::{Country, Sighting};

/// A sighting as a mention.
pub fn mention(sighting: Sighting) -> Mention {
    let said = |code: Option<u16>| code.map_or(Said::Nothing, Said::One);
    let mut mention = Mention::new(sighting.id, sighting.agency, (sighting.recorded_ms, sighting.event));
    mention.refs = sighting.seen.tokens.iter().map(|(kind, link)| (Kind::parse(kind.code()).unwrap(), *link)).collect();
    mention.sex = said(sighting.seen.sex);
    mention.born = sighting.seen.born.map_or(Born::UNKNOWN, |(from, to)| Born::between(from, to));
    mention.citizenship = said(sighting.seen.citizenship);
    mention.province = said(sighting.seen.province);
    mention
}

/// Mentions of a country, and who is who.
pub fn country(country: Country) -> (Vec<Mention>, BTreeMap<PersonId, u64>) {
    let mut truth = BTreeMap::new();
    let mentions = country.sightings().map(|sighting| {
        truth.insert(sighting.id, u64::from(sighting.truth));
        mention(sighting)
    });
    (mentions.collect(), truth)
}

/// Links a country and compares it with the truth.
pub fn linked(of: Country) -> (Linkage, Quality) {
    let (mentions, truth) = country(of);
    let linkage = link(&Register::of(mentions).unwrap(), &Decisions::default()).unwrap();
    let quality = Quality::of(&linkage.clusters, |person| truth[person]);
    (linkage, quality)
}

/// What was linked, where no decision contradicts another.
pub fn made(linkage: Result<Linkage, linkage::DecisionError>) -> Linkage {
    linkage.unwrap()
}

/// A person by hand: her id is her number thrice over, so that it is nobody's of a country.
pub fn person(number: u8, agency: u16, refs: &[(Kind, u8)]) -> Mention {
    let mut mention = Mention::new([number; 16], agency, (i64::from(number), [number; 16]));
    mention.refs = refs.iter().map(|(kind, token)| (*kind, [*token; 16])).collect();
    mention
}

/// Links persons by hand among two thousand others, of whom nobody has a token of theirs.
pub fn among_others(persons: &[Mention], decisions: &Decisions) -> Linkage {
    let (mut mentions, _) = country(Country::new(7, 2_000, 200));
    mentions.extend_from_slice(persons);
    link(&Register::of(mentions).unwrap(), decisions).unwrap()
}

/// Whether two are in one cluster.
pub fn are_one(linkage: &Linkage, one: u8, other: u8) -> bool {
    linkage.clusters.iter().any(|members| members.contains(&[one; 16]) && members.contains(&[other; 16]))
}
