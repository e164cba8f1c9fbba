//! What stands in an account, one line a stack.

use serde_json::{Value, json};

use super::{Context, FORMAT, ink, plan::without_secrets};
use crate::{
    cloud::{EndpointDescription, EndpointStatus, StackEvent, StackStatus, spoken, stuck_rollback},
    diagnostic::{first_of, shown},
    execute::same_config,
    plan::{ObservedStack, StacksElsewhere, Unfinished, Wide},
    resolve::{Check, Identity},
};

/// One stack, and its endpoint where it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusRow {
    identity: Identity,
    status: StackStatus,
    endpoint: Option<EndpointDescription>,
    /// The configuration the stack made.
    wanted: Option<String>,
    /// What an apply that stopped between phases left out.
    detour: Option<Unfinished>,
    /// What a role allows beyond what is wanted.
    wide: Option<Wide>,
    /// What a rollback could not bring back.
    not_rolled_back: Vec<StackEvent>,
}

impl StatusRow {
    /// A row of what was observed.
    pub fn new(
        identity: Identity,
        observed: &ObservedStack,
        endpoint: Option<EndpointDescription>,
        wide: Option<Wide>,
    ) -> Self {
        Self {
            identity,
            status: observed.stack.status.clone(),
            wanted: Check::of_stack(&observed.stack.outputs)
                .iter()
                .find_map(|check| check.made(&observed.stack.outputs))
                .cloned(),
            endpoint,
            detour: observed.body.as_deref().and_then(Unfinished::read),
            wide,
            not_rolled_back: observed.not_rolled_back.clone(),
        }
    }

    /// What could not be rolled back.
    fn stuck(&self) -> Vec<String> {
        let said = self.not_rolled_back.iter().map(|event| {
            let reason =
                event.reason.as_ref().map(|reason| format!(": {}", shown(spoken(reason).0))).unwrap_or_default();
            format!("{} could not be rolled back{reason}", event.logical_id)
        });
        said.collect()
    }

    /// How a rollback that failed goes on.
    fn way_on(&self) -> Option<String> {
        let failed: Vec<_> =
            self.not_rolled_back.iter().map(|event| (&*event.logical_id, &*event.resource_type)).collect();
        let is_stuck = self.status == StackStatus::UpdateRollbackFailed;
        is_stuck.then(|| stuck_rollback(&self.identity.stack, &failed).join("\n"))
    }

    /// Is the stack whole, with nothing out, and does its endpoint run what the stack made?
    pub fn is_healthy(&self) -> bool {
        self.status.is_updatable()
            && self.detour.is_none()
            && self.wanted.as_ref().is_none_or(|_| self.runs_what_was_made())
    }

    fn runs_what_was_made(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| {
            let right = self.wanted.as_ref().is_some_and(|wanted| same_config(wanted, &endpoint.config_name));
            endpoint.status == EndpointStatus::InService && right
        })
    }

    /// Both configurations, where the endpoint runs another one than its stack made.
    fn astray(&self) -> Vec<String> {
        match (&self.endpoint, &self.wanted) {
            (Some(endpoint), Some(wanted)) if !same_config(wanted, &endpoint.config_name) => {
                vec![format!("runs {}", endpoint.config_name), format!("its stack made {wanted}")]
            }
            _ => Vec::new(),
        }
    }

    fn endpoint_words(&self) -> String {
        match (&self.endpoint, &self.wanted) {
            (None, None) => String::new(),
            (None, Some(_)) => "endpoint missing".to_owned(),
            (Some(endpoint), Some(wanted)) if !same_config(wanted, &endpoint.config_name) => {
                format!("{}, on another configuration", endpoint.status)
            }
            (Some(endpoint), _) => endpoint.status.to_string(),
        }
    }
}

/// For people.
pub fn human(rows: &[StatusRow], elsewhere: &[StacksElsewhere], context: &Context<'_>) -> String {
    let label = context.label.map(|label| format!(" ({label})")).unwrap_or_default();
    let mut out = match (rows, elsewhere) {
        ([], []) => format!("Nothing is deployed{label}.\n"),
        ([], _) => format!("Nothing that belongs here is deployed{label}.\n"),
        _ => table(rows, &label, context),
    };
    for found in elsewhere {
        let is_alone = !rows.iter().any(|row| row.identity.environment == found.environment);
        ink::paragraph(&mut out, context, 2, &strangers(found, is_alone));
    }
    out
}

/// Stacks shown of one stranger.
const STRANGERS: usize = 5;

/// `is_alone`: nothing of the environment's own stands, so that its lock may have been lost.
fn strangers(found: &StacksElsewhere, is_alone: bool) -> String {
    let StacksElsewhere { environment, target, owner, stacks } = found;
    let names = first_of(stacks, STRANGERS);
    let (whose, way) = match owner {
        Some(owner) => (
            format!("owner {owner}"),
            format!("; if the lock was lost, `hubform lock --owner {owner}` reclaims everything"),
        ),
        None => ("no owner".to_owned(), "; `hubform apply --adopt KIND/NAME` takes over what is yours".to_owned()),
    };
    let way = if is_alone || owner.is_none() { way } else { String::new() };
    format!("another environment named `{environment}`, {whose}, in {target}: {names}{way}")
}

fn table(rows: &[StatusRow], label: &str, context: &Context<'_>) -> String {
    let wide = |of: fn(&StatusRow) -> &str| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    let (stacks, statuses) = (wide(|row| &row.identity.stack.name), wide(|row| row.status.as_str()));
    let mut out = String::new();
    let mut last = None;
    for row in rows {
        let Identity { stack, environment, .. } = &row.identity;
        let here = (environment, &stack.target.region);
        if last != Some(here) {
            last = Some(here);
            out.push_str(&format!("{} in {}{label}\n", here.0, here.1));
        }
        let mark = if row.is_healthy() { "  " } else { "! " };
        let line = format!("{mark}{stack:stacks$}  {:statuses$}  {}", row.status, row.endpoint_words());
        out.push_str(&ink::fit(line.trim_end(), context.width.max(40), context.unicode));
        out.push('\n');
        let when = if row.status.is_updatable() { "" } else { "when the stack is no longer stuck, " };
        let left = row.detour.as_ref().map(|detour| format!("{}; {when}apply again to continue", detour.sentence()));
        let wide = row.wide.as_ref().map(Wide::sentence);
        for line in row.stuck().into_iter().chain(row.astray()).chain(left).chain(wide) {
            ink::paragraph(&mut out, context, 6, &line);
        }
        row.way_on().iter().for_each(|way| ink::way_out(&mut out, context, 6, way));
    }
    out
}

/// For programs.
pub fn json(rows: &[StatusRow], elsewhere: &[StacksElsewhere], context: &Context<'_>) -> Value {
    let others = elsewhere.iter().map(|found| {
        json!({
            "environment": found.environment,
            "region": found.target.region,
            "owner": found.owner,
            "stacks": found.stacks,
        })
    });
    let stacks = rows.iter().map(|row| {
        let Identity { stack, environment, kind, name } = &row.identity;
        json!({
            "environment": environment,
            "kind": kind,
            "name": name,
            "stack": stack.name,
            "region": stack.target.region,
            "status": row.status,
            "endpoint": row.endpoint,
            "endpointConfig": row.wanted,
            "out": row.detour.as_ref().map(|detour| &detour.out),
            "notRolledBack": row.not_rolled_back.iter().map(|event| &event.logical_id).collect::<Vec<_>>(),
            "wide": row.wide.as_ref().map(|wide| &wide.allows),
            "healthy": row.is_healthy(),
        })
    });
    without_secrets(json!({ "format": FORMAT, "type": "status", "imagined": context.label,
                            "stacks": stacks.collect::<Value>(), "elsewhere": others.collect::<Value>() }))
}
