//! What there is to pick.

use crate::{
    login::permissions::{AssetKind, asset_kind},
    world::{World, identity::Person},
};

/// Kinds in the order of the page, with the form's field and a heading.
pub const KINDS: [(AssetKind, &str, &str); 4] = [
    (AssetKind::Business, "business", "Business portfolios"),
    (AssetKind::AdAccount, "ad_account", "Ad accounts"),
    (AssetKind::Page, "page", "Pages"),
    (AssetKind::Catalog, "catalog", "Product catalogs"),
];

/// Something that can be ticked.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    pub id: String,
    pub name: String,
    pub detail: String,
}

/// Who grants: a person for themselves, or a portfolio through one of its admins.
#[derive(Debug, Clone, Copy)]
pub enum Granter<'a> {
    Person(&'a str),
    Business(&'a str),
}

/// Whether one of the permissions is given for assets of this kind.
pub fn wanted(permissions: &[String], kind: AssetKind) -> bool {
    permissions.iter().any(|name| asset_kind(name) == Some(kind))
}

/// The portfolios a person administers: id and name.
pub fn portfolios<'w>(world: &'w World, person: &Person) -> Vec<(&'w str, &'w str)> {
    world
        .identity
        .businesses
        .values()
        .filter(|business| business.admins.contains(&person.id))
        .map(|business| (business.id.as_str(), business.name.as_str()))
        .collect()
}

/// The assets of a kind that the granter can hand out.
pub fn assets(world: &World, granter: Granter<'_>, kind: AssetKind) -> Vec<Asset> {
    let administered = |business: &str| match granter {
        Granter::Business(id) => id == business,
        Granter::Person(person) => {
            world.identity.businesses.get(business).is_some_and(|b| b.admins.iter().any(|a| a == person))
        }
    };
    let of_business = |owner: &Option<String>, clients: &[String], id: &str| {
        owner.as_deref() == Some(id) || clients.iter().any(|client| client == id)
    };
    match kind {
        AssetKind::AdAccount => world
            .assets
            .ad_accounts
            .values()
            .filter(|account| match granter {
                Granter::Person(person) => account.users.iter().any(|user| user == person),
                Granter::Business(id) => of_business(&account.business_id, &account.client_businesses, id),
            })
            .map(|account| Asset {
                id: account.account_id.clone(),
                name: account.name.clone(),
                detail: format!(
                    "act_{} · {} · {}",
                    account.account_id, account.currency, account.timezone_name
                ),
            })
            .collect(),
        AssetKind::Page => world
            .assets
            .pages
            .values()
            .filter(|page| match granter {
                Granter::Person(person) => page.users.contains_key(person),
                Granter::Business(id) => of_business(&page.business_id, &page.client_businesses, id),
            })
            .map(|page| Asset {
                id: page.id.clone(),
                name: page.name.clone(),
                detail: format!("{} · {}", page.id, page.category),
            })
            .collect(),
        AssetKind::Business => world
            .identity
            .businesses
            .values()
            .filter(|business| administered(&business.id))
            .map(|business| Asset {
                id: business.id.clone(),
                name: business.name.clone(),
                detail: business.id.clone(),
            })
            .collect(),
        AssetKind::Catalog => world
            .assets
            .catalogs
            .values()
            .filter(|catalog| administered(&catalog.business_id))
            .map(|catalog| Asset {
                id: catalog.id.clone(),
                name: catalog.name.clone(),
                detail: catalog.id.clone(),
            })
            .collect(),
    }
}
