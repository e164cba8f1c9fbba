//! Questions that are asked again, and listings without an end.

use std::{cell::RefCell, rc::Rc};

use expect_test::{Expect, expect};

use super::*;
use crate::cloud::{
    CallerIdentity, ChangeSetIds, ChangeSetSummary, CloudError, CreateChangeSet, CreateStack, DeleteStack,
    ExecuteChangeSet, Iam, Identity, Page, Reply, RoleDescription, SageMaker, StackEvent, StackSummary, Stacks,
};

/// An account whose listing of stacks is scripted, by the number of the call. Nothing else is ever asked.
struct Scripted {
    listing: fn(u64) -> Result<Option<String>, CloudErrorKind>,
    asked: RefCell<u64>,
}

fn target() -> Target {
    Target { account: None, region: "eu-west-1".into(), assume_role: None }
}

fn never<T>() -> T {
    unreachable!("only the listing is asked for")
}

impl Stacks for Rc<Scripted> {
    fn describe_stacks(&self, _: Option<PageToken>) -> Reply<'_, Page<Stack>> {
        *self.asked.borrow_mut() += 1;
        let answer = (self.listing)(*self.asked.borrow());
        let (operation, subject, request_id) = ("DescribeStacks", "all stacks".to_owned(), None);
        let failed = |kind| CloudError { operation, subject, target: target(), kind, request_id };
        let answer = answer.map(|next| Page { items: Vec::new(), next: next.map(PageToken) }).map_err(failed);
        Box::pin(std::future::ready(answer))
    }
    fn describe_stack<'a>(&'a self, _: &str) -> Reply<'a, Option<Stack>> {
        never()
    }
    fn list_stacks(&self, _: &[StackStatus], _: Option<PageToken>) -> Reply<'_, Page<StackSummary>> {
        never()
    }
    fn describe_stack_events<'a>(&'a self, _: &str, _: Option<PageToken>) -> Reply<'a, Page<StackEvent>> {
        never()
    }
    fn get_template<'a>(&'a self, _: &str) -> Reply<'a, String> {
        never()
    }
    fn get_change_set_template<'a>(&'a self, _: &str) -> Reply<'a, String> {
        never()
    }
    fn create_stack(&self, _: CreateStack) -> Reply<'_, String> {
        never()
    }
    fn create_change_set(&self, _: CreateChangeSet) -> Reply<'_, ChangeSetIds> {
        never()
    }
    fn describe_change_set<'a>(&'a self, _: &str) -> Reply<'a, Option<ChangeSet>> {
        never()
    }
    fn list_change_sets<'a>(&'a self, _: &str) -> Reply<'a, Vec<ChangeSetSummary>> {
        never()
    }
    fn execute_change_set(&self, _: ExecuteChangeSet) -> Reply<'_, ()> {
        never()
    }
    fn delete_change_set<'a>(&'a self, _: &str) -> Reply<'a, ()> {
        never()
    }
    fn delete_stack(&self, _: DeleteStack) -> Reply<'_, ()> {
        never()
    }
    fn update_termination_protection<'a>(&'a self, _: &str, _: bool) -> Reply<'a, ()> {
        never()
    }
}

impl SageMaker for Rc<Scripted> {
    fn describe_endpoint<'a>(&'a self, _: &str) -> Reply<'a, Option<EndpointDescription>> {
        never()
    }
}

impl Iam for Rc<Scripted> {
    fn get_role<'a>(&'a self, _: &str) -> Reply<'a, Option<RoleDescription>> {
        never()
    }
}

impl Identity for Rc<Scripted> {
    fn caller(&self) -> Reply<'_, CallerIdentity> {
        never()
    }
}

impl Accounts for Rc<Scripted> {
    fn at<'a>(&'a self, _: &Target) -> Reply<'a, Connection> {
        let one = || Rc::new(Rc::clone(self));
        let connection = Connection { stacks: one(), sagemaker: one(), iam: one(), identity: one() };
        Box::pin(std::future::ready(Ok(connection)))
    }
}

/// Time that moves only when somebody waits.
#[derive(Default)]
struct Stepped(RefCell<Timestamp>);

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }
    fn sleep_until(&self, at: Timestamp) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>> {
        *self.0.borrow_mut() = at;
        Box::pin(std::future::ready(()))
    }
}

fn check(listing: fn(u64) -> Result<Option<String>, CloudErrorKind>, expect: Expect) {
    let account = Rc::new(Scripted { listing, asked: RefCell::default() });
    let (clock, told) = (Stepped::default(), RefCell::new(String::new()));
    let tell = |call: &Retrying, now: Timestamp| *told.borrow_mut() += &format!("{}\n", report_of(call, now));
    let asking = Asking { accounts: &account, clock: &clock, told: &tell };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let ended = match runtime.block_on(observe(asking, &[target()].into(), &|_, _| false)) {
        Ok(found) => format!("{} stacks", found.stacks.len()),
        Err(error) => error.to_string(),
    };
    let (asked, took) = (account.asked.borrow(), clock.now().0 / 1000);
    expect.assert_eq(&format!("{}{ended}\n{asked} calls, {took}s\n", told.borrow()));
}

fn report_of(call: &Retrying, now: Timestamp) -> String {
    let Retrying { operation, subject, trouble, since, tries, most, .. } = call;
    let took = now.since(*since).as_secs();
    format!("{operation} of {subject}: {trouble:?} for {took}s, try {tries} of {most}")
}

#[test]
fn what_is_asked_again_is_told_and_ends() {
    check(
        |call| if call < 7 { Err(CloudErrorKind::Throttled("Rate exceeded".into())) } else { Ok(None) },
        expect![[r#"
            DescribeStacks of all stacks: Throttled for 15s, try 6 of 10
            0 stacks
            7 calls, 61s
        "#]],
    );
    check(
        |_| Err(CloudErrorKind::Throttled("Rate exceeded".into())),
        expect![[r#"
        DescribeStacks of all stacks: Throttled for 15s, try 6 of 10
        DescribeStacks of all stacks: Throttled for 91s, try 9 of 10
        DescribeStacks of all stacks in eu-west-1 failed: AWS asked to slow down (Rate exceeded)
        10 calls, 151s
    "#]],
    );
    check(
        |_| Err(CloudErrorKind::ServiceFault("InternalFailure".into())),
        expect![[r#"
        DescribeStacks of all stacks in eu-west-1 failed: AWS failed (InternalFailure)
        3 calls, 3s
    "#]],
    );
    check(
        |_| Err(CloudErrorKind::AccessDenied("no".into())),
        expect![[r#"
        DescribeStacks of all stacks in eu-west-1 failed: the caller may not do this: no
        1 calls, 0s
    "#]],
    );
}

#[test]
fn a_listing_without_an_end_is_an_error_that_names_the_call() {
    check(
        |call| Ok((call < 4).then(|| call.to_string())),
        expect![[r#"
        0 stacks
        4 calls, 0s
    "#]],
    );
    check(
        |_| Ok(Some("again".into())),
        expect![[r#"
        DescribeStacks of all stacks in eu-west-1 failed: the answer is not one of AWS's: page 2 leads back to one that was read
        2 calls, 0s
    "#]],
    );
    check(
        |call| Ok(Some(call.to_string())),
        expect![[r#"
        DescribeStacks of all stacks in eu-west-1 failed: the answer is not one of AWS's: 10000 pages, and still no end
        10000 calls, 0s
    "#]],
    );
}
