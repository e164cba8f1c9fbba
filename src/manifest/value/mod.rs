//! What fields hold beyond text and numbers: quantities with units, references, values from elsewhere.
//!
//! Each type's JSON Schema says what it accepts; the walk that checks manifests reads nothing else.

mod quantity;
mod reference;
mod setting;
mod substitute;
mod values;

pub use quantity::{Duration, Latency, Percent, Size};
pub use reference::{Referable, Reference};
pub use setting::Setting;
pub(super) use substitute::{PLACEHOLDERS, is_open};
pub use substitute::{Substitutions, substitute, unknown_placeholders};
pub use values::{Value, ValueList};
