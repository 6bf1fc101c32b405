//! Commands of `erase`.

use clap::{Args, Subcommand, ValueEnum};

use super::link::person;

/// Commands of `erase`.
#[derive(Debug, Subcommand)]
pub enum EraseCommand {
    /// Order it; without --yes it is only said who that would be
    Order(OrderArgs),
    /// All orders: when, on which ground, carried out or not, and until when something of the data is left
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

/// Whom, and why.
#[derive(Debug, Args)]
pub struct OrderArgs {
    /// The agency whose token of the person is read from standard input, as the agency sends it: so it stands in no list of processes
    #[arg(long, required_unless_present = "person", conflicts_with = "person")]
    pub agency: Option<String>,
    /// Or the id of the person, as `amanat link list` prints it
    #[arg(long, value_parser = person)]
    pub person: Option<[u8; 16]>,
    /// On which ground
    #[arg(long, value_enum)]
    pub basis: Basis,
    /// Give the order
    #[arg(long)]
    pub yes: bool,
}

/// The grounds (list `legal_basis`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Basis {
    /// The person asked for it.
    SubjectRequest,
    /// By order of a court.
    CourtOrder,
    /// The data were held without a ground.
    UnlawfulProcessing,
    /// The time of keeping is over.
    RetentionEnded,
    /// For the protection of the person.
    Protection,
}

impl Basis {
    /// The code of the list.
    pub fn code(self) -> &'static str {
        match self {
            Self::SubjectRequest => "subject_request",
            Self::CourtOrder => "court_order",
            Self::UnlawfulProcessing => "unlawful_processing",
            Self::RetentionEnded => "retention_ended",
            Self::Protection => "protection",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ground_is_a_code_of_the_contract() {
        let list = events::code_list::list("legal_basis");
        assert!(Basis::value_variants().iter().all(|basis| list.code(basis.code()).is_some()));
        assert_eq!(Basis::value_variants().len() + 1, list.codes.len(), "all but unknown");
    }
}
