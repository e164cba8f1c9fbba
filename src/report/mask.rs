//! Secrets that slipped into a text are never printed.

use std::borrow::Cow;

/// What a secret looks like: how it begins, and how many characters follow at least.
struct Shape {
    prefix: &'static str,
    least: usize,
    belongs: fn(char) -> bool,
}

const SHAPES: [Shape; 3] = [
    Shape { prefix: "hf_", least: 30, belongs: |c| c.is_ascii_alphanumeric() },
    Shape { prefix: "AKIA", least: 16, belongs: |c| c.is_ascii_uppercase() || c.is_ascii_digit() },
    Shape { prefix: "ASIA", least: 16, belongs: |c| c.is_ascii_uppercase() || c.is_ascii_digit() },
];

/// The text with Hugging Face tokens and AWS key ids behind asterisks, byte for byte as long as before.
pub fn mask(text: &str) -> Cow<'_, str> {
    SHAPES.iter().fold(Cow::Borrowed(text), |text, shape| match find(&text, shape, 0) {
        Some(_) => Cow::Owned(mask_one(&text, shape)),
        None => text,
    })
}

fn mask_one(text: &str, shape: &Shape) -> String {
    let mut out = text.to_owned();
    let mut from = 0;
    while let Some((start, end)) = find(&out, shape, from) {
        out.replace_range(start..end, &"*".repeat(end - start));
        from = end;
    }
    out
}

/// The bytes after the prefix of the next secret.
fn find(text: &str, shape: &Shape, from: usize) -> Option<(usize, usize)> {
    text[from..].match_indices(shape.prefix).find_map(|(at, _)| {
        let start = from + at + shape.prefix.len();
        let long = text[start..].find(|c| !(shape.belongs)(c)).unwrap_or(text.len() - start);
        (long >= shape.least).then_some((start, start + long))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let token = format!("token: hf_{} # AKIA{}", "a1".repeat(17), "B".repeat(16));
        let masked = mask(&token);
        assert_eq!(masked, format!("token: hf_{} # AKIA{}", "*".repeat(34), "*".repeat(16)));
        assert_eq!(mask("hf_model and AKIA"), "hf_model and AKIA");
    }
}
