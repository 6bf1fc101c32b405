//! What a question over protected tables asks of the vault, and which are refused (privacy.md 6.3).

use query::{Limits, Param, Question, Reader};

use crate::vault::{ByRule, figure, line, number};
use crate::{ask, corpus, vault, world, written};

/// The questions in codes of a text, and its notes; or the code of its refusal.
async fn compiled(reader: &Reader, sql: &str, params: Vec<Param>) -> Result<Vec<String>, String> {
    match reader.compile(Question { params, ..Question::new(sql) }).await {
        Ok((questions, notes)) => {
            let mut lines: Vec<String> = questions.iter().map(line).collect();
            lines.extend(notes.iter().map(|note| note.code.name().to_owned()));
            Ok(lines)
        }
        Err(refusal) => Err(format!("{} {refusal}", refusal.code.name())),
    }
}

#[tokio::test]
async fn the_examples_of_the_specification_ask_what_it_says() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let cases = corpus::read(corpus::PROTECTED);
    assert!(cases.len() >= 40, "{} questions", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let got = compiled(&reader, &case.sql, case.params.clone()).await;
        let code = got.as_ref().err().map_or("ok", |error| error.split(' ').next().unwrap_or_default()).to_owned();
        let lines = got.clone().unwrap_or_default();
        if !case.expect.contains(&code) || lines != case.answer {
            let told = got.err().unwrap_or_default();
            wrong.push(format!("line {}: {code} {told}\n{}\n--> {}", case.line, case.sql, lines.join("\n--> ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_specification_are_computed_over_hidden_cells() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let mut wrong = Vec::new();
    for case in corpus::read(corpus::PROTECTED).iter().filter(|case| case.expect == ["ok"]) {
        if let Err(refusal) = ask(&reader, &case.sql, case.params.clone()).await {
            wrong.push(format!("line {}: {} {refusal}\n{}", case.line, refusal.code.name(), case.sql));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_a_row_for_every_code_and_null_where_a_cell_is_hidden() {
    let oracle = ByRule::new(|at| {
        at.iter()
            .any(|(level, code)| level == "province" && ["PK-PB", "PK-SD"].contains(&code.as_str()))
            .then(|| figure(200))
    });
    let reader = vault::reader(oracle.clone()).await;
    let sql = "select province, count(*) from victims where year = 2024 group by province";
    let question = Question { asker: Some(vault::analyst()), ..Question::new(sql) };
    let answer = reader.ask(question, tokio_util::sync::CancellationToken::new()).await.expect("an answer");
    let shown = number(&figure(200));
    let expected = [
        format!("PK-PB | {shown}"),
        format!("PK-SD | {shown}"),
        "PK-KP | NULL".to_owned(),
        "PK-BA | NULL".to_owned(),
        "PK-IS | NULL".to_owned(),
        "PK-GB | NULL".to_owned(),
        "PK-JK | NULL".to_owned(),
        "_X | NULL".to_owned(),
    ];
    assert_eq!(written(&answer), expected);
    let asked = oracle.asked.lock().expect("not poisoned");
    assert_eq!((asked.len(), asked[0].0.len(), asked[0].1.as_str()), (1, 1, "analyst"));
}

#[tokio::test]
async fn without_an_oracle_there_are_no_protected_tables() {
    let reader = world::reader(Limits::default()).await;
    let refusal = ask(&reader, "select count(*) from victims", Vec::new()).await.expect_err("no table");
    assert_eq!(refusal.code.name(), "unknown_table");
    assert!(refusal.hint.is_some_and(|hint| hint.contains("Case records cannot be queried")));
}

#[tokio::test]
async fn ways_around_the_guard_are_refused_or_harmless() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let cases = corpus::read(corpus::AROUND);
    assert!(cases.len() >= 120, "{} statements", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let got = compiled(&reader, &case.sql, case.params.clone()).await;
        let code = got.as_ref().err().map_or("ok", |error| error.split(' ').next().unwrap_or_default());
        if case.expect != [code] {
            wrong.push(format!(
                "line {}: {} for {:?}\n{}",
                case.line,
                got.err().unwrap_or_default(),
                case.expect,
                case.sql
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

/// Texts with one meaning, one list per meaning (privacy.md 6.16 (2)).
const SYNONYMS: &[&[&str]] = &[
    &[
        "select count(*) from victims where year = 2024 and sex = 'F'",
        "select count(*) from victims where sex = 'F' and year = 2024",
        "select count(*) from victims where '2024' = year and 'F' = sex",
        "select count(*) from victims where year = '2024' and sex in ('F')",
        "select count(*) from victims where year in (2024, 2024) and sex in ('F', 'F')",
        "select count(*) from victims where year between 2024 and 2024 and sex = 'F'",
        "select count(*) from victims where year >= 2024 and year <= 2024 and sex = 'F'",
        "select count(*) from victims where year > 2023 and year < 2025 and sex = 'F'",
        "select count(*) from victims where not (year <> 2024) and not sex <> 'F'",
        "select count(*) from victims where (sex = 'F' or sex = 'F') and (year = 2024 and year = 2024)",
        "select count(*) from victims where sex not in ('M', 'T', '_X') and year = 2024",
        "select count(*) from victims where sex not in ('M', 'T') and sex is not null and year = 2024",
        "select count(1) from victims as v where v.year = 2024 and v.sex = 'F'",
        "select count(distinct person_id) from victims where year = 2024 and sex = 'F'",
        "select count(*) from (select * from victims where year = 2024) t where sex = 'F'",
        "with v as (select sex s, year y from victims) select count(*) from v where y = 2024 and s = 'F'",
        "with a as (select * from victims where sex = 'F'), b as (select * from a where year = 2024) select count(*) from b",
        "select count(*) filter (where sex = 'F') from victims where year = 2024",
        "select sum(case when sex = 'F' then 1 else 0 end) from victims where year = 2024",
        "select count(case when sex = 'F' then 1 end) from victims where year = 2024",
        "select sum(case sex when 'F' then 1 else 0 end) from victims where year = 2024",
        "select sex, count(*) from victims where year = 2024 and sex = 'F' group by sex",
        "select year, count(*) from victims where year = 2024 and sex = 'F' group by year",
        "select count(*) from victims where extract(year from month) = 2024 and sex = 'F'",
        "select count(*) from victims where date_trunc('year', month) = '2024-01-01' and coalesce(sex, '_X') = 'F'",
        "select count(*) from victims v join reference.sex s on v.sex = s.code where s.en = 'Female' and v.year = 2024",
        "select count(*) n from protected.victims where year = cast('2024' as int) and sex = 'F' limit 1",
        "select n + 1 from (select count(*) n from victims where year = 2024 and sex = 'F') t",
        "select sum(n) from (select count(*) n from victims where year = 2024 and sex = 'F') t",
        "select count(*) from victims where year = 2024 and sex = 'F' having count(*) > 1 order by 1",
    ],
    &[
        "select age_group, count(*) from victims group by age_group",
        "select priv_level(age_band, 'age_group'), count(*) from victims group by 1",
        "select case when age_group = 'child' then 'c' when age_group = 'adult' then 'a' else '?' end, count(*) from victims group by 1",
        "select case when age_band <= '09-17' then 'c' when age_band is null then '?' else 'a' end, count(*) from victims group by 1",
        "select case when age_band in ('00-08', '09-17') then 1 when age_band >= '18-20' then 2 else 3 end, count(*) from victims group by 1",
        "select b.age_group, count(*) from victims v join reference.age_band b on v.age_band = b.code group by 1",
        "select b.age_group, count(*) from reference.age_band b right join victims v on b.code = v.age_band group by 1",
    ],
    &[
        "select distinct sex from victims",
        "select sex from victims group by sex",
        "select sex from (select sex, province from victims) t group by sex",
        "with t as (select distinct sex from victims) select * from t",
    ],
    &[
        "select count(*) from victims where age_group = 'child'",
        "select count(*) from victims where age_band in ('00-08', '09-17')",
        "select count(*) from victims where age_band <= '09-17'",
        "select count(*) from victims where age_group not in ('adult', '_X')",
        "select count(*) from victims where age_group = 'child' and age_band < '18-20'",
    ],
];

#[tokio::test]
async fn texts_with_one_meaning_ask_one_question() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let mut rules = 0;
    for texts in SYNONYMS {
        let ids = async |sql: &str| {
            let compiled = reader.compile(Question::new(sql)).await;
            let (questions, _) = compiled.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
            questions.iter().map(disclosure::CellQuery::id).collect::<Vec<_>>()
        };
        let first = ids(texts[0]).await;
        for text in &texts[1..] {
            rules += 1;
            assert_eq!(ids(text).await, first, "{text}");
        }
    }
    assert!(rules >= 30, "{rules}");
}

/// Punjab and Sindh are shown, the others hidden.
fn two_provinces(at: &[(String, String)]) -> Option<disclosure::Figure> {
    let hidden = at.iter().any(|(level, code)| level == "province" && !["PK-PB", "PK-SD"].contains(&code.as_str()));
    (!hidden).then(|| figure(200))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_total_over_a_hidden_cell_is_null_and_what_is_shown_can_be_added() {
    let reader = vault::reader(ByRule::new(two_provinces)).await;
    let n = number(&figure(200));
    let t = "(select province, count(*) n from victims where year = 2024 group by 1) t";
    let both = "where province in ('PK-PB', 'PK-SD')";
    let cases = [
        (format!("select sum(n), sum_visible(n), count(*), count(n) from {t}"), format!("NULL | {} | 8 | NULL", 2 * n)),
        (
            format!("select sum(n), avg(n), min(n), max(n), count(n) from {t} {both}"),
            format!("{} | {n} | {n} | {n} | 2", 2 * n),
        ),
        (format!("select sum(n) filter (where {}), count(*) from {t}", &both[6..]), format!("{} | 8", 2 * n)),
        (format!("select sum(coalesce(n, 0)) from {t}"), format!("{}", 2 * n)),
        (format!("select median(n), stddev(n), corr(n, n) from {t}"), "NULL | NULL | NULL".to_owned()),
        (format!("select count(*) filter (where n is null) from {t}"), "6".to_owned()),
        (format!("select count(*) from {t} where n > 10"), "2".to_owned()),
        (format!("select distinct sum(n) over () from {t}"), "NULL".to_owned()),
        (format!("select distinct sum_visible(n) over () from {t}"), format!("{}", 2 * n)),
        (
            format!(
                "select province, sum(n) over (partition by province) from {t} order by n nulls last, province limit 2"
            ),
            format!("PK-PB | {n}; PK-SD | {n}"),
        ),
        (format!("select sum(s) from (select province, sum(n) s from {t} group by province) u"), "NULL".to_owned()),
        (format!("select sum(n + 1), sum(1) from {t}"), "NULL | 8".to_owned()),
        (format!("select (select sum(n) from {t}) is null"), "true".to_owned()),
        (format!("select sum(a) from (select n a from {t} union all select 1) u"), "NULL".to_owned()),
        (
            format!("select province, sum(n) from {t} group by rollup (province) order by 1 nulls first limit 2"),
            "NULL | NULL; PK-BA | NULL".to_owned(),
        ),
    ];
    for (sql, expected) in cases {
        let answer = ask(&reader, &sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        assert_eq!(written(&answer).join("; "), expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_labels_follow_from_the_question() {
    let reader = vault::reader(ByRule::new(two_provinces)).await;
    let n = number(&figure(200));
    let cases = [
        // fixed levels stay columns
        (
            "select year, sex, count(*) from victims where year = 2024 and sex = 'F' group by 1, 2",
            format!("2024 | F | {n}"),
        ),
        // every period of the year, and what is known by its year only
        (
            "select year, quarter, count(*) from victims where year = 2024 group by 1, 2",
            format!(
                "2024 | 2024-Q1 | {n}; 2024 | 2024-Q2 | {n}; 2024 | 2024-Q3 | {n}; 2024 | 2024-Q4 | {n}; 2024 | _X | {n}"
            ),
        ),
        (
            "select date_trunc('quarter', month) q, count(*) from victims where quarter in ('2024-Q1', '2024-Q2') group by 1",
            format!("2024-01-01T00:00:00 | {n}; 2024-04-01T00:00:00 | {n}"),
        ),
        (
            "select age_band, age_group, count(*) from victims where age_group = 'child' group by 1, 2",
            format!("00-08 | child | {n}; 09-17 | child | {n}"),
        ),
        (
            "select case sex when 'F' then 'female' else 'other' end s, count(*) from victims group by 1",
            format!("female | {n}; other | {n}"),
        ),
        // filters are cells of their own; a contradiction has none
        (
            "select sex, count(*), count(*) filter (where sex = 'F') from victims where sex in ('F', 'M') group by sex",
            format!("F | {n} | {n}; M | {n} | NULL"),
        ),
        ("select count(*) from victims where sex = 'F' and sex = 'M'", format!("{n}")),
        // lists of what is shown
        ("select distinct province from victims", "PK-PB; PK-SD".to_owned()),
        ("select province from victims group by province", "PK-PB; PK-SD".to_owned()),
        ("select count(distinct province) from victims", "2".to_owned()),
        (
            "select sex, count(distinct province), count(*) from victims where sex in ('F', 'M') group by sex",
            format!("F | 2 | {n}; M | 2 | {n}"),
        ),
        // grouping sets
        (
            "select sex, province, grouping(sex, province) g, count(*) from victims where sex = 'F' and province = 'PK-PB' \
             group by cube (sex, province) order by g",
            format!("F | PK-PB | 0 | {n}; F | NULL | 1 | {n}; NULL | PK-PB | 2 | {n}; NULL | NULL | 3 | {n}"),
        ),
        (
            "select p.en, count(*) from victims v join reference.province p on v.province = p.code \
             where p.code in ('PK-PB', 'PK-KP') group by 1",
            format!("Punjab | {n}; Khyber Pakhtunkhwa | NULL"),
        ),
        // rates over open tables
        (
            "select a.province, a.n * 1e5 / b.pop > 0 from (select province, count(*) n from victims group by 1) a \
             left join (select province, sum(population) pop from reference.population where year = 2024 group by 1) b \
             on a.province = b.province where a.province in ('PK-PB', 'PK-GB') order by 1",
            "PK-GB | NULL; PK-PB | true".to_owned(),
        ),
    ];
    for (sql, expected) in cases {
        let answer = ask(&reader, sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        assert_eq!(written(&answer).join("; "), expected, "{sql}");
    }
}

/// The questions of two texts, which must be the same.
async fn same(one: &str, other: &str) {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let [one, other] = [compiled(&reader, one, Vec::new()).await, compiled(&reader, other, Vec::new()).await];
    assert_eq!(one.expect("a question"), other.expect("a question"));
}

#[tokio::test]
async fn a_label_of_the_code_list_is_its_code() {
    let by_code = "select count(*) from victims where province = 'PK-PB' and sex = 'F'";
    same("select count(*) from victims where province = 'Punjab' and sex = 'Female'", by_code).await;
    same("select count(*) from victims where province in ('punjab') and sex = 'female'", by_code).await;
}

#[tokio::test]
async fn calendar_months_are_classes_of_months_over_all_years() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let asked = "select extract(month from month), count(*) from victims group by 1";
    let questions = compiled(&reader, asked, Vec::new()).await.expect("a question");
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].matches(';').count(), 12, "twelve months and the unknown one: {}", questions[0]);
    let june = "select count(*) from victims where extract(month from month) = 6";
    assert!(compiled(&reader, june, Vec::new()).await.is_ok(), "five Junes of five years");
}

#[tokio::test]
async fn all_codes_but_one_are_a_condition() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    for condition in ["citizenship <> 'PK'", "citizenship not in ('PK', '_X')", "not (citizenship = 'PK')"] {
        let sql = format!("select count(*) from victims where {condition}");
        assert!(compiled(&reader, &sql, Vec::new()).await.is_ok(), "{condition}");
    }
    let two = compiled(&reader, "select count(*) from victims where citizenship not in ('PK', 'AF')", Vec::new()).await;
    assert!(two.expect_err("two left out").contains("all but one"));
}

#[tokio::test]
async fn hints_name_the_code_that_was_meant() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let cases = [
        ("select count(*) from victims where province = 'PK-PN'", "Did you mean 'PK-PB'?"),
        ("select count(*) from victims where exploitation = 'forced_labor'", "Did you mean 'forced_labour'?"),
        ("select count(*) from victims where sex = 'woman'", "There are: F, M, T, _X."),
        ("select count(*) from victims where citizenship = 'Atlantis'", "SELECT code, en FROM reference.citizenship"),
        ("select count(*) from victims where year = 1990", "from 2020 to 2024, written as '2024'"),
        ("select count(*) from victims where month = '2024-01-15'", "the first day of a period, as '2024-01-01'"),
        ("select count(*) from victims where quarter = '2024Q1'", "written as '2024-Q1'"),
        ("select count(*) from victims where sex = null", "Write sex IS NULL"),
        ("select agency from victims", "count(distinct agency)"),
        ("select count(*) from protected.victim", "Did you mean protected.victims?"),
    ];
    for (sql, hint) in cases {
        let refusal = reader.compile(Question::new(sql)).await.map(drop).expect_err(sql);
        let told = refusal.hint.clone().unwrap_or_default();
        assert!(told.contains(hint), "{sql}: {refusal}");
    }
    let refusal =
        reader.compile(Question::new("select count(*)\nfrom victims where province = 'Panjab'")).await.map(drop);
    assert_eq!(refusal.expect_err("no code").place, Some(query::Place { line: 2, column: 31 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_over_released_numbers_has_a_code_of_its_own_and_no_value() {
    let reader = vault::reader(ByRule::new(|_| Some(figure(200)))).await;
    let n = number(&figure(200));
    let refusal =
        ask(&reader, &format!("select 1/(count(*)-{n}) from victims"), Vec::new()).await.expect_err("by zero");
    assert_eq!(refusal.code.name(), "PRIV-2001");
    let refusal =
        ask(&reader, "select cast('a' || count(*) as bigint) from victims", Vec::new()).await.expect_err("no number");
    assert_eq!(refusal.code.name(), "PRIV-2001");
    assert!(!refusal.to_string().contains(&n.to_string()), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_questions_are_asked_once() {
    let oracle = ByRule::new(|_| None);
    let reader = vault::reader(oracle.clone()).await;
    let sql = "with t as (select province, count(*) n from victims where year = 2024 group by 1) \
               select a.province, a.n, b.n from t a join t b on a.province = b.province \
               where a.n = (select max(n) from (select province, count(*) n from victims where 2024 = year group by 1) u)";
    ask(&reader, sql, Vec::new()).await.expect("an answer");
    let asked = oracle.asked.lock().expect("not poisoned");
    assert_eq!(asked.iter().map(|(questions, _)| questions.len()).collect::<Vec<_>>(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn means_and_quantiles_are_made_of_released_numbers() {
    let ask_by = async |rule: vault::Rule, sql: &str| {
        let reader = vault::reader(ByRule::new(rule)).await;
        written(&ask(&reader, sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"))).join("; ")
    };
    let quantiles = "select median(imprisonment_months), percentile_cont(0.25) within group (order by imprisonment_months), \
                     min(imprisonment_months), max(imprisonment_months) from judgments";
    // Eleven bins of one size: the middle one is 36 to 60, the first quarter ends three quarters into 6 to 12.
    assert_eq!(ask_by(|_| Some(figure(200)), quantiles).await, "48 | 10.8 | 0 | 300");
    // Hidden bins count as half the floor; K is passed in the first bin that is shown.
    let middle: vault::Rule = |at| (at[0].1 == "36-59").then(|| figure(200));
    assert_eq!(ask_by(middle, quantiles).await.split(" | ").next(), Some("48"));
    // Less than four times the floor is shown.
    let few: vault::Rule = |at| (at[0].1 == "36-59").then(|| figure(30));
    assert_eq!(ask_by(few, quantiles).await, "NULL | NULL | NULL | NULL");
    // The same figure for the sum and the units; less than twice the floor is not shown.
    let mean = "select avg(imprisonment_months) from judgments";
    assert_eq!(ask_by(|_| Some(figure(200)), mean).await, "1");
    assert_eq!(ask_by(|_| Some(figure(15)), mean).await, "NULL");
    assert_eq!(ask_by(|_| None, mean).await, "NULL");
    let sum = "select province, sum(fine_pkr) from judgments where province in ('PK-PB', 'PK-KP') group by 1";
    assert_eq!(ask_by(two_provinces, sum).await, format!("PK-PB | {}; PK-KP | NULL", number(&figure(200))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_in_the_order_of_their_keys() {
    let reader = vault::reader(ByRule::new(|_| Some(figure(200)))).await;
    let first = async |sql: &str| {
        let answer = ask(&reader, sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        written(&answer).into_iter().take(2).collect::<Vec<_>>().join("; ")
    };
    let by_sex = first("select sex, province from victims group by sex, province limit 2").await;
    assert_eq!(by_sex, "F | PK-PB; F | PK-SD");
    let by_province = first("select sex, province from victims group by province, sex limit 2").await;
    assert_eq!(by_province, "F | PK-PB; M | PK-PB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_released_rows_all_of_sql_is_at_hand() {
    let reader = vault::reader(ByRule::new(two_provinces)).await;
    let n = number(&figure(200));
    let t = "(select province, count(*) n from victims where year = 2024 group by 1) t";
    let c = "(select province, count(*) c from cases where year = 2024 group by 1) c";
    let cases = [
        (format!("select distinct on (n is null) province, n from {t} order by n is null, province"), format!("PK-PB | {n}; PK-BA | NULL")),
        (format!("select t.province, n, c from {t} join {c} using (province) order by 1 limit 1"), "PK-BA | NULL | NULL".to_owned()),
        (format!("select t.* from {t} natural join {c} where n > 0 order by 1"), format!("PK-PB | {n}; PK-SD | {n}")),
        (format!("select x, n from {t} join (values ('PK-PB', 1), ('PK-SD', 2)) v(p, x) on t.province = v.p order by x"), format!("1 | {n}; 2 | {n}")),
        (format!("select province from {t} where n > 0 except select 'PK-PB'"), "PK-SD".to_owned()),
        (format!("select province from {t} where n > 0 intersect select code from reference.province where code = 'PK-SD'"), "PK-SD".to_owned()),
        (format!("select province from {t} where exists (select 1 from {c} where c.province = t.province and c > 0) order by 1"), "PK-PB; PK-SD".to_owned()),
        (format!("select en, (select max(n) from {t} where t.province = p.code) n from reference.province p where code = 'PK-PB'"), format!("Punjab | {n}")),
        (format!("select province, lag(n) over (order by province desc) from {t} where n > 0 order by 1"), format!("PK-PB | {n}; PK-SD | NULL")),
        (format!("select province from {t} qualify row_number() over (order by province) = 1"), "PK-BA".to_owned()),
        (format!("select upper(province), round(n * 1.0 / 7, 1) > 0, case when n > 1 then 'many' end from {t} where n between 1 and 1000 order by 1 limit 1"), "PK-PB | true | many".to_owned()),
        (format!("select a.province from {t} cross join (select 'PK-SD' as province) a where t.province = a.province"), "PK-SD".to_owned()),
        (format!("select count(*) from {t} full join reference.sex s on t.province = s.code"), "11".to_owned()),
        (format!("with a as (select * from {t}), b as (select sum(n) s from a where n > 0) select s from b"), format!("{}", 2 * n)),
        (format!("select v.value > 0, t.n from published.v01 v join {t} on v.province = t.province where v.time_period = '2024' and v.province = 'PK-PB' and v.sex = '_T' and v.age_group = '_T'"), format!("true | {n}")),
        ("select count(*) + (select count(*) from accused) from victims".to_owned(), format!("{}", 2 * n)),
        ("select sum(k) from (select count(*) k from victims union all select count(*) from accused union all values (1)) u".to_owned(), format!("{}", 2 * n + 1)),
        ("select count(*) from (select distinct sex, province from victims) t".to_owned(), "8".to_owned()),
        ("select count(*) n from victims order by n limit 1 offset 0".to_owned(), format!("{n}")),
    ];
    for (sql, expected) in cases {
        let answer = ask(&reader, &sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        assert_eq!(written(&answer).join("; "), expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_shows_the_question_and_asks_nothing() {
    let oracle = ByRule::new(|_| Some(figure(200)));
    let reader = vault::reader(oracle.clone()).await;
    let sql = "explain select province, count(*) from victims where year = 2024 and sex = 'F' group by province";
    let answer = ask(&reader, sql, Vec::new()).await.expect("an explanation");
    let text = written(&answer).join("");
    for part in [
        r#""dataset":"victims""#,
        r#""population":{"sex":["F"],"year":["2024"]}"#,
        r#""by":[{"level":"province","code_list":"province","codes":8,"groups":8}]"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(oracle.asked.lock().expect("not poisoned").is_empty());
    let refused = ask(&reader, "explain select * from victims", Vec::new()).await.expect_err("a form");
    assert_eq!(refused.code.name(), "PRIV-1003", "what would be refused is refused");
    let plans = ask(&reader, "explain select * from published.v01", Vec::new()).await.expect_err("a plan");
    assert_eq!(plans.code.name(), "statement");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_recorded_with_what_became_of_it_and_needs_a_key() {
    let oracle = ByRule::new(|at| at.iter().any(|(_, code)| code == "PK-PB").then(|| figure(200)));
    let reader = vault::reader(oracle.clone()).await;
    let sql = "select province, count(*) from victims where year = 2024 group by province";
    ask(&reader, sql, Vec::new()).await.expect("an answer");
    ask(&reader, "select * from victims", Vec::new()).await.expect_err("a form");
    ask(&reader, "select 1/0 * count(*) from victims where year = 2024", Vec::new()).await.expect_err("an error");
    ask(&reader, "select * from published.v01", Vec::new()).await.expect("a published table");
    let ended = oracle.ended.lock().expect("not poisoned").clone();
    let decisions: Vec<_> = ended.iter().map(|end| end.refused.map(query::Code::name)).collect();
    assert_eq!(decisions, [None, Some("PRIV-1003"), Some("PRIV-2001")], "published tables are nobody's secret");
    let [asked] = &ended[0].questions[..] else { panic!("{ended:?}") };
    assert_eq!((asked.cells, asked.suppressed, &asked.tiers[..]), (8, 7, &[4][..]));
    assert_eq!(asked.text, "victims {year: 2024} by {province} count {units}");
    let keyless = reader.ask(Question::new(sql), tokio_util::sync::CancellationToken::new()).await;
    assert_eq!(keyless.expect_err("no key").code.name(), "key_needed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_is_recorded_like_a_question_and_needs_a_key_as_one_does() {
    let oracle = ByRule::slotted(|_| Some(figure(200)), Some(std::time::Duration::from_mins(1)));
    let reader = vault::reader(oracle.clone()).await;
    let sql = "explain select province, count(*) from victims where year = 2024 group by province";
    let form = "explain select * from victims";
    ask(&reader, sql, Vec::new()).await.expect("an explanation, which has no slot to wait for");
    ask(&reader, form, Vec::new()).await.expect_err("a form");
    ask(&reader, "explain select * from published.v01", Vec::new()).await.expect_err("a plan");
    let unknown = ask(&reader, "explain select * from published.nothing", Vec::new()).await.expect_err("no such table");
    assert_eq!(unknown.code.name(), "unknown_table");
    let ended = oracle.ended.lock().expect("not poisoned").clone();
    let decisions: Vec<_> = ended.iter().map(|end| end.refused.map(query::Code::name)).collect();
    assert_eq!(decisions, [None, Some("PRIV-1003")]);
    let [asked] = &ended[0].questions[..] else { panic!("{ended:?}") };
    assert_eq!((asked.text.as_str(), asked.cells), ("victims {year: 2024} by {province} count {units}", 0));
    assert_eq!(ended[0].slot, None);
    for sql in [sql, form] {
        let keyless = reader.ask(Question::new(sql), tokio_util::sync::CancellationToken::new()).await;
        assert_eq!(keyless.expect_err("no key").code.name(), "key_needed", "{sql}");
    }
    assert_eq!(oracle.ended.lock().expect("not poisoned").len(), 2, "without a key nothing is asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_leaves_before_the_end_of_its_slot() {
    let slot = std::time::Duration::from_millis(50);
    let oracle = ByRule::slotted(|_| Some(figure(200)), Some(slot));
    let reader = vault::reader(oracle.clone()).await;
    let began = std::time::Instant::now();
    ask(&reader, "select count(*) from victims where year = 2024", Vec::new()).await.expect("an answer");
    let took = began.elapsed();
    assert!(took >= slot);
    let left = oracle.left.lock().expect("not poisoned").clone();
    let [counted] = left[..] else { panic!("{left:?}") };
    assert!(
        counted <= took && counted.as_millis() % slot.as_millis() == 0,
        "counted when it left: {counted:?}, {took:?}"
    );
    ask(&reader, "select * from victims", Vec::new()).await.expect_err("a form, which waits for nothing");
    assert_eq!(oracle.left.lock().expect("not poisoned").len(), 1);
}

#[tokio::test]
async fn who_asks_for_one_of_two_columns_is_led_to_a_question_that_counts_nobody_twice() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let hint = async |condition: &str| {
        let sql = format!("select count(*) from victims where year = 2024 and ({condition})");
        let refusal = reader.compile(Question::new(sql)).await.expect_err("two columns");
        assert_eq!(refusal.code.name(), "PRIV-1003", "{condition}");
        refusal.hint.expect("a hint")
    };
    let added = hint("sex = 'F' or age_group = 'child'").await;
    assert!(added.contains("FROM … GROUP BY sex, age_group) AS t WHERE") && added.contains("_X"), "{added}");
    // Rows of a column of which a person has several codes overlap, so that they cannot be added.
    let taken = hint("sex = 'F' or exploitation = 'sexual'").await;
    assert!(taken.contains("- count(*) FILTER (WHERE a AND b)"), "{taken}");
    let [a, b] = ["sex = 'F'", "exploitation = 'sexual'"];
    let sql = format!(
        "select count(*) filter (where {a}) + count(*) filter (where {b}) - count(*) filter (where {a} and {b}) \
         from victims where year = 2024"
    );
    assert_eq!(compiled(&reader, &sql, Vec::new()).await.expect("it is asked").len(), 3);
}
