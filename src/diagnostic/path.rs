//! A place in a tree (a manifest, a template, a body), as the keys and indices that lead to it.
//!
//! It becomes text only where it is shown or kept, in one of three ways: a JSON pointer, a field as people write it, a
//! property as CloudFormation names it. A pointer does not tell an index from a key of the same digits, because the tree
//! decides; so the two are equal here.

use std::{
    borrow::{Borrow, Cow},
    cmp::Ordering,
    fmt::{self, Write},
    iter,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A place in a tree; the tree itself where nothing leads on. A clone costs nothing, a longer one is a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Arc<[Part]>);

/// One step down a tree.
#[derive(Debug, Clone)]
pub enum Part {
    /// To a value of a map.
    Key(Arc<str>),
    /// To an item of a list, from zero.
    Index(usize),
}

/// A place on the way down a tree, which becomes a [`Path`] only where somebody keeps it.
#[derive(Debug, Clone, Copy)]
pub enum Trail<'a> {
    /// The whole.
    Top,
    /// A key below another place.
    Key(&'a Trail<'a>, &'a str),
    /// An item below another place.
    Item(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    /// The place of a key below this one.
    pub fn at<'b>(&'b self, key: &'b str) -> Trail<'b> {
        Trail::Key(self, key)
    }

    /// The place of an item below this one.
    pub fn item(&self, index: usize) -> Trail<'_> {
        Trail::Item(self, index)
    }

    /// The place, to keep.
    pub fn path(&self) -> Path {
        let (mut parts, mut place) = (Vec::new(), self);
        loop {
            let (above, part) = match place {
                Trail::Top => break,
                Trail::Key(above, key) => (above, Part::Key((*key).into())),
                Trail::Item(above, index) => (above, Part::Index(*index)),
            };
            parts.push(part);
            place = above;
        }
        parts.reverse();
        Path(parts.into())
    }
}

impl Path {
    /// The place of a key below this one.
    pub fn at(&self, key: &str) -> Self {
        self.and(Part::Key(key.into()))
    }

    /// The place of an item below this one.
    pub fn item(&self, index: usize) -> Self {
        self.and(Part::Index(index))
    }

    /// The place that a way from here leads to.
    pub fn join(&self, below: impl Into<Self>) -> Self {
        let below = below.into();
        if self.0.is_empty() { below } else { Self(self.0.iter().chain(&*below.0).cloned().collect()) }
    }

    fn and(&self, part: Part) -> Self {
        Self(self.0.iter().cloned().chain(iter::once(part)).collect())
    }

    /// Reads a JSON pointer, or a property as it is written; digits become an index.
    pub fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        Self(text.strip_prefix('/').unwrap_or(text).split('/').map(Part::read).collect())
    }

    /// From the top to the place.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The place and all above it but the whole, itself first: how to find in a map the nearest one that it knows.
    pub fn upward(&self) -> impl Iterator<Item = &[Part]> {
        (1..=self.0.len()).rev().map(|length| &self.0[..length])
    }

    /// Is it this place, or one in it?
    pub fn is_within(&self, above: &Self) -> bool {
        self.0.starts_with(&above.0)
    }

    /// The last key; none for an item and for the whole.
    pub fn name(&self) -> Option<&str> {
        self.0.last()?.key()
    }

    /// What stands there in a tree.
    pub fn value_in<'v>(&self, tree: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(tree, |value, part| match value {
            Value::Array(items) => items.get(part.index()?),
            value => value.get(&*part.text()),
        })
    }

    /// As a JSON pointer (RFC 6901): `/spec/hardware/instances/0`.
    pub fn pointer(&self) -> String {
        self.0.iter().fold(String::new(), |text, part| text + "/" + &part.escaped())
    }

    /// As people write a field: `spec.hardware.instances[0]`; a key that would be read otherwise stands in quotes.
    pub fn field(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, part| {
            let written = match part {
                Part::Index(index) => write!(text, "[{index}]"),
                Part::Key(key) if is_odd(key) => write!(text, "[{key:?}]"),
                Part::Key(key) if text.is_empty() => write!(text, "{key}"),
                Part::Key(key) => write!(text, ".{key}"),
            };
            written.expect("a text can be written to");
            text
        })
    }
}

/// Would a key look like something else between dots?
fn is_odd(key: &str) -> bool {
    key.is_empty() || key.contains(['.', '[', ']', '"']) || index(key).is_some()
}

/// As CloudFormation names a property: `EndpointConfig/Properties/ProductionVariants/0/InstanceType`, each part escaped
/// as in a pointer. [`Path::read`] reads it back.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, part)| {
            let text = part.escaped();
            f.write_str(if at > 0 || text.is_empty() { "/" } else { "" })?;
            f.write_str(&text)
        })
    }
}

impl Part {
    fn read(text: &str) -> Self {
        match index(text) {
            Some(index) => Self::Index(index),
            None if text.contains('~') => Self::Key(text.replace("~1", "/").replace("~0", "~").into()),
            None => Self::Key(text.into()),
        }
    }

    /// The key; none for an index.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Index(_) => None,
        }
    }

    /// The index, or the number that the key is.
    pub fn index(&self) -> Option<usize> {
        match self {
            Self::Key(key) => index(key),
            Self::Index(index) => Some(*index),
        }
    }

    /// As a key.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Key(key) => Cow::Borrowed(key),
            Self::Index(index) => Cow::Owned(index.to_string()),
        }
    }

    fn escaped(&self) -> Cow<'_, str> {
        match self.text() {
            text if text.contains(['~', '/']) => Cow::Owned(text.replace('~', "~0").replace('/', "~1")),
            text => text,
        }
    }

    fn sense(&self) -> Result<usize, &str> {
        match self {
            Self::Key(key) => index(key).ok_or(key),
            Self::Index(index) => Ok(*index),
        }
    }
}

/// A number as an index is written.
fn index(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    digits.then(|| text.parse().ok())?
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.sense() == other.sense()
    }
}

impl Eq for Part {}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers first.
impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sense().cmp(&other.sense())
    }
}

impl Borrow<[Part]> for Path {
    fn borrow(&self) -> &[Part] {
        &self.0
    }
}

/// Of a literal alone, so that no text can be glued to a place.
impl From<&'static str> for Path {
    fn from(text: &'static str) -> Self {
        Self::read(text)
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Self {
        path.clone()
    }
}

impl From<Part> for Path {
    fn from(part: Part) -> Self {
        Self([part].into())
    }
}

impl<'a> FromIterator<&'a str> for Path {
    fn from_iter<T: IntoIterator<Item = &'a str>>(keys: T) -> Self {
        keys.into_iter().map(|key| Part::Key(key.into())).collect()
    }
}

impl FromIterator<Part> for Path {
    fn from_iter<T: IntoIterator<Item = Part>>(parts: T) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

    use super::*;

    const ODD: [&str; 12] = ["", "/", "~", "~1", "~01", "a/b", "a.b", "a[0]", "0", "007", "é \"", "*"];

    /// Every way of three odd keys and an index among them.
    fn ways() -> impl Iterator<Item = Path> {
        let two = ODD.iter().flat_map(|one| ODD.iter().map(move |other| Path::from_iter([*one, *other])));
        two.flat_map(|way| [way.clone(), way.item(0), way.item(12).at("b"), Path::default().item(3).join(way)])
    }

    #[test]
    fn a_place_is_written_in_three_ways() {
        let place = Path::from("/spec/hardware/instances").item(0);
        assert_eq!(place.pointer(), "/spec/hardware/instances/0");
        assert_eq!(place.field(), "spec.hardware.instances[0]");
        assert_eq!(place.to_string(), "spec/hardware/instances/0");
        assert_eq!(Path::default().pointer() + &Path::default().field() + &Path::default().to_string(), "");
    }

    #[test]
    fn odd_keys_stay_one_part_in_every_way() {
        let place = Path::from("spec").at("a/b").at("c.d").at("1").at("~").item(1);
        assert_eq!(place.pointer(), "/spec/a~1b/c.d/1/~0/1");
        assert_eq!(place.field(), r#"spec.a/b["c.d"]["1"].~[1]"#);
        assert_eq!(Path::default().at("").at("[").field(), r#"[""]["["]"#);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for way in ways() {
            for text in [way.pointer(), way.to_string()] {
                let read = Path::read(&text);
                assert_eq!((&read, read.to_string()), (&way, way.to_string()), "{text}");
            }
            let kept = serde_json::to_string(&BTreeMap::from([(&way, &way)])).expect("a place is text");
            assert_eq!(serde_json::from_str::<BTreeMap<Path, Path>>(&kept).expect(&kept)[way.parts()], way);
        }
    }

    #[test]
    fn no_two_places_are_written_alike() {
        let all = ways().collect::<BTreeSet<_>>().len();
        assert_eq!(ways().map(|way| way.pointer()).collect::<BTreeSet<_>>().len(), all);
        assert_eq!(ways().map(|way| way.to_string()).collect::<BTreeSet<_>>().len(), all);
        let fields: BTreeMap<String, Path> = ways().map(|way| (way.field(), way)).collect();
        assert!(ways().all(|way| fields[&way.field()] == way));
    }

    #[test]
    fn a_pointer_means_what_the_tree_has() {
        let tree = json!({ "a": [{ "0": "key" }, "item"], "a/b": { "~": 1, "007": 2 } });
        let value = |text: &str| Path::read(text).value_in(&tree).cloned();
        assert_eq!(value("/a/0/0"), Some(json!("key")));
        assert_eq!(value("a/1"), Some(json!("item")));
        assert_eq!((value("/a~1b/~0"), value("/a~1b/007")), (Some(json!(1)), Some(json!(2))));
        assert_eq!((value("/a/-"), value("/a/01"), value("/a/1/b")), (None, None, None));
        assert_eq!(value(""), Some(tree.clone()));
        assert_eq!(Path::from("a").at("0"), Path::from("a").item(0));
    }

    #[test]
    fn the_nearest_known_place_is_above() {
        let known = BTreeMap::from([(Path::from("A"), 1), (Path::from("A/Properties/B/0"), 2)]);
        let nearest = |text| Path::read(text).upward().find_map(|place| known.get(place)).copied();
        assert_eq!(nearest("A/Properties/B/0/C"), Some(2));
        assert_eq!((nearest("A/Properties/B/01"), nearest("A"), nearest("AB")), (Some(1), Some(1), None));
        assert!(Path::from("A/B").is_within(&"A".into()) && !Path::from("AB").is_within(&"A".into()));
        assert_eq!((Path::from("A/B").name(), Path::from("A/0").name()), (Some("B"), None));
    }

    #[test]
    fn a_trail_is_kept_as_a_path() {
        assert_eq!(Trail::Top.at("A").item(0).at("b/c").path(), Path::from("A/0").at("b/c"));
        assert_eq!(Trail::Top.path(), Path::default());
    }

    #[test]
    fn indices_are_in_the_order_of_numbers() {
        let mut places = ["a/10", "a/9", "a", "a/b", "A"].map(Path::from);
        places.sort();
        assert_eq!(places.map(|place| place.to_string()), ["A", "a", "a/9", "a/10", "a/b"]);
    }
}
