//! What was known on a date: which edition a question with one is answered from, in every form and at every border.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use policy::{Asker, Role, Share};
use query::{
    Answer, Code, EditionMeta, EditionSource, Param, Place, Question, Reader, Refusal, Selection, Settings, SourceError,
};
use tokio_util::sync::CancellationToken;

use crate::vault::{self, ByRule, figure};
use crate::{ask, world, written};

/// Three editions. The second was published half an hour after midnight in Pakistan; the third is under embargo until 2027.
struct Three;

const EMBARGO: &str = "2027-01-01T04:30:00Z";

#[async_trait]
impl EditionSource for Three {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        let second = EditionMeta { published_at: "2025-04-15T19:30:00Z".to_owned(), ..world::meta(2) };
        let embargo_until = Some(EMBARGO.to_owned());
        let third = EditionMeta {
            embargo_until,
            published_at: EMBARGO.to_owned(),
            as_of: "2026-12-31".to_owned(),
            ..world::meta(3)
        };
        Ok(vec![world::meta(1), second, third])
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Some(3))
    }

    async fn read(&self, number: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Ok(vec![world::edition(number)])
    }
}

/// Noon of 30 June 2026, seconds since 1970.
const NOON: u64 = 1_782_802_800;

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOON)
}

fn settings() -> Settings {
    Settings { clock: noon, ..Settings::default() }
}

async fn reader() -> Reader {
    Reader::open(Arc::new(Three), world::catalogue(), settings()).await.expect("a reader")
}

async fn with_vault(oracle: Arc<ByRule>) -> Reader {
    let catalogue = query::Catalogue { code_lists: vault::lists(), ..world::catalogue() };
    Reader::open_with_vault(Arc::new(Three), catalogue, settings(), oracle).await.expect("a reader")
}

async fn answered(reader: &Reader, sql: &str) -> Vec<String> {
    written(&ask(reader, sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}")))
}

async fn refused(reader: &Reader, sql: &str) -> Refusal {
    ask(reader, sql, Vec::new()).await.err().unwrap_or_else(|| panic!("answered: {sql}"))
}

/// Punjab in 2024, which the second edition counts with ten more.
const WHERE: &str = "where province = 'PK-PB' and time_period = '2024'";

#[tokio::test]
async fn a_table_is_that_of_the_last_edition_published_by_the_end_of_the_day_in_pakistan() {
    let reader = reader().await;
    for (date, value) in [
        ("2025-01-15", "120"),
        ("2025-04-15", "120"),
        ("2025-04-16", "130"),
        ("2026-06-29", "130"),
        ("2026-06-30", "130"),
    ] {
        let sql = format!("select edition, value from published.v01 as known on '{date}' {WHERE}");
        let edition = if value == "120" { 1 } else { 2 };
        assert_eq!(answered(&reader, &sql).await, [format!("{edition} | {value}")], "{date}");
    }
}

#[tokio::test]
async fn a_date_without_an_edition_is_refused_at_its_place_with_the_editions_that_there_are() {
    let reader = reader().await;
    let editions = "Editions by the date from which they are known: 1 on 2025-01-15, 2 on 2025-04-16.";
    for (date, detail) in [
        ("2025-01-14", "Nothing had been published by the end of that date."),
        ("0001-01-01", "Nothing had been published by the end of that date."),
        ("2026-07-01", "That date is not yet: today is 2026-06-30 in Pakistan."),
        ("9999-12-31", "That date is not yet: today is 2026-06-30 in Pakistan."),
    ] {
        let refusal = refused(&reader, &format!("select 1\nfrom v01 as known on '{date}'")).await;
        assert_eq!((refusal.code, refusal.detail.as_str()), (Code::NoEditionOnDate, detail), "{date}");
        assert_eq!(
            (refusal.hint.as_deref(), refusal.place),
            (Some(editions), Some(Place { line: 2, column: 22 })),
            "{date}"
        );
    }
    let (nothing, _) = world::reader_over(0, settings()).await;
    assert_eq!(refused(&nothing, "select 1 from v01 as known on '2025-02-01'").await.code, Code::NoEdition);
}

#[tokio::test]
async fn every_way_of_writing_a_date_is_the_same() {
    let reader = reader().await;
    let date = || Param::Text("2025-02-01".to_owned());
    for (after, params) in [
        ("AS KNOWN ON '2025-02-01'", vec![]),
        ("as Known oN date '2025-02-01'", vec![]),
        ("AS /* then */ KNOWN -- on\n ON '2025-02-01'", vec![]),
        ("AS KNOWN ON ('2025-02-01')", vec![]),
        ("AS KNOWN ON '2025-02-01'::date", vec![]),
        ("AS KNOWN ON cast('2025-02-01' as date)", vec![]),
        ("AS KNOWN ON $1", vec![date()]),
        ("AS KNOWN ON $1::date", vec![date()]),
        ("AS KNOWN ON cast($1 as date)", vec![date()]),
        ("FOR SYSTEM_TIME AS OF '2025-02-01'", vec![]),
        ("for system_time as of date '2025-02-01'", vec![]),
        ("for system_time as of $1", vec![date()]),
    ] {
        for table in ["published.v01", "v01", "amanat.published.V01", "\"published\".\"v01\""] {
            for (alias, name) in
                [("", "v01."), ("v", "v."), ("as v", "v."), ("", ""), ("at", "at."), ("as \"For\"", "\"For\".")]
            {
                let sql = format!(
                    "select {name}value from {table} {after} {alias} where {name}province = 'PK-PB' and time_period = '2024'"
                );
                let answer =
                    ask(&reader, &sql, params.clone()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
                assert_eq!(written(&answer), ["120"], "{sql}");
            }
        }
    }
    let whole = format!("select published.v01.value from published.v01 as known on '2025-02-01' {WHERE}");
    assert_eq!(answered(&reader, &whole).await, ["120"]);
    let renamed =
        "select max(c) from published.v01 as known on '2025-02-01' as v (a, b, c, d, e, f, g, h, i, j, k, l, m)";
    assert_eq!(answered(&reader, renamed).await, ["2024-Q4"]);
}

#[tokio::test]
async fn each_table_of_a_question_has_its_own_date() {
    let reader = reader().await;
    let joined = "select b.value - a.value as found_later from v01 as known on '2025-02-01' as a \
         join v01 as known on '2026-02-01' as b on a.province = b.province and a.time_period = b.time_period \
         join v01 as n on n.province = a.province and n.time_period = a.time_period \
         where a.province = 'PK-PB' and a.time_period = '2024' and n.value = b.value";
    assert_eq!(answered(&reader, joined).await, ["10"]);
    let three = "with old as (select value from v01 as known on '2025-01-15' where province = 'PK-PB' and time_period = '2024') \
         select value from old union all select value from v01 for system_time as of '2025-04-16' \
         where province = 'PK-PB' and time_period = '2024' \
         union all select (select max(edition) from c01 as known on '2025-03-31') order by 1";
    assert_eq!(answered(&reader, three).await, ["1", "120", "130"]);
    let answer = ask(&reader, joined, Vec::new()).await.expect("an answer");
    assert_eq!(
        notes(&answer),
        [
            "NOTE-3007 published.v01 is read as known on 2025-02-01: edition 1, published on 2025-01-15, data as of 2024-12-31.",
            "NOTE-3007 published.v01 is read as known on 2026-02-01: edition 2, published on 2025-04-16, data as of 2025-03-31.",
        ]
    );
    assert_eq!(answer.edition, Some(2), "the latest, as ever");
    assert_eq!(notes(&ask(&reader, "select value from v01", Vec::new()).await.expect("an answer")), [""; 0]);
}

fn notes(answer: &Answer) -> Vec<String> {
    answer.notes.iter().map(|note| format!("{} {}", note.code.name(), note.detail)).collect()
}

#[tokio::test]
async fn the_table_of_all_values_has_those_of_one_edition_and_the_list_those_up_to_it() {
    let reader = reader().await;
    for (date, edition) in [("2025-02-01", "1"), ("2025-04-16", "2"), ("2026-06-30", "2")] {
        let sql = format!("select distinct edition from published.indicator_values as known on '{date}'");
        assert_eq!(answered(&reader, &sql).await, [edition], "{date}");
        let sql = format!("select max(edition), count(*) from published.editions as known on '{date}'");
        assert_eq!(answered(&reader, &sql).await, [format!("{edition} | {edition}")], "{date}");
    }
    assert_eq!(answered(&reader, "select count(distinct edition) from published.indicator_values").await, ["2"]);
}

#[tokio::test]
async fn a_table_may_still_be_called_known() {
    let reader = reader().await;
    for from in [
        "v01 a join v01 as known on known.province = a.province and known.time_period = a.time_period and known.sex = a.sex \
         and known.age_group = a.age_group",
        "v01 a join v01 as known on a.province = known.province and a.time_period = known.time_period and a.sex = known.sex \
         and a.age_group = known.age_group",
        "v01 a join (select * from v01) as known on (known.province = a.province) and known.time_period = a.time_period \
         and known.sex = a.sex and known.age_group = a.age_group",
        "v01 a join (select 1 as one) as known on true",
        "v01 a join (select 1 as one) as known on 1 = known.one",
        "v01 a join (select '2025-02-01' as day) as known on '2025-02-01' = known.day",
        "v01 a join (select '2025-02-01' as day) as known on '2025-02-01' in (known.day)",
        "v01 a join (select date '2025-02-01' as day) as known on date '2025-02-01' = known.day",
        "v01 a join (select date '2025-02-01' as day) as known on '2025-02-01'::date = known.day",
        "v01 a join (select date '2025-02-01' as day) as known on cast('2025-02-01' as date) = known.day",
        "v01 a join (select 1 as one) as \"known\" on \"known\".one is not null",
        "v01 a join v01 as known on '2025-02-01' as b on a.province = b.province and a.time_period = b.time_period \
         and a.sex = b.sex and a.age_group = b.age_group",
    ] {
        let sql = format!(
            "select a.edition, count(*) from {from} where a.time_period = '2024' and a.province = 'PK-PB' group by 1"
        );
        assert_eq!(answered(&reader, &sql).await, ["2 | 1"], "{from}");
    }
}

#[tokio::test]
async fn what_stands_in_texts_comments_and_quotes_is_no_date() {
    let reader = reader().await;
    for (sql, rows) in [
        ("select 'from v01 as known on ''2025-02-01''' as t", "from v01 as known on '2025-02-01'"),
        ("select max(edition) from v01 /* as known on '2025-02-01' */", "2"),
        ("select max(edition) from v01 -- as known on '2025-02-01'", "2"),
        ("select max(edition) from v01 as \"as known on '2025-02-01'\"", "2"),
        ("select max(known) from (select edition as known from v01) as t", "2"),
        ("select max(\"AS\".edition) from v01 as \"AS\"", "2"),
        ("select $$ as known on '2025-02-01' $$ as t", " as known on '2025-02-01' "),
    ] {
        assert_eq!(answered(&reader, sql).await, [rows], "{sql}");
    }
}

#[tokio::test]
async fn what_is_no_date_or_stands_elsewhere_is_refused_with_a_place_and_a_remedy() {
    let reader = reader().await;
    let mut wrong = Vec::new();
    for (sql, code, column, hint) in [
        ("select 1 from v01 as known on 'yesterday'", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on ''", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on '0000-01-01'", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on '2025-02-30'", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on '2025-02-01'' or 1=1 --'", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on 20250201", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on timestamp '2025-02-01 00:00:00'", Code::Meaning, 41, "2026-01-31"),
        ("select 1 from v01 as known on current_date", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on now()", Code::Meaning, 31, "2026-01-31"),
        ("select 1 from v01 as known on (select max(as_of) from published.editions)", Code::Meaning, 32, "2026-01-31"),
        ("select 1 from v01 for system_time as of date '2025-02-01' - 1", Code::Meaning, 46, "2026-01-31"),
        ("select 1 from v01 version as of 1", Code::Construct, 33, "AS KNOWN ON"),
        ("select 1 from v01 timestamp as of '2025-02-01'", Code::Construct, 35, "AS KNOWN ON"),
        ("select 1 from reference.province as known on '2025-02-01'", Code::Construct, 46, "published"),
        ("select 1 from information_schema.tables as known on '2025-02-01'", Code::Construct, 53, "published"),
        ("with t as (select 1 as one) select 1 from t as known on '2025-02-01'", Code::Construct, 57, "in WITH"),
        ("select 1 from v01 v as known on '2025-02-01'", Code::Syntax, 21, "FROM published.v01"),
        ("select 1 from v01 as known on '2025-02-01' as known on '2025-02-02'", Code::Syntax, 44, "FROM published.v01"),
        ("select 1 from (select 1) as known on '2025-02-01'", Code::Syntax, 26, "FROM published.v01"),
        ("select value as known on '2025-02-01' from v01", Code::Syntax, 14, "FROM published.v01"),
        ("select 1 from nothing as known on '2025-02-01'", Code::UnknownTable, 15, "information_schema"),
        ("select 1 from \"published@1\".v01", Code::UnknownTable, 15, ""),
        ("select valeu from v01 as known on '2025-02-01'", Code::UnknownColumn, 8, "Did you mean value?"),
        ("select 1 from v01 as known on $1", Code::Parameter, 31, "first param"),
    ] {
        let refusal = refused(&reader, sql).await;
        let is_told = refusal.hint.as_deref().unwrap_or_default().contains(hint);
        if (refusal.code, refusal.place, is_told) != (code, Some(Place { line: 1, column }), true) {
            wrong.push(format!("{sql}: {refusal} [{}]", refusal.code.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (param, code) in [
        (Param::Null, Code::Meaning),
        (Param::Number(20_250_201.into()), Code::Meaning),
        (Param::Bool(true), Code::Meaning),
        (Param::Text("2025-02-01' union select 1 --".to_owned()), Code::Meaning),
        (Param::Text("2027-02-01".to_owned()), Code::NoEditionOnDate),
    ] {
        let refusal =
            ask(&reader, "select 1 from v01 as known on $1", vec![param.clone()]).await.expect_err("a refusal");
        assert_eq!(refusal.code, code, "{param:?}: {refusal}");
        assert!(!refusal.to_string().contains("union"), "{refusal}");
    }
}

#[tokio::test]
async fn many_dates_are_bounded_like_many_tables() {
    let reader = reader().await;
    let repeated = format!("select 1 from v01{}", " as known on '2025-02-01'".repeat(600));
    assert_eq!(refused(&reader, &repeated).await.code, Code::Syntax);
    let tables = vec!["v01 as known on '2025-02-01'"; 200].join(", ");
    assert_eq!(refused(&reader, &format!("select 1 from {tables}")).await.code, Code::TooComplex);
    let nested = format!("select 1 from v01 as known on {}'2025-02-01'{}", "(".repeat(500), ")".repeat(500));
    assert_eq!(refused(&reader, &nested).await.code, Code::TooDeep);
}

#[tokio::test]
async fn a_shape_tells_that_a_date_is_one_and_what_it_selects() {
    let reader = reader().await;
    for sql in [
        "select value, as_of from v01 as known on $1 where province = $2",
        "select value, as_of from v01 for system_time as of $1::date where province = $2",
        "select value, as_of from published.indicator_values as known on cast($1 as date) where province = $2",
    ] {
        let shape = reader.shape(Question::new(sql)).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        assert_eq!(shape.params, [DataType::Date32, DataType::Utf8], "{sql}");
        assert_eq!(shape.columns.fields().len(), 2, "{sql}");
    }
    let one_day = "select a.value from v01 as known on $1 a join v01 as known on $2 b using (province)";
    let two = reader.shape(Question::new(one_day)).await.expect("a shape");
    assert_eq!(two.params, [DataType::Date32, DataType::Date32]);
}

fn of_role(role: Role) -> Asker {
    Asker { role, ..Asker::analyst(role.name(), Share::Ministry) }
}

#[tokio::test]
async fn an_edition_under_embargo_is_known_to_nobody_before_its_day() {
    static NOW: AtomicU64 = AtomicU64::new(NOON);
    let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.load(Ordering::SeqCst));
    let settings = Settings { clock, ..Settings::default() };
    let reader = Reader::open(Arc::new(Three), world::catalogue(), settings).await.expect("a reader");
    let known = async |ahead: bool, date: &str| {
        let sql = format!("select max(edition) from published.v01 as known on '{date}'");
        let question = Question { asker: Some(of_role(Role::Steward)), ahead, ..Question::new(sql) };
        let answer = reader.ask(question, CancellationToken::new()).await;
        answer.map(|answer| written(&answer).concat()).map_err(|refusal| refusal.to_string())
    };
    let sees = reader.access().may_see_embargoed(Role::Steward);
    assert!(sees, "a steward sees what is under embargo, but not as known on a date");
    for ahead in [false, true] {
        assert_eq!(known(ahead, "2026-06-30").await.as_deref(), Ok("2"));
        let told = known(ahead, "2027-01-01").await.expect_err("not yet");
        assert!(told.contains("not yet") && !told.contains("2027"), "{told}");
    }
    // Five in the morning of the first of January in Pakistan, four hours and a half before the embargo ends.
    NOW.store(1_798_761_600, Ordering::SeqCst);
    assert!(!reader.refresh().await.expect("a look"));
    assert_eq!(known(false, "2027-01-01").await.as_deref(), Ok("2"), "today may change until it is over");
    NOW.store(1_798_777_800, Ordering::SeqCst);
    assert!(reader.refresh().await.expect("a look"));
    for ahead in [false, true] {
        assert_eq!(known(ahead, "2026-12-31").await.as_deref(), Ok("2"));
        assert_eq!(known(ahead, "2027-01-01").await.as_deref(), Ok("3"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_answered_as_known_on_the_days_of_the_open_snapshot_and_on_no_other() {
    let oracle = ByRule::new(|_| Some(figure(200)));
    let reader = with_vault(Arc::clone(&oracle)).await;
    let sql = |date: &str| format!("select count(*) from protected.victims {date} where year = 2024");
    let now = ask(&reader, &sql(""), Vec::new()).await.expect("an answer");
    for date in ["as known on '2025-04-16'", "as known on '2026-06-30' as v", "for system_time as of '2026-01-01'"] {
        let then = ask(&reader, &sql(date), Vec::new()).await.unwrap_or_else(|refusal| panic!("{date}: {refusal}"));
        assert_eq!(written(&then), written(&now), "{date}");
        assert!(notes(&then)[0].starts_with("NOTE-3007 protected.victims is read as known on 202"), "{:?}", then.notes);
        assert_eq!(reader.compile(Question::new(sql(date))).await.expect("a plan").0.len(), 1);
    }
    let asked = oracle.asked.lock().expect("not poisoned").len();
    for date in ["2025-04-15", "2025-01-15", "2025-01-14", "2026-07-01", "2027-01-01"] {
        for from in ["protected.victims", "victims"] {
            let sql = format!("select count(*) from {from} as known on '{date}' where year = 2024");
            let refusal = refused(&reader, &sql).await;
            assert_eq!(refusal.code, Code::NotTheOpenSnapshot, "{sql}: {refusal}");
            assert_eq!(
                refusal.detail,
                "Records are answered as they are known now, which is edition 2 as of 2025-03-31."
            );
            let column = sql.find('\'').expect("a date") as u64 + 1;
            assert_eq!(refusal.place, Some(Place { line: 1, column }), "{sql}");
            let again = ["2025-04-15", "2025-01-15"].contains(&date);
            assert_eq!(refusal.to_string().contains("recompute 1"), again, "{refusal}");
            let explained = refused(&reader, &format!("explain {sql}")).await;
            assert_eq!((explained.code, &explained.detail), (refusal.code, &refusal.detail));
        }
    }
    assert_eq!(oracle.asked.lock().expect("not poisoned").len(), asked, "no record was read, so nothing was charged");
    let ended = oracle.ended.lock().expect("not poisoned").last().cloned().expect("an end");
    assert_eq!((ended.refused, ended.questions.len()), (Some(Code::NotTheOpenSnapshot), 0), "and it is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_of_which_edition_a_table_is_read() {
    let reader = with_vault(ByRule::new(|_| Some(figure(200)))).await;
    let sql = "explain with n as (select province, count(*) as n from victims as known on '2026-01-01' where year = 2024 \
               group by province) select n.province, n.n - v.value from n join v01 as known on '2025-02-01' as v \
               on v.province = n.province where v.time_period = '2024'";
    let said = answered(&reader, sql).await.concat();
    assert!(said.contains("victims is read as known on 2026-01-01: edition 2"), "{said}");
    assert!(said.contains("published.v01 is read as known on 2025-02-01: edition 1"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_opens_no_table_that_is_closed() {
    let reader = with_vault(ByRule::new(|_| Some(figure(200)))).await;
    let bound = |tables: &[&str]| {
        let tables = tables.iter().map(|table| (*table).to_owned()).collect();
        Some(Asker { tables: Some(tables), ..Asker::analyst("bound", Share::Partners) })
    };
    for (sql, asker) in [
        ("select value from v01 as known on '2025-02-01'", bound(&["protected.cases"])),
        ("select value from published.indicator_values as known on '2026-02-01'", bound(&["published.v01"])),
        ("select count(*) from victims as known on '2026-02-01'", bound(&["protected.cases"])),
        ("select count(*) from victims as known on '2026-02-01'", Some(of_role(Role::Auditor))),
    ] {
        let question = Question { asker, ..Question::new(sql) };
        let refusal = reader.ask(question, CancellationToken::new()).await.expect_err(sql);
        assert_eq!(refusal.code, Code::NotAllowed, "{sql}: {refusal}");
    }
}

#[tokio::test]
async fn a_selection_is_of_the_edition_of_its_date() {
    let reader = reader().await;
    let current = reader.current();
    let select = |filters: &[(&str, &str)]| {
        let selection = Selection::new(reader.catalogue(), "V01", filters.iter().copied())?;
        selection.at(&current, reader.today())
    };
    let selection =
        select(&[("as_known_on", "2025-04-15"), ("province", "PK-PB"), ("time_period", "2024")]).expect("a selection");
    let rows = current.rows(&selection).expect("rows");
    assert_eq!((rows.edition.edition, rows.batch.num_rows()), (1, 1));
    assert_eq!(select(&[]).expect("a selection").edition, None);
    for (filters, said) in [
        (&[("as_known_on", "2025-04-15"), ("edition", "1")][..], "both given"),
        (&[("edition", "latest"), ("as_known_on", "2025-04-15")], "both given"),
        (&[("as_known_on", "2025-04-15,2025-04-16")], "more than once"),
        (&[("as_known_on", "2025-04-31")], "is no date"),
        (&[("as_known_on", "")], "is no date"),
        (&[("as_known_on", "2026-07-01")], "not yet"),
        (&[("as_known_on", "2025-01-14")], "1 on 2025-01-15"),
    ] {
        let error = select(filters).expect_err(said).to_string();
        assert!(error.contains(said), "{filters:?}: {error}");
    }
}
