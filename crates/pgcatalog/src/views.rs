//! The system views, from `views.txt`: each a FROM clause over the tables and an expression per column; what it does not name is NULL.

use std::collections::BTreeMap;

use crate::builtin::{RELATIONS, Relation};
use crate::error::{CatalogueError, Fault, Result};

/// `CREATE VIEW` of each view, by its stored name.
pub(crate) fn definitions() -> Result<BTreeMap<String, String>> {
    let mut views = BTreeMap::new();
    let mut text =
        include_str!("views.txt").split("\n\n").filter(|block| block.lines().any(|line| !line.starts_with("--")));
    text.try_for_each(|block| {
        let mut lines = block.lines().filter(|line| !line.starts_with("--"));
        let (names, from) = lines.next().and_then(|line| line.split_once(": ")).ok_or_else(|| fault(block))?;
        let columns: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(" = ")).collect();
        for name in names.split(' ') {
            let relation = RELATIONS.iter().find(|relation| relation.stored() == name).ok_or_else(|| fault(name))?;
            views.insert(name.to_owned(), definition(relation, from, &columns)?);
        }
        Ok(())
    })
    .map(|()| views)
}

fn definition(relation: &Relation, from: &str, columns: &[(&str, &str)]) -> Result<String> {
    if let Some((name, _)) = columns.iter().find(|(name, _)| relation.columns.iter().all(|column| column.name != *name))
    {
        return Err(fault(name));
    }
    let select: Vec<String> = relation
        .columns
        .iter()
        .map(|column| {
            let expression =
                columns.iter().find(|(name, _)| *name == column.name).map_or("NULL", |(_, expression)| expression);
            format!("{expression} AS \"{}\"", column.name)
        })
        .collect();
    Ok(format!("CREATE VIEW \"{}\" AS SELECT {} {from}", relation.stored(), select.join(", ")))
}

fn fault(place: &str) -> CatalogueError {
    CatalogueError::new(Fault::Internal, format!("views.txt: {place}"))
}
