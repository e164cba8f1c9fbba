//! Names put together from parts.

use sha2::{Digest, Sha256};

/// The longest name an endpoint may have; every stack name fits it, because an endpoint is called like its stack.
pub const ENDPOINT_NAME_LIMIT: usize = 63;

/// `<prefix>-<kind>-<name>`, cut to what every service accepts.
pub fn stack_name(prefix: &str, kind: &str, name: &str) -> String {
    shortened(&format!("{prefix}-{}-{name}", kind.to_lowercase()), ENDPOINT_NAME_LIMIT)
}

/// The name itself, or its beginning and six digits of its hash where it is longer than `limit` bytes.
pub fn shortened(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let hash = Sha256::digest(name.as_bytes());
    let digits = format!("{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2]);
    let head = &name[..name.floor_char_boundary(limit - 7)];
    format!("{}-{digits}", head.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_end_in_their_hash() {
        assert_eq!(stack_name("dev", "Endpoint", "chat"), "dev-endpoint-chat");
        let (a, b) = ("x".repeat(80), "x".repeat(81));
        assert_eq!(shortened(&a, 63).len(), 63);
        assert_ne!(shortened(&a, 63), shortened(&b, 63));
    }
}
