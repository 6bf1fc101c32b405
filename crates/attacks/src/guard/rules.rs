//! Other ways to say the same: each rule takes a question it can be applied to and says it twice. Both ways must give the
//! same bytes (privacy.md 6.16, 2).
//!
//! Rules: sources are the equivalences that privacy.md 6.3 names (synonyms there are golden tests), and those of SQL.

use policy::{Dataset, TIME, Unit};
use serde_json::{Value, json};

use super::asking::{Asking, Condition, Parts, Test, list_of};
use crate::people::YEARS;

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The text.
    pub sql: String,
    /// Values of `$1`, `$2`, ….
    pub params: Vec<Value>,
}

impl From<Parts> for Said {
    fn from(parts: Parts) -> Self {
        Self { sql: parts.text(), params: Vec::new() }
    }
}

impl From<String> for Said {
    fn from(sql: String) -> Self {
        Self { sql, params: Vec::new() }
    }
}

/// A rule.
pub struct Rule {
    /// What becomes of what.
    pub name: &'static str,
    /// Both ways, of a question to which it can be applied.
    pub say: fn(&Asking<'_>) -> Option<(Said, Said)>,
}

macro_rules! rules {
    ($($name:literal => $say:expr,)*) => { &[$(Rule { name: $name, say: $say }),*] };
}

/// All rules.
pub const RULES: &[Rule] = rules! {
    "AND commuted" => |q| parts(q, q.conditions.len() > 1, |p| p.conditions.reverse()),
    "a condition twice" => |q| parts(q, !q.conditions.is_empty(), |p| p.conditions.push(p.conditions[0].clone())),
    "conditions in parentheses" => |q| conditions(q, |c| Some(format!("(({}))", c.said()))),
    "BETWEEN as >= and <=" => |q| conditions(q, bounds),
    "BETWEEN as a half-open range" => |q| conditions(q, half_open),
    "IN as OR" => |q| conditions(q, in_as_or),
    "IN in another order, with repeats" => |q| conditions(q, shuffled),
    "= as IN of one" => |q| conditions(q, |c| Some(format!("{} in ({})", c.level, c.literal(c.is()?)))),
    "= turned around" => |q| conditions(q, |c| Some(format!("{} = {}", c.literal(c.is()?), c.level))),
    "= as NOT <>" => |q| one_valued(q, |c| Some(format!("not ({} <> {})", c.level, c.literal(c.is()?)))),
    "NOT NOT" => |q| one_valued(q, |c| Some(format!("not (not ({}))", c.said()))),
    "a number as a text" => |q| conditions(q, quoted_year),
    "a year as its quarters" => |q| conditions(q, |c| year(c, |y| format!("quarter between '{y}-Q1' and '{y}-Q4'"))),
    "a year as its months" => |q| conditions(q, |c| year(c, |y| format!("month >= '{y}-01' and month <= '{y}-12'"))),
    "a year as days" => |q| conditions(q, |c| year(c, |y| format!("month >= date '{y}-01-01' and month <= date '{y}-12-01'"))),
    "a year as extract" => |q| conditions(q, |c| year(c, |y| format!("extract(year from month) = {y}"))),
    "a quarter as date_trunc" => |q| conditions(q, truncated),
    "= '_X' as IS NULL" => |q| conditions(q, |c| (c.is()? == "_X").then(|| format!("{} is null", c.level))),
    "a condition through coalesce" => |q| conditions(q, |c| coalesced(q.dataset, c)),
    "a node as its codes" => |q| conditions(q, |c| as_codes(q.dataset, c)),
    "a level by priv_level" => |q| conditions(q, |c| by_name(q.dataset, c)),
    "a group through coalesce" => |q| keys(q, |level| of_text(q.dataset, level).then(|| format!("coalesce({level}, '_X')"))),
    "a level as CASE over its codes" => |q| keys(q, |level| as_case(q.dataset, level)),
    "GROUP BY ordinals" => |q| parts(q, !q.by.is_empty(), |p| p.group = ordinals(p.keys.len())),
    "GROUP BY in another order" => |q| parts(q, q.by.len() > 1, |p| p.group = format!("{}, {}", p.keys[1], p.keys[0])),
    "a label from the code list" => from_code_list,
    "DISTINCT as GROUP BY" => distinct,
    "ROLLUP as GROUPING SETS" => rollup,
    "CUBE as GROUPING SETS" => cube,
    "WHERE as FILTER" => filtered,
    "FILTER as SUM of CASE" => |q| indicator(q, |when| format!("sum(case when {when} then 1 else 0 end)")),
    "FILTER as COUNT of CASE" => |q| indicator(q, |when| format!("count(case when {when} then 1 end)")),
    "count(*) as count(1)" => |q| figures(q, |figure| figure.replace("count(*)", "count(1)")),
    "units as count(distinct)" => units,
    "a common table expression" => |q| Some((q.plain().into(), cte(q).into())),
    "a subquery of the answer" => |q| Some((q.plain().into(), format!("select * from ({}) t", named(q).text()).into())),
    "records from a subquery" => |q| parts(q, true, |p| p.from = format!("(select * from {}) t", p.from)),
    "WHERE inside a subquery" => |q| parts(q, !q.conditions.is_empty(), inside),
    "columns renamed in a subquery" => renamed,
    "HAVING as outer WHERE" => having,
    "a table alias" => aliased,
    "aliases of columns" => |q| Some((q.plain().into(), named(q).into())),
    "quoted identifiers" => |q| Some((q.plain().into(), quoted(q).into())),
    "upper case" => |q| Some((q.plain().into(), shouted(q).into())),
    "comments and white space" => |q| Some((q.plain().into(), commented(q).into())),
    "ORDER BY" => |q| parts(q, !q.by.is_empty(), |p| p.tail = format!(" order by {} desc", p.keys.len() + 1)),
    "parameters" => bound,
    "figures apart, joined" => apart,
};

/// Both ways, the second changed.
fn parts(asking: &Asking<'_>, applies: bool, change: impl Fn(&mut Parts)) -> Option<(Said, Said)> {
    let mut changed = asking.plain();
    applies.then(|| change(&mut changed))?;
    Some((asking.plain().into(), changed.into()))
}

/// Each condition that can be said otherwise is.
fn conditions(asking: &Asking<'_>, otherwise: impl Fn(&Condition) -> Option<String>) -> Option<(Said, Said)> {
    let mut changed = asking.plain();
    let mut any = false;
    for (said, condition) in changed.conditions.iter_mut().zip(&asking.conditions) {
        if let Some(other) = otherwise(condition) {
            (*said, any) = (other, true);
        }
    }
    any.then(|| (asking.plain().into(), changed.into()))
}

/// The same, of columns in which a unit has one code: of others there is no NOT (PRIV-1015).
fn one_valued(asking: &Asking<'_>, otherwise: impl Fn(&Condition) -> Option<String>) -> Option<(Said, Said)> {
    let few = |level: &str| asking.dataset.codes(level, YEARS).is_some_and(|codes| codes.len() <= 8);
    conditions(asking, |c| if asking.dataset.is_many(&c.level) || !few(&c.level) { None } else { otherwise(c) })
}

/// Each column of a group that can be said otherwise is.
fn keys(asking: &Asking<'_>, otherwise: impl Fn(&str) -> Option<String>) -> Option<(Said, Said)> {
    let mut changed = asking.plain();
    let mut any = false;
    for key in &mut changed.keys {
        if let Some(other) = otherwise(key) {
            (*key, any) = (other, true);
        }
    }
    changed.group = changed.keys.join(", ");
    any.then(|| (asking.plain().into(), changed.into()))
}

/// Each aggregate that can be said otherwise is.
fn figures(asking: &Asking<'_>, otherwise: impl Fn(&str) -> String) -> Option<(Said, Said)> {
    let mut changed = asking.plain();
    changed.figures = changed.figures.iter().map(|figure| otherwise(figure)).collect();
    (changed.figures != asking.figures).then(|| (asking.plain().into(), changed.into()))
}

fn bounds(condition: &Condition) -> Option<String> {
    let Test::Between(from, to) = &condition.test else { return None };
    let (level, from, to) = (&condition.level, condition.literal(from), condition.literal(to));
    Some(format!("{level} >= {from} and {to} >= {level}"))
}

fn half_open(condition: &Condition) -> Option<String> {
    let Test::Between(from, to) = &condition.test else { return None };
    let (level, from, to) = (&condition.level, from.parse::<u16>().ok()?, to.parse::<u16>().ok()?);
    Some(format!("{level} >= {from} and {level} < {}", to + 1))
}

fn in_as_or(condition: &Condition) -> Option<String> {
    let Test::Among(codes) = &condition.test else { return None };
    let each = codes.iter().map(|code| format!("{} = {}", condition.level, condition.literal(code)));
    Some(format!("({})", each.collect::<Vec<_>>().join(" or ")))
}

fn shuffled(condition: &Condition) -> Option<String> {
    let Test::Among(codes) = &condition.test else { return None };
    let codes: Vec<String> = codes.iter().rev().chain(codes.first()).map(|code| condition.literal(code)).collect();
    Some(format!("{} in ({})", condition.level, codes.join(", ")))
}

fn quoted_year(condition: &Condition) -> Option<String> {
    let text = |code: &str| format!("'{code}'");
    match &condition.test {
        _ if condition.level != "year" => None,
        Test::Is(year) => Some(format!("year = {}", text(year))),
        Test::Between(from, to) => Some(format!("year between {} and {}", text(from), text(to))),
        Test::Among(_) => None,
    }
}

fn year(condition: &Condition, said: impl Fn(&str) -> String) -> Option<String> {
    (condition.level == "year").then(|| condition.is().map(said)).flatten()
}

fn truncated(condition: &Condition) -> Option<String> {
    let (year, quarter) = condition.is().filter(|_| condition.level == "quarter")?.split_once("-Q")?;
    let month = (quarter.parse::<u16>().ok()? - 1) * 3 + 1;
    Some(format!("date_trunc('quarter', month) = date '{year}-{month:02}-01'"))
}

/// Whether a level is a column of texts, not of time.
fn of_text(dataset: &Dataset, level: &str) -> bool {
    dataset.dimension_of(level).is_some_and(|dimension| dimension != TIME)
}

fn coalesced(dataset: &Dataset, condition: &Condition) -> Option<String> {
    of_text(dataset, &condition.level).then(|| condition.said_of(&format!("coalesce({}, '_X')", condition.level)))
}

/// The codes below a node at the finest level, of a coarser one.
fn below(dataset: &Dataset, level: &str, node: &str) -> Option<(String, Vec<String>)> {
    let finest = dataset.dimension_of(level).filter(|finest| *finest != level && of_text(dataset, level))?;
    let node = dataset.code_of(level, node, YEARS)?;
    let codes = dataset.codes(finest, YEARS)?.into_iter();
    let codes = codes.filter(|code| dataset.roll_up(finest, level, *code) == Some(node));
    Some((finest.to_owned(), codes.filter_map(|code| dataset.code_text(finest, code)).collect()))
}

fn listed(codes: &[String]) -> String {
    codes.iter().map(|code| format!("'{code}'")).collect::<Vec<_>>().join(", ")
}

fn as_codes(dataset: &Dataset, condition: &Condition) -> Option<String> {
    let (finest, codes) = below(dataset, &condition.level, condition.is()?)?;
    let most = if dataset.is_many(&finest) { 1 } else { 8 };
    (codes.len() <= most).then(|| format!("{finest} in ({})", listed(&codes)))
}

fn by_name(dataset: &Dataset, condition: &Condition) -> Option<String> {
    let finest = dataset.dimension_of(&condition.level).filter(|_| of_text(dataset, &condition.level))?;
    let level = &condition.level;
    (finest != level).then(|| condition.said_of(&format!("priv_level({finest}, '{level}')")))
}

/// `CASE WHEN finest IN (…) THEN 'node' …`: a published level, if the classes are the same (privacy.md 6.3, Case).
fn as_case(dataset: &Dataset, level: &str) -> Option<String> {
    let nodes = dataset.codes(level, YEARS).filter(|_| !dataset.is_many(level))?;
    let mut arms = String::new();
    for node in nodes.iter().filter_map(|node| dataset.code_text(level, *node)) {
        let (finest, codes) = below(dataset, level, &node)?;
        if !codes.is_empty() {
            arms.push_str(&format!(" when {finest} in ({}) then '{node}'", listed(&codes)));
        }
    }
    // A text of 16 KiB is the most that is read.
    (arms.len() < 8_000).then(|| format!("case{arms} end"))
}

fn ordinals(keys: usize) -> String {
    (1..=keys).map(|key| key.to_string()).collect::<Vec<_>>().join(", ")
}

fn from_code_list(asking: &Asking<'_>) -> Option<(Said, Said)> {
    // The code lists that the door's catalogue has.
    const LISTS: [&str; 5] = ["sex", "province", "age_band", "scope", "citizenship"];
    let has = |level: &&String| list_of(asking.dataset, level).is_some_and(|list| LISTS.contains(&list));
    let level = asking.by.iter().find(has)?;
    let list = list_of(asking.dataset, level)?;
    let mut parts = qualified(asking, "r");
    let at = asking.by.iter().position(|by| by == level)?;
    "c.code".clone_into(&mut parts.keys[at]);
    parts.group = parts.keys.join(", ");
    parts.from = format!("{} r join reference.{list} c on r.{level} = c.code", parts.from);
    Some((asking.plain().into(), parts.into()))
}

fn distinct(asking: &Asking<'_>) -> Option<(Said, Said)> {
    (!asking.by.is_empty()).then_some(())?;
    let grouped = Parts { figures: Vec::new(), ..asking.plain() };
    let mut distinct = Parts { group: String::new(), ..grouped.clone() };
    distinct.keys[0] = format!("distinct {}", distinct.keys[0]);
    Some((grouped.into(), distinct.into()))
}

fn rollup(asking: &Asking<'_>) -> Option<(Said, Said)> {
    let [a, b] = &asking.by[..] else { return None };
    let short = Parts { group: format!("rollup ({a}, {b})"), ..asking.plain() };
    let long = Parts { group: format!("grouping sets ((), ({a}), ({a}, {b}))"), ..asking.plain() };
    Some((short.into(), long.into()))
}

fn cube(asking: &Asking<'_>) -> Option<(Said, Said)> {
    let [a, b] = &asking.by[..] else { return None };
    let short = Parts { group: format!("cube ({a}, {b})"), ..asking.plain() };
    let long = Parts { group: format!("grouping sets (({b}), ({a}), (), ({b}, {a}))"), ..asking.plain() };
    Some((short.into(), long.into()))
}

/// Conditions from WHERE into FILTER: groups are those of all, so none of them may be of a column that is grouped by.
fn filtered(asking: &Asking<'_>) -> Option<(Said, Said)> {
    let when = asking.plain().conditions.join(" and ");
    let grouped: Vec<_> = asking.by.iter().map(|level| asking.dataset.dimension_of(level)).collect();
    let apart = asking.conditions.iter().all(|c| !grouped.contains(&asking.dataset.dimension_of(&c.level)));
    (apart && !asking.conditions.is_empty()).then_some(())?;
    let figures = asking.figures.iter().map(|figure| format!("{figure} filter (where {when})")).collect();
    let filtered = Parts { figures, conditions: Vec::new(), ..asking.plain() };
    Some((asking.plain().into(), filtered.into()))
}

fn indicator(asking: &Asking<'_>, said: impl Fn(&str) -> String) -> Option<(Said, Said)> {
    let (last, others) =
        asking.plain().conditions.split_last().map(|(last, others)| (last.clone(), others.to_vec()))?;
    let with = |figure: String| Parts { figures: vec![figure], conditions: others.clone(), ..asking.plain() };
    Some((with(format!("count(*) filter (where {last})")).into(), with(said(&last)).into()))
}

/// Where a row is a unit, the unit's own number counts the same.
fn units(asking: &Asking<'_>) -> Option<(Said, Said)> {
    let own = match asking.dataset.unit {
        Unit::Person if ["victims", "accused"].contains(&asking.dataset.name.as_str()) => "count(distinct person_id)",
        Unit::Case => "count(distinct case_id)",
        _ => return None,
    };
    let once = !asking.figures.iter().any(|figure| figure == own);
    once.then(|| figures(asking, |figure| figure.replace("count(*)", own))).flatten()
}

/// With a name for each column.
fn named(asking: &Asking<'_>) -> Parts {
    let mut parts = asking.plain();
    for (at, key) in parts.keys.iter_mut().enumerate() {
        *key = format!("{key} as k{at}");
    }
    for (at, figure) in parts.figures.iter_mut().enumerate() {
        *figure = format!("{figure} as \"Figure {at}\"");
    }
    parts
}

fn cte(asking: &Asking<'_>) -> String {
    format!("with t as ({}) select * from t", named(asking).text())
}

fn inside(parts: &mut Parts) {
    let conditions = std::mem::take(&mut parts.conditions);
    parts.from = format!("(select * from {} where {}) t", parts.from, conditions.join(" and "));
}

fn renamed(asking: &Asking<'_>) -> Option<(Said, Said)> {
    (asking.only_counts() && !asking.levels().is_empty()).then_some(())?;
    let levels = asking.levels();
    let named = |level: &str| format!("c{}", levels.iter().position(|other| other == level).unwrap_or_default());
    let columns: Vec<String> = levels.iter().map(|level| format!("{level} as {}", named(level))).collect();
    let mut parts = asking.plain();
    parts.from = format!("(select {} from {}) t", columns.join(", "), parts.from);
    parts.conditions = asking.conditions.iter().map(|c| c.said_of(&named(&c.level))).collect();
    parts.keys = asking.by.iter().map(|level| named(level)).collect();
    parts.group = parts.keys.join(", ");
    Some((asking.plain().into(), parts.into()))
}

fn having(asking: &Asking<'_>) -> Option<(Said, Said)> {
    (!asking.by.is_empty()).then_some(())?;
    let having = Parts { tail: " having count(*) > 40".to_owned(), ..asking.plain() };
    let outer = format!("select * from ({}) t where \"Figure 0\" > 40", named(asking).text());
    Some((having.into(), outer.into()))
}

/// Every column with the alias of its table.
fn qualified(asking: &Asking<'_>, alias: &str) -> Parts {
    let with = |level: &str| format!("{alias}.{level}");
    let mut parts = asking.plain();
    parts.conditions = asking.conditions.iter().map(|c| c.said_of(&with(&c.level))).collect();
    parts.keys = asking.by.iter().map(|level| with(level)).collect();
    parts.group = parts.keys.join(", ");
    parts
}

fn aliased(asking: &Asking<'_>) -> Option<(Said, Said)> {
    (!asking.levels().is_empty()).then_some(())?;
    let mut parts = qualified(asking, "v");
    parts.from = format!("{} as v", parts.from);
    Some((asking.plain().into(), parts.into()))
}

/// Every name in quotes.
fn quoted(asking: &Asking<'_>) -> Parts {
    let with = |level: &str| format!("\"{level}\"");
    let mut parts = asking.plain();
    parts.conditions = asking.conditions.iter().map(|c| c.said_of(&with(&c.level))).collect();
    parts.keys = asking.by.iter().map(|level| with(level)).collect();
    parts.group = parts.keys.join(", ");
    parts.from = with(&parts.from);
    parts
}

/// Keywords and names in upper case; codes stay as they are.
fn shouted(asking: &Asking<'_>) -> String {
    let text = asking.plain().text();
    let parts = text.split('\'').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 0 { part.to_uppercase() } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("'")
}

fn commented(asking: &Asking<'_>) -> String {
    let text =
        asking.plain().text().replace(" from ", "\n\t/* of */ from -- whom\n  ").replace(" where ", "\r\nwhere  ");
    format!("  -- a question\n{text} ;\n")
}

fn bound(asking: &Asking<'_>) -> Option<(Said, Said)> {
    let mut params = Vec::new();
    let mut parts = asking.plain();
    for (said, condition) in parts.conditions.iter_mut().zip(&asking.conditions) {
        if let Some(code) = condition.is() {
            params.push(if condition.level == "year" { json!(code.parse::<u16>().ok()?) } else { json!(code) });
            *said = format!("{} = ${}", condition.level, params.len());
        }
    }
    (!params.is_empty()).then(|| (asking.plain().into(), Said { sql: parts.text(), params }))
}

/// Each figure in a subquery of its own. The key of a period that is not known is NULL where it is a day.
fn apart(asking: &Asking<'_>) -> Option<(Said, Said)> {
    let ([key], [_, _]) = (&asking.by[..], &asking.figures[..]) else { return None };
    let part = |at: usize| {
        let parts = asking.plain();
        Parts { keys: vec![format!("{key} as k")], figures: vec![format!("{} as f", parts.figures[at])], ..parts }
            .text()
    };
    let joined =
        format!("select a.k, a.f, b.f from ({}) a join ({}) b on a.k is not distinct from b.k", part(0), part(1));
    Some((asking.plain().into(), joined.into()))
}
