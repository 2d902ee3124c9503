//! Pixels (datasets). Source: marketing-api/reference/ads-pixel.

use serde_json::json;

use super::{Cell, Kind, Node, Route, Scope, node, time};

pub const ROUTES: &[Route] = &[node(Kind::Pixel)];

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let pixel = scope.world.assets.pixels.get(&node.id)?;
    Some(match name {
        "name" => pixel.name.as_str().into(),
        "creation_time" => time(pixel.created).into(),
        "last_fired_time" => time(scope.world.clock.unix() - 3600).into(),
        "is_unavailable" => false.into(),
        // Every pixel of today is a dataset, which takes offline and CRM events too.
        "is_created_by_business" | "is_consolidated_container" => true.into(),
        "owner_ad_account" => {
            json!({ "account_id": pixel.ad_accounts.first()?, "id": format!("act_{}", pixel.ad_accounts.first()?) }).into()
        }
        "owner_business" => {
            let business = scope.world.identity.businesses.get(pixel.business_id.as_ref()?)?;
            json!({ "id": business.id, "name": business.name }).into()
        }
        _ => return None,
    })
}
