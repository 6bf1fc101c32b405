//! Editions that are published and not yet released: who sees them, by what, and when they are everybody's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use policy::{Access, Asker, Role, Share};
use query::{EditionMeta, EditionSource, Question, Reader, Settings, SourceError};
use tokio_util::sync::CancellationToken;

use crate::world;

/// Two editions, the second under embargo until 2027.
struct Embargoed;

#[async_trait]
impl EditionSource for Embargoed {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        let until = Some("2027-01-01T04:30:00Z".to_owned());
        Ok(vec![world::meta(1), EditionMeta { embargo_until: until, ..world::meta(2) }])
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Some(2))
    }

    async fn read(&self, number: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Ok(vec![world::edition(number)])
    }
}

static NOW: AtomicU64 = AtomicU64::new(BEFORE);
/// 2026-12-31 and 2027-01-01 at half past nine in Pakistan, seconds since 1970.
const BEFORE: u64 = 1_798_675_200;
const AFTER: u64 = 1_798_777_800;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.load(Ordering::SeqCst))
}

/// The newest edition that a role is told of, and the codes of the notes.
async fn seen(reader: &Reader, role: Role, ahead: bool) -> (Option<u32>, Vec<&'static str>) {
    let asker = (role != Role::Public).then(|| Asker { role, ..Asker::analyst(role.name(), Share::Ministry) });
    let question = Question { asker, ahead, ..Question::new("select max(edition) from published.v01") };
    let answer = reader.ask(question, CancellationToken::new()).await.expect("an answer");
    assert_eq!(crate::written(&answer), [answer.edition.expect("an edition").to_string()]);
    (answer.edition, answer.notes.iter().map(|note| note.code.name()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_under_embargo_is_seen_by_whom_the_policy_names_and_by_everybody_from_its_moment_on() {
    let access = Access::default();
    let settings = Settings { clock: now, ..Settings::default() };
    let reader = Reader::open(Arc::new(Embargoed), world::catalogue(), settings).await.expect("a reader");
    let mut asked = 0;
    for role in Role::ALL {
        let (edition, notes) = seen(&reader, role, true).await;
        let may = access.may_see_embargoed(role);
        assert_eq!(edition == Some(2), may, "{role:?}");
        assert_eq!(notes, if may { vec!["NOTE-3006"] } else { vec![] }, "{role:?}");
        assert_eq!(seen(&reader, role, false).await, (Some(1), vec![]), "what is kept for others has nothing of it");
        asked += 1;
    }
    println!("{asked} cells of the matrix");
    assert_eq!(reader.current().editions().count(), 1);
    assert!(!reader.refresh().await.expect("a look"));

    NOW.store(AFTER, Ordering::SeqCst);
    let mut watch = reader.watch();
    assert!(reader.refresh().await.expect("a look"));
    assert!(
        watch.has_changed().expect("a reader") && watch.borrow_and_update().latest().is_some_and(|e| e.edition == 2)
    );
    for role in Role::ALL {
        assert_eq!(seen(&reader, role, true).await, (Some(2), vec![]), "{role:?}");
    }
    NOW.store(BEFORE, Ordering::SeqCst);
    assert!(!reader.refresh().await.expect("a look"));
    assert_eq!(seen(&reader, Role::Public, false).await.0, Some(2), "a clock that is put back takes nothing back");
}
