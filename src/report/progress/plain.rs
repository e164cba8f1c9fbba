//! For pipes and logs: one line per change, with the time since the start.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use super::{Board, Listener};
use crate::{
    cloud::{ResourceStatus, StackRef},
    diagnostic::shown,
    execute::{Event, StepResult},
    report::{
        Context,
        ink::{Ink, paint, span},
        outcome::{in_one_line, stacks},
        retried, retrying,
    },
};

/// Writes each change as one line.
#[derive(Debug)]
pub struct PlainProgress<W: Write> {
    out: W,
    color: bool,
    label: Option<String>,
    board: Board,
    begun: BTreeSet<StackRef>,
    /// What was last said of a resource, by stack and logical id.
    said: BTreeMap<(StackRef, String), ResourceStatus>,
}

impl<W: Write> PlainProgress<W> {
    /// Writes to `out`; the context's label stands in the first line.
    pub fn new(out: W, context: &Context<'_>) -> Self {
        let label = context.label.map(str::to_owned);
        Self {
            out,
            color: context.color,
            label,
            board: Board::default(),
            begun: BTreeSet::new(),
            said: BTreeMap::new(),
        }
    }

    fn line(&mut self, event: &Event) -> Option<(Option<Ink>, String)> {
        let plain = |text: String| Some((None, text));
        match event {
            Event::Started { stacks: 0, .. } => None,
            Event::Started { stacks: number, .. } => {
                let label = self.label.as_ref().map(|label| format!(" [{label}]")).unwrap_or_default();
                plain(format!("{} to work on{label}", stacks(*number)))
            }
            Event::OperationStarted { stack, operation, .. } => {
                self.begun.insert(stack.clone());
                plain(format!("{stack}: {operation}"))
            }
            Event::Status { stack, status, .. } => {
                Some((status.is_rollback().then_some(Ink::Bad), format!("{stack}: {status}")))
            }
            Event::Resource { stack, logical_id, status, reason, .. } => {
                let last = self.said.insert((stack.clone(), logical_id.clone()), status.clone());
                if status.is_failure() {
                    let reason = reason.as_ref().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
                    return Some((Some(Ink::Bad), format!("{stack}/{logical_id}: {status}{reason}")));
                }
                plain(format!("{stack}/{logical_id}: {status}")).filter(|_| last.as_ref() != Some(status))
            }
            Event::Retrying { call, at, .. } => Some((Some(Ink::Care), retrying(call, *at))),
            Event::Retried { call, worked, at, .. } => plain(retried(call, *worked, *at)),
            Event::Settled { stack, result, .. } => self.settled(stack, result),
            Event::Interrupted { .. } => {
                let text = "interrupted: starting nothing new, waiting for what runs; interrupt again to leave now";
                Some((Some(Ink::Care), text.to_owned()))
            }
            Event::Finished { .. } if self.begun.is_empty() => None,
            Event::Finished { calls, .. } => plain(format!("finished after {calls} calls")),
            Event::Waiting { .. } | Event::Tick { .. } => None,
        }
    }

    fn settled(&self, stack: &StackRef, result: &StepResult) -> Option<(Option<Ink>, String)> {
        let ink = match result {
            StepResult::Failed(_) => Ink::Bad,
            StepResult::Done if self.begun.contains(stack) => Ink::Good,
            StepResult::Done | StepResult::Unchanged if !self.begun.contains(stack) => return None,
            _ => Ink::Dim,
        };
        Some((Some(ink), format!("{stack}: {}", in_one_line(result))))
    }
}

impl PlainProgress<Vec<u8>> {
    /// What was written since it was last taken.
    pub(super) fn taken(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.out)).into_owned()
    }
}

impl<W: Write> Listener for PlainProgress<W> {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        self.board.hear(event);
        let Some((ink, text)) = self.line(event) else { return Ok(()) };
        let context = Context { color: self.color, ..Context::default() };
        let text = ink.map_or_else(|| text.clone(), |ink| paint(&context, ink, &text));
        writeln!(self.out, "[{:>7}] {text}", span(self.board.elapsed()))?;
        self.out.flush()
    }
}
