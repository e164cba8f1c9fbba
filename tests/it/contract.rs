//! One contract for everything that stands behind the ports: the sandbox, and independent AWS servers behind the
//! adapters to the AWS SDK. A peer that answers otherwise than AWS needs a row in `waivers`, and the row is itself
//! held against the peer: when the peer is mended, the row has to go.

mod change_sets;
#[cfg(feature = "aws")]
mod program;
mod services;
mod stacks;
mod subject;
mod waivers;

use std::{fmt::Write, future::Future, pin::Pin};

use crate::support::peers::say;
use subject::Subject;
use waivers::{WAIVERS, Waiver};

/// What an expectation saw: nothing amiss, or what was answered instead.
type Seen = Result<(), String>;

type Check = for<'a> fn(&'a Subject) -> Pin<Box<dyn Future<Output = Seen> + 'a>>;

macro_rules! expectations {
    ($($room:ident::$name:ident,)*) => {
        /// Every expectation, in the order in which they are held against a subject: last those that moto never
        /// recovers from.
        const EXPECTATIONS: &[(&str, Check)] = &[$((stringify!($name), |subject| Box::pin($room::$name(subject))),)*];
    };
}

expectations! {
    stacks::a_missing_stack_is_none,
    stacks::a_new_stack_completes,
    stacks::a_new_stack_was_never_updated,
    stacks::a_stack_is_found_by_name_and_by_id,
    stacks::outputs_come_back,
    stacks::tags_and_parameters_come_back,
    stacks::the_template_comes_back_as_submitted,
    stacks::a_second_creation_is_already_exists,
    stacks::the_same_token_and_request_are_one_creation,
    stacks::the_same_token_for_another_request_is_refused,
    stacks::a_token_is_remembered_beyond_the_stack,
    stacks::a_named_role_needs_the_named_capability,
    stacks::stacks_are_listed_by_status,
    stacks::events_are_newest_first,
    stacks::events_carry_the_token,
    stacks::resources_have_events_in_two_phases,
    stacks::a_protected_stack_is_not_deleted,
    stacks::a_deleted_stack_is_found_only_by_id,
    stacks::a_deleted_stack_says_when,
    stacks::deleting_a_missing_stack_is_no_failure,
    stacks::listings_are_paged,
    change_sets::nothing_to_change_is_an_empty_update,
    change_sets::a_change_in_place_replaces_nothing,
    change_sets::a_create_only_change_replaces,
    change_sets::an_executed_change_set_updates,
    change_sets::an_updated_stack_says_when,
    change_sets::a_replacement_is_another_resource,
    change_sets::an_update_passes_through_cleanup,
    change_sets::a_change_set_can_make_a_stack,
    change_sets::the_template_of_a_change_set_comes_back,
    change_sets::a_change_set_is_executed_once,
    change_sets::a_taken_name_is_already_exists,
    change_sets::a_deleted_change_set_is_none,
    change_sets::change_sets_are_listed_by_the_stacks_id,
    change_sets::an_update_of_a_missing_stack_is_not_found,
    services::the_caller_has_an_account,
    services::a_missing_role_is_none,
    services::a_role_shows_whom_it_trusts,
    services::a_missing_endpoint_is_none,
    services::an_endpoint_shows_its_configuration,
    services::an_endpoint_has_the_name_it_was_given,
    stacks::a_failed_creation_rolls_back_and_says_why,
    change_sets::an_update_of_a_rolled_back_stack_is_refused,
    stacks::a_body_that_is_no_template_is_refused,
    stacks::a_reference_to_nothing_is_refused,
}

#[test]
fn the_sandbox_keeps_the_contract() {
    hold(async { Some(subject::sandbox().await) });
}

#[test]
#[cfg(feature = "aws")]
fn moto_keeps_the_contract() {
    hold(subject::server("moto"));
}

#[test]
#[cfg(feature = "aws")]
fn ministack_keeps_the_contract() {
    hold(subject::server("ministack"));
}

#[test]
fn every_waiver_speaks_of_an_expectation() {
    for row in WAIVERS {
        assert!(EXPECTATIONS.iter().any(|(name, _)| *name == row.expectation), "{} is no expectation", row.expectation);
    }
}

#[test]
fn a_waiver_is_itself_held_against_the_peer() {
    let row = Waiver { peer: "p", expectation: "e", answers: "so", why: "w" };
    assert!(judge(Some(&row), Err("or so".to_owned())).is_ok());
    assert!(judge(Some(&row), Err("otherwise".to_owned())).is_err());
    assert!(judge(Some(&row), Ok(())).is_err());
    assert!(judge(None, Err("so".to_owned())).is_err());
}

/// Holds every expectation against a subject, in one runtime, and shows what was waived.
fn hold(start: impl Future<Output = Option<Subject>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let Some(subject) = start.await else { return };
        let mut wrong = String::new();
        for (name, check) in EXPECTATIONS {
            let waiver = WAIVERS.iter().find(|row| (row.peer, row.expectation) == (subject.name, name));
            if let Err(complaint) = judge(waiver, check(&subject).await) {
                let _ = writeln!(wrong, "{name}: {complaint}");
            }
        }
        say(&table(subject.name));
        assert!(wrong.is_empty(), "{} breaks the contract\n{wrong}", subject.name);
    });
}

fn judge(waiver: Option<&Waiver>, seen: Seen) -> Result<(), String> {
    match (waiver, seen) {
        (None, seen) => seen,
        (Some(row), Err(seen)) if seen.contains(row.answers) => Ok(()),
        (Some(row), Err(seen)) => Err(format!("waived for \"{}\", but now {seen}", row.answers)),
        (Some(row), Ok(())) => Err(format!("waived for \"{}\", but now as AWS does", row.answers)),
    }
}

fn table(peer: &str) -> String {
    let rows: Vec<&Waiver> = WAIVERS.iter().filter(|row| row.peer == peer).collect();
    let mut text = format!("{peer}: {} expectations, {} waived", EXPECTATIONS.len(), rows.len());
    for Waiver { expectation, answers, why, .. } in rows {
        let _ = write!(text, "\n  {expectation}: \"{answers}\" ({why})");
    }
    text
}
