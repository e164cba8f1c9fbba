//! Connections, one for each account and Region, made when first asked for.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use aws_config::{
    AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig, environment::EnvironmentVariableRegionProvider,
    meta::region::ProvideRegion, profile::ProfileFileRegionProvider, retry::RetryConfig, sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use tokio::sync::OnceCell;

use super::{
    error::CallSite, iam::IamClient, identity::IdentityClient, limit::LimitAnswers, profile::InTime,
    sagemaker::SageMakerClient, settings::has_empty_endpoint, stacks::StacksClient,
};
use crate::cloud::{Accounts, Connection, Reply, Target};

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For the answer of a call, credentials and connection included.
    pub attempt: Duration,
    /// For credentials, of a `credential_process` first of all; shorter than a call may take, so that it is they who are
    /// named.
    pub credentials: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [connect, attempt, credentials] = [5, 30, 25].map(Duration::from_secs);
        Self { connect, attempt, credentials }
    }
}

/// Of the calls that only look for credentials. All others are made again by those who asked for them, and nobody else.
const ATTEMPTS: u32 = 3;

/// The accounts that the caller's credentials lead to.
pub struct AwsAccounts {
    profile: Option<String>,
    limits: Limits,
    base: OnceCell<SdkConfig>,
    connections: RefCell<BTreeMap<Target, Connection>>,
}

impl AwsAccounts {
    /// As the AWS SDK finds them: environment, shared configuration, SSO, containers and instances. Without a
    /// profile, `AWS_PROFILE` or the default one.
    pub fn new(profile: Option<String>) -> Self {
        Self { profile, limits: Limits::default(), base: OnceCell::new(), connections: RefCell::default() }
    }

    /// With a configuration made elsewhere; its Region, retries and time limits are replaced.
    pub fn with_config(config: SdkConfig) -> Self {
        Self { base: OnceCell::new_with(Some(config)), ..Self::new(None) }
    }

    /// With other time limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    async fn connect(&self, target: &Target) -> Connection {
        let base = self.base.get_or_init(|| load(self.profile.as_deref(), &target.region, self.limits)).await;
        let config = configure(base, target, self.limits).await;
        clients(&config, target)
    }
}

impl Accounts for AwsAccounts {
    fn at<'a>(&'a self, target: &Target) -> Reply<'a, Connection> {
        let target = target.clone();
        Box::pin(async move {
            let known = self.connections.borrow().get(&target).cloned();
            let connection = match known {
                Some(connection) => connection,
                None => self.connect(&target).await,
            };
            self.connections.borrow_mut().insert(target, connection.clone());
            Ok(connection)
        })
    }
}

/// The Region of the environment (`AWS_REGION`, `AWS_DEFAULT_REGION`), else of the profile, if either says one.
/// Instance metadata is not asked: on any other machine that only costs seconds.
pub async fn profile_region(profile: Option<&str>) -> Option<String> {
    let mut file = ProfileFileRegionProvider::builder();
    if let Some(name) = profile {
        file = file.profile_name(name);
    }
    let region = match EnvironmentVariableRegionProvider::new().region().await {
        Some(region) => Some(region),
        None => file.build().region().await,
    };
    region.map(|region| region.as_ref().to_owned())
}

async fn load(profile: Option<&str>, region: &str, limits: Limits) -> SdkConfig {
    let mut loader: ConfigLoader =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new(region.to_owned()));
    if let Some(name) = profile {
        loader = loader.profile_name(name);
    }
    if let Ok(name) = AppName::new("hubform") {
        loader = loader.app_name(name);
    }
    // Ours in any case; without it the SDK stops the process over AWS_RETRY_MODE or AWS_MAX_ATTEMPTS.
    let config = loader.retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS)).load().await;
    let Some(from) = config.credentials_provider() else { return config };
    let in_time = InTime::new(from, limits.credentials, profile).await;
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(in_time)).build()
}

async fn configure(base: &SdkConfig, target: &Target, limits: Limits) -> SdkConfig {
    let Limits { connect, attempt, credentials } = limits;
    let limits = TimeoutConfig::builder().connect_timeout(connect).operation_attempt_timeout(attempt).build();
    let config = base
        .to_builder()
        .region(Region::new(target.region.clone()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits)
        .build();
    let Some(role) = &target.assume_role else { return config };
    let provider = AssumeRoleProvider::builder(role).session_name("hubform").configure(&config).build().await;
    let in_time = InTime::of_role(SharedCredentialsProvider::new(provider), (credentials + attempt) / 2);
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(in_time)).build()
}

fn clients(config: &SdkConfig, target: &Target) -> Connection {
    let site = CallSite::new(target.clone());
    let no_endpoint = has_empty_endpoint();
    macro_rules! client {
        ($sdk:ident) => {{
            let mut builder = $sdk::config::Builder::from(config).interceptor(LimitAnswers);
            if no_endpoint {
                builder.set_endpoint_url(None);
            }
            $sdk::Client::from_conf(builder.build())
        }};
    }
    Connection {
        stacks: Rc::new(StacksClient::new(client!(aws_sdk_cloudformation), site.clone())),
        sagemaker: Rc::new(SageMakerClient::new(client!(aws_sdk_sagemaker), site.clone())),
        iam: Rc::new(IamClient::new(client!(aws_sdk_iam), site.clone())),
        identity: Rc::new(IdentityClient::new(client!(aws_sdk_sts), site)),
    }
}
