//! Objective, destination and goal together, and the promoted object they need.

use std::cmp::Reverse;
use std::sync::LazyLock;

use super::super::findings::{Findings, Rule, Severity, at};
use super::super::legacy;
use super::super::mapping::{self, Alternative, Combination, destinations_for, goals_for};
use super::super::promoted_object::{FieldSet, PromotedObject};
use super::case::{Case, Word, either};
use crate::facts::Mark;
use crate::versions;

/// Checks the combination, and answers with the promoted-object fields it reported as missing.
pub(super) fn check(case: &Case<'_>, out: &mut Findings) -> FieldSet {
    let ad_set = case.ad_set;
    let touched = ad_set.optimization_goal.is_some()
        || ad_set.destination_type.is_some()
        || ad_set.promoted_object.is_some();
    if case.is_update() && !touched {
        return FieldSet::default();
    }
    let goal_is_gone = removed(case, out);
    let Some(goal) = case.goal else { return without_goal(case, out) };
    let Some(goal_at) = goal.at else { return old_goal(case, goal, out) };
    let Some(objective) = case.objective else { return without_objective(case, goal, goal_at, out) };
    let Some(objective_at) = objective.at else { return FieldSet::default() };
    let destination = match case.destination {
        None => None,
        Some(Word { at: Some(at), .. }) => Some(at),
        // A destination nobody knows: noted as a word, and no rule can be found.
        Some(_) => return FieldSet::default(),
    };
    match mapping::combination(objective_at, destination, goal_at) {
        Combination::Listed(alternatives) => {
            page_in_practice(case, out);
            let what = combination_words(case, objective.text, goal.text);
            require(case, alternatives, &what, out)
        }
        // That it is gone says it all.
        Combination::GoalNotForObjective | Combination::GoalNotForDestination { .. } if goal_is_gone => {
            FieldSet::default()
        }
        Combination::NoRule => {
            out.add(
                Rule::CombinationUnknown,
                at!["ad_set", "optimization_goal"],
                format!("No public rule is known for the goal {} with {}.", goal.text, objective.text),
                "Try it with execution_options [\"validate_only\"] first.",
            );
            FieldSet::default()
        }
        Combination::GoalNotForObjective => {
            let message = format!("The goal {} cannot be used with {}.", goal.text, objective.text);
            let fix = format!("With {} choose {}.", objective.text, either(&goals_for(objective.text, None)));
            out.add(Rule::GoalNotForObjective, at!["ad_set", "optimization_goal"], message, fix);
            FieldSet::default()
        }
        Combination::DestinationNotForObjective => {
            destination_not_for_objective(case, objective, goal, out);
            FieldSet::default()
        }
        Combination::GoalNotForDestination { certain } => {
            let place = case.destination.map_or("no destination_type", |destination| destination.text);
            let key = case.destination.map_or("none", |destination| destination.text);
            let message =
                format!("The goal {} is not offered with {} and {place}.", goal.text, objective.text);
            let mut fix = format!("With {place} choose {}", either(&goals_for(objective.text, Some(key))));
            let places = destinations_for(objective.text, Some(goal.text));
            if !places.is_empty() {
                fix = format!("{fix}, or for {} the destination_type {}", goal.text, either(&places));
            }
            let finding = out.add(
                Rule::GoalNotForDestination,
                at!["ad_set", "optimization_goal"],
                message,
                format!("{fix}."),
            );
            if !certain {
                finding.at_most(Severity::Warn);
            }
            // Whatever the destination turns out to be, the goal needs its promoted object.
            let anywhere = mapping::of_objective_and_goal(objective_at, goal_at);
            let present = case.promoted_object().map(|object| object.present).unwrap_or_default();
            if anywhere.iter().any(|alternative| present.contains(alternative.set)) {
                return FieldSet::default();
            }
            require(case, &anywhere, &format!("{} with goal {}", objective.text, goal.text), out)
        }
        Combination::DestinationWithoutRule => {
            out.add(
                Rule::CombinationUnknown,
                at!["ad_set", "destination_type"],
                format!(
                    "No public rule is known for the destination {}.",
                    case.destination.map_or("", |destination| destination.text)
                ),
                "Try it with execution_options [\"validate_only\"] first.",
            );
            FieldSet::default()
        }
    }
}

fn combination_words(case: &Case<'_>, objective: &str, goal: &str) -> String {
    match case.destination {
        Some(destination) => format!("{objective} with {} and goal {goal}", destination.text),
        None => format!("{objective} with goal {goal}"),
    }
}

/// The ON_* destinations belong to one objective each, by Meta's word; for the others the tables disagree.
fn destination_not_for_objective(case: &Case<'_>, objective: Word<'_>, goal: Word<'_>, out: &mut Findings) {
    let destination = case.destination.map_or("", |destination| destination.text);
    let message = format!("The destination {destination} is not offered with {}.", objective.text);
    let places = destinations_for(objective.text, Some(goal.text));
    let fix = format!(
        "For {} with goal {} choose {} (none: leave destination_type out).",
        objective.text,
        goal.text,
        either(&places)
    );
    let finding = out.add(Rule::DestinationNotForObjective, at!["ad_set", "destination_type"], message, fix);
    if !destination.starts_with("ON_") {
        finding.at_most(Severity::Warn);
    }
}

/// Goals and destinations that Meta took away. Tells whether the goal is one of them.
fn removed(case: &Case<'_>, out: &mut Findings) -> bool {
    let gone = |feature| versions::removal(feature).filter(|removal| removal.applies(case.version, case.now));
    let on_post = case.destination_is(&["ON_POST"]) || case.objective_is(&["POST_ENGAGEMENT"]);
    let goal = gone("on_post_impressions").filter(|_| on_post && case.goal_is(&["IMPRESSIONS"]));
    if let Some(removal) = goal {
        out.add(
            Rule::GoalRemoved,
            at!["ad_set", "optimization_goal"],
            removal.what.as_str(),
            removal.instead.as_str(),
        );
    }
    if !case.is_update()
        && case.objective_is(&["OUTCOME_LEADS"])
        && case.destination_is(&["MESSENGER", "LEAD_FROM_MESSENGER", "LEAD_FROM_IG_DIRECT"])
        && let Some(removal) = gone("messenger_lead_ads")
    {
        // The mapping still lists them, so Meta's pages disagree.
        out.add(
            Rule::MessengerLeadAds,
            at!["ad_set", "destination_type"],
            removal.what.as_str(),
            removal.instead.as_str(),
        )
        .at_most(Severity::Warn);
    }
    goal.is_some()
}

/// The documents ask for nothing here, but ads under such an ad set are refused, when it is too late to mend.
fn page_in_practice(case: &Case<'_>, out: &mut Findings) {
    let has_page = case.promoted_object().is_some_and(|object| object.has("page_id"));
    if case.objective_is(&["OUTCOME_ENGAGEMENT"]) && case.destination_is(&["ON_POST"]) && !has_page {
        out.add(
            Rule::PromotedObjectPage,
            at!["ad_set", "promoted_object", "page_id"],
            "Without the Page, Meta takes the ad set but refuses its ads, and a promoted object cannot be added later.",
            "Add promoted_object {\"page_id\": ...}.",
        );
    }
}

/// No goal: only the name of an old objective tells what is needed.
fn without_goal(case: &Case<'_>, out: &mut Findings) -> FieldSet {
    match case.objective.and_then(|objective| legacy::objective(objective.text)) {
        Some(old) => require_old(case, old, out),
        None => FieldSet::default(),
    }
}

/// A goal that is none: perhaps the name of an old objective.
fn old_goal(case: &Case<'_>, goal: Word<'_>, out: &mut Findings) -> FieldSet {
    let Some(old) = legacy::objective(goal.text) else { return FieldSet::default() };
    out.add(
        Rule::ObjectiveAsGoal,
        at!["ad_set", "optimization_goal"],
        format!("{} is an objective of the old kind, not an optimization goal.", goal.text),
        old.today.as_str(),
    );
    require_old(case, old, out)
}

fn require_old(case: &Case<'_>, old: &'static legacy::Name, out: &mut Findings) -> FieldSet {
    let alternatives: Vec<Alternative> = old
        .any_of
        .iter()
        .map(|set| Alternative {
            set: FieldSet::of(set.iter().map(String::as_str)),
            mark: old.mark,
            source: &old.source,
            note: None,
            catalog: false,
        })
        .collect();
    require(case, &alternatives, &old.name, out)
}

/// Without the objective, only what no objective would take is certain.
fn without_objective(case: &Case<'_>, goal: Word<'_>, goal_at: usize, out: &mut Findings) -> FieldSet {
    let alternatives = mapping::of_goal(goal_at);
    let present = case.promoted_object().map(|object| object.present).unwrap_or_default();
    if alternatives.iter().any(|alternative| present.contains(alternative.set)) {
        return FieldSet::default();
    }
    require(case, alternatives, &format!("The goal {}, with any objective,", goal.text), out)
}

/// Fields that say what is counted, and not what is promoted: they tell little about which set was meant.
static COUNTED: LazyLock<FieldSet> =
    LazyLock::new(|| FieldSet::of(["custom_event_type", "custom_event_str", "pixel_rule"]));

/// Finds out whether one of the sets is complete, and else names what is missing for the nearest.
fn require(case: &Case<'_>, alternatives: &[Alternative], what: &str, out: &mut Findings) -> FieldSet {
    let present = case.promoted_object().map(|object| object.present).unwrap_or_default();
    let complete = alternatives.iter().filter(|alternative| present.contains(alternative.set));
    if let Some(best) = complete.max_by_key(|alternative| alternative.mark) {
        if matches!(best.mark, Mark::Conflict | Mark::Seen) {
            let note = best.note.unwrap_or("Meta's pages do not agree on it.");
            out.add(
                Rule::CombinationContested,
                at!["ad_set", "optimization_goal"],
                format!("{what} is not certain to be taken: {note}"),
                "Try it with execution_options [\"validate_only\"] first.",
            )
            .with_row(best.mark, best.source);
        }
        // Nothing is needed, but what was begun is to be finished.
        if best.set.is_empty() && !present.is_empty() {
            return half(alternatives, present, what, out);
        }
        return FieldSet::default();
    }
    let Some(nearest) = nearest(case, alternatives, present) else { return FieldSet::default() };
    let missing = nearest.set.minus(present);
    // One documented row is enough to be certain that some complete set is needed.
    let in_question = in_question(case, alternatives, present);
    let mark = in_question.map(|alternative| alternative.mark).max().unwrap_or(nearest.mark);
    let choices = choices(alternatives);
    if case.promoted_object().is_none_or(PromotedObject::is_empty) {
        let fields: Vec<&str> = missing.names().collect();
        out.add(
            Rule::PromotedObjectMissing,
            at!["ad_set", "promoted_object"],
            format!("{what} needs {choices} as the promoted object, and there is none."),
            format!("Add promoted_object with {}.", fields.join(" and ")),
        )
        .with_row(mark, nearest.source);
        return missing;
    }
    let rule = if present.is_empty() { Rule::PromotedObjectMissing } else { Rule::PromotedObjectIncomplete };
    // An event alone does not tell what it is counted at.
    let others = if present.minus(*COUNTED).is_empty() && !present.is_empty() {
        ways_to_finish(alternatives, present)
    } else {
        Vec::new()
    };
    for field in missing.names() {
        let fix = if others.len() > 1 {
            format!("Add {} to promoted_object.", either(&others))
        } else {
            format!("Add {field} to promoted_object.")
        };
        out.add(
            rule,
            at!["ad_set", "promoted_object", field],
            format!("{what} needs {choices} as the promoted object; {field} is missing."),
            fix,
        )
        .with_row(mark, nearest.source);
    }
    missing
}

/// The sets that say something of this ad set: those of catalogs only if it sells one.
fn in_question<'a>(
    case: &Case<'_>,
    alternatives: &'a [Alternative],
    present: FieldSet,
) -> impl Iterator<Item = &'a Alternative> + Clone {
    let of_campaign = case.campaign.and_then(|campaign| campaign.promoted_object.as_ref());
    let sells_catalog = of_campaign.is_some_and(|object| object.has("product_catalog_id"))
        || present.names().any(|name| name.starts_with("product_"));
    let all_are_of_catalogs = alternatives.iter().all(|alternative| alternative.catalog);
    alternatives
        .iter()
        .filter(move |alternative| sells_catalog || all_are_of_catalogs || !alternative.catalog)
}

/// The set that was probably meant: the one of which most is there. Where nothing was begun, the first of the surest
/// sets is as good as any.
fn nearest<'a>(
    case: &Case<'_>,
    alternatives: &'a [Alternative],
    present: FieldSet,
) -> Option<&'a Alternative> {
    in_question(case, alternatives, present).min_by_key(|alternative| {
        let begun = alternative.set.and(present);
        let missing = alternative.set.minus(present);
        (
            Reverse(begun.minus(*COUNTED).len()),
            Reverse(begun.len()),
            if begun.is_empty() { 0 } else { missing.len() },
            Reverse(alternative.mark),
        )
    })
}

/// Names what is missing of a set that was begun, where no set was needed.
fn half(alternatives: &[Alternative], present: FieldSet, what: &str, out: &mut Findings) -> FieldSet {
    let begun = |alternative: &&Alternative| !alternative.set.and(present).minus(*COUNTED).is_empty();
    let meant = alternatives
        .iter()
        .filter(begun)
        .min_by_key(|alternative| (alternative.set.minus(present).len(), Reverse(alternative.mark)));
    let Some(meant) = meant else { return FieldSet::default() };
    let missing = meant.set.minus(present);
    let whole: Vec<&str> = meant.fields().collect();
    for field in missing.names() {
        out.add(
            Rule::PromotedObjectIncomplete,
            at!["ad_set", "promoted_object", field],
            format!("{what} takes no promoted object, or {}; {field} is missing.", whole.join(" + ")),
            format!("Add {field} to promoted_object, or leave promoted_object out."),
        )
        .with_row(meant.mark, meant.source);
    }
    missing
}

/// What would make each of the begun sets whole, each once.
fn ways_to_finish(alternatives: &[Alternative], present: FieldSet) -> Vec<String> {
    let mut ways = Vec::new();
    for alternative in alternatives.iter().filter(|alternative| !alternative.set.and(present).is_empty()) {
        let fields: Vec<&str> = alternative.set.minus(present).names().collect();
        let way = fields.join(" + ");
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

/// The sets in words, each once: `page_id`, or `pixel_id + custom_event_type or ...`.
fn choices(alternatives: &[Alternative]) -> String {
    let mut words: Vec<String> = Vec::new();
    for alternative in alternatives {
        let fields: Vec<&str> = alternative.fields().collect();
        let word = fields.join(" + ");
        if !words.contains(&word) {
            words.push(word);
        }
    }
    either(&words)
}
