//! Statements that nobody wrote: the recorded ones with pieces lost, doubled, swapped and taken from one another, and generated ones.
//! Each ends in an answer or an error with a class, never in a panic, and what has a shape keeps it when it is answered.

use std::time::Duration;

use pgcatalog::Catalogue;
use proptest::prelude::*;

use crate::corpus::held_to;
use crate::fixture::catalogue;
use crate::recorded::{CLIENTS, statements};

/// How many mutated statements run. Each takes about a millisecond.
const STATEMENTS: u64 = 2_000;

/// A small generator of numbers (SplitMix64), so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides.max(1) as u64) as usize
    }
}

/// A statement in pieces: words, signs, spaces.
fn pieces(sql: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut last = ' ';
    for letter in sql.chars() {
        let class = |letter: char| {
            if letter.is_alphanumeric() || letter == '_' {
                0
            } else if letter.is_whitespace() {
                1
            } else {
                2
            }
        };
        match pieces.last_mut() {
            Some(piece) if class(letter) == class(last) && class(letter) != 2 => piece.push(letter),
            _ => pieces.push(letter.to_string()),
        }
        last = letter;
    }
    pieces
}

fn mutated(dice: &mut Dice, sql: &str, other: &str) -> String {
    let mut pieces_of_it = pieces(sql);
    let others = pieces(other);
    for _ in 0..=dice.roll(3) {
        let place = dice.roll(pieces_of_it.len());
        match dice.roll(6) {
            0 if pieces_of_it.len() > 1 => drop(pieces_of_it.remove(place)),
            1 => pieces_of_it.insert(place, others[dice.roll(others.len())].clone()),
            2 => pieces_of_it[place].clone_from(&others[dice.roll(others.len())]),
            3 => {
                let second = dice.roll(pieces_of_it.len());
                pieces_of_it.swap(place, second);
            }
            4 => {
                let end = (place + dice.roll(12)).min(pieces_of_it.len());
                let copy: Vec<String> = pieces_of_it[place..end].to_vec();
                pieces_of_it.splice(end..end, copy);
            }
            _ => {
                pieces_of_it[place] =
                    ["NULL", "''", "$1", "*", "(", ")", "::regclass", "unnest", "ANY", "0", "-1", "relname", "{1,2}"]
                        [dice.roll(13)]
                    .into();
            }
        }
    }
    pieces_of_it.concat()
}

/// Asks, and holds the answer to what must always be so.
fn judge(catalogue: &Catalogue, sql: &str) {
    held_to::judge(catalogue, sql, &[], &[]);
}

#[test]
fn no_mutation_of_a_recorded_statement_panics_or_breaks_the_catalogue() {
    let catalogue = catalogue().with_deadline(Duration::from_millis(100));
    let corpus: Vec<String> =
        CLIENTS.iter().flat_map(|(_, text)| statements(text)).map(|recorded| recorded.sql).collect();
    let mut dice = Dice(0x5eed);
    for _ in 0..STATEMENTS {
        let (sql, other) = (&corpus[dice.roll(corpus.len())], &corpus[dice.roll(corpus.len())]);
        judge(&catalogue, &mutated(&mut dice, sql, other));
    }
}

/// An expression of a few levels over the columns of `pg_class`.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "relname",
        "oid",
        "relkind",
        "relhasindex",
        "reltuples",
        "relacl",
        "1",
        "'a'",
        "NULL",
        "true",
        "$1",
        "'{1,2}'::int[]",
        "oid::regclass",
        "1.5",
        "current_user",
        "c",
        "now()",
        "'pg_class'",
        "relname::text",
        "E'\\\\d'",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec![
            "=",
            "<>",
            "<",
            "+",
            "-",
            "*",
            "/",
            "%",
            "||",
            "~",
            "!~*",
            "AND",
            "OR",
            "LIKE",
            "ILIKE",
            "IS DISTINCT FROM",
            "@>",
            "&&",
            "~~",
        ]);
        let cast = prop::sample::select(vec![
            "text",
            "int",
            "oid",
            "regclass",
            "regtype",
            "bool",
            "name",
            "\"char\"",
            "int2vector",
            "text[]",
            "oid[]",
            "regtype[]",
            "float8",
            "numeric",
            "varchar(3)",
            "json",
            "date",
            "regproc",
            "regnamespace",
        ]);
        let function = prop::sample::select(vec![
            "lower",
            "length",
            "format_type",
            "array_to_string",
            "coalesce",
            "unnest",
            "count",
            "array_agg",
            "to_regclass",
            "pg_get_userbyid",
            "upper",
            "generate_series",
            "substring",
            "has_table_privilege",
            "row_number() OVER (), ",
            "nullif",
            "quote_ident",
            "abs",
            "current_setting",
            "max",
            "string_agg",
            "concat",
            "pg_typeof",
            "array_length",
            "to_json",
            "greatest",
            "split_part",
            "repeat",
            "chr",
            "overlay",
            "mod",
            "to_char",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (inner.clone(), cast).prop_map(|(value, kind)| format!("({value})::{kind}")),
            (function.clone(), inner.clone()).prop_map(|(name, value)| format!("{name}({value})")),
            (function, inner.clone(), inner.clone())
                .prop_map(|(name, first, second)| format!("{name}({first}, {second})")),
            (inner.clone(), inner.clone()).prop_map(|(value, index)| format!("({value})[{index}]")),
            inner.clone().prop_map(|value| format!("ARRAY[{value}]")),
            inner.clone().prop_map(|value| format!("ARRAY(SELECT {value})")),
            inner.clone().prop_map(|value| format!("(SELECT {value} LIMIT 1)")),
            (inner.clone(), inner.clone()).prop_map(|(value, array)| format!("({value} = ANY({array}))")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(test, first, second)| format!("CASE WHEN {test} THEN {first} ELSE {second} END")),
            (inner.clone(), inner.clone()).prop_map(|(value, other)| format!("({value} IN ({other}, {other}))")),
            (inner.clone(), inner).prop_map(|(value, other)| format!("({value} NOT IN (SELECT {other}))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_generated_statement_panics(value in expression(), test in expression(), key in expression(), distinct in any::<bool>()) {
        thread_local! {
            static CATALOGUE: Catalogue = catalogue().with_deadline(Duration::from_millis(100));
        }
        let word = if distinct { "DISTINCT" } else { "" };
        CATALOGUE.with(|catalogue| {
            judge(catalogue, &format!("SELECT {word} {value} AS x FROM pg_class c WHERE {test} ORDER BY {key} LIMIT 5"));
            judge(catalogue, &format!("SELECT {value}, count(*) FROM pg_class c GROUP BY {key} HAVING {test}"));
            judge(catalogue, &format!("SELECT {value} UNION ALL SELECT {key} FROM (SELECT * FROM pg_class LIMIT 3) c"));
        });
    }
}
