//! A3, A18, A20 and A21: what an answer says beside its numbers, and whether another text gets another number
//! (privacy.md 6.11, 7.2).
//!
//! The two databases of a comparison are consecutive Snapshots on one memory, which differ in one person.
//!
//! Absent: time.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use policy::Share;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Pair, Public};
use crate::people::{BALANCED, FIRST_SID, Secret};
use crate::referee::Arena;
use crate::target::{Door, Reply, Sql, Target};

/// Texts that only a mart could have told.
fn canaries() -> [String; 2] {
    [FIRST_SID.to_string()[..8].to_owned(), "777000000".to_owned()]
}

/// Payloads: `{p}` a condition that singles out the victim's neighbourhood, `{n}` the number that was answered for it before.
const PAYLOADS: [&str; 40] = [
    "select 1 / (count(*) - {n}) from victims where {p}",
    "select count(*) / (count(*) - {n}) from victims where {p}",
    "select case when count(*) = {n} then 1 / (count(*) - {n}) else 1 end from victims where {p}",
    "select cast(case when count(*) = {n} then 'a' else '1' end as bigint) from victims where {p}",
    "select 1 / ((select count(*) from victims where {p}) - {n})",
    "select power(10.0, count(*) * 20) from victims where {p}",
    "select count(*) * 9223372036854775807 from victims where {p}",
    "select sum(1 / (case when sex = 'F' then 0 else 1 end)) from victims where {p}",
    "select count(*) from victims where {p} and 1 / (case when sex = 'F' then 0 else 1 end) = 1",
    "select count(*) from victims where {p} and cast(citizenship as int) = 1",
    "select count(*) from victims where {p} and (select sex from victims) = 'F'",
    "select count(*) from victims where {p} and sex ~ '(F+)+$'",
    "select count(*) from victims where {p} and regexp_like(sex, '(F+)+$')",
    "select (array_agg(sex))[1] from victims where {p}",
    "select count(*) from victims where {p} and to_date(month, 'x') is null",
    "with recursive r as (select 1 n union all select n + 1 from r where n < 9) select count(*) from victims, r where {p}",
    "select count(*) from victims where {p} and year = 99999999999999999999999999",
    "select citizenship, month, count(*) from victims where {p} group by 1, 2",
    "explain select count(*) from victims where {p}",
    "select count(*) from victims where {p} limit 0",
    "select count(*) from victims where {p} having count(*) > {n}",
    "select count(*) from victims where {p} having count(*) >= {n}",
    "select sector, count(*) from victims where {p} group by sector order by 2 desc, 1 limit 1",
    "select sqrt({n} - count(*) - 0.5) from victims where {p}",
    "select ln(count(*) - {n}) from victims where {p}",
    "select count(*) % (count(*) - {n}) from victims where {p}",
    "select repeat('x', count(*)) from victims where {p}",
    "select date '2024-01-01' + count(*) from victims where {p}",
    "select substr('abc', count(*)) from victims where {p}",
    "select count(distinct sector) from victims where {p}",
    "select distinct sector from victims where {p}",
    "with t as (select sector, count(*) n from victims where {p} group by 1) select sum(n), sum_visible(n), count(n) from t",
    "select sector, count(*) from victims where {p} group by rollup (sector)",
    "select count(distinct case_id) from victims where {p}",
    "select count(distinct agency) from victims where {p}",
    "select count(*) filter (where {p}), count(*) from victims",
    "select sector, sum(count(*)) over () from victims where {p} group by sector",
    "select v.n from (values (1), (2)) t(k), (select count(*) n from victims where {p}) v where v.n = {n}",
    "select avg(n) from (select sector, count(*) n from victims where {p} group by 1) t where n is not null",
    "select exploitation_form, count(*) from victims where {p} group by 1",
];

/// What was seen of texts whose outcome should follow from the text alone.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Texts tried.
    pub tried: usize,
    /// Those whose outcome told the two databases apart.
    pub apart: Vec<String>,
    /// Those with a canary in the answer.
    pub canaries: usize,
}

impl Seen {
    fn compare(&mut self, text: &str, before: &Reply, after: &Reply, differ: bool) {
        self.tried += 1;
        if differ {
            self.apart.push(text.to_owned());
        }
        let told = |canary: &String| before.text.contains(canary) || after.text.contains(canary);
        self.canaries += usize::from(canaries().iter().any(told));
    }
}

/// A18: forty payloads for each of so many victims, on two databases.
pub fn errors(arena: &Arena, target: Target, wanted: usize) -> Result<Seen> {
    let (public, door) = (Public::of(&arena.policy, &arena.people), Door::new(&arena.policy)?);
    let bases = public.isolating(1, 0);
    let (mut seen, mut number, mut victims) = (Seen::default(), 0_u64, 0);
    while victims < wanted {
        number += 1;
        ensure!(number < 100_000, "too few victims");
        let mut rng = ChaCha8Rng::seed_from_u64(0xa18 << 32 | number);
        let Some((victim, pair)) = isolated(arena, &public, &bases, &mut rng) else { continue };
        door.open(target, number, &[&arena.people])?;
        let condition = pair.larger(&own(&public, arena, victim));
        let Some(released) = door.counts("victims", std::slice::from_ref(&condition))[0] else { continue };
        let texts = PAYLOADS.map(|text| text.replace("{p}", &condition).replace("{n}", &released.to_string()));
        let before: Vec<Reply> = texts.iter().map(|text| door.ask(text)).collect();
        door.reopen(2, &[&arena.people.without(&[victim])])?;
        for (text, before) in texts.iter().zip(&before) {
            let after = door.ask(text);
            seen.compare(text, before, &after, before.class() != after.class());
        }
        victims += 1;
    }
    Ok(seen)
}

/// Her own code of the secret, as a condition: she is in the set of the larger database.
fn own(public: &Public<'_>, arena: &Arena, victim: usize) -> String {
    let code = arena.people.one[BALANCED.column][victim];
    format!("{} = '{}'", BALANCED.column, public.dataset.code_text(BALANCED.column, code).unwrap_or_default())
}

fn isolated(
    arena: &Arena,
    public: &Public<'_>,
    bases: &[Vec<Vec<&'static str>>],
    rng: &mut ChaCha8Rng,
) -> Option<(usize, Pair)> {
    let victim = rng.random_range(0..arena.people.len());
    let levels = bases[victim].first()?;
    Some((victim, public.pair(victim, levels, &(40..=70), 0, rng)?))
}

/// Statements and paths about the warehouse rather than about people.
const ABOUT: [&str; 36] = [
    "select count(*) from victims",
    "select count(*), count(distinct person_id), count(distinct case_id) from victims",
    "explain select count(*) from victims",
    "explain analyze select count(*) from victims",
    "explain verbose select count(*) from victims",
    "describe victims",
    "show tables",
    "show all",
    "show columns from victims",
    "select * from information_schema.tables",
    "select * from information_schema.columns",
    "select * from information_schema.views",
    "select * from information_schema.df_settings",
    "select * from information_schema.routines",
    "select * from information_schema.schemata",
    "select * from pg_catalog.pg_class",
    "select * from pg_class",
    "select * from pg_stats where tablename = 'victims'",
    "select reltuples from pg_class where relname = 'victims'",
    "select pg_relation_size('victims')",
    "select pg_total_relation_size('victims'), current_database()",
    "select version()",
    "select now()",
    "select arrow_typeof(count(*)) from victims",
    "select input_file_name() from victims",
    "select file_row_index() from victims",
    "select * from parquet_metadata('victims')",
    "select * from metadata_cache()",
    "select * from statistics_cache()",
    "analyze victims",
    "copy victims to 'x'",
    "create view v as select count(*) from victims",
    "prepare p as select count(*) from victims",
    "begin",
    "declare c cursor for select count(*) from victims",
    "fetch all from c",
];
const PATHS: [&str; 12] = [
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/problems",
    "/problems/PRIV-1020",
    "/v1/editions",
    "/v1/indicators",
    "/v1/code-lists",
    "/v1/code-lists/sex",
    "/v1/indicators/V01/data",
];

/// A20: the whole text of every answer, on two databases.
pub fn metadata(arena: &Arena, target: Target) -> Result<Seen> {
    let door = Door::new(&arena.policy)?;
    let victim = arena.people.len() / 2;
    door.open(target, 20, &[&arena.people])?;
    let all = |door: &Door| -> Vec<Reply> {
        let asked = ABOUT.iter().map(|sql| door.ask(sql));
        asked.chain(PATHS.iter().map(|path| door.get(path))).collect()
    };
    let before = all(&door);
    door.reopen(2, &[&arena.people.without(&[victim])])?;
    let mut seen = Seen::default();
    for ((text, before), after) in ABOUT.iter().chain(&PATHS).zip(&before).zip(all(&door)) {
        seen.compare(text, before, &after, *before != after);
    }
    Ok(seen)
}

/// One meaning in thirty forms.
const FORMS: [&str; 30] = [
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
    "select max(n) from (select sex, count(*) n from victims where year = 2024 and sex = 'F' group by sex) t",
    "select count(*) from victims where extract(year from month) = 2024 and sex = 'F'",
    "select count(*) from victims where date_trunc('year', month) = '2024-01-01' and coalesce(sex, '_X') = 'F'",
    "select count(*) from victims v join reference.sex s on v.sex = s.code where s.en = 'Female' and v.year = 2024",
    "select count(*) n from protected.victims where year = cast('2024' as int) and sex = 'F' limit 1",
    "select sum(n) from (select count(*) n from victims where year = 2024 and sex = 'F') t",
    "select count(*) from victims where year = 2024 and sex = 'F' having count(*) > 1 order by 1",
    "select n from (select sex, year, count(*) n from victims group by 1, 2) t where sex = 'F' and year = 2024",
    "select sum(n) filter (where sex = 'F') from (select sex, count(*) n from victims where year = 2024 group by 1) t",
];

/// What repeats gave.
#[derive(Debug, Clone, Copy)]
pub struct Repeats {
    /// Texts asked.
    pub tried: usize,
    /// Texts that were refused.
    pub refused: usize,
    /// Different numbers.
    pub values: usize,
    /// How far their mean is from the truth.
    pub off: f64,
}

/// A3: the forms, each dressed in ways that mean nothing, by three roles, over Snapshots without change.
pub fn repeats(arena: &Arena, target: Target) -> Result<Repeats> {
    let door = Door::new(&arena.policy)?;
    door.open(target, 5, &[&arena.people])?;
    let dressed = arena.trials.div_ceil(FORMS.len()).clamp(2, 34);
    let (mut values, mut sum, mut tried, mut refused) = (BTreeSet::new(), 0_i64, 0_usize, 0);
    for dress in 0..dressed {
        door.reopen(1 + dress as i64, &[&arena.people])?;
        for (at, form) in FORMS.iter().enumerate() {
            let text = match dress % 6 {
                0 => (*form).to_owned(),
                1 => form.replace(' ', "  \n"),
                2 => format!("/* {dress} */ {form} -- {at}"),
                3 => form.replacen("select", "SELECT", 1).replace(" from ", " FROM ").replace(" where ", " WHERE "),
                4 => format!("select * from ({form}) as z{dress}"),
                _ => format!("with z{dress} as ({form}) select z.* from z{dress} z;"),
            };
            let answer = door.ask_as(Share::ALL[(dress + at) % 3], &text);
            tried += 1;
            match answer.first().first().copied().flatten() {
                Some(value) => {
                    values.insert(value);
                    sum += value;
                }
                None => refused += 1,
            }
        }
    }
    let policy = &arena.policy;
    let dataset = policy.datasets.get("victims").context("the policy has victims")?;
    let truth = (0..arena.people.len())
        .filter(|&at| {
            let year = dataset.roll_up("month", "year", arena.people.one["month"][at]);
            year == Some(2024) && arena.people.has(policy, at, Secret { column: "sex", code: "F" })
        })
        .count();
    let answered = (tried - refused).max(1) as f64;
    Ok(Repeats { tried, refused, values: values.len(), off: (sum as f64 / answered - truth as f64).abs() })
}

/// Ways around, each with the code of its refusal or with the plain question that it must be answered like.
const BYPASSES: &str = include_str!("../../../tests/attacks/bypasses.sql");

/// A21: what is accepted means what the plain question means, over released cells, and changes no number.
pub fn bypasses(arena: &Arena, target: Target) -> Result<Seen> {
    let door = Door::new(&arena.policy)?;
    door.open(target, 21, &[&arena.people])?;
    let plain = "select province, sex, count(*) from victims where year = 2024 group by 1, 2 order by 1, 2";
    let before = door.ask(plain);
    let mut seen = Seen::default();
    for case in BYPASSES.split("-- expect: ").skip(1) {
        let (expect, rest) = case.split_once('\n').context("a line for each expectation")?;
        let (means, sql): (Vec<&str>, Vec<&str>) = rest.lines().partition(|line| line.starts_with("-- means: "));
        let sql: Vec<&str> = sql.into_iter().filter(|line| !line.starts_with("--") && !line.is_empty()).collect();
        let sql = sql.join("\n");
        let answer = door.ask(&sql);
        let wrong = match means.first() {
            Some(means) => {
                let same = door.ask(means.trim_start_matches("-- means: "));
                !answer.is_answer() || answer.rows() != same.rows()
            }
            None => answer.is_answer() || !expect.split(" or ").any(|code| code.trim() == answer.code()),
        };
        seen.compare(&format!("{sql} [{expect}, got {}]", answer.code()), &answer, &answer, wrong);
    }
    let after = door.ask(plain);
    seen.compare(plain, &before, &after, before.rows() != after.rows() || !before.is_answer());
    Ok(seen)
}
