//! Bytes that clients send, read once: commands, and the tickets that this door gave.
//!
//! A ticket says what is asked and what was promised of the answer, and nothing of who may have it: whoever brings it says anew
//! who asks. So there is nothing to sign, and one that somebody made up asks no more than its maker could ask.

use arrow::datatypes::Schema;
use arrow_flight::sql::{Any, Command, ProstMessageExt, TicketStatementQuery};
use arrow_flight::{IpcMessage, SchemaAsIpc, Ticket};
use bytes::Bytes;
use prost::Message;
use query::Param;
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::errors::{internal, malformed};

/// Reads a command, of those that Flight SQL has or of any other.
pub(super) fn command(bytes: &[u8]) -> Result<Command, Status> {
    let any = Any::decode(bytes).map_err(|_| malformed("This is no command of Flight SQL."))?;
    Command::try_from(any).map_err(|_| malformed("A command of Flight SQL breaks off in its middle."))
}

/// Reads the message that an action of Flight SQL has in its body.
pub(super) fn body<M: ProstMessageExt>(bytes: &[u8]) -> Result<M, Status> {
    let any = Any::decode(bytes).map_err(|_| malformed("The body of the action is no message of Flight SQL."))?;
    let message = any.unpack().map_err(|_| malformed("The body of the action breaks off in its middle."))?;
    message.ok_or_else(|| malformed("The body of the action is of another action."))
}

/// What will be asked, and what was promised of its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Promise {
    /// The number of this execution, random: by it the question can be cancelled.
    pub(super) execution: String,
    /// Hash of the schema of the answer.
    pub(super) schema: String,
    pub(super) sql: String,
    pub(super) params: Vec<Param>,
    pub(super) companions: bool,
}

impl Promise {
    /// As a ticket.
    pub(super) fn ticket(&self) -> Result<Ticket, Status> {
        let handle = serde_json::to_vec(self).map_err(|error| internal(&error))?;
        let ticket = TicketStatementQuery { statement_handle: handle.into() };
        Ok(Ticket::new(ticket.as_any().encode_to_vec()))
    }

    /// Reads the handle of a ticket.
    pub(super) fn read(handle: &[u8]) -> Result<Self, Status> {
        serde_json::from_slice(handle).map_err(|_| malformed("This ticket was not given here."))
    }

    /// Reads the handle of a ticket of any kind; none where it is not one of a question.
    pub(super) fn of(ticket: &Ticket) -> Result<Option<Self>, Status> {
        match command(&ticket.ticket)? {
            Command::TicketStatementQuery(ticket) => Self::read(&ticket.statement_handle).map(Some),
            _ => Ok(None),
        }
    }
}

/// A schema as one message of Arrow IPC.
pub(super) fn message(schema: &Schema) -> Result<Bytes, Status> {
    let options = arrow::ipc::writer::IpcWriteOptions::default();
    let message = IpcMessage::try_from(SchemaAsIpc::new(schema, &options));
    message.map(|IpcMessage(bytes)| bytes).map_err(|error| internal(&error))
}

#[cfg(test)]
mod tests {
    use arrow_flight::sql::CommandStatementQuery;
    use proptest::prelude::*;
    use tonic::Code;

    use super::*;

    fn promise() -> Promise {
        let params = vec![Param::Null, Param::Bool(true), Param::Number(7.into()), Param::Text("PK-PB".to_owned())];
        Promise {
            execution: "0a".to_owned(),
            schema: "ff".to_owned(),
            sql: "select 1".to_owned(),
            params,
            companions: false,
        }
    }

    #[test]
    fn a_ticket_says_what_it_was_given_for() {
        let ticket = promise().ticket().unwrap();
        assert_eq!(Promise::of(&ticket).unwrap(), Some(promise()));
    }

    proptest! {
        #[test]
        fn junk_is_refused_and_breaks_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for failed in [
                command(&bytes).err(),
                Promise::read(&bytes).err(),
                Promise::of(&Ticket::new(bytes.clone())).err(),
                body::<CommandStatementQuery>(&bytes).err(),
            ].into_iter().flatten() {
                prop_assert_eq!(failed.code(), Code::InvalidArgument);
            }
        }

        #[test]
        fn a_ticket_that_was_changed_is_refused_or_asks_something_else(at in 0..160_usize, to in any::<u8>()) {
            let mut bytes = promise().ticket().unwrap().ticket.to_vec();
            let at = at % bytes.len();
            bytes[at] = to;
            if let Err(failed) = Promise::of(&Ticket::new(bytes)) {
                prop_assert_eq!(failed.code(), Code::InvalidArgument);
            }
        }
    }
}
