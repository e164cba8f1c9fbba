//! Whose an environment is: what becomes of the owner id in its lock.

/// What a verb does about owner ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OwnerPolicy {
    /// Uses the lock's.
    #[default]
    Known,
    /// Makes one where there is none.
    Made,
    /// Puts this one in.
    Said(String),
    /// Makes another.
    New,
}

/// What an owner is decided upon.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnerFacts {
    /// The lock has one.
    pub known: bool,
    /// Nothing may be chosen.
    pub locked: bool,
    /// The lock is for an imagined account, and never committed.
    pub imagined: bool,
    /// The account is real, and neither an Environment nor a lock file is there to say it from now on.
    pub unwritten: bool,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerAction {
    /// It stays.
    Keep,
    /// This one is put in.
    Put(String),
    /// One is made; in a folder with an earlier sandbox, the same as there.
    Make,
    /// Another is made.
    Renew,
    /// It is missing, and may not be made: a finding.
    Missing,
    /// Nobody would remember it: stacks of a real account would soon have no owner.
    Refuse,
}

impl OwnerPolicy {
    /// What becomes of an environment's owner.
    pub fn decide(&self, facts: OwnerFacts) -> OwnerAction {
        let OwnerFacts { known, locked, imagined, unwritten } = facts;
        match self {
            Self::Known => OwnerAction::Keep,
            Self::Said(owner) => OwnerAction::Put(owner.clone()),
            Self::New => OwnerAction::Renew,
            Self::Made if known => OwnerAction::Keep,
            Self::Made if locked && !imagined => OwnerAction::Missing,
            Self::Made if unwritten => OwnerAction::Refuse,
            Self::Made => OwnerAction::Make,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_made_once_and_only_where_it_is_remembered() {
        let decide = |facts| OwnerPolicy::Made.decide(facts);
        let facts = OwnerFacts::default();
        assert_eq!(decide(facts), OwnerAction::Make);
        assert_eq!(decide(OwnerFacts { known: true, locked: true, unwritten: true, ..facts }), OwnerAction::Keep);
        assert_eq!(decide(OwnerFacts { locked: true, unwritten: true, ..facts }), OwnerAction::Missing);
        assert_eq!(decide(OwnerFacts { unwritten: true, ..facts }), OwnerAction::Refuse);
        let imagined = OwnerFacts { imagined: true, locked: true, ..facts };
        assert_eq!(decide(imagined), OwnerAction::Make, "nobody commits what an imagined account keeps");
    }

    #[test]
    fn whoever_names_an_owner_is_obeyed() {
        let locked = OwnerFacts { known: true, locked: true, ..OwnerFacts::default() };
        assert_eq!(OwnerPolicy::Said("a1".into()).decide(locked), OwnerAction::Put("a1".into()));
        assert_eq!(OwnerPolicy::New.decide(locked), OwnerAction::Renew);
        assert_eq!(OwnerPolicy::Known.decide(OwnerFacts::default()), OwnerAction::Keep);
    }
}
