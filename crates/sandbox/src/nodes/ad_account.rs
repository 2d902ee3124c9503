//! Ad accounts. Source: marketing-api/reference/ad-account.

use adjoin_marketing::money;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Cell, Kind, List, Node, Request, Route, Scope, edge, insights, node, update, write};
use crate::{
    protocol::GraphError,
    world::{World, assets::AdAccount, identity::TokenKind},
};

pub const ROUTES: &[Route] = &[
    node(Kind::AdAccount),
    update(Kind::AdAccount, update_account),
    edge(Kind::AdAccount, "adspixels", |scope, node, _| {
        let number = bare(&node.id);
        Ok(List::nodes(
            scope
                .world
                .assets
                .pixels
                .values()
                .filter(|pixel| pixel.ad_accounts.iter().any(|id| id == number))
                .map(|pixel| Node::new(Kind::Pixel, &pixel.id))
                .collect(),
        ))
    }),
    edge(Kind::AdAccount, "promote_pages", |scope, node, _| {
        let account = account(scope, node);
        Ok(List::nodes(
            scope
                .world
                .assets
                .pages
                .values()
                .filter(|page| {
                    account.is_some_and(|account| {
                        page.business_id.is_some() && page.business_id == account.business_id
                            || account.users.iter().any(|user| page.users.contains_key(user))
                    })
                })
                .map(|page| Node::new(Kind::Page, &page.id))
                .collect(),
        ))
    }),
    edge(Kind::AdAccount, "minimum_budgets", |scope, node, _| {
        let currency = account(scope, node).map_or("USD", |account| account.currency.as_str());
        Ok(List::plain(vec![minimum_budgets(currency)]))
    }),
    edge(Kind::AdAccount, "assigned_users", |scope, node, _| {
        let users = account(scope, node).map_or(&[][..], |account| &account.users);
        let rows =
            users
                .iter()
                .map(|id| {
                    let name =
                        scope.world.identity.people.get(id).map(|person| person.name.as_str()).or_else(
                            || scope.world.identity.system_users.get(id).map(|user| user.name.as_str()),
                        );
                    json!({ "id": id, "name": name.unwrap_or_default(), "tasks": TASKS })
                })
                .collect();
        Ok(List::plain(rows))
    }),
    edge(Kind::AdAccount, "applications", |scope, _, _| {
        Ok(List::nodes(
            scope.world.assets.applications.keys().map(|id| Node::new(Kind::Application, id)).collect(),
        )
        .with_default(&["name", "id"]))
    }),
    edge(Kind::AdAccount, "insights", insights::list),
];

const TASKS: [&str; 4] = ["DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"];

fn bare(id: &str) -> &str {
    id.strip_prefix("act_").unwrap_or(id)
}

pub fn account<'a>(scope: Scope<'a>, node: &Node) -> Option<&'a AdAccount> {
    scope.world.assets.ad_accounts.get(bare(&node.id))
}

/// The least an ad set can spend a day, in minor units.
pub fn min_daily_budget(currency: &str) -> Value {
    minimum_budgets(currency)["min_daily_budget_imp"].clone()
}

/// Minor units. The dollar figures are the documented ones; other currencies are a rough multiple of them.
fn minimum_budgets(currency: &str) -> Value {
    let factor = match currency {
        "JPY" => 1.5,
        "EUR" => 0.95,
        _ => 1.0,
    };
    let amount = |cents: f64| (cents * factor).round();
    json!({
        "currency": currency,
        "min_daily_budget_imp": amount(100.0),
        "min_daily_budget_high_freq": amount(500.0),
        "min_daily_budget_low_freq": amount(4000.0),
        "min_daily_budget_video_views": amount(500.0),
    })
}

fn update_account(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let now = world.clock.unix();
    if params.has("spend_cap") || params.has("spend_cap_action") {
        world.meters.spend_cap(node.number(), now)?;
    }
    let cap = match params.text("spend_cap") {
        None => None,
        Some(text) => Some(text.parse::<f64>().ok().filter(|cap| *cap >= 0.0).ok_or_else(|| {
            GraphError::new(100, "(#100) Param spend_cap must be a number").blame(&["spend_cap"])
        })?),
    };
    if let Some(account) = world.assets.ad_accounts.get_mut(bare(&node.id)) {
        if let Some(name) = params.text("name") {
            account.name = name;
        }
        if let Some(cap) = cap {
            // Written in whole units of the currency, read in minor units.
            account.spend_cap = minor_units(cap, &account.currency);
        }
        for (name, slot) in [
            ("default_dsa_beneficiary", &mut account.default_dsa_beneficiary),
            ("default_dsa_payor", &mut account.default_dsa_payor),
        ] {
            if let Some(text) = params.text(name) {
                *slot = (!text.is_empty()).then_some(text);
            }
        }
    }
    write::updated(world, request, node)
}

/// Minor units in one whole unit.
pub fn units(currency: &str) -> f64 {
    match money::currency(currency).map_or(100, |currency| currency.offset) {
        1 => 1.0,
        _ => 100.0,
    }
}

/// Zero takes the cap away.
fn minor_units(amount: f64, currency: &str) -> Option<u64> {
    let offset = units(currency);
    let minor = (amount * offset).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (1.0..9e18).contains(&minor).then_some(minor as u64)
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let account = account(scope, node)?;
    let now = scope.world.clock.now();
    Some(match name {
        "account_id" => account.account_id.as_str().into(),
        "name" => account.name.as_str().into(),
        "account_status" => 1.into(),
        "currency" => account.currency.as_str().into(),
        "timezone_name" => account.timezone_name.as_str().into(),
        "timezone_id" => timezone_id(&account.timezone_name).into(),
        "timezone_offset_hours_utc" => offset_hours(&account.timezone_name, now).into(),
        "created_time" => super::time(account.created).into(),
        "business" | "owner_business" => return business(scope, account),
        "owner" => account
            .business_id
            .as_deref()
            .or_else(|| account.users.first().map(String::as_str))
            .unwrap_or_default()
            .into(),
        "business_name" => {
            return scope
                .world
                .identity
                .businesses
                .get(account.business_id.as_ref()?)
                .map(|b| b.name.as_str().into());
        }
        "amount_spent" | "balance" => "0".into(),
        "spend_cap" => account.spend_cap.unwrap_or(0).to_string().into(),
        "min_daily_budget" => min_daily_budget(&account.currency).into(),
        "min_campaign_group_spend_cap" => {
            minor_units(100.0, &account.currency).unwrap_or(0).to_string().into()
        }
        "default_dsa_beneficiary" => account.default_dsa_beneficiary.as_deref()?.into(),
        "default_dsa_payor" => account.default_dsa_payor.as_deref()?.into(),
        "disable_reason" | "tax_id_status" | "fb_entity" => 0.into(),
        "is_personal" => i64::from(account.business_id.is_none()).into(),
        "is_prepay_account" | "is_notifications_enabled" | "has_migrated_permissions" => {
            (name == "has_migrated_permissions").into()
        }
        "age" => {
            #[expect(clippy::cast_precision_loss, reason = "an age in days")]
            let days = (now.as_second() - account.created) as f64 / 86_400.0;
            days.into()
        }
        "user_tasks" => json!(TASKS).into(),
        "capabilities" => json!(["CAN_CREATE_CALL_ADS", "CAN_USE_REACH_AND_FREQUENCY"]).into(),
        "tos_accepted" | "user_tos_accepted" => json!({ "web_custom_audience_tos": 1 }).into(),
        _ => return None,
    })
}

fn business(scope: Scope<'_>, account: &AdAccount) -> Option<Cell> {
    let id = account.business_id.as_ref()?;
    let known = matches!(scope.caller.kind, TokenKind::User { .. } | TokenKind::SystemUser { .. });
    known.then(|| {
        let business = scope.world.identity.businesses.get(id)?;
        // Name and id show even where the portfolio itself cannot be read.
        Some(Cell::Value(json!({ "id": business.id, "name": business.name })))
    })?
}

/// Meta's number for a time zone; only those of the seeded accounts.
fn timezone_id(name: &str) -> i64 {
    match name {
        "America/Los_Angeles" => 1,
        "America/New_York" => 7,
        "Asia/Tokyo" => 77,
        "Europe/Berlin" => 47,
        _ => 0,
    }
}

fn offset_hours(name: &str, now: Timestamp) -> f64 {
    let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
    f64::from(zone.to_offset(now).seconds()) / 3600.0
}
