//! Pages. Source: graph-api/reference/page.

use serde_json::json;

use super::{Cell, Kind, List, Node, Route, Scope, edge, node};
use crate::{login, protocol::GraphError};

/// What the Pages of a person show when no fields are named.
pub const OF_A_PERSON: &[&str] = &["access_token", "category", "category_list", "name", "id", "tasks"];

pub const ROUTES: &[Route] = &[
    node(Kind::Page),
    edge(Kind::Page, "leadgen_forms", |scope, node, _| {
        let manages = ["pages_manage_ads", "leads_retrieval", "ads_management"];
        if !manages.iter().any(|permission| scope.caller.has(permission)) {
            return Err(GraphError::new(
                200,
                "(#200) Requires pages_manage_ads permission to manage the object",
            )
            .status(http::StatusCode::FORBIDDEN));
        }
        let forms =
            scope.world.assets.pages.get(&node.id).into_iter().flat_map(|page| page.lead_forms.values());
        Ok(List::nodes(forms.map(|form| Node::new(Kind::LeadForm, &form.id)).collect()))
    }),
];

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let page = scope.world.assets.pages.get(&node.id)?;
    let subject = scope.caller.kind.subject();
    Some(match name {
        "name" => page.name.as_str().into(),
        "category" => page.category.as_str().into(),
        "category_list" => json!([{ "id": "2200", "name": page.category }]).into(),
        "access_token" => login::page_token(scope.world, scope.caller, &page.id)?.into(),
        "tasks" => json!(page.users.get(subject?)?).into(),
        "link" => format!("https://www.facebook.com/{}", page.id).into(),
        "username" => page.name.to_lowercase().replace(' ', "").into(),
        "is_published" | "is_webhooks_subscribed" => (name == "is_published").into(),
        "fan_count" | "followers_count" => 1_200.into(),
        "verification_status" => "not_verified".into(),
        "business" => {
            let business = scope.world.identity.businesses.get(page.business_id.as_ref()?)?;
            json!({ "id": business.id, "name": business.name }).into()
        }
        "leadgen_tos_accepted" | "promotion_eligible" => true.into(),
        _ => return None,
    })
}
