//! Who may read the leads of a Page, and why not. Source: lead-ads/retrieving; `has_lead_access` of the Page.

use serde_json::{Value, json};

use super::{access, permissions::AssetKind};
use crate::{
    protocol::{Caller, GraphError},
    world::{World, identity::AppMode},
};

/// The parts of `has_lead_access`.
#[derive(Debug)]
pub struct LeadAccess {
    user_id: Option<String>,
    page_id: String,
    app_has_leads_permission: bool,
    user_has_leads_permission: bool,
    is_page_admin: bool,
    enabled_lead_access_manager: bool,
    /// Why not, and what to do about it. Meta's wording is not documented.
    failure: Option<(&'static str, &'static str)>,
}

impl LeadAccess {
    pub fn is_given(&self) -> bool {
        self.failure.is_none()
    }

    pub fn to_json(&self) -> Value {
        let mut told = json!({
            "page_id": self.page_id,
            "app_has_leads_permission": self.app_has_leads_permission,
            "user_has_leads_permission": self.user_has_leads_permission,
            "is_page_admin": self.is_page_admin,
            "enabled_lead_access_manager": self.enabled_lead_access_manager,
            "can_access_lead": self.is_given(),
        });
        if let Some(user) = &self.user_id {
            told["user_id"] = user.as_str().into();
        }
        if let Some((reason, resolution)) = self.failure {
            told["failure_reason"] = reason.into();
            told["failure_resolution"] = resolution.into();
        }
        told
    }
}

/// What a caller may do with the leads of a Page.
pub fn lead_access(world: &World, caller: &Caller, page_id: &str) -> LeadAccess {
    let subject = caller.kind.subject();
    let scenarios = &world.scenarios;
    let live = world.identity.apps.get(&caller.app_id).is_some_and(|app| app.mode == AppMode::Live)
        && !scenarios.app_in_development();
    let app_has_leads_permission = live && access::may_grant(world, &caller.app_id, subject);
    let user_has_leads_permission = !scenarios.leads_permission_missing()
        && ["leads_retrieval", "pages_manage_ads"].iter().all(|name| caller.reaches(name, page_id));
    let kept_out = scenarios.leads_access_refused(page_id);
    let failure = if !live {
        Some(("The app is in development mode.", "Switch the app to Live mode in the App Dashboard."))
    } else if !app_has_leads_permission {
        Some((
            "The app does not have Advanced Access to leads_retrieval.",
            "Submit leads_retrieval and pages_manage_ads for App Review.",
        ))
    } else if !user_has_leads_permission {
        Some((
            "The user has not granted the leads_retrieval permission.",
            "Log in again and grant leads_retrieval and pages_manage_ads for this Page.",
        ))
    } else if !has_task(world, page_id, subject, &["ADVERTISE"]) {
        Some((
            "The user does not have the ADVERTISE task on the Page.",
            "Ask an admin of the Page for the task Ads.",
        ))
    } else if kept_out {
        Some((
            "CRM access has been revoked from Lead Access Manager",
            "Please make sure your CRM is added in the Lead Access Manager setting for the page.",
        ))
    } else {
        None
    };
    LeadAccess {
        user_id: subject.map(str::to_owned),
        page_id: page_id.to_owned(),
        app_has_leads_permission,
        user_has_leads_permission,
        is_page_admin: has_task(world, page_id, subject, &["MANAGE"]),
        enabled_lead_access_manager: kept_out,
        failure,
    }
}

/// Refuses a caller that may not read the leads behind `id`: to such a caller they do not exist.
pub fn require_leads(world: &World, caller: &Caller, page_id: &str, id: &str) -> Result<(), GraphError> {
    let on_page = access::require(world, caller, &["leads_retrieval"], AssetKind::Page, page_id).is_ok();
    if on_page && lead_access(world, caller, page_id).is_given() {
        Ok(())
    } else {
        Err(GraphError::unsupported_get(id))
    }
}

/// Whether a person or system user has one of these tasks on a Page.
pub fn has_task(world: &World, page_id: &str, subject: Option<&str>, any_of: &[&str]) -> bool {
    tasks(world, page_id, subject).iter().any(|task| any_of.contains(task))
}

/// The tasks of a person or system user on a Page.
pub fn tasks<'w>(world: &'w World, page_id: &str, subject: Option<&str>) -> Vec<&'w str> {
    subject
        .and_then(|subject| world.assets.pages.get(page_id)?.users.get(subject))
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|task| !world.scenarios.task_is_missing(task))
        .collect()
}
