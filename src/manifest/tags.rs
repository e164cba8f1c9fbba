//! What may be a tag: the set that SageMaker and IAM share.

use super::secret::shown;
use super::tree::MapEntry;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};

const MOST: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;
const KEYS: &str = "tag keys have 1 to 128 letters, digits, spaces and `_.:/=+-@`";
const VALUES: &str = "tag values have at most 256 letters, digits, spaces and `_.:/=+-@`; put free text in annotations";
const RESERVED: [&str; 2] = ["aws:", "hubform:"];

/// Does a label become a tag? What Helm, Argo CD or Flux write has a `/` in its key and must not touch a resource.
pub(crate) fn is_tag(label: &str) -> bool {
    !label.contains('/')
}

pub(super) fn check<'a>(entries: impl Iterator<Item = &'a MapEntry>, findings: &mut Diagnostics) {
    let entries: Vec<&MapEntry> = entries.collect();
    let mut report = |place: Span, message: String, help: &str| {
        let finding = Diagnostic::new(Code::InvalidTag, message).at(place);
        findings.push(if help.is_empty() { finding } else { finding.help(help) });
    };
    for entry in &entries {
        let key = shown(&entry.key);
        if let Some(prefix) = RESERVED.iter().find(|prefix| entry.key.to_ascii_lowercase().starts_with(**prefix)) {
            report(entry.key_span, format!("`{key}` begins with the reserved `{prefix}`"), "");
        }
        if entry.key.is_empty() || entry.key.chars().count() > LONGEST_KEY || !entry.key.chars().all(is_allowed) {
            report(entry.key_span, format!("`{key}` is not a valid tag key"), KEYS);
        }
        let value = entry.value.text().unwrap_or_default();
        if value.chars().count() > LONGEST_VALUE || !value.chars().all(is_allowed) {
            report(entry.value.span, format!("the value of `{key}` is not a valid tag value"), VALUES);
        }
    }
    if let Some(first) = entries.get(MOST) {
        report(first.key_span, format!("there are more than {MOST} tags"), "");
    }
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}
