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
        -59..=0 => "just now".to_owned(),
        1..=59 => "in a moment".to_owned(),
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

/// A length of time to two units: `1.5 s`, `1 min 30 s`, `2 h 5 min`, `3 days 4 h`.
pub fn duration(millis: i64) -> String {
    let millis = millis.max(0);
    let seconds = millis / 1000;
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match seconds {
        0 => format!("{millis} ms"),
        1..10 if millis % 1000 >= 100 => format!("{seconds}.{} s", millis % 1000 / 100),
        1..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => {
            let days = seconds / 86_400;
            two(days, if days == 1 { "day" } else { "days" }, seconds % 86_400 / 3600, "h")
        }
    }
}

/// `1 account`, `3 accounts`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// An address with those of the parameters that say something.
pub fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_said_from_now() {
        let now = Timestamp::from_unix(1_000_000_000);
        assert_eq!(when(&now.plus_seconds(58 * 86_400 + 5), &now), "in 58 days");
        assert_eq!(when(&now.plus_seconds(-3600), &now), "1 hour ago");
        assert_eq!(when(&now.plus_seconds(-30), &now), "just now");
        assert_eq!(when(&now.plus_seconds(30), &now), "in a moment");
    }

    #[test]
    fn an_address_leaves_out_what_says_nothing() {
        assert_eq!(address("/leads", &[("form", ""), ("after", "")]), "/leads");
        assert_eq!(address("/leads", &[("form", "a&b"), ("after", "")]), "/leads?form=a%26b");
    }

    #[test]
    fn lengths_are_said_in_two_units() {
        for (millis, words) in [
            (-5, "0 ms"),
            (420, "420 ms"),
            (1_540, "1.5 s"),
            (3_000, "3 s"),
            (90_000, "1 min 30 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 day"),
            (273_600_000, "3 days 4 h"),
        ] {
            assert_eq!(duration(millis), words);
        }
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_leaves_the_stop_to_the_page() {
        assert_eq!(sentence("the name is taken."), "The name is taken");
        assert_eq!(sentence("daily_budget must be whole."), "daily_budget must be whole");
        assert_eq!(sentence(""), "");
    }
}
