//! From the answered form to a grant and the way back.

use std::collections::BTreeSet;

use super::{
    Ask, DialogRequest,
    choices::{self, Granter, KINDS},
    redirect::{self, Success},
};
use crate::{
    login::{access::may_grant, permissions::AssetKind},
    world::{
        World,
        identity::{
            AppMode, Code, ConfigurationToken, PermissionState, Person, Picks, Reach, TokenKind, TokenLife,
        },
    },
};

/// The fields of the posted form.
pub struct Answer(pub Vec<(String, String)>);

impl Answer {
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The `error_code` with which Meta refuses whoever comes.
pub fn refused_before_login(world: &World, request: &DialogRequest) -> Option<i64> {
    let app = world.identity.apps.get(&request.app_id)?;
    world.scenarios.dialog_refusal().or_else(|| {
        request.permissions().iter().any(|name| !app.permissions.contains(name)).then_some(1_349_186)
    })
}

/// The `error_code` with which Meta refuses this person.
fn refused_person(world: &World, request: &DialogRequest, person: &Person) -> Option<i64> {
    let app = world.identity.apps.get(&request.app_id)?;
    let closed = app.mode == AppMode::Development || world.scenarios.app_in_development();
    if !closed || app.has_role(&person.id) {
        None
    } else if app.invited_testers.contains(&person.id) {
        Some(1_349_245)
    } else {
        Some(1_349_126)
    }
}

/// Asked permissions that the person declined at an earlier visit, and that are not asked for again.
pub fn declined_for_good<'r>(
    world: &'r World,
    request: &'r DialogRequest,
    person: &'r Person,
) -> impl Iterator<Item = &'r str> {
    let grant = world.identity.grant(&request.app_id, &person.id);
    let settled = matches!(request.ask, Ask::Permissions(_)) && !request.has_auth_type("rerequest");
    request
        .permissions()
        .iter()
        .filter(move |name| {
            settled && grant.and_then(|g| g.permissions.get(*name)) == Some(&PermissionState::Declined)
        })
        .map(String::as_str)
}

/// Carries out what the person answered and says where to go; an error is shown on the page again.
pub fn decide(world: &mut World, request: &DialogRequest, answer: &Answer) -> Result<String, &'static str> {
    match answer.one("action") {
        Some("cancel") => return Ok(redirect::cancelled(request)),
        Some("continue") => {}
        _ => return Err("Choose Continue or Cancel."),
    }
    let person = answer
        .one("person")
        .and_then(|id| world.identity.people.get(id))
        .cloned()
        .ok_or("Choose one of the people on the page.")?;
    if let Some(code) = refused_person(world, request, &person) {
        return Ok(redirect::refused(world, request, code));
    }
    let (kind, life) = match &request.ask {
        Ask::Configuration(configuration) => match configuration.token {
            ConfigurationToken::SystemUser { expires_in_60_days } => {
                let kind = grant_to_system_user(world, request, &person, answer)?;
                (kind, if expires_in_60_days { TokenLife::Long } else { TokenLife::Never })
            }
            ConfigurationToken::User => {
                (grant_to_person(world, request, &person, answer, true), TokenLife::Short)
            }
        },
        Ask::Permissions(_) => (grant_to_person(world, request, &person, answer, false), TokenLife::Short),
    };
    world.identity.signed_in = Some(person.id);
    Ok(succeed(world, request, kind, life))
}

fn grant_to_person(
    world: &mut World,
    request: &DialogRequest,
    person: &Person,
    answer: &Answer,
    all_or_nothing: bool,
) -> TokenKind {
    let now = world.clock.unix();
    let settled: Vec<String> = declined_for_good(world, request, person).map(str::to_owned).collect();
    let ticked: BTreeSet<&str> = answer.all("permission").collect();
    let personal = |name: &str| matches!(name, "public_profile" | "email");
    let open = may_grant(world, &request.app_id, Some(&person.id));
    let asked: Vec<&String> = request.permissions().iter().filter(|name| open || personal(name)).collect();
    let forced: Vec<String> = if all_or_nothing { Vec::new() } else { world.scenarios.declined().to_vec() };
    let picks = picks(world, Granter::Person(&person.id), answer, true);

    let grant = world.identity.grant_mut(&request.app_id, &person.id, now);
    let mut allowed: Vec<&str> = vec!["public_profile"];
    for name in asked {
        let held = matches!(grant.permissions.get(name), Some(PermissionState::Granted(_)));
        let said_no = forced.contains(name) || !ticked.contains(name.as_str()) && !held;
        if all_or_nothing || !settled.contains(name) && !said_no {
            allowed.push(name);
        } else {
            grant.permissions.insert(name.clone(), PermissionState::Declined);
        }
    }
    grant.allow(allowed, &picks);
    if now < grant.data_access_until || request.has_auth_type("reauthorize") {
        grant.renew_data_access(now);
    }
    TokenKind::User { person_id: person.id.clone() }
}

/// A system user gets just what was picked; a second consent of the same business replaces the first.
fn grant_to_system_user(
    world: &mut World,
    request: &DialogRequest,
    person: &Person,
    answer: &Answer,
) -> Result<TokenKind, &'static str> {
    let business = answer.one("business").ok_or("Choose the business portfolio that grants the access.")?;
    if !choices::portfolios(world, person).iter().any(|(id, _)| *id == business) {
        return Err("Choose a business portfolio over which the person has full control.");
    }
    let now = world.clock.unix();
    let mut picks = picks(world, Granter::Business(business), answer, false);
    let own = if world.scenarios.nothing_picked() {
        BTreeSet::new()
    } else {
        BTreeSet::from([business.to_owned()])
    };
    picks.insert(AssetKind::Business, Reach::Only(own));
    // A system user has no role on the app, whoever consents.
    let open = may_grant(world, &request.app_id, None);
    let granted: Vec<&str> = request
        .permissions()
        .iter()
        .map(String::as_str)
        .filter(|name| open && !matches!(*name, "public_profile" | "email"))
        .collect();
    let user = world.identity.system_user_for(&request.app_id, business);
    let grant = world.identity.grant_mut(&request.app_id, &user.id, now);
    grant.permissions.clear();
    grant.allow(granted, &picks);

    let picked = |kind| match picks.get(&kind) {
        Some(Reach::Only(ids)) => ids.clone(),
        _ => BTreeSet::new(),
    };
    let (accounts, pages) = (picked(AssetKind::AdAccount), picked(AssetKind::Page));
    for account in world.assets.ad_accounts.values_mut() {
        account.users.retain(|id| *id != user.id);
        if accounts.contains(&account.account_id) {
            account.users.push(user.id.clone());
        }
    }
    for page in world.assets.pages.values_mut() {
        page.users.remove(&user.id);
        if pages.contains(&page.id) {
            let tasks = ["ADVERTISE", "ANALYZE", "MANAGE"].map(str::to_owned).to_vec();
            page.users.insert(user.id.clone(), tasks);
        }
    }
    Ok(TokenKind::SystemUser { system_user_id: user.id, business_id: business.to_owned() })
}

/// What was ticked, kept to what the granter can hand out.
fn picks(world: &World, granter: Granter<'_>, answer: &Answer, all_allowed: bool) -> Picks {
    let mut picks = Picks::new();
    for (kind, field, _) in KINDS {
        if world.scenarios.nothing_picked() {
            picks.insert(kind, Reach::Only(BTreeSet::new()));
        } else if !all_allowed || answer.one(&format!("{field}_reach")) != Some("all") {
            let ticked: BTreeSet<&str> =
                answer.all(field).map(|id| id.strip_prefix("act_").unwrap_or(id)).collect();
            let ids = choices::assets(world, granter, kind)
                .into_iter()
                .map(|asset| asset.id)
                .filter(|id| ticked.contains(id.as_str()))
                .collect();
            picks.insert(kind, Reach::Only(ids));
        }
    }
    picks
}

fn succeed(world: &mut World, request: &DialogRequest, kind: TokenKind, life: TokenLife) -> String {
    let now = world.clock.unix();
    let subject = kind.subject().unwrap_or_default().to_owned();
    let grant = world.identity.grant_mut(&request.app_id, &subject, now);
    let (mut granted, mut denied) = (Vec::new(), Vec::new());
    for (name, state) in &grant.permissions {
        match state {
            PermissionState::Granted(_) => granted.push(name.clone()),
            PermissionState::Declined => denied.push(name.clone()),
        }
    }
    let data_access = grant.data_access_until;
    let mark = |nonce: &mut Option<String>, auth_type: &mut Option<String>| {
        nonce.clone_from(&request.auth_nonce);
        auth_type.clone_from(&request.auth_type);
    };
    let token = request.respond.token.then(|| {
        let token = world.identity.issue(&request.app_id, kind.clone(), life, now);
        if let Some(kept) = world.identity.tokens.get_mut(&token) {
            mark(&mut kept.auth_nonce, &mut kept.auth_type);
        }
        (token, life.seconds().unwrap_or(0), data_access)
    });
    let code = request.respond.code.then(|| {
        let mut code = Code {
            app_id: request.app_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            kind,
            life,
            issued_at: now,
            used: false,
            auth_nonce: None,
            auth_type: None,
        };
        mark(&mut code.auth_nonce, &mut code.auth_type);
        world.identity.keep_code(code)
    });
    redirect::succeeded(request, Success { code, token, granted, denied })
}
