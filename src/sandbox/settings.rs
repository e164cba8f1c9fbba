//! The settings of an account.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::cloud::Timestamp;

/// The settings of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SandboxSettings {
    /// The twelve digits of the account.
    pub account: String,
    /// Ids, names and durations follow from it. A kept account keeps the seed it was made with.
    pub seed: u64,
    /// Items per page. (R: 100)
    pub page_size: usize,
    /// When simulated time begins.
    pub start: Timestamp,
    /// Rates above which calls are throttled; none means never.
    pub throttle: Option<Throttle>,
    /// Stacks per Region, those in review included. (D: 2,000)
    pub stack_limit: usize,
    /// Change sets per stack. (O: there is such a limit; its size is not known)
    pub change_set_limit: usize,
    /// Are change sets checked before they are offered, by `AWS::EarlyValidation`? (D, O: on by default)
    pub early_validation: bool,
    /// How long a new stack is missing from listings; by name and id it is found at once.
    pub listing_lag: Duration,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            account: "000000000000".to_owned(),
            seed: 0,
            page_size: 100,
            start: Timestamp(1_795_424_400_000),
            throttle: None,
            stack_limit: 2000,
            change_set_limit: 1000,
            early_validation: true,
            listing_lag: Duration::ZERO,
        }
    }
}

/// Token buckets per Region and operation. AWS publishes no rates; these are whatever a bench wants to assume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throttle {
    /// For operations without a rate of their own.
    pub usual: Rate,
    /// By operation, as `DescribeStacks`.
    pub operations: BTreeMap<String, Rate>,
}

/// How often something may be called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Calls per simulated second in the long run.
    pub per_second: f64,
    /// Calls at once.
    pub burst: f64,
}
