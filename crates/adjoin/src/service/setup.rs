//! Connector Library > Facebook Marketing API > Setup: the partner's Meta app.

use adjoin_graph::{Graph, oauth};
use adjoin_marketing::{
    errors::Class,
    permissions,
    versions::{self, Standing},
};
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    App, Error, Fault, MetaError, Result, Who, connections, consent::refused_exchange, subscriptions,
};
use crate::{
    audit::Actor,
    store::{
        Json, Tx, audit,
        connectors::{self, Connector, FACEBOOK_MARKETING},
    },
    time::Timestamp,
};

/// The partner's Meta app as it is set up. It never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setup {
    /// The App ID.
    pub client_id: String,
    /// The app's name at Meta, as people see it when they consent.
    pub app_name: Option<String>,
    pub login: Login,
    /// Ids of the use cases whose permissions consent asks for.
    pub use_cases: Vec<String>,
    /// Permissions asked for beyond those of the use cases.
    pub extra_permissions: Vec<String>,
    /// Used for the dialog, tokens and calls alike.
    pub graph_version: String,
    /// Consent goes over the redirect URI that names the partner.
    pub keyed_redirect_uri: bool,
    /// Why another version should be chosen soon.
    pub version_warning: Option<String>,
    /// When Meta last accepted the id and secret.
    pub verified_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How people log in at Meta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Login {
    /// Facebook Login: the dialog asks for a list of permissions, and people may untick some.
    Facebook,
    /// Facebook Login for Business: a configuration saved at Meta stands for its permissions, all or none.
    Business { configurations: Vec<LoginConfiguration> },
}

/// A Login for Business configuration, as it was saved at Meta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginConfiguration {
    /// The Configuration ID that Meta shows.
    pub id: String,
    /// The use cases whose permissions it holds.
    pub use_cases: Vec<String>,
    pub token: LoginToken,
}

/// What kind of token a configuration yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginToken {
    /// Tied to the person; about 60 days.
    User,
    /// Tied to the customer's business portfolio; never expires by default.
    SystemUser,
}

/// What the setup form and the API send.
#[derive(Debug)]
pub struct NewSetup {
    /// The App ID.
    pub client_id: String,
    /// The App Secret; `None` keeps the one that is stored.
    pub client_secret: Option<SecretString>,
    pub login: Login,
    pub use_cases: Vec<String>,
    pub extra_permissions: Vec<String>,
    /// `None`: the newest version that is live.
    pub graph_version: Option<String>,
    /// Use `/connector/callback/{partner-key}`, which must then be registered at Meta. `None` leaves it as it is.
    pub keyed_redirect_uri: Option<bool>,
}

/// What a call in the app's own name needs.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Client ID and Client Secret.
    pub app: oauth::App,
    pub graph_version: String,
}

impl Setup {
    fn at(row: Connector, now: Timestamp) -> Self {
        Self {
            version_warning: version_warning(&row.graph_version, now),
            client_id: row.client_id,
            app_name: row.app_name,
            login: row.login.0,
            use_cases: row.use_cases.0,
            extra_permissions: row.extra_permissions.0,
            graph_version: row.graph_version,
            keyed_redirect_uri: row.keyed_redirect_uri,
            verified_at: row.verified_at,
            updated_at: row.updated_at,
        }
    }

    /// What one consent asks for. Without use cases and configuration: everything, or, with Login for Business, the
    /// first configuration.
    pub fn plan(&self, use_cases: &[String], configuration: Option<&str>) -> Result<Plan> {
        for (index, case) in use_cases.iter().enumerate() {
            if !self.use_cases.contains(case) {
                let message = format!("the connector is not set up for {case:?}");
                return Err(Error::invalid(
                    format!("use_cases[{index}]"),
                    message,
                    self.use_cases.join(", "),
                ));
            }
        }
        let (use_cases, configuration) = match (&self.login, configuration) {
            (Login::Facebook, None) => (if use_cases.is_empty() { &self.use_cases } else { use_cases }, None),
            (Login::Facebook, Some(_)) => {
                return Err(Error::invalid(
                    "configuration",
                    "the connector is set up for Facebook Login, which has no configurations",
                    "leave it out",
                ));
            }
            (Login::Business { configurations }, named) => {
                let covers = |it: &&LoginConfiguration| {
                    named.is_none_or(|id| it.id == id)
                        && use_cases.iter().all(|case| it.use_cases.contains(case))
                };
                let found = configurations.iter().find(covers).ok_or_else(|| {
                    Error::invalid(
                        if named.is_some() { "configuration" } else { "use_cases" },
                        "no login configuration of the setup fits",
                        "one configuration stands for a whole consent: ask for use cases that one of them covers",
                    )
                })?;
                (
                    if use_cases.is_empty() { found.use_cases.as_slice() } else { use_cases },
                    Some(found.clone()),
                )
            }
        };
        Ok(Plan { use_cases: use_cases.to_vec(), wanted: wanted(self, use_cases), configuration })
    }
}

/// What one consent asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub use_cases: Vec<String>,
    /// Permissions with everything they need.
    pub wanted: Vec<String>,
    /// With Login for Business.
    pub configuration: Option<LoginConfiguration>,
}

impl Plan {
    /// Whether the token will be a business portfolio's. Such a login does not work on phones.
    pub fn is_system_user(&self) -> bool {
        self.configuration.as_ref().is_some_and(|it| it.token == LoginToken::SystemUser)
    }
}

/// The setup; `None` before the partner has saved one.
pub async fn get(app: &App) -> Result<Option<Setup>> {
    let row = connectors::get(&app.db, FACEBOOK_MARKETING).await?;
    Ok(row.map(|row| Setup::at(row, app.clock.now())))
}

/// Client ID, Client Secret and version, for calls to Meta.
pub async fn credentials(app: &App) -> Result<Credentials> {
    let row = connectors::get(&app.db, FACEBOOK_MARKETING).await?.ok_or_else(not_set_up)?;
    let secret = app.vault.open(&connectors::client_secret_place(&row.id), &row.client_secret_sealed).await?;
    Ok(Credentials { app: oauth::App::new(row.client_id, secret), graph_version: row.graph_version })
}

/// The setup, or the error that names what to do.
pub async fn required(app: &App) -> Result<Setup> {
    get(app).await?.ok_or_else(not_set_up)
}

/// Checks id and secret against Meta, and only then stores them. When Meta refuses or is away, nothing changes.
///
/// Connections of another Meta app than the new one end: their tokens belong to the old app.
pub async fn save(app: &App, actor: &Actor, new: NewSetup) -> Result<Setup> {
    let now = app.clock.now();
    let stored = connectors::get(&app.db, FACEBOOK_MARKETING).await?;
    let new = checked(new, now)?;
    let secret = match (&new.client_secret, &stored) {
        (Some(secret), _) => secret.clone(),
        (None, Some(row)) if row.client_id == new.client_id => {
            app.vault.open(&connectors::client_secret_place(&row.id), &row.client_secret_sealed).await?
        }
        (None, Some(_)) => {
            return Err(Error::invalid(
                "client_secret",
                "another Client ID needs its own Client Secret",
                "copy App settings > Basic > App Secret of that app",
            ));
        }
        (None, None) => {
            return Err(Error::invalid(
                "client_secret",
                "the Client Secret is missing",
                "copy App settings > Basic > App Secret from the App Dashboard",
            ));
        }
    };
    let at_meta = oauth::App::new(new.client_id.clone(), secret.clone());
    let app_name = verified_name(&app.graphs.get(&new.graph_version)?, &at_meta).await?;

    let mut tx = app.db.begin().await?;
    let place = connectors::client_secret_place(FACEBOOK_MARKETING);
    let row = Connector {
        id: FACEBOOK_MARKETING.to_owned(),
        client_secret_sealed: app.vault.seal(&mut tx, &place, &secret, now).await?,
        client_id: new.client_id,
        app_name,
        graph_version: new.graph_version,
        login: Json(new.login),
        use_cases: Json(new.use_cases),
        extra_permissions: Json(new.extra_permissions),
        keyed_redirect_uri: new
            .keyed_redirect_uri
            .unwrap_or_else(|| stored.as_ref().is_some_and(|row| row.keyed_redirect_uri)),
        verified_at: now,
        updated_at: now,
    };
    connectors::put(&mut tx, &row).await?;
    keep_previous(app, &mut tx, stored.as_ref(), &row.client_id, &secret, now).await?;
    let ended = connections::end_those_of_other_apps(&mut tx, &row.client_id, now).await?;
    subscriptions::recheck_app(&mut tx, now).await?;
    let detail = json!({
        "client_id": row.client_id, "graph_version": row.graph_version, "use_cases": row.use_cases.0,
        "new_secret": new.client_secret.is_some(), "connections_ended": ended,
    });
    audit::insert(&mut tx, actor, "setup.saved", FACEBOOK_MARKETING, detail, now).await?;
    tx.commit().await?;
    app.wakes.watch.notify_one();
    app.wakes.deliver.notify_one();
    Ok(Setup::at(row, now))
}

/// How long Meta may sign with the secret of before: it tries webhooks again for 36 hours, and some more for people who
/// save the new secret before they reset the old one.
const PREVIOUS_SECONDS: i64 = 48 * 60 * 60;

/// When the app's secret was changed, the one before counts for a while; that of another app does not.
async fn keep_previous(
    app: &App,
    tx: &mut Tx,
    stored: Option<&Connector>,
    client_id: &str,
    secret: &SecretString,
    now: Timestamp,
) -> Result<()> {
    let Some(stored) = stored else { return Ok(()) };
    if stored.client_id != client_id {
        return Ok(connectors::put_previous(tx, FACEBOOK_MARKETING, None).await?);
    }
    let place = connectors::client_secret_place(FACEBOOK_MARKETING);
    let before = app.vault.open(&place, &stored.client_secret_sealed).await?;
    if before.expose_secret() == secret.expose_secret() {
        return Ok(());
    }
    let place = connectors::previous_secret_place(FACEBOOK_MARKETING);
    let sealed = app.vault.seal(tx, &place, &before, now).await?;
    let until = now.plus_seconds(PREVIOUS_SECONDS);
    Ok(connectors::put_previous(tx, FACEBOOK_MARKETING, Some((sealed, until))).await?)
}

/// The app's name at Meta; proves that id and secret belong together.
async fn verified_name(graph: &Graph, app: &oauth::App) -> Result<Option<String>> {
    oauth::client_credentials(graph, app).await.map_err(credentials_refused)?;
    let identity = oauth::verify_app(graph, app).await.map_err(credentials_refused)?;
    if identity.id != app.id {
        return Err(Error::invalid(
            "client_id",
            "Meta knows another app by these credentials",
            "the App ID of this secret",
        ));
    }
    Ok(identity.name)
}

/// An id or a secret that Meta refuses is the caller's input, as a fault that we find ourselves is.
fn credentials_refused(error: adjoin_graph::Error) -> Error {
    let known = refused_exchange(&error).and_then(|fault| Some((fault, fault.field.as_deref()?)));
    let (Some((fault, field)), Some(refusal)) = (known, error.refusal()) else { return error.into() };
    let said = &refusal.message;
    Error::Meta(Box::new(MetaError {
        class: Class::BadParameter,
        message: format!("{}. {} Meta says: {said} Nothing was stored.", fault.title, fault.what),
        who: fault.who,
        next_step: fault.next_step.clone(),
        retry: false,
        retry_after: None,
        outcome_unknown: false,
        faults: vec![Fault::new(field, format!("Meta refuses it: {said}"), fault.next_step.clone())],
        meta: refusal.raw.clone(),
    }))
}

/// A setup whose fields are as they must be.
struct Checked {
    client_id: String,
    client_secret: Option<SecretString>,
    login: Login,
    use_cases: Vec<String>,
    extra_permissions: Vec<String>,
    graph_version: String,
    keyed_redirect_uri: Option<bool>,
}

fn checked(new: NewSetup, now: Timestamp) -> Result<Checked> {
    let mut faults = Vec::new();
    let client_id = new.client_id.trim().to_owned();
    if !is_meta_id(&client_id) {
        faults.push(Fault::new(
            "client_id",
            "a Client ID is the App ID: digits only",
            "copy App settings > Basic > App ID from the App Dashboard",
        ));
    }
    let client_secret = new
        .client_secret
        .map(|secret| SecretString::from(secret.expose_secret().trim()))
        .filter(|secret| !secret.expose_secret().is_empty());
    if client_secret.as_ref().is_some_and(|secret| !is_secret(secret.expose_secret())) {
        faults.push(Fault::new(
            "client_secret",
            "this is not an App Secret",
            "letters and digits, as App settings > Basic > App Secret shows them",
        ));
    }
    let use_cases = distinct(&new.use_cases);
    if use_cases.is_empty() {
        faults.push(Fault::new("use_cases", "at least one use case is needed", known_use_cases()));
    }
    unknown_use_cases("use_cases", &use_cases, &mut faults);
    let extra_permissions = distinct(&new.extra_permissions);
    for (index, name) in extra_permissions.iter().enumerate() {
        if permissions::permission(name).is_none() {
            faults.push(Fault::new(
                format!("extra_permissions[{index}]"),
                format!("{name:?} is no permission that Meta documents"),
                "a name from Meta's permissions reference, such as catalog_management",
            ));
        }
    }
    let login = checked_login(new.login, &use_cases, &mut faults);
    let graph_version = checked_version(new.graph_version, now, &mut faults);
    if faults.is_empty() {
        let keyed_redirect_uri = new.keyed_redirect_uri;
        Ok(Checked {
            client_id,
            client_secret,
            login,
            use_cases,
            extra_permissions,
            graph_version,
            keyed_redirect_uri,
        })
    } else {
        Err(Error::Invalid(faults))
    }
}

fn checked_login(login: Login, use_cases: &[String], faults: &mut Vec<Fault>) -> Login {
    let Login::Business { configurations } = login else { return login };
    let fix = "the Configuration ID that Facebook Login for Business > Configurations shows: digits only";
    if configurations.is_empty() {
        faults.push(Fault::new("login.configurations", "Login for Business needs a configuration", fix));
    }
    let mut kept: Vec<LoginConfiguration> = Vec::new();
    for (index, mut it) in configurations.into_iter().enumerate() {
        let field = |name: &str| format!("login.configurations[{index}].{name}");
        it.id = it.id.trim().into();
        it.use_cases = distinct(&it.use_cases);
        if !is_meta_id(&it.id) {
            faults.push(Fault::new(field("id"), "this is not a Configuration ID", fix));
        } else if kept.iter().any(|other| other.id == it.id) {
            faults.push(Fault::new(field("id"), "this configuration is listed twice", "each one once"));
        }
        if it.use_cases.is_empty() {
            faults.push(Fault::new(
                field("use_cases"),
                "a configuration is for a use case",
                known_use_cases(),
            ));
        }
        unknown_use_cases(&field("use_cases"), &it.use_cases, faults);
        kept.push(it);
    }
    for case in use_cases.iter().filter(|case| !kept.iter().any(|it| it.use_cases.contains(case))) {
        if !kept.is_empty() {
            faults.push(Fault::new(
                "login.configurations",
                format!("no configuration is for the use case {case}"),
                "save one for it at Meta and enter its Configuration ID, or leave the use case out",
            ));
        }
    }
    Login::Business { configurations: kept }
}

fn checked_version(version: Option<String>, now: Timestamp, faults: &mut Vec<Fault>) -> String {
    let newest = || versions::live(now.0).next().map_or(FALLBACK_VERSION, |version| version.name.as_str());
    let Some(version) = version.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()) else {
        return newest().to_owned();
    };
    let problem = match versions::standing(&version, now.0) {
        Standing::Ended { on, .. } => Some(format!("{version} ended for the Marketing API on {on}")),
        Standing::Unknown => Some(format!("{version:?} is no version of the Graph API")),
        Standing::Live | Standing::Ending { .. } | Standing::Future => None,
    };
    if let Some(problem) = problem {
        faults.push(Fault::new("graph_version", problem, format!("{} is the newest", newest())));
    }
    version
}

/// When the table of versions knows none that is live: its newest is years old by then.
const FALLBACK_VERSION: &str = "v26.0";

fn version_warning(version: &str, now: Timestamp) -> Option<String> {
    let newest = versions::live(now.0).next().map_or(FALLBACK_VERSION, |version| version.name.as_str());
    match versions::standing(version, now.0) {
        Standing::Live => None,
        Standing::Ending { on, days } => {
            Some(format!("{version} ends on {on}, in {days} days. Change to {newest} before then."))
        }
        Standing::Ended { on, .. } => Some(format!(
            "{version} ended on {on}. Meta answers as a newer version, or refuses. Change to {newest}."
        )),
        Standing::Future => Some(format!("{version} is newer than the newest this release knows, {newest}.")),
        Standing::Unknown => Some(format!("{version} is not known to this release. Change to {newest}.")),
    }
}

fn unknown_use_cases(field: &str, names: &[String], faults: &mut Vec<Fault>) {
    for (index, name) in names.iter().enumerate() {
        if permissions::use_case(name).is_none() {
            let message = format!("{name:?} is no use case");
            faults.push(Fault::new(format!("{field}[{index}]"), message, known_use_cases()));
        }
    }
}

fn known_use_cases() -> String {
    permissions::use_cases().iter().map(|case| case.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// Trimmed, without blanks and repetitions, in the order given.
fn distinct(names: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        if !kept.iter().any(|known| known == name) {
            kept.push(name.to_owned());
        }
    }
    kept
}

fn is_meta_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_secret(text: &str) -> bool {
    (8..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The permissions to ask for: those of the use cases (all of the setup's when none is named) and the extra ones,
/// with everything they need. Sorted.
pub fn wanted(setup: &Setup, use_cases: &[String]) -> Vec<String> {
    let cases = if use_cases.is_empty() { &setup.use_cases } else { use_cases };
    let names = cases
        .iter()
        .filter_map(|case| permissions::use_case(case))
        .flat_map(|case| &case.permissions)
        .chain(&setup.extra_permissions);
    permissions::closure(names.map(String::as_str)).into_iter().map(str::to_owned).collect()
}

/// The error of everything that needs a setup.
pub(super) fn not_set_up() -> Error {
    Error::NotReady {
        message: "the connector is not set up".to_owned(),
        who: Who::Partner,
        next_step: "enter Client ID and Client Secret at Connectors > Facebook Marketing API > Setup"
            .to_owned(),
    }
}
