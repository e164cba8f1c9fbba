//! Two runs that change one lock file: what only one of them changed is as that one left it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{LOCK_FORMAT, Lock, LockedModel, Pinned, pins};

/// What merges by itself in a lock, in its order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LockKey {
    Environment(String),
    Owner(String),
    Pin { environment: Option<String>, manifest: String, serving: String, what: String },
    Model(String),
}

#[derive(Debug, Clone, PartialEq)]
enum LockItem {
    Here,
    Owner(String),
    Pin(Pinned),
    Model(LockedModel),
}

/// What two runs changed differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Clash {
    key: LockKey,
    was: Option<LockItem>,
    here: Option<LockItem>,
    there: Option<LockItem>,
}

impl Clash {
    /// Did two runs give an environment without owner an owner each?
    pub fn is_new_owner(&self) -> bool {
        matches!(self.key, LockKey::Owner(_)) && self.was.is_none()
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            LockKey::Environment(name) => write!(f, "the environment `{name}`")?,
            LockKey::Owner(environment) => write!(f, "the owner of `{environment}`")?,
            LockKey::Pin { environment: Some(environment), manifest, what, .. } => {
                write!(f, "the {what} of {manifest} in `{environment}`")?;
            }
            LockKey::Pin { manifest, what, .. } => write!(f, "the {what} of {manifest}")?,
            LockKey::Model(id) => write!(f, "what is known of {id}")?,
        }
        write!(f, ", {} there and {} here", ItemText(self.there.as_ref()), ItemText(self.here.as_ref()))
    }
}

struct ItemText<'a>(Option<&'a LockItem>);

impl fmt::Display for ItemText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("gone"),
            Some(LockItem::Here) => f.write_str("there"),
            Some(LockItem::Owner(owner)) => f.write_str(owner),
            Some(LockItem::Pin(pinned)) => match pinned.from.is_empty() {
                true => pinned.value.fmt(f),
                false => {
                    let from: Vec<_> = pinned.from.iter().map(|(name, value)| format!("{name} {value}")).collect();
                    write!(f, "{} (from {})", pinned.value, from.join(", "))
                }
            },
            Some(LockItem::Model(model)) => match &model.commit {
                Some(commit) => write!(f, "commit {commit}"),
                None => f.write_str("no commit"),
            },
        }
    }
}

/// `here` was made from `base`, and `there` is in the file now.
pub(super) fn merged(base: &Lock, here: &Lock, there: &Lock) -> Result<Lock, Vec<Clash>> {
    let [base, here, there] = [base, here, there].map(items);
    let keys: BTreeSet<&LockKey> = here.keys().chain(there.keys()).collect();
    let (mut merged, mut clashes) = (BTreeMap::new(), Vec::new());
    for key in keys {
        let [was, here, there] = [&base, &here, &there].map(|items| items.get(key));
        match (here == was, there == was || there == here) {
            (true, _) => merged.extend(there.map(|item| (key.clone(), item.clone()))),
            (false, true) => merged.extend(here.map(|item| (key.clone(), item.clone()))),
            (false, false) => {
                let [was, here, there] = [was, here, there].map(Option::<&LockItem>::cloned);
                clashes.push(Clash { key: key.clone(), was, here, there });
            }
        }
    }
    if clashes.is_empty() { Ok(lock(merged)) } else { Err(clashes) }
}

fn items(lock: &Lock) -> BTreeMap<LockKey, LockItem> {
    let mut items = BTreeMap::new();
    let pin = |environment: Option<&String>, choices: &BTreeMap<String, super::Servings>| {
        let environment = environment.cloned();
        pins(choices.clone()).map(move |(manifest, serving, what, pinned)| {
            (LockKey::Pin { environment: environment.clone(), manifest, serving, what }, LockItem::Pin(pinned))
        })
    };
    for (name, environment) in &lock.environments {
        items.insert(LockKey::Environment(name.clone()), LockItem::Here);
        items.extend(environment.owner.clone().map(|owner| (LockKey::Owner(name.clone()), LockItem::Owner(owner))));
        items.extend(pin(Some(name), &environment.choices));
    }
    items.extend(pin(None, &lock.unclaimed));
    items.extend(lock.models.iter().map(|(id, model)| (LockKey::Model(id.clone()), LockItem::Model(model.clone()))));
    items
}

fn lock(items: BTreeMap<LockKey, LockItem>) -> Lock {
    let mut lock = Lock { format: LOCK_FORMAT, ..Lock::default() };
    for (key, item) in items {
        match (key, item) {
            (LockKey::Environment(name), _) => drop(lock.environments.entry(name).or_default()),
            (LockKey::Owner(name), LockItem::Owner(owner)) => lock.set_owner(&name, owner),
            (LockKey::Pin { environment, manifest, serving, what }, LockItem::Pin(pinned)) => {
                let choices = match environment {
                    Some(name) => &mut lock.environments.entry(name).or_default().choices,
                    None => &mut lock.unclaimed,
                };
                choices.entry(manifest).or_default().entry(serving).or_default().insert(what, pinned);
            }
            (LockKey::Model(id), LockItem::Model(model)) => drop(lock.models.insert(id, model)),
            _ => unreachable!("each key has its kind of item"),
        }
    }
    lock
}
