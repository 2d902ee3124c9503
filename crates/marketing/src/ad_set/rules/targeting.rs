//! Who sees the ads: locations, ages, audiences.

use super::super::document::{Geo, Targeting};
use super::super::findings::{Findings, Rule, at};
use super::campaign::filled;
use super::case::Case;

/// Ages Meta knows; 65 stands for 65 and older.
const AGES: std::ops::RangeInclusive<i64> = 13..=65;
/// The highest minimum age with Advantage+ audience.
const ADVANTAGE_AGE_MIN: i64 = 25;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(targeting) = &case.ad_set.targeting else {
        if !case.is_update() {
            let message = "An ad set needs targeting, with a location in it.";
            let fix = "Add targeting {\"geo_locations\": {\"countries\": [...]}}.";
            out.add(Rule::TargetingMissing, at!["ad_set", "targeting"], message, fix);
        }
        return;
    };
    locations(targeting, out);
    ages(targeting, out);
    advantage_audience(case, targeting, out);
    minors(targeting, out);
    gone(targeting, out);
}

fn locations(targeting: &Targeting<'_>, out: &mut Findings) {
    let path = |field: &'static str| at!["ad_set", "targeting", field];
    let geo = targeting.geo_locations.as_deref();
    if !geo.is_some_and(Geo::names_a_place) {
        let fix = "Add countries, regions, cities or other places to geo_locations.";
        out.add(Rule::LocationMissing, path("geo_locations"), "The targeting names no location.", fix);
    }
    for (field, geo) in
        [("geo_locations", geo), ("excluded_geo_locations", targeting.excluded_geo_locations.as_deref())]
    {
        let Some(geo) = geo else { continue };
        if filled(geo.location_types) {
            let message = "location_types is no longer taken; everybody who lives in or recently was in a place is meant.";
            out.add(
                Rule::LocationTypes,
                at!["ad_set", "targeting", field, "location_types"],
                message,
                "Leave it out.",
            );
        }
        for (list, at, place) in geo.inner_places() {
            if place.radius.is_some_and(|radius| radius <= 0.0 || radius > 80.0) {
                let message = "A radius is more than 0 and at most 50 miles or 80 kilometres.";
                let path = at!["ad_set", "targeting", field, list, at, "radius"];
                out.add(Rule::LocationRadius, path, message, "Change the radius.");
            } else if place.radius.is_some() && !matches!(list, "cities" | "custom_locations" | "places") {
                let path = at!["ad_set", "targeting", field, list, at, "radius"];
                let message = "Only cities and pins can have a radius.";
                out.add(Rule::LocationRadius, path, message, "Leave the radius out.");
            }
        }
    }
    if let Some(geo) = geo
        && let Some(countries) = &geo.countries
    {
        let inside = geo.inner_places().find(|(_, _, place)| {
            place
                .country
                .as_deref()
                .is_some_and(|country| countries.items.iter().any(|code| code.eq_ignore_ascii_case(country)))
        });
        if let Some((list, at, place)) = inside {
            let message = format!(
                "The place lies in {}, which is targeted as a whole.",
                place.country.as_deref().unwrap_or_default()
            );
            let fix = "Remove the country, or the place in it.";
            out.add(
                Rule::LocationOverlap,
                at!["ad_set", "targeting", "geo_locations", list, at],
                message,
                fix,
            );
        }
    }
}

fn ages(targeting: &Targeting<'_>, out: &mut Findings) {
    for (field, given) in [("age_min", targeting.age_min), ("age_max", targeting.age_max)] {
        if let Some(age) = given.filter(|age| !AGES.contains(age)) {
            let message = format!("{field} is {age}; ages are from 13 to 65, and 65 means 65 and older.");
            out.add(
                Rule::AgeBounds,
                at!["ad_set", "targeting", field],
                message,
                format!("Set {field} from 13 to 65."),
            );
        }
    }
    if let Some((min, max)) = targeting.age_min.zip(targeting.age_max)
        && min > max
    {
        let message = format!("age_min {min} is above age_max {max}.");
        out.add(Rule::AgeOrder, at!["ad_set", "targeting", "age_min"], message, "Swap them.");
    }
}

fn advantage_audience(case: &Case<'_>, targeting: &Targeting<'_>, out: &mut Findings) {
    let path = || at!["ad_set", "targeting", "targeting_automation", "advantage_audience"];
    match targeting.targeting_automation.as_ref().and_then(|automation| automation.advantage_audience) {
        None if case.version_number >= 230 && !case.is_update() => {
            out.add(
                Rule::AdvantageAudienceUnstated,
                path(),
                "Left out, Advantage+ audience is on, or the ad set is refused when its targeting is narrower.",
                "Send targeting_automation {\"advantage_audience\": 0} to keep to the targeting, or 1 to let Meta widen it.",
            );
        }
        Some(1) => {
            if let Some(age) = targeting.age_min.filter(|age| *age > ADVANTAGE_AGE_MIN) {
                let message = format!("With Advantage+ audience age_min is 25 at most, not {age}.");
                let fix = "Lower age_min, and put the wish in age_range; or set advantage_audience to 0.";
                out.add(Rule::AdvantageAudienceAgeMin, at!["ad_set", "targeting", "age_min"], message, fix);
            }
            if let Some(age) = targeting.age_max.filter(|age| *age < 65) {
                let message = format!("With Advantage+ audience age_max is 65, not {age}.");
                let fix = "Set age_max to 65, and put the wish in age_range; or set advantage_audience to 0.";
                out.add(Rule::AdvantageAudienceAgeMax, at!["ad_set", "targeting", "age_max"], message, fix);
            }
        }
        Some(0) | None => {}
        Some(other) => {
            let message = format!("advantage_audience is {other}, and can be 0 or 1.");
            out.add(Rule::AdvantageAudienceValue, path(), message, "Use 0 or 1.");
        }
    }
}

/// Minors can only be targeted by age and place, and the place is a city or larger.
fn minors(targeting: &Targeting<'_>, out: &mut Findings) {
    let Some(age) = targeting.age_min else { return };
    let geo = targeting.geo_locations.as_deref();
    let adult = geo.map_or(18, |geo| {
        geo.touched_countries()
            .map(|country| {
                if country.eq_ignore_ascii_case("TH") {
                    20
                } else if country.eq_ignore_ascii_case("ID") {
                    21
                } else {
                    18
                }
            })
            .max()
            .unwrap_or(18)
    });
    if age >= adult {
        return;
    }
    let others = [
        ("flexible_spec", targeting.flexible_spec),
        ("interests", targeting.interests),
        ("behaviors", targeting.behaviors),
        ("demographics", targeting.demographics),
        ("life_events", targeting.life_events),
        ("custom_audiences", targeting.custom_audiences),
    ];
    let genders = targeting.genders.as_ref().is_some_and(|genders| genders.items.len() == 1);
    let first = others
        .into_iter()
        .find(|(_, given)| filled(*given))
        .map(|(name, _)| name)
        .or(genders.then_some("genders"));
    if let Some(field) = first {
        let message =
            format!("With age_min {age} minors are reached, who can only be targeted by age and place.");
        let fix = format!("Raise age_min to {adult}, or leave {field} out.");
        out.add(Rule::Minors, at!["ad_set", "targeting", field], message, fix);
    }
    let Some(geo) = geo else { return };
    let small = [("custom_locations", &geo.custom_locations), ("zips", &geo.zips), ("places", &geo.places)]
        .into_iter()
        .find(|(_, list)| list.as_ref().is_some_and(|list| !list.items.is_empty()))
        .map(|(name, _)| name)
        .or_else(|| filled(geo.neighborhoods).then_some("neighborhoods"));
    if let Some(list) = small {
        let message =
            format!("With age_min {age} minors are reached, who can be targeted by city or larger.");
        let fix = format!("Raise age_min to {adult}, or use cities or larger places.");
        out.add(Rule::MinorsLocation, at!["ad_set", "targeting", "geo_locations", list], message, fix);
    }
}

/// Ways of targeting that are gone.
fn gone(targeting: &Targeting<'_>, out: &mut Findings) {
    let connections = [
        ("connections", targeting.connections),
        ("excluded_connections", targeting.excluded_connections),
        ("friends_of_connections", targeting.friends_of_connections),
    ];
    for (field, given) in connections {
        if filled(given) {
            let fix = "Use custom audiences.";
            out.add(
                Rule::Connections,
                at!["ad_set", "targeting", field],
                "Targeting by connections is gone.",
                fix,
            );
        }
    }
    if filled(targeting.exclusions) {
        let message = "People can no longer be left out by detailed targeting.";
        let fix = "Leave exclusions out; audiences can be left out with excluded_custom_audiences.";
        out.add(Rule::DetailedExclusions, at!["ad_set", "targeting", "exclusions"], message, fix);
    }
}
