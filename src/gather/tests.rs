//! Questions that are asked again, listings without an end, and how much is asked at once.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use expect_test::{Expect, expect};

use super::*;
use crate::cloud::{
    CallerIdentity, ChangeSetIds, ChangeSetSummary, CloudError, CreateChangeSet, CreateStack, DeleteStack,
    ExecuteChangeSet, Iam, Identity, Page, Reply, RoleDescription, SageMaker, StackEvent, StackSummary, Stacks,
};
use crate::resolve::{LookedUp, Questions};

/// An account whose listing of stacks is scripted, by the number of the call.
struct Scripted {
    listing: fn(u64) -> Result<Option<String>, CloudErrorKind>,
    asked: RefCell<u64>,
    /// What stands on the first page.
    stacks: Vec<Stack>,
    target: Target,
    /// Its calls on their way, and those of all accounts; now and at most.
    flights: [Rc<Flights>; 2],
}

#[derive(Default)]
struct Flights {
    now: Cell<usize>,
    most: Cell<usize>,
}

impl Scripted {
    fn new(listing: fn(u64) -> Result<Option<String>, CloudErrorKind>) -> Self {
        let (asked, stacks, target, flights) = (RefCell::default(), Vec::new(), target(), Default::default());
        Self { listing, asked, stacks, target, flights }
    }

    /// An answer that takes a while.
    fn slowly<T: 'static>(&self, answer: CloudResult<T>) -> Reply<'_, T> {
        Box::pin(async move {
            for flights in &self.flights {
                flights.now.set(flights.now.get() + 1);
                flights.most.set(flights.most.get().max(flights.now.get()));
            }
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            self.flights.iter().for_each(|flights| flights.now.set(flights.now.get() - 1));
            answer
        })
    }

    fn failed(&self, operation: &'static str, subject: &str, kind: CloudErrorKind) -> CloudError {
        let (subject, target) = (subject.to_owned(), self.target.clone());
        CloudError { operation, subject, target, kind, request_id: None }
    }
}

fn target() -> Target {
    Target { account: None, region: "eu-west-1".into(), assume_role: None }
}

fn never<T>() -> T {
    unreachable!("nobody asks for this")
}

impl Stacks for Rc<Scripted> {
    fn describe_stacks(&self, _: Option<PageToken>) -> Reply<'_, Page<Stack>> {
        *self.asked.borrow_mut() += 1;
        let answer = (self.listing)(*self.asked.borrow());
        let page = |next: Option<String>| Page { items: self.stacks.clone(), next: next.map(PageToken) };
        self.slowly(answer.map(page).map_err(|kind| self.failed("DescribeStacks", "all stacks", kind)))
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
    fn get_template<'a>(&'a self, stack: &str) -> Reply<'a, String> {
        let denied = || self.failed("GetTemplate", stack, CloudErrorKind::AccessDenied("no".into()));
        self.slowly(if stack == "locked" { Err(denied()) } else { Ok("{}".into()) })
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
        self.slowly(Ok(Vec::new()))
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
        self.slowly(Ok(None))
    }
}

impl Iam for Rc<Scripted> {
    fn get_role<'a>(&'a self, name: &str) -> Reply<'a, Option<RoleDescription>> {
        let (name, arn) = (name.to_owned(), format!("{} of {}", name, self.target));
        self.slowly(Ok(Some(RoleDescription { name, arn, trust: serde_json::Value::Null })))
    }
}

impl Identity for Rc<Scripted> {
    fn caller(&self) -> Reply<'_, CallerIdentity> {
        self.slowly(Ok(CallerIdentity { account: self.target.region.clone(), arn: String::new() }))
    }
}

impl Accounts for Rc<Scripted> {
    fn at<'a>(&'a self, _: &Target) -> Reply<'a, Connection> {
        let one = || Rc::new(Rc::clone(self));
        let connection = Connection { stacks: one(), sagemaker: one(), iam: one(), identity: one() };
        Box::pin(std::future::ready(Ok(connection)))
    }
}

impl Accounts for BTreeMap<Target, Rc<Scripted>> {
    fn at<'a>(&'a self, target: &Target) -> Reply<'a, Connection> {
        self[target].at(target)
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
    let account = Rc::new(Scripted::new(listing));
    let (clock, told) = (Stepped::default(), RefCell::new(String::new()));
    let tell = |call: &Retrying, now: Timestamp| *told.borrow_mut() += &format!("{}\n", report_of(call, now));
    let asking = Asking { accounts: &account, clock: &clock, told: &tell };
    let ended = match now(observe(asking, &[target()].into(), &|_, _| false)) {
        Ok(found) => format!("{} stacks", found.stacks.len()),
        Err(error) => error.to_string(),
    };
    let (asked, took) = (account.asked.borrow(), clock.now().0 / 1000);
    expect.assert_eq(&format!("{}{ended}\n{asked} calls, {took}s\n", told.borrow()));
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(future)
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
            DescribeStacks of all stacks in eu-west-1 failed: access denied: no
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
            DescribeStacks of all stacks in eu-west-1 failed: not an answer from AWS: page 2 leads back to an earlier one
            2 calls, 0s
        "#]],
    );
    check(
        |call| Ok(Some(call.to_string())),
        expect![[r#"
            DescribeStacks of all stacks in eu-west-1 failed: not an answer from AWS: 10000 pages, and still no end
            10000 calls, 0s
        "#]],
    );
}

fn stack(name: &str, status: StackStatus) -> Stack {
    Stack {
        id: name.into(),
        name: name.into(),
        status,
        status_reason: None,
        created_at: Timestamp(0),
        updated_at: None,
        deleted_at: None,
        parameters: BTreeMap::new(),
        outputs: BTreeMap::new(),
        tags: BTreeMap::new(),
        capabilities: BTreeSet::new(),
        role_arn: None,
        notification_arns: Vec::new(),
        termination_protection: false,
    }
}

/// Two targets with these stacks each, and how many calls were on their way at most: of each, and of all.
fn busiest<T>(stacks: &[Stack], ask: impl AsyncFn(Asking<'_>, &BTreeSet<Target>) -> T) -> (T, [usize; 3]) {
    let all = Rc::<Flights>::default();
    let account = |region: &str| {
        let target = Target { region: region.into(), ..target() };
        let flights = [Rc::default(), Rc::clone(&all)];
        let account =
            Scripted { stacks: stacks.to_vec(), target: target.clone(), flights, ..Scripted::new(|_| Ok(None)) };
        (target, Rc::new(account))
    };
    let accounts: BTreeMap<_, _> = ["eu-west-1", "us-east-1"].map(account).into();
    let (clock, targets) = (Stepped::default(), accounts.keys().cloned().collect());
    let answer = now(ask(Asking::quietly(&accounts, &clock), &targets));
    let of_each: Vec<_> = accounts.values().map(|account| account.flights[0].most.get()).collect();
    (answer, [of_each[0], of_each[1], all.most.get()])
}

#[test]
fn so_many_bodies_and_change_sets_are_asked_for_at_once_in_each_target() {
    let stacks: Vec<_> = (0..70).map(|at| stack(&format!("chat-{at}"), StackStatus::CreateComplete)).collect();
    let (seen, most) = busiest(&stacks, async |asking, targets| observe(asking, targets, &|_, _| true).await);
    let seen = seen.expect("all answer").stacks;
    assert_eq!((seen.len(), most), (140, [AT_ONCE, AT_ONCE, 2 * AT_ONCE]));
    assert!(seen.iter().all(|seen| seen.body.is_some()) && seen[0].stack == stacks[0] && seen[70].stack == stacks[0]);
    let shells: Vec<_> = (0..70).map(|at| stack(&format!("chat-{at}"), StackStatus::ReviewInProgress)).collect();
    let (_, most) = busiest(&shells, async |asking, targets| observe(asking, targets, &|_, _| false).await);
    assert_eq!(most, [AT_ONCE, AT_ONCE, 2 * AT_ONCE]);
}

#[test]
fn roles_and_endpoints_are_asked_for_where_they_are_and_so_many_at_once() {
    let arns: Vec<_> = (0..70).map(|at| format!("arn:aws:iam::111122223333:role/team/r{at}")).collect();
    let (facts, most) = busiest(&[], async |asking, targets| {
        let roles = targets.iter().flat_map(|target| arns.iter().map(|arn| (target.clone(), arn.clone())));
        facts(asking, &Questions { roles: roles.collect(), accounts: targets.clone(), ..Questions::default() }).await
    });
    let facts = facts.expect("all answer");
    assert_eq!((facts.roles.len(), facts.accounts.len(), most), (140, 2, [AT_ONCE, AT_ONCE, 2 * AT_ONCE]));
    let here = |(target, arn): &(Target, String), found: &LookedUp| {
        let LookedUp::Found(found) = found else { return false };
        found.arn == format!("{} of {target}", arn.rsplit('/').next().unwrap_or_default())
    };
    assert!(facts.roles.iter().all(|(key, found)| here(key, found)), "one ARN in two targets is two questions");
    let names: Vec<_> = (0..70).map(|at| format!("chat-{at}")).collect();
    let (found, most) = busiest(&[], async |asking, targets| {
        let asked = targets.iter().flat_map(|target| names.iter().map(move |name| (target, name.as_str())));
        endpoints(asking, asked).await.expect("all answer").len()
    });
    assert_eq!((found, most), (140, [AT_ONCE, AT_ONCE, 2 * AT_ONCE]));
}

#[test]
fn what_fails_among_many_names_operation_stack_and_region() {
    let mut stacks: Vec<_> = (0..70).map(|at| stack(&format!("chat-{at}"), StackStatus::CreateComplete)).collect();
    stacks[41] = stack("locked", StackStatus::CreateComplete);
    let wants_body = |target: &Target, _: &Stack| target.region == "us-east-1";
    let (failed, _) = busiest(&stacks, async |asking, targets| observe(asking, targets, &wants_body).await);
    let failed = failed.expect_err("one does not answer").to_string();
    assert_eq!(failed, "GetTemplate of locked in us-east-1 failed: access denied: no");
}
