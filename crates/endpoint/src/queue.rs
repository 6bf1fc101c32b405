//! What waits for the steward: events with several contents under one id, and pairs of persons who may be one; and her word on each.
//!
//! Guarantees: a word is recorded in the log of what was decided before it goes onto the log of events; what is shown names nobody and holds
//! no token, no id of a record and no amount. Not guaranteed: that a word has an effect at once. It is an event like any other: the next fold
//! or run of linkage obeys it.
//!
//! Absent: what waits, which is read where the data are ([`Queue`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Door;
use crate::gate::Decided;
use crate::problem::{Kind, Problem};
use crate::request::json;
use crate::session::unkept;
use crate::visitor::{HTTP, Visitor};

/// Reads what waits, and takes the steward's word. Called on a thread that may wait.
pub trait Queue: Send + Sync {
    /// What waits.
    ///
    /// # Errors
    /// One sentence of why it cannot be read.
    fn waiting(&self) -> Result<Waiting, String>;

    /// Looks whether a word can be said.
    ///
    /// # Errors
    /// Why not.
    fn may_say(&self, word: &Word) -> Result<(), NotSaid>;

    /// Says a word: it is on the log, durably, when this returns.
    ///
    /// # Errors
    /// One sentence of why not.
    fn say(&self, word: &Word) -> Result<(), String>;
}

/// Why a word is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSaid {
    /// There is nothing that it could be about: a sentence.
    Objection(&'static str),
    /// It cannot be looked up: a sentence.
    Failed(String),
}

/// The steward's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// On which content of an event counts.
    Counts {
        /// The agency of the event.
        agency: String,
        /// The id of the event.
        event_id: String,
        /// The place of the row whose content counts.
        row: String,
    },
    /// On whether two persons are one; none takes an earlier word back.
    Persons {
        /// The one.
        person: [u8; 16],
        /// The other.
        other: [u8; 16],
        /// Whether they are one.
        are_one: Option<bool>,
    },
}

/// What waits for the steward.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Steward)]
pub struct Waiting {
    /// Events with several contents of which nothing was decided, or what was decided is not there; those that wait longest first.
    pub conflicts: Vec<Conflict>,
    /// How many there are, if more than are shown.
    pub conflicts_in_all: usize,
    /// Pairs that may be one person, the likeliest first.
    pub links: Vec<Pair>,
    /// How many there are, if more than are shown.
    pub links_in_all: usize,
    /// When the persons were compared of whom these pairs are (RFC 3339); null before the first time.
    pub links_as_of: Option<String>,
    /// Why nobody could be compared: `words_contradict` (the steward's words on pairs contradict each other: one has to be taken back), or
    /// `failed`; null where somebody could.
    pub links_problem: Option<&'static str>,
    /// Whether they are being compared anew.
    pub is_comparing: bool,
    /// Pairs on which the steward's word stands.
    pub said: Vec<Said>,
}

/// An event with several contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Conflict {
    /// The agency that sent it.
    #[schema(example = "POL-PB")]
    pub agency: String,
    /// Its id.
    pub event_id: String,
    /// What came under the id, in the order in which it was read.
    pub contents: Vec<Content>,
    /// In what they differ.
    pub differs: Vec<Difference>,
    /// Why the one counts that does: `least` (nothing was decided, its content is the least), or `decided_for_absent` (the same; what was
    /// decided is not there).
    pub because: &'static str,
    /// When it was decided, if it was (RFC 3339).
    pub decided_at: Option<String>,
}

/// One content of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventContent)]
pub struct Content {
    /// Where its row stands in the log.
    pub row: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When it was read (RFC 3339).
    pub read_at: String,
    /// Whether it is the one that counts now.
    pub counts: bool,
}

/// A field in which contents differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Difference {
    /// The field.
    #[schema(example = "place_identified")]
    pub field: String,
    /// What each content says, where that is codes or a date (null where it says nothing); null where it may not be shown.
    pub said: Option<Vec<Option<String>>>,
}

/// Two persons who may be one, by the ids under which the warehouse knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pair {
    /// The one.
    pub person: String,
    /// The other.
    pub other: String,
    /// Probability that they are one, by the model, per mille.
    pub confidence_per_mille: u32,
    /// Why they are not counted as one: `weak`, `contradicts`, `others_contradict`, `agency_keeps_apart`, `too_many`.
    pub because: &'static str,
}

/// The steward's word on a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SaidOfPair)]
pub struct Said {
    /// The one.
    pub person: String,
    /// The other.
    pub other: String,
    /// Whether they are one.
    pub are_one: bool,
}

/// A word on a pair.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnPair {
    /// The one person: 32 hexadecimal digits, as the queue says it.
    person: String,
    /// The other.
    other: String,
    /// Whether they are one.
    are_one: AreOne,
}

/// Whether two persons are one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AreOne {
    /// They are one.
    Yes,
    /// They are two.
    No,
    /// An earlier word is taken back: the evidence decides.
    Withdraw,
}

/// A word on a conflict.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnConflict {
    /// The agency of the event.
    #[schema(example = "POL-PB")]
    agency: String,
    /// The id of the event.
    event_id: String,
    /// Where the row stands whose content counts, as the queue says it.
    row: String,
}

/// What became of a word.
#[derive(Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Who obeys it next: `fold` or `linkage`.
    obeyed_by: &'static str,
}

/// What waits for the steward.
#[utoipa::path(get, path = "/v1/queue", operation_id = "queue", tag = "steward",
    responses((status = 200, description = "Conflicts and doubtful pairs", body = Waiting)))]
pub(crate) async fn waiting(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    let waiting = at_the_data(&door, Queue::waiting).await?;
    Ok(unkept(StatusCode::OK, waiting.map_err(unread)?))
}

/// Says whether two persons are one. The word is an event; linkage obeys it from its next run on.
#[utoipa::path(post, path = "/v1/queue/links", operation_id = "decide_link", tag = "steward", request_body = OnPair,
    responses((status = 202, description = "The word is on the log", body = Taken)))]
pub(crate) async fn decide_link(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    let OnPair { person, other, are_one } = json(&asked, body, &door.settings).await?;
    let (Some(person), Some(other)) = (person_of(&person), person_of(&other)) else {
        return Err(malformed("The id of a person is of 32 small hexadecimal digits."));
    };
    if person == other {
        return Err(malformed("Two different persons are expected: she is one with herself."));
    }
    let are_one = match are_one {
        AreOne::Yes => Some(true),
        AreOne::No => Some(false),
        AreOne::Withdraw => None,
    };
    said(&door, &visitor, Word::Persons { person, other, are_one }, (Decided::LinkDecided, "linkage")).await
}

/// Says which content of an event counts. The word is an event; the next fold obeys it.
#[utoipa::path(post, path = "/v1/queue/conflicts", operation_id = "decide_conflict", tag = "steward", request_body = OnConflict,
    responses((status = 202, description = "The word is on the log", body = Taken)))]
pub(crate) async fn decide_conflict(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    let OnConflict { agency, event_id, row } = json(&asked, body, &door.settings).await?;
    said(&door, &visitor, Word::Counts { agency, event_id, row }, (Decided::ConflictDecided, "fold")).await
}

/// Looks whether a word can be said, records that it is, and says it.
async fn said(
    door: &Arc<Door>,
    visitor: &Visitor,
    word: Word,
    (what, obeyed_by): (Decided, &'static str),
) -> Result<Response, Problem> {
    let word = Arc::new(word);
    let looked = Arc::clone(&word);
    at_the_data(door, move |queue| queue.may_say(&looked)).await?.map_err(not_said)?;
    if !door.settings.gate.record(what, visitor.asker.as_ref(), HTTP) {
        let detail = "What is decided is recorded, and the record cannot be written now.";
        return Err(Problem::new(Kind::NotKept, detail, "Tell who runs this service."));
    }
    at_the_data(door, move |queue| queue.say(&word)).await?.map_err(unsaid)?;
    Ok(unkept(StatusCode::ACCEPTED, Taken { obeyed_by }))
}

/// Does something where the data are.
async fn at_the_data<T: Send + 'static>(
    door: &Door,
    work: impl FnOnce(&(dyn Queue + 'static)) -> T + Send + 'static,
) -> Result<T, Problem> {
    elsewhere(door.settings.queue.clone(), "What waits for the steward is not known here.", work).await
}

/// Does something with what the door was handed for the steward, on a thread that may wait. `absent` is said where it was handed nothing.
pub(crate) async fn elsewhere<H: ?Sized + Send + Sync + 'static, T: Send + 'static>(
    handed: Option<Arc<H>>,
    absent: &'static str,
    work: impl FnOnce(&H) -> T + Send + 'static,
) -> Result<T, Problem> {
    let Some(handed) = handed else {
        let hint = "The steward works on the machine that has the data directory and its keys.";
        return Err(Problem::new(Kind::NotReady, absent, hint));
    };
    tokio::task::spawn_blocking(move || work(&handed)).await.map_err(|_| Problem::internal())
}

/// The id of a person: 32 small hexadecimal digits.
fn person_of(text: &str) -> Option<[u8; 16]> {
    let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    is_id.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

fn malformed(detail: &str) -> Problem {
    Problem::new(Kind::MalformedBody, detail, "GET /v1/queue has the ids of those of whom a word is due.")
}

pub(crate) fn unread(sentence: String) -> Problem {
    Problem::new(Kind::NotReady, sentence, "Ask again in a moment; if it stays, tell who runs this service.")
}

fn unsaid(sentence: String) -> Problem {
    Problem::new(Kind::NotKept, sentence, "Say it again in a moment; if it stays, tell who runs this service.")
}

fn not_said(why: NotSaid) -> Problem {
    match why {
        NotSaid::Objection(sentence) => {
            Problem::new(Kind::NotChanged, sentence, "GET /v1/queue has what a word is due of, as it is now.")
        }
        NotSaid::Failed(sentence) => unread(sentence),
    }
}
