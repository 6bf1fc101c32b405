//! Who may ask what: each role at each table, for each kind of question, as the policy draws it.

use std::net::IpAddr;
use std::num::NonZeroU32;

use policy::{Access, Ask, Asker, Role, Share};
use query::{Code, Limits, Pace, Question, Reader, Refusal, Settings};
use tokio_util::sync::CancellationToken;

use crate::vault::{self, ByRule};
use crate::world;

fn of_role(role: Role) -> Option<Asker> {
    (role != Role::Public).then(|| Asker { role, ..Asker::analyst(role.name(), Share::Ministry) })
}

async fn refused(reader: &Reader, asker: Option<Asker>, sql: &str) -> Option<Refusal> {
    let question = Question { asker, ..Question::new(sql) };
    reader.ask(question, CancellationToken::new()).await.err()
}

async fn reader() -> Reader {
    vault::reader(ByRule::new(|_| Some(vault::figure(200)))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_asks_of_each_table_what_the_policy_draws_and_nothing_else() {
    let (reader, access) = (reader().await, Access::default());
    let mut asked = 0;
    for table in reader.current().listed() {
        let (schema, name) = (table.schema, &table.name);
        let full = format!("{schema}.{name}");
        let is_protected = schema == "protected";
        let kinds = if is_protected { vec![Ask::Cells, Ask::Explain] } else { vec![Ask::Rows] };
        for (role, ask) in Role::ALL.into_iter().flat_map(|role| kinds.iter().map(move |ask| (role, *ask))) {
            let explain = if ask == Ask::Explain { "explain " } else { "" };
            let refusal = refused(&reader, of_role(role), &format!("{explain}select count(*) from {full}")).await;
            let code = refusal.as_ref().map(|refusal| refusal.code);
            let stays = code == Some(Code::NotAllowed) || code == Some(Code::KeyNeeded);
            assert_eq!(!stays, access.may_ask(role, &full, ask), "{role:?} {ask:?} {full}: {refusal:?}");
            if stays {
                assert_eq!(code == Some(Code::KeyNeeded), role == Role::Public, "{role:?} {full}");
                assert!(refusal.is_some_and(|refusal| refusal.hint.is_some()));
            }
            asked += 1;
        }
    }
    println!("{asked} cells of the matrix");
    assert!(asked > 150, "a matrix of {asked} cells");
}

#[tokio::test]
async fn a_table_without_a_row_in_the_policy_does_not_pass_here() {
    let (reader, access) = (reader().await, Access::default());
    for table in reader.current().listed() {
        let full = format!("{}.{}", table.schema, table.name);
        assert!(access.has_table(&full), "{full}: draw a row for it in crates/policy/policy/access.toml");
    }
    let datasets = policy::Policy::default().datasets;
    for row in access.tables().filter_map(|row| row.strip_prefix("protected.")) {
        assert!(datasets.get(row).is_some(), "protected.{row}: no such table");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_looked_up_in_the_policy_wherever_it_stands() {
    let reader = reader().await;
    let auditor = || of_role(Role::Auditor);
    for sql in [
        "select count(*) from victims",
        "select count(*) from protected.victims",
        "select count(*) from amanat.protected.VICTIMS",
        "with v as (select count(*) as n from victims) select n from v",
        "select * from (select province, count(*) from victims group by province) as v",
        "select 1 union all select count(*) from victims",
        "select value from published.v01 where value > (select count(*) from victims)",
        "explain select count(*) from victims",
    ] {
        let code = refused(&reader, auditor(), sql).await.map(|refusal| refusal.code);
        assert_eq!(code, Some(Code::NotAllowed), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_bound_to_tables_asks_no_others() {
    let reader = reader().await;
    let bound = |tables: &[&str]| {
        let tables = tables.iter().map(|table| (*table).to_owned()).collect();
        Some(Asker { tables: Some(tables), ..Asker::analyst("bound", Share::Partners) })
    };
    let to_cases = || bound(&["protected.cases", "reference.*"]);
    assert!(refused(&reader, to_cases(), "select count(*) from cases").await.is_none());
    assert!(refused(&reader, to_cases(), "select code from reference.sex").await.is_none());
    for sql in
        ["select count(*) from victims", "select value from published.v01", "select count(*) from cases, victims"]
    {
        let refusal = refused(&reader, to_cases(), sql).await.expect("a refusal");
        assert_eq!(refusal.code, Code::NotAllowed, "{sql}: {refusal}");
    }
    let to_nothing = refused(&reader, bound(&[]), "select 1").await;
    assert!(to_nothing.is_none(), "what reads no table is nobody's to forbid");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_others_are_served() {
    let few = |n| NonZeroU32::new(n).expect("not zero");
    let pace = Some(Pace { of_one: few(2), of_all: few(100) });
    let settings = Settings { limits: Limits::default(), pace, ..Settings::default() };
    let (reader, _) = world::reader_over(2, settings).await;
    let ask = async |peer: &str| {
        let peer = peer.parse::<IpAddr>().ok();
        let question = Question { peer, ..Question::new("select 1") };
        reader.ask(question, CancellationToken::new()).await.map(drop)
    };
    for _ in 0..2 {
        ask("192.0.2.1").await.expect("an answer");
    }
    let refusal = ask("192.0.2.1").await.expect_err("a third in a minute");
    assert_eq!((refusal.code, refusal.code.status()), (Code::TooOften, 429));
    assert!(refusal.hint.expect("a hint").contains(" s;"), "when to come again");
    ask("192.0.2.2").await.expect("somebody else");
    let named = Question { asker: of_role(Role::Analyst), ..Question::new("select 1") };
    reader.ask(named, CancellationToken::new()).await.expect("somebody with a name");
}
