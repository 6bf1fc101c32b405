//! The agencies' door as an agency meets it, through its router, over real logs.

mod answers;
mod csv;
mod fair;
mod hostile;
mod own;
mod receipts;
mod repeats;
mod world;
