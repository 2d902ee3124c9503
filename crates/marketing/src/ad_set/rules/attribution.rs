//! Attribution windows.

use super::super::attribution::{Row, windows};
use super::super::findings::{Findings, Rule, at};
use super::super::legacy;
use super::case::Case;
use crate::facts::Mark;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let spec = case.ad_set.attribution_spec.as_ref().filter(|spec| !spec.items.is_empty());
    let (Some(spec), Some(objective), Some(goal)) = (spec, case.objective, case.goal) else { return };
    if objective.at.is_none() || goal.at.is_none() {
        return;
    }
    let given: Option<Vec<(i64, char)>> = spec
        .items
        .iter()
        .map(|window| {
            let kind = match window.event_type.as_deref()? {
                "CLICK_THROUGH" => 'c',
                "VIEW_THROUGH" => 'v',
                "ENGAGED_VIDEO_VIEW" => 'e',
                _ => return None,
            };
            Some((window.window_days?, kind))
        })
        .collect();
    // Words nobody knows are noted elsewhere.
    let Some(given) = given else { return };
    let row = windows(objective.text, goal.text);
    let fits = match row {
        Some(row) => row.takes(&given),
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
