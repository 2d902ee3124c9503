//! How the console says things.

use crate::time::Timestamp;

/// The text with a capital at its beginning, unless a field's name stands there, and without a stop at its end, so that a page can put its own.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    if text.split(' ').next().is_some_and(|word| word.contains(['_', '.'])) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `3 hours ago`, `in 58 days`: rounded down, in the largest unit that fits.
pub fn when(at: &Timestamp, now: &Timestamp) -> String {
    let seconds = (at.millis() - now.millis()) / 1000;
    let length = length(seconds.abs());
    match seconds {
        -59..=59 => "just now".to_owned(),
        60.. => format!("in {length}"),
        _ => format!("{length} ago"),
    }
}

/// A length of time in its largest unit: `58 days`.
pub fn length(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    counted(count.unsigned_abs(), unit)
}

/// `1 account`, `3 accounts`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_said_from_now() {
        let now = Timestamp::from_unix(1_000_000_000);
        assert_eq!(when(&now.plus_seconds(58 * 86_400 + 5), &now), "in 58 days");
        assert_eq!(when(&now.plus_seconds(-3600), &now), "1 hour ago");
        assert_eq!(when(&now.plus_seconds(30), &now), "just now");
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_leaves_the_stop_to_the_page() {
        assert_eq!(sentence("the name is taken."), "The name is taken");
        assert_eq!(sentence("daily_budget must be whole."), "daily_budget must be whole");
        assert_eq!(sentence(""), "");
    }
}
