//! Who comes in: the one place at which all doors ask who somebody is.
//!
//! Guarantees: a wrong password is answered as slowly and in the same words as a name that nobody has; who guesses is locked out;
//! nobody comes in without its being recorded; whoever is taken out of the readers is out at once, with every session; a session
//! is known by its hash alone. Not guaranteed: that sessions outlive the process, or are known to another one.
//!
//! Absent: what somebody may do ([`policy::Access`]), the clock and the file of readers, which come as arguments.

mod lockout;
mod sessions;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use policy::{Asker, Grant, Readers, Role, ScramVerifier};
use tokio::sync::{Mutex, Semaphore};

use lockout::Lockout;
use sessions::Sessions;
pub(crate) use sessions::{LONGEST as LONGEST_SESSION, Session};

/// Passwords that are checked at once: each takes 19 MiB and 50 ms of a core.
const CHECKED_AT_ONCE: usize = 2;
/// Passwords that may wait to be checked.
const WAITING: usize = 32;

/// What was decided about somebody who wanted in, for the log of what was asked (privacy.md 6.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What it is.
    pub what: Decided,
    /// The key or account; [`NOBODY`] where there is none of that name, so that a password written in the wrong place is not kept.
    pub name: String,
    /// Its role, or `public`.
    pub role: &'static str,
    /// The door: `http`, `postgres` or `flight`.
    pub door: &'static str,
}

/// Who has no name here.
pub const NOBODY: &str = "nobody";

/// The kinds of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Came in by a password.
    CameIn,
    /// A password or key was not proven.
    NotProven,
    /// Locked out after too many of those.
    LockedOut,
    /// Ended a session.
    Left,
    /// Was invited.
    Invited,
    /// A key was made.
    KeyMade,
    /// Took an invitation.
    Accepted,
    /// Was taken out of the readers.
    Removed,
    /// Wanted to use an address that its role may not use.
    NotAllowed,
    /// Saved a question.
    QuestionSaved,
    /// Took a saved question away.
    QuestionRemoved,
    /// Said whether two persons are one.
    LinkDecided,
    /// Said which content of an event counts.
    ConflictDecided,
}

impl Decided {
    /// As it is written in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::CameIn => "came_in",
            Self::NotProven => "not_proven",
            Self::LockedOut => "locked_out",
            Self::Left => "left",
            Self::Invited => "invited",
            Self::KeyMade => "key_made",
            Self::Accepted => "accepted",
            Self::Removed => "removed",
            Self::NotAllowed => "not_allowed",
            Self::QuestionSaved => "question_saved",
            Self::QuestionRemoved => "question_removed",
            Self::LinkDecided => "link_decided",
            Self::ConflictDecided => "conflict_decided",
        }
    }
}

/// Keeps decisions.
pub trait Record: Send + Sync {
    /// Keeps one, durably, before it has an effect. False where it could not be kept: then it has none.
    fn record(&self, decision: &Decision) -> bool;
}

/// Keeps the readers.
pub trait Register: Send + Sync {
    /// Puts lines into the file in the place of those of that name, or takes those out where there are no lines; durably, whole or
    /// not at all. Returns the readers as they are then; one sentence of why not where that failed.
    fn put(&self, name: &str, lines: Option<&str>) -> Result<Readers, String>;
}

/// What a gate is made of.
pub struct GateSettings {
    /// Who may come in.
    pub readers: Readers,
    /// Now.
    pub clock: fn() -> SystemTime,
    /// Random bytes from the operating system.
    pub random: fn() -> [u8; 32],
    /// Where decisions are kept.
    pub record: Arc<dyn Record>,
    /// Where the readers are kept; without it nobody is let in or taken out here.
    pub register: Option<Arc<dyn Register>>,
}

/// The gate.
pub struct Gate {
    readers: RwLock<Arc<Readers>>,
    settings: GateSettings,
    lockout: Lockout,
    sessions: Sessions,
    checking: Semaphore,
    waiting: Semaphore,
    /// Held by who changes the readers.
    changing: Mutex<()>,
}

/// Why somebody does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    /// The password is not that of the name.
    NotProven,
    /// Too many wrong ones: not before so long.
    LockedOut(Duration),
    /// Too many passwords are being checked.
    Busy,
    /// It could not be recorded.
    Unrecorded,
}

/// Why nobody was let in or taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unchanged {
    /// Nobody is let in here.
    Closed,
    /// What is asked for cannot be: a sentence.
    Objection(String),
    /// It could not be kept.
    Failed(String),
}

impl Default for Gate {
    /// Nobody but the public comes in, and nothing is kept.
    fn default() -> Self {
        struct Nowhere;
        impl Record for Nowhere {
            fn record(&self, _: &Decision) -> bool {
                true
            }
        }
        Self::new(GateSettings {
            readers: Readers::default(),
            clock: SystemTime::now,
            random: || [0; 32],
            record: Arc::new(Nowhere),
            register: None,
        })
    }
}

impl Gate {
    /// A gate.
    pub fn new(settings: GateSettings) -> Self {
        Self {
            readers: RwLock::new(Arc::new(settings.readers.clone())),
            lockout: Lockout::default(),
            sessions: Sessions::default(),
            checking: Semaphore::new(CHECKED_AT_ONCE),
            waiting: Semaphore::new(WAITING),
            changing: Mutex::default(),
            settings,
        }
    }

    /// A gate of these readers that keeps no decisions, for tests and for questions of one's own.
    pub fn of(readers: Readers) -> Self {
        let gate = Self::default();
        gate.replace(readers);
        gate
    }

    /// From now on these may come in: the file has changed. Sessions of those who are not among them end, and do not come back with
    /// their name.
    pub fn replace(&self, readers: Readers) {
        let (readers, today) = (Arc::new(readers), self.today());
        *self.readers.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&readers);
        let is_there = |session: &Session| {
            readers.named(&session.name, today).is_some_and(|asker| asker.known_by == session.known_by)
        };
        self.sessions.keep(is_there);
    }

    /// Reads the file again, if nobody is changing it: what was read before a change would take it back. False where somebody is.
    pub fn read_again(&self, read: impl FnOnce() -> Option<Readers>) -> bool {
        let Ok(_one) = self.changing.try_lock() else { return false };
        if let Some(readers) = read() {
            self.replace(readers);
        }
        true
    }

    /// Those who may come in.
    pub(crate) fn readers(&self) -> Arc<Readers> {
        Arc::clone(&self.readers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The day, since 1970.
    pub(crate) fn today(&self) -> i32 {
        policy::time::day_of((self.settings.clock)())
    }

    /// Random bytes.
    pub(crate) fn random(&self) -> [u8; 32] {
        (self.settings.random)()
    }

    /// Whose key this is. A wrong one is recorded, as often as anybody reads such lines.
    pub(crate) fn by_key(&self, key: &str, door: &'static str) -> Option<Asker> {
        let found = self.readers().find(key, self.today()).cloned();
        if found.is_none() {
            self.not_proven(None, door);
        }
        found
    }

    /// Who proves this name by this key or password.
    pub(crate) async fn by_password(
        &self,
        name: &str,
        password: &str,
        (door, peer): (&'static str, Option<IpAddr>),
    ) -> Result<Asker, Stays> {
        let readers = self.readers();
        // A key is checked at once; that of another name is a wrong password.
        if let Some(asker) = readers.find(password, self.today()) {
            return if asker.key_id == name { Ok(asker.clone()) } else { Err(Stays::NotProven) };
        }
        self.may_try(name, peer, door)?;
        let _place = self.waiting.try_acquire().map_err(|_| Stays::Busy)?;
        let _turn = self.checking.acquire().await.map_err(|_| Stays::Busy)?;
        let (given, today) = ((name.to_owned(), password.to_owned()), self.today());
        let checked = tokio::task::spawn_blocking(move || readers.log_in(&given.0, &given.1, today).cloned()).await;
        match checked.map_err(|_| Stays::Unrecorded)? {
            Some(asker) => {
                self.lockout.forget(name, peer);
                self.record(Decided::CameIn, Some(&asker), door).then_some(asker).ok_or(Stays::Unrecorded)
            }
            None => Err(self.failed(name, peer, door)),
        }
    }

    /// Who a provider says somebody is, for an account that is known by it. Recorded like every coming in.
    pub(crate) fn by_subject(&self, subject: &blake3::Hash, door: &'static str) -> Result<Asker, Stays> {
        let Some(asker) = self.readers().member(subject, self.today()).cloned() else {
            self.not_proven(None, door);
            return Err(Stays::NotProven);
        };
        self.record(Decided::CameIn, Some(&asker), door).then_some(asker).ok_or(Stays::Unrecorded)
    }

    /// Now, by the clock of this gate.
    pub(crate) fn now_at(&self) -> SystemTime {
        (self.settings.clock)()
    }

    /// Somebody who came in before, as they are in the readers now. Who was taken out meanwhile is bound to no table, and so is who
    /// had a name that somebody else has now.
    pub(crate) fn now(&self, asker: &Asker) -> Asker {
        let found = self.readers().named(&asker.key_id, self.today()).cloned();
        let found = found.filter(|found| found.known_by == asker.known_by);
        found.unwrap_or_else(|| Asker { tables: Some(Arc::from([])), ..asker.clone() })
    }

    /// By what a name is proven without a password being sent; none where nobody has it. Who is locked out is shown the same as ever,
    /// and not let in by it: another salt would tell that there is such a name.
    pub(crate) fn verifier(&self, name: &str) -> Option<(Asker, ScramVerifier)> {
        let readers = self.readers();
        readers.verifier(name, self.today()).map(|(asker, verifier)| (asker.clone(), verifier.clone()))
    }

    /// Somebody has proven its name.
    pub(crate) fn proven(&self, asker: &Asker, (door, peer): (&'static str, Option<IpAddr>)) -> Result<(), Stays> {
        self.may_try(&asker.key_id, peer, door)?;
        self.lockout.forget(&asker.key_id, peer);
        self.record(Decided::CameIn, Some(asker), door).then_some(()).ok_or(Stays::Unrecorded)
    }

    /// Somebody has not proven this name. While it may not be tried from there, it is not a further try: who goes on guessing keeps
    /// nobody out who comes from elsewhere.
    pub(crate) fn failed(&self, name: &str, peer: Option<IpAddr>, door: &'static str) -> Stays {
        if let Err(stays) = self.may_try(name, peer, door) {
            return stays;
        }
        let now = (self.settings.clock)();
        let readers = self.readers();
        let known = readers.named(name, self.today());
        self.not_proven(known, door);
        match self.lockout.count(name, peer, now) {
            Some(wait) => {
                self.record(Decided::LockedOut, known, door);
                Stays::LockedOut(wait)
            }
            None => Stays::NotProven,
        }
    }

    fn may_try(&self, name: &str, peer: Option<IpAddr>, door: &'static str) -> Result<(), Stays> {
        self.lockout.check(name, peer, (self.settings.clock)()).map_err(|wait| {
            metrics::counter!("amanat_gate_total", "decided" => Decided::LockedOut.name(), "door" => door).increment(1);
            Stays::LockedOut(wait)
        })
    }

    fn not_proven(&self, known: Option<&Asker>, door: &'static str) {
        if self.lockout.is_read((self.settings.clock)()) {
            self.record(Decided::NotProven, known, door);
        } else {
            metrics::counter!("amanat_gate_total", "decided" => Decided::NotProven.name(), "door" => door).increment(1);
        }
    }

    /// Somebody wanted to use an address that their role may not use. Kept as often as anybody reads such lines.
    pub(crate) fn reached_too_far(&self, asker: &Asker, door: &'static str) {
        if self.lockout.is_read((self.settings.clock)()) {
            self.record(Decided::NotAllowed, Some(asker), door);
        }
    }

    /// Records a decision; true where it is kept.
    pub(crate) fn record(&self, what: Decided, asker: Option<&Asker>, door: &'static str) -> bool {
        let about = asker.map_or((NOBODY, policy::PUBLIC), |asker| (asker.key_id.as_str(), asker.role.name()));
        self.keep(what, about, door)
    }

    fn keep(&self, what: Decided, (name, role): (&str, &'static str), door: &'static str) -> bool {
        metrics::counter!("amanat_gate_total", "decided" => what.name(), "door" => door).increment(1);
        self.settings.record.record(&Decision { what, name: name.to_owned(), role, door })
    }

    /// A session for somebody who came in: its token, to be kept by the client alone, and what it is.
    pub(crate) fn open(&self, asker: &Asker) -> (String, Session) {
        let whose = (asker.key_id.as_str(), asker.known_by);
        self.sessions.open(whose, [self.random(), self.random()], (self.settings.clock)())
    }

    /// Whose session a token is of. Who was taken out of the readers has none any more, also when the name is given again.
    pub(crate) fn session(&self, token: &str) -> Option<(Asker, Session)> {
        let session = self.sessions.find(token, (self.settings.clock)())?;
        let asker = self.readers().named(&session.name, self.today()).cloned()?;
        (asker.known_by == session.known_by).then_some((asker, session))
    }

    /// Ends a session.
    pub(crate) fn leave(&self, token: &str, asker: &Asker) {
        self.sessions.end(token);
        self.record(Decided::Left, Some(asker), "http");
    }

    /// Invites somebody, and returns the token of the invitation.
    pub(crate) async fn invite(&self, grant: Grant<'_>) -> Result<String, Unchanged> {
        let _one = self.changing.lock().await;
        if self.readers().named(grant.name, self.today()).is_some() {
            let sentence = format!("There is a reader of the name {} already.", grant.name);
            return Err(Unchanged::Objection(sentence));
        }
        let (token, lines) = policy::new_invitation(grant, self.random(), self.today());
        // What the file could not be read with is the asker's to mend: a purpose that is no code, say.
        Readers::parse(&lines).map_err(|error| Unchanged::Objection(format!("{error}.")))?;
        self.kept((grant.name, grant.role), Decided::Invited, Some(lines)).await?;
        Ok(token)
    }

    /// Takes an invitation: its holder chooses a password and is a reader from now on. Of two who have its token one takes it.
    pub(crate) async fn accept(&self, token: &str, password: &str) -> Result<Asker, Unchanged> {
        let no_such = || {
            let sentence = "This invitation is not known: it may have been used, or its time is over.";
            Unchanged::Objection(sentence.to_owned())
        };
        // A guess is turned away before it costs anything.
        let invited = || self.readers().invited(token, self.today()).cloned().ok_or_else(no_such);
        invited()?;
        if let Some(objection) = policy::objection_to(password) {
            return Err(Unchanged::Objection(objection.to_owned()));
        }
        let _one = self.changing.lock().await;
        let invited = invited()?;
        let busy = || Unchanged::Failed("Too many passwords are being checked; try again in a while.".to_owned());
        let _turn = self.checking.acquire().await.map_err(|_| busy())?;
        let salts = [self.random(), self.random()].map(|random| random[..16].try_into().unwrap_or_default());
        let (owned, chosen) = (invited.clone(), password.to_owned());
        let lines = tokio::task::spawn_blocking(move || policy::new_user(granted(&owned), &chosen, salts));
        let lines = lines.await.ok().flatten().ok_or_else(busy)?;
        self.kept((&invited.key_id, invited.role), Decided::Accepted, Some(lines)).await?;
        self.readers().named(&invited.key_id, self.today()).cloned().ok_or_else(no_such)
    }

    /// Takes somebody out of the readers.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Unchanged> {
        let _one = self.changing.lock().await;
        let role = self.readers().listed().find(|listed| listed.asker.key_id == name).map(|listed| listed.asker.role);
        let role = role.ok_or_else(|| Unchanged::Objection("There is no reader of that name.".to_owned()))?;
        self.kept((name, role), Decided::Removed, None).await
    }

    /// Records a change and makes it, on a thread that may wait for the disk.
    async fn kept(&self, (name, role): (&str, Role), what: Decided, lines: Option<String>) -> Result<(), Unchanged> {
        let register = self.settings.register.clone().ok_or(Unchanged::Closed)?;
        if !self.keep(what, (name, role.name()), "http") {
            return Err(Unchanged::Failed("It could not be recorded.".to_owned()));
        }
        let name = name.to_owned();
        let put = tokio::task::spawn_blocking(move || register.put(&name, lines.as_deref()));
        let readers = put.await.unwrap_or_else(|_| Err("The change broke off.".to_owned()));
        self.replace(readers.map_err(Unchanged::Failed)?);
        Ok(())
    }
}

fn granted(asker: &Asker) -> Grant<'_> {
    let tables = asker.tables.as_deref().unwrap_or_default();
    let (name, purpose) = (asker.key_id.as_str(), asker.purpose.as_str());
    Grant { name, role: asker.role, share: asker.share, purpose, expires: None, tables }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use policy::{Share, new_user};

    use super::*;

    /// Keeps decisions in memory, and the readers' lines by name.
    #[derive(Default)]
    struct Kept {
        said: Mutex<Vec<(Decided, String)>>,
        lines: Mutex<std::collections::BTreeMap<String, String>>,
        is_full: bool,
    }

    impl Record for Kept {
        fn record(&self, decision: &Decision) -> bool {
            self.said.lock().unwrap().push((decision.what, decision.name.clone()));
            !self.is_full
        }
    }

    impl Register for Kept {
        fn put(&self, name: &str, lines: Option<&str>) -> Result<Readers, String> {
            let mut all = self.lines.lock().unwrap();
            match lines {
                Some(lines) => all.insert(name.to_owned(), lines.to_owned()),
                None => all.remove(name),
            };
            Readers::parse(&all.values().cloned().collect::<String>()).map_err(|error| error.to_string())
        }
    }

    fn grant(name: &str) -> Grant<'_> {
        let (role, share) = (Role::Analyst, Share::Ministry);
        Grant { name, role, share, purpose: "test", expires: None, tables: &[] }
    }

    fn gate(kept: &Arc<Kept>) -> Gate {
        let line = new_user(grant("analyst-7"), "correct horse battery", [[1; 16], [2; 16]]).unwrap();
        let readers = kept.put("analyst-7", Some(&line)).unwrap();
        let random = || *blake3::hash(format!("{:?}", std::time::Instant::now()).as_bytes()).as_bytes();
        let record: Arc<dyn Record> = Arc::clone(kept) as _;
        let register: Option<Arc<dyn Register>> = Some(Arc::clone(kept) as _);
        Gate::new(GateSettings { readers, clock: SystemTime::now, random, record, register })
    }

    const FROM: (&str, Option<IpAddr>) = ("http", None);

    #[tokio::test]
    async fn who_guesses_is_locked_out_and_who_knows_is_not_told_apart_by_a_wrong_name() {
        let kept = Arc::new(Kept::default());
        let gate = gate(&kept);
        assert!(gate.by_password("analyst-7", "correct horse battery", FROM).await.is_ok());
        for _ in 0..lockout::FREE - 1 {
            assert_eq!(gate.by_password("analyst-7", "guess", FROM).await, Err(Stays::NotProven));
            assert_eq!(gate.by_password("analyst-8", "guess", FROM).await, Err(Stays::NotProven));
        }
        assert!(matches!(gate.by_password("analyst-7", "guess", FROM).await, Err(Stays::LockedOut(_))));
        assert!(matches!(gate.by_password("analyst-8", "guess", FROM).await, Err(Stays::LockedOut(_))));
        let right = gate.by_password("analyst-7", "correct horse battery", FROM).await;
        assert!(matches!(right, Err(Stays::LockedOut(_))), "not even the right one is taken now");
        let (asker, _) = gate.verifier("analyst-7").expect("the same salt as ever");
        assert!(matches!(gate.proven(&asker, ("postgres", None)), Err(Stays::LockedOut(_))), "at no door");
        let said = kept.said.lock().unwrap();
        assert!(said.contains(&(Decided::CameIn, "analyst-7".to_owned())));
        assert!(said.contains(&(Decided::LockedOut, "analyst-7".to_owned())));
        assert!(said.contains(&(Decided::NotProven, NOBODY.to_owned())), "a name that nobody has is not kept");
        assert!(!said.iter().any(|(_, name)| name == "analyst-8"));
    }

    #[tokio::test]
    async fn a_name_that_is_given_to_somebody_else_or_has_a_new_password_is_in_no_session_of_before() {
        let gate = gate(&Arc::default());
        let before = gate.by_password("analyst-7", "correct horse battery", FROM).await.unwrap();
        let (token, _) = gate.open(&before);
        assert!(gate.session(&token).is_some());
        let old = new_user(grant("analyst-7"), "correct horse battery", [[1; 16], [2; 16]]).unwrap();
        let line = new_user(grant("analyst-7"), "another password", [[3; 16], [4; 16]]).unwrap();
        gate.replace(Readers::parse(&line).unwrap());
        assert!(gate.session(&token).is_none());
        assert!(!gate.now(&before).is_bound_to("published.v01"), "nor in a session of another door");
        gate.replace(Readers::parse(&old).unwrap());
        assert!(gate.session(&token).is_none(), "nor when all is as it was");
        gate.replace(Readers::parse(&line).unwrap());
        let after = gate.by_password("analyst-7", "another password", FROM).await.unwrap();
        assert!(gate.now(&after).is_bound_to("published.v01"));
    }

    #[test]
    fn who_goes_on_guessing_where_it_may_not_keeps_nobody_out_elsewhere() {
        let gate = gate(&Arc::default());
        let peer = |n: u32| Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(n)));
        for _ in 0..300 {
            gate.failed("analyst-7", peer(1), "postgres");
        }
        let (asker, _) = gate.verifier("analyst-7").expect("a verifier");
        assert!(matches!(gate.proven(&asker, ("postgres", peer(1))), Err(Stays::LockedOut(_))));
        assert_eq!(gate.proven(&asker, ("postgres", peer(2))), Ok(()));
    }

    #[tokio::test]
    async fn nobody_comes_in_without_its_being_recorded() {
        let kept = Arc::new(Kept { is_full: true, ..Kept::default() });
        let gate = gate(&kept);
        let came = gate.by_password("analyst-7", "correct horse battery", FROM).await;
        assert_eq!(came, Err(Stays::Unrecorded));
        assert!(gate.invite(grant("analyst-9")).await.is_err());
    }

    #[tokio::test]
    async fn a_session_ends_with_its_reader() {
        let kept = Arc::new(Kept::default());
        let gate = gate(&kept);
        let asker = gate.by_password("analyst-7", "correct horse battery", FROM).await.unwrap();
        let (token, session) = gate.open(&asker);
        assert_eq!(gate.session(&token).unwrap().1.csrf, session.csrf);
        assert!(gate.session(&session.csrf).is_none(), "one secret is not the other");
        gate.remove("analyst-7").await.unwrap();
        assert!(gate.session(&token).is_none());
        assert!(gate.by_password("analyst-7", "correct horse battery", FROM).await.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_who_have_an_invitation_one_takes_it() {
        let kept = Arc::new(Kept::default());
        let gate = gate(&kept);
        let token = gate.invite(grant("analyst-9")).await.unwrap();
        let (one, two) = tokio::join!(gate.accept(&token, "a password of mine"), gate.accept(&token, "one of another"));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }

    #[tokio::test]
    async fn an_invitation_opens_once() {
        let kept = Arc::new(Kept::default());
        let gate = gate(&kept);
        assert!(matches!(gate.invite(grant("analyst-7")).await, Err(Unchanged::Objection(_))), "the name is taken");
        let token = gate.invite(grant("analyst-9")).await.unwrap();
        assert!(matches!(gate.accept(&token, "short").await, Err(Unchanged::Objection(_))));
        let asker = gate.accept(&token, "a password of mine").await.unwrap();
        assert_eq!((asker.key_id.as_str(), asker.role), ("analyst-9", Role::Analyst));
        assert!(matches!(gate.accept(&token, "a password of mine").await, Err(Unchanged::Objection(_))));
        assert!(gate.by_password("analyst-9", "a password of mine", FROM).await.is_ok());
        assert!(matches!(gate.accept("", "a password of mine").await, Err(Unchanged::Objection(_))));
    }
}
