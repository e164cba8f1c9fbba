//! What was made once can be made again: destroyed and created, or failed for want of a quota and applied when that was
//! raised. CloudFormation remembers request tokens beyond a stack's deletion, so no request may repeat one.

use std::{cell::RefCell, rc::Rc};

use fastrand::Rng;
use hubform::{
    cloud::{Accounts, CloudErrorKind},
    execute::{Settings, StepResult},
    plan::Action,
    sandbox::{Fault, Sandbox},
};

use super::{
    account::{self, Asked, Run, Wanted},
    deployment::{Deployment, Taste},
    seeds::{hold, percent},
};
use crate::support::peers::say;

#[test]
fn what_was_made_once_is_made_again() {
    let seen = RefCell::new(Seen::default());
    hold(&[], 40, |rng| account::now(live(rng, &seen)));
    if std::env::var_os("HUBFORM_SEED").is_none() {
        let Seen { born_again, recreated } = seen.into_inner();
        say(&format!("made again: {born_again} stacks after a deletion, {recreated} after a failure"));
        assert!(born_again > 60 && recreated > 30, "too little is made again: {born_again} and {recreated}");
    }
}

/// How often what the law is about occurred.
#[derive(Debug, Default)]
struct Seen {
    born_again: usize,
    recreated: usize,
}

async fn live(rng: &mut Rng, seen: &RefCell<Seen>) -> Result<(), String> {
    let sandbox = account::account(rng.u64(..));
    let (_, wanted) = Deployment::sound(rng, "law", Taste::Tame);
    for life in 0..rng.usize(2..4) {
        let asked = Asked { validate: percent(rng, 30), ..Asked::default() };
        if percent(rng, 60) {
            seen.borrow_mut().recreated += fail(rng, &sandbox, &wanted, asked).await?;
        } else {
            let run = carry_out(&sandbox, &wanted, asked).await?;
            if life > 0 {
                seen.borrow_mut().born_again += run.outcome.results.len();
            }
        }
        is_well(&carry_out(&sandbox, &wanted, asked).await?)?;
        is_well(&carry_out(&sandbox, &wanted, Asked { destroy: true, allow: true, ..asked }).await?)?;
    }
    Ok(())
}

/// A creation that fails, and one that makes all of it; answers how many stacks were deleted and made again.
async fn fail(rng: &mut Rng, sandbox: &Sandbox, wanted: &Wanted, asked: Asked) -> Result<usize, String> {
    let resource = if rng.bool() { "Endpoint" } else { "ExecutionRole" };
    let fault =
        format!("fail {resource} The account-level service limit is 0 (HandlerErrorCode: ServiceLimitExceeded)");
    sandbox.inject(fault.parse::<Fault>().map_err(|error| error.to_string())?);
    carry_out(sandbox, wanted, asked).await?;
    let plan = account::plan(&*sandbox.accounts(), wanted, asked).await.map_err(|found| format!("{found:?}"))?;
    let again = plan.steps.iter().filter(|step| step.action == Action::Recreate).count();
    is_well(&carry_out(sandbox, wanted, asked).await?)?;
    Ok(again)
}

async fn carry_out(sandbox: &Sandbox, wanted: &Wanted, asked: Asked) -> Result<Run, String> {
    let accounts: Rc<dyn Accounts> = sandbox.accounts();
    let plan = account::plan(&*accounts, wanted, asked).await.map_err(|found| format!("{found:?}"))?;
    let run = account::apply(sandbox.clock(), accounts, &plan, Settings::default(), || false).await?;
    let run = run.ok_or("nobody stopped it")?;
    let spent = CloudErrorKind::TokenAlreadyExists.to_string();
    let repeated =
        |result: &StepResult| matches!(result, StepResult::Failed(failure) if failure.message.contains(&spent));
    match run.outcome.results.iter().find(|(_, result)| repeated(result)) {
        Some((stack, _)) => Err(format!("{stack}: a request repeats a token")),
        None => Ok(run),
    }
}

fn is_well(run: &Run) -> Result<(), String> {
    if run.outcome.succeeded() { Ok(()) } else { Err(format!("it failed: {:?}", run.outcome)) }
}
