//! STS: whose credentials these are.

use aws_sdk_sts::{Client, operation::get_caller_identity::GetCallerIdentityOutput};

use super::{convert::required, error::CallSite};
use crate::cloud::{CallerIdentity, Identity, Reply};

/// STS with one set of credentials.
pub(super) struct IdentityClient {
    client: Client,
    site: CallSite,
}

impl IdentityClient {
    pub(super) fn new(client: Client, site: CallSite) -> Self {
        Self { client, site }
    }
}

impl Identity for IdentityClient {
    fn caller(&self) -> Reply<'_, CallerIdentity> {
        Box::pin(async move {
            let sent = self.client.get_caller_identity().send();
            let read = |answer: GetCallerIdentityOutput| {
                let (account, arn) = (required(answer.account, "Account")?, required(answer.arn, "Arn")?);
                Ok(CallerIdentity { account, arn })
            };
            self.site.ask("GetCallerIdentity", "the caller", sent, read).await
        })
    }
}
