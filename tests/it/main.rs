//! hubform from outside: one binary, so that it is linked once.

mod cases;
mod cfn_lint;
mod contract;
mod documents;
mod execute;
mod laws;
mod live_table;
mod locks;
mod numbers;
mod printing;
mod recorded;
mod security;
mod support;
mod terminals;
mod tidy;
mod trial;
mod views;
#[cfg(feature = "aws")]
mod world;
mod yaml;
