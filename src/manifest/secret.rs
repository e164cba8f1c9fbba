//! What a message may quote of a user's text, and what manifests must not contain.
//!
//! The text kept for display is masked when it is read ([`crate::diagnostic::SourceMap::mask`]), comments too,
//! so that no finding on the same line can show a secret; [`shown`] does the same for what messages quote.

use crate::diagnostic::secret::mask;
pub(super) use crate::diagnostic::secret::{Secret, find, is_hub_token_name, is_secret_name};

/// Where CloudFormation would put in a parameter's or secret's value.
pub(super) const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// What a message may quote of a user's text: one line, not too long, without secrets.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let masked = crate::diagnostic::shown(&mask(text).replace('\n', " "));
    let one_line: String = masked.chars().take(MOST).collect();
    if masked.chars().nth(MOST).is_some() { one_line + "…" } else { one_line }
}

/// Does a text name a variable of whatever ran another tool: `$NAME`, `${NAME…}`, `$(…)`, `%NAME%`, or all of it `{{ … }}`?
pub(super) fn names_variable(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    let shell = text.match_indices('$').any(|(at, _)| {
        let rest = &text[at + 1..];
        rest.starts_with('(') || rest.strip_prefix('{').unwrap_or(rest).starts_with(starts)
    });
    let upper =
        |name: &str| name.len() > 1 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let percent = text.split('%').collect::<Vec<_>>();
    let windows = percent.len() > 2 && percent[1..percent.len() - 1].iter().any(|name| upper(name));
    let whole = text.trim().trim_start_matches('$');
    shell || windows || (whole.starts_with("{{") && whole.ends_with("}}"))
}

/// Is a text nothing but the name of such a variable? In capitals: a password may begin with `$`, too.
pub(super) fn is_variable_name(text: &str) -> bool {
    let text = text.trim();
    let inside = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| text.strip_prefix('$'))
        .or_else(|| text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')));
    inside.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// Is a flag the key that an engine's server asks its callers for? vLLM's parser (argparse) accepts abbreviations, too.
pub(super) fn is_server_key(flag: &str) -> bool {
    let flag = flag.trim_start_matches('-').replace('_', "-").to_ascii_lowercase();
    !flag.is_empty() && "api-key".starts_with(&*flag)
}

/// The same of a variable that the image makes a flag of vLLM.
pub(super) fn is_server_key_variable(name: &str) -> bool {
    name.strip_prefix("SM_VLLM_").is_some_and(is_server_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_other_tools_are_seen() {
        for text in
            ["$HF_TOKEN", "${HF_TOKEN}", "${HF_TOKEN:-x}", "$(cat t)", "%HF_TOKEN%", "{{ token }}", "${{ secrets.T }}"]
        {
            assert!(names_variable(text), "{text}");
        }
        for text in ["$HOME/cache", "a:${PORT}"] {
            assert!(names_variable(text) && !is_variable_name(text), "{text}");
        }
        for text in ["", "$", "$5", "^a$", "95%", "%Y%m%d", "50% of 100%", "a {{b}} c", "{\"a\": {}}"] {
            assert!(!names_variable(text), "{text}");
        }
        assert!(["$A", "${A_1}", "%A%"].iter().all(|text| is_variable_name(text)));
        for text in ["${A:-secret}", "$Sup3rSecret", "$mytoken", "${mytoken}", "%Pass1%", "$"] {
            assert!(!is_variable_name(text), "{text}");
        }
    }

    #[test]
    fn keys_of_the_server_are_known_abbreviated() {
        assert!(["SM_VLLM_API_KEY", "SM_VLLM_API_K", "SM_VLLM_A"].into_iter().all(is_server_key_variable));
        assert!(!["API_K", "SM_VLLM_", "SM_VLLM_API_KEYS", "SM_VLLM_SEED"].into_iter().any(is_server_key_variable));
    }

    #[test]
    fn a_quotation_is_short_and_shows_no_secret() {
        let token = format!("hf_{}", "a1".repeat(15));
        assert_eq!(
            shown(&format!("a {token} b{}", "c".repeat(80))),
            format!("a {} b", "*".repeat(33)) + &"c".repeat(23) + "…"
        );
        assert_eq!(shown("a\nb\u{1b}"), "a b\\u{1b}");
    }
}
