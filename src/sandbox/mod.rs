//! An imagined AWS account.
//!
//! One account, or as many as targets name, and several Regions, as a synchronous state machine over simulated time:
//! every call first advances it to "now" and fires what has come due from one ordered queue; no task runs inside. It
//! follows CloudFormation's rules as far as they are known, and comments say how well: M the API model, S
//! the resource schemas, R recorded from AWS, D documented, C relied on by the CDK CLI, O reported by users, K common
//! knowledge. It does not claim timing, quotas, undocumented rates, or what services check beyond their schemas and
//! the rules here.
//!
//! The files `stacks`, `sagemaker`, `iam` and `identity` implement the ports and have twins in `aws`; `hub` is the
//! Hugging Face Hub by the table of models, without a twin yet. Below them:
//! `account` (the state and its calls), `place` (where each is made), `template`, `value` and `graph` (what is in a
//! body), `diff` (change sets; shares nothing with `plan` but the resource-type table), `operation` (walking
//! a stack's resources), `resource` (a `ResourceHandler` for each type, in a file of its own), `state` (saving and
//! loading), `clock` and `faults`.

mod clock;
mod diff;
mod faults;
mod graph;
mod hub;
mod ids;

mod account;
mod call;
mod change_sets;
mod iam;
mod identity;
mod intrinsics;
mod limits;
mod operation;
mod outputs;
mod parameters;
mod phases;
mod place;
mod queries;
mod queue;
mod reference;
mod resource;
mod sagemaker;
mod settings;
mod stack;
mod stacks;
mod state;
mod steps;
mod submit;
mod template;
mod throttle;
mod value;

use std::{
    cell::{RefCell, RefMut},
    collections::BTreeMap,
    path::Path,
    rc::Rc,
    time::Duration,
};

pub use clock::Pace;
pub use faults::{Fault, FaultError, Spot};
pub use hub::TableHub;
pub use settings::{Rate, SandboxSettings, Throttle};
pub use state::StateError;

use crate::{
    clock::Clock,
    cloud::{Accounts, CloudError, CloudErrorKind, Connection, Reply, Target},
};
use account::{AccountState, Core};
use call::{JournalEntry, Mutation};
use place::AccountRegion;

/// Something that exists in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryItem {
    /// Where; empty for what belongs to no Region.
    pub region: String,
    /// As `AWS::SageMaker::Endpoint`.
    pub resource_type: String,
    /// What `Ref` or the service calls it.
    pub physical_id: String,
    /// The name of the stack that owns it, while that stack exists.
    pub owner_stack: Option<String>,
    /// Its state, in a few words.
    pub summary: String,
    /// Its properties, functions evaluated.
    pub properties: serde_json::Value,
}

/// A handle on one imagined account; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Rc<RefCell<Core>>,
}

impl Sandbox {
    /// An empty account that is forgotten with the last handle.
    pub fn new(settings: SandboxSettings, pace: Pace) -> Self {
        Self { shared: Rc::new(RefCell::new(Core::new(AccountState::new(settings), pace, None))) }
    }

    /// The account kept in the folder `path`, made when missing. What a killed process left running still runs, at
    /// the time of its last event.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be read or written, or is of another format.
    pub fn open(path: &Path, settings: SandboxSettings, pace: Pace) -> Result<Self, StateError> {
        let (state, journal) = state::open(path, settings)?;
        Ok(Self { shared: Rc::new(RefCell::new(Core::new(state, pace, Some(journal)))) })
    }

    /// Writes a snapshot; does nothing for an account without a folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self) -> Result<(), StateError> {
        let mut core = self.core();
        core.catch_up();
        core.save()
    }

    /// The ports.
    pub fn accounts(&self) -> Rc<dyn Accounts> {
        Rc::new(self.clone())
    }

    /// The account's time.
    pub fn clock(&self) -> Rc<dyn Clock> {
        Rc::new(self.clone())
    }

    /// Lets simulated time pass, at any pace.
    pub fn advance(&self, by: Duration) {
        let mut core = self.core();
        let to = core.timer.now().plus(by);
        core.step_to(to);
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault) {
        let mut core = self.core();
        core.catch_up();
        let entry = core.entry(&AccountRegion::default(), Mutation::Inject { fault });
        // An injected fault cannot be refused.
        let _ = core.perform(entry);
    }

    /// How often each operation was called since the start or the last reset.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.core().calls.clone()
    }

    /// Resets the counts.
    pub fn reset_calls(&self) {
        self.core().calls.clear();
    }

    /// Everything that exists, in every account and Region: what would cost money, and what deletions left.
    pub fn inventory(&self) -> Vec<InventoryItem> {
        let mut core = self.core();
        core.catch_up();
        core.state.inventory()
    }

    fn core(&self) -> RefMut<'_, Core> {
        self.shared.borrow_mut()
    }
}

impl Accounts for Sandbox {
    fn at<'a>(&'a self, target: &Target) -> Reply<'a, Connection> {
        let account = target.account.clone().unwrap_or_else(|| self.core().state.settings.account.clone());
        let place = AccountRegion { account, region: target.region.clone() };
        let client = Rc::new(Client { sandbox: self.clone(), target: target.clone(), place });
        let connection =
            Connection { stacks: client.clone(), sagemaker: client.clone(), iam: client.clone(), identity: client };
        Box::pin(std::future::ready(Ok(connection)))
    }
}

/// How long an unanswered call is waited for, as in `aws`.
const SILENCE: Duration = Duration::from_secs(30);

/// A client behind the ports, of one account and Region.
struct Client {
    sandbox: Sandbox,
    target: Target,
    place: AccountRegion,
}

impl Client {
    /// One call: it is made now, whether or not the answer is awaited.
    fn ask<T: 'static>(
        &self,
        operation: &'static str,
        subject: &str,
        answer: impl FnOnce(&mut Core, &AccountRegion) -> Result<T, CloudErrorKind>,
    ) -> Reply<'static, T> {
        let mut core = self.sandbox.core();
        let entered = core.enter(operation, &self.place);
        let silent = matches!(entered, Err(CloudErrorKind::Unreachable(_)));
        let result = entered.and_then(|()| answer(&mut core, &self.place));
        let result = result.map_err(|kind| CloudError {
            operation,
            subject: subject.to_owned(),
            target: self.target.clone(),
            kind,
            request_id: None,
        });
        if silent {
            let (clock, until) = (self.sandbox.clock(), core.timer.now().plus(SILENCE));
            return Box::pin(async move {
                clock.sleep_until(until).await;
                result
            });
        }
        Box::pin(std::future::ready(result))
    }

    /// A call that changes something, and so is journaled.
    fn tell<T: 'static>(
        &self,
        operation: &'static str,
        subject: &str,
        call: Mutation,
        read: impl FnOnce(call::MutationOutcome) -> T,
    ) -> Reply<'static, T> {
        self.ask(operation, subject, |core, place| {
            let entry: JournalEntry = core.entry(place, call);
            core.perform(entry).map(read)
        })
    }
}

fn catalog_of(resource_type: &str) -> Option<&'static crate::catalog::ResourceType> {
    crate::catalog::Catalog::embedded().resource_type(resource_type)
}

#[cfg(test)]
mod tests;
