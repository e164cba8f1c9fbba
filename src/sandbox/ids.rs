//! Names, ids and durations drawn by hash, not by a running generator: a draw depends on the seed and on what it is
//! for, so that an unrelated call never shifts it and the same calls give the same account.

use std::time::Duration;

use sha2::{Digest, Sha256};

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";

/// What a draw is for; the parts must name it uniquely.
fn draw(seed: u64, parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().into()
}

fn text(seed: u64, parts: &[&str], alphabet: &[u8], length: usize) -> String {
    let bytes = draw(seed, parts);
    (0..length).map(|i| char::from(alphabet[usize::from(bytes[i % 32]) % alphabet.len()])).collect()
}

/// Capital letters and digits, as IAM ids have them.
pub(crate) fn upper(seed: u64, parts: &[&str], length: usize) -> String {
    text(seed, parts, UPPER, length)
}

/// Letters and digits, as generated names end in.
pub(crate) fn mixed(seed: u64, parts: &[&str], length: usize) -> String {
    text(seed, parts, MIXED, length)
}

/// Hexadecimal digits, as EC2 ids have them.
pub(crate) fn hex(seed: u64, parts: &[&str], length: usize) -> String {
    text(seed, parts, HEX, length)
}

/// A UUID.
pub(crate) fn uuid(seed: u64, parts: &[&str]) -> String {
    let digits = hex(seed, parts, 32);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// A number from `low` to `high`, both included.
pub(crate) fn between(seed: u64, parts: &[&str], low: u64, high: u64) -> u64 {
    let bytes = draw(seed, parts);
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[..8]);
    low + u64::from_le_bytes(number) % (high.saturating_sub(low) + 1)
}

/// A duration from `low` to `high` milliseconds.
pub(crate) fn millis(seed: u64, parts: &[&str], low: u64, high: u64) -> Duration {
    Duration::from_millis(between(seed, parts, low, high))
}

/// A digest of a request, which tells two uses of one token apart.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    draw(0, parts).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
