//! What countries ask for: beneficiary and payer in the European Union, regional categories elsewhere.

use super::super::countries::{asked_in, regional};
use super::super::document::Geo;
use super::super::findings::{Findings, Rule, Severity, at};
use super::super::read::{Text, Told};
use super::case::Case;

/// Country groups that reach into the European Union.
const GROUPS: [&str; 5] = ["worldwide", "europe", "eea", "eurozone", "itunes_app_store"];

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let geo = case.ad_set.targeting.as_ref().and_then(|targeting| targeting.geo_locations.as_deref());
    if let Some(geo) = geo
        && (geo.country_groups.is_some() || geo.touched_countries().any(|code| !asked_in(code).is_nothing()))
    {
        dsa(case, geo, out);
        universal(case, geo, out);
    }
    identities(case, out);
}

fn dsa(case: &Case<'_>, geo: &Geo<'_>, out: &mut Findings) {
    let by_group = geo
        .country_groups
        .iter()
        .flat_map(|list| list.items.iter())
        .find(|group| GROUPS.iter().any(|name| group.eq_ignore_ascii_case(name)))
        .map(|group| &**group);
    let certain = geo.touched_countries().find(|code| asked_in(code).dsa()).or(by_group);
    let perhaps = || geo.touched_countries().find(|code| asked_in(code).dsa_perhaps());
    let Some((place, is_certain)) =
        certain.map(|place| (place, true)).or_else(|| perhaps().map(|place| (place, false)))
    else {
        return;
    };
    let account = case.account;
    let needed = [
        (
            "dsa_beneficiary",
            Rule::DsaBeneficiaryMissing,
            case.merged(|ad_set| ad_set.dsa_beneficiary.as_ref()),
            account.and_then(|account| account.default_dsa_beneficiary.as_ref()),
            "who benefits from them",
        ),
        (
            "dsa_payor",
            Rule::DsaPayorMissing,
            case.merged(|ad_set| ad_set.dsa_payor.as_ref()),
            account.and_then(|account| account.default_dsa_payor.as_ref()),
            "who pays for them",
        ),
    ];
    for (field, rule, given, default, what) in needed {
        let filled = |told: &Told<Text<'_>>| told.value().is_some_and(|text| !text.trim().is_empty());
        if given.is_some_and(filled) || default.is_some_and(filled) {
            continue;
        }
        let fix = format!("Add {field}, or set default_{field} on the ad account.");
        if is_certain {
            let message = format!("Ads that reach the European Union ({place}) must say {what}.");
            let finding = out.add(rule, at!["ad_set", field], message, fix);
            // What was not read is not known to be empty, be it of the account or of the ad set as it stands.
            if default.is_none() || (case.is_update() && given.is_none()) {
                finding.at_most(Severity::Warn);
            }
        } else {
            let message =
                format!("{place} is associated with the European Union: its ads may have to say {what}.");
            out.add(Rule::DsaTerritory, at!["ad_set", field], message, fix);
        }
    }
}

fn declared<'c>(case: &Case<'c>) -> &'c [Text<'c>] {
    case.merged(|ad_set| ad_set.regional_regulated_categories.as_ref()).map_or(&[][..], |list| &list.items)
}

/// Some countries ask every advertiser to declare a category.
fn universal(case: &Case<'_>, geo: &Geo<'_>, out: &mut Findings) {
    let mut reached: Vec<_> = geo.touched_countries().flat_map(|code| asked_in(code).regional()).collect();
    reached.dedup_by_key(|row| &row.category);
    for row in reached.into_iter().filter(|row| row.universal) {
        if !declared(case).iter().any(|word| *word == row.category) && !case.is_update() {
            let message = format!("Ads in {} may have to declare {}.", row.country, row.category);
            let fix = format!("Add {} to regional_regulated_categories, with its identities.", row.category);
            out.add(
                Rule::RegionalCategoryMissing,
                at!["ad_set", "regional_regulated_categories"],
                message,
                fix,
            );
        }
    }
}

fn identities(case: &Case<'_>, out: &mut Findings) {
    let categories = declared(case);
    if categories.is_empty() {
        return;
    }
    let given = case.merged(|ad_set| ad_set.regional_regulation_identities.as_ref());
    let has = |key: &str| given.is_some_and(|identities| identities.given.iter().any(|name| name == key));
    for row in regional().iter().filter(|row| categories.iter().any(|word| *word == row.category)) {
        for key in [&row.beneficiary, &row.payer] {
            if !has(key) {
                let message = format!("{} needs {key}.", row.category);
                let fix = format!("Add {key} to regional_regulation_identities.");
                let path = at!["ad_set", "regional_regulation_identities", key.clone()];
                out.add(Rule::RegionalIdentityMissing, path, message, fix);
            }
        }
    }
    let declares = |category: &str| categories.iter().any(|word| word == category);
    if declares("TAIWAN_FINSERV") && !declares("TAIWAN_UNIVERSAL") {
        let message = "Finance in Taiwan declares both Taiwanese categories.";
        let path = at!["ad_set", "regional_regulated_categories"];
        out.add(Rule::RegionalTaiwanBoth, path, message, "Add TAIWAN_UNIVERSAL.");
    }
}
