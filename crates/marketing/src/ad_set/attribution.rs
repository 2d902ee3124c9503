//! Attribution windows, by objective and goal.

use std::sync::LazyLock;

use serde::Deserialize;

use super::mapping::place;
use crate::facts::{Mark, table};
use crate::vocabulary::{Kind, vocabulary};

/// Which windows some objectives take with some goals.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub objectives: Vec<String>,
    pub goals: Vec<String>,
    /// Sets of windows such as `7c`, `1v`, `1e`: days, and click, view or engaged view.
    pub any_of: Vec<Vec<String>>,
    pub mark: Mark,
    pub source: String,
    /// `any_of`, taken apart.
    #[serde(skip)]
    sets: Vec<Vec<Window>>,
    /// The places of the objectives and goals in their lists, as bits.
    #[serde(skip)]
    objective_bits: u64,
    #[serde(skip)]
    goal_bits: u64,
}

/// Days, and `c`, `v` or `e`.
pub(crate) type Window = (i64, char);

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows = table::<Table>("attribution.toml", include_str!("../../data/attribution.toml")).row;
    for row in &mut rows {
        let bits = |kind, words: &[String]| words.iter().fold(0, |bits, word| bits | 1 << place(kind, word));
        row.objective_bits = bits(Kind::Objective, &row.objectives);
        row.goal_bits = bits(Kind::OptimizationGoal, &row.goals);
        row.sets = row.any_of.iter().map(|set| set.iter().map(|word| window(word)).collect()).collect();
    }
    rows
});

/// All rows. Any other objective and goal take a click of one day only.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// The row of an objective and a goal.
pub fn windows(objective: &str, goal: &str) -> Option<&'static Row> {
    let objective = vocabulary(Kind::Objective).position(objective)?;
    of(objective, vocabulary(Kind::OptimizationGoal).position(goal)?)
}

/// The same for an objective and a goal given by their places in their lists.
pub(crate) fn of(objective: usize, goal: usize) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.objective_bits & (1 << objective) != 0 && row.goal_bits & (1 << goal) != 0)
}

impl Row {
    /// Whether exactly these windows, in any order, are one of the sets.
    pub(crate) fn takes(&self, windows: &[Window]) -> bool {
        self.sets
            .iter()
            .any(|set| set.len() == windows.len() && set.iter().all(|window| windows.contains(window)))
    }
}

/// Takes a word such as `7c` apart.
fn window(word: &str) -> Window {
    let split = word.char_indices().last().and_then(|(at, kind)| Some((word[..at].parse().ok()?, kind)));
    split.unwrap_or_else(|| panic!("data/attribution.toml has the window {word}, which is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_what_exists() {
        for row in rows() {
            for (objective, goal) in
                row.objectives.iter().flat_map(|one| row.goals.iter().map(move |goal| (one, goal)))
            {
                assert!(
                    windows(objective, goal).is_some_and(|found| std::ptr::eq(found, row)),
                    "{objective} {goal}"
                );
            }
        }
        let row = windows("CONVERSIONS", "OFFSITE_CONVERSIONS").unwrap();
        assert!(row.takes(&[(1, 'v'), (7, 'c')]));
        assert!(!row.takes(&[(28, 'c')]));
        assert!(!row.takes(&[(7, 'c'), (7, 'c')]));
    }
}
