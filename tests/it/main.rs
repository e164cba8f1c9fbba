//! hubform from outside: one binary, so that it is linked once.

mod cfn_lint;
mod contract;
mod support;
#[cfg(feature = "aws")]
mod world;
