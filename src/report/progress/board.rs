//! What is going on, as far as the events told: what every listener draws from.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    cloud::{ResourceStatus, Retrying, StackRef, StackStatus, Timestamp},
    execute::{Event, StepResult, Waiting},
};

/// One stack that something happens to.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardRow {
    /// The stack's name.
    pub stack: String,
    /// What is done to it; empty before.
    pub operation: String,
    /// Where it stands, once that is known.
    pub status: Option<StackStatus>,
    /// The resource that moved last: logical id and status.
    pub resource: Option<(String, ResourceStatus)>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// A call for it that has not worked for a while.
    pub retrying: Option<Retrying>,
    /// When work on it began.
    pub began: Option<Timestamp>,
}

impl BoardRow {
    /// A stack of which nothing is known yet.
    pub(super) fn of(stack: &StackRef) -> Self {
        Self {
            stack: stack.name.clone(),
            operation: String::new(),
            status: None,
            resource: None,
            waiting: None,
            retrying: None,
            began: None,
        }
    }
}

/// Everything that was told and is not over.
#[derive(Debug, Clone, Default)]
pub struct Board {
    rows: BTreeMap<StackRef, BoardRow>,
    /// How many stacks have something to do.
    pub total: usize,
    /// How many of them are over.
    pub over: usize,
    /// How many failed.
    pub failed: usize,
    /// A call for all stacks that has not worked for a while.
    pub retrying: Option<Retrying>,
    /// The user asked to stop.
    pub interrupted: bool,
    began: Timestamp,
    /// The time of the last event.
    pub now: Timestamp,
}

impl Board {
    /// Takes an event; answers the row of a stack that was worked on and is over now.
    pub fn hear(&mut self, event: &Event) -> Option<BoardRow> {
        self.now = self.now.max(at(event));
        match event {
            Event::Started { at, stacks } => (self.began, self.total) = (*at, *stacks),
            Event::Interrupted { .. } => self.interrupted = true,
            Event::OperationStarted { stack, operation, at, .. } => {
                let row = self.row(stack);
                row.operation.clone_from(operation);
                row.waiting = None;
                row.resource = None;
                row.began = row.began.or(Some(*at));
            }
            Event::Status { stack, status, .. } => {
                let row = self.row(stack);
                row.status = Some(status.clone());
                row.waiting = None;
            }
            Event::Resource { stack, logical_id, status, .. } => {
                self.row(stack).resource = Some((logical_id.clone(), status.clone()));
            }
            Event::Waiting { stack, on: on @ (Waiting::Stacks(_) | Waiting::Turn), .. } => {
                self.row(stack).waiting = Some(on.clone());
            }
            Event::Waiting { stack, on, .. } => {
                if let Some(row) = self.rows.get_mut(stack) {
                    row.waiting = Some(on.clone());
                }
            }
            Event::Retrying { stack, call, .. } => self.tries(stack.as_ref(), Some(call.clone())),
            Event::Retried { stack, .. } => self.tries(stack.as_ref(), None),
            Event::Settled { stack, result, .. } => return self.settled(stack, result),
            Event::Tick { .. } | Event::Finished { .. } => {}
        }
        None
    }

    fn tries(&mut self, stack: Option<&StackRef>, call: Option<Retrying>) {
        match stack {
            None => self.retrying = call,
            Some(stack) => {
                if let Some(row) = self.rows.get_mut(stack) {
                    row.retrying = call;
                }
            }
        }
    }

    fn settled(&mut self, stack: &StackRef, result: &StepResult) -> Option<BoardRow> {
        self.failed += usize::from(matches!(result, StepResult::Failed(_)));
        let row = self.rows.remove(stack)?;
        self.over += 1;
        Some(row)
    }

    fn row(&mut self, stack: &StackRef) -> &mut BoardRow {
        self.rows.entry(stack.clone()).or_insert_with(|| BoardRow::of(stack))
    }

    /// The busiest first: what runs, the longest-running on top; then what waits.
    pub fn rows(&self) -> Vec<&BoardRow> {
        let mut rows: Vec<&BoardRow> = self.rows.values().collect();
        rows.sort_by_key(|row| (row.began.is_none(), row.began));
        rows
    }

    /// Since the first event.
    pub fn elapsed(&self) -> Duration {
        self.now.since(self.began)
    }
}

/// When an event happened.
pub(super) fn at(event: &Event) -> Timestamp {
    match event {
        Event::Started { at, .. }
        | Event::OperationStarted { at, .. }
        | Event::Status { at, .. }
        | Event::Resource { at, .. }
        | Event::Waiting { at, .. }
        | Event::Retrying { at, .. }
        | Event::Retried { at, .. }
        | Event::Settled { at, .. }
        | Event::Tick { at }
        | Event::Interrupted { at }
        | Event::Finished { at, .. } => *at,
    }
}
