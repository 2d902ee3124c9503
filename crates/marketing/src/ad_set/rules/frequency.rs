//! How often one person may see the ads.

use super::super::findings::{Findings, Rule, at};
use super::case::Case;

/// Days and times a frequency can have.
const RANGE: std::ops::RangeInclusive<i64> = 1..=90;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let specs = case.ad_set.frequency_control_specs.as_ref().filter(|specs| !specs.items.is_empty());
    let Some(specs) = specs else { return };
    if let Some(goal) =
        case.goal.filter(|goal| goal.at.is_some() && !matches!(goal.text, "REACH" | "THRUPLAY"))
    {
        let message =
            format!("Frequency can be controlled with the goals REACH and THRUPLAY, not {}.", goal.text);
        let fix = "Leave frequency_control_specs out, or change the goal.";
        out.add(Rule::FrequencyGoal, at!["ad_set", "frequency_control_specs"], message, fix);
    }
    for (index, spec) in specs.items.iter().enumerate() {
        for (field, given) in [("interval_days", spec.interval_days), ("max_frequency", spec.max_frequency)] {
            if given.is_none_or(|number| !RANGE.contains(&number)) {
                out.add(
                    Rule::FrequencyRange,
                    at!["ad_set", "frequency_control_specs", index, field],
                    format!("{field} is from 1 to 90."),
                    format!("Set {field} from 1 to 90."),
                );
            }
        }
    }
}
