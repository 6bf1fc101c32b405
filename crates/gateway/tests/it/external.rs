//! Another registry by its URL: here one of ours, and servers that answer as no registry should.

use gateway::{Access, Draft, External, Found, Reference, Registry, Schemas};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http::serve;
use crate::world::{ID, World, draft};

fn schemas(url: &str, kept_in: &Registry) -> Schemas {
    let external = External::new(Access::new(url, None).unwrap()).unwrap();
    Schemas::of_external(external, kept_in.clone())
}

fn text(found: Found) -> String {
    match found {
        Found::Schema(schema) => schema.draft.text.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_schema_of_an_id_is_found_in_this_house_and_elsewhere() {
    let (there, here) = (World::new(), World::new());
    let version = there.registry.register("s", &draft(ID), false).unwrap();
    let url = serve(there.registry.clone()).await;
    for schemas in [Schemas::of(there.registry.clone()), schemas(&url, &here.registry)] {
        assert_eq!(text(schemas.find(1).await), version.schema.draft.text);
        assert_eq!(schemas.find(2).await, Found::Unknown);
    }
}

#[tokio::test]
async fn what_another_registry_has_said_once_is_known_without_it() {
    let (there, here) = (World::new(), World::new());
    there.registry.register("s", &draft(ID), false).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = gateway::router(there.registry.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let said = text(schemas(&url, &here.registry).find(1).await);
    server.abort();
    let _ = server.await;
    // A new process: nothing in memory, the registry gone.
    let schemas = schemas(&url, &here.again());
    assert_eq!(text(schemas.find(1).await), said);
    assert!(matches!(schemas.find(2).await, Found::Away(_)), "what was never asked for is not known");
}

#[tokio::test]
async fn a_schema_with_references_comes_complete() {
    let (there, here) = (World::new(), World::new());
    there.registry.register("place", &Draft::avro(r#"{"type":"fixed","name":"geo.Place","size":4}"#), false).unwrap();
    let references = vec![Reference { name: "geo.Place".into(), subject: "place".into(), version: 1 }];
    let referring = Draft { references, ..draft(r#"{"name":"p","type":"geo.Place"}"#) };
    there.registry.register("s", &referring, false).unwrap();
    let url = serve(there.registry.clone()).await;
    for schemas in [Schemas::of(there.registry.clone()), schemas(&url, &here.registry)] {
        let text = text(schemas.find(2).await);
        assert!(text.contains(r#""size":4"#), "{text}");
    }
}

/// A server that gives one answer, whatever it is asked, and tells what it was asked.
async fn answering(answer: &'static str) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, asking) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let _ = asked.send(String::from_utf8_lossy(&request[..read]).into_owned()).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asking)
}

#[tokio::test]
async fn an_answer_that_is_no_registrys_is_not_an_unknown_id() {
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\nconnection: close\r\n\r\nnot found",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\nconnection: close\r\n\r\n{",
    ] {
        let here = World::new();
        let (url, _asking) = answering(answer).await;
        let found = schemas(&url, &here.registry).find(1).await;
        assert!(matches!(&found, Found::Away(why) if why.contains(&url)), "{answer}: {found:?}");
    }
}

#[tokio::test]
async fn an_id_of_protobuf_is_known_and_unsupported() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\nconnection: close\r\n\r\n{\"schemaType\":\"PROTOBUF\",\"schema\":\"x\"}  ";
    let (url, _asking) = answering(answer).await;
    assert!(matches!(schemas(&url, &World::new().registry).find(1).await, Found::Unsupported(_)));
}

#[tokio::test]
async fn user_and_password_are_sent_and_never_shown() {
    let (url, mut asking) = answering("HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let with_user = url.replace("http://", "http://amanat:hu%2Fsh@");
    let access = Access::new(&with_user, None).unwrap();
    assert!(!format!("{access:?}").contains("amanat"), "{access:?}");
    let schemas = Schemas::of_external(External::new(access).unwrap(), World::new().registry.clone());
    let Found::Away(why) = schemas.find(1).await else { panic!("it answered 500") };
    assert!(!why.contains("hu") && !why.contains("amanat"), "{why}");
    let request = asking.recv().await.unwrap().to_ascii_lowercase();
    assert!(request.contains("authorization: basic yw1hbmf0omh1l3no"), "{request}"); // amanat:hu/sh
}

#[tokio::test]
async fn a_token_is_sent_as_bearer() {
    let (url, mut asking) = answering("HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let external = External::new(Access::new(&url, Some("hush".into())).unwrap()).unwrap();
    assert!(!format!("{external:?}").contains("hush"));
    Schemas::of_external(external, World::new().registry.clone()).find(1).await;
    assert!(asking.recv().await.unwrap().contains("Bearer hush"));
}

#[test]
fn an_address_that_is_none_is_refused_without_repeating_it() {
    for address in ["registry:8081", "ftp://u:secret@h/", "http://", "u:secret@h"] {
        let error = Access::new(address, None).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
    assert!(Access::new("http://u:p@h/", Some("t".into())).is_err());
}
