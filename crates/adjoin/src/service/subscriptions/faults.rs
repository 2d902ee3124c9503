//! The faults in words: what happened, who can mend it, and the next step.

use adjoin_graph::GraphRefusal;

use super::{Cause, SubscriptionFault};
use crate::service::{
    Who,
    connections::{Connection, Remedy},
    meta,
};

/// What lets a person subscribe an app to a Page. Source: graph-api/reference/page/subscribed_apps.
pub const SUBSCRIBING_TASKS: [&str; 3] = ["CREATE_CONTENT", "MANAGE", "MODERATE"];
/// What lets a person read leads of a Page. Source: lead-ads/retrieving.
pub const LEADS_TASK: &str = "ADVERTISE";

fn fault(
    cause: Cause,
    message: impl Into<String>,
    who: Who,
    next_step: impl Into<String>,
) -> SubscriptionFault {
    SubscriptionFault { cause, message: message.into(), who, next_step: next_step.into() }
}

pub fn token_dead(message: impl Into<String>, who: Who, next_step: impl Into<String>) -> SubscriptionFault {
    fault(Cause::TokenDead, message, who, next_step)
}

pub fn no_page_token(
    message: impl Into<String>,
    who: Who,
    next_step: impl Into<String>,
) -> SubscriptionFault {
    fault(Cause::NoPageToken, message, who, next_step)
}

/// Who can mend it, the connection knows: see [`remedied`].
pub fn permission_missing(permission: &str) -> SubscriptionFault {
    let what = match permission {
        "leads_retrieval" => "leads cannot be read",
        _ => "the Page cannot be subscribed",
    };
    fault(
        Cause::PermissionMissing { permission: permission.to_owned() },
        format!("Without {permission}, which is not granted, {what}."),
        Who::Account,
        "let the account's user connect again and allow it for this Page at Facebook",
    )
}

/// The fault with who has to act for a permission that is missing, and how.
pub fn remedied(mut fault: SubscriptionFault, connection: &Connection) -> SubscriptionFault {
    if let Cause::PermissionMissing { permission } = &fault.cause
        && !connection.granted.contains(permission)
    {
        let Remedy { who, next_step } = connection.remedy(permission);
        fault = SubscriptionFault { who, next_step, ..fault };
    }
    fault
}

pub fn page_task_missing(any_of: &[&str]) -> SubscriptionFault {
    let what = if any_of == [LEADS_TASK] { "read its leads" } else { "subscribe it to webhooks" };
    fault(
        Cause::TaskMissing { any_of: any_of.iter().map(|&task| task.to_owned()).collect() },
        format!(
            "The person who connected may not {what}: they have not the task {} on the Page.",
            or(any_of)
        ),
        Who::Account,
        format!(
            "let an admin of the Page give the person the task {} (Meta Business Suite > Settings > People), or let \
             somebody connect who has it",
            or(any_of)
        ),
    )
}

pub fn no_admin_of_ad_account() -> SubscriptionFault {
    fault(
        Cause::TaskMissing { any_of: vec!["MANAGE".to_owned()] },
        "Webhooks of an ad account are subscribed by its admin, and the person who connected is none, or the asset \
         is not shared with the app.",
        Who::Account,
        "let the owner of the ad account make the person an admin of it, or let an admin connect",
    )
}

/// Meta's own words about who may read leads.
pub fn lead_access_refused(reason: Option<&str>, resolution: Option<&str>) -> SubscriptionFault {
    let told = reason.unwrap_or("it gives no reason");
    if told.to_ascii_lowercase().contains("development mode") {
        return fault(
            Cause::DevelopmentMode,
            "The Meta app is in development mode: Meta gives it the leads of people with a role on the app only.",
            Who::Partner,
            "switch the app to Live mode in the App Dashboard (App settings > Basic)",
        );
    }
    let next_step = resolution.unwrap_or(
        "let an admin of the business portfolio assign the app as a CRM: Business settings > Integrations > Leads access",
    );
    fault(
        Cause::LeadAccessRefused {
            reason: reason.map(str::to_owned),
            resolution: resolution.map(str::to_owned),
        },
        format!("Meta does not let the app read the leads of this Page: {told}"),
        Who::Account,
        next_step,
    )
}

pub fn terms_not_accepted(page_id: &str) -> SubscriptionFault {
    fault(
        Cause::TermsNotAccepted,
        "The Page has not accepted Meta's terms of lead ads.",
        Who::Account,
        format!(
            "let an admin of the Page accept them at https://www.facebook.com/ads/leadgen/tos?page_id={page_id}"
        ),
    )
}

pub fn silent(leads: i64, unannounced: i64, others_arrive: bool, callback: &str) -> SubscriptionFault {
    let (who, next_step) = if others_arrive {
        (
            Who::Account,
            "webhooks of other Pages arrive, so this Page has probably switched the app platform off: let its admin \
             switch it on (Page settings > Advanced), then check again"
                .to_owned(),
        )
    } else {
        (
            Who::Partner,
            format!(
                "see that {callback} is reached from the internet and answers Meta (App Dashboard > Webhooks > Test), and \
                 that the app secret of the setup is the app's"
            ),
        )
    };
    fault(
        Cause::WebhooksSilent { leads, unannounced, others_arrive },
        format!(
            "Webhooks do not arrive: of {leads} leads of the last 24 hours, {unannounced} were found by the sweep alone. \
             They are delivered all the same, later."
        ),
        who,
        next_step,
    )
}

pub fn not_kept(missing: &[String]) -> SubscriptionFault {
    fault(
        Cause::NotKept { missing: missing.to_vec() },
        format!("Meta took the subscription and does not show it: {} is missing.", missing.join(", ")),
        Who::Meta,
        "it is tried again by itself; if it stays, look at metastatus.com and at the app's webhooks in the App Dashboard",
    )
}

pub fn no_service_domain() -> SubscriptionFault {
    fault(
        Cause::NoServiceDomain,
        "The Service Domain is not set, so Meta cannot be told where webhooks go.",
        Who::Partner,
        "enter it at Settings > General in the console, or set ADJOIN_SERVICE_DOMAIN",
    )
}

pub fn host_not_public(callback_url: &str) -> SubscriptionFault {
    fault(
        Cause::HostNotPublic { callback_url: callback_url.to_owned() },
        format!("Meta cannot reach {callback_url}: the host is not on the internet."),
        Who::Partner,
        "set a Service Domain that the internet resolves, with a valid certificate; leads are swept until then",
    )
}

pub fn callback_refused(callback_url: &str, said: &str) -> SubscriptionFault {
    fault(
        Cause::CallbackRefused { callback_url: callback_url.to_owned() },
        format!("Meta called {callback_url} and did not get its challenge back. Meta says: {said}"),
        Who::Partner,
        "see that this address is reached from the internet over https with a valid certificate and leads to this service",
    )
}

pub fn other_callback(object: &str, callback_url: &str, ours: &str) -> SubscriptionFault {
    fault(
        Cause::OtherCallback { callback_url: callback_url.to_owned() },
        format!(
            "The app's webhooks for {object} go to {callback_url}. There is one callback an app and object, so ours \
             ({ours}) would take them away from there."
        ),
        Who::Partner,
        format!(
            "use another Meta app for the other service; or, if nothing needs them there, take over: POST \
             /v1/app-subscriptions/{object}/take-over"
        ),
    )
}

/// A refusal that no other fault explains.
pub fn refused(refusal: &GraphRefusal) -> SubscriptionFault {
    let known = meta::known(refusal);
    let said = refusal.user_msg.as_deref().unwrap_or(&refusal.message);
    fault(
        Cause::Refused { code: refusal.code, subcode: refusal.subcode },
        format!("{}. {} Meta says: {said}", known.title, known.what),
        known.who,
        known.next_step.clone(),
    )
}

fn or(names: &[&str]) -> String {
    names.join(" or ")
}
