//! What secrets look like, in one place: where manifests are read, where anything is shown, where logs are written.
//!
//! The shapes are the issuers' own: Hugging Face (`hf_`, `hf_oauth_`, `api_org_`), AWS (key ids begin with AKIA or ASIA;
//! a secret key is 40 characters and a session token some hundred, both told by the word beside them), GitHub, Slack,
//! OpenAI, PEM, and passwords in URLs (RFC 3986, userinfo).

use std::{borrow::Cow, ops::Range};

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// Of the Hugging Face Hub.
    HubToken,
    /// The id of an AWS access key, which names its owner.
    AccessKey,
    /// An AWS secret access key.
    SecretKey,
    /// An AWS session token.
    SessionToken,
    /// Of GitHub.
    GitHub,
    /// Of Slack.
    Slack,
    /// Of OpenAI.
    OpenAi,
    /// A private key in PEM.
    PrivateKey,
    /// The password of a user in a URL.
    Password,
}

impl Secret {
    /// In words, with an article.
    pub fn describe(self) -> &'static str {
        match self {
            Self::HubToken => "a Hugging Face token",
            Self::AccessKey => "an AWS access key id",
            Self::SecretKey => "an AWS secret access key",
            Self::SessionToken => "an AWS session token",
            Self::GitHub => "a GitHub token",
            Self::Slack => "a Slack token",
            Self::OpenAi => "an OpenAI key",
            Self::PrivateKey => "a private key",
            Self::Password => "a password in a URL",
        }
    }
}

/// How a token begins, which characters follow, and how many at least.
struct SecretShape {
    prefix: &'static str,
    belongs: fn(u8) -> bool,
    least: usize,
    secret: Secret,
}

const fn shape(prefix: &'static str, belongs: fn(u8) -> bool, least: usize, secret: Secret) -> SecretShape {
    SecretShape { prefix, belongs, least, secret }
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn dotted(byte: u8) -> bool {
    dashed(byte) || byte == b'_' || byte == b'.'
}

fn base64(byte: u8) -> bool {
    word(byte) || matches!(byte, b'+' | b'/' | b'=')
}

const SHAPES: [SecretShape; 20] = [
    shape("hf_oauth_", dotted, 30, Secret::HubToken),
    shape("hf_", word, 30, Secret::HubToken),
    shape("api_org_", word, 30, Secret::HubToken),
    shape("AKIA", upper, 16, Secret::AccessKey),
    shape("ASIA", upper, 16, Secret::AccessKey),
    shape("IQoJ", base64, 60, Secret::SessionToken),
    shape("FwoG", base64, 60, Secret::SessionToken),
    shape("FQoG", base64, 60, Secret::SessionToken),
    shape("ghp_", word, 36, Secret::GitHub),
    shape("gho_", word, 36, Secret::GitHub),
    shape("ghu_", word, 36, Secret::GitHub),
    shape("ghs_", word, 36, Secret::GitHub),
    shape("ghr_", word, 36, Secret::GitHub),
    shape("github_pat_", dotted, 30, Secret::GitHub),
    shape("xoxb-", dashed, 20, Secret::Slack),
    shape("xoxp-", dashed, 20, Secret::Slack),
    shape("xapp-", dashed, 20, Secret::Slack),
    shape("sk-proj-", dotted, 20, Secret::OpenAi),
    shape("sk-svcacct-", dotted, 20, Secret::OpenAi),
    shape("sk-", word, 40, Secret::OpenAi),
];

/// What stands where a text is a secret as a whole.
pub const HIDDEN: &str = "********";

/// Every secret in a text, by bytes, in order, none inside another.
pub fn find(text: &str) -> Vec<(Range<usize>, Secret)> {
    let mut found: Vec<_> = SHAPES.iter().flat_map(|shape| shaped(text, shape)).collect();
    found.extend(dashed_tokens(text));
    found.extend(labelled(text));
    found.extend(private_keys(text));
    found.extend(passwords(text));
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|(range, _)| {
        range.start >= end && !range.is_empty() && {
            end = range.end;
            true
        }
    });
    found
}

/// The text with every secret behind asterisks, byte for byte as long as before.
pub fn mask(text: &str) -> Cow<'_, str> {
    let found = find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = text.to_owned();
    for (range, _) in found {
        masked.replace_range(range.clone(), &"*".repeat(range.len()));
    }
    Cow::Owned(masked)
}

/// Does the name of a variable say that its value is a secret?
pub fn is_secret_name(name: &str) -> bool {
    // One word in small letters is a field's name.
    if !name.contains(['_', '-']) && name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return false;
    }
    let name = name.to_ascii_uppercase();
    let last = name.rsplit(['_', '-']).next().unwrap_or(&name);
    let words = ["TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "SECRET", "KEY", "CREDENTIALS"];
    let endings = ["PASSWORD", "PASSPHRASE", "SECRET", "APIKEY", "ACCESSKEY"];
    let says = words.contains(&last) || endings.iter().any(|ending| last.ends_with(ending));
    let variable = name.bytes().all(|byte| upper(byte) || byte == b'_' || byte == b'-');
    says && variable && name != "KEY"
}

/// Does the name of a variable or flag say that its value is a token of the Hub? `HF_TOKEN` (huggingface_hub),
/// `HUGGING_FACE_HUB_TOKEN` (its old name), `HF_API_TOKEN` (the inference toolkit), `HUGGINGFACEHUB_API_TOKEN` (LangChain)
/// and the many between them. One of a tokenizer, as `HF_PAD_TOKEN`, is none.
pub fn is_hub_token_name(name: &str) -> bool {
    const BESIDE: [&str; 12] =
        ["HUB", "API", "ACCESS", "AUTH", "READ", "WRITE", "USER", "INFERENCE", "FACE", "SM", "VLLM", "OPTION"];
    const HUB: [&str; 4] = ["HF", "HUGGING", "HUGGINGFACE", "HUGGINGFACEHUB"];
    let name = name.to_ascii_uppercase();
    let mut words: Vec<_> = name.split(['_', '-']).collect();
    let is_token = match words.pop() {
        Some("TOKEN") => true,
        Some("KEY") => words.last() == Some(&"API"),
        _ => false,
    };
    let known = words.iter().all(|word| HUB.contains(word) || BESIDE.contains(word));
    is_token && known && words.iter().any(|word| HUB.contains(word))
}

fn shaped<'t>(text: &'t str, shape: &'static SecretShape) -> impl Iterator<Item = (Range<usize>, Secret)> + 't {
    text.match_indices(shape.prefix).filter_map(move |(at, prefix)| {
        let long = run(&text[at + prefix.len()..], shape.belongs);
        let apart = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) || shape.secret == Secret::HubToken;
        // A key id has 16 characters and no more.
        let ends = shape.secret != Secret::AccessKey || run(&text[at + prefix.len()..], word) == shape.least;
        (apart && ends && long >= shape.least).then(|| (at..at + prefix.len() + long, shape.secret))
    })
}

/// `hf_` with a `-` among what follows: digits and both cases tell it from a name.
fn dashed_tokens(text: &str) -> impl Iterator<Item = (Range<usize>, Secret)> {
    text.match_indices("hf_").filter_map(|(at, prefix)| {
        let long = run(&text[at + prefix.len()..], dashed);
        let (range, rest) = (at..at + prefix.len() + long, &text[at + prefix.len()..][..long]);
        let mixed = rest.bytes().any(|b| b.is_ascii_digit())
            && rest.bytes().any(|b| b.is_ascii_uppercase())
            && rest.bytes().any(|b| b.is_ascii_lowercase());
        (mixed && long >= 30).then_some((range, Secret::HubToken))
    })
}

/// AWS secret keys and session tokens have no shape of their own, but a word on the same line.
fn labelled(text: &str) -> impl Iterator<Item = (Range<usize>, Secret)> {
    let mut start = 0;
    text.split_inclusive('\n').flat_map(move |line| {
        let from = start;
        start += line.len();
        let lower = line.to_ascii_lowercase();
        let (secret, token) = (lower.find("secret"), lower.find("token"));
        runs(line).filter_map(move |(range, run)| {
            let after = |word: Option<usize>| word.is_some_and(|at| at < range.start);
            let mixed = run.bytes().any(|b| b.is_ascii_uppercase()) && run.bytes().any(|b| b.is_ascii_lowercase());
            let kind = match run.len() {
                40 if after(secret) && mixed => Secret::SecretKey,
                100.. if after(token) && mixed => Secret::SessionToken,
                _ => return None,
            };
            Some((from + range.start..from + range.end, kind))
        })
    })
}

/// Runs of Base64 in a line.
fn runs(line: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += line[at..].bytes().position(base64)?;
        let start = at;
        at += run(&line[at..], base64);
        Some((start..at, &line[start..at]))
    })
}

fn private_keys(text: &str) -> impl Iterator<Item = (Range<usize>, Secret)> {
    text.match_indices("PRIVATE KEY-----").filter_map(|(at, word)| {
        let start = text[..at].rfind("-----BEGIN ").filter(|start| !text[*start..at].contains('\n'))?;
        let body = at + word.len();
        let end = text[body..].find("-----END ").map_or(text.len(), |end| body + end);
        Some((start..end, Secret::PrivateKey))
    })
}

/// `scheme://user:password@host`; a placeholder is none.
fn passwords(text: &str) -> impl Iterator<Item = (Range<usize>, Secret)> {
    text.match_indices("://").filter_map(|(at, mark)| {
        let from = at + mark.len();
        let rest = &text[from..];
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?' | '#')).unwrap_or(rest.len());
        let (userinfo, _) = rest[..end].rsplit_once('@')?;
        let (user, password) = userinfo.split_once(':')?;
        let start = from + user.len() + 1;
        let real = !password.is_empty() && !password.contains(['$', '{', '<', '*']);
        real.then(|| (start..start + password.len(), Secret::Password))
    })
}

fn run(text: &str, belongs: fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| belongs(*byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Secret)> {
        find(text).into_iter().map(|(range, secret)| (&text[range], secret)).collect()
    }

    #[test]
    fn secrets_are_told_by_their_shape() {
        let (hub, key) = ("a1".repeat(15), "A1".repeat(8));
        let (secret, session) = ("aB3/".repeat(10), "xY9+".repeat(30));
        let words = [
            (format!("hf_{hub}"), Secret::HubToken),
            (format!("hf_{}-{hub}Z", &hub[..9]), Secret::HubToken),
            (format!("hf_oauth_{hub}.x-y_z"), Secret::HubToken),
            (format!("api_org_{hub}"), Secret::HubToken),
            (format!("AKIA{key}"), Secret::AccessKey),
            (format!("IQoJ{session}"), Secret::SessionToken),
            (format!("ghp_{hub}123456"), Secret::GitHub),
            (format!("github_pat_{hub}_x"), Secret::GitHub),
            ("xoxb-123456789012-abcdefghij".to_owned(), Secret::Slack),
            (format!("sk-proj-{hub}"), Secret::OpenAi),
        ];
        for (word, secret) in &words {
            assert_eq!(found(&format!("é {word} .")), [(word.as_str(), *secret)]);
            assert_eq!(mask(&format!("a: {word}")), format!("a: {}", "*".repeat(word.len())));
        }
        assert_eq!(found(&format!("aws_secret_access_key = {secret}")), [(&*secret, Secret::SecretKey)]);
        assert_eq!(found(&format!("\"SecretAccessKey\": \"{secret}\"")), [(&*secret, Secret::SecretKey)]);
        assert_eq!(found(&format!("x-amz-security-token:{session}")), [(&*session, Secret::SessionToken)]);
        assert_eq!(found("https://me:hunter2@host/x"), [("hunter2", Secret::Password)]);
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nabc\n";
        assert_eq!(found(&format!("{pem}-----END RSA PRIVATE KEY-----")), [(pem, Secret::PrivateKey)]);
    }

    #[test]
    fn what_looks_alike_is_left() {
        let (hub, key) = ("a1".repeat(15), "A1".repeat(8));
        let commit = "secret 0123456789abcdef0123456789abcdef01234567";
        let path = "token s3://bucket/some/long/prefix/with/many/parts/and/more/of/them/until/a/hundred/are/passed/by/it/surely/x/";
        let name = "hf_a-model-with-a-very-long-name-of-2024";
        for text in [&format!("hf_{}", &hub[..29]), &format!("AKIA{key}X"), &format!("XAKIA{key}"), commit, path, name]
        {
            assert_eq!(found(text), [], "{text}");
        }
        assert_eq!(found("https://host:8080/a@b"), []);
        assert_eq!(found("https://me:${PASSWORD}@host"), []);
        assert_eq!(mask("hf_model and AKIA"), "hf_model and AKIA");
    }

    #[test]
    fn names_of_hub_tokens_are_known() {
        for name in [
            "HF_TOKEN",
            "hf-token",
            "HF_API_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
            "HUGGINGFACE_HUB_TOKEN",
            "HUGGINGFACE_TOKEN",
            "HUGGINGFACEHUB_API_TOKEN",
            "HUGGINGFACE_API_KEY",
            "SM_VLLM_HF_TOKEN",
        ] {
            assert!(is_hub_token_name(name), "{name}");
        }
        for name in ["HF_TOKEN_PATH", "HF_PAD_TOKEN", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "API_TOKEN", "TOKEN", "HF_KEY"] {
            assert!(!is_hub_token_name(name), "{name}");
        }
    }

    #[test]
    fn names_of_variables_say_that_they_are_secret() {
        for name in [
            "DB_PASSWORD",
            "HF_TOKEN",
            "API_KEY",
            "CLIENT_SECRET",
            "TOKEN",
            "api_key",
            "api-key",
            "CLIENTSECRET",
            "OPENAI_APIKEY",
            "DB_PASSPHRASE",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["KmsKeyId", "MAX_TOKENS", "tokenizer", "KEY", "SORT_KEYS", "HF_MODEL_ID", "kmsKey", "Key", "secret"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
