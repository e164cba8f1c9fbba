//! hubform from outside: one binary, so that it is linked once.

mod cases;
mod cfn_lint;
mod contract;
mod documents;
mod live_table;
mod support;
#[cfg(feature = "aws")]
mod world;
