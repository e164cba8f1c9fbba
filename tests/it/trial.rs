//! The standing trial: what would break hubform, made up anew from seeds. One generator a file.
//!
//! A run of the tests plays the first seeds of each. `HUBFORM_TRIAL=long` plays sixty times as many from a seed
//! nobody has seen, `HUBFORM_SEED=17` plays one again. Each prints what it tried, what of that went through to what it
//! is about, and what failed.

mod documents;
mod strings;

mod draw;
mod grow;
mod mutate;
mod readers;
mod run;
mod slots;
mod style;
mod texts;
