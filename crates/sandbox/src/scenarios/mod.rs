//! Faults on demand: what is switched on, and what it does to a call.
//!
//! A scenario is written `name` or `name=value`, on the command line as on the admin path. Some act where the
//! matter lies (the dialog, a token's check, the meters), the rest in [`Scenarios::intercept`], which the server
//! asks for every Graph call.

mod admin;
mod catalogue;
mod intercept;
mod page;
mod webhooks;

use std::collections::{BTreeMap, VecDeque};

pub use admin::{Admin, Input, Refused, admin_router};
pub use catalogue::{CATALOGUE, Described, PAGE_TASKS, ParseScenarioError, RateLimit, Scenario, Tier};
pub use intercept::{Circumstances, Effect, RecentCall};
pub use webhooks::WebhookFaults;

use crate::{protocol::cursor::mix, world::identity::TokenDeath};

/// The scenarios that are switched on, by name, and the calls they saw.
#[derive(Debug, Default)]
pub struct Scenarios {
    on: BTreeMap<&'static str, Scenario>,
    recent: VecDeque<RecentCall>,
}

impl Scenarios {
    /// Switches a scenario on; one of the same name is replaced.
    pub fn set(&mut self, scenario: Scenario) {
        self.on.insert(scenario.name(), scenario);
    }

    /// Switches a scenario off; whether it was on.
    pub fn clear(&mut self, name: &str) -> bool {
        self.on.remove(name).is_some()
    }

    pub fn get(&self, name: &str) -> Option<&Scenario> {
        self.on.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scenario> {
        self.on.values()
    }

    /// Permissions that the person declines whatever is ticked.
    pub fn declined(&self) -> &[String] {
        match self.on.get("declined") {
            Some(Scenario::Declined(names)) => names,
            _ => &[],
        }
    }

    pub fn nothing_picked(&self) -> bool {
        self.on.contains_key("nothing_picked")
    }

    /// The way in which every user, page and system-user token is dead.
    pub fn token_death(&self) -> Option<TokenDeath> {
        match self.on.get("dead_tokens") {
            Some(Scenario::DeadTokens(death)) => Some(*death),
            _ => None,
        }
    }

    /// The way in which every Page token is dead.
    pub fn page_token_death(&self) -> Option<TokenDeath> {
        match self.on.get("dead_page_tokens") {
            Some(Scenario::DeadPageTokens(death)) => Some(*death),
            _ => None,
        }
    }

    pub fn archived_forms_hidden(&self) -> bool {
        self.on.contains_key("archived_forms_hidden")
    }

    /// Whether `leads_count` holds leads that are too old to be read.
    pub fn expired_leads_counted(&self) -> bool {
        self.on.contains_key("expired_leads_counted")
    }

    pub fn leads_permission_missing(&self) -> bool {
        self.on.contains_key("leads_permission_missing")
    }

    /// Whether a Page's Leads Access Manager keeps the app out.
    pub fn leads_access_refused(&self, page_id: &str) -> bool {
        match self.on.get("leads_access_manager") {
            Some(Scenario::LeadsAccessManager(page)) => page.as_ref().is_none_or(|page| page == page_id),
            _ => false,
        }
    }

    pub fn some_leads_are_gone(&self) -> bool {
        self.on.contains_key("leads_gone")
    }

    /// Whether a lead is among those that are gone.
    pub fn lead_is_gone(&self, id: u64) -> bool {
        match self.on.get("leads_gone") {
            Some(Scenario::LeadsGone(percent)) => {
                let mut state = id;
                mix(&mut state) % 100 < u64::from(*percent)
            }
            _ => false,
        }
    }

    pub fn lead_terms_not_accepted(&self) -> bool {
        self.on.contains_key("lead_terms_not_accepted")
    }

    /// Whether nobody has this task on any Page.
    pub fn task_is_missing(&self, task: &str) -> bool {
        match self.on.get("task_missing") {
            Some(Scenario::TaskMissing(tasks)) => tasks.iter().any(|missing| missing == task),
            _ => false,
        }
    }

    pub fn page_disabled_app_platform(&self) -> bool {
        self.on.contains_key("page_disabled_app_platform")
    }

    /// Whether subscribing to fields of a Page keeps those subscribed before.
    pub fn subscribed_apps_merge(&self) -> bool {
        self.on.contains_key("subscribed_apps_merge")
    }

    /// Whether the dialog's refusals come back without `state`.
    pub fn stateless_refusals(&self) -> bool {
        self.on.contains_key("stateless_refusals")
    }

    pub fn app_in_development(&self) -> bool {
        self.on.contains_key("app_in_development")
    }

    pub fn standard_access(&self) -> bool {
        self.on.contains_key("standard_access")
    }

    pub fn tech_provider_missing(&self) -> bool {
        self.on.contains_key("tech_provider_missing")
    }

    /// The `error_code` with which the dialog refuses everybody.
    pub fn dialog_refusal(&self) -> Option<i64> {
        match self.on.get("dialog_refusal") {
            Some(Scenario::DialogRefusal(code)) => Some(*code),
            _ => None,
        }
    }

    pub fn proof_required(&self) -> bool {
        self.on.contains_key("proof_required")
    }

    /// How far Meta's clock is ahead of the sandbox's when it judges `appsecret_time`.
    pub fn clock_skew_seconds(&self) -> i64 {
        match self.on.get("clock_skew") {
            Some(Scenario::ClockSkew(seconds)) => *seconds,
            _ => 0,
        }
    }

    /// Whether `target_ids` of ad accounts carry `act_`.
    pub fn act_prefix(&self) -> bool {
        self.on.contains_key("act_prefix")
    }

    /// Whether exchanging a live long-lived token gives the same token and date back.
    pub fn renewal_ignored(&self) -> bool {
        self.on.contains_key("renewal_ignored")
    }

    /// The Marketing API Access Tier that is switched on; `None` leaves it to the meters.
    pub fn tier(&self) -> Option<Tier> {
        match self.on.get("tier") {
            Some(Scenario::Tier(tier)) => Some(*tier),
            _ => None,
        }
    }

    /// Whether asynchronous reports fail.
    pub fn report_failure(&self) -> bool {
        self.on.contains_key("report_failure")
    }

    /// The limit that every matching call runs into.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        match self.on.get("rate_limit") {
            Some(Scenario::RateLimit(limit)) => Some(*limit),
            _ => None,
        }
    }
}
