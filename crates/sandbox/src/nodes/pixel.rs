//! Pixels (datasets). Source: marketing-api/reference/ads-pixel.

use serde_json::{Value, json};

use super::{Cell, Kind, Node, Request, Route, Scope, create, node, time, write};
use crate::{
    protocol::GraphError,
    world::{World, assets::Pixel},
};

pub const ROUTES: &[Route] = &[node(Kind::Pixel), create(Kind::AdAccount, "adspixels", create_pixel)];

/// A pixel of the ad account, and of the business that owns the account.
fn create_pixel(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let name = request.params().text("name").filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| write::required("name"))?;
    let number = account.number().to_string();
    let business_id = world.assets.ad_accounts.get(&number).and_then(|account| account.business_id.clone());
    let numbers = world.assets.pixels.keys().filter_map(|id| id.parse::<u64>().ok());
    let id = (numbers.max().unwrap_or_default() + 1).to_string();
    let created = world.clock.unix();
    let pixel = Pixel { id: id.clone(), name, business_id, ad_accounts: vec![number], created };
    world.assets.pixels.insert(id.clone(), pixel);
    Ok(json!({ "id": id }))
}

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
