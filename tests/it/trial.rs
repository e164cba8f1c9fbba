//! Generators that look for the next fault of a known kind: seeded and bounded, longer with `HUBFORM_TRIAL=long`.

#[cfg(feature = "aws")]
mod servers;
#[cfg(feature = "aws")]
mod settings;
