//! Desired stacks become CloudFormation bodies.
//!
//! Templates are Tera; what users wrote enters them only as opaque tokens, so it can never change a body's
//! structure. What leaves this room is a [`StackSpec`]: canonical bytes, parameters, tags, capabilities, a digest
//! and where each property came from.

mod spec;

pub use spec::{Origin, Origins, StackSpec, body_digest};

pub use crate::resolve::{Choice, EndpointCheck, ParameterValue};
