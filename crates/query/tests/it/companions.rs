//! Intervals, status, bias and date beside released numbers (privacy.md 6.14).

use disclosure::{Amount, Figure};
use query::{Answer, Question, Reader};
use tokio_util::sync::CancellationToken;

use crate::vault::{ByRule, figure, number};
use crate::{ask, through, vault, written};

/// Persons of a shown province; the tier of their noise has variance 4, half-width 4 and standard deviation 2.
const PERSONS: u64 = 200;

/// Shown in Punjab and Sindh, hidden elsewhere.
fn two_provinces(at: &[(String, String)]) -> Option<Figure> {
    let shown = |(level, code): &(String, String)| level != "province" || ["PK-PB", "PK-SD"].contains(&code.as_str());
    at.iter().all(shown).then(|| figure(PERSONS))
}

async fn by_rule() -> Reader {
    vault::reader(ByRule::new(two_provinces)).await
}

async fn rows(reader: &Reader, sql: &str) -> Vec<String> {
    written(&ask(reader, sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}")))
}

/// The answer with companions, and the names of its columns.
async fn extended(reader: &Reader, sql: &str) -> (Vec<String>, Answer) {
    let question = Question { companions: true, asker: Some(vault::analyst()), ..Question::new(sql) };
    let answer = reader.ask(question, CancellationToken::new()).await;
    let answer = answer.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    (answer.schema.fields().iter().map(|field| field.name().clone()).collect(), answer)
}

/// n as the vault gives it here.
fn n() -> i64 {
    number(&figure(PERSONS))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_has_the_interval_of_its_tier_a_status_a_bias_and_a_date() {
    let sql = "select province, count(*), priv_lo(count(*)), priv_hi(count(*)), priv_flag(count(*)), \
               priv_bias(count(*)), priv_sd(count(*)), priv_as_of(count(*)) \
               from victims where year = 2024 group by province order by 1 desc limit 1 offset 2";
    let n = n();
    assert_eq!(
        rows(&by_rule().await, sql).await,
        [format!("PK-PB | {n} | {} | {} | A | 30 | 2 | 2024-12-31", n - 4, n + 4)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_cell_has_no_bounds_and_one_status_whatever_the_reason() {
    let reader = through::reader().await;
    let sql = "select citizenship, count(*) n, priv_lo(count(*)), priv_hi(count(*)), priv_flag(count(*)), \
               priv_bias(count(*)) from victims where year = 2024 and sex = 'T' group by 1";
    let hidden: Vec<String> =
        rows(&reader, sql).await.into_iter().filter(|row| row.contains("| NULL | NULL")).collect();
    assert!(hidden.len() > 100, "{} rows", hidden.len());
    for row in hidden {
        assert!(row.ends_with(" | NULL | NULL | NULL | Q | NULL"), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declared_number_has_no_width_no_bias_and_status_a() {
    let sql = "select province, count(*) n, priv_lo(count(*)), priv_hi(count(*)), priv_flag(count(*)), \
               priv_bias(count(*)), priv_sd(count(*)) from inspections where year = 2023 and kind in ('child', 'bonded') group by 1";
    for row in rows(&through::reader().await, sql).await {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells[1..], [cells[1], cells[1], cells[1], "A", "0", "0"], "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn companions_follow_a_number_through_names_subqueries_joins_and_windows() {
    let reader = by_rule().await;
    let (lo, hi) = (n() - 4, n() + 4);
    let t = "with t as (select province, count(*) n from victims where year = 2024 group by 1) ";
    let cases = [
        ("select priv_lo(n) from t where province = 'PK-PB'", format!("{lo}")),
        ("select u.m - priv_lo(m) from (select n as m from t where province = 'PK-PB') u", "4".to_owned()),
        (
            "select p.en, priv_hi(t.n) from t join reference.province p on p.code = t.province where n > 0 order by 1 limit 1",
            format!("Punjab | {hi}"),
        ),
        (
            "select priv_lo(a.n), priv_hi(b.n), rank() over (order by a.n) from t a cross join t b where a.n > 0 and b.n > 0 limit 1",
            format!("{lo} | {hi} | 1"),
        ),
        (
            "select priv_lo(n) from (select n, rank() over (order by province) r from t) u where n > 0 limit 1",
            format!("{lo}"),
        ),
        ("select province from t where priv_flag(n) = 'A' order by priv_lo(n), 1", "PK-PB; PK-SD".to_owned()),
        ("select sum(priv_hi(n)) from t where n > 0", format!("{}", 2 * hi)),
        ("select distinct priv_lo(n) from t where n > 0", format!("{lo}")),
        ("select priv_lo(n) from t where province = 'PK-PB' union all select 1 order by 1", format!("1; {lo}")),
        ("select (select max(priv_hi(n)) from t where n > 0)", format!("{hi}")),
        (
            "select s.code, priv_lo(n) from reference.province s left join t on t.province = s.code and n > 0 where s.code = 'PK-KP'",
            "PK-KP | NULL".to_owned(),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(rows(&reader, &format!("{t}{sql}")).await.join("; "), expected, "{sql}");
    }
    let having = "select province from victims group by 1 having priv_hi(count(*)) > 0 order by 1";
    assert_eq!(rows(&reader, having).await, ["PK-PB", "PK-SD"]);
}

/// A number of an answer.
fn numbers(row: &str) -> Vec<f64> {
    row.split(" | ").map(|cell| cell.parse().unwrap_or_else(|_| panic!("{row}"))).collect()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-6
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ratio_a_rate_and_a_difference_have_the_interval_of_the_delta_method() {
    let reader = by_rule().await;
    let n = n() as f64;
    // Var a/b = V (1 + p²) / b² with V = 4, p = 1
    let ratio = "select count(*) filter (where sex = 'F') * 1.0 / count(*), \
                 priv_sd(count(*) filter (where sex = 'F') * 1.0 / count(*)), \
                 priv_hi(count(*) filter (where sex = 'F') * 1.0 / count(*)), \
                 priv_bias(count(*) filter (where sex = 'F') * 1.0 / count(*)) from victims";
    let sd = (4.0 * 2.0_f64).sqrt() / n;
    let found = numbers(&rows(&reader, ratio).await[0]);
    let expected = [1.0, sd, 1.0 + 1.96 * sd, 60.0 / n];
    assert!(found.iter().zip(expected).all(|(found, expected)| near(*found, expected)), "{found:?} {expected:?}");
    // A part of the whole varies once: Var a/(a+b) = V (b² + a²) / (a+b)⁴
    let share = "select f * 100.0 / (f + m) as share, priv_sd(f * 100.0 / (f + m)) from (select count(*) filter (where \
                 sex = 'F') f, count(*) filter (where sex = 'M') m from victims) t";
    let found = numbers(&rows(&reader, share).await[0]);
    assert!(near(found[0], 50.0) && near(found[1], 100.0 * 2.0 * (2.0 * n * n).sqrt() / (4.0 * n * n)), "{found:?}");
    // A constant does not vary, and a rounded number stands inside its interval.
    let rate = "select round(n * 100000.0 / p.population, 1) r, priv_lo(round(n * 100000.0 / p.population, 1)), \
                priv_hi(round(n * 100000.0 / p.population, 1)), priv_sd(n * 100000.0 / p.population), p.population \
                from (select province, count(*) n from victims where year = 2024 group by 1) t \
                join reference.population p on p.province = t.province and p.year = 2024 where n > 0 limit 1";
    let found = numbers(&rows(&reader, rate).await[0]);
    assert!(near(found[3], 200_000.0 / found[4]) && found[1] <= found[0] && found[0] <= found[2], "{found:?}");
    // The two have noise of their own: 1.96 sqrt(V + V)
    let difference = "with t as (select province, count(*) n from victims group by 1) select priv_diff_ci(a.n, b.n), \
                      priv_lo(a.n - b.n), priv_hi(a.n - b.n) from t a, t b where a.province = 'PK-PB' and b.province = 'PK-SD'";
    let half = 1.96 * 8.0_f64.sqrt();
    let found = numbers(&rows(&reader, difference).await[0]);
    assert!(near(found[0], half) && near(found[1], -half) && near(found[2], half), "{found:?}");
    let hidden = "select province, n * 1.0 / f, priv_lo(n * 1.0 / f), priv_flag(n * 1.0 / f) from (select province, count(*) n, \
                  count(*) filter (where sex = 'F') f from victims group by 1) t order by 1 limit 1";
    // This oracle hides by not collecting.
    assert_eq!(rows(&reader, hidden).await, ["PK-BA | NULL | NULL | L"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mean_and_a_quantile_have_intervals_that_hold_them() {
    let reader = through::reader().await;
    let (avg, median) = ("avg(imprisonment_months)", "median(imprisonment_months)");
    let sql = format!(
        "select {avg}, priv_lo({avg}), priv_hi({avg}), priv_sd({avg}), {median}, priv_lo({median}), priv_hi({median}) from judgments"
    );
    let found = numbers(&rows(&reader, &sql).await[0]);
    assert!(found[1] < found[0] && found[0] < found[2], "{found:?}");
    assert!((found[2] - found[0] - 1.96 * found[3]).abs() < 1e-5, "{found:?}");
    assert!(found[5] <= found[4] && found[4] <= found[6], "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_ask_for_all_companions_at_once() {
    let reader = by_rule().await;
    let sql = "select province, count(*) n, round(100.0 * count(*) filter (where sex = 'F') / count(*), 0) pct from victims \
               where year = 2024 group by province order by n desc nulls last, province limit 1";
    let (columns, answer) = extended(&reader, sql).await;
    let expected = [
        "province",
        "n",
        "n_lo95",
        "n_hi95",
        "n_status",
        "n_bias",
        "pct",
        "pct_lo95",
        "pct_hi95",
        "pct_status",
        "pct_bias",
        "as_of",
    ];
    assert_eq!(columns, expected);
    let row = written(&answer).join("; ");
    let n = n();
    assert!(row.starts_with(&format!("PK-PB | {n} | {} | {} | A | 30 | 100 | ", n - 4, n + 4)), "{row}");
    assert!(row.ends_with(" | 2024-12-31"), "{row}");
    let (columns, answer) = extended(&reader, "select province, count(*) from victims group by rollup(province)").await;
    assert_eq!(columns[2..], ["count(*)_lo95", "count(*)_hi95", "count(*)_status", "count(*)_bias", "as_of"]);
    assert_eq!(answer.row_count(), 9);
    // What the question has under that name already is not added; what has no companions has none.
    let (columns, _) = extended(&reader, "select count(*) n, 1 n_lo95, 2 as_of from victims").await;
    assert_eq!(columns, ["n", "n_hi95", "n_status", "n_bias", "n_lo95", "as_of"]);
    let (columns, _) =
        extended(&reader, "select sum(n) s from (select province, count(*) n from victims group by 1) t").await;
    assert_eq!(columns, ["s"]);
    let (columns, _) = extended(&reader, "select province, value from published.v01 limit 1").await;
    assert_eq!(columns, ["province", "value"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_for_companions_asks_the_vault_nothing_more() {
    let plain = "select province, count(*), avg(imprisonment_months) from judgments group by 1";
    let with = "select province, count(*), priv_lo(count(*)), priv_bias(avg(imprisonment_months)), \
                avg(imprisonment_months) from judgments group by 1";
    let reader = by_rule().await;
    let asked = async |sql: &str, companions| {
        reader.compile(Question { companions, ..Question::new(sql) }).await.expect("questions").0
    };
    let expected = asked(plain, false).await;
    assert_eq!(asked(with, false).await, expected);
    assert_eq!(asked(plain, true).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_of_companions_over_anything_else_is_refused_with_a_hint_that_works() {
    let reader = by_rule().await;
    let t = "(select province, count(*) n from victims group by 1) t";
    for sql in [
        "select priv_lo(province) from victims".to_owned(),
        "select province, priv_lo(province) from victims group by 1".to_owned(),
        "select count(*) filter (where priv_lo(year) = 3) from victims".to_owned(),
        format!("select priv_lo(sum(n)) from {t}"),
        format!("select priv_lo(case when n > 1 then n end) from {t}"),
        format!("select priv_lo(n * 1.0 / sum(n) over ()) from {t}"),
        format!("select priv_hi(priv_lo(n)) from {t}"),
        format!("select priv_diff_ci(n, province) from {t}"),
        format!("select priv_lo(grouping(province)) from {t} group by province"),
        format!("select (select priv_lo(t.n)) from {t}"),
    ] {
        let refusal = ask(&reader, &sql, Vec::new()).await.expect_err(&sql);
        assert_eq!(refusal.code.name(), "PRIV-1007", "{sql}: {refusal}");
        let hint = refusal.hint.expect("a hint");
        let remedy = hint.strip_prefix("Write ").and_then(|hint| hint.split(';').next()).expect("a statement");
        ask(&reader, remedy, Vec::new()).await.unwrap_or_else(|refusal| panic!("{remedy}: {refusal}"));
    }
    let published =
        ask(&reader, "select priv_lo(value) from published.v01", Vec::new()).await.expect_err("no function");
    assert_eq!(published.code.name(), "unknown_function");
    let hint = published.hint.expect("a hint");
    let (_, remedy) = hint.split_once(": ").expect("a statement");
    ask(&reader, remedy.trim_end_matches('.'), Vec::new())
        .await
        .unwrap_or_else(|refusal| panic!("{remedy}: {refusal}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_total_over_the_rows_of_a_rollup_is_strict_too() {
    let sql = "select sum(n) from (select province, count(*) n from victims group by rollup(province)) t";
    let answer = ask(&by_rule().await, sql, Vec::new()).await.expect("an answer");
    assert_eq!(written(&answer), ["NULL"]);
    assert!(answer.notes.iter().any(|note| note.code.name() == "NOTE-3001"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_interval_of_an_answer_covers_what_was_counted_and_never_goes_below_zero() {
    let sql = "select age_band, sex, count(*) n, priv_lo(count(*)), priv_hi(count(*)) from victims group by 1, 2";
    for row in rows(&through::reader().await, sql).await.iter().filter(|row| !row.contains("NULL")) {
        let found: Vec<i128> = row.split(" | ").skip(2).map(|cell| cell.parse().expect("a number")).collect();
        assert!(0 <= found[1] && found[1] < found[0] && found[0] < found[2], "{row}");
        assert!(found[2] - found[0] <= 23 * Amount::ONE, "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_a_union_keep_their_companions_where_each_of_its_rows_has_them() {
    let reader = by_rule().await;
    let (lo, hi) = (n() - 4, n() + 4);
    let one = "select 'f' as who, count(*) as n from victims where sex = 'F' and province = 'PK-PB'";
    let other = "select 'all', count(*) from victims where province = 'PK-SD'";
    let (columns, answer) = extended(&reader, &format!("{one} union all {other} order by 1 desc")).await;
    assert_eq!(columns, ["who", "n", "n_lo95", "n_hi95", "n_status", "n_bias", "as_of"]);
    let n = n();
    let row = |who: &str| format!("{who} | {n} | {lo} | {hi} | A | 30 | 2024-12-31");
    assert_eq!(written(&answer), [row("f"), row("all")]);
    assert!(answer.notes.is_empty(), "{:?}", answer.notes);
    let within =
        format!("select who, priv_lo(n) lo, priv_hi(n) hi from ({one} union all {other}) u where n > 0 order by 1");
    assert_eq!(rows(&reader, &within).await, [format!("all | {lo} | {hi}"), format!("f | {lo} | {hi}")]);
    // A count and a mean: the numbers have one type, and so have their bounds.
    let mixed = "select count(*) as n from judgments union all select avg(imprisonment_months) from judgments";
    let (columns, answer) = extended(&reader, mixed).await;
    assert_eq!((columns.len(), answer.row_count()), (6, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_can_have_no_interval_is_named_in_a_note_with_a_remedy() {
    let reader = by_rule().await;
    let t = "(select province, count(*) as n from victims group by 1) t";
    for sql in [
        format!("select sum(n) as total from {t}"),
        format!("select max(n) as total from {t}"),
        format!("select total from (select n as total from {t} union select 1) u"),
        format!("select n as total from {t} union all select 1"),
        format!("select case when n > 1 then n end as total from {t}"),
    ] {
        let (columns, answer) = extended(&reader, &sql).await;
        assert_eq!(columns, ["total"], "{sql}");
        let note = answer.notes.iter().find(|note| note.code.name() == "NOTE-3004");
        let note = note.unwrap_or_else(|| panic!("{sql}: {:?}", answer.notes));
        assert!(note.detail.starts_with("total has no interval") && note.detail.contains("ROLLUP"), "{note:?}");
    }
    let rollup = "select province, count(*) as total from victims group by rollup(province)";
    let (columns, answer) = extended(&reader, rollup).await;
    assert!(columns.contains(&"total_lo95".to_owned()) && answer.notes.is_empty(), "the remedy: {columns:?}");
    let asked_for = format!("select priv_lo(n) from {t}");
    let (_, answer) = extended(&reader, &asked_for).await;
    assert!(!answer.notes.iter().any(|note| note.code.name() == "NOTE-3004"), "{:?}", answer.notes);
    let plain = ask(&reader, &format!("select sum(n) as total from {t}"), Vec::new()).await.expect("an answer");
    assert!(!plain.notes.iter().any(|note| note.code.name() == "NOTE-3004"), "only where companions are asked for");
}
