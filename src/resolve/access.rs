//! What a role must be allowed, gathered from what uses it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

/// The least a role needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Access {
    pub(super) repositories: BTreeSet<Repository>,
    pub(super) reads: BTreeSet<Grant>,
    pub(super) writes: BTreeSet<Grant>,
    /// Key ARNs, in CloudFormation's words; a list because JSON values have no order.
    pub(super) keys: Vec<Value>,
    pub(super) network: bool,
}

/// An image repository in ECR.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Repository {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
}

/// Keys of a bucket that are granted, as a policy writes them: `a/b/*`, or one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Grant {
    pub(super) bucket: String,
    pub(super) keys: String,
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
        for key in other.keys {
            self.add_key(key);
        }
    }

    pub(super) fn add_key(&mut self, key: Value) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
            self.keys.sort_by_key(Value::to_string);
        }
    }

    /// Per bucket, the prefixes to list; none for a whole bucket, and no bucket of which only archives are read.
    fn lists(&self) -> Value {
        let mut buckets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for grant in self.reads.iter().filter(|grant| grant.keys.ends_with('*')) {
            buckets.entry(&grant.bucket).or_default().push(&grant.keys);
        }
        let one = |(bucket, keys): (&str, Vec<&str>)| match keys.contains(&"*") {
            true => json!({ "bucket": bucket }),
            false => json!({ "bucket": bucket, "prefixes": keys }),
        };
        buckets.into_iter().map(one).collect()
    }

    /// What the template sees, without what is empty.
    pub(super) fn values(&self) -> Value {
        let mut values = json!({ "network": self.network, "statements": [] });
        let mut put = |name: &str, value: Value| {
            if value.as_array().is_some_and(|items| !items.is_empty()) {
                values[name] = value;
            }
        };
        put("repositories", json!(self.repositories));
        put("reads", json!(self.reads));
        put("lists", self.lists());
        put("writes", json!(self.writes));
        put("keys", json!(self.keys));
        values
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
