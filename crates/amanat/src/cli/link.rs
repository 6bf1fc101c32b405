//! Commands of `link`.

use clap::{Subcommand, ValueEnum};

/// Commands of `link`.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Compare everybody anew, and publish what is other than before as events of the agency LINK
    Run {
        /// Say what would be published, and publish nothing
        #[arg(long)]
        dry_run: bool,
        /// Print the numbers as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Pairs that may be one person: what waits for the steward's word, the likeliest first
    List {
        /// How many
        #[arg(long, default_value_t = 20, value_name = "NUMBER")]
        most: usize,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say whether two persons are one; linkage obeys it from its next run on
    Decide {
        /// Id of the one person, as `amanat link list` prints it
        #[arg(value_parser = person)]
        person: [u8; 16],
        /// Id of the other
        #[arg(value_parser = person)]
        other: [u8; 16],
        /// Whether they are one
        #[arg(long, value_enum)]
        one: OneWord,
    },
}

/// The steward's word on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OneWord {
    /// They are one person.
    Yes,
    /// They are two.
    No,
    /// An earlier word is taken back: the evidence decides.
    Withdraw,
}

/// The id of a person: 32 hexadecimal digits.
pub(super) fn person(text: &str) -> Result<[u8; 16], String> {
    let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let number = is_id.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    number.map(u128::to_be_bytes).ok_or_else(|| {
        "the id of a person is expected, 32 lower-case hexadecimal digits: `amanat link list` prints it".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_lower_case_hexadecimal_digits() {
        assert_eq!(person(&"0f".repeat(16)), Ok([15; 16]));
        for wrong in [String::new(), "0f".repeat(15), "0F".repeat(16), "+".repeat(32), "0g".repeat(16)] {
            assert!(person(&wrong).is_err());
        }
    }
}
