//! Objective x destination x goal: which promoted object an ad set needs.

use std::sync::LazyLock;

use serde::Deserialize;

use super::legacy;
use super::promoted_object::FieldSet;
use crate::facts::{Mark, table};
use crate::vocabulary::{Kind, vocabulary};

/// A row of today's table.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub objective: String,
    /// Destination types; `none` means that it is left out.
    pub destinations: Vec<String>,
    pub goals: Vec<String>,
    /// Sets of fields; one complete set is enough, and an empty one means that nothing is needed.
    pub any_of: Vec<Vec<String>>,
    pub mark: Mark,
    pub source: String,
    pub note: Option<String>,
    /// Only says something of ad sets that sell a catalog.
    #[serde(default)]
    pub catalog: bool,
}

/// One sufficient set of promoted-object fields.
#[derive(Debug, Clone, Copy)]
pub struct Alternative {
    pub(crate) set: FieldSet,
    pub mark: Mark,
    pub source: &'static str,
    pub note: Option<&'static str>,
    /// Only says something of ad sets that sell a catalog.
    pub catalog: bool,
}

impl Alternative {
    /// The fields of the set; none means that nothing is needed.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.set.names()
    }
}

/// How an objective, a destination and a goal stand to each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Combination {
    /// In the table; any of these sets is enough.
    Listed(&'static [Alternative]),
    /// No rule is known for the goal, or for the objective.
    NoRule,
    /// The goal is in the table, but never with this objective.
    GoalNotForObjective,
    /// The destination is in the table, but never with this objective.
    DestinationNotForObjective,
    /// Both go with the objective, but not together. `certain`: the destination is given, and all its goals are
    /// documented.
    GoalNotForDestination { certain: bool },
    /// The goal goes with the objective, and the destination has no row anywhere.
    DestinationWithoutRule,
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| table::<Table>("outcomes.toml", include_str!("../../data/outcomes.toml")).row);

static MAPPING: LazyLock<Mapping> = LazyLock::new(Mapping::compile);

struct Mapping {
    /// For each (objective, destination, goal), the place in `groups`; 0 is the empty group.
    index: Vec<u16>,
    groups: Vec<Vec<Alternative>>,
    /// For each (objective, destination), the goals it goes with, as bits, and those that are documented.
    pairs: Vec<(u64, u64)>,
    /// For each goal, everything it needs anywhere.
    by_goal: Vec<Vec<Alternative>>,
    destinations: usize,
    goals: usize,
}

/// The rows of today's table.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// The place of "destination_type left out": after all destination types.
fn no_destination() -> usize {
    vocabulary(Kind::DestinationType).len()
}

/// The place of a word a table names, which must exist.
pub(crate) fn place(kind: Kind, word: &str) -> usize {
    vocabulary(kind).position(word).unwrap_or_else(|| panic!("a table names {word}, which is no {kind:?}"))
}

fn alternatives<'r>(
    any_of: &'r [Vec<String>],
    mark: Mark,
    source: &'static str,
    note: Option<&'static str>,
) -> impl Iterator<Item = Alternative> + 'r {
    any_of.iter().map(move |set| Alternative {
        set: FieldSet::of(set.iter().map(String::as_str)),
        mark,
        source,
        note,
        catalog: false,
    })
}

impl Mapping {
    fn compile() -> Self {
        let objectives = vocabulary(Kind::Objective).len();
        let destinations = no_destination() + 1;
        let goals = vocabulary(Kind::OptimizationGoal).len();
        assert!(goals <= 64, "a set of goals has 64 places");
        let mut mapping = Self {
            index: vec![0; objectives * destinations * goals],
            groups: vec![Vec::new()],
            pairs: vec![(0, 0); objectives * destinations],
            by_goal: vec![Vec::new(); goals],
            destinations,
            goals,
        };
        for row in rows() {
            let sets: Vec<_> = alternatives(&row.any_of, row.mark, &row.source, row.note.as_deref())
                .map(|alternative| Alternative { catalog: row.catalog, ..alternative })
                .collect();
            let objective = place(Kind::Objective, &row.objective);
            for destination in &row.destinations {
                let destination = match destination.as_str() {
                    "none" => no_destination(),
                    word => place(Kind::DestinationType, word),
                };
                for goal in &row.goals {
                    mapping.insert(
                        objective,
                        destination,
                        place(Kind::OptimizationGoal, goal),
                        &sets,
                        row.mark,
                    );
                }
            }
            for goal in &row.goals {
                mapping.by_goal[place(Kind::OptimizationGoal, goal)].extend(&sets);
            }
        }
        // The old objectives had no destinations: their rows hold wherever the ad leads.
        for row in legacy::rows() {
            let sets: Vec<_> = alternatives(&row.any_of, row.mark, &row.source, None).collect();
            let objective = place(Kind::Objective, &row.objective);
            for goal in &row.goals {
                let goal = place(Kind::OptimizationGoal, goal);
                for destination in 0..destinations {
                    mapping.insert(objective, destination, goal, &sets, row.mark);
                }
                mapping.by_goal[goal].extend(&sets);
            }
        }
        mapping
    }

    fn insert(
        &mut self,
        objective: usize,
        destination: usize,
        goal: usize,
        sets: &[Alternative],
        mark: Mark,
    ) {
        let pair = objective * self.destinations + destination;
        self.pairs[pair].0 |= 1 << goal;
        self.pairs[pair].1 |= u64::from(mark == Mark::Documented) << goal;
        let slot = &mut self.index[pair * self.goals + goal];
        if *slot == 0 {
            self.groups.push(Vec::new());
            *slot = u16::try_from(self.groups.len() - 1).unwrap_or_else(|_| panic!("too many combinations"));
        }
        self.groups[usize::from(*slot)].extend(sets);
    }
}

/// How an objective, a destination (`None`: left out) and a goal stand to each other. All are places in their lists.
pub(crate) fn combination(objective: usize, destination: Option<usize>, goal: usize) -> Combination {
    let mapping = &*MAPPING;
    let destination = destination.unwrap_or_else(no_destination);
    let pair = objective * mapping.destinations + destination;
    let group = mapping.index[pair * mapping.goals + goal];
    if group != 0 {
        return Combination::Listed(&mapping.groups[usize::from(group)]);
    }
    let of_objective = &mapping.pairs[objective * mapping.destinations..][..mapping.destinations];
    let goals_of_objective = of_objective.iter().fold(0, |bits, (goals, _)| bits | goals);
    if goals_of_objective == 0 || mapping.by_goal[goal].is_empty() {
        return Combination::NoRule;
    }
    if goals_of_objective & (1 << goal) == 0 {
        return Combination::GoalNotForObjective;
    }
    let (goals_of_pair, documented) = mapping.pairs[pair];
    if goals_of_pair != 0 {
        // Left out, the destination is for Meta to find, so nothing is certain about it.
        let certain = destination != no_destination() && goals_of_pair == documented;
        return Combination::GoalNotForDestination { certain };
    }
    let known_elsewhere = rows().iter().any(|row| {
        row.destinations
            .iter()
            .any(|word| vocabulary(Kind::DestinationType).position(word) == Some(destination))
    });
    if known_elsewhere {
        Combination::DestinationNotForObjective
    } else {
        Combination::DestinationWithoutRule
    }
}

/// Everything a goal needs anywhere, when the objective is not known.
pub(crate) fn of_goal(goal: usize) -> &'static [Alternative] {
    &MAPPING.by_goal[goal]
}

/// Everything a goal needs under an objective, wherever the ads lead. All are places in their lists.
pub(crate) fn of_objective_and_goal(objective: usize, goal: usize) -> Vec<Alternative> {
    let mapping = &*MAPPING;
    (0..mapping.destinations)
        .map(|destination| {
            mapping.index[(objective * mapping.destinations + destination) * mapping.goals + goal]
        })
        .flat_map(|group| mapping.groups[usize::from(group)].iter().copied())
        .collect()
}

/// The goals that go with an objective, and with a destination if one is given (`none` for left out).
pub fn goals_for(objective: &str, destination: Option<&str>) -> Vec<&'static str> {
    let mut goals: Vec<&str> = rows()
        .iter()
        .filter(|row| row.objective == objective)
        .filter(|row| destination.is_none_or(|wanted| row.destinations.iter().any(|word| word == wanted)))
        .flat_map(|row| row.goals.iter().map(String::as_str))
        .chain(
            legacy::rows()
                .iter()
                .filter(|row| row.objective == objective)
                .flat_map(|row| row.goals.iter().map(String::as_str)),
        )
        .collect();
    goals.sort_unstable();
    goals.dedup();
    goals
}

/// The destinations that go with an objective and a goal; `none` stands for left out.
pub fn destinations_for(objective: &str, goal: Option<&str>) -> Vec<&'static str> {
    let mut destinations: Vec<&str> = rows()
        .iter()
        .filter(|row| row.objective == objective)
        .filter(|row| goal.is_none_or(|wanted| row.goals.iter().any(|word| word == wanted)))
        .flat_map(|row| row.destinations.iter().map(String::as_str))
        .collect();
    destinations.sort_unstable();
    destinations.dedup();
    destinations
}

/// The sets of promoted-object fields of which one is enough; empty if the combination is in no table.
///
/// `destination` is `None` when `destination_type` is left out. Old objectives answer for every destination.
pub fn promoted_object_sets(
    objective: &str,
    destination: Option<&str>,
    goal: &str,
) -> &'static [Alternative] {
    let destination = match destination {
        Some(word) => match vocabulary(Kind::DestinationType).position(word) {
            Some(at) => Some(at),
            None => return &[],
        },
        None => None,
    };
    let objective = vocabulary(Kind::Objective).position(objective);
    let goal = vocabulary(Kind::OptimizationGoal).position(goal);
    match objective.zip(goal).map(|(objective, goal)| combination(objective, destination, goal)) {
        Some(Combination::Listed(sets)) => sets,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_every_key() {
        for row in rows() {
            for destination in &row.destinations {
                let destination = (destination != "none").then_some(destination.as_str());
                for goal in &row.goals {
                    let found = promoted_object_sets(&row.objective, destination, goal);
                    for set in &row.any_of {
                        let set = FieldSet::of(set.iter().map(String::as_str));
                        assert!(found.iter().any(|alternative| alternative.set == set), "{row:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn combinations_that_are_not_there() {
        let at = |objective, destination: Option<&str>, goal| {
            combination(
                place(Kind::Objective, objective),
                destination.map(|word| place(Kind::DestinationType, word)),
                place(Kind::OptimizationGoal, goal),
            )
        };
        assert!(matches!(at("OUTCOME_SALES", None, "PAGE_LIKES"), Combination::GoalNotForObjective));
        assert!(matches!(
            at("OUTCOME_SALES", Some("ON_AD"), "LINK_CLICKS"),
            Combination::DestinationNotForObjective
        ));
        assert!(matches!(
            at("OUTCOME_ENGAGEMENT", Some("ON_PAGE"), "REACH"),
            Combination::GoalNotForDestination { certain: true }
        ));
        assert!(matches!(at("OUTCOME_SALES", None, "SUBSCRIBERS"), Combination::NoRule));
        assert!(matches!(
            at("OUTCOME_SALES", Some("IMAGINE"), "LINK_CLICKS"),
            Combination::DestinationWithoutRule
        ));
        assert!(goals_for("OUTCOME_LEADS", Some("ON_AD")).contains(&"QUALITY_LEAD"));
        assert_eq!(destinations_for("OUTCOME_ENGAGEMENT", Some("PAGE_LIKES")), ["ON_PAGE"]);
    }
}
