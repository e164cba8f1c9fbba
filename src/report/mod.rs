//! Anything hubform knows becomes text: for people, for pipes, for programs.
//!
//! Everything here is a function of values and writes to what it is given; the driver can be replaced and nothing
//! else moves. What comes from an imagined account says so in every header, by the context's label. `progress`
//! listens to events while a plan is carried out, the others are asked once.

mod advice;
pub mod diagnostics;
mod ink;
pub mod outcome;
pub mod plan;
pub mod progress;
mod retry;
pub mod status;
pub mod waiting;

pub use advice::{advice, world_advice};
pub use retry::{retried, retrying};

/// The format of everything written for programs; written into it as `format`.
pub const FORMAT: u32 = 1;

/// How to write.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Columns to fit into.
    pub width: usize,
    /// Escape sequences for colours are welcome.
    pub color: bool,
    /// More than ASCII is welcome.
    pub unicode: bool,
    /// What headers must say, as `imagined account`.
    pub label: Option<&'a str>,
}

/// A pipe: 100 columns, no colours.
impl Default for Context<'_> {
    fn default() -> Self {
        Self { width: 100, color: false, unicode: true, label: None }
    }
}
