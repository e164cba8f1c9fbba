//! Whatever the contract is held against, and the small steps that expectations are made of.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use hubform::{
    cloud::{
        Capability, ChangeSet, ChangeSetType, CloudError, CloudErrorKind, CloudResult, Connection, CreateChangeSet,
        CreateStack, DeleteStack, ExecuteChangeSet, Page, PageToken, Stack, StackEvent, StackOptions, Tags, Target,
    },
    sandbox::{Pace, Sandbox, SandboxSettings},
};
use serde_json::{Value, json};

type Pause = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// Something that claims to be AWS.
pub(super) struct Subject {
    /// Its name in the table of waivers.
    pub(super) name: &'static str,
    /// The ports to it.
    pub(super) ports: Connection,
    /// More stacks than it puts on one page.
    pub(super) crowd: usize,
    pause: Pause,
    #[cfg(feature = "aws")]
    _server: Option<crate::support::peers::Server>,
}

fn target() -> Target {
    Target { account: None, region: "us-east-1".to_owned(), assume_role: None }
}

/// The imagined account.
pub(super) async fn sandbox() -> Subject {
    let sandbox = Sandbox::new(SandboxSettings { page_size: 10, ..SandboxSettings::default() }, Pace::Stepped);
    let ports = sandbox.accounts().at(&target()).await.expect("the sandbox connects");
    let pause: Pause = Box::new(move || {
        sandbox.advance(Duration::from_secs(20));
        Box::pin(std::future::ready(()))
    });
    Subject {
        name: "sandbox",
        ports,
        crowd: 12,
        pause,
        #[cfg(feature = "aws")]
        _server: None,
    }
}

/// An independent server behind the adapters to the AWS SDK.
#[cfg(feature = "aws")]
pub(super) async fn server(name: &'static str) -> Option<Subject> {
    let server = crate::support::peers::Server::start(name)?;
    let ports = ports(&server.url()).await;
    let pause: Pause = Box::new(|| Box::pin(tokio::time::sleep(Duration::from_millis(20))));
    Some(Subject { name, ports, crowd: 101, pause, _server: Some(server) })
}

/// The adapters to the AWS SDK, before a server at this place.
#[cfg(feature = "aws")]
pub(super) async fn ports(url: &str) -> Connection {
    use hubform::{aws::AwsAccounts, cloud::Accounts};

    let keys = aws_sdk_sts::config::Credentials::new("contract", "contract", None, None, "contract");
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region("us-east-1")
        .endpoint_url(url)
        .credentials_provider(keys)
        .empty_test_environment()
        .load()
        .await;
    AwsAccounts::with_config(config).at(&target()).await.expect("connecting asks nobody")
}

/// A role that SageMaker may assume, with an output that a test can change.
pub(super) fn role(properties: Value, fixed: &str) -> String {
    let mut role = json!({"AssumeRolePolicyDocument": trust()});
    for (name, value) in properties.as_object().expect("properties are an object") {
        role[name] = value.clone();
    }
    json!({
        "Parameters": {"Stage": {"Type": "String", "Default": "test"}},
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}},
        "Outputs": {
            "Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
            "Name": {"Value": {"Ref": "Role"}},
            "Fixed": {"Value": fixed},
        },
    })
    .to_string()
}

/// The trust policy of those roles.
pub(super) fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"}}]})
}

/// A fault as an expectation reports it.
pub(super) fn fault(error: CloudError) -> String {
    format!("{}: {:?}", error.operation, error.kind)
}

/// The creation of a stack, with every capability and a token of its own.
pub(super) fn creation(name: &str, body: String) -> CreateStack {
    CreateStack {
        name: name.to_owned(),
        body,
        parameters: BTreeMap::new(),
        tags: Tags::from([("team".to_owned(), "models".to_owned())]),
        capabilities: [Capability::NamedIam].into(),
        options: StackOptions::default(),
        disable_rollback: false,
        termination_protection: false,
        token: format!("create-{name}"),
    }
}

/// A change set of a stack, with every capability.
pub(super) fn change(stack: &str, name: &str, kind: ChangeSetType, body: String) -> CreateChangeSet {
    CreateChangeSet {
        stack: stack.to_owned(),
        name: name.to_owned(),
        kind,
        body,
        parameters: BTreeMap::new(),
        previous: Default::default(),
        tags: Tags::from([("team".to_owned(), "models".to_owned())]),
        capabilities: [Capability::NamedIam].into(),
        options: StackOptions::default(),
        token: format!("change-{name}"),
    }
}

impl Subject {
    /// Lets a little time pass.
    pub(super) async fn pause(&self) {
        (self.pause)().await;
    }

    /// The stack once nothing is going on.
    pub(super) async fn settled(&self, stack: &str) -> Result<Stack, String> {
        for _ in 0..500 {
            let found = self.ports.stacks.describe_stack(stack).await.map_err(fault)?;
            let found = found.ok_or_else(|| format!("{stack} does not exist"))?;
            if found.status.is_settled() {
                return Ok(found);
            }
            self.pause().await;
        }
        Err(format!("{stack} never settles"))
    }

    /// A new stack of this body, settled.
    pub(super) async fn made(&self, name: &str, body: String) -> Result<Stack, String> {
        let id = self.create(creation(name, body)).await.map_err(fault)?;
        self.settled(&id).await
    }

    /// The adapters try once, and whoever calls them tries again. So does this, where a peer closed an idle connection
    /// just as it was used: ministack does so after a request for a service that it does not have.
    async fn create(&self, request: CreateStack) -> CloudResult<String> {
        match self.ports.stacks.create_stack(request.clone()).await {
            Err(CloudError { kind: CloudErrorKind::Unreachable(_), .. }) => {
                self.ports.stacks.create_stack(request).await
            }
            answer => answer,
        }
    }

    /// The change set, once computed.
    pub(super) async fn computed(&self, id: &str) -> Result<ChangeSet, String> {
        for _ in 0..500 {
            let found = self.ports.stacks.describe_change_set(id).await.map_err(fault)?;
            let found = found.ok_or_else(|| "the change set does not exist".to_owned())?;
            if !found.is_pending() {
                return Ok(found);
            }
            self.pause().await;
        }
        Err("the change set is never computed".to_owned())
    }

    /// A change set that would give an existing stack this body, computed.
    pub(super) async fn change_of(&self, stack: &str, name: &str, body: String) -> Result<ChangeSet, String> {
        let request = change(stack, name, ChangeSetType::Update, body);
        let ids = self.ports.stacks.create_change_set(request).await.map_err(fault)?;
        self.computed(&ids.change_set).await
    }

    /// Executes a change set; done when the stack has settled.
    pub(super) async fn executed(&self, set: &ChangeSet) -> Result<Stack, String> {
        self.execute(&set.id, "execute").await.map_err(fault)?;
        self.settled(&set.stack_id).await
    }

    /// ExecuteChangeSet.
    pub(super) async fn execute(&self, change_set: &str, token: &str) -> CloudResult<()> {
        let token = token.to_owned();
        let request = ExecuteChangeSet { change_set: change_set.to_owned(), disable_rollback: false, token };
        self.ports.stacks.execute_change_set(request).await
    }

    /// DeleteStack with a token of its own.
    pub(super) async fn delete(&self, stack: &str) -> CloudResult<()> {
        let request = DeleteStack { stack: stack.to_owned(), role_arn: None, token: "delete".to_owned() };
        self.ports.stacks.delete_stack(request).await
    }

    /// Every event of a stack, newest first.
    pub(super) async fn events(&self, stack: &str) -> Result<Vec<StackEvent>, String> {
        let pages = all(|from| self.ports.stacks.describe_stack_events(stack, from)).await?;
        Ok(pages.into_iter().flatten().collect())
    }
}

/// Every page of a listing.
pub(super) async fn all<T, F>(mut page: impl FnMut(Option<PageToken>) -> F) -> Result<Vec<Vec<T>>, String>
where
    F: Future<Output = CloudResult<Page<T>>>,
{
    let (mut pages, mut next) = (Vec::new(), None);
    loop {
        let answer = page(next).await.map_err(fault)?;
        pages.push(answer.items);
        next = answer.next;
        if next.is_none() {
            return Ok(pages);
        }
    }
}
