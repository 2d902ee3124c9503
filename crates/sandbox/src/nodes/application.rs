//! Apps, as what a mobile app campaign promotes. Source: graph-api/reference/application.

use serde_json::json;

use super::{Cell, Kind, Node, Route, Scope, node};

pub const ROUTES: &[Route] = &[node(Kind::Application)];

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let promoted = scope.world.assets.applications.get(&node.id);
    let app = scope.world.identity.apps.get(&node.id);
    Some(match name {
        "name" => promoted.map(|a| &a.name).or(app.map(|a| &a.name))?.as_str().into(),
        "category" => promoted.map_or("Business", |a| a.category.as_str()).into(),
        "link" => format!("https://www.facebook.com/games/?app_id={}", node.id).into(),
        "object_store_urls" => json!(promoted?.store_urls).into(),
        "supported_platforms" => {
            let platforms: Vec<&str> = promoted?
                .store_urls
                .keys()
                .map(|store| if store == "google_play" { "ANDROID" } else { "IPHONE" })
                .collect();
            json!(platforms).into()
        }
        _ => return None,
    })
}
