//! Which conversion events an objective takes, by where the conversion happens.

use std::sync::LazyLock;

use serde::Deserialize;

use super::mapping::place;
use crate::facts::{Mark, table};
use crate::vocabulary::{Kind, vocabulary};

/// Events of an objective at some locations.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub objective: String,
    /// `WEBSITE`, `APP`, `WEBSITE_AND_APP`, or a messaging destination.
    pub locations: Vec<String>,
    /// Documented.
    pub events: Vec<String>,
    /// Not documented for this place, but seen to be taken.
    #[serde(default)]
    pub measured: Vec<String>,
    pub mark: Mark,
    pub source: String,
    #[serde(skip)]
    objective_at: usize,
    #[serde(skip)]
    documented_bits: u64,
    #[serde(skip)]
    measured_bits: u64,
}

/// Events that were seen to be refused where no row says which are taken.
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    pub objective: String,
    /// None means whatever the goal is.
    #[serde(default)]
    pub goals: Vec<String>,
    pub events: Vec<String>,
    pub mark: Mark,
    pub source: String,
}

/// How an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Documented,
    Measured,
    Refused,
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
    refused: Vec<Refusal>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = table::<Table>("events.toml", include_str!("../../data/events.toml"));
    let bits =
        |words: &[String]| words.iter().fold(0, |bits, word| bits | 1 << place(Kind::CustomEventType, word));
    for row in &mut table.row {
        row.objective_at = place(Kind::Objective, &row.objective);
        row.documented_bits = bits(&row.events);
        row.measured_bits = bits(&row.measured);
    }
    for refusal in &table.refused {
        place(Kind::Objective, &refusal.objective);
        bits(&refusal.events);
        refusal.goals.iter().for_each(|goal| _ = place(Kind::OptimizationGoal, goal));
    }
    table
});

/// All rows. An objective without a row takes every event.
pub fn rows() -> &'static [Row] {
    &TABLE.row
}

/// Events that were seen to be refused where no row says which are taken.
pub fn refusals() -> &'static [Refusal] {
    &TABLE.refused
}

/// Whether an event was seen to be refused with an objective and a goal.
pub(crate) fn refused(objective: &str, goal: Option<&str>, event: &str) -> Option<&'static Refusal> {
    TABLE.refused.iter().find(|refusal| {
        refusal.objective == objective
            && refusal.events.iter().any(|word| word == event)
            && (refusal.goals.is_empty()
                || goal.is_some_and(|goal| refusal.goals.iter().any(|word| word == goal)))
    })
}

/// The events an objective takes at a location; `None` if it takes every event.
pub fn events(objective: &str, location: &str) -> Option<&'static Row> {
    vocabulary(Kind::Objective).position(objective).and_then(|at| of_objective(at, location))
}

/// The same for an objective given by its place in the list.
pub(crate) fn of_objective(objective: usize, location: &str) -> Option<&'static Row> {
    TABLE
        .row
        .iter()
        .find(|row| row.objective_at == objective && row.locations.iter().any(|word| word == location))
}

impl Row {
    /// How an event, given by its place in the list of events, stands.
    pub(crate) fn standing(&self, event: usize) -> Standing {
        let bit = 1 << event;
        if self.documented_bits & bit != 0 {
            Standing::Documented
        } else if self.measured_bits & bit != 0 {
            Standing::Measured
        } else {
            Standing::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sales_takes_purchases_and_no_leads() {
        let event = |word| place(Kind::CustomEventType, word);
        let sales = events("OUTCOME_SALES", "WEBSITE").unwrap();
        assert_eq!(sales.standing(event("PURCHASE")), Standing::Documented);
        assert_eq!(sales.standing(event("SEARCH")), Standing::Measured);
        assert_eq!(sales.standing(event("LEAD")), Standing::Refused);
        assert!(events("OUTCOME_TRAFFIC", "WEBSITE").is_none());
        assert!(events("OUTCOME_SALES", "WHATSAPP").is_some());
    }
}
