//! "Did you mean": the nearest valid choice to a misspelt one.

/// The candidate nearest to `given`, if one is near enough to be worth offering.
///
/// Case and the order of words do not count, so `VIEW_CONTENT` finds `CONTENT_VIEW`.
pub fn nearest<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if given.len() > 64 {
        return None;
    }
    let wanted = canonical(given);
    let limit = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &canonical(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn canonical(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut words: Vec<&str> = lower.split(['_', '-', ' ']).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join("_")
}

/// Levenshtein distance, counted in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substitute = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_swapped_words_case_and_typos() {
        let events = ["CONTENT_VIEW", "PURCHASE", "INITIATED_CHECKOUT"];
        assert_eq!(nearest("VIEW_CONTENT", events), Some("CONTENT_VIEW"));
        assert_eq!(nearest("purchase", events), Some("PURCHASE"));
        assert_eq!(nearest("INITIATE_CHECKOUT", events), Some("INITIATED_CHECKOUT"));
        assert_eq!(nearest("SOMETHING_ELSE", events), None);
    }
}
