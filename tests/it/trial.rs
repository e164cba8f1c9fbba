//! The standing trial: what would break hubform, made up anew from seeds. One generator a file.
//!
//! A run of the tests plays the first seeds of each, some seconds long. `HUBFORM_TRIAL=long` plays many times as many
//! from a seed nobody has seen, `HUBFORM_SEED=17` plays one again. Each prints what it tried, what of that went through
//! to what it is about, and what failed.

mod documents;
#[cfg(unix)]
mod kills;
#[cfg(feature = "aws")]
mod servers;
#[cfg(feature = "aws")]
mod settings;
mod strings;

mod draw;
mod grow;
mod mutate;
mod readers;
mod run;
mod slots;
mod style;
mod texts;
