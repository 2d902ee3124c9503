//! The objectives of before OUTCOME_*, and what their names stand for today.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{Mark, table};

/// What an old objective took.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub objective: String,
    /// Which kind of ad, where the objective had several.
    pub variant: Option<String>,
    pub goals: Vec<String>,
    /// The goal that counts when none is given.
    pub default: Option<String>,
    /// Sets of promoted-object fields; one complete set is enough.
    pub any_of: Vec<Vec<String>>,
    pub mark: Mark,
    pub source: String,
}

/// An old name, and what to use today.
#[derive(Debug, Clone, Deserialize)]
pub struct Name {
    pub name: String,
    pub is: Is,
    /// The promoted object that goes with the name: sets of fields, one of which is enough.
    pub any_of: Vec<Vec<String>>,
    /// Today's objective; `None` if there is no successor.
    pub objective: Option<String>,
    /// Today's goal.
    pub goal: Option<String>,
    /// What to use today, in words.
    pub today: String,
    pub mark: Mark,
    pub source: String,
}

/// What a name was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Is {
    Objective,
    Goal,
    Both,
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
    name: Vec<Name>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| table("legacy.toml", include_str!("../../data/legacy.toml")));

/// What the old objectives took.
pub fn rows() -> &'static [Row] {
    &TABLE.row
}

/// The old names.
pub fn names() -> &'static [Name] {
    &TABLE.name
}

/// An old name.
pub fn name(name: &str) -> Option<&'static Name> {
    TABLE.name.iter().find(|row| row.name == name)
}

/// An old name that was an objective.
pub fn objective(objective: &str) -> Option<&'static Name> {
    // Today's names are most of what is asked for, and are told apart by how they begin.
    if objective.starts_with("OUTCOME_") {
        return None;
    }
    name(objective).filter(|row| row.is != Is::Goal)
}

/// The goal an old objective takes when none is given.
pub fn default_goal(objective: &str) -> Option<&'static str> {
    TABLE.row.iter().filter(|row| row.objective == objective).find_map(|row| row.default.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Kind, vocabulary};

    #[test]
    fn every_old_objective_has_a_name() {
        let old: Vec<_> =
            vocabulary(Kind::Objective).values.iter().filter(|word| !word.starts_with("OUTCOME_")).collect();
        assert_eq!(old.len(), 15);
        for word in old {
            assert!(objective(word).is_some(), "{word}");
        }
        assert_eq!(default_goal("CONVERSIONS"), Some("OFFSITE_CONVERSIONS"));
    }
}
