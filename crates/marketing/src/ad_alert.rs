//! Is this alert right? Checks what `POST /act_{id}/subscriptions` takes, before Meta does.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ad_set::{Findings, Report, Rule, Severity, at};
use crate::facts::table;
use crate::given::{list, text};
use crate::nearest::nearest;

/// Most filters of one alert.
const FILTERS_MAX: usize = 20;
/// The kinds of objects an alert can be about.
const LEVELS: [&str; 3] = ["CAMPAIGN", "ADSET", "AD"];

#[derive(Deserialize)]
struct Attribute {
    field: String,
    levels: Vec<String>,
    operators: Vec<String>,
}

#[derive(Deserialize)]
struct Metrics {
    operators: Vec<String>,
    fields: Vec<String>,
}

#[derive(Deserialize)]
struct Milestone {
    fields: Vec<String>,
    least: i64,
}

#[derive(Deserialize)]
struct Table {
    attribute: Vec<Attribute>,
    metrics: Metrics,
    milestone: Vec<Milestone>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| table("ad_alerts.toml", include_str!("../data/ad_alerts.toml")));

/// What an alert looks at.
struct Condition<'a> {
    field: Option<&'a str>,
    operator: Option<&'a str>,
    value: Option<&'a str>,
}

/// Checks the arguments of `ad_alert.create`. The paths of what is found begin with `alert`.
pub fn check(alert: &Map<String, Value>) -> Report {
    let mut found = Findings::default();
    let level = filters(alert, &mut found);
    let given = |name: &str| alert.get(name).and_then(text).filter(|text| !text.is_empty());
    let condition = Condition { field: given("field"), operator: given("operator"), value: given("value") };
    match given("event_type") {
        Some("OBJECT_CREATED") => created(&condition, &mut found),
        Some("OBJECT_UPDATED") => updated(&condition, level.as_deref(), &mut found),
        Some("INSIGHTS_UPDATED") => crossed(&condition, &mut found),
        Some("INSIGHTS_MILESTONE_REACHED") => reached(&condition, &mut found),
        // That there is one, and of which word, is looked at elsewhere.
        _ => {}
    }
    found.into_report()
}

/// Checks the filters; answers with the kind of objects they name.
fn filters(alert: &Map<String, Value>, found: &mut Findings) -> Option<String> {
    let filters = alert.get("filters").and_then(list)?;
    if filters.len() > FILTERS_MAX {
        found.add(
            Rule::AlertFilters,
            at!["alert", "filters"],
            format!("an alert has at most {FILTERS_MAX} filters, and these are {}", filters.len()),
            "make several alerts, or filter by fewer things",
        );
    }
    let mut level = None;
    for (number, filter) in filters.iter().enumerate() {
        let part = |name: &str| filter.get(name).filter(|part| !part.is_null());
        if let Some(name) = ["field", "value", "operator"].into_iter().find(|&name| part(name).is_none()) {
            found.add(
                Rule::AlertFilters,
                at!["alert", "filters", number],
                format!("the filter has no {name}"),
                "{\"field\": \"entity_type\", \"value\": \"AD\", \"operator\": \"EQUAL\"}",
            );
        }
        if part("field").and_then(text) == Some("entity_type") {
            match part("value").and_then(text) {
                Some(word) if LEVELS.contains(&word) => level = Some(word.to_owned()),
                Some(word) => {
                    found.add(
                        Rule::AlertFilters,
                        at!["alert", "filters", number, "value"],
                        format!("{word} is not a kind of object that alerts can be about"),
                        "CAMPAIGN, ADSET or AD",
                    );
                }
                None => {}
            }
        }
    }
    level
}

fn created(condition: &Condition<'_>, found: &mut Findings) {
    for (name, given) in
        [("field", condition.field), ("operator", condition.operator), ("value", condition.value)]
    {
        if given.is_some() {
            found.add(
                Rule::AlertCondition,
                at!["alert", name],
                format!("something new has no {name} to look at"),
                "leave it out, and narrow it down with filters",
            );
        }
    }
}

fn updated(condition: &Condition<'_>, level: Option<&str>, found: &mut Findings) {
    both_or_neither(condition, found);
    let Some(field) =
        wanted("field", condition.field, "the attribute to look at, such as daily_budget", found)
    else {
        return;
    };
    let Some(row) = TABLE.attribute.iter().find(|row| row.field == field) else {
        unknown(field, TABLE.attribute.iter().map(|row| row.field.as_str()), found);
        return;
    };
    if let Some(level) = level
        && !row.levels.iter().any(|it| it == level)
    {
        found.add(
            Rule::AlertField,
            at!["alert", "field"],
            format!("{field} is not an attribute of {level}"),
            format!("filter entity_type by {}", row.levels.join(" or ")),
        );
    }
    operator(condition, &row.operators, found);
}

fn crossed(condition: &Condition<'_>, found: &mut Findings) {
    let field = wanted("field", condition.field, "the metric to look at, such as cpc", found);
    wanted("operator", condition.operator, &TABLE.metrics.operators.join(", "), found);
    wanted("value", condition.value, "the threshold; money is in minor units", found);
    operator(condition, &TABLE.metrics.operators, found);
    let Some(field) = field else { return };
    // The kinds of a conversion stand behind a dot.
    let base = field.split_once('.').map_or(field, |(base, _)| base);
    if !TABLE.metrics.fields.iter().any(|known| known == base) {
        unknown(field, TABLE.metrics.fields.iter().map(String::as_str), found);
    }
}

fn reached(condition: &Condition<'_>, found: &mut Findings) {
    let field = wanted("field", condition.field, "the count to look at, such as impressions", found);
    wanted("operator", condition.operator, "EQUAL", found);
    operator(condition, &["EQUAL".to_owned()], found);
    let value = wanted("value", condition.value, "each multiple of it is told", found);
    let Some(field) = field else { return };
    let row = TABLE.milestone.iter().find(|row| {
        row.fields.iter().any(|known| {
            field == known
                || (row.least == 1
                    && field.strip_prefix(known.as_str()).is_some_and(|it| it.starts_with('_')))
        })
    });
    let Some(row) = row else {
        unknown(field, TABLE.milestone.iter().flat_map(|row| row.fields.iter().map(String::as_str)), found);
        return;
    };
    if let Some(value) = value
        && value.parse::<i64>().is_ok_and(|value| value < row.least)
    {
        found.add(
            Rule::AlertMilestone,
            at!["alert", "value"],
            format!("the milestones of {field} are at least {} apart, and this is {value}", row.least),
            format!("{} or more", row.least),
        );
    }
}

/// Complains of what is missing.
fn wanted<'a>(
    name: &'static str,
    given: Option<&'a str>,
    fix: &str,
    found: &mut Findings,
) -> Option<&'a str> {
    if given.is_none() {
        found.add(
            Rule::AlertCondition,
            at!["alert", name],
            format!("{name} is needed for this event_type"),
            fix,
        );
    }
    given
}

fn both_or_neither(condition: &Condition<'_>, found: &mut Findings) {
    let missing = match (condition.operator, condition.value) {
        (Some(_), None) => "value",
        (None, Some(_)) => "operator",
        _ => return,
    };
    found.add(
        Rule::AlertCondition,
        at!["alert", missing],
        "operator and value go together",
        "give both, or neither to be told of every change",
    );
}

fn operator(condition: &Condition<'_>, allowed: &[String], found: &mut Findings) {
    let Some(operator) = condition.operator else { return };
    if !allowed.iter().any(|known| known == operator) {
        found.add(
            Rule::AlertOperator,
            at!["alert", "operator"],
            format!("{} cannot be compared by {operator}", condition.field.unwrap_or("this")),
            format!("one of {}", allowed.join(", ")),
        );
    }
}

/// Meta adds fields without notice.
fn unknown<'a>(field: &str, known: impl Iterator<Item = &'a str>, found: &mut Findings) {
    let fix = nearest(field, known)
        .map_or_else(|| "nothing, if Meta knows it".to_owned(), |near| format!("did you mean {near}?"));
    let message = format!("{field} is not among the fields that Meta documents for this event_type");
    found.add(Rule::AlertField, at!["alert", "field"], message, fix).severity = Severity::Warn;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(alert: &Value) -> Vec<(Severity, Rule, String)> {
        let report = check(alert.as_object().unwrap());
        report.findings.iter().map(|it| (it.severity, it.rule, it.dotted_path())).collect()
    }

    fn of(level: &str) -> Value {
        json!([{"field": "entity_type", "value": level, "operator": "EQUAL"}])
    }

    #[test]
    fn metas_own_examples_are_accepted() {
        for alert in [
            json!({"event_type": "OBJECT_CREATED", "filters": [
                {"field": "entity_type", "value": "CAMPAIGN", "operator": "EQUAL"},
                {"field": "objective", "value": "OUTCOME_SALES", "operator": "EQUAL"}]}),
            json!({"event_type": "OBJECT_UPDATED", "field": "daily_budget", "value": "1000",
                   "operator": "GREATER_THAN", "filters": of("ADSET")}),
            json!({"event_type": "INSIGHTS_MILESTONE_REACHED", "field": "spent", "value": "10000",
                   "operator": "EQUAL", "filters": of("AD")}),
            json!({"event_type": "INSIGHTS_UPDATED", "field": "cpc", "value": "200", "operator": "GREATER_THAN",
                   "filters": of("AD").to_string()}),
            json!({"event_type": "OBJECT_UPDATED", "field": "name", "filters": of("AD")}),
            json!({"event_type": "INSIGHTS_UPDATED", "field": "offsite_conversion.fb_pixel_lead", "value": "1",
                   "operator": "GREATER_THAN", "filters": of("AD")}),
            json!({"event_type": "INSIGHTS_MILESTONE_REACHED", "field": "offsite_conversion_fb_pixel_lead",
                   "value": "1", "operator": "EQUAL", "filters": of("AD")}),
        ] {
            assert_eq!(told(&alert), [], "{alert}");
        }
    }

    #[test]
    fn each_breach_is_found_where_it_is() {
        use Severity::{Reject, Warn};
        let breaches = [
            (
                json!({"event_type": "OBJECT_CREATED", "filters": vec![of("AD")[0].clone(); 21]}),
                (Reject, Rule::AlertFilters, "alert.filters"),
            ),
            (
                json!({"event_type": "OBJECT_CREATED", "filters": of("PAGE")}),
                (Reject, Rule::AlertFilters, "alert.filters.0.value"),
            ),
            (
                json!({"event_type": "OBJECT_CREATED", "filters": [{"field": "objective", "value": "x"}]}),
                (Reject, Rule::AlertFilters, "alert.filters.0"),
            ),
            (
                json!({"event_type": "OBJECT_CREATED", "filters": of("AD"), "field": "name"}),
                (Reject, Rule::AlertCondition, "alert.field"),
            ),
            (
                json!({"event_type": "OBJECT_UPDATED", "filters": of("AD")}),
                (Reject, Rule::AlertCondition, "alert.field"),
            ),
            (
                json!({"event_type": "OBJECT_UPDATED", "filters": of("AD"), "field": "name", "operator": "EQUAL"}),
                (Reject, Rule::AlertCondition, "alert.value"),
            ),
            (
                json!({"event_type": "OBJECT_UPDATED", "filters": of("AD"), "field": "objective"}),
                (Reject, Rule::AlertField, "alert.field"),
            ),
            (
                json!({"event_type": "OBJECT_UPDATED", "filters": of("AD"), "field": "name", "operator": "IN", "value": "x"}),
                (Reject, Rule::AlertOperator, "alert.operator"),
            ),
            (
                json!({"event_type": "INSIGHTS_UPDATED", "filters": of("AD"), "field": "cpc", "operator": "EQUAL", "value": "2"}),
                (Reject, Rule::AlertOperator, "alert.operator"),
            ),
            (
                json!({"event_type": "INSIGHTS_UPDATED", "filters": of("AD"), "field": "cpx", "operator": "LESS_THAN", "value": "2"}),
                (Warn, Rule::AlertField, "alert.field"),
            ),
            (
                json!({"event_type": "INSIGHTS_UPDATED", "filters": of("AD"), "field": "cpc", "operator": "LESS_THAN"}),
                (Reject, Rule::AlertCondition, "alert.value"),
            ),
            (
                json!({"event_type": "INSIGHTS_MILESTONE_REACHED", "filters": of("AD"), "field": "spent", "operator": "EQUAL", "value": "999"}),
                (Reject, Rule::AlertMilestone, "alert.value"),
            ),
        ];
        for (alert, (severity, rule, path)) in breaches {
            assert_eq!(told(&alert), [(severity, rule, path.to_owned())], "{alert}");
        }
    }
}
