//! Lead forms. Source: graph-api/reference/page/leadgen_forms.

use serde_json::json;

use super::{Cell, Kind, Node, Route, Scope, node};

pub const ROUTES: &[Route] = &[node(Kind::LeadForm)];

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let (page, form) = scope.world.assets.lead_form(&node.id)?;
    Some(match name {
        "name" => form.name.as_str().into(),
        "locale" => form.locale.as_str().into(),
        "status" => form.status.as_str().into(),
        "page_id" => page.id.as_str().into(),
        "page" => return Some(Cell::Node(Node::new(Kind::Page, &page.id), &[])),
        "leads_count" => 0.into(),
        "questions" => json!([
            { "key": "full_name", "label": "Full name", "type": "FULL_NAME" },
            { "key": "email", "label": "Email", "type": "EMAIL" },
        ])
        .into(),
        "privacy_policy_url" => format!("https://example.com/privacy/{}", page.id).into(),
        _ => return None,
    })
}
