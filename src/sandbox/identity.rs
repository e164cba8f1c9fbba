//! The STS port.

use super::Place;
use crate::cloud::{CallerIdentity, Identity, Reply};

impl Identity for Place {
    fn caller(&self) -> Reply<'_, CallerIdentity> {
        self.ask("GetCallerIdentity", "the caller", |core, region| {
            let account = core.state.settings.account.clone();
            let arn = format!("arn:{}:iam::{account}:user/imagined", super::account::partition(region));
            Ok(CallerIdentity { account, arn })
        })
    }
}
