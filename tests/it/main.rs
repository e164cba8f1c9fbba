//! hubform from outside: one binary, so that it is linked once.

mod cfn_lint;
#[cfg(feature = "aws")]
mod contract;
mod support;
#[cfg(feature = "aws")]
mod world;
