//! Two runs that change one lock file: what only one of them changed is as that one left it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{LOCK_FORMAT, Lock, LockedModel, Pinned, pins};

/// What stands by itself in a lock, in its order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Environment(String),
    Owner(String),
    Pin { environment: Option<String>, manifest: String, serving: String, what: String },
    Model(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Here,
    Owner(String),
    Pin(Pinned),
    Model(LockedModel),
}

/// What two runs changed, each otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Clash {
    key: Key,
    was: Option<Item>,
    here: Option<Item>,
    there: Option<Item>,
}

impl Clash {
    /// Did two runs make an environment somebody's, which was nobody's before?
    pub fn is_new_owner(&self) -> bool {
        matches!(self.key, Key::Owner(_)) && self.was.is_none()
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Key::Environment(name) => write!(f, "the environment `{name}`")?,
            Key::Owner(environment) => write!(f, "the owner of `{environment}`")?,
            Key::Pin { environment: Some(environment), manifest, what, .. } => {
                write!(f, "the {what} of {manifest} in `{environment}`")?;
            }
            Key::Pin { manifest, what, .. } => write!(f, "the {what} of {manifest}")?,
            Key::Model(id) => write!(f, "what is known of {id}")?,
        }
        write!(f, ", {} there and {} here", Said(self.there.as_ref()), Said(self.here.as_ref()))
    }
}

struct Said<'a>(Option<&'a Item>);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("gone"),
            Some(Item::Here) => f.write_str("there"),
            Some(Item::Owner(owner)) => f.write_str(owner),
            Some(Item::Pin(pinned)) => match pinned.from.is_empty() {
                true => pinned.value.fmt(f),
                false => {
                    let from: Vec<_> = pinned.from.iter().map(|(name, value)| format!("{name} {value}")).collect();
                    write!(f, "{} (from {})", pinned.value, from.join(", "))
                }
            },
            Some(Item::Model(model)) => match &model.commit {
                Some(commit) => write!(f, "commit {commit}"),
                None => f.write_str("no commit"),
            },
        }
    }
}

/// `here` was made from `base`, and `there` stands in the file by now.
pub(super) fn merged(base: &Lock, here: &Lock, there: &Lock) -> Result<Lock, Vec<Clash>> {
    let [base, here, there] = [base, here, there].map(items);
    let keys: BTreeSet<&Key> = here.keys().chain(there.keys()).collect();
    let (mut merged, mut clashes) = (BTreeMap::new(), Vec::new());
    for key in keys {
        let [was, here, there] = [&base, &here, &there].map(|items| items.get(key));
        match (here == was, there == was || there == here) {
            (true, _) => merged.extend(there.map(|item| (key.clone(), item.clone()))),
            (false, true) => merged.extend(here.map(|item| (key.clone(), item.clone()))),
            (false, false) => {
                let [was, here, there] = [was, here, there].map(Option::<&Item>::cloned);
                clashes.push(Clash { key: key.clone(), was, here, there });
            }
        }
    }
    if clashes.is_empty() { Ok(lock(merged)) } else { Err(clashes) }
}

fn items(lock: &Lock) -> BTreeMap<Key, Item> {
    let mut items = BTreeMap::new();
    let pin = |environment: Option<&String>, choices: &BTreeMap<String, super::Servings>| {
        let environment = environment.cloned();
        pins(choices.clone()).map(move |(manifest, serving, what, pinned)| {
            (Key::Pin { environment: environment.clone(), manifest, serving, what }, Item::Pin(pinned))
        })
    };
    for (name, environment) in &lock.environments {
        items.insert(Key::Environment(name.clone()), Item::Here);
        items.extend(environment.owner.clone().map(|owner| (Key::Owner(name.clone()), Item::Owner(owner))));
        items.extend(pin(Some(name), &environment.choices));
    }
    items.extend(pin(None, &lock.unclaimed));
    items.extend(lock.models.iter().map(|(id, model)| (Key::Model(id.clone()), Item::Model(model.clone()))));
    items
}

fn lock(items: BTreeMap<Key, Item>) -> Lock {
    let mut lock = Lock { format: LOCK_FORMAT, ..Lock::default() };
    for (key, item) in items {
        match (key, item) {
            (Key::Environment(name), _) => drop(lock.environments.entry(name).or_default()),
            (Key::Owner(name), Item::Owner(owner)) => lock.set_owner(&name, owner),
            (Key::Pin { environment, manifest, serving, what }, Item::Pin(pinned)) => {
                let choices = match environment {
                    Some(name) => &mut lock.environments.entry(name).or_default().choices,
                    None => &mut lock.unclaimed,
                };
                choices.entry(manifest).or_default().entry(serving).or_default().insert(what, pinned);
            }
            (Key::Model(id), Item::Model(model)) => drop(lock.models.insert(id, model)),
            _ => unreachable!("each key has its kind of item"),
        }
    }
    lock
}
