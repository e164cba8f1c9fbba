//! YAML manifests in, typed specs with positions out.
//!
//! [`parse`] reads texts into a spanned tree, looks for secrets, and walks each document against the JSON Schema
//! derived from its kind's type, so that the validator and `hubform schema` cannot disagree; only a document
//! without findings becomes a [`Spec`]. [`environments`] sorts documents into environments, merges patches into
//! their trees and walks those again. Everything is pure: folders are read from the names of the inputs. Leans
//! on `diagnostic` alone.

mod check;
mod document;
pub(crate) mod emit;
mod environments;
mod folder;
mod form;
mod kind;
pub(crate) mod plain;
mod read;
mod scalar;
mod schema;
mod secret;
mod tags;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod walk;
mod wording;
mod yaml;

pub use document::{Document, DocumentOrigin, EnvironmentSet, Manifests, ResolvedEnvironment, SourceText};
pub use environments::{LONGEST_PREFIX, environments, protecting};
pub use kind::*;
pub use read::parse;
pub use schema::{API_VERSION, schema};
pub(crate) use tags::is_tag;
pub use value::*;
pub(crate) use wording::ticked;
