//! The extended protocol: statements prepared, bound to values, described and run in parts (PostgreSQL documentation,
//! 55.2.3).

use std::sync::Arc;

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete,
};

use super::super::cells::{Column, oid};
use super::super::cursor::Slice;
use super::super::errors::Failed;
use super::super::statement::split;
use super::super::table::{Forms, row_description};
use super::super::values;
use super::{Answered, Done, MOST_PORTALS, MOST_PREPARED, Outcome, Portal, Prepared, Session, misfit, no_portal};

impl Session {
    pub(super) async fn parse(&mut self, Parse { name, query, type_oids, .. }: Parse) -> Done<()> {
        let mut statements = split(&query)?;
        if statements.len() > 1 {
            return Err(Failed::new("42601", "A prepared statement is one statement.").hint("Send them apart.").into());
        }
        let prepared = Prepared { statement: statements.pop(), given: type_oids };
        self.prepare(name.unwrap_or_default(), prepared)?;
        Ok(self.feed(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await?)
    }

    pub(super) fn prepare(&mut self, name: String, prepared: Prepared) -> Answered<()> {
        if !name.is_empty() && self.prepared.contains_key(&name) {
            return Err(Failed::new("42P05", format!("There is a prepared statement {name} already.")));
        }
        if self.prepared.len() >= MOST_PREPARED && !self.prepared.contains_key(&name) {
            let failed = Failed::new("54000", format!("A session may have {MOST_PREPARED} prepared statements."));
            return Err(failed.hint("DEALLOCATE those that are not needed."));
        }
        // One of the same name goes: that of no name, which each Parse of no name replaces.
        self.prepared.remove(&name);
        self.has_place_for(name.len() * 2 + prepared.bytes())?;
        self.prepared.insert(name, Arc::new(prepared));
        Ok(())
    }

    pub(super) fn find(&self, name: &str) -> std::result::Result<Arc<Prepared>, Failed> {
        let found = self.prepared.get(name).cloned();
        found.ok_or_else(|| Failed::new("26000", format!("There is no prepared statement {name}.")))
    }

    pub(super) async fn bind(&mut self, bind: Bind) -> Done<()> {
        let prepared = self.find(bind.statement_name.as_deref().unwrap_or_default())?;
        let codes = &bind.parameter_format_codes;
        let is_binary = |at: usize| {
            let code = if codes.len() == 1 { codes.first() } else { codes.get(at) };
            code == Some(&1)
        };
        let named = |at: usize| prepared.given.get(at).copied().unwrap_or(0);
        let all_named = (0..bind.parameters.len()).all(|at| named(at) != 0 && named(at) != oid::UNKNOWN);
        let inferred = if all_named { Vec::new() } else { self.shape(&prepared, &[]).await?.params };
        let params = bind.parameters.iter().enumerate().map(|(at, value)| {
            let inferred = inferred.get(at).copied().unwrap_or(oid::TEXT);
            values::read(value.as_deref(), is_binary(at), named(at), inferred)
        });
        let params = params.collect::<std::result::Result<Vec<_>, _>>()?;
        let forms = Forms::new(bind.result_column_format_codes.clone());
        let portal = Portal { prepared, params, forms, ran: None, holds: false };
        self.open(bind.portal_name.clone().unwrap_or_default(), portal)?;
        Ok(self.feed(PgWireBackendMessage::BindComplete(BindComplete::new())).await?)
    }

    pub(super) fn open(&mut self, name: String, portal: Portal) -> Answered<()> {
        if !name.is_empty() && self.portals.contains_key(&name) {
            return Err(Failed::new("42P03", format!("There is a cursor {name} already.")).hint("CLOSE it first."));
        }
        if self.portals.len() >= MOST_PORTALS && !self.portals.contains_key(&name) {
            return Err(
                Failed::new("54000", format!("A session may have {MOST_PORTALS} cursors open.")).hint("CLOSE some.")
            );
        }
        self.portals.remove(&name);
        self.has_place_for(name.len() * 2 + portal.bytes())?;
        self.portals.insert(name, portal);
        Ok(())
    }

    pub(super) async fn describe(&mut self, describe: Describe) -> Done<()> {
        let name = describe.name.as_deref().unwrap_or_default();
        if describe.target_type == b'S' {
            let prepared = self.find(name)?;
            let shape = self.shape(&prepared, &[]).await?;
            let types = (0..shape.params.len().max(prepared.given.len())).map(|at| {
                let given = prepared.given.get(at).copied().filter(|given| *given != 0);
                given.or_else(|| shape.params.get(at).copied()).unwrap_or(oid::TEXT)
            });
            let types = ParameterDescription::new(types.collect());
            self.feed(PgWireBackendMessage::ParameterDescription(types)).await?;
            return self.describe_columns(shape.columns.as_deref(), &Forms::default()).await;
        }
        let Some(portal) = self.portals.get(name) else { return Err(no_portal(name).into()) };
        let forms = portal.forms.clone();
        if let Some((slice, _)) = &portal.ran {
            let columns = Arc::clone(&slice.table.columns);
            return self.describe_columns(Some(&columns), &forms).await;
        }
        let (prepared, params) = (Arc::clone(&portal.prepared), portal.params.clone());
        let shape = self.shape(&prepared, &params).await?;
        self.describe_columns(shape.columns.as_deref(), &forms).await
    }

    pub(super) async fn describe_columns(&mut self, columns: Option<&[Column]>, forms: &Forms) -> Done<()> {
        let message = match columns {
            Some(columns) if !forms.fit(columns.len()) => return Err(misfit(columns.len()).into()),
            Some(columns) => row_description(columns, forms),
            None => PgWireBackendMessage::NoData(NoData::new()),
        };
        Ok(self.feed(message).await?)
    }

    pub(super) async fn execute(&mut self, Execute { name, max_rows, .. }: Execute) -> Done<()> {
        let name = name.unwrap_or_default();
        let most = usize::try_from(max_rows).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
        let Some(portal) = self.portals.get_mut(&name) else { return Err(no_portal(&name).into()) };
        let forms = portal.forms.clone();
        if let Some((mut slice, word)) = portal.ran.take() {
            let done = self.rows(&mut slice, most, &forms, word).await;
            self.keep(&name, slice, word);
            return done;
        }
        let (prepared, params) = (Arc::clone(&portal.prepared), std::mem::take(&mut portal.params));
        let outcome = match &prepared.statement {
            None => Outcome::Empty,
            Some(statement) => self.statement(statement, &prepared.given, &params).await?,
        };
        let Outcome::Rows(mut slice, word) = outcome else { return self.give(outcome).await };
        if !forms.fit(slice.table.columns.len()) {
            return Err(misfit(slice.table.columns.len()).into());
        }
        if slice.left() > most {
            // It stays: its memory is no longer that of a question, and others may compute.
            slice = self.held(slice)?;
        }
        let done = self.rows(&mut slice, most, &forms, word).await;
        self.keep(&name, slice, word);
        done
    }

    /// Keeps what is left of a portal; of one that has given all, its columns.
    pub(super) fn keep(&mut self, name: &str, slice: Slice, word: &'static str) {
        if let Some(portal) = self.portals.get_mut(name) {
            portal.ran = Some((slice.done_with(), word));
        }
    }

    pub(super) async fn close(&mut self, close: Close) -> Done<()> {
        let name = close.name.as_deref().unwrap_or_default();
        if close.target_type == b'S' {
            self.prepared.remove(name);
        } else {
            self.portals.remove(name);
        }
        Ok(self.feed(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?)
    }
}
