//! Several words in one sentence.

use std::fmt::Display;

/// As `a, b and c`, with the word that stands before the last.
pub fn listed<T: Display>(words: impl IntoIterator<Item = T>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// As `a, b, c` or, where there are more than that, as `a, b and 7 more`.
pub fn first_of<T: Display>(words: impl IntoIterator<Item = T>, most: usize) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    match words.len().saturating_sub(most) {
        0 => words.join(", "),
        more => format!("{} and {more} more", words[..most].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_a_sentence() {
        let words = ["a", "b", "c"];
        assert_eq!([0, 1, 2, 3].map(|n| listed(&words[..n], "or")), ["", "a", "a or b", "a, b or c"]);
        assert_eq!([1, 2, 3].map(|most| first_of(words, most)), ["a and 2 more", "a, b and 1 more", "a, b, c"]);
        assert_eq!(first_of([] as [&str; 0], 1), "");
    }
}
