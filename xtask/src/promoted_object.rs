//! The page about the promoted object, out of the marketing tables.

use std::fmt::Write;

use adjoin_marketing::Mark;
use adjoin_marketing::ad_set::{
    billing_events, event_refusals, event_rows, legacy, mapping_rows, promoted_object,
};

const HEAD: &str = "\
# The promoted object of an ad set

Which promoted object an ad set needs follows from the campaign's objective, the ad set's destination type and its
optimization goal. This page is made from the tables of `crates/marketing/data` by `cargo xtask generate`; the check
`adjoin validate ad-set` reads the same tables.

How sure a row is: **documented** by Meta without contradiction (a breach is rejected); **inferred** from documented
facts; **seen** in practice only; **conflict**, where Meta's pages contradict each other (these three warn).

In the column *promoted object*, one of the sets is enough.
";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    today(&mut page);
    events(&mut page);
    old_names(&mut page);
    old_goals(&mut page);
    fields(&mut page);
    page
}

fn today(page: &mut String) {
    line(page, "\n## Today's objectives");
    let mut objective = "";
    for row in mapping_rows() {
        if row.objective != objective {
            objective = &row.objective;
            line(page, &format!("\n### {objective}\n"));
            line(
                page,
                "| destination type | optimization goal | billing event | promoted object | sure | source |",
            );
            line(page, "| --- | --- | --- | --- | --- | --- |");
        }
        let note = row.note.as_ref().map(|note| format!("<br>{note}")).unwrap_or_default();
        let destinations: Vec<&str> =
            row.destinations.iter().map(|word| if word == "none" { "(left out)" } else { word }).collect();
        line(
            page,
            &format!(
                "| {} | {} | {} | {}{note} | {} | {} |",
                destinations.join("<br>"),
                row.goals.join("<br>"),
                billing(&row.goals),
                sets(&row.any_of),
                mark(row.mark),
                row.source
            ),
        );
    }
}

fn events(page: &mut String) {
    line(page, "\n## Conversion events\n");
    line(
        page,
        "An objective that is not here takes every event. Events that were only measured are taken with a warning.\n",
    );
    line(page, "| objective | where the conversion happens | custom_event_type | measured | source |");
    line(page, "| --- | --- | --- | --- | --- |");
    for row in event_rows() {
        let measured = row.measured.join(", ");
        line(
            page,
            &format!(
                "| {} | {} | {} | {measured} | {} |",
                row.objective,
                row.locations.join("<br>"),
                row.events.join(", "),
                row.source
            ),
        );
    }
    line(page, "\nWhere that says nothing, these were seen to be refused, and are a warning.\n");
    line(page, "| objective | optimization goal | custom_event_type | source |");
    line(page, "| --- | --- | --- | --- |");
    for refusal in event_refusals() {
        let goals = if refusal.goals.is_empty() { "any".to_owned() } else { refusal.goals.join("<br>") };
        let events = refusal.events.join(", ");
        line(page, &format!("| {} | {goals} | {events} | {} |", refusal.objective, refusal.source));
    }
}

fn old_names(page: &mut String) {
    line(page, "\n## Old names, and what to use today\n");
    line(page, "| name | was | promoted object | today | sure | source |");
    line(page, "| --- | --- | --- | --- | --- | --- |");
    for row in legacy::names() {
        let was = match row.is {
            legacy::Is::Objective => "objective",
            legacy::Is::Goal => "goal",
            legacy::Is::Both => "objective and goal",
        };
        let cells = [&row.name, was, &sets(&row.any_of), &row.today, mark(row.mark), &row.source];
        line(page, &format!("| {} |", cells.join(" | ")));
    }
}

fn old_goals(page: &mut String) {
    line(page, "\n## Old objectives by goal\n");
    line(
        page,
        "They read back on old ad sets. New campaigns cannot have them since v17.0. The default goal is marked *.\n",
    );
    line(
        page,
        "| objective | kind of ad | optimization goal | billing event | promoted object | sure | source |",
    );
    line(page, "| --- | --- | --- | --- | --- | --- | --- |");
    for row in legacy::rows() {
        let goals: Vec<String> = row
            .goals
            .iter()
            .map(|goal| if row.default.as_ref() == Some(goal) { format!("{goal}*") } else { goal.clone() })
            .collect();
        line(
            page,
            &format!(
                "| {} | {} | {} | {} | {} | {} | {} |",
                row.objective,
                row.variant.as_deref().unwrap_or("any"),
                goals.join("<br>"),
                billing(&row.goals),
                sets(&row.any_of),
                mark(row.mark),
                row.source
            ),
        );
    }
}

fn fields(page: &mut String) {
    line(page, "\n## All fields\n");
    line(page, "| field | what it is | in the list for creation | source |");
    line(page, "| --- | --- | --- | --- |");
    for field in promoted_object::fields() {
        let create = if field.create { "yes" } else { "no" };
        line(page, &format!("| `{}` | {} | {create} | {} |", field.name, field.what, field.source));
    }
}

/// For each goal, what can be paid for.
fn billing(goals: &[String]) -> String {
    let events: Vec<String> = goals
        .iter()
        .map(|goal| {
            billing_events(goal).map_or("IMPRESSIONS".to_owned(), |row| row.billing_events.join(" or "))
        })
        .collect();
    events.join("<br>")
}

fn sets(any_of: &[Vec<String>]) -> String {
    let sets: Vec<String> = any_of
        .iter()
        .map(|set| {
            let fields: Vec<String> = set.iter().map(|field| format!("`{field}`")).collect();
            if fields.is_empty() { "nothing".to_owned() } else { fields.join(" + ") }
        })
        .collect();
    sets.join("<br>or ")
}

fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Documented => "documented",
        Mark::Inferred => "inferred",
        Mark::Seen => "seen",
        Mark::Conflict => "conflict",
    }
}

fn line(page: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_has_rows_of_one_width() {
        let page = super::page();
        let mut columns = None;
        for line in page.lines() {
            let found = line.starts_with('|').then(|| line.matches('|').count());
            if let (Some(columns), Some(found)) = (columns, found) {
                assert_eq!(columns, found, "{line}");
            }
            columns = found;
        }
        assert!(page.contains("`pixel_id` + `pixel_rule` + `custom_event_type`"));
    }
}
