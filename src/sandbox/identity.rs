//! The STS port.

use super::Client;
use crate::cloud::{CallerIdentity, Identity, Reply};

impl Identity for Client {
    fn caller(&self) -> Reply<'_, CallerIdentity> {
        self.ask("GetCallerIdentity", "the caller", |_, place| {
            let account = place.account.clone();
            let arn = format!("arn:{}:iam::{account}:user/imagined", place.partition());
            Ok(CallerIdentity { account, arn })
        })
    }
}
