//! A message at which the decoder, or the process, dies: it is found, set aside alone, and its neighbours are accepted.

use std::fs;

use crate::restart::process_that_ingests;
use crate::support::*;

/// Where the messages that kill stand.
const AT: i64 = 13;

fn crowd() -> Place {
    let place = Place::new();
    let message = |n| if n % 6 == 2 { case(n - 2) } else { case(n) };
    place.send(&(0..30).map(message).collect::<Vec<_>>());
    place
}

/// Runs processes that die at the message until one lives; how many died.
fn deaths(place: &Place) -> usize {
    let lives = |_: &usize| !process_that_ingests(place, "decode=return(abort:13)").output().unwrap().status.success();
    (0..10).take_while(lives).count()
}

async fn all_but_one_as_if_nothing_had_been(mut place: Place) {
    let mut undisturbed = crowd();
    undisturbed.drain().await;
    place.reconciled().await;
    let (one, others): (Vec<_>, Vec<_>) = place.rows().await.into_iter().partition(|row| row.offset == AT);
    assert_eq!((one[0].status(), one[0].class()), ("set_aside", "decoder_crash"));
    let expected: Vec<_> = undisturbed.rows().await.into_iter().filter(|row| row.offset != AT).collect();
    assert_eq!(others, expected);
    let kept = ingest::show_set_aside(&place.snapshot().await, &keys(), &place.partition(POLICE), AT).await.unwrap();
    assert_eq!(kept.value, case(AT as u64).value, "its bytes are kept");
}

/// ingestion.md 3.6. The first death accuses nobody: the steady state writes nothing down.
#[tokio::test]
async fn a_message_that_kills_the_process_is_set_aside_after_two_crashes_at_it() {
    let place = crowd();
    assert_eq!(deaths(&place), 3);
    let file = place.path().join("RUNNING");
    assert!(file.exists(), "it was not in the lake yet when the process began");
    assert!(process_that_ingests(&place, "decode=return(abort:13)").output().unwrap().status.success());
    assert!(!file.exists(), "nobody is accused any more");
    all_but_one_as_if_nothing_had_been(place).await;
}

#[tokio::test]
async fn under_suspend_a_message_that_kills_stops_its_partition_and_no_longer_the_process() {
    let mut place = crowd();
    let process = || {
        let mut process = process_that_ingests(&place, "decode=return(abort:13)");
        process.env("INGEST_TEST_ON_REJECT", "rule = \"suspend\"").output().unwrap().status.success()
    };
    assert_eq!((process(), process(), process(), process()), (false, false, false, true));
    assert_eq!(place.snapshot().await.cut[&place.partition(POLICE)], AT);
    assert_eq!(place.reconciled().await.status("set_aside"), 0);
}

#[tokio::test]
async fn one_crash_at_a_message_accuses_nobody() {
    let mut place = crowd();
    let dies = || !process_that_ingests(&place, "decode=return(abort:13)").output().unwrap().status.success();
    assert!(dies() && dies());
    assert!(process_that_ingests(&place, "").output().unwrap().status.success());
    assert_eq!(place.reconciled().await.status("set_aside"), 0);
    assert_eq!(place.rows().await.len(), 30);
}

#[tokio::test]
async fn a_machine_that_died_accuses_nobody() {
    let place = crowd();
    let dies = || !process_that_ingests(&place, "decode=return(abort:13)").output().unwrap().status.success();
    for _ in 0..4 {
        assert!(dies());
        let file = place.path().join("RUNNING");
        let text = fs::read_to_string(&file).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(text.contains(boot.trim()));
        fs::write(&file, text.replace(boot.trim(), "another run of the kernel")).unwrap();
    }
}

#[tokio::test]
async fn a_process_that_ends_well_leaves_no_trace_and_a_damaged_one_stops_nobody() {
    let mut place = crowd();
    let file = place.path().join("RUNNING");
    for trace in [&b"\xff\x00 nothing that we would write"[..], b"", b"decoding nothing"] {
        fs::write(&file, trace).unwrap();
        assert!(process_that_ingests(&place, "").output().unwrap().status.success());
        assert!(!file.exists());
    }
    assert_eq!(place.reconciled().await.status("set_aside"), 0);
}

#[tokio::test]
async fn a_panic_of_the_decoder_sets_its_message_aside_at_once_and_says_nothing_of_it() {
    let place = crowd();
    let done = process_that_ingests(&place, "decode=return(panic:13)").output().unwrap();
    assert!(done.status.success());
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(!said.contains("planted"), "the text of a panic may quote a value: {said}");
    all_but_one_as_if_nothing_had_been(place).await;
}
