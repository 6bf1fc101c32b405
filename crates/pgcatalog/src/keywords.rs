//! PostgreSQL's key words, from its own list.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::builtin::ROWS;

static KEYWORDS: LazyLock<HashMap<&'static str, char>> = LazyLock::new(|| {
    ROWS.iter()
        .filter(|(table, _)| *table == "pg_get_keywords")
        .filter_map(|(_, row)| Some((row.first()?.as_deref()?, row.get(1)?.as_deref()?.chars().next()?)))
        .collect()
});

/// Whether a name must stand in quotes: every key word but the unreserved ones (`quote_identifier` in `ruleutils.c`).
pub(crate) fn must_be_quoted(name: &str) -> bool {
    KEYWORDS.get(name).is_some_and(|&category| category != 'U')
}
