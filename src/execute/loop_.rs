//! The loop: it makes the calls the machine asks for, waits, and brings back what happened.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{Answer, CallId, Command, Event, Input, Machine, Outcome, Settings, perform};
use crate::{
    clock::Clock,
    cloud::{Accounts, CloudResult, Timestamp},
    plan::Plan,
};

/// Carries out a plan. Each message on `interrupts` is one request of the user to stop; `report` hears everything
/// that happens, in order, with the times of `clock`.
pub async fn execute(
    plan: Plan,
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    settings: Settings,
    mut interrupts: UnboundedReceiver<()>,
    report: &mut dyn FnMut(&Event),
) -> Outcome {
    let mut machine = Machine::new(plan, settings, clock.now());
    let mut flight = Flight::default();
    let mut input = Input::Tick;
    loop {
        let mut wake = None;
        for command in machine.step(clock.now(), input) {
            match command {
                Command::Call { id, target, call } => flight.push(id, perform(accounts, target, call)),
                Command::SleepUntil(at) => wake = Some(at),
                Command::Report(event) => report(&event),
                Command::Done(outcome) => return outcome,
            }
        }
        input = next(&mut flight, &mut interrupts, clock, wake).await;
    }
}

/// What happens first. The clock is looked at last, so that simulated time moves only when nothing else can.
async fn next(
    flight: &mut Flight<'_>,
    interrupts: &mut UnboundedReceiver<()>,
    clock: &dyn Clock,
    wake: Option<Timestamp>,
) -> Input {
    let mut sleep = wake.map(|at| clock.sleep_until(at));
    poll_fn(|context| {
        if let Poll::Ready(Some(())) = interrupts.poll_recv(context) {
            return Poll::Ready(Input::Interrupt);
        }
        if let Poll::Ready((id, result)) = flight.poll_next(context) {
            return Poll::Ready(Input::Answer { id, result });
        }
        match &mut sleep {
            Some(sleep) => sleep.as_mut().poll(context).map(|()| Input::Tick),
            None => Poll::Pending,
        }
    })
    .await
}

type Underway<'a> = Pin<Box<dyn Future<Output = CloudResult<Answer>> + 'a>>;

/// The calls that are not answered yet: a few dozen at most, so each wake asks them all.
#[derive(Default)]
struct Flight<'a>(Vec<(CallId, Underway<'a>)>);

impl<'a> Flight<'a> {
    fn push(&mut self, id: CallId, call: impl Future<Output = CloudResult<Answer>> + 'a) {
        self.0.push((id, Box::pin(call)));
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<(CallId, CloudResult<Answer>)> {
        for index in 0..self.0.len() {
            if let Poll::Ready(result) = self.0[index].1.as_mut().poll(context) {
                let (id, _) = self.0.remove(index);
                return Poll::Ready((id, result));
            }
        }
        Poll::Pending
    }
}
