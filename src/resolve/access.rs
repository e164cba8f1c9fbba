//! What a role must be allowed, gathered from what uses it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::view::Given;

/// The least a role needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Access {
    pub(super) repositories: BTreeSet<Repository>,
    pub(super) reads: BTreeSet<Grant>,
    pub(super) writes: BTreeSet<Grant>,
    /// Key ARNs.
    pub(super) keys: BTreeSet<Given>,
    pub(super) network: bool,
}

/// An image repository in ECR.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Repository {
    /// The account that has it.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its name.
    pub name: String,
}

/// Keys of a bucket that are granted, as a policy writes them: `a/b/*`, or one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Grant {
    /// The bucket.
    pub bucket: String,
    /// Its keys.
    pub keys: String,
}

/// A bucket that may be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct List {
    /// The bucket.
    pub bucket: String,
    /// Below these prefixes; none for the whole of it.
    pub prefixes: Vec<String>,
}

impl Grant {
    /// One archive, or everything below a prefix that ends with `/`.
    pub(super) fn to_read(place: &Bucket, archive: bool) -> Self {
        let keys = if archive { place.prefix.clone() } else { format!("{}*", place.prefix) };
        Self { bucket: place.bucket.clone(), keys }
    }

    /// Everything below a prefix, whether it was written with `/` or not.
    pub(super) fn to_write(place: &Bucket) -> Self {
        let keys = match place.prefix.trim_end_matches('/') {
            "" => "*".to_owned(),
            prefix => format!("{prefix}/*"),
        };
        Self { bucket: place.bucket.clone(), keys }
    }
}

/// A place in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) bucket: String,
    pub(super) prefix: String,
}

impl Access {
    pub(super) fn merge(&mut self, other: Access) {
        self.repositories.extend(other.repositories);
        self.reads.extend(other.reads);
        self.writes.extend(other.writes);
        self.network |= other.network;
        self.keys.extend(other.keys);
    }

    /// The buckets to list; none of which only archives are read.
    pub(super) fn lists(&self) -> Vec<List> {
        let mut buckets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for grant in self.reads.iter().filter(|grant| grant.keys.ends_with('*')) {
            buckets.entry(&grant.bucket).or_default().push(grant.keys.clone());
        }
        let one = |(bucket, mut prefixes): (&str, Vec<String>)| {
            if prefixes.iter().any(|prefix| prefix == "*") {
                prefixes.clear();
            }
            List { bucket: bucket.to_owned(), prefixes }
        };
        buckets.into_iter().map(one).collect()
    }
}

impl Repository {
    /// Reads `ACCOUNT.dkr.ecr.REGION.SUFFIX/NAME:TAG` or `…@DIGEST`; nothing for other registries.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (host, path) = uri.split_once('/')?;
        let (account, rest) = host.split_once(".dkr.ecr.")?;
        let region = rest.split('.').next()?;
        let name = path.split('@').next()?.split(':').next()?;
        Some(Self { account: account.to_owned(), region: region.to_owned(), name: name.to_owned() })
    }
}

impl Bucket {
    /// Reads `s3://BUCKET/PREFIX`.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let path = uri.strip_prefix("s3://")?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        Some(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_and_buckets_are_read() {
        let uri = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-vllm:0.25.1";
        let repository = Repository::parse(uri).expect("this is one of ECR's");
        assert_eq!((repository.region.as_str(), repository.name.as_str()), ("us-east-1", "huggingface-vllm"));
        assert_eq!(Repository::parse("docker.io/library/x:1"), None);
        let bucket = Bucket::parse("s3://models/a/b/").expect("this is a location");
        assert_eq!((bucket.bucket.as_str(), bucket.prefix.as_str()), ("models", "a/b/"));
    }
}
