//! What can be paid for, by optimization goal.

use std::sync::LazyLock;

use serde::Deserialize;

use super::mapping::place;
use crate::facts::{Mark, table};
use crate::vocabulary::{Kind, vocabulary};

/// What can be paid for with some goals, with buying type AUCTION.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub goals: Vec<String>,
    pub billing_events: Vec<String>,
    pub mark: Mark,
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

struct Billing {
    rows: Vec<Row>,
    /// For each goal, its row.
    by_goal: Vec<Option<usize>>,
}

static BILLING: LazyLock<Billing> = LazyLock::new(|| {
    let rows = table::<Table>("billing.toml", include_str!("../../data/billing.toml")).row;
    let mut by_goal = vec![None; vocabulary(Kind::OptimizationGoal).len()];
    for (at, row) in rows.iter().enumerate() {
        for goal in &row.goals {
            by_goal[place(Kind::OptimizationGoal, goal)] = Some(at);
        }
    }
    Billing { rows, by_goal }
});

/// All rows. A goal without a row is paid by IMPRESSIONS, by inference.
pub fn rows() -> &'static [Row] {
    &BILLING.rows
}

/// The row of a goal, given by its place in the list of goals.
pub(crate) fn of_goal(goal: usize) -> Option<&'static Row> {
    BILLING.by_goal[goal].map(|at| &BILLING.rows[at])
}

/// What can be paid for with a goal; `None` if no row is known.
pub fn billing_events(goal: &str) -> Option<&'static Row> {
    vocabulary(Kind::OptimizationGoal).position(goal).and_then(of_goal)
}
