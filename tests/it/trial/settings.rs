//! Settings of the SDK, right and wrong, met by the program: none stops it without a word. What can only be a mistake is
//! refused; what the SDK passes over, or what fails in the world, is told as that.

use std::sync::Mutex;

use super::{
    run::{Figures, steers},
    servers::{
        KEYS,
        hostile::{OWN_SECRET, PROXY, Server},
        program,
    },
};

/// Variables with their values; none of them is survived in silence.
const VARIABLES: &[(&str, &[&str])] = &[
    ("AWS_ENDPOINT_URL", &["", "localhost:1", "http://", "::", "ftp://x", "http://[::1", "http://u:pw@127.0.0.1:1"]),
    ("AWS_ENDPOINT_URL_STS", &["", "localhost:1", "http://", "::", "ftp://x", "http://h:99999"]),
    ("AWS_ENDPOINT_URL_IAM", &["localhost:1", "https://a b"]),
    ("AWS_RETRY_MODE", &["zz", "", "adaptive"]),
    ("AWS_MAX_ATTEMPTS", &["0", "-1", "zz", ""]),
    ("AWS_USE_FIPS_ENDPOINT", &["zz"]),
    ("AWS_USE_DUALSTACK_ENDPOINT", &["zz"]),
    ("AWS_DEFAULTS_MODE", &["zz"]),
    ("AWS_SDK_UA_APP_ID", &["a b\u{fc}/\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    ("AWS_CONFIG_FILE", &["/nonexistent", "/tmp"]),
    ("AWS_SHARED_CREDENTIALS_FILE", &["/nonexistent", "/tmp"]),
    ("AWS_CA_BUNDLE", &["/nonexistent"]),
    ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", &["zz", "-1"]),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", &["zz"]),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &["zz"]),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", &["zz"]),
    ("AWS_AUTH_SCHEME_PREFERENCE", &["zz"]),
    ("AWS_REGION", &["a/b", "a#b", "a b", "", "us-east-1\n"]),
    ("HTTP_PROXY", &["::", "http://127.0.0.1:1"]),
    ("ALL_PROXY", &["socks5://x"]),
    ("NO_PROXY", &["::"]),
    ("AWS_ACCESS_KEY_ID", &["", "a\nb", "\u{fc}", " "]),
    ("AWS_SECRET_ACCESS_KEY", &["", "a\nb"]),
    ("AWS_SESSION_TOKEN", &["a\nb", "\u{7f}"]),
    ("AWS_PROFILE", &["nope", "", "a\nb"]),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &["ftp://x", "::"]),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", &["/nonexistent"]),
];

/// Lines of the default profile, which gives the credentials.
const LINES: &[&str] = &[
    "retry_mode = zz",
    "max_attempts = 0",
    "endpoint_url = ::",
    "endpoint_url =",
    "services = none",
    "role_arn = x",
    "role_arn = x\nsource_profile = default",
    "role_arn = x\nsource_profile = none",
    "credential_process =",
    "credential_process = /nonexistent",
    "credential_process = /bin/echo hello",
    "credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"a\\nb\", \"SecretAccessKey\": \"s\"}'",
    "aws_access_key_id = a\u{e9}b\naws_secret_access_key = s",
    "sso_session = none",
    "web_identity_token_file = /nonexistent\nrole_arn = x",
];

/// Variables with their values.
type Set = &'static [(&'static str, &'static str)];

/// Mistakes that are refused: variables, configuration, and what is said.
const REFUSED: &[(Set, &str, &str)] = &[
    (&[("AWS_ENDPOINT_URL", "localhost:1")], "", "AWS_ENDPOINT_URL is not the URL of an endpoint"),
    (&[("AWS_ENDPOINT_URL_IAM", "http://h:99999")], "", "AWS_ENDPOINT_URL_IAM is not the URL of an endpoint"),
    (&[("AWS_ENDPOINT_URL_STS", "")], "", "AWS_ENDPOINT_URL_STS is set to nothing, beside AWS_ENDPOINT_URL"),
    (&[("AWS_REGION", "a/b")], "", "a/b"),
    (&[("AWS_PROFILE", "nope")], "", "there is no AWS profile `nope`\n  help: no profile is configured"),
    (
        &[("AWS_PROFILE", "nope")],
        "[profile corp]\nregion = x\n[default]\nregion = x\n",
        "there is no AWS profile `nope`\n  help: set AWS_PROFILE to one of corp, default",
    ),
    (&[("AWS_PROFILE", "corp")], "[profile corp\n", "cannot read the AWS configuration"),
];

#[test]
fn no_setting_stops_the_program_without_a_word() {
    let server = Server::start(PROXY);
    let url = server.url();
    let set = VARIABLES.iter().flat_map(|(name, values)| values.iter().map(move |value| (*name, *value)));
    let mut probes: Vec<(Vec<(&str, &str)>, String)> = Vec::new();
    for (name, value) in set {
        probes.push((vec![KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL", &url), (name, value)], String::new()));
    }
    for line in LINES {
        probes.push((vec![("AWS_ENDPOINT_URL_STS", &url)], format!("[default]\n{line}\n")));
    }
    let (next, figures) =
        (Mutex::new(probes.iter()), Mutex::new(Figures { tried: probes.len(), ..Figures::default() }));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((variables, config)) =
                    { next.lock().expect("no worker panics while it holds this").next() }
                {
                    let (code, said) = plan(variables, config);
                    let told = said.contains("error: ") || said.contains("\u{d7} ") || said.contains("×");
                    let mut figures = figures.lock().expect("as above");
                    let secret = said.contains(OWN_SECRET) || said.contains(":pw@");
                    match matches!(code, Some(1 | 2)) && told && !secret && steers(&said).is_none() {
                        true => figures.reached += 1,
                        false => {
                            let last = variables.last();
                            figures.failures.push(format!("{last:?} {config}: exit {code:?}: {said}"));
                        }
                    }
                }
            });
        }
    });
    figures.into_inner().expect("as above").tell("settings", "settings", "were answered");
}

#[test]
fn a_mistake_in_the_settings_is_refused() {
    let server = Server::start(PROXY);
    let url = server.url();
    for (set, config, phrase) in REFUSED {
        let variables = [&[KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL", url.as_str())], *set].concat();
        let (code, said) = plan(&variables, config);
        assert!(code == Some(2) && said.contains(phrase), "{set:?} {config}: exit {code:?}: {said}");
    }
}

fn plan(variables: &[(&str, &str)], config: &str) -> (Option<i32>, String) {
    let output = program(&["plan", "."], variables, config);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
