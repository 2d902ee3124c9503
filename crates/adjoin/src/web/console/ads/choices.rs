//! What may be chosen, given what has been chosen: asked of the rules' own tables.

use adjoin_marketing::{
    Mark,
    ad_set::{self, promoted_object},
    vocabulary::{Kind, vocabulary},
};

use super::draft::{Draft, promoted_name};
use crate::web::console::parts::Choice;

/// One set of fields that is enough for the promoted object.
#[derive(Debug)]
pub struct Way {
    /// `pixel_id and custom_event_type`; nothing needed is an empty text.
    pub fields: String,
    /// Meta documents it.
    pub documented: bool,
    pub note: Option<&'static str>,
}

/// The promoted object that objective, destination and goal ask for.
#[derive(Debug)]
pub struct Promoted {
    pub ways: Vec<Way>,
    /// The fields to show: of every way, and whatever is filled in already.
    pub fields: Vec<&'static promoted_object::Field>,
}

/// Words of Meta's to choose from, after the choice of none of them.
pub fn with_none<'w>(none: &str, words: impl IntoIterator<Item = &'w str>) -> Vec<Choice> {
    std::iter::once(Choice::new("", none)).chain(words.into_iter().map(Choice::word)).collect()
}

pub fn objectives() -> Vec<Choice> {
    let all = vocabulary(Kind::Objective).values.iter().map(String::as_str);
    with_none("Choose", all.filter(|word| word.starts_with("OUTCOME_")))
}

pub fn special_ad_categories() -> Vec<Choice> {
    let all = vocabulary(Kind::SpecialAdCategory).values.iter().map(String::as_str);
    with_none("None of them", all.filter(|word| *word != "NONE"))
}

/// Whether Meta may go beyond the targeting.
pub fn audiences() -> Vec<Choice> {
    vec![
        Choice::new("0", "Keep to what stands here"),
        Choice::new("1", "Meta may widen it (Advantage+ audience)"),
        Choice::new("", "Leave out"),
    ]
}

/// Destinations that go with the objective; `none` stands for left out.
pub fn destinations(draft: &Draft) -> Vec<&'static str> {
    let found = ad_set::destinations_for(draft.get("campaign.objective"), None);
    if found.is_empty() {
        let all = vocabulary(Kind::DestinationType).values.iter().map(String::as_str);
        std::iter::once("none").chain(all).collect()
    } else {
        found
    }
}

/// Goals that go with objective and destination; where no rule is known, all.
pub fn goals(draft: &Draft) -> Vec<&'static str> {
    let objective = draft.get("campaign.objective");
    let destination = match draft.get("ad_set.destination_type") {
        "" => "none",
        word => word,
    };
    let found = ad_set::goals_for(objective, Some(destination));
    let found = if found.is_empty() { ad_set::goals_for(objective, None) } else { found };
    if found.is_empty() {
        vocabulary(Kind::OptimizationGoal).values.iter().map(String::as_str).collect()
    } else {
        found
    }
}

pub fn billing_events(draft: &Draft) -> Vec<&'static str> {
    match ad_set::billing_events(draft.get("ad_set.optimization_goal")) {
        Some(row) => row.billing_events.iter().map(String::as_str).collect(),
        None => vocabulary(Kind::BillingEvent).values.iter().map(String::as_str).collect(),
    }
}

pub fn bid_strategies() -> Vec<Choice> {
    with_none("Meta's default", vocabulary(Kind::BidStrategy).values.iter().map(String::as_str))
}

pub fn promoted(draft: &Draft) -> Promoted {
    let destination = Some(draft.get("ad_set.destination_type")).filter(|word| !word.is_empty());
    let sets = ad_set::promoted_object_sets(
        draft.get("campaign.objective"),
        destination,
        draft.get("ad_set.optimization_goal"),
    );
    let mut ways: Vec<Way> = Vec::new();
    for set in sets {
        let fields = set.fields().collect::<Vec<_>>().join(" and ");
        match ways.iter_mut().find(|way| way.fields == fields) {
            Some(way) => way.documented |= set.mark == Mark::Documented,
            None => ways.push(Way { fields, documented: set.mark == Mark::Documented, note: set.note }),
        }
    }
    let fields = promoted_object::fields()
        .iter()
        .filter(|field| {
            sets.iter().any(|set| set.fields().any(|name| name == field.name))
                || !draft.get(&promoted_name(&field.name)).is_empty()
        })
        .collect();
    Promoted { ways, fields }
}

/// Countries in the form for which Meta wants to know who benefits and who pays.
pub fn needs_dsa(draft: &Draft) -> bool {
    draft
        .get("ad_set.targeting.geo_locations.countries")
        .split(|c: char| c == ',' || c.is_whitespace())
        .any(|country| ad_set::needs_dsa(&country.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(objective: &str, destination: &str, goal: &str) -> Draft {
        let mut draft = Draft::default();
        draft.set("campaign.objective", objective);
        draft.set("ad_set.destination_type", destination);
        draft.set("ad_set.optimization_goal", goal);
        draft
    }

    #[test]
    fn only_the_promoted_object_fields_the_table_asks_for_are_offered() {
        let promoted = promoted(&draft("OUTCOME_ENGAGEMENT", "ON_PAGE", "PAGE_LIKES"));
        assert_eq!(promoted.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["page_id"]);
        assert!(promoted.ways.iter().any(|way| way.fields == "page_id"));
    }

    #[test]
    fn what_is_filled_in_stays_visible() {
        let mut draft = draft("OUTCOME_ENGAGEMENT", "ON_PAGE", "PAGE_LIKES");
        draft.set("ad_set.promoted_object.event_id", "5");
        let fields: Vec<_> = promoted(&draft).fields.iter().map(|field| field.name.as_str()).collect();
        assert!(fields.contains(&"event_id"), "{fields:?}");
    }

    #[test]
    fn goals_follow_objective_and_destination() {
        let goals = goals(&draft("OUTCOME_LEADS", "ON_AD", ""));
        assert!(goals.contains(&"LEAD_GENERATION"));
        assert!(!goals.contains(&"PAGE_LIKES"));
        assert!(destinations(&draft("", "", "")).contains(&"WEBSITE"));
    }
}
