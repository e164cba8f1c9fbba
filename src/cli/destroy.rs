//! `hubform destroy`: the stacks of what is named go, and nothing else does.

use anyhow::Result;

use super::{
    Exit, Host,
    apply::{Confirmation, confirmed},
    args,
    args::Globals,
    plan::{PlanningRequest, prepare, show},
};
use crate::plan::Purpose;

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::DestroyArgs) -> Result<Exit> {
    let purpose = Purpose::Destroy { waits: !args.acting.no_wait };
    let prepared = prepare(host, globals, PlanningRequest { planning: &args.planning, adopt: &[], purpose }).await?;
    show(host, &args.planning, &prepared)?;
    let verb = Confirmation { name: "destroy", question: "Delete these stacks?" };
    confirmed(host, &args.planning, &args.acting, prepared, verb).await
}
