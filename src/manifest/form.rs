//! The forms of text: what a string must look like, once for people, once for JSON Schema, once for us.
//!
//! `pattern` is ECMA-262 for editors; `fits` decides here. A test compares them.

use super::value::{Duration, Latency, Percent, Size};
use crate::service::schedule;

/// How a piece of text must look.
pub(super) struct Form {
    pub(super) name: &'static str,
    /// What it is, after "must be".
    pub(super) expects: &'static str,
    /// Without look-around, which RE2 does not have.
    pub(super) pattern: &'static str,
    /// The most characters, where the pattern does not say.
    pub(super) longest: Option<u32>,
    pub(super) fits: fn(&str) -> bool,
    /// Are `${…}` replaced here?
    pub(super) placeholders: bool,
    /// Units that turn a bare number into this, for help.
    pub(super) units: &'static [&'static str],
    /// The size of a quantity, to compare.
    pub(super) measure: Option<fn(&str) -> Option<f64>>,
}

const TEXT: Form = Form {
    name: "",
    expects: "text",
    pattern: "",
    longest: None,
    fits: |_| true,
    placeholders: false,
    units: &[],
    measure: None,
};

const FORMS: &[Form] = &[
    Form {
        name: "duration",
        expects: "a duration such as `90s`, `10m` or `1h30m`",
        pattern: "^(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?$",
        fits: |text| text.parse::<Duration>().is_ok(),
        units: &["s", "m", "h"],
        measure: Some(|text| text.parse().ok().map(|Duration(seconds)| seconds as f64)),
        ..TEXT
    },
    Form {
        name: "latency",
        expects: "a duration such as `500ms` or `2s`",
        pattern: "^(?:[0-9]{1,9}ms|(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?)$",
        fits: |text| text.parse::<Latency>().is_ok(),
        units: &["ms", "s"],
        measure: Some(|text| text.parse().ok().map(|Latency(milliseconds)| milliseconds as f64)),
        ..TEXT
    },
    Form {
        name: "size",
        expects: "a size such as `16GiB`",
        pattern: "^[0-9]{1,6}(?:KiB|MiB|GiB|TiB)$",
        fits: |text| text.parse::<Size>().is_ok(),
        units: &["MiB", "GiB"],
        measure: Some(|text| text.parse().ok().map(|Size(bytes)| bytes as f64)),
        ..TEXT
    },
    Form {
        name: "percent",
        expects: "a percentage such as `10%`",
        pattern: "^[0-9]{1,3}(?:\\.[0-9]{1,6})?%$",
        fits: |text| text.parse::<Percent>().is_ok(),
        units: &["%"],
        measure: Some(|text| text.parse().ok().map(|Percent(percent)| percent)),
        ..TEXT
    },
    Form {
        name: "money",
        expects: "an amount such as `5000 USD`",
        pattern: "^[0-9]{1,9} USD$",
        fits: |text| text.strip_suffix(" USD").is_some_and(|n| (1..=9).contains(&n.len()) && all(n, digit)),
        units: &[" USD"],
        ..TEXT
    },
    Form {
        name: "name",
        expects: "a name: a lower-case letter, then lower-case letters, digits and `-`, 40 characters at most",
        pattern: "^[a-z][a-z0-9-]{0,39}$",
        fits: |text| is_name(text, 40),
        ..TEXT
    },
    Form {
        name: "prefix",
        expects: "a prefix: a lower-case letter, then lower-case letters, digits and `-`, 12 characters at most",
        pattern: "^[a-z][a-z0-9-]{0,11}$",
        fits: |text| is_name(text, 12),
        ..TEXT
    },
    Form {
        name: "endpoint-name",
        expects: "an endpoint's name: letters, digits and single inner `-`, at most 63",
        pattern: "^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$",
        longest: Some(63),
        fits: |text| text.len() <= 63 && text.split('-').all(|part| !part.is_empty() && all(part, letter_or_digit)),
        ..TEXT
    },
    Form {
        name: "account",
        expects: "an account id, twelve digits in quotes",
        pattern: "^[0-9]{12}$",
        fits: |text| text.len() == 12 && all(text, digit),
        ..TEXT
    },
    Form {
        name: "region",
        expects: "a Region such as `eu-west-1`",
        pattern: "^[a-z]{2,8}(?:-[a-z]{1,16})+-[0-9]{1,2}$",
        fits: is_region,
        ..TEXT
    },
    Form {
        name: "hub-id",
        expects: "a Hub id such as `Qwen/Qwen3-0.6B`",
        pattern: "^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$",
        fits: is_hub_id,
        ..TEXT
    },
    Form {
        name: "instance",
        expects: "an instance type such as `ml.g6.xlarge`",
        pattern: "^(?:ml\\.)?[a-z0-9-]+\\.[a-z0-9-]+$",
        fits: is_instance,
        ..TEXT
    },
    Form {
        name: "model",
        expects: "the name of a Model, a Hub id or a map",
        pattern: "^(?:[^/]+|[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)$",
        fits: |text| if text.contains('/') { is_hub_id(text) } else { !text.is_empty() },
        ..TEXT
    },
    Form {
        name: "hardware",
        expects: "the name of a Hardware, an instance type or a map",
        pattern: "^(?:[^.]+|(?:ml\\.)?[a-z0-9-]+\\.[a-z0-9-]+)$",
        fits: |text| if text.contains('.') { is_instance(text) } else { !text.is_empty() },
        ..TEXT
    },
    Form {
        name: "role",
        expects: "the name of a Role, the ARN of a role or a map",
        pattern: concat!(
            "^(?:[^a][\\s\\S]*|a(?:[^r][\\s\\S]*)?|ar(?:[^n][\\s\\S]*)?|arn(?:[^:][\\s\\S]*)?",
            "|arn:[^:\\s*?]+:[^:\\s*?]+:[^:\\s*?]*:[^:\\s*?]*:[^\\s*?]+)$"
        ),
        fits: |text| if text.starts_with("arn:") { is_arn(text) } else { !text.is_empty() },
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "reference",
        expects: "the name of a manifest or a map",
        pattern: "^[\\s\\S]+$",
        fits: |text| !text.is_empty(),
        ..TEXT
    },
    Form {
        name: "id",
        expects: "an id or ARN, `{ssm: …}` or `{export: …}`",
        pattern: "^[^\\s*?]+$",
        fits: |text| !text.is_empty() && all(text, plain),
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "arn",
        expects: "an ARN",
        pattern: "^arn:[^:\\s*?]+:[^:\\s*?]+:[^:\\s*?]*:[^:\\s*?]*:[^\\s*?]+$",
        fits: is_arn,
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "principal",
        expects: "a service such as `lambda.amazonaws.com`, an ARN or an account id in quotes",
        pattern: concat!(
            "^(?:arn:[^:\\s*?]+:[^:\\s*?]+:[^:\\s*?]*:[^:\\s*?]*:[^\\s*?]+",
            "|[a-z0-9.-]+\\.amazonaws\\.com(?:\\.cn)?|[0-9]{12})$"
        ),
        fits: is_principal,
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "s3",
        expects: "an S3 location such as `s3://bucket/prefix/`",
        pattern: "^s3://[^/\\s*?]+(?:/[^\\s*?]*)?$",
        fits: is_s3,
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "weights",
        expects: "an S3 prefix that ends with `/`, or a `.tar.gz`",
        pattern: "^s3://[^/\\s*?]+/(?:[^\\s*?]*/)?(?:[^\\s*?]*\\.tar\\.gz)?$",
        fits: |text| {
            is_s3(text)
                && (text.ends_with('/') && text.len() > 6 || text.ends_with(".tar.gz"))
                && text[5..].contains('/')
        },
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "bucket",
        expects: "the name of a bucket",
        pattern: "^[^/:\\s*?]+$",
        fits: |text| !text.is_empty() && all(text, |c| plain(c) && c != '/' && c != ':'),
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "image",
        expects: "a container image",
        pattern: "^[^\\s*?]{1,255}$",
        fits: |text| (1..=255).contains(&text.chars().count()) && all(text, plain),
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "parameter",
        expects: "the name or ARN of a parameter: letters, digits and `_.-/:`",
        pattern: "^(?:[A-Za-z0-9_.:/-]|\\$\\{[^{}\\s]*\\})+$",
        fits: is_parameter,
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "export",
        expects: "the name of an export",
        pattern: "^[^\\s*?]+$",
        fits: |text| !text.is_empty() && all(text, plain),
        placeholders: true,
        ..TEXT
    },
    Form {
        name: "cron",
        expects: "the six fields of an AWS cron expression, such as `0 8 ? * MON-FRI *`",
        pattern: "^[^ \\t]+(?:[ \\t]+[^ \\t]+){5}$",
        fits: |text| {
            let blank = [' ', '\t'];
            text.split(blank).filter(|field| !field.is_empty()).count() == 6 && text.trim_matches(blank) == text
        },
        ..TEXT
    },
    Form {
        name: "time-zone",
        expects: "a time zone such as `Europe/Paris`",
        pattern: "^[\\s\\S]+$",
        fits: |text| !text.is_empty(),
        ..TEXT
    },
    Form {
        name: "moment",
        expects: "a moment such as `2027-01-31T08:00:00`",
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
        fits: schedule::has_moment_form,
        ..TEXT
    },
    Form {
        name: "rate",
        expects: "a rate such as `12 hours`",
        pattern: "^[0-9]{1,6} (?:minutes?|hours?|days?)$",
        fits: |text| {
            let known = ["minute", "minutes", "hour", "hours", "day", "days"];
            let parts = text.split_once(' ');
            parts.is_some_and(|(n, unit)| (1..=6).contains(&n.len()) && all(n, digit) && known.contains(&unit))
        },
        ..TEXT
    },
];

/// The form of this name.
pub(super) fn form(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name)
}

/// Can this be the name of a manifest?
pub(super) fn is_name(text: &str, most: usize) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= most && all(text, allowed)
}

fn all(text: &str, allowed: fn(char) -> bool) -> bool {
    text.chars().all(allowed)
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// JavaScript's `\S`.
fn no_space(c: char) -> bool {
    !(c.is_whitespace() && c != '\u{85}' || c == '\u{feff}')
}

/// No space and no IAM wildcard: these texts become part of what roles are granted.
fn plain(c: char) -> bool {
    no_space(c) && !is_wildcard(c)
}

/// IAM's wildcards.
pub(super) fn is_wildcard(c: char) -> bool {
    matches!(c, '*' | '?')
}

/// What Systems Manager accepts in names and ARNs of parameters (PutParameter: `a-zA-Z0-9_.-` and `/`), perhaps with a
/// version, and placeholders.
fn is_parameter(text: &str) -> bool {
    let named = |c: char| letter_or_digit(c) || matches!(c, '_' | '.' | ':' | '/' | '-');
    let inside = |c: char| no_space(c) && c != '{';
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((placeholder, after)) = after.split_once('}') else { return false };
        if !all(before, named) || !all(placeholder, inside) {
            return false;
        }
        rest = after;
    }
    !text.is_empty() && all(rest, named)
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let lower = |part: &str| all(part, |c| c.is_ascii_lowercase());
    (2..=8).contains(&first.len())
        && lower(first)
        && !middle.is_empty()
        && middle.iter().all(|part| (1..=16).contains(&part.len()) && lower(part))
        && (1..=2).contains(&last.len())
        && all(last, digit)
}

fn is_hub_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let fits = |part: &str| !part.is_empty() && part.chars().all(allowed);
    text.split_once('/').is_some_and(|(organisation, name)| fits(organisation) && fits(name))
}

fn is_instance(text: &str) -> bool {
    let fits = |part: &str| !part.is_empty() && all(part, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let rest = text.strip_prefix("ml.").filter(|rest| rest.contains('.')).unwrap_or(text);
    rest.split_once('.').is_some_and(|(family, size)| fits(family) && fits(size))
}

fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let full = |at: usize| !parts[at].is_empty();
    parts.len() == 6 && parts[0] == "arn" && full(1) && full(2) && full(5) && all(text, plain)
}

fn is_principal(text: &str) -> bool {
    let host = text.strip_suffix(".cn").unwrap_or(text).strip_suffix(".amazonaws.com");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let service = host.is_some_and(|service| !service.is_empty() && all(service, allowed));
    service || is_arn(text) || (text.len() == 12 && all(text, digit))
}

fn is_s3(text: &str) -> bool {
    text.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && all(rest, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &[&str] = &[
        "",
        "a",
        "10m",
        "1h30m",
        "10",
        "500ms",
        "16GiB",
        "10%",
        "0.5%",
        "5000 USD",
        "chat",
        "Chat",
        "a-b-",
        "a--b",
        "123456789012",
        "eu-west-1",
        "us-gov-east-1",
        "Qwen/Qwen3-0.6B",
        "a/b/c",
        "ml.g6.xlarge",
        "g6.xlarge",
        "ml.g6",
        "arn:aws:iam::${account}:role/x",
        "arn:aws:s3:::b",
        "arn:*:iam::a?:root",
        "s3://b/*/",
        "/${environment}/a_b:3",
        "a}}x",
        "${",
        "$}{",
        "arn:",
        "lambda.amazonaws.com",
        "x.amazonaws.com.cn",
        "s3://b",
        "s3://b/",
        "s3://b/p/",
        "s3://b/m.tar.gz",
        "s3:///",
        "s3://b/x",
        "bucket",
        "a b",
        "a\tb",
        "0 8 ? * MON-FRI *",
        "2027-01-31T08:00:00",
        "12 hours",
        "1 day",
        "sg-0a1b",
        "\u{a0}",
        "x\n",
        "ar",
        "arn",
        "arn\n:",
        "arena",
        "a-name-that-has-sixty-three-letters-and-digits-and-not-one-more",
        "a-name-that-has-sixty-four-letters-and-digits-which-is-one-more1",
    ];

    #[test]
    fn patterns_and_checks_agree() {
        let mut random = fastrand::Rng::with_seed(7);
        for form in FORMS {
            let mut schema = serde_json::json!({ "type": "string", "pattern": form.pattern, "minLength": 1 });
            if let Some(longest) = form.longest {
                schema["maxLength"] = longest.into();
            }
            let pattern = jsonschema::validator_for(&schema).expect("a pattern that compiles");
            let mutated = (0..2_000).map(|_| mutate(&mut random));
            for text in SAMPLES.iter().map(|text| (*text).to_owned()).chain(mutated) {
                let says = pattern.is_valid(&serde_json::Value::String(text.clone()));
                assert_eq!((form.fits)(&text), says, "{} on {text:?}", form.name);
            }
        }
    }

    fn mutate(random: &mut fastrand::Rng) -> String {
        let mut letters: Vec<char> = SAMPLES[random.usize(..SAMPLES.len())].chars().collect();
        for _ in 0..random.usize(1..3) {
            let from = SAMPLES[random.usize(1..SAMPLES.len())];
            let letter = from.chars().nth(random.usize(..from.chars().count())).unwrap_or('-');
            let at = random.usize(..=letters.len());
            match random.u8(..3) {
                0 => letters.insert(at, letter),
                1 if at < letters.len() => letters[at] = letter,
                _ => drop((at < letters.len()).then(|| letters.remove(at))),
            }
        }
        letters.into_iter().collect()
    }
}
