//! Which log a stream's rows are of, and which log continues which (ingestion.md 3.3): `<log>#<generation>/<stream>`.
//!
//! A file is a log of its own: it continues nothing and nothing continues it. A higher generation of a log that is known is no other
//! log: who raised it confirmed it, and the lower one is over.

use lake::PartitionId;

/// Whether the lake knows the stream, but only from other logs, or this generation of its log is over.
pub(crate) fn is_of_another_log<'a>(id: &PartitionId, known: impl Iterator<Item = &'a PartitionId>) -> bool {
    let Some((uid, stream)) = split(&id.log_stream).filter(|(uid, _)| !is_file(uid)) else { return false };
    let (mut seen, mut ours, mut over) = (false, false, false);
    for (known, _) in known.filter_map(|id| split(&id.log_stream)).filter(|(uid, s)| *s == stream && !is_file(uid)) {
        seen = true;
        ours |= known == uid || is_raised(known, uid);
        over |= is_raised(uid, known);
    }
    over || seen && !ours
}

/// The same partition in earlier generations of the same log, the earliest first: where first rows of its events may lie.
pub(crate) fn earlier_generations<'a>(
    id: &PartitionId,
    known: impl Iterator<Item = &'a PartitionId>,
) -> Vec<PartitionId> {
    let Some((uid, stream)) = split(&id.log_stream).filter(|(uid, _)| !is_file(uid)) else { return Vec::new() };
    let earlier = |known: &&PartitionId| {
        let same = split(&known.log_stream).filter(|(_, s)| *s == stream && known.partition == id.partition);
        same.is_some_and(|(known, _)| is_raised(known, uid))
    };
    let mut earlier: Vec<PartitionId> = known.filter(earlier).cloned().collect();
    earlier.sort_by_key(|id| split(&id.log_stream).and_then(|(uid, _)| generation(uid)).map(|(_, number)| number));
    earlier
}

/// Whether `uid` is a later generation of the log `known`: the same log and a higher number.
fn is_raised(known: &str, uid: &str) -> bool {
    match (generation(known), generation(uid)) {
        (Some((one, old)), Some((other, new))) => one == other && new > old,
        _ => false,
    }
}

/// The log and the generation of `<log>#<generation>`.
fn generation(uid: &str) -> Option<(&str, u32)> {
    let (log, generation) = uid.rsplit_once('#')?;
    Some((log, generation.parse().ok()?))
}

/// `<source_uid>/<stream>`; a stream's name has no slash.
pub(crate) fn split(log_stream: &str) -> Option<(&str, &str)> {
    log_stream.rsplit_once('/')
}

pub(crate) fn is_file(uid: &str) -> bool {
    uid.starts_with(eventlog::FILE_UID_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(uid: &str) -> PartitionId {
        PartitionId::new(uid, "tip.events.FIA.v1", 0)
    }

    #[test]
    fn a_stream_known_from_another_log_only_is_foreign() {
        let known = [id("one#1"), PartitionId::new("two#1", "tip.events.POL-PB.v1", 0)];
        assert!(!is_of_another_log(&id("one#1"), known.iter()));
        assert!(is_of_another_log(&id("three#2"), known.iter()));
        assert!(is_of_another_log(&id("two#1"), known.iter()));
        assert!(!is_of_another_log(&PartitionId::new("new", "tip.events.LAB-PB.v1", 0), known.iter()));
    }

    #[test]
    fn a_raised_generation_is_its_own_confirmation_and_a_lowered_one_is_not() {
        let known = [id("one#1")];
        assert!(!is_of_another_log(&id("one#2"), known.iter()));
        assert!(!is_of_another_log(&id("one#10"), [id("one#9")].iter()));
        assert!(is_of_another_log(&id("one#0"), known.iter()));
        assert!(is_of_another_log(&id("one"), known.iter()));
        assert!(is_of_another_log(&id("other#2"), known.iter()));
    }

    #[test]
    fn a_generation_after_which_another_has_begun_is_over() {
        let known = [id("one#1"), id("one#2")];
        assert!(is_of_another_log(&id("one#1"), known.iter()));
        assert!(!is_of_another_log(&id("one#2"), known.iter()));
    }

    #[test]
    fn first_rows_may_lie_in_earlier_generations_of_the_same_partition_and_nowhere_else() {
        let number = |uid, number| PartitionId::new(uid, "tip.events.FIA.v1", number);
        let known = [id("one#10"), id("one#2"), id("one#11"), id("two#1"), number("one#1", 1), id("file-abc")];
        assert_eq!(earlier_generations(&id("one#11"), known.iter()), [id("one#2"), id("one#10")]);
    }

    #[test]
    fn a_file_continues_nothing_and_is_continued_by_nothing() {
        let file = |hash: &str| id(&format!("{}{hash}", eventlog::FILE_UID_PREFIX));
        let known = [id("one#1"), file("abc")];
        assert!(!is_of_another_log(&file("def"), known.iter()));
        assert!(!is_of_another_log(&id("one#1"), known[1..].iter()));
    }
}
