//! Text that somebody may write: atoms that one of the languages on the way gives a meaning, and any characters.

use fastrand::Rng;

use super::draw::{one, percent};

/// What may stand at a place, beside what the manifest itself refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Anything.
    Text,
    /// No white space.
    NoSpace,
    /// A part of a name with parts: no white space and no separator.
    Key,
    /// A part of a JSON pointer.
    Pointer,
    /// What a tag takes.
    Tag,
    /// What a variable's name takes.
    Variable,
}

impl Takes {
    fn fits(self, c: char) -> bool {
        let space = c.is_whitespace() || c == '\u{feff}';
        match self {
            Self::Text => true,
            Self::NoSpace => !space,
            Self::Key => !space && !"/:@~".contains(c),
            Self::Pointer => c != '/' && c != '~',
            Self::Tag => c.is_alphanumeric() || " _.:=+-@".contains(c),
            Self::Variable => c.is_ascii_alphanumeric() || c == '_',
        }
    }

    /// Grants and references, where a wildcard or a placeholder that stands for nothing is a finding, so that most
    /// texts go without.
    fn is_delicate(self) -> bool {
        matches!(self, Self::NoSpace | Self::Key)
    }
}

#[rustfmt::skip]
const ATOMS: &[&str] = &[
    // YAML
    ": ", " #", "#", "- ", "-", "? ", "?", "---", "...", "--- ", "&a", "*a", "*", "!", "!!", "!Ref", "!Ref X", "!Sub",
    "!GetAtt A.B", "!!binary", "!!str", "|", ">", "|-", ">+", "%", "%YAML 1.1", "@", "`", "'", "''", "\"", "\\", "\\n",
    "\\x41", "\\u0041", "[", "]", "{", "}", "{}", "[]", ",", ":", "::", "=", "<<", "~", "null", "Null", "true", "True",
    "yes", "No", "on", "OFF", "y", "n", ".inf", "-.INF", ".nan", "0x1f", "0x1F_", "-0x1f_", "0o17", "0777", "0b11",
    "1e3", "1.5", ".5", "1_000", "1_0001:30", "+12", "1:30", "1:30.", "190:20:30.15", "2010-09-09", "2010-09-09'",
    "2010-09-09T10:11:12Z", "2001-12-14 21:59:43.10 -5", "it's", "' #", "\": ", "\r\n", "\n", "\n\n", "\n---\n",
    "\n  - a: b\n", "\t", "  ", " ",
    // CloudFormation and IAM
    "${", "${!", "}", "${AWS::AccountId}", "${AWS::StackName", "${!x}", "$", "Ref", "Fn::Sub", "Fn::Transform",
    "AWS::Include", "{\"Ref\": \"AWS::StackId\"}", "{{resolve:", "{{resolve:ssm:/a}}", "{{resolve:secretsmanager:b}}",
    "${account}", "${region}", "${target}", "${environment}", "arn:aws:iam::aws:policy/AdministratorAccess",
    "aws:PrincipalArn", "/", "..", "../", "s3://",
    // Tera
    "{{", "}}", "{%", "%}", "{#", "#}", "{{ 1 + 1 }}", "{% raw %}", "{{ __tera_context }}", "{% include \"x\" %}",
    "| safe", "| value",
    // JSON, shells, Markdown, terminals
    "\"}", "\\\"", "\\u0000", "</script>", "$(id)", "`id`", "; rm", "&&", "||", "$HOME", "--flag", "-o", "![x](y)",
    "\u{1b}[31m", "\u{1b}]0;t\u{7}", "\r",
    // plain
    "x", "Z9", "größe", "🦀",
];

/// Characters that some reader, terminal or eye takes for something else, beside all of C0 and C1.
const ODD: [char; 24] = [
    '\u{85}',
    '\u{a0}',
    '\u{ad}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202e}',
    '\u{2066}',
    '\u{2069}',
    '\u{3000}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{e001}',
    '\u{f8ff}',
    '\u{fdd0}',
    '\u{feff}',
    '\u{fffd}',
    '\u{fffe}',
    '\u{ffff}',
    '\u{1f980}',
    '\u{10ffff}',
];

/// A text for a place.
pub(super) fn text(rng: &mut Rng, takes: Takes) -> String {
    let length = if percent(rng, 3) { rng.usize(60..120) } else { rng.usize(1..8) };
    let mut text: String = (0..length).map(|_| piece(rng)).collect();
    text.retain(|c| takes.fits(c));
    if takes.is_delicate() && percent(rng, 90) {
        text.retain(|c| !"*?${}".contains(c));
    }
    if percent(rng, 95) {
        text = text.replace("{{resolve:", "{{ resolve:");
    }
    while text.len() > if takes.is_delicate() { 80 } else { 400 } {
        text.pop();
    }
    if text.is_empty() { "x".to_owned() } else { text }
}

fn piece(rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0..6 => (*one(rng, ATOMS)).to_owned(),
        6 => one(rng, &ODD).to_string(),
        7 => char::from(if rng.bool() { rng.u8(..0x20) } else { rng.u8(0x7f..0xa0) }).to_string(),
        8 => char::from(rng.u8(b' '..0x7f)).to_string(),
        _ => rng.char(..).to_string(),
    }
}
