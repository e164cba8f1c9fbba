//! What hubform writes on its stacks and knows them by again: three tags for whose manifest it is, and outputs for what
//! is no tag, because a stack's tags reach every resource.

use super::Tags;

/// The output that says which desired state a stack runs.
pub const OUTPUT_DIGEST: &str = "HubformDigest";
/// The output that says whose a stack is.
pub const OUTPUT_OWNER: &str = "HubformOwner";
/// The output that says which hubform made it.
pub const OUTPUT_VERSION: &str = "HubformVersion";

const TAG_ENVIRONMENT: &str = "hubform:environment";
const TAG_KIND: &str = "hubform:kind";
const TAG_NAME: &str = "hubform:name";

/// What the three tags say; they never change in a stack's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tagged<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The manifest's kind.
    pub kind: &'a str,
    /// The manifest's name.
    pub name: &'a str,
}

impl<'a> Tagged<'a> {
    /// Reads the three tags; none unless all are there.
    pub fn read(tags: &'a Tags) -> Option<Self> {
        let tag = |key| tags.get(key).map(String::as_str);
        Some(Self { environment: tag(TAG_ENVIRONMENT)?, kind: tag(TAG_KIND)?, name: tag(TAG_NAME)? })
    }

    /// The three tags.
    pub fn tags(&self) -> Tags {
        let pairs = [(TAG_ENVIRONMENT, self.environment), (TAG_KIND, self.kind), (TAG_NAME, self.name)];
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    /// The manifest, as `Endpoint/chat`.
    pub fn manifest(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}
