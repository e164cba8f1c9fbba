//! Settings of the AWS SDK that would stop the process instead of the call, looked at before it reads them.

use std::collections::BTreeMap;

/// The variables that name endpoints begin with this.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// What is wrong with the variables the SDK reads, in a sentence, and what to do; nothing if all is well. One that is
/// set to nothing counts as not set, as long as no other names an endpoint.
pub fn wrong_setting(variables: &BTreeMap<String, String>) -> Option<(String, &'static str)> {
    let endpoints = || variables.iter().filter(|(name, _)| name.starts_with(ENDPOINT));
    let empty = endpoints().find(|(_, value)| value.is_empty());
    let mut set = endpoints().filter(|(_, value)| !value.is_empty());
    // The value may hold a password, so it is not quoted.
    let wrong = set.clone().find(|(_, value)| !is_endpoint(value));
    match (wrong, empty, set.next()) {
        (Some((name, _)), ..) => {
            let what = format!("{name} is not the URL of an endpoint");
            Some((what, "set it to `http://HOST` or `https://HOST`, or unset it"))
        }
        (None, Some((empty, _)), Some((name, _))) => {
            Some((format!("{empty} is set to nothing, beside {name}"), "unset it"))
        }
        _ => None,
    }
}

/// Is a variable for an endpoint set to nothing?
pub(super) fn has_empty_endpoint() -> bool {
    std::env::vars_os().any(|(name, value)| name.to_string_lossy().starts_with(ENDPOINT) && value.is_empty())
}

/// Can the SDK use this as an endpoint?
fn is_endpoint(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    host.is_some_and(is_authority) && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A host, perhaps with a user before it and a port behind.
fn is_authority(text: &str) -> bool {
    let place = text.rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let plain = !host.is_empty() && !host.contains(['[', ']', ':']);
    (bracketed || plain) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sdk_would_not_survive_is_told_and_the_rest_is_left_to_it() {
        let wrong = |value: &str| {
            let variables = [("AWS_ENDPOINT_URL_STS".to_owned(), value.to_owned())].into();
            wrong_setting(&variables).map(|(what, _)| what)
        };
        assert_eq!(wrong(""), None);
        for good in ["http://127.0.0.1:4566", "https://[::1]:1/x", "http://[::1]", "http://u:p@h", "https://h?q"] {
            assert_eq!(wrong(good), None, "{good}");
        }
        let both =
            [("AWS_ENDPOINT_URL".to_owned(), String::new()), ("AWS_ENDPOINT_URL_IAM".to_owned(), "http://h".into())];
        assert_eq!(wrong_setting(&both.into()).map(|(_, help)| help), Some("unset it"));
        for value in [
            "localhost:4566",
            "http://",
            "ftp://x",
            "https://a b",
            "::",
            "http:///x",
            "http://[::1",
            "http://h:99999",
            "http://h:",
            "http://::1",
        ] {
            assert_eq!(wrong(value).as_deref(), Some("AWS_ENDPOINT_URL_STS is not the URL of an endpoint"), "{value}");
        }
    }
}
