//! Attribution windows.

use super::super::attribution::{self, Row, Window};
use super::super::findings::{Findings, Rule, at};
use super::super::legacy;
use super::case::Case;
use crate::facts::Mark;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let spec = case.ad_set.attribution_spec.as_ref().filter(|spec| !spec.items.is_empty());
    let (Some(spec), Some(objective), Some(goal)) = (spec, case.objective, case.goal) else { return };
    let (Some(objective_at), Some(goal_at)) = (objective.at, goal.at) else { return };
    // One window of a kind is all that fits; a place more tells apart what does not.
    let mut windows = [(0, '?'); 4];
    for (place, item) in windows.iter_mut().zip(&spec.items) {
        let kind = match item.event_type.as_deref() {
            Some("CLICK_THROUGH") => 'c',
            Some("VIEW_THROUGH") => 'v',
            Some("ENGAGED_VIDEO_VIEW") => 'e',
            // Words nobody knows are noted elsewhere.
            _ => return,
        };
        let Some(days) = item.window_days else { return };
        *place = (days, kind);
    }
    let given: &[Window] = &windows[..spec.items.len().min(windows.len())];
    let row = attribution::of(objective_at, goal_at);
    let fits = match row {
        Some(row) => row.takes(given),
        None => given == [(1, 'c')],
    };
    if fits {
        return;
    }
    let documented =
        legacy::objective(objective.text).is_some() && row.is_none_or(|row| row.mark == Mark::Documented);
    let rule = if documented { Rule::AttributionWindowLegacy } else { Rule::AttributionWindow };
    let given: Vec<String> = given.iter().map(|(days, kind)| in_words(&format!("{days}{kind}"))).collect();
    out.add(
        rule,
        at!["ad_set", "attribution_spec"],
        format!("{} is not listed for {} with goal {}.", given.join(" and "), objective.text, goal.text),
        format!("Choose one of: {}.", choices(row)),
    );
}

fn choices(row: Option<&Row>) -> String {
    let Some(row) = row else { return in_words("1c") };
    let sets = row
        .any_of
        .iter()
        .map(|set| set.iter().map(|window| in_words(window)).collect::<Vec<_>>().join(" and "));
    sets.collect::<Vec<_>>().join("; ")
}

/// A window such as `7c`.
fn in_words(window: &str) -> String {
    let kind = match window.chars().last() {
        Some('c') => "click",
        Some('v') => "view",
        _ => "engaged view",
    };
    let days = window.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    format!("{days} day{} {kind}", if days == "1" { "" } else { "s" })
}
