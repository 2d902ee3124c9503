use super::permissions::AssetKind;
use crate::{
    protocol::{Caller, GraphError},
    world::{World, identity::TokenKind},
};

/// Refuses a caller that may not touch `asset_id` (ad accounts with or without `act_`) with any of the
/// permissions `any_of`. The order is that of Meta's gates: is the app let at strangers' assets at all, was a
/// permission granted, does the grant reach this asset, can the subject itself use the asset.
pub fn require(
    world: &World,
    caller: &Caller,
    any_of: &[&str],
    kind: AssetKind,
    asset_id: &str,
) -> Result<(), GraphError> {
    let bare = asset_id.strip_prefix("act_").unwrap_or(asset_id);
    if !open_to_strangers(world, caller) {
        return Err(GraphError::unsupported_get(asset_id));
    }
    if !any_of.iter().any(|permission| caller.has(permission)) {
        return Err(missing_permission(kind, any_of));
    }
    let reached = any_of.iter().any(|permission| caller.reaches(permission, bare));
    let usable = caller.kind.subject().is_some_and(|subject| can_use(world, subject, kind, bare));
    if reached && usable { Ok(()) } else { Err(GraphError::unsupported_get(asset_id)) }
}

/// Without Access Verification (Tech Provider) only people with a role on the app get answers.
fn open_to_strangers(world: &World, caller: &Caller) -> bool {
    let Some(app) = world.identity.apps.get(&caller.app_id) else { return false };
    let verified = app.tech_provider && !world.scenarios.tech_provider_missing();
    verified || caller.kind.subject().is_some_and(|subject| app.has_role(subject))
}

fn can_use(world: &World, subject: &str, kind: AssetKind, id: &str) -> bool {
    let assets = &world.assets;
    let administers = |business: &str| {
        world.identity.businesses.get(business).is_some_and(|b| b.admins.iter().any(|a| a == subject))
            || world.identity.system_users.get(subject).is_some_and(|u| u.business_id == business)
    };
    match kind {
        AssetKind::AdAccount => {
            assets.ad_accounts.get(id).is_some_and(|account| account.users.iter().any(|u| u == subject))
        }
        AssetKind::Page => assets.pages.get(id).is_some_and(|page| page.users.contains_key(subject)),
        AssetKind::Business => administers(id),
        AssetKind::Catalog => {
            assets.catalogs.get(id).is_some_and(|catalog| administers(&catalog.business_id))
        }
    }
}

/// What Meta says to a missing permission depends on the asset that was asked for.
fn missing_permission(kind: AssetKind, any_of: &[&str]) -> GraphError {
    match kind {
        AssetKind::AdAccount => GraphError::new(
            200,
            "(#200) Ad account owner has NOT grant ads_management or ads_read permission",
        )
        .status(http::StatusCode::FORBIDDEN),
        AssetKind::Page => GraphError::new(
            10,
            format!("(#10) This endpoint requires the '{}' permission to be granted.", any_of.join("' or '")),
        )
        .status(http::StatusCode::FORBIDDEN),
        AssetKind::Business | AssetKind::Catalog => GraphError::new(100, "(#100) Missing permissions"),
    }
}

/// The token of a Page, derived from the caller's user or system-user token; `None` when the caller's subject
/// has no role on the Page. Its `appsecret_proof` is its own.
pub fn page_token(world: &World, caller: &Caller, page_id: &str) -> Option<String> {
    let page = world.assets.pages.get(page_id)?;
    if matches!(&caller.kind, TokenKind::Page { page_id: own, .. } if own == page_id) {
        return Some(caller.token.clone());
    }
    let kept = world.identity.tokens.get(&caller.token)?;
    page.users.contains_key(kept.kind.subject()?).then_some(())?;
    Some(world.identity.minter.page_token(kept.serial, page_id.parse().ok()?))
}

/// The business a system-user token belongs to, for `/me?fields=client_business_id`.
pub fn client_business_id(caller: &Caller) -> Option<&str> {
    match &caller.kind {
        TokenKind::SystemUser { business_id, .. } => Some(business_id),
        _ => None,
    }
}

/// Whether `person` and the app may be shown permissions beyond the profile: Advanced Access, or a role.
pub fn may_grant(world: &World, app_id: &str, person: Option<&str>) -> bool {
    world.identity.apps.get(app_id).is_some_and(|app| {
        let advanced =
            app.access == crate::world::identity::AccessLevel::Advanced && !world.scenarios.standard_access();
        advanced || person.is_some_and(|person| app.has_role(person))
    })
}

/// The caller's app and subject for calls that only a developer of the app or the app itself may make.
pub fn acts_for_app(world: &World, caller: &Caller) -> bool {
    caller.kind == TokenKind::App
        || caller.kind.subject().is_some_and(|subject| {
            world.identity.apps.get(&caller.app_id).is_some_and(|app| app.has_role(subject))
        })
}
