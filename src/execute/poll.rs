//! When running stacks are looked at, and by which call.
//!
//! One that runs alone is described by its id at its own pace, or where somebody watches it read by its events, which
//! say in the same call that the stack itself moved. Where several run, one listing of everything that runs serves
//! all; who has left it is described. The first look at stacks that began together is a description of all, because
//! small ones are done by then.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Answer, Call, Event, Machine, pace};
use crate::{
    clock::FIRST_LOOK,
    cloud::{CloudResult, Pages, StackStatus, StackSummary, Timestamp},
};

/// A stack that is watched by its events is described this often all the same: events may lag behind.
const CERTAIN: Duration = Duration::from_secs(60);
/// What was seen so long ago counts as known: a stack that was described, a name that was not there.
pub(super) const FRESH: Duration = Duration::from_secs(2);

/// The shared poll of one target.
#[derive(Debug, Default)]
pub(super) struct SharedPoll {
    /// When it is due; none while nothing runs.
    next: Option<Timestamp>,
    listing: Option<Listing>,
    /// How many pages the last listing had, where there was one.
    pages: usize,
    /// Listing was refused: each is looked at on its own, however many.
    refused: bool,
    /// The names that hinder a creation, as of when.
    taken: Option<(Timestamp, BTreeSet<String>)>,
}

/// A listing that is being read.
#[derive(Debug)]
struct Listing {
    began: Timestamp,
    seen: Vec<StackSummary>,
    pages: Pages,
    read: usize,
}

impl SharedPoll {
    /// When there is something to ask.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.next.filter(|_| self.listing.is_none())
    }

    /// Takes the names that were there when a look began.
    pub(super) fn took(&mut self, began: Timestamp, names: BTreeSet<String>) {
        self.taken = Some((began, names));
    }

    /// Is a name known to be free?
    pub(super) fn is_free(&self, name: &str, now: Timestamp) -> bool {
        self.taken.as_ref().is_some_and(|(began, names)| now.since(*began) <= FRESH && !names.contains(name))
    }

    /// May a listing serve so many, at fewer calls than one for each?
    fn serves(&self, running: usize) -> bool {
        !self.refused && running > self.pages.max(1)
    }
}

impl Machine {
    /// A stack began to run.
    pub(super) fn poll_soon(&mut self, index: usize) {
        let look = self.now.plus(FIRST_LOOK);
        if let Some(running) = self.tracks[index].running_mut() {
            running.look = look;
        }
        let target = self.target_of(index);
        let running = self.running(target);
        let first = match self.polls[target].serves(running.len()) {
            true => self.now.plus(self.listing_pause(target, &running)),
            false => look,
        };
        let poll = &mut self.polls[target];
        poll.next = Some(poll.next.map_or(first, |next| next.min(first)));
    }

    /// Asks, if it is time to.
    pub(super) fn poll(&mut self, target: usize) {
        if self.polls[target].due().is_none_or(|due| due > self.now) {
            return;
        }
        let running = self.running(target);
        let together = self.began_together(&running);
        if !self.polls[target].serves(running.len()) {
            self.look_at_each(&running);
            self.polls[target].next = running.iter().filter_map(|index| self.next_look(*index)).min();
            return;
        }
        self.polls[target].next = Some(self.now.plus(self.listing_pause(target, &running)));
        match together {
            true => running.iter().for_each(|index| self.describe(*index)),
            false => self.list(target),
        }
    }

    /// Has nobody looked at any of these? From now on somebody has.
    fn began_together(&mut self, running: &[usize]) -> bool {
        let mut all = true;
        for index in running {
            if let Some(running) = self.tracks[*index].running_mut() {
                all &= std::mem::replace(&mut running.unseen, false);
            }
        }
        all
    }

    fn next_look(&self, index: usize) -> Option<Timestamp> {
        self.tracks[index].running().map(|running| running.look)
    }

    fn look_at_each(&mut self, running: &[usize]) {
        for index in running {
            if self.next_look(*index).is_some_and(|look| look <= self.now) {
                self.look(*index, running.len());
            }
        }
    }

    fn list(&mut self, target: usize) {
        let began = self.now;
        self.polls[target].listing = Some(Listing { began, seen: Vec::new(), pages: Pages::default(), read: 0 });
        self.ask_shared(target, Call::ListRunning(None));
    }

    pub(super) fn running(&self, target: usize) -> Vec<usize> {
        let of_target = |index: &usize| self.target_of(*index) == target && self.tracks[*index].is_polled();
        self.active.iter().copied().filter(of_target).collect()
    }

    fn listing_pause(&self, target: usize, running: &[usize]) -> Duration {
        let ages: Vec<Duration> = running.iter().map(|index| self.age(*index)).collect();
        pace::shared(&ages, self.polls[target].pages)
    }

    /// How long an operation has run.
    pub(super) fn age(&self, index: usize) -> Duration {
        self.tracks[index].running().map_or(Duration::ZERO, |running| self.now.since(running.since))
    }

    /// Looks at one of `together` by a call of its own.
    fn look(&mut self, index: usize, together: usize) {
        let next = self.now.plus(pace::pause(self.age(index), together));
        let track = &mut self.tracks[index];
        let Some(running) = track.running_mut() else { return };
        running.look = next;
        let described = running.described;
        let certain = described.is_some_and(|at| self.now.since(at) < CERTAIN);
        match track.watched && certain && !track.is_behind() {
            true if track.log.reading => {}
            true => self.request_events(index, None),
            false => self.describe(index),
        }
    }

    /// Events of a stack that somebody watches were read: did the stack itself move?
    pub(super) fn look_at_log(&mut self, index: usize) {
        if self.tracks[index].is_behind() {
            self.describe(index);
        }
    }

    /// A page of everything that runs in a target.
    pub(super) fn listed(&mut self, target: usize, result: CloudResult<Answer>) {
        let poll = &mut self.polls[target];
        let Some(mut listing) = poll.listing.take() else { return };
        let page = result.and_then(|answer| match answer {
            Answer::Running(page) => {
                let next = listing.pages.lead(page.next, ("ListStacks", "all stacks", &self.targets[target]))?;
                Ok(Some((page.items, next)))
            }
            _ => Ok(None),
        });
        let Ok(Some((items, next))) = page else {
            (poll.refused, poll.next) = (true, Some(self.now));
            return;
        };
        listing.seen.extend(items);
        listing.read += 1;
        if next.is_some() {
            poll.listing = Some(listing);
            return self.ask_shared(target, Call::ListRunning(next));
        }
        poll.pages = listing.read;
        poll.took(listing.began, listing.seen.iter().map(|stack| stack.name.clone()).collect());
        self.take_listing(target, listing);
    }

    /// Who is not listed any more has ended, or does not show yet.
    fn take_listing(&mut self, target: usize, listing: Listing) {
        let running = listing.seen.into_iter().filter(|stack| stack.status.is_running());
        let seen: BTreeMap<String, StackStatus> = running.map(|stack| (stack.id, stack.status)).collect();
        let running = self.running(target);
        let watched = running.iter().filter(|index| self.tracks[**index].watched).count();
        for index in running {
            let track = &self.tracks[index];
            match track.id.as_ref().and_then(|id| seen.get(id)) {
                Some(status) => {
                    self.moved(index, status.clone());
                    self.watch_listed(index, watched);
                }
                None if self.now.since(listing.began) <= self.age(index) => self.describe(index),
                None => {}
            }
        }
    }

    fn watch_listed(&mut self, index: usize, watched: usize) {
        let next = self.now.plus(pace::pause(self.age(index), watched));
        let (now, track) = (self.now, &mut self.tracks[index]);
        let idle = track.watched && !track.log.reading;
        if let Some(running) = track.running_mut().filter(|running| idle && running.look <= now) {
            running.look = next;
            self.request_events(index, None);
        }
    }

    /// The stack stands there; said once.
    pub(super) fn moved(&mut self, index: usize, status: StackStatus) {
        let track = &mut self.tracks[index];
        if track.status.as_ref() != Some(&status) {
            track.status = Some(status.clone());
            let stack = self.plan.steps[index].identity.stack.clone();
            self.report(Event::Status { stack, status, at: self.now });
        }
    }
}
