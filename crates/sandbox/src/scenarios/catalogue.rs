use std::{fmt, str::FromStr, time::Duration};

use crate::{
    login::{dialog::refusal, permissions},
    world::{identity::TokenDeath, webhooks::MAX_CHANGES},
};

/// One fault, with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scenario {
    Declined(Vec<String>),
    NothingPicked,
    DialogRefusal(i64),
    StatelessRefusals,
    AppInDevelopment,
    StandardAccess,
    TechProviderMissing,
    DeadTokens(TokenDeath),
    DeadPageTokens(TokenDeath),
    RenewalIgnored,
    ProofRequired,
    ClockSkew(i64),
    ActPrefix,
    Tier(Tier),
    RateLimit(RateLimit),
    /// Percent of the calls for leads and forms.
    LeadsThrottled(u32),
    Slow(Duration),
    /// Percent of all calls.
    Failing(u32),
    /// HTTP 500, code 1. `None` = until switched off, else so many more calls.
    UnknownError(Option<u32>),
    /// HTTP 503, code 2, transient.
    Unavailable(Option<u32>),
    ReportFailure,
    ArchivedFormsHidden,
    ExpiredLeadsCounted,
    LeadsPermissionMissing,
    /// On this Page; `None` = on every Page.
    LeadsAccessManager(Option<String>),
    /// Percent of all leads, always the same ones.
    LeadsGone(u32),
    LeadTermsNotAccepted,
    TaskMissing(Vec<String>),
    PageDisabledAppPlatform,
    SubscribedAppsMerge,
    WebhooksOff,
    /// Percent.
    WebhookLoss(u32),
    /// Percent.
    WebhookDuplicates(u32),
    /// Changes are held back by up to this long, each by its own time.
    WebhookReorder(Duration),
    WebhookBatch {
        max: usize,
        linger: Duration,
    },
    BadSignature,
}

/// What people can be allowed to do on a Page.
pub const PAGE_TASKS: [&str; 6] =
    ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"];

/// Marketing API Access Tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// `development_access` in headers.
    Limited,
    /// `standard_access` in headers.
    Full,
}

/// Which of Meta's limits is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// The ad account's real-time score: 17/2446079.
    Score,
    /// Business use case: of an ad account 80004/2446079, its insights 80000/2446079; of a Page 80001, its leads
    /// 80005, of a catalog 80009.
    Buc,
    /// The app as a whole: 4.
    App,
}

/// A row of the list that people choose from.
#[derive(Debug)]
pub struct Described {
    pub name: &'static str,
    /// What the value means, and an example of it; `None` when there is no value.
    pub value: Option<(&'static str, &'static str)>,
    pub about: &'static str,
    pub group: &'static str,
}

const fn row(
    group: &'static str,
    name: &'static str,
    value: Option<(&'static str, &'static str)>,
    about: &'static str,
) -> Described {
    Described { name, value, about, group }
}

/// Every scenario, in the order in which they are shown.
pub const CATALOGUE: &[Described] = &[
    row(
        "Consent",
        "declined",
        Some(("permissions, separated by commas", "pages_manage_ads")),
        "The person declines these permissions, whatever is ticked.",
    ),
    row("Consent", "nothing_picked", None, "The person picks no ad account, Page or business."),
    row(
        "Consent",
        "dialog_refusal",
        Some(("Meta's error code", "1349220")),
        "The dialog refuses everybody and comes back with error_code and no error.",
    ),
    row("Consent", "stateless_refusals", None, "When the dialog refuses, the state does not come back."),
    row(
        "Gates",
        "app_in_development",
        None,
        "The app is in development mode: only people with a role on it can log in (1349126).",
    ),
    row(
        "Gates",
        "standard_access",
        None,
        "No Advanced Access: people without a role, and system users, silently get no more than the profile.",
    ),
    row(
        "Gates",
        "tech_provider_missing",
        None,
        "No Access Verification: for callers without a role on the app every asset \"does not exist\" (100/33).",
    ),
    row(
        "Tokens",
        "dead_tokens",
        Some(("subcode, or 190 or 102 for none", "463")),
        "Every user, Page and system-user token is dead in this way.",
    ),
    row(
        "Tokens",
        "dead_page_tokens",
        Some(("subcode, or 190 or 102 for none", "460")),
        "Every Page token is dead in this way; the others work.",
    ),
    row(
        "Tokens",
        "renewal_ignored",
        None,
        "Exchanging a live long-lived token gives back the same token and date.",
    ),
    row("Tokens", "proof_required", None, "Every call needs appsecret_proof (Require App Secret)."),
    row(
        "Tokens",
        "clock_skew",
        Some(("seconds", "600")),
        "Meta's clock is this far ahead when it judges appsecret_time.",
    ),
    row("Tokens", "act_prefix", None, "target_ids of ad accounts in debug_token are written with act_."),
    row(
        "Limits",
        "tier",
        Some(("limited or full", "limited")),
        "The Marketing API Access Tier, which sets the size of the limits.",
    ),
    row(
        "Limits",
        "rate_limit",
        Some(("score, buc or app", "buc")),
        "This limit is used up: calls it covers are refused, with usage headers at 100.",
    ),
    row(
        "Limits",
        "leads_throttled",
        Some(("percent of the calls, or empty for all", "20")),
        "Calls for leads and lead forms are refused with 80005 and a full leadgen meter.",
    ),
    row("Faults", "slow", Some(("milliseconds", "1500")), "Every Graph call takes this much longer."),
    row(
        "Faults",
        "unknown_error",
        Some(("number of calls, or empty for all", "3")),
        "HTTP 500, code 1, for the next calls.",
    ),
    row(
        "Faults",
        "unavailable",
        Some(("number of calls, or empty for all", "3")),
        "HTTP 503, code 2 and is_transient, for the next calls.",
    ),
    row(
        "Faults",
        "report_failure",
        None,
        "Asynchronous insights reports end as Job Failed, with the error a report that took too long has.",
    ),
    row(
        "Faults",
        "failing",
        Some(("percent of the calls", "10")),
        "So many of all Graph calls fail with HTTP 500 or 503, at random.",
    ),
    row("Leads", "archived_forms_hidden", None, "A Page's list of lead forms leaves out the archived ones."),
    row("Leads", "expired_leads_counted", None, "A form's leads_count holds the expired leads, too."),
    row(
        "Leads",
        "leads_permission_missing",
        None,
        "Nobody granted leads_retrieval, whatever was granted: leads \"do not exist\" (100/33).",
    ),
    row(
        "Leads",
        "leads_access_manager",
        Some(("a Page's id, or empty for all Pages", "123456789012345")),
        "The Leads Access Manager does not let the app at the leads (100/33); has_lead_access says so.",
    ),
    row(
        "Leads",
        "leads_gone",
        Some(("percent of the leads, or empty for all", "5")),
        "These leads are gone, always the same ones: no list holds them, and reading one is refused (100/33).",
    ),
    row(
        "Leads",
        "lead_terms_not_accepted",
        None,
        "Nobody accepted the Lead Ads terms for any Page: no form can be made.",
    ),
    row(
        "Leads",
        "task_missing",
        Some(("tasks, separated by commas", "ADVERTISE")),
        "People do not have these tasks on any Page.",
    ),
    row("Webhooks", "webhooks_off", None, "No webhook is sent, and none is sent later."),
    row(
        "Webhooks",
        "page_disabled_app_platform",
        None,
        "Every Page switched the app platform off: webhooks of Pages stop, subscriptions stay.",
    ),
    row("Webhooks", "webhook_loss", Some(("percent", "20")), "So many webhooks are never sent."),
    row("Webhooks", "webhook_duplicates", Some(("percent", "10")), "So many webhooks are sent twice."),
    row(
        "Webhooks",
        "webhook_reorder",
        Some(("milliseconds", "500")),
        "Webhooks are held back by up to this long, each by its own time, so that they overtake each other.",
    ),
    row(
        "Webhooks",
        "webhook_batch",
        Some(("changes in a POST at most, milliseconds that the first waits for more", "100,200")),
        "How webhooks are put together. Without it a POST holds what is waiting, and none waits for more.",
    ),
    row("Webhooks", "bad_signature", None, "Webhooks are signed with another secret than the app's."),
    row(
        "Webhooks",
        "subscribed_apps_merge",
        None,
        "Subscribing to fields of a Page adds them to those subscribed before, instead of replacing them.",
    ),
];

impl Scenario {
    /// The name by which it is switched; one of [`CATALOGUE`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Declined(_) => "declined",
            Self::NothingPicked => "nothing_picked",
            Self::DialogRefusal(_) => "dialog_refusal",
            Self::StatelessRefusals => "stateless_refusals",
            Self::AppInDevelopment => "app_in_development",
            Self::StandardAccess => "standard_access",
            Self::TechProviderMissing => "tech_provider_missing",
            Self::DeadTokens(_) => "dead_tokens",
            Self::DeadPageTokens(_) => "dead_page_tokens",
            Self::RenewalIgnored => "renewal_ignored",
            Self::ProofRequired => "proof_required",
            Self::ClockSkew(_) => "clock_skew",
            Self::ActPrefix => "act_prefix",
            Self::Tier(_) => "tier",
            Self::RateLimit(_) => "rate_limit",
            Self::LeadsThrottled(_) => "leads_throttled",
            Self::Slow(_) => "slow",
            Self::Failing(_) => "failing",
            Self::UnknownError(_) => "unknown_error",
            Self::Unavailable(_) => "unavailable",
            Self::ReportFailure => "report_failure",
            Self::ArchivedFormsHidden => "archived_forms_hidden",
            Self::ExpiredLeadsCounted => "expired_leads_counted",
            Self::LeadsPermissionMissing => "leads_permission_missing",
            Self::LeadsAccessManager(_) => "leads_access_manager",
            Self::LeadsGone(_) => "leads_gone",
            Self::LeadTermsNotAccepted => "lead_terms_not_accepted",
            Self::TaskMissing(_) => "task_missing",
            Self::PageDisabledAppPlatform => "page_disabled_app_platform",
            Self::SubscribedAppsMerge => "subscribed_apps_merge",
            Self::WebhooksOff => "webhooks_off",
            Self::WebhookLoss(_) => "webhook_loss",
            Self::WebhookDuplicates(_) => "webhook_duplicates",
            Self::WebhookReorder(_) => "webhook_reorder",
            Self::WebhookBatch { .. } => "webhook_batch",
            Self::BadSignature => "bad_signature",
        }
    }

    /// The value as it is written after `=`.
    pub fn value(&self) -> Option<String> {
        match self {
            Self::Declined(names) | Self::TaskMissing(names) => Some(names.join(",")),
            Self::DialogRefusal(code) => Some(code.to_string()),
            Self::DeadTokens(death) | Self::DeadPageTokens(death) => Some(death.to_string()),
            Self::ClockSkew(seconds) => Some(seconds.to_string()),
            Self::Tier(Tier::Limited) => Some("limited".into()),
            Self::Tier(Tier::Full) => Some("full".into()),
            Self::RateLimit(RateLimit::Score) => Some("score".into()),
            Self::RateLimit(RateLimit::Buc) => Some("buc".into()),
            Self::RateLimit(RateLimit::App) => Some("app".into()),
            Self::Slow(delay) | Self::WebhookReorder(delay) => Some(delay.as_millis().to_string()),
            // All of them is what an empty value means.
            Self::LeadsThrottled(100)
            | Self::LeadsGone(100)
            | Self::NothingPicked
            | Self::ReportFailure
            | Self::StatelessRefusals
            | Self::AppInDevelopment
            | Self::StandardAccess
            | Self::TechProviderMissing
            | Self::RenewalIgnored
            | Self::ProofRequired
            | Self::ActPrefix
            | Self::ArchivedFormsHidden
            | Self::ExpiredLeadsCounted
            | Self::LeadsPermissionMissing
            | Self::LeadTermsNotAccepted
            | Self::PageDisabledAppPlatform
            | Self::SubscribedAppsMerge
            | Self::WebhooksOff
            | Self::BadSignature => None,
            Self::LeadsThrottled(percent)
            | Self::LeadsGone(percent)
            | Self::Failing(percent)
            | Self::WebhookLoss(percent)
            | Self::WebhookDuplicates(percent) => Some(percent.to_string()),
            Self::LeadsAccessManager(page) => page.clone(),
            Self::WebhookBatch { max, linger } => Some(format!("{max},{}", linger.as_millis())),
            Self::UnknownError(count) | Self::Unavailable(count) => count.map(|n| n.to_string()),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Some(value) => write!(f, "{}={value}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// Why a text is not a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseScenarioError {
    #[error("there is no scenario named {0:?}; there are {names}", names = names())]
    Unknown(String),
    #[error("scenario {name} takes no value, but got {value:?}")]
    NoValue { name: &'static str, value: String },
    #[error("scenario {name} wants a value: {wanted}, for instance {name}={example}; got {value:?}")]
    Value { name: &'static str, wanted: &'static str, example: &'static str, value: String },
}

fn names() -> String {
    CATALOGUE.iter().map(|d| d.name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Scenario {
    type Err = ParseScenarioError;

    fn from_str(text: &str) -> Result<Self, ParseScenarioError> {
        let (name, value) = text.split_once('=').map_or((text, ""), |(name, value)| (name, value));
        let (name, value) = (name.trim(), value.trim());
        let row = CATALOGUE
            .iter()
            .find(|d| d.name == name)
            .ok_or_else(|| ParseScenarioError::Unknown(name.to_owned()))?;
        let Some((wanted, example)) = row.value else {
            return match (plain(row.name), value) {
                (Some(scenario), "") => Ok(scenario),
                _ => Err(ParseScenarioError::NoValue { name: row.name, value: value.to_owned() }),
            };
        };
        with_value(row.name, value).ok_or_else(|| ParseScenarioError::Value {
            name: row.name,
            wanted,
            example,
            value: value.to_owned(),
        })
    }
}

/// Scenarios that have no value.
fn plain(name: &str) -> Option<Scenario> {
    Some(match name {
        "nothing_picked" => Scenario::NothingPicked,
        "stateless_refusals" => Scenario::StatelessRefusals,
        "app_in_development" => Scenario::AppInDevelopment,
        "standard_access" => Scenario::StandardAccess,
        "tech_provider_missing" => Scenario::TechProviderMissing,
        "renewal_ignored" => Scenario::RenewalIgnored,
        "proof_required" => Scenario::ProofRequired,
        "act_prefix" => Scenario::ActPrefix,
        "report_failure" => Scenario::ReportFailure,
        "archived_forms_hidden" => Scenario::ArchivedFormsHidden,
        "expired_leads_counted" => Scenario::ExpiredLeadsCounted,
        "leads_permission_missing" => Scenario::LeadsPermissionMissing,
        "lead_terms_not_accepted" => Scenario::LeadTermsNotAccepted,
        "page_disabled_app_platform" => Scenario::PageDisabledAppPlatform,
        "subscribed_apps_merge" => Scenario::SubscribedAppsMerge,
        "webhooks_off" => Scenario::WebhooksOff,
        "bad_signature" => Scenario::BadSignature,
        _ => return None,
    })
}

fn with_value(name: &str, value: &str) -> Option<Scenario> {
    let count =
        || if value.is_empty() { Some(None) } else { value.parse().ok().filter(|n| *n > 0).map(Some) };
    let names = || -> Vec<String> {
        value.split(',').map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect()
    };
    let percent = || value.parse().ok().filter(|percent| (1..=100_u32).contains(percent));
    let percent_or_all = || if value.is_empty() { Some(100) } else { percent() };
    let milliseconds =
        |at_most: u64| value.parse().ok().filter(|ms| *ms <= at_most).map(Duration::from_millis);
    Some(match name {
        "declined" => {
            let names = names();
            let known = names.iter().all(|n| permissions::find(n).is_some() && n != "public_profile");
            (known && !names.is_empty()).then_some(Scenario::Declined(names))?
        }
        "dialog_refusal" => {
            let code = value.parse().ok()?;
            refusal(code).map(|_| Scenario::DialogRefusal(code))?
        }
        "dead_tokens" => Scenario::DeadTokens(value.parse().ok()?),
        "clock_skew" => Scenario::ClockSkew(value.parse().ok().filter(|s: &i64| s.abs() <= 86_400)?),
        "tier" => Scenario::Tier(match value {
            "limited" => Tier::Limited,
            "full" => Tier::Full,
            _ => return None,
        }),
        "rate_limit" => Scenario::RateLimit(match value {
            "score" => RateLimit::Score,
            "buc" => RateLimit::Buc,
            "app" => RateLimit::App,
            _ => return None,
        }),
        "slow" => Scenario::Slow(milliseconds(600_000)?),
        "unknown_error" => Scenario::UnknownError(count()?),
        "unavailable" => Scenario::Unavailable(count()?),
        "dead_page_tokens" => Scenario::DeadPageTokens(value.parse().ok()?),
        "leads_throttled" => Scenario::LeadsThrottled(percent_or_all()?),
        "failing" => Scenario::Failing(percent()?),
        "leads_access_manager" => {
            let id = value.bytes().all(|b| b.is_ascii_digit());
            id.then(|| Scenario::LeadsAccessManager((!value.is_empty()).then(|| value.to_owned())))?
        }
        "leads_gone" => Scenario::LeadsGone(percent_or_all()?),
        "task_missing" => {
            let names = names();
            let known = names.iter().all(|name| PAGE_TASKS.contains(&name.as_str()));
            (known && !names.is_empty()).then_some(Scenario::TaskMissing(names))?
        }
        "webhook_loss" => Scenario::WebhookLoss(percent()?),
        "webhook_duplicates" => Scenario::WebhookDuplicates(percent()?),
        "webhook_reorder" => Scenario::WebhookReorder(milliseconds(60_000)?),
        "webhook_batch" => {
            let (max, linger) = value.split_once(',')?;
            let linger = linger.trim().parse().ok().filter(|ms| *ms <= 60_000)?;
            Scenario::WebhookBatch {
                max: max.trim().parse().ok().filter(|max| (1..=MAX_CHANGES).contains(max))?,
                linger: Duration::from_millis(linger),
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_catalogue_parses_and_reads_back() {
        for row in CATALOGUE {
            let text =
                row.value.map_or(row.name.to_owned(), |(_, example)| format!("{}={example}", row.name));
            let scenario: Scenario = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(scenario.name(), row.name);
            assert_eq!(scenario.to_string(), text);
        }
    }

    #[test]
    fn wrong_texts_say_what_is_wanted() {
        for (text, expected) in [
            ("nonsense", "there is no scenario named \"nonsense\"; there are declined, "),
            ("act_prefix=yes", "takes no value"),
            ("dead_tokens=470", "subcode"),
            ("tier=gold", "limited or full"),
            ("declined=public_profile", "permissions"),
            ("declined=", "permissions"),
            ("slow=-1", "milliseconds"),
            ("dialog_refusal=5", "Meta's error code"),
            ("unavailable=0", "number of calls"),
            ("webhook_loss=101", "percent"),
            ("webhook_batch=0,5", "changes in a POST"),
            ("task_missing=DANCE", "tasks"),
            ("leads_access_manager=everywhere", "Page"),
        ] {
            let error = text.parse::<Scenario>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_count_may_be_left_out() {
        assert_eq!("unavailable".parse(), Ok(Scenario::Unavailable(None)));
        assert_eq!(Scenario::Unavailable(None).to_string(), "unavailable");
    }
}
