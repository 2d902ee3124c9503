//! Pages. Source: graph-api/reference/page.

use serde_json::json;

use super::{Cell, Kind, Node, Route, Scope, node, time};
use crate::login;

/// What the Pages of a person show when no fields are named.
pub const OF_A_PERSON: &[&str] = &["access_token", "category", "category_list", "name", "id", "tasks"];

pub const ROUTES: &[Route] = &[node(Kind::Page)];

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let page = scope.world.assets.pages.get(&node.id)?;
    let subject = scope.caller.kind.subject();
    Some(match name {
        "name" => page.name.as_str().into(),
        "category" => page.category.as_str().into(),
        "category_list" => json!([{ "id": "2200", "name": page.category }]).into(),
        "access_token" => login::page_token(scope.world, scope.caller, &page.id)?.into(),
        "tasks" => {
            page.users.get(subject?)?;
            json!(login::tasks(scope.world, &page.id, subject)).into()
        }
        "link" => format!("https://www.facebook.com/{}", page.id).into(),
        "username" => page.name.to_lowercase().replace(' ', "").into(),
        "is_published" | "promotion_eligible" => true.into(),
        "is_webhooks_subscribed" => {
            scope.world.webhooks.page_fields(&page.id, &scope.caller.app_id).is_some().into()
        }
        "leadgen_tos_accepting_user" if !scope.world.scenarios.lead_terms_not_accepted() => {
            let person = page.users.keys().find_map(|id| scope.world.identity.people.get(id))?;
            json!({ "name": person.name, "id": person.id }).into()
        }
        "has_lead_access" => login::lead_access(scope.world, scope.caller, &page.id).to_json().into(),
        "fan_count" | "followers_count" => 1_200.into(),
        "verification_status" => "not_verified".into(),
        "business" => {
            let business = scope.world.identity.businesses.get(page.business_id.as_ref()?)?;
            json!({ "id": business.id, "name": business.name }).into()
        }
        "leadgen_tos_accepted" => (!scope.world.scenarios.lead_terms_not_accepted()).into(),
        "leadgen_tos_acceptance_time" if !scope.world.scenarios.lead_terms_not_accepted() => {
            time(page.terms_accepted).into()
        }
        _ => return None,
    })
}
