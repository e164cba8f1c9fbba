//! An imagined AWS account.
//!
//! One account, or as many as targets name, and several Regions, as a synchronous state machine over simulated time:
//! every call first advances it to "now" and fires what has come due from one ordered queue; no task runs inside. It
//! follows the rules CloudFormation is known to follow, and comments name how well each is known: M the API model, S
//! the resource schemas, R recorded from AWS, D documented, C relied on by the CDK CLI, O reported by users, K common
//! knowledge. What it does not claim: timing, quotas, undocumented rates, and what services check beyond their schemas
//! and the rules told here.
//!
//! The files `stacks`, `sagemaker`, `iam` and `identity` implement the ports and have twins in `aws`; `hub` is the
//! Hugging Face Hub as the table of models knows it, and has none yet. Below them:
//! `account` (the state and its calls), `place` (where each is made), `template`, `value` and `graph` (what a body
//! says), `diff` (what a change set says; shares nothing with `plan` but the resource-type table), `operation` (walking
//! a stack's resources), `resource` (what each type does: a `Handler` in a file of its own), `state` (saving and
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
pub use settings::{Rate, Settings, Throttle};
pub use state::StateError;

use crate::{
    clock::Clock,
    cloud::{Accounts, CloudError, CloudErrorKind, Connection, Reply, Target},
};
use account::{Core, State};
use call::{Call, Entry};
use place::Place;

/// Something that exists in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where; empty for what belongs to no Region.
    pub region: String,
    /// As `AWS::SageMaker::Endpoint`.
    pub resource_type: String,
    /// What `Ref` or the service calls it.
    pub physical_id: String,
    /// The name of the stack that owns it, while that stack exists.
    pub owner_stack: Option<String>,
    /// What it is doing, in a few words.
    pub summary: String,
    /// Its properties, functions worked out.
    pub properties: serde_json::Value,
}

/// A handle on one imagined account; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Rc<RefCell<Core>>,
}

impl Sandbox {
    /// An empty account that is forgotten with the last handle.
    pub fn new(settings: Settings, pace: Pace) -> Self {
        Self { shared: Rc::new(RefCell::new(Core::new(State::new(settings), pace, None))) }
    }

    /// The account kept in the folder `path`, made when missing. What a killed process left running is found
    /// running, at the time of the last thing that happened.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be read or written, or is of another format.
    pub fn open(path: &Path, settings: Settings, pace: Pace) -> Result<Self, StateError> {
        let (state, journal) = state::open(path, settings)?;
        Ok(Self { shared: Rc::new(RefCell::new(Core::new(state, pace, Some(journal)))) })
    }

    /// Writes everything down in one piece; nothing to do for an account without a folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self) -> Result<(), StateError> {
        let mut core = self.core();
        core.catch_up();
        core.save()
    }

    /// The way in for everybody who knows only the ports.
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

    /// Puts a fault in.
    pub fn inject(&self, fault: Fault) {
        let mut core = self.core();
        core.catch_up();
        let entry = core.entry(&Place::default(), Call::Inject { fault });
        // An injected fault cannot be refused.
        let _ = core.perform(entry);
    }

    /// How often each operation was called since the start or the last reset.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.core().calls.clone()
    }

    /// Begins to count anew.
    pub fn reset_calls(&self) {
        self.core().calls.clear();
    }

    /// Everything that exists, in every account and Region: what would cost money, and what a deletion left behind.
    pub fn inventory(&self) -> Vec<Item> {
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
        let place = Place { account, region: target.region.clone() };
        let client = Rc::new(Client { sandbox: self.clone(), target: target.clone(), place });
        let connection =
            Connection { stacks: client.clone(), sagemaker: client.clone(), iam: client.clone(), identity: client };
        Box::pin(std::future::ready(Ok(connection)))
    }
}

/// How long a call that is not answered is waited for, as in `aws`.
const SILENCE: Duration = Duration::from_secs(30);

/// Who calls, behind the ports: always from the same place.
struct Client {
    sandbox: Sandbox,
    target: Target,
    place: Place,
}

impl Client {
    /// One call: it happens now, whether or not the answer is awaited.
    fn ask<T: 'static>(
        &self,
        operation: &'static str,
        subject: &str,
        answer: impl FnOnce(&mut Core, &Place) -> Result<T, CloudErrorKind>,
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
        call: Call,
        read: impl FnOnce(call::Answer) -> T,
    ) -> Reply<'static, T> {
        self.ask(operation, subject, |core, place| {
            let entry: Entry = core.entry(place, call);
            core.perform(entry).map(read)
        })
    }
}

fn catalog_of(resource_type: &str) -> Option<&'static crate::catalog::ResourceType> {
    crate::catalog::Catalog::embedded().resource_type(resource_type)
}

#[cfg(test)]
mod tests;
