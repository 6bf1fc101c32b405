//! Tells whoever listens that there is a new edition: server-sent events, as a hint to ask again (users.md 5.6).
//!
//! A stream costs a task, a connection and a place in a row of waiting; there are so many places and no more. It begins with
//! the latest edition, or, for a client that says which it has seen (`Last-Event-ID`), with those after that; ends when the
//! service stops; and sends a comment now and then, so that those on the way keep the connection.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use query::{Current, EditionMeta};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use crate::Door;
use crate::problem::{Kind, Problem};

/// After how long a client that was cut off asks again. A new edition is no matter of seconds.
const RETRY: Duration = Duration::from_secs(10);

/// How often a comment is sent. Below the minute after which proxies close what is silent.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// What one stream holds.
struct Listener {
    editions: watch::Receiver<Arc<Current>>,
    /// Editions to tell of now.
    due: VecDeque<Event>,
    /// The newest that was told of.
    told: u32,
    stop: CancellationToken,
    /// Its place; given back when it ends.
    _place: OwnedSemaphorePermit,
}

/// New editions as they appear.
#[utoipa::path(get, path = "/v1/events", tag = "editions",
    params(("Last-Event-ID" = Option<String>, Header, description = "Number of the last edition that the client knows")),
    responses(
        (status = 200, description = "Events `edition`, each with the number of the edition as its id and the edition as its \
            data; the stream goes on until the service stops", body = String, content_type = "text/event-stream"),
        (status = 503, description = "As many streams are open as may be", body = crate::problem::Content,
            content_type = "application/problem+json")))]
pub(crate) async fn events(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let place = Arc::clone(&door.streams).try_acquire_owned().map_err(|_| {
        let detail = format!("{} streams are open.", door.settings.streams);
        Problem::new(Kind::TooManyStreams, detail, "Poll /v1/editions by its ETag, or ask again in a while.")
    })?;
    let mut editions = door.reader.watch();
    let known = asked.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse::<u32>().ok());
    let (due, told) = {
        let current = editions.borrow_and_update();
        let latest = current.latest().map_or(0, |e| e.edition);
        // A number that is not there yet is of another store: all is new to this client.
        let from = known.filter(|known| *known <= latest).unwrap_or_else(|| latest.saturating_sub(1));
        (after(&current, from), latest)
    };
    let stop = door.settings.stop.clone();
    let listener = Listener { editions, due, told, stop, _place: place };
    let stream = Sse::new(tell(listener)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let mut response = stream.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers are told not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn after(current: &Current, number: u32) -> VecDeque<Event> {
    current.editions().filter(|e| e.edition > number).map(event).collect()
}

fn event(edition: &EditionMeta) -> Event {
    let data = serde_json::json!({
        "edition": edition.edition,
        "as_of": edition.as_of,
        "published_at": edition.published_at,
        "synthetic": edition.synthetic,
        "href": format!("/v1/editions/{}", edition.edition),
    });
    Event::default().event("edition").id(edition.edition.to_string()).retry(RETRY).data(data.to_string())
}

fn tell(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(listener, |mut listener| async move {
        loop {
            if let Some(event) = listener.due.pop_front() {
                return Some((Ok(event), listener));
            }
            tokio::select! {
                biased;
                () = listener.stop.cancelled() => return None,
                changed = listener.editions.changed() => changed.ok()?,
            }
            let current = listener.editions.borrow_and_update();
            let due = after(&current, listener.told);
            let told = current.latest().map_or(listener.told, |e| e.edition);
            drop(current);
            (listener.due, listener.told) = (due, told);
        }
    })
}
