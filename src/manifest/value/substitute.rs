//! Placeholders: `${account}`, `${region}`, `${target}`, `${environment}`.
//!
//! They are replaced in fields that hold an S3 location, bucket, ARN, image or parameter name: the fields whose
//! form in [`super::super::schema`] takes them. Anywhere else `$` is text.

/// The values of placeholders in one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitutions<'a> {
    /// Account id; without it `${account}` stays as it is.
    pub account: Option<&'a str>,
    /// Region.
    pub region: &'a str,
    /// Name of the target.
    pub target: &'a str,
    /// Name of the environment.
    pub environment: &'a str,
}

pub(in crate::manifest) const PLACEHOLDERS: [&str; 4] = ["account", "region", "target", "environment"];

/// `text` with its placeholders replaced; unknown ones stay.
pub fn substitute(text: &str, substitutions: &Substitutions<'_>) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, placeholder, after)) = next_placeholder(rest) {
        done.push_str(before);
        match substitutions.get(placeholder) {
            Some(value) => done.push_str(value),
            None => done.extend(["${", placeholder, "}"]),
        }
        rest = after;
    }
    done + rest
}

/// Unknown names in `${}`, in order.
pub fn unknown_placeholders(text: &str) -> Vec<&str> {
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some((_, placeholder, after)) = next_placeholder(rest) {
        if !PLACEHOLDERS.contains(&placeholder) {
            unknown.push(placeholder);
        }
        rest = after;
    }
    unknown
}

/// Does a `${` at the end lack its `}`?
pub(in crate::manifest) fn is_open(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, _, after)) = next_placeholder(rest) {
        rest = after;
    }
    rest.contains("${")
}

fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = text.split_once("${")?;
    let (name, rest) = after.split_once('}')?;
    Some((before, name, rest))
}

impl Substitutions<'_> {
    fn get(&self, placeholder: &str) -> Option<&str> {
        match placeholder {
            "account" => self.account,
            "region" => Some(self.region),
            "target" => Some(self.target),
            "environment" => Some(self.environment),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_placeholders_are_replaced_once() {
        let to = Substitutions { account: None, region: "${target}", target: "eu", environment: "dev" };
        let text = "s3://x-${environment}-${region}/${account}/${nobody}/$5 ${open";
        assert_eq!(substitute(text, &to), "s3://x-dev-${target}/${account}/${nobody}/$5 ${open");
        assert_eq!(unknown_placeholders(text), ["nobody"]);
        assert!(is_open(text) && !is_open("a$ {${account}}$"));
    }
}
