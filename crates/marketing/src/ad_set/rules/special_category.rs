//! Special ad categories: what the campaign says, and what the ad set may then not do.

use super::super::countries::{Restricted, needs_dsa, restricted};
use super::super::document::{Campaign, Geo, Targeting};
use super::super::findings::{Findings, Rule, Severity, at};
use super::campaign::filled;
use super::case::Case;

/// Housing, employment and finance: the categories with rules about the audience.
const HEC: [&str; 4] = ["HOUSING", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "CREDIT"];

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(campaign) = case.campaign else { return };
    let list = campaign.special_ad_categories.as_ref().map_or(&[][..], |list| &list.items);
    let single = campaign.special_ad_category.iter();
    let categories: Vec<&str> =
        list.iter().chain(single).map(|word| &**word).filter(|word| *word != "NONE").collect();
    if list.len() > 1 && list.iter().any(|word| word == "NONE") {
        let message = "NONE says that there is no special ad category, and others are named.";
        let path = case.campaign_path("special_ad_categories");
        out.add(Rule::SpecialCategoryNoneWithOthers, path, message, "Leave NONE out.");
    }
    if categories.is_empty() {
        return;
    }
    let hec = categories.iter().any(|word| HEC.contains(word));
    of_campaign(case, campaign, &categories, hec, out);
    if hec && let Some(targeting) = &case.ad_set.targeting {
        audience(case, campaign, targeting, out);
    }
}

fn of_campaign(case: &Case<'_>, campaign: &Campaign<'_>, categories: &[&str], hec: bool, out: &mut Findings) {
    let path = |field| case.campaign_path(field);
    if categories.contains(&"CREDIT") {
        let message =
            "CREDIT was replaced by FINANCIAL_PRODUCTS_SERVICES on 2025-01-14 in the United States.";
        out.add(
            Rule::SpecialCategoryCredit,
            path("special_ad_categories"),
            message,
            "Use FINANCIAL_PRODUCTS_SERVICES.",
        );
    }
    if case.creates_campaign()
        && campaign.special_ad_category_country.as_ref().is_none_or(|list| list.items.is_empty())
    {
        let finding = out.add(
            Rule::SpecialCategoryCountryMissing,
            path("special_ad_category_country"),
            "A special ad category counts for countries, and none is named.",
            "Add special_ad_category_country.",
        );
        if hec {
            // For these, Meta takes the ad account's tax country.
            finding.at_most(Severity::Warn);
        }
    }
    if hec && campaign.buying_type() == Some("RESERVED") {
        let message = "Housing, employment and finance cannot be bought by reservation.";
        out.add(Rule::SpecialCategoryReserved, path("buying_type"), message, "Use AUCTION.");
    }
    if categories.contains(&"ISSUES_ELECTIONS_POLITICS") {
        let targeted =
            case.ad_set.targeting.iter().filter_map(|targeting| targeting.geo_locations.as_deref());
        let named = campaign
            .special_ad_category_country
            .iter()
            .flat_map(|list| list.items.iter().map(|code| &**code));
        if let Some(country) =
            targeted.flat_map(Geo::touched_countries).chain(named).find(|code| needs_dsa(code))
        {
            let message = format!(
                "Since 2025-10-06 ads on issues, elections and politics are not taken in the European Union ({country})."
            );
            out.add(
                Rule::SpecialCategoryPoliticsInEu,
                path("special_ad_categories"),
                message,
                "Leave the European Union out.",
            );
        }
    }
}

/// The audience of housing, employment and finance, where the restrictions hold.
fn audience(case: &Case<'_>, campaign: &Campaign<'_>, targeting: &Targeting<'_>, out: &mut Findings) {
    let path = |field: &'static str| at!["ad_set", "targeting", field];
    if case.version_number >= 260
        && !case.is_update()
        && targeting
            .targeting_automation
            .as_ref()
            .is_none_or(|automation| automation.advantage_audience.is_none())
    {
        let message = "Since v26.0 an ad set for housing, employment or finance must say whether Advantage+ audience is on.";
        let path = at!["ad_set", "targeting", "targeting_automation", "advantage_audience"];
        out.add(Rule::SpecialCategoryAdvantageAudience, path, message, "Send advantage_audience, 0 or 1.");
    }
    if filled(targeting.custom_audiences) && case.ad_set.is_sac_cfca_terms_certified != Some(true) {
        let message = "If an audience is a customer list, its terms must be certified.";
        out.add(
            Rule::SpecialCategoryCustomerList,
            at!["ad_set", "is_sac_cfca_terms_certified"],
            message,
            "Send true if it is one.",
        );
    }
    let geo = targeting.geo_locations.as_deref();
    let named =
        campaign.special_ad_category_country.iter().flat_map(|list| list.items.iter().map(|code| &**code));
    let touched: Vec<&str> = geo.into_iter().flat_map(Geo::touched_countries).chain(named).collect();
    let Some(region) = restricted().iter().find(|region| touched.iter().any(|code| region.holds_in(code)))
    else {
        return;
    };
    let where_it_holds = &region.name;
    let aged =
        targeting.age_min.is_some_and(|age| age != 18) || targeting.age_max.is_some_and(|age| age != 65);
    if aged {
        let field = if targeting.age_min.is_some_and(|age| age != 18) { "age_min" } else { "age_max" };
        let message = format!("For housing, employment and finance ages are 18 to 65+ in {where_it_holds}.");
        out.add(Rule::SpecialCategoryAge, path(field), message, "Set age_min to 18 and age_max to 65.");
    }
    if targeting.genders.as_ref().is_some_and(|list| list.items.len() == 1 && list.items[0] != 0) {
        let message =
            format!("For housing, employment and finance all genders are addressed in {where_it_holds}.");
        out.add(Rule::SpecialCategoryGender, path("genders"), message, "Leave genders out.");
    }
    if targeting.excluded_geo_locations.as_deref().is_some_and(Geo::names_a_place) {
        let message =
            format!("For housing, employment and finance no location can be left out in {where_it_holds}.");
        out.add(
            Rule::SpecialCategoryLocationExclusion,
            path("excluded_geo_locations"),
            message,
            "Leave it out.",
        );
    }
    for (field, given) in [
        ("behaviors", targeting.behaviors),
        ("demographics", targeting.demographics),
        ("life_events", targeting.life_events),
    ] {
        if filled(given) {
            let message =
                format!("For housing, employment and finance {field} cannot be used in {where_it_holds}.");
            out.add(Rule::SpecialCategoryDetailedTargeting, path(field), message, "Leave it out.");
        }
    }
    if let Some(geo) = geo {
        small_places(geo, region, out);
    }
}

fn small_places(geo: &Geo<'_>, region: &Restricted, out: &mut Findings) {
    let areas = [
        ("zips", geo.zips.as_ref().is_some_and(|list| !list.items.is_empty())),
        ("neighborhoods", filled(geo.neighborhoods)),
        ("subneighborhoods", filled(geo.subneighborhoods)),
        ("metro_areas", filled(geo.metro_areas)),
        ("small_geo_areas", filled(geo.small_geo_areas)),
    ];
    for (field, _) in areas.into_iter().filter(|(_, given)| *given) {
        let message =
            format!("For housing, employment and finance {field} cannot be used in {}.", region.name);
        let path = at!["ad_set", "targeting", "geo_locations", field];
        out.add(
            Rule::SpecialCategorySmallAreas,
            path,
            message,
            "Use countries, regions, or cities with a radius.",
        );
    }
    for (list, at, place) in geo.inner_places() {
        // Without a unit, Meta counts in miles.
        let least = if place.distance_unit.as_deref() == Some("kilometer") {
            region.radius_km
        } else {
            region.radius_miles
        };
        if place.radius.is_some_and(|radius| radius < least)
            && place.country.as_deref().is_none_or(|country| region.holds_in(country))
        {
            let message = format!(
                "For housing, employment and finance a radius is at least {} km or {} miles in {}.",
                region.radius_km, region.radius_miles, region.name
            );
            let path = at!["ad_set", "targeting", "geo_locations", list, at, "radius"];
            out.add(Rule::SpecialCategoryRadius, path, message, "Widen the radius.");
        }
    }
}
