//! Connections, one for each account and Region, made when first asked for.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use aws_config::{
    AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig, environment::EnvironmentVariableRegionProvider,
    meta::region::ProvideRegion, profile::ProfileFileRegionProvider, retry::RetryConfig, sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudformation::config::retry::RetryPartition;
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason},
};
use aws_smithy_types::retry::ErrorKind;
use tokio::sync::OnceCell;

use super::{
    error::Site, iam::IamClient, identity::IdentityClient, limit::LimitAnswers, sagemaker::SageMakerClient,
    settings::has_empty_endpoint, stacks::StacksClient,
};
use crate::cloud::{Accounts, Connection, Reply, Target};

const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;

/// The accounts that the caller's credentials lead to.
pub struct AwsAccounts {
    profile: Option<String>,
    base: OnceCell<SdkConfig>,
    connections: RefCell<BTreeMap<Target, Connection>>,
}

impl AwsAccounts {
    /// As the AWS SDK finds them: environment, shared configuration, SSO, containers and instances. Without a
    /// profile, `AWS_PROFILE` or the default one.
    pub fn new(profile: Option<String>) -> Self {
        Self { profile, base: OnceCell::new(), connections: RefCell::default() }
    }

    /// With a configuration made elsewhere; its Region, retries and time limits are replaced.
    pub fn with_config(config: SdkConfig) -> Self {
        Self { profile: None, base: OnceCell::new_with(Some(config)), connections: RefCell::default() }
    }

    async fn connect(&self, target: &Target) -> Connection {
        let base = self.base.get_or_init(|| load(self.profile.as_deref(), &target.region)).await;
        let config = configure(base, target).await;
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

async fn load(profile: Option<&str>, region: &str) -> SdkConfig {
    let mut loader: ConfigLoader =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new(region.to_owned()));
    if let Some(name) = profile {
        loader = loader.profile_name(name);
    }
    if let Ok(name) = AppName::new("hubform") {
        loader = loader.app_name(name);
    }
    // Ours in any case; without it the SDK stops the process over AWS_RETRY_MODE or AWS_MAX_ATTEMPTS.
    loader.retry_config(retries()).load().await
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

async fn configure(base: &SdkConfig, target: &Target) -> SdkConfig {
    let limits = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let config = base
        .to_builder()
        .region(Region::new(target.region.clone()))
        .retry_config(retries())
        .timeout_config(limits)
        .build();
    let Some(role) = &target.assume_role else { return config };
    let provider = AssumeRoleProvider::builder(role).session_name("hubform").configure(&config).build().await;
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

fn clients(config: &SdkConfig, target: &Target) -> Connection {
    let site = Site::new(target.clone());
    let partition = RetryPartition::new(format!("hubform {target}"));
    let no_endpoint = has_empty_endpoint();
    macro_rules! client {
        ($sdk:ident) => {{
            let mut builder = $sdk::config::Builder::from(config)
                .retry_partition(partition.clone())
                .retry_classifier(ThrottlesComeBack)
                .interceptor(LimitAnswers);
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

/// Forbids the SDK to retry what an earlier classifier took for throttling: `Throttling` and its kin, which the
/// caller paces, and `LimitExceededException`, which is a quota that no patience moves.
#[derive(Debug)]
struct ThrottlesComeBack;

impl ClassifyRetry for ThrottlesComeBack {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, _: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        match previous {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. }) => {
                RetryAction::RetryForbidden
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "throttles come back"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
