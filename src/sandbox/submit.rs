//! CreateStack, DeleteStack and UpdateTerminationProtection: their checks and what they start.

use std::collections::BTreeMap;

use super::{
    account::AccountState,
    call::StackRequest,
    ids, limits,
    operation::{OperationPhase, RunningOperation},
    place::AccountRegion,
    stack::{LoggedOperation, SpentToken, StackState, StackVersion},
    template::ParsedTemplate,
    value::{EvalScope, Pseudo},
};
use crate::cloud::{CloudErrorKind, ExecutionStatus, StackStatus};

pub(crate) type Accepted<T> = Result<T, CloudErrorKind>;

pub(crate) const USER: &str = "User Initiated";

/// The service's catch-all, read as the real adapter reads it.
pub(crate) fn invalid(text: impl AsRef<str>) -> CloudErrorKind {
    CloudErrorKind::from_validation_text(text.as_ref())
}

impl AccountState {
    pub(crate) fn create_stack(
        &mut self,
        place: &AccountRegion,
        name: String,
        submission: StackRequest,
        disable_rollback: bool,
        termination_protection: bool,
        token: String,
    ) -> Accepted<String> {
        limits::name("stackName", &name)?;
        limits::token(&token)?;
        limits::submission(&submission)?;
        let flags = format!("create {disable_rollback} {termination_protection}");
        let fingerprint = fingerprint(&submission, &flags);
        let found = self.find(place, &name);
        if let Some(known) = self.known_token(place, &name, found, &token, &fingerprint) {
            return known;
        }
        let shell = found.filter(|number| self.stacks[*number].status == StackStatus::ReviewInProgress);
        if found.is_some() && shell.is_none() {
            return Err(CloudErrorKind::AlreadyExists);
        }
        let template = self.check(place, "", &name, &submission)?;
        let number = match shell {
            Some(number) => self.take_over(number),
            None => self.add_stack(place, name)?,
        };
        let version = StackVersion::new(submission, template);
        let stack = &mut self.stacks[number];
        stack.version = Some(version);
        stack.termination_protection = termination_protection;
        let id = stack.id.clone();
        self.spend(number, &token, fingerprint);
        self.begin_create(number, disable_rollback, token, None);
        Ok(id)
    }

    /// A stack in review becomes one that is made, under the same id; its change sets come too late. (R)
    fn take_over(&mut self, number: usize) -> usize {
        for stored in self.stacks[number].change_sets.values_mut() {
            if stored.execution == ExecutionStatus::Available {
                stored.execution = ExecutionStatus::Obsolete;
            }
        }
        number
    }

    /// The same token for the same request is accepted once; any other use of it is refused. (M) Tokens are remembered
    /// by account, Region and name of the stack, beyond its deletion. (O: banzaicloud/pipeline issue 3016) For how
    /// long is not documented; here for ever.
    pub(crate) fn known_token(
        &self,
        place: &AccountRegion,
        name: &str,
        stack: Option<usize>,
        token: &str,
        fingerprint: &str,
    ) -> Option<Accepted<String>> {
        let spent = self.tokens.get(&format!("{}/{name}", place))?.get(token)?;
        let there = stack.map(|number| &self.stacks[number].id);
        let same = spent.fingerprint == fingerprint && there == Some(&spent.stack);
        Some(if same { Ok(spent.stack.clone()) } else { Err(CloudErrorKind::TokenAlreadyExists) })
    }

    /// The request was accepted.
    pub(crate) fn spend(&mut self, number: usize, token: &str, fingerprint: String) {
        let stack = &self.stacks[number];
        let spent = SpentToken { fingerprint, stack: stack.id.clone() };
        self.tokens.entry(format!("{}/{}", stack.place, stack.name)).or_default().insert(token.to_owned(), spent);
    }

    /// What is refused of a body at once. (D: order of the checks)
    pub(crate) fn check(
        &self,
        place: &AccountRegion,
        stack_id: &str,
        name: &str,
        submission: &StackRequest,
    ) -> Accepted<ParsedTemplate> {
        let template = ParsedTemplate::parse(&submission.body).map_err(invalid)?;
        let pseudo = self.pseudo(place, stack_id, name, submission);
        EvalScope::new(&template, &submission.parameters, pseudo).map_err(invalid)?;
        limits::capabilities(&template, &submission.capabilities)?;
        self.check_role(place, submission.role_arn.as_deref())?;
        Ok(template)
    }

    pub(crate) fn pseudo(
        &self,
        place: &AccountRegion,
        stack_id: &str,
        name: &str,
        submission: &StackRequest,
    ) -> Pseudo {
        Pseudo {
            place: place.clone(),
            stack_id: stack_id.to_owned(),
            stack_name: name.to_owned(),
            notification_arns: submission.notification_arns.clone(),
        }
    }

    /// A service role of this account must exist. (R: the text)
    fn check_role(&self, place: &AccountRegion, role_arn: Option<&str>) -> Accepted<()> {
        let Some(arn) = role_arn else { return Ok(()) };
        let inside = format!(":iam::{}:role/", place.account);
        let name = arn.split_once(&inside).map(|(_, path)| path.rsplit('/').next().unwrap_or(path));
        match name.is_none_or(|name| self.get_role(place, name).is_some()) {
            true => Ok(()),
            false => Err(CloudErrorKind::Validation(format!("Role {arn} is invalid or cannot be assumed"))),
        }
    }

    /// A new stack without anything in it; it counts against the quota. (D)
    pub(crate) fn add_stack(&mut self, place: &AccountRegion, name: String) -> Accepted<usize> {
        if self.index.live.get(place).map_or(0, BTreeMap::len) >= self.settings.stack_limit {
            return Err(CloudErrorKind::LimitExceeded("Limit for stack has been exceeded".to_owned()));
        }
        let birth = self.index.births.get(&format!("{place}/{name}")).copied().unwrap_or(0).to_string();
        let uuid = ids::uuid(self.settings.seed, &[&place.to_string(), "stack", &name, &birth]);
        let AccountRegion { account, region } = place;
        let stack = StackState {
            id: format!("arn:{}:cloudformation:{region}:{account}:stack/{name}/{uuid}", place.partition()),
            name,
            place: place.clone(),
            status: StackStatus::ReviewInProgress,
            reason: None,
            created_at: self.now,
            updated_at: None,
            deleted_at: None,
            version: None,
            outputs: BTreeMap::new(),
            exports: BTreeMap::new(),
            imports: Default::default(),
            termination_protection: false,
            records: BTreeMap::new(),
            events: Vec::new(),
            operations: Vec::new(),
            operation: None,
            leftovers: Vec::new(),
            serial: 0,
            change_sets: BTreeMap::new(),
            executed: BTreeMap::new(),
            change_set_names: BTreeMap::new(),
        };
        self.stacks.push(stack);
        self.index_stack(self.stacks.len() - 1);
        Ok(self.stacks.len() - 1)
    }

    pub(crate) fn log_operation(&mut self, number: usize, token: Option<String>) {
        let stack = &mut self.stacks[number];
        let count = stack.operations.len().to_string();
        let id = ids::uuid(self.settings.seed, &[&stack.id, "operation", &count]);
        stack.operations.push(LoggedOperation { id, token });
    }

    pub(crate) fn begin_create(
        &mut self,
        number: usize,
        disable_rollback: bool,
        token: String,
        change_set: Option<String>,
    ) {
        self.log_operation(number, Some(token));
        self.set_status(number, StackStatus::CreateInProgress, Some(USER.to_owned()));
        let operation =
            RunningOperation::new(OperationPhase::Create, disable_rollback, StackStatus::CreateInProgress, change_set);
        self.start(number, operation);
    }

    /// No failure if there is no such stack. (C)
    pub(crate) fn delete_stack(&mut self, place: &AccountRegion, name_or_id: &str, token: String) -> Accepted<()> {
        limits::token(&token)?;
        let Some(number) = self.find(place, name_or_id) else { return Ok(()) };
        let fingerprint = ids::fingerprint(&["delete"]);
        let name = self.stacks[number].name.clone();
        if let Some(known) = self.known_token(place, &name, Some(number), &token, &fingerprint) {
            return known.map(|_| ());
        }
        let stack = &mut self.stacks[number];
        match &stack.status {
            StackStatus::DeleteComplete | StackStatus::DeleteInProgress => return Ok(()),
            status if status.is_running() => return Err(CloudErrorKind::WrongState(status.clone())),
            _ if stack.termination_protection => return Err(CloudErrorKind::TerminationProtection),
            _ => {}
        }
        let origin = stack.status.clone();
        self.spend(number, &token, fingerprint);
        self.log_operation(number, Some(token));
        self.stacks[number].deleted_at = Some(self.now);
        self.set_status(number, StackStatus::DeleteInProgress, Some(USER.to_owned()));
        let mut operation = RunningOperation::new(OperationPhase::Delete, false, origin, None);
        operation.trouble = self.in_use(number);
        self.start(number, operation);
        Ok(())
    }

    pub(crate) fn protect(&mut self, place: &AccountRegion, name_or_id: &str, on: bool) -> Accepted<String> {
        let number = self.find(place, name_or_id).filter(|number| !self.stacks[*number].status.is_deleted());
        let stack = &mut self.stacks[number.ok_or(CloudErrorKind::NotFound)?];
        if stack.status == StackStatus::DeleteInProgress {
            return Err(CloudErrorKind::WrongState(stack.status.clone()));
        }
        stack.termination_protection = on;
        Ok(stack.id.clone())
    }
}

pub(crate) fn fingerprint(submission: &StackRequest, rest: &str) -> String {
    ids::fingerprint(&[&serde_json::to_string(submission).unwrap_or_default(), rest])
}
