//! One agency that sends without end, and others beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use gateway::door::Limits;

use super::world::{Answered, World, event, lines};

/// An event of the FIA.
fn of_fia(number: u32) -> String {
    event(number).replace("POL-PB", "FIA")
}

/// While the log takes nothing: what an agency is answered that has sent something and sends more, and what its neighbour is.
async fn beside(world: &World, own: &str, more: &str) -> [Answered; 3] {
    let fia = format!("Bearer {}", world.keys[1]);
    world.gate.shut(true);
    let (headers, theirs) = ([("authorization", &*fia)], of_fia(3));
    let second = async {
        let answer = world.events(more, &[]).await;
        world.gate.shut(false);
        answer
    };
    let (first, neighbour, second) = tokio::join!(world.events(own, &[]), world.events(&theirs, &headers), second);
    [first, neighbour, second]
}

#[tokio::test]
async fn an_agency_has_its_share_of_turns_and_the_others_are_served() {
    let world = World::with(Limits { requests_of_one: 1, ..Limits::default() });
    let (own, more) = (event(1), event(2));
    let [first, neighbour, second] = beside(&world, &own, &more).await;
    assert_eq!((second.status, second.code(), second.header("retry-after")), (429, "busy", "1"), "{second:?}");
    assert!(second.body["detail"].as_str().unwrap().contains("this agency"), "{second:?}");
    assert_eq!((first.status, neighbour.status), (202, 202));
    assert_eq!(world.events(&more, &[]).await.status, 202);
}

#[tokio::test]
async fn an_agency_has_its_share_of_bytes_and_the_others_are_served() {
    let world = World::with(Limits { held_bytes_of_one: 64 << 10, ..Limits::default() });
    let (own, more) = (lines(1..25), lines(25..50));
    let [first, neighbour, second] = beside(&world, &own, &more).await;
    assert_eq!((first.status, neighbour.status, second.status), (202, 202, 429), "{second:?}");
    assert!(second.body["detail"].as_str().unwrap().contains("this agency"), "{second:?}");
    assert_eq!(world.events(&more, &[]).await.status, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_flood_of_one_agency_each_request_of_another_is_taken() {
    let world = Arc::new(World::with(Limits { requests: 12, requests_of_one: 8, ..Limits::default() }));
    let (done, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let flood: Vec<_> = (0..16)
        .map(|one| {
            let (world, done, refused) = (Arc::clone(&world), Arc::clone(&done), Arc::clone(&refused));
            tokio::spawn(async move {
                let body = lines(one * 100..one * 100 + 100);
                while !done.load(Ordering::Relaxed) {
                    let status = world.events(&body, &[]).await.status;
                    assert!(status == 202 || status == 429, "{status}");
                    refused.fetch_add(u32::from(status == 429), Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let fia = format!("Bearer {}", world.keys[1]);
    let mut number = 10_000;
    while number < 10_020 || refused.load(Ordering::Relaxed) == 0 {
        let answer = world.events(&of_fia(number), &[("authorization", &*fia)]).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        number += 1;
    }
    done.store(true, Ordering::Relaxed);
    for one in flood {
        one.await.unwrap();
    }
    assert_eq!(world.log.on("tip.events.FIA.v1").len(), (number - 10_000) as usize);
}
