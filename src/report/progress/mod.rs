//! Listeners: what happens while a plan is carried out, as it happens.
//!
//! All keep time by the events, so an imagined account shows its own.

mod board;
mod live;
mod ndjson;
mod plain;
mod table;

pub use board::{Board, BoardRow};
pub use live::{LiveProgress, TerminalSize, has_room};
pub use ndjson::Ndjson;
pub use plain::PlainProgress;

use std::io;

use crate::execute::Event;

/// Somebody who is told.
pub trait Listener {
    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// Those of writing.
    fn hear(&mut self, event: &Event) -> io::Result<()>;

    /// After the last event, or when the run is left: the terminal is as it was.
    ///
    /// # Errors
    ///
    /// Those of writing.
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
