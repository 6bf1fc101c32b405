//! What cannot be accepted, under each policy (ingestion.md 3.6): what is committed, where a partition stands still, how it
//! goes on. Whatever the policy, a message becomes the same row or none yet, and the other partitions go on.

use crate::support::*;
use ingest::{ErrorClass, Halt, State, WorkerReport};

const INVESTIGATORS: &str = "FIA";
const SUSPEND: &str = "rule = \"suspend\"";
/// Two of the last ten.
const LIMIT: &str = "limit_percent = 20\nwindow = 10";

fn bad(n: u64) -> Sent {
    case(n).value("{")
}

/// Messages by a picture of them: `.` good, `x` not to be accepted, `2` a second copy, `!` a conflict. The first is good.
fn feed(picture: &str) -> Vec<Sent> {
    let message = |(n, what)| match what {
        'x' => bad(n),
        '2' => case(0),
        '!' => case(0).value(OTHER_CASE),
        _ => case(n),
    };
    (0..).zip(picture.chars()).map(message).collect()
}

fn place(on_reject: &str, picture: &str) -> Place {
    let mut place = Place::new();
    place.policy = policy(on_reject);
    place.send(&feed(picture));
    place
}

/// Offset and class at which the police's partition stands still.
fn halted(place: &Place, report: &WorkerReport) -> Option<(i64, ErrorClass)> {
    match &report.partitions[&place.partition(POLICE)].state {
        State::Halted(Halt::Rejected { offset, class, .. }) => Some((*offset, *class)),
        State::Reading => None,
        other => panic!("{other:?}"),
    }
}

async fn stands_before(place: &mut Place, offset: i64) {
    let report = place.drain().await;
    assert_eq!(halted(place, &report), Some((offset, ErrorClass::Parse)));
    let next = place.snapshot().await.cut.get(&place.partition(POLICE)).copied();
    assert_eq!(next.unwrap_or(0), offset, "all before it is committed, and nothing after it");
    place.reconciled().await;
}

#[tokio::test]
async fn suspend_commits_what_is_before_the_first_message_that_cannot_be_accepted_and_the_others_go_on() {
    let mut place = place(SUSPEND, "..2!.x..x");
    place.send(&[event(INVESTIGATORS, "case.registered", 70, CASE), event(INVESTIGATORS, "case.registered", 71, CASE)]);
    stands_before(&mut place, 5).await;
    let rows = place.rows().await;
    assert_eq!(rows.iter().filter(|row| row.get("agency") == Some(POLICE)).count(), 5);
    assert_eq!(rows.iter().filter(|row| row.get("agency") == Some(INVESTIGATORS)).count(), 2);
    assert!(rows.iter().all(|row| row.status() != "set_aside"));
}

#[tokio::test]
async fn suspend_at_the_very_first_message_commits_nothing_of_its_partition() {
    let mut place = place(SUSPEND, "x..");
    stands_before(&mut place, 0).await;
    assert!(place.rows().await.is_empty());
}

#[tokio::test]
async fn a_restart_does_not_let_a_suspended_partition_through() {
    let mut place = place(SUSPEND, "...x..");
    for _ in 0..3 {
        stands_before(&mut place, 3).await;
    }
    place.send(&feed(".."));
    stands_before(&mut place, 3).await;
}

#[tokio::test]
async fn a_partition_that_stands_still_says_where_why_and_what_to_do_and_no_value() {
    for (rule, reason) in [(SUSPEND, "rejected"), ("limit_percent = 1\nwindow = 1", "too_many_rejected")] {
        let mut place = place(rule, ".");
        place.send(&[case(1).value(CASE.replace("PK-PB", "Atlantis"))]);
        let report = place.drain().await;
        let (_, halt) = report.halted().next().unwrap();
        let said = halt.to_string();
        for word in ["offset 1", "schema", "province", "amanat resume"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("Atlantis"), "{said}");
        assert_eq!(halt.reason(), reason);
        assert!(Halt::REASONS.contains(&reason));
    }
}

#[tokio::test]
async fn set_aside_never_stands_still() {
    let mut place = place("rule = \"set_aside\"", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.");
    let report = place.drain().await;
    assert_eq!(halted(&place, &report), None);
    assert_eq!((report.counts.ok, report.counts.set_aside_total()), (1, 30));
}

/// ingestion.md 3.6: more than 5 % of a window of 10,000.
#[tokio::test]
async fn by_default_the_five_hundred_and_first_of_ten_thousand_stops_the_partition() {
    let mut place = Place::new();
    place.send(&(0..600).map(bad).collect::<Vec<_>>());
    stands_before(&mut place, 500).await;
    assert_eq!(place.reconciled().await.status("set_aside"), 500);
}

#[tokio::test]
async fn with_a_limit_the_partition_stands_before_the_message_that_is_one_too_many_of_its_last_offsets() {
    for (picture, stands) in [
        (".x.x.......x.........x..", None),
        (".x.x.......x.x..", None),
        (".x.x......x..", Some(10)),
        ("xxx", Some(2)),
        ("..xx....x", Some(8)),
    ] {
        let mut place = place(LIMIT, picture);
        if let Some(offset) = stands {
            stands_before(&mut place, offset).await;
        } else {
            let report = place.drain().await;
            assert_eq!(halted(&place, &report), None, "{picture}");
        }
    }
}

#[tokio::test]
async fn second_copies_and_conflicts_do_not_count() {
    let mut place = place(LIMIT, ".22!!2x2!!.2x!!2");
    let report = place.drain().await;
    assert_eq!(halted(&place, &report), None);
    assert_eq!((report.counts.set_aside_total(), report.counts.duplicate, report.counts.conflict), (2, 6, 6));
}

#[tokio::test]
async fn the_count_survives_restarts_and_does_not_depend_on_batches() {
    let picture = "..x..2..x....x..x.x..";
    let mut at_once = place(LIMIT, picture);
    stands_before(&mut at_once, 16).await;
    // One message at a time, with a new worker for each, and batches of three.
    let mut one_by_one = place(LIMIT, "");
    for message in feed(picture) {
        one_by_one.send(&[message]);
        one_by_one.drain().await;
    }
    stands_before(&mut one_by_one, 16).await;
    let mut in_threes = place(LIMIT, picture);
    let mut config = config();
    (config.batch_rows, config.poll_bytes) = (3, 1);
    in_threes.try_drain(config).await.unwrap();
    let rows = at_once.rows().await;
    assert_eq!(rows.len(), 16);
    assert!(one_by_one.rows().await == rows && in_threes.rows().await == rows);
}

#[tokio::test]
async fn what_is_permitted_is_set_aside_and_does_not_count_and_what_follows_does() {
    let mut place = place(LIMIT, "xx..xxxx..xx..x..");
    stands_before(&mut place, 4).await;
    let partition = place.partition(POLICE);
    place.events().await.permit(&partition, 6, "agreed with the agency").await.unwrap();
    stands_before(&mut place, 10).await;
    assert_eq!(place.reconciled().await.status("set_aside"), 6);
    place.events().await.permit(&partition, 12, "again").await.unwrap();
    let report = place.drain().await;
    assert_eq!(halted(&place, &report), None, "12 is the last of the permitted ones, and one bad message follows");
    assert_eq!(place.reconciled().await.status("set_aside"), 9);
}

#[tokio::test]
async fn a_partition_goes_on_when_it_is_permitted_without_a_restart() {
    let mut place = place(SUSPEND, "..x..");
    let mut worker = place.restless_worker().await;
    let (monitor, partition) = (worker.monitor(), place.partition(POLICE));
    let state = || monitor.report().partitions.get(&partition).map(|status| status.state.clone());
    let mut operator = place.events().await;
    let permitted = async {
        until(|| matches!(state(), Some(State::Halted(Halt::Rejected { offset: 2, .. })))).await;
        operator.permit(&partition, 3, "seen").await.unwrap();
        until(|| monitor.report().counts.ok == 4).await;
        assert_eq!(state(), Some(State::Reading));
    };
    let report = worker.run_until(permitted).await.unwrap();
    assert_eq!((report.counts.ok, report.counts.set_aside_total()), (4, 1));
    place.reconciled().await;
}

#[tokio::test]
async fn an_operator_is_shown_the_count_by_which_the_partition_stands_still() {
    for (picture, permitted, counted) in
        [("", 0, 0), (".x.x..", 0, 2), (".x........", 0, 1), (".x.........", 0, 0), ("xx..xx", 6, 0), ("2!x2!", 0, 1)]
    {
        let mut place = place(LIMIT, picture);
        place.events().await.permit(&place.partition(POLICE), permitted, "a test").await.unwrap();
        place.drain().await;
        let next = i64::try_from(picture.len()).unwrap();
        let rule = place.policy.agencies.on_reject(POLICE);
        let (snapshot, partition) = (place.snapshot().await, place.partition(POLICE));
        let leeway = ingest::Leeway::of(&snapshot, &[ingest::Allowance { partition, rule, permitted, next }]).await;
        assert_eq!(leeway.unwrap(), [ingest::Leeway { counted, window: 10, most: Some(2) }], "{picture}");
    }
}

#[tokio::test]
async fn outcomes_are_those_that_the_proof_counts_and_a_file_is_counted_once() {
    let mut place = place("rule = \"set_aside\"", "..2!.x..x");
    place.send(&[event(INVESTIGATORS, "case.registered", 70, CASE)]);
    place.drain().await;
    let mut outcomes = ingest::Outcomes::default();
    for more in ["", "x.2"] {
        place.send(&feed(more));
        place.drain().await;
        let (snapshot, proven) = (place.snapshot().await, place.reconciled().await);
        let seen = outcomes.look(&snapshot).await.unwrap();
        assert_eq!(outcomes.look(&snapshot).await.unwrap(), seen, "again, with nothing new");
        assert_eq!(seen.len(), 2);
        for (partition, outcome) in seen {
            let tally = &proven.partitions[&partition];
            let rows = tally.rows.iter().map(|((_, status, class), n)| ((status.clone(), class.clone()), *n)).collect();
            assert_eq!(outcome.rows, rows);
            assert_eq!(outcome.last_ingested_us, Some((LOG_MS + 60_000) * 1000));
        }
    }
}
