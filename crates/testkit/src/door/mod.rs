//! The agencies' door from outside: clients that post to a program that already runs, and what its lake holds afterwards.
//!
//! `load` measures how fast, `posts` goes on until each event is acknowledged whatever happens to the program, `bad_input` sends
//! what nobody should send, `received` holds the lake against what was acknowledged, `followed` the receipts, and `limit` is the log without a door.
//!
//! Absent: starting and killing the program (`xtask`).

mod acknowledged;
mod answers;
pub mod bad_input;
mod bodies;
mod dice;
mod edits;
pub mod followed;
mod http;
pub mod limit;
pub mod load;
pub mod posts;
pub mod received;
mod requests;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// Where the door is, and who sends.
#[derive(Debug, Clone, clap::Args)]
pub struct At {
    /// Address of the door
    #[arg(long)]
    pub address: SocketAddr,
    /// A file of agencies and their keys: `CODE KEY` in a line
    #[arg(long)]
    pub keys: PathBuf,
}

/// An agency and its key.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Its code.
    pub agency: String,
    /// Its key.
    pub key: String,
}

impl At {
    /// Who sends, in the order of the file.
    pub fn senders(&self) -> Result<Vec<Sender>> {
        let text = std::fs::read_to_string(&self.keys)?;
        let one = |line: &str| {
            let (agency, key) = line.split_once(' ').context("a line of the keys is `CODE KEY`")?;
            Ok(Sender { agency: agency.to_owned(), key: key.trim().to_owned() })
        };
        text.lines().map(one).collect()
    }
}

/// Ids of these events begin so; the rest is their number.
pub const ID: &str = "018f2f6e-8d0a-7c3e-9b1f-";

/// An event of nobody: a victim identified, the `number`th; one line without its end.
pub fn event(number: u64, agency: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{ID}{number:012x}","source":"urn:pk:tip:{agency}","type":"pk.tip.victim.identified","dataschema":"https://schemas.amanat.example/victim.identified/v1","subject":"{agency}/0q7vkzr3{number:015}","time":"2026-03-10T14:00:00+05:00","datacontenttype":"application/json","data":{{"record_version":1,"occurred_on":"2026-03-09","person":[{{"kind":"document","token":"9x4k2mvq{number:015}"}}],"sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["forced_labour"],"place_identified":"PK-PB","referral_source":"police"}}}}"#
    )
}
