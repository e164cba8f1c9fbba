//! Where credentials come from: is the profile there, does what it names answer in time, and can they be used.

use std::time::Duration;

use aws_config::profile::{ProfileSet, load};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use aws_types::os_shim_internal::{Env, Fs};

/// What is wrong with the shared configuration or the profile of that name, in a sentence, and what to do; nothing if
/// all is well. Whoever names none, or the default one, needs none.
pub async fn wrong_profile(name: Option<&str>) -> Option<(String, String)> {
    let known = match profiles().await {
        Ok(known) => known,
        Err(error) => {
            let why = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            let what = format!("cannot read the AWS configuration: {error}{why}");
            return Some((what, "fix the file, or name another with AWS_CONFIG_FILE".to_owned()));
        }
    };
    let name = name.filter(|name| *name != "default" && known.get_profile(name).is_none())?;
    let mut others: Vec<&str> = known.profiles().collect();
    others.sort_unstable();
    let help = match others.as_slice() {
        [] => "no profile is configured; `aws configure` makes one".to_owned(),
        others => format!("set AWS_PROFILE to one of {}", others.join(", ")),
    };
    Some((format!("there is no AWS profile `{name}`"), help))
}

async fn profiles() -> Result<ProfileSet, aws_config::profile::ProfileFileLoadError> {
    load(&Fs::real(), &Env::real(), &Default::default(), None).await
}

/// Credentials that come within a time and can be used, or not at all.
#[derive(Debug)]
pub(super) struct InTime {
    from: SharedCredentialsProvider,
    within: Duration,
    source: String,
}

impl InTime {
    /// Those of a role, which is assumed with others.
    pub(super) fn of_role(from: SharedCredentialsProvider, within: Duration) -> Self {
        Self { from, within, source: "the role".to_owned() }
    }

    /// Those of a profile, or of the one that the environment names.
    pub(super) async fn new(from: SharedCredentialsProvider, within: Duration, profile: Option<&str>) -> Self {
        let process = profiles().await.ok().and_then(|known| {
            let name = profile.unwrap_or(known.selected_profile());
            Some(format!("the credential_process of the profile `{}`", with_process(&known, name)?))
        });
        Self { from, within, source: process.unwrap_or_else(|| "where they come from".to_owned()) }
    }
}

/// The profile whose process gives the credentials: this one, or one that it builds upon.
fn with_process<'a>(known: &'a ProfileSet, name: &'a str) -> Option<&'a str> {
    let upon = |name: &&'a str| known.get_profile(name)?.get("source_profile");
    let mut chain = std::iter::successors(Some(name), upon).take(known.profiles().count().max(1));
    chain.find(|name| known.get_profile(name).is_some_and(|profile| profile.get("credential_process").is_some()))
}

impl ProvideCredentials for InTime {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = tokio::time::timeout(self.within, self.from.provide_credentials()).await;
            let late = || format!("{} gave none for {} seconds", self.source, self.within.as_secs_f64());
            let found = found.unwrap_or_else(|_| Err(CredentialsError::provider_error(late())))?;
            // Over such a key the SDK stops the process when it signs (aws-runtime 1.10.2, auth).
            match found.access_key_id().bytes().all(|byte| byte.is_ascii_graphic()) {
                true => Ok(found),
                false => Err(CredentialsError::provider_error("the access key id has characters that are never valid")),
            }
        })
    }
}
