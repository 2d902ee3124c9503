//! What the dialog's pages show.

use askama::Template;
use http::StatusCode;

use super::{
    Ask, DialogRequest,
    choices::{self, Granter, KINDS},
    consent::declined_for_good,
};
use crate::{
    login::permissions::{self, AssetKind},
    world::{
        World,
        identity::{ConfigurationToken, PermissionState, Person, Reach},
    },
};

/// Facebook's own page: a refusal that goes nowhere.
#[derive(Debug, Template)]
#[template(path = "login/own.html")]
pub struct Own {
    pub status: StatusCode,
    pub title: &'static str,
    pub message: &'static str,
    pub details: Vec<(&'static str, String)>,
    pub next: Option<&'static str>,
}

impl Own {
    pub fn new(title: &'static str, message: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title, message, details: Vec::new(), next: None }
    }

    #[must_use]
    pub fn detail(mut self, label: &'static str, value: &str) -> Self {
        self.details.push((label, value.to_owned()));
        self
    }

    #[must_use]
    pub fn next(mut self, next: &'static str) -> Self {
        self.next = Some(next);
        self
    }
}

/// The consent page.
#[derive(Debug, Template)]
#[template(path = "login/consent.html")]
pub struct Consent {
    pub app_name: String,
    pub dialog_id: String,
    pub person: PersonRow,
    pub people: Vec<PersonRow>,
    /// Portfolios to choose from; only when a portfolio grants.
    pub portfolios: Vec<Portfolio>,
    /// The portfolio that grants, for a system user.
    pub portfolio: Option<Portfolio>,
    pub system_user: bool,
    pub configuration: Option<String>,
    pub permissions: Vec<PermissionRow>,
    pub assets: Vec<AssetGroup>,
    /// What scenarios will do to this consent.
    pub notices: Vec<String>,
    pub problem: Option<String>,
    pub details: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub struct PersonRow {
    pub id: String,
    pub name: String,
    pub first_name: String,
    pub email: String,
    pub initials: String,
    pub has_role: bool,
    pub current: bool,
}

#[derive(Debug, Clone)]
pub struct Portfolio {
    pub id: String,
    pub name: String,
    pub current: bool,
}

#[derive(Debug)]
pub struct PermissionRow {
    pub name: String,
    pub what: String,
    pub state: RowState,
}

#[derive(Debug, PartialEq, Eq)]
pub enum RowState {
    /// Part of every login or of a configuration: there is no box to untick.
    Required,
    Asked {
        ticked: bool,
    },
    Granted,
    /// Declined earlier and not asked again.
    Declined,
}

#[derive(Debug)]
pub struct AssetGroup {
    pub field: &'static str,
    pub legend: &'static str,
    /// A person may hand out all of them, now and later.
    pub all_offered: bool,
    pub all: bool,
    pub rows: Vec<AssetRow>,
}

#[derive(Debug)]
pub struct AssetRow {
    pub id: String,
    pub name: String,
    pub detail: String,
    pub ticked: bool,
}

impl PersonRow {
    fn new(world: &World, request: &DialogRequest, person: &Person, current: bool) -> Self {
        Self {
            id: person.id.clone(),
            name: person.name.clone(),
            first_name: person.name.split(' ').next().unwrap_or_default().to_owned(),
            email: person.email.clone(),
            initials: person.name.split(' ').filter_map(|word| word.chars().next()).take(2).collect(),
            has_role: world.identity.apps.get(&request.app_id).is_some_and(|app| app.has_role(&person.id)),
            current,
        }
    }
}

/// The consent page for a person, and for a portfolio where one grants.
pub fn consent(
    world: &World,
    dialog_id: &str,
    request: &DialogRequest,
    person: &Person,
    business: Option<&str>,
    problem: Option<String>,
) -> Consent {
    let system_user = request.is_system_user();
    let mut portfolios: Vec<Portfolio> = Vec::new();
    if system_user {
        let found = choices::portfolios(world, person);
        let chosen = business
            .filter(|id| found.iter().any(|(known, _)| known == id))
            .or(found.first().map(|(id, _)| *id))
            .map(str::to_owned);
        portfolios = found
            .into_iter()
            .map(|(id, name)| Portfolio {
                id: id.to_owned(),
                name: name.to_owned(),
                current: chosen.as_deref() == Some(id),
            })
            .collect();
    }
    let portfolio = portfolios.iter().find(|p| p.current).cloned();
    let app_name = world.identity.apps.get(&request.app_id).map_or("", |app| &app.name).to_owned();
    Consent {
        app_name,
        dialog_id: dialog_id.to_owned(),
        person: PersonRow::new(world, request, person, true),
        people: world
            .identity
            .people
            .values()
            .map(|other| PersonRow::new(world, request, other, other.id == person.id))
            .collect(),
        configuration: match &request.ask {
            Ask::Configuration(configuration) => Some(configuration.name.clone()),
            Ask::Permissions(_) => None,
        },
        permissions: permission_rows(world, request, person),
        assets: asset_groups(world, request, person, portfolio.as_ref()),
        notices: notices(world),
        problem,
        details: details(request),
        portfolios,
        portfolio,
        system_user,
    }
}

fn permission_rows(world: &World, request: &DialogRequest, person: &Person) -> Vec<PermissionRow> {
    let declined: Vec<&str> = declined_for_good(world, request, person).collect();
    let grant = world.identity.grant(&request.app_id, &person.id);
    let all_or_nothing = matches!(request.ask, Ask::Configuration(_));
    let always = (!request.is_system_user()).then_some("public_profile");
    let mut rows: Vec<PermissionRow> = Vec::new();
    for name in always.into_iter().chain(request.permissions().iter().map(String::as_str)) {
        if rows.iter().any(|row| row.name == name) {
            continue;
        }
        let held = grant.and_then(|g| g.permissions.get(name));
        let state = if name == "public_profile" || all_or_nothing {
            RowState::Required
        } else if matches!(held, Some(PermissionState::Granted(_))) {
            RowState::Granted
        } else if declined.contains(&name) {
            RowState::Declined
        } else {
            RowState::Asked { ticked: !world.scenarios.declined().iter().any(|d| d == name) }
        };
        let what = permissions::find(name).map_or("", |permission| permission.what.as_str()).to_owned();
        rows.push(PermissionRow { name: name.to_owned(), what, state });
    }
    rows
}

fn asset_groups(
    world: &World,
    request: &DialogRequest,
    person: &Person,
    portfolio: Option<&Portfolio>,
) -> Vec<AssetGroup> {
    let system_user = request.is_system_user();
    let granter = match portfolio {
        Some(portfolio) => Granter::Business(&portfolio.id),
        None if system_user => return Vec::new(),
        None => Granter::Person(&person.id),
    };
    let grant = world.identity.grant(&request.app_id, &person.id).filter(|_| !system_user);
    KINDS
        .into_iter()
        .filter(|(kind, ..)| choices::wanted(request.permissions(), *kind))
        .filter(|(kind, ..)| !(system_user && *kind == AssetKind::Business))
        .map(|(kind, field, legend)| {
            let before = grant.and_then(|grant| {
                grant.permissions.iter().find_map(|(name, state)| match state {
                    PermissionState::Granted(reach) if permissions::asset_kind(name) == Some(kind) => {
                        Some(reach)
                    }
                    _ => None,
                })
            });
            let nothing = world.scenarios.nothing_picked();
            let rows = choices::assets(world, granter, kind)
                .into_iter()
                .map(|asset| AssetRow {
                    ticked: !nothing
                        && match before {
                            Some(Reach::Only(ids)) => ids.contains(&asset.id),
                            _ => true,
                        },
                    id: asset.id,
                    name: asset.name,
                    detail: asset.detail,
                })
                .collect();
            AssetGroup {
                field,
                legend,
                all_offered: !system_user,
                all: !nothing && before == Some(&Reach::All),
                rows,
            }
        })
        .collect()
}

fn notices(world: &World) -> Vec<String> {
    ["declined", "nothing_picked", "app_in_development", "standard_access"]
        .into_iter()
        .filter_map(|name| world.scenarios.get(name))
        .map(ToString::to_string)
        .collect()
}

fn details(request: &DialogRequest) -> Vec<(&'static str, String)> {
    let mut details =
        vec![("client_id", request.app_id.clone()), ("redirect_uri", request.redirect_uri.clone())];
    if let Ask::Configuration(configuration) = &request.ask {
        details.push(("config_id", configuration.id.clone()));
        let token = match configuration.token {
            ConfigurationToken::User => "user access token",
            ConfigurationToken::SystemUser { expires_in_60_days: true } => {
                "system user access token, 60 days"
            }
            ConfigurationToken::SystemUser { expires_in_60_days: false } => {
                "system user access token, never expires"
            }
        };
        details.push(("token", token.to_owned()));
    }
    let mut respond = Vec::new();
    for (on, word) in [
        (request.respond.code, "code"),
        (request.respond.token, "token"),
        (request.respond.granted_scopes, "granted_scopes"),
    ] {
        if on {
            respond.push(word);
        }
    }
    details.push(("response_type", respond.join(" ")));
    for (label, value) in [("auth_type", &request.auth_type), ("auth_nonce", &request.auth_nonce)] {
        if let Some(value) = value {
            details.push((label, value.clone()));
        }
    }
    if request.challenge_dropped {
        details.push(("code_challenge", "dropped, as Meta does: send no code_verifier".to_owned()));
    }
    details
}
