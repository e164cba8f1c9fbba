//! The tables as text: embedded ones inflated when asked for, or the text that replaces them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::OnceLock;

use flate2::read::DeflateDecoder;

use super::CatalogError;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The one table that is embedded in pieces, one per service.
pub(super) const RESOURCE_TYPES: &str = "resource-types.txt";

/// Where the text of each table comes from.
#[derive(Debug, Default)]
pub(super) struct Tables {
    replaced: BTreeMap<String, String>,
}

impl Tables {
    pub(super) fn replacing(replaced: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        match replaced.keys().find(|name| !may_replace(name)) {
            Some(name) => Err(CatalogError::new(name, None, "there is no table of this name")),
            None => Ok(Self { replaced }),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let added = self.replaced.keys().map(String::as_str).filter(|name| find(TABLES, name).is_none());
        TABLES.iter().map(|(name, _)| *name).chain(added)
    }

    pub(super) fn replacement(&self, name: &str) -> Option<&str> {
        self.replaced.get(name).map(String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> Result<Cow<'_, str>, CatalogError> {
        match (self.replacement(name), find(TABLES, name)) {
            (Some(text), _) => Ok(Cow::Borrowed(text)),
            (None, Some(bytes)) => Ok(Cow::Owned(inflate(bytes))),
            (None, None) => Err(CatalogError::new(name, None, "there is no table of this name")),
        }
    }
}

fn may_replace(name: &str) -> bool {
    let engine = name.starts_with("containers/") && name.ends_with(".json");
    engine || name == RESOURCE_TYPES || find(TABLES, name).is_some()
}

/// The piece of the resource types that belongs to a service such as `AWS::SageMaker`, by its index.
pub(super) fn service_index(service: &str) -> Option<usize> {
    SERVICES.binary_search_by_key(&service, |(name, _)| *name).ok()
}

pub(super) fn service_count() -> usize {
    SERVICES.len()
}

pub(super) fn service_text(index: usize) -> String {
    inflate(SERVICES[index].1)
}

fn find(list: &'static [(&str, &[u8])], name: &str) -> Option<&'static [u8]> {
    list.binary_search_by_key(&name, |(name, _)| *name).ok().map(|index| list[index].1)
}

fn inflate(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 6);
    DeflateDecoder::new(bytes).read_to_string(&mut text).expect("what the build script deflated inflates");
    text
}

/// A table decoded into values.
pub(super) trait Table: Sized {
    /// The files it is made of.
    const FILES: &'static [&'static str];

    fn load(tables: &Tables) -> Result<Self, CatalogError>;
}

/// A table that is decoded when it is first needed.
#[derive(Debug)]
pub(super) struct Lazy<T>(OnceLock<T>);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Table> Lazy<T> {
    /// The decoded table. Only embedded text can be undecoded here, and that is well-formed in every release.
    pub(super) fn get(&self, tables: &Tables) -> &T {
        self.0.get_or_init(|| T::load(tables).unwrap_or_else(|error| panic!("embedded table: {error}")))
    }

    /// Decodes now what was replaced, so that its errors are the caller's to see.
    pub(super) fn check(&self, tables: &Tables) -> Result<(), CatalogError> {
        if T::FILES.iter().any(|name| tables.replacement(name).is_some()) {
            let _ = self.0.set(T::load(tables)?);
        }
        Ok(())
    }
}
