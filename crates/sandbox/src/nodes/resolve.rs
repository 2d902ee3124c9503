//! From the first path segment to a node the caller may read.

use super::{Kind, Node};
use crate::{
    login::{self, permissions::AssetKind},
    protocol::{Caller, GraphError, Method},
    world::{World, identity::TokenKind, objects::ObjectKind},
};

const ADS: &[&str] = &["ads_read", "ads_management"];
const PAGES: &[&str] = &[
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_ads",
    "pages_manage_metadata",
    "leads_retrieval",
    "business_management",
];
const CATALOGS: &[&str] = &["catalog_management", "ads_management", "business_management"];

/// The node a segment names, if the caller may touch it with this method.
pub fn resolve(world: &World, caller: &Caller, method: Method, segment: &str) -> Result<Node, GraphError> {
    let node = match segment {
        "me" => me(caller),
        _ => asset(world, segment).ok_or_else(|| for_method(unknown(segment), method))?,
    };
    let allowed =
        if method == Method::Get { may_read(world, caller, &node) } else { may_write(world, caller, &node) };
    allowed.map(|()| node).map_err(|error| for_method(error, method))
}

fn me(caller: &Caller) -> Node {
    match &caller.kind {
        TokenKind::User { person_id } => Node::new(Kind::User, person_id),
        TokenKind::Page { page_id, .. } => Node::new(Kind::Page, page_id),
        TokenKind::SystemUser { system_user_id, .. } => Node::new(Kind::SystemUser, system_user_id),
        TokenKind::App => Node::new(Kind::Application, &caller.app_id),
    }
}

/// The node an id stands for, whoever asks.
pub fn asset(world: &World, id: &str) -> Option<Node> {
    let assets = &world.assets;
    if let Some(account) = id.strip_prefix("act_") {
        return assets.ad_accounts.contains_key(account).then(|| Node::new(Kind::AdAccount, id));
    }
    if let Some((account, hash)) = id.split_once(':') {
        let key = (account.parse().ok()?, hash.to_owned());
        return world.objects.images.contains_key(&key).then(|| Node::new(Kind::AdImage, id));
    }
    let number: u64 = id.parse().ok()?;
    if let Some(object) = world.objects.get(number) {
        return Some(Node::new(kind_of(object.kind), id));
    }
    if world.objects.reports.contains_key(&number) {
        return Some(Node::new(Kind::ReportRun, id));
    }
    let kind = if assets.pages.contains_key(id) {
        Kind::Page
    } else if assets.pixels.contains_key(id) {
        Kind::Pixel
    } else if assets.catalogs.contains_key(id) {
        Kind::Catalog
    } else if assets.catalog_of_set(id).is_some() {
        Kind::ProductSet
    } else if world.leads.form(id).is_some() {
        Kind::LeadForm
    } else if super::lead::shown(world, number).is_some() {
        Kind::Lead
    } else if world.identity.businesses.contains_key(id) {
        Kind::Business
    } else if world.identity.people.contains_key(id) {
        Kind::User
    } else if world.identity.system_users.contains_key(id) {
        Kind::SystemUser
    } else if world.identity.apps.contains_key(id) || assets.applications.contains_key(id) {
        Kind::Application
    } else {
        return None;
    };
    Some(Node::new(kind, id))
}

pub fn kind_of(kind: ObjectKind) -> Kind {
    match kind {
        ObjectKind::Campaign => Kind::Campaign,
        ObjectKind::AdSet => Kind::AdSet,
        ObjectKind::Ad => Kind::Ad,
        ObjectKind::AdCreative => Kind::AdCreative,
        ObjectKind::AdVideo => Kind::AdVideo,
    }
}

/// A word is an alias nobody has; a number is an object nobody has.
fn unknown(segment: &str) -> GraphError {
    let looks_like_id =
        segment.strip_prefix("act_").unwrap_or(segment).bytes().all(|b| b.is_ascii_digit() || b == b':');
    if looks_like_id || segment.contains(':') {
        GraphError::unsupported_get(segment)
    } else {
        GraphError::new(803, format!("(#803) Some of the aliases you requested do not exist: {segment}"))
            .status(http::StatusCode::NOT_FOUND)
    }
}

fn for_method(mut error: GraphError, method: Method) -> GraphError {
    let verb = method.name().to_lowercase();
    error.message =
        error.message.replacen("Unsupported get request", &format!("Unsupported {verb} request"), 1);
    error
}

/// Whether the caller may read a node.
pub fn may_read(world: &World, caller: &Caller, node: &Node) -> Result<(), GraphError> {
    let require = |permissions: &[&str], kind, id: &str| login::require(world, caller, permissions, kind, id);
    let account = |number: u64| require(ADS, AssetKind::AdAccount, &format!("act_{number}"));
    match node.kind {
        Kind::AdAccount => account(node.number()),
        Kind::ReportRun => match world.objects.reports.get(&node.number()) {
            Some(report) if !report.has_expired(world.clock.unix()) => account(report.account),
            _ => Err(GraphError::unsupported_get(&node.id)),
        },
        Kind::AdImage => {
            account(node.id.split_once(':').and_then(|(a, _)| a.parse().ok()).unwrap_or_default())
        }
        Kind::Campaign | Kind::AdSet | Kind::Ad | Kind::AdCreative | Kind::AdVideo => {
            let number = world.objects.get(node.number()).map_or(0, |object| object.account);
            account(number).map_err(|error| {
                if error.subcode == Some(33) { GraphError::unsupported_get(&node.id) } else { error }
            })
        }
        Kind::Pixel => {
            let pixel = &world.assets.pixels[&node.id];
            let by_account =
                pixel.ad_accounts.iter().any(|id| require(ADS, AssetKind::AdAccount, id).is_ok());
            let by_business = pixel
                .business_id
                .as_ref()
                .is_some_and(|id| require(&["business_management"], AssetKind::Business, id).is_ok());
            if by_account || by_business { Ok(()) } else { Err(GraphError::unsupported_get(&node.id)) }
        }
        Kind::Page => match &caller.kind {
            TokenKind::Page { page_id, .. } if *page_id == node.id => Ok(()),
            _ => require(PAGES, AssetKind::Page, &node.id),
        },
        Kind::LeadForm => may_read(world, caller, &Node::new(Kind::Page, super::lead::page_of(world, node))),
        Kind::Lead => {
            let page =
                world.leads.get(node.number()).and_then(|lead| lead.form()).map_or("", |form| &form.page_id);
            login::require_leads(world, caller, page, &node.id)
        }
        Kind::Catalog => require(CATALOGS, AssetKind::Catalog, &node.id),
        Kind::ProductSet => {
            let catalog = world.assets.catalog_of_set(&node.id).map_or("", |catalog| &catalog.id);
            require(CATALOGS, AssetKind::Catalog, catalog)
        }
        Kind::Business => require(&["business_management"], AssetKind::Business, &node.id),
        Kind::User | Kind::SystemUser if caller.kind.subject() == Some(&node.id) => Ok(()),
        Kind::User => Err(GraphError::unsupported_get(&node.id)),
        Kind::SystemUser => {
            let business = world.identity.system_users.get(&node.id).map_or("", |user| &user.business_id);
            require(&["business_management"], AssetKind::Business, business)
        }
        Kind::Application => Ok(()),
    }
}

/// Whether the caller may change a node or create below it.
fn may_write(world: &World, caller: &Caller, node: &Node) -> Result<(), GraphError> {
    may_read(world, caller, node)?;
    let account = match node.kind {
        Kind::AdAccount => node.number(),
        Kind::Campaign | Kind::AdSet | Kind::Ad | Kind::AdCreative | Kind::AdVideo => {
            world.objects.get(node.number()).map_or(0, |object| object.account)
        }
        Kind::AdImage => node.id.split_once(':').and_then(|(a, _)| a.parse().ok()).unwrap_or_default(),
        _ => return Ok(()),
    };
    login::require(world, caller, &["ads_management"], AssetKind::AdAccount, &format!("act_{account}")).map_err(
        |error| match error.code {
            200 => GraphError::new(
                200,
                "(#200) The user hasn't authorized the application to perform this action: ads_management is missing",
            )
            .status(http::StatusCode::FORBIDDEN),
            _ => error,
        },
    )
}
