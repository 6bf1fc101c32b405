//! Who may come in: keys bound to roles, people with passwords or known to an OpenID provider, and invitations, all as hashes
//! (privacy.md 6.1).
//!
//! A key is 32 random bytes, shown once. The file holds its BLAKE3 hash: enough to recognise it, too little to be it. A password
//! is chosen by a person, so that its hash is a slow one (Argon2id, RFC 9106). An invitation is a key that opens one door once:
//! to choose a password. Whom a provider knows has the hash of what it calls them ([`subject`]), which may be an address of a person.
//!
//! Absent: names of people (a name here is that of an account); any way from a hash to a key; the clock (days are arguments).

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::Deserialize;

use crate::error::PolicyError;
use crate::roles::Role;
use crate::scram::{SCRAM_SALT, ScramVerifier};
use crate::shares::Share;
use crate::time::date_text;

const FILE: &str = "readers.toml";
/// What keys begin with, so that one that got lost is recognised.
pub(crate) const PREFIX: &str = "amanat_";
/// The user that shows nothing; nobody else has its name.
pub const PUBLIC: &str = "public";
/// The purpose of a key that names none.
pub const UNSTATED: &str = "unstated";
/// Days for which an invitation holds.
pub const INVITED_FOR: i32 = 7;
/// The shortest password (NIST SP 800-63B-4 asks for 15 where it stands alone, 8 where it does not; there is a lockout here).
pub const SHORTEST_PASSWORD: usize = 12;
/// The longest password.
pub const LONGEST_PASSWORD: usize = 128;

/// A reader as far as the warehouse knows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Name of the key or account; stands in the audit log.
    pub key_id: String,
    /// What it may do ([`Access`](crate::Access)).
    pub role: Role,
    /// Whose share of the charges pays.
    pub share: Share,
    /// What it was given for: a code, for the audit log (privacy.md 6.12).
    pub purpose: String,
    /// The tables that it is bound to; `None` where its role alone decides.
    pub tables: Option<Arc<[String]>>,
    /// A hash of what it proves its name by: who has the name later, or the same with a new password, is somebody else. `None` of one
    /// that stands in no file.
    pub known_by: Option<blake3::Hash>,
}

impl Asker {
    /// An analyst without a stated purpose, whose role alone decides.
    pub fn analyst(key_id: impl Into<String>, share: Share) -> Self {
        let purpose = UNSTATED.to_owned();
        Self { key_id: key_id.into(), role: Role::Analyst, share, purpose, tables: None, known_by: None }
    }

    /// Whether what this reader is bound to has this table: written out, or as all tables of its schema.
    pub fn is_bound_to(&self, table: &str) -> bool {
        let of_schema = table.split_once('.').map(|(schema, _)| format!("{schema}.*"));
        self.tables
            .as_ref()
            .is_none_or(|tables| tables.iter().any(|known| known == table || Some(known) == of_schema.as_ref()))
    }
}

/// Whoever may come in.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    asker: Asker,
    /// The first day on which it no longer holds.
    expires: Option<String>,
    scram: Option<ScramVerifier>,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Proof {
    Key(blake3::Hash),
    Password(String),
    Invitation(blake3::Hash),
    Subject(blake3::Hash),
}

/// What a person is known by whom an OpenID provider knows: the provider, the claim of its tokens and the value of it, as one hash.
pub fn subject(issuer: &str, claim: &str, value: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("amanat 2026 OpenID subject of a reader");
    for part in [issuer, claim, value] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize()
}

impl Readers {
    /// Reads `readers.toml`: lists `[[reader]]` (a key), `[[user]]`, `[[member]]` (known to a provider) and `[[invitation]]`.
    ///
    /// Fails where a name or a hash stands twice, a hash or a verifier is none, a purpose is no code, or a day is none.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File =
            toml::from_str(text).map_err(|source| PolicyError::Syntax { file: FILE, source: Box::new(source) })?;
        let mut readers = Self::default();
        for line in file.reader {
            let proof = Proof::Key(line.hash("key_blake3", line.key_blake3.as_deref())?);
            readers.add(line, proof)?;
        }
        for line in file.user {
            let hash = line.password.clone().filter(|hash| PasswordHash::new(hash).is_ok());
            let hash = hash.ok_or_else(|| unknown(&line.name, "Argon2 hash as its password, one of", "…"))?;
            readers.add(line, Proof::Password(hash))?;
        }
        for line in file.member {
            let proof = Proof::Subject(line.hash("subject_blake3", line.subject_blake3.as_deref())?);
            readers.add(line, proof)?;
        }
        for line in file.invitation {
            let proof = Proof::Invitation(line.hash("token_blake3", line.token_blake3.as_deref())?);
            readers.add(line, proof)?;
        }
        Ok(readers)
    }

    fn add(&mut self, line: Line, proof: Proof) -> Result<(), PolicyError> {
        let Line { name, role, share, purpose, expires, tables, scram, .. } = line;
        let (role, share) = role.with(share);
        if !is_name(&name) || role == Role::Public {
            return Err(unknown("reader", "name of letters, digits, - . and _, with a role other than public", &name));
        }
        if !is_code(&purpose) {
            return Err(unknown(&name, "purpose of letters, digits and _, such as annual_report", &purpose));
        }
        if let Some(day) = expires.as_ref().filter(|day| !is_day(day)) {
            return Err(unknown(&name, "day such as 2027-11-30", day));
        }
        let no_verifier = || unknown(&name, "SCRAM-SHA-256 verifier", "…");
        let scram = scram.map(|scram| ScramVerifier::parse(&scram).ok_or_else(no_verifier)).transpose()?;
        if self.entries.iter().any(|known| known.asker.key_id == name || known.proof.is_same(&proof)) {
            return Err(PolicyError::Repeated { file: FILE, place: "reader".to_owned(), name });
        }
        let known_by = Some(proof.hash());
        let asker = Asker { key_id: name, role, share, purpose, tables: tables.map(Arc::from), known_by };
        self.entries.push(Entry { asker, expires, scram, proof });
        Ok(())
    }

    /// Whose key this is on a day (since 1970). Hashes are compared in constant time.
    pub fn find(&self, key: &str, today: i32) -> Option<&Asker> {
        let hash = hash_of(key);
        self.holding(today)
            .find(|known| matches!(known.proof, Proof::Key(own) if own == hash))
            .map(|known| &known.asker)
    }

    /// By what the holder of a key, or the user, of that name proves it; none where nobody has that name, it has expired, or the
    /// key has no verifier.
    pub fn verifier(&self, name: &str, today: i32) -> Option<(&Asker, &ScramVerifier)> {
        let known = self.holding(today).find(|known| known.asker.key_id == name)?;
        Some((&known.asker, known.scram.as_ref()?))
    }

    /// Who logs in with this name and password. Slow on purpose (some 50 ms and 19 MiB), and as slow for a name that nobody has.
    pub fn log_in(&self, name: &str, password: &str, today: i32) -> Option<&Asker> {
        let found = self.holding(today).find_map(|known| match &known.proof {
            Proof::Password(hash) if known.asker.key_id == name => Some((&known.asker, hash.as_str())),
            _ => None,
        });
        let (asker, hash) = found.map_or((None, NOBODYS), |(asker, hash)| (Some(asker), hash));
        let is_right = PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        asker.filter(|_| is_right)
    }

    /// Who is invited by this token.
    pub fn invited(&self, token: &str, today: i32) -> Option<&Asker> {
        let hash = hash_of(token);
        let invited = |known: &&Entry| matches!(known.proof, Proof::Invitation(own) if own == hash);
        self.holding(today).find(invited).map(|known| &known.asker)
    }

    /// Whom a provider knows by this [`subject`].
    pub fn member(&self, subject: &blake3::Hash, today: i32) -> Option<&Asker> {
        let is_it = |known: &&Entry| matches!(&known.proof, Proof::Subject(own) if own == subject);
        self.holding(today).find(is_it).map(|known| &known.asker)
    }

    /// The reader of a name, if it still holds: for who has come in before.
    pub fn named(&self, name: &str, today: i32) -> Option<&Asker> {
        let came_in = |known: &&Entry| known.asker.key_id == name && !matches!(known.proof, Proof::Invitation(_));
        self.holding(today).find(came_in).map(|known| &known.asker)
    }

    /// Whether nobody can come in or was invited.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether somebody of a role can come in by a password, or was invited to.
    pub fn has_person(&self, role: Role) -> bool {
        self.entries.iter().any(|known| known.asker.role == role && !matches!(known.proof, Proof::Key(_)))
    }

    /// Everybody, in the order of the file.
    pub fn listed(&self) -> impl Iterator<Item = Listed<'_>> {
        self.entries.iter().map(|known| Listed {
            asker: &known.asker,
            expires: known.expires.as_deref(),
            comes_by: match known.proof {
                Proof::Key(_) => "key",
                Proof::Password(_) => "password",
                Proof::Invitation(_) => "invitation",
                Proof::Subject(_) => "OpenID",
            },
        })
    }

    fn holding(&self, today: i32) -> impl Iterator<Item = &Entry> {
        let today = date_text(today);
        self.entries.iter().filter(move |known| known.expires.as_ref().is_none_or(|expires| today < *expires))
    }
}

/// A reader as an operator sees one.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'r> {
    /// Who.
    pub asker: &'r Asker,
    /// The first day on which it no longer holds.
    pub expires: Option<&'r str>,
    /// `key`, `password`, `invitation` or `OpenID`.
    pub comes_by: &'static str,
}

impl Proof {
    fn hash(&self) -> blake3::Hash {
        match self {
            Self::Password(hash) => blake3::hash(hash.as_bytes()),
            Self::Key(own) | Self::Invitation(own) | Self::Subject(own) => blake3::hash(own.as_bytes()),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(one) | Self::Invitation(one), Self::Key(two) | Self::Invitation(two))
            | (Self::Subject(one), Self::Subject(two)) => one == two,
            _ => false,
        }
    }
}

/// Who is to be let in, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'g> {
    /// Name of the key or account: letters, digits, `-`, `.` and `_`.
    pub name: &'g str,
    /// What it may do.
    pub role: Role,
    /// Whose share pays.
    pub share: Share,
    /// What it is given for: a code.
    pub purpose: &'g str,
    /// The first day on which it no longer holds.
    pub expires: Option<&'g str>,
    /// The tables that it is bound to; empty where its role alone decides.
    pub tables: &'g [String],
}

/// A new key from 32 random bytes and a salt from 16, which the caller takes from the operating system, and the lines by which
/// the file knows it.
pub fn new_reader(grant: Grant<'_>, (random, salt): ([u8; 32], [u8; SCRAM_SALT])) -> (String, String) {
    let key = format!("{PREFIX}{}", blake3::Hash::from_bytes(random).to_hex());
    let (hash, scram) = (hash_of(&key).to_hex(), ScramVerifier::of(&key, salt));
    let line = format!(
        "\n[[reader]]\nid = {:?}\n{}key_blake3 = \"{hash}\"\nscram = \"{scram}\"\n",
        grant.name,
        bounds_of(grant)
    );
    (key, line)
}

/// The token of an invitation from 32 random bytes, and the lines by which the file knows it. It holds for seven days from today
/// (days since 1970), whatever the grant says.
pub fn new_invitation(grant: Grant<'_>, random: [u8; 32], today: i32) -> (String, String) {
    let token = blake3::Hash::from_bytes(random).to_hex().to_string();
    let (hash, until) = (hash_of(&token).to_hex(), date_text(today.saturating_add(INVITED_FOR)));
    let bounds = bounds_of(Grant { expires: Some(&until), ..grant });
    let line = format!("\n[[invitation]]\nname = {:?}\n{bounds}token_blake3 = \"{hash}\"\n", grant.name);
    (token, line)
}

/// The lines by which the file knows somebody whom a provider knows.
pub fn new_member(grant: Grant<'_>, subject: &blake3::Hash) -> String {
    let (name, bounds) = (grant.name, bounds_of(grant));
    format!("\n[[member]]\nname = {name:?}\n{bounds}subject_blake3 = \"{}\"\n", subject.to_hex())
}

/// A file of readers without what it has of a name. The rest of it stays as it is written, with its comments.
pub fn without(text: &str, name: &str) -> String {
    let mut kept = String::new();
    for block in blocks(text) {
        let is_of_name = toml::from_str::<File>(block).is_ok_and(|file| {
            let lines = file.reader.iter().chain(&file.user).chain(&file.member).chain(&file.invitation);
            lines.into_iter().any(|line| line.name == name)
        });
        if !is_of_name {
            kept.push_str(block);
        }
    }
    kept
}

/// What stands before the first `[[…]]`, and each of those with what follows it.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("[[") && at > 0 {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    (1..starts.len()).map(move |n| &text[starts[n - 1]..starts[n]])
}

/// What is wrong with a password, as a sentence.
pub fn objection_to(password: &str) -> Option<&'static str> {
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.len()) {
        return Some("A password has 12 to 128 characters.");
    }
    // Clients of PostgreSQL prepare other texts in ways of their own before they prove them (RFC 4013).
    (!password.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
        .then_some("A password is of Latin letters, digits, spaces and signs as on an English keyboard.")
}

/// The lines by which the file knows a user, from a password without [objection](objection_to) and two salts. Slow on purpose.
/// `None` where the hash cannot be made: memory is short.
pub fn new_user(grant: Grant<'_>, password: &str, salts: [[u8; SCRAM_SALT]; 2]) -> Option<String> {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salts[0]).ok()?;
    let scram = ScramVerifier::of(password, salts[1]);
    let (name, bounds) = (grant.name, bounds_of(grant));
    Some(format!("\n[[user]]\nname = {name:?}\n{bounds}password = \"{hash}\"\nscram = \"{scram}\"\n"))
}

fn bounds_of(Grant { role, share, purpose, expires, tables, .. }: Grant<'_>) -> String {
    let mut lines = format!("role = \"{}\"\nshare = \"{}\"\npurpose = {purpose:?}\n", role.name(), share.name());
    if let Some(day) = expires {
        lines.push_str(&format!("expires = {day:?}\n"));
    }
    if !tables.is_empty() {
        lines.push_str(&format!("tables = {tables:?}\n"));
    }
    lines
}

/// What a name that nobody has is checked against: the hash of random bytes that nobody kept.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$JqYGuVXSFF0OyIsn6NTLBw$2n1rUlc1rFZdDJLsZkQ1sOUIsdPgyfoGnUjZZw1vJk0";

pub(crate) fn hash_of(key: &str) -> blake3::Hash {
    blake3::hash(key.trim().as_bytes())
}

fn unknown(place: &str, what: &'static str, name: &str) -> PolicyError {
    PolicyError::Unknown { file: FILE, place: place.to_owned(), what, name: name.to_owned() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    reader: Vec<Line>,
    #[serde(default)]
    user: Vec<Line>,
    #[serde(default)]
    member: Vec<Line>,
    #[serde(default)]
    invitation: Vec<Line>,
}

/// One of a list. What is unknown is refused: `expire` for `expires` would be a key for ever.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(alias = "id")]
    name: String,
    role: RoleOrShare,
    share: Option<Share>,
    #[serde(default = "unstated")]
    purpose: String,
    expires: Option<String>,
    tables: Option<Vec<String>>,
    scram: Option<String>,
    /// Of a key.
    key_blake3: Option<String>,
    /// Of a user.
    password: Option<String>,
    /// Of an invitation.
    token_blake3: Option<String>,
    /// Of a member.
    subject_blake3: Option<String>,
}

impl Line {
    fn hash(&self, field: &'static str, text: Option<&str>) -> Result<blake3::Hash, PolicyError> {
        let text = text.ok_or_else(|| unknown(&self.name, "BLAKE3 hash, which is missing as", field))?;
        blake3::Hash::from_hex(text).map_err(|_| unknown(&self.name, "BLAKE3 hash of 64 hexadecimal digits", text))
    }
}

/// Files of before roles say a share for the role, and mean an analyst.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a role: analyst, steward, agency, auditor or operator")]
enum RoleOrShare {
    Role(Role),
    Share(Share),
}

impl RoleOrShare {
    /// The role, and whose share pays: where nothing says it, the smallest.
    fn with(self, share: Option<Share>) -> (Role, Share) {
        match self {
            Self::Role(role) => (role, share.unwrap_or(Share::Partners)),
            Self::Share(own) => (Role::Analyst, share.unwrap_or(own)),
        }
    }
}

fn unstated() -> String {
    UNSTATED.to_owned()
}

/// Whether this is a code: no sentence, and no name of a person.
fn is_code(purpose: &str) -> bool {
    let is_code = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    (1..=40).contains(&purpose.len()) && purpose.chars().all(is_code)
}

/// Whether an account or key may have this name.
pub fn is_name(name: &str) -> bool {
    let is_one = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    (1..=60).contains(&name.len()) && name.chars().all(is_one) && !name.eq_ignore_ascii_case(PUBLIC)
}

/// Whether this is a day as days are compared.
pub(crate) fn is_day(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10
        && text.bytes().enumerate().all(form)
        && ("01".."13").contains(&&text[5..7])
        && ("01".."32").contains(&&text[8..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// 2026-11-29.
    const TODAY: i32 = 20_786;

    fn grant(name: &str) -> Grant<'_> {
        let (role, share) = (Role::Analyst, Share::Ministry);
        Grant { name, role, share, purpose: "annual_report", expires: None, tables: &[] }
    }

    #[test]
    fn a_member_is_found_by_what_its_own_provider_calls_it_and_by_nothing_else() {
        let grant = Grant {
            name: "analyst-7",
            role: Role::Analyst,
            share: Share::Ministry,
            purpose: "test",
            expires: Some("2027-01-01"),
            tables: &[],
        };
        let line = new_member(grant, &subject("https://login.example", "sub", "248289761001"));
        assert!(!line.contains("248289761001"), "what the provider calls somebody is not kept");
        let readers = Readers::parse(&line).unwrap();
        let found = |issuer: &str, claim: &str, value: &str, today: i32| {
            readers.member(&subject(issuer, claim, value), today).map(|asker| asker.key_id.clone())
        };
        let day = 20_500;
        assert_eq!(found("https://login.example", "sub", "248289761001", day).as_deref(), Some("analyst-7"));
        assert_eq!(found("https://login.example", "sub", "248289761001", 21_000), None, "its time is over");
        for (issuer, claim, value) in [
            ("https://login.example/", "sub", "248289761001"),
            ("https://login.example", "email", "248289761001"),
            ("https://login.example", "sub2", "48289761001"),
            ("https://login.example", "sub", "248289761001 "),
        ] {
            assert_eq!(found(issuer, claim, value, day), None, "{issuer} {claim} {value}");
        }
        assert!(
            Readers::parse(&format!("{line}{}", line.replace("analyst-7", "analyst-8"))).is_err(),
            "one account each"
        );
        assert_eq!(without(&line, "analyst-7").trim(), "");
        assert_eq!(readers.log_in("analyst-7", "", day), None);
    }

    #[test]
    fn a_key_is_recognised_by_its_hash_and_no_other_is() {
        let (key, line) = new_reader(grant("ministry-01"), ([7; 32], [1; 16]));
        assert!(!line.contains(&key));
        let readers = Readers::parse(&line).unwrap();
        assert_eq!(readers.find(&key, TODAY).unwrap().key_id, "ministry-01");
        let asker = readers.find(&format!("{key}\n"), TODAY).expect("as a file ends");
        assert_eq!(
            (asker.role, asker.share, asker.purpose.as_str()),
            (Role::Analyst, Share::Ministry, "annual_report")
        );
        assert!(readers.find("amanat_", TODAY).is_none());
        assert!(readers.find("", TODAY).is_none());
        assert!(readers.invited(&key, TODAY).is_none(), "a key is no invitation");
    }

    #[test]
    fn a_key_ends_with_its_day_and_is_bound_to_its_tables() {
        assert_eq!(date_text(TODAY), "2026-11-29");
        let tables = ["protected.victims".to_owned(), "published.*".to_owned()];
        let bounded = Grant { expires: Some("2026-11-30"), tables: &tables, ..grant("short") };
        let (key, line) = new_reader(bounded, ([7; 32], [1; 16]));
        let readers = Readers::parse(&line).unwrap();
        assert!(readers.find(&key, TODAY + 1).is_none() && readers.verifier("short", TODAY + 1).is_none());
        let asker = readers.find(&key, TODAY).unwrap();
        assert!(asker.is_bound_to("protected.victims") && asker.is_bound_to("published.v01"));
        assert!(!asker.is_bound_to("protected.accused") && !asker.is_bound_to("publishedx.v01"));
        for odd in ["2026-13-01", "2026-11-3", "tomorrow__", "20261130"] {
            let line = line.replace("2026-11-30", odd);
            assert!(matches!(Readers::parse(&line), Err(PolicyError::Unknown { .. })), "{odd}");
        }
    }

    #[test]
    fn a_file_that_says_a_thing_twice_or_holds_a_key_is_refused() {
        let (key, line) = new_reader(grant("a"), ([7; 32], [1; 16]));
        assert!(matches!(Readers::parse(&format!("{line}{line}")), Err(PolicyError::Repeated { .. })));
        let with_key = format!("[[reader]]\nid = \"a\"\nrole = \"partners\"\nkey_blake3 = \"{key}\"\n");
        assert!(matches!(Readers::parse(&with_key), Err(PolicyError::Unknown { .. })));
        assert!(matches!(Readers::parse("[[reader]]\nid = \"a\"\nrole = \"king\"\n"), Err(PolicyError::Syntax { .. })));
        let with_sentence = line.replace("annual_report", "for a friend");
        assert!(matches!(Readers::parse(&with_sentence), Err(PolicyError::Unknown { .. })));
        let anybody = line.replace("\"analyst\"", "\"public\"");
        assert!(matches!(Readers::parse(&anybody), Err(PolicyError::Unknown { .. })));
        let misspelt = format!("{line}expire = \"2026-11-30\"\n");
        assert!(matches!(Readers::parse(&misspelt), Err(PolicyError::Syntax { .. })), "no key for ever by a slip");
        let named_public = line.replace("\"a\"", "\"Public\"");
        assert!(matches!(Readers::parse(&named_public), Err(PolicyError::Unknown { .. })));
    }

    #[test]
    fn a_key_is_proven_by_its_name_and_verifier() {
        let (key, line) = new_reader(grant("ministry-01"), ([7; 32], [1; 16]));
        let readers = Readers::parse(&line).unwrap();
        let (asker, verifier) = readers.verifier("ministry-01", TODAY).unwrap();
        assert_eq!((asker.share, verifier), (Share::Ministry, &ScramVerifier::of(&key, [1; 16])));
        assert!(readers.verifier("ministry-02", TODAY).is_none());
        let before: Vec<&str> = line.lines().filter(|line| !line.starts_with("scram")).collect();
        let readers = Readers::parse(&before.join("\n")).unwrap();
        assert!(
            readers.find(&key, TODAY).is_some() && readers.verifier("ministry-01", TODAY).is_none(),
            "a key of before"
        );
        let odd = line.replace("SCRAM-SHA-256$65536", "SCRAM-SHA-256$1");
        assert!(matches!(Readers::parse(&odd), Err(PolicyError::Unknown { .. })), "too few iterations");
    }

    #[test]
    fn a_key_of_before_roles_is_an_analysts_and_of_before_purposes_has_none_stated() {
        let (key, line) = new_reader(grant("a"), ([7; 32], [1; 16]));
        let before = line.replace(
            "role = \"analyst\"\nshare = \"ministry\"\npurpose = \"annual_report\"\n",
            "role = \"agencies\"\n",
        );
        assert_ne!(line, before);
        let readers = Readers::parse(&before).unwrap();
        let asker = readers.find(&key, TODAY).unwrap();
        assert_eq!((asker.role, asker.share, asker.purpose.as_str()), (Role::Analyst, Share::Agencies, UNSTATED));
        assert!(Readers::parse("").unwrap().is_empty());
    }

    #[test]
    fn a_user_comes_in_by_the_password_alone() {
        let line = new_user(grant("analyst-7"), "correct horse battery", [[1; 16], [2; 16]]).unwrap();
        assert!(!line.contains("horse"));
        let readers = Readers::parse(&line).unwrap();
        assert_eq!(readers.log_in("analyst-7", "correct horse battery", TODAY).unwrap().role, Role::Analyst);
        assert!(readers.log_in("analyst-7", "correct horse batterz", TODAY).is_none());
        assert!(readers.log_in("analyst-8", "correct horse battery", TODAY).is_none());
        assert!(readers.verifier("analyst-7", TODAY).is_some(), "by SCRAM as well");
        assert!(readers.find("correct horse battery", TODAY).is_none(), "a password is no key");
        assert!(PasswordHash::new(NOBODYS).is_ok(), "who is nobody is checked as slowly as somebody");
        assert!(objection_to("short").is_some() && objection_to("پاس ورڈ جو لمبا ہے").is_some());
        assert!(objection_to("correct horse battery").is_none());
    }

    #[test]
    fn who_is_taken_out_leaves_the_rest_of_the_file_as_it_is() {
        let (_, one) = new_reader(grant("one"), ([7; 32], [1; 16]));
        let (_, two) = new_invitation(grant("two"), [9; 32], TODAY);
        let text = format!("# ours\n{one}# the second\n{two}");
        assert_eq!(without(&text, "three"), text);
        assert_eq!(without(&text, "two"), format!("# ours\n{one}# the second\n\n"));
        let rest = Readers::parse(&without(&text, "one")).unwrap();
        assert_eq!(rest.listed().map(|listed| listed.asker.key_id.as_str()).collect::<Vec<_>>(), ["two"]);
        assert_eq!(without("", "one"), "");
    }

    #[test]
    fn who_is_invited_has_not_come_in_yet() {
        let (token, line) = new_invitation(grant("analyst-7"), [9; 32], TODAY);
        let readers = Readers::parse(&line).unwrap();
        assert_eq!(readers.invited(&token, TODAY).unwrap().key_id, "analyst-7");
        assert!(readers.invited(&token, TODAY + 7).is_none());
        assert!(readers.find(&token, TODAY).is_none() && readers.named("analyst-7", TODAY).is_none());
        assert!(readers.log_in("analyst-7", &token, TODAY).is_none());
        assert!(readers.has_person(Role::Analyst) && !readers.has_person(Role::Operator));
    }
}
