//! Ads for apps: the system of the store and the system of the audience; messaging and dynamic creative.

use super::super::findings::{Findings, Rule, at};
use super::case::Case;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    dynamic_creative(case, out);
    let url = case.promoted_object().and_then(|object| object.text("object_store_url"));
    let Some(system) = url.and_then(system_of) else { return };
    let Some(targeting) = &case.ad_set.targeting else { return };
    match targeting.user_os.as_ref().filter(|list| !list.items.is_empty()) {
        None => {
            let message = format!("The app is for {system}, and the targeting does not say so.");
            let fix = format!("Add user_os [\"{system}\"].");
            out.add(Rule::AppSystemUnstated, at!["ad_set", "targeting", "user_os"], message, fix);
        }
        // An entry may carry versions: Android_ver_9.0_and_above.
        Some(list) => {
            if let Some(other) = list
                .items
                .iter()
                .find(|entry| !entry.to_ascii_lowercase().starts_with(&system.to_ascii_lowercase()))
            {
                let message = format!("The app is for {system}, and the targeting names {other}.");
                let fix = format!("Set user_os to [\"{system}\"], or promote the app in the other store.");
                out.add(Rule::AppSystemMismatch, at!["ad_set", "targeting", "user_os"], message, fix);
            }
        }
    }
    if let Some(devices) = &targeting.device_platforms
        && devices.items.iter().any(|device| device == "desktop")
    {
        let message = "A mobile app is promoted, and desktops are targeted too.";
        let fix = "Set device_platforms to [\"mobile\"].";
        out.add(Rule::AppDevicePlatforms, at!["ad_set", "targeting", "device_platforms"], message, fix);
    }
}

/// The system a store is for, in the spelling of `user_os`.
fn system_of(url: &str) -> Option<&'static str> {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next()?;
    match host {
        "apps.apple.com" | "itunes.apple.com" => Some("iOS"),
        "play.google.com" | "market.android.com" => Some("Android"),
        _ => None,
    }
}

fn dynamic_creative(case: &Case<'_>, out: &mut Findings) {
    if case.ad_set.is_dynamic_creative == Some(true) && case.destination_is(&["WHATSAPP"]) {
        let message = "Dynamic creative is refused with ads that lead to WhatsApp.";
        out.add(
            Rule::DynamicCreativeOnWhatsapp,
            at!["ad_set", "is_dynamic_creative"],
            message,
            "Turn it off.",
        );
    }
}
