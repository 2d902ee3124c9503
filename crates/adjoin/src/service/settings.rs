//! Settings > General: the partner's name, the Service Domain, where browsers may be sent back to.

use serde_json::json;
use url::Url;

use super::{App, Error, Fault, Result, setup::Setup, subscriptions};
use crate::{
    audit::Actor,
    random,
    store::{self, Json, audit, settings},
};

pub use store::settings::Settings;

const LIST_MAX: usize = 50;
const NAME_MAX: usize = 100;

/// A change of the settings: what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub partner_name: Option<String>,
    pub service_domain: Option<String>,
    pub return_urls: Option<Vec<String>>,
    pub embed_origins: Option<Vec<String>>,
    pub links_allowed: Option<bool>,
}

/// The settings; at the first start they are made.
pub async fn get(app: &App) -> Result<Settings> {
    if let Some(settings) = settings::get(&app.db).await? {
        return Ok(settings);
    }
    let fresh = Settings {
        partner_name: "Your company".to_owned(),
        partner_key: adjoin_graph::hex(&random::bytes::<8>()),
        service_domain: None,
        return_urls: Json(Vec::new()),
        embed_origins: Json(Vec::new()),
        // Nobody but whoever holds a link stands behind what it connects, so the partner has to want them.
        links_allowed: false,
    };
    let mut tx = app.db.begin().await?;
    settings::insert_if_absent(&mut tx, &fresh, app.clock.now()).await?;
    // Those of a process that was faster.
    let made = settings::get_for_update(&mut tx).await?.unwrap_or(fresh);
    tx.commit().await?;
    Ok(made)
}

pub async fn change(app: &App, actor: &Actor, change: Change) -> Result<Settings> {
    let made = get(app).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // Held from here on: what others change meanwhile is not written over.
    let mut settings = settings::get_for_update(&mut tx).await?.unwrap_or(made);
    let mut faults = Vec::new();
    if let Some(name) = change.partner_name {
        let name = name.trim().to_owned();
        if name.is_empty() {
            let fix = format!("1 to {NAME_MAX} characters");
            faults.push(Fault::new("partner_name", "a name is needed; accounts see it", fix));
        }
        faults.extend(Fault::if_too_long("partner_name", &name, NAME_MAX));
        settings.partner_name = name;
    }
    if let Some(domain) = change.service_domain {
        match service_domain(&domain) {
            Ok(domain) => settings.service_domain = domain,
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(urls) = change.return_urls {
        settings.return_urls = Json(checked_list("return_urls", &urls, return_url, &mut faults));
    }
    if let Some(origins) = change.embed_origins {
        settings.embed_origins = Json(checked_list("embed_origins", &origins, embed_origin, &mut faults));
    }
    if let Some(allowed) = change.links_allowed {
        settings.links_allowed = allowed;
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    settings::put(&mut tx, &settings, now).await?;
    // Meta has to learn of another host.
    subscriptions::recheck_app(&mut tx, now).await?;
    audit::insert(
        &mut tx,
        actor,
        "settings.changed",
        "settings",
        json!({ "service_domain": settings.service_domain, "partner_name": settings.partner_name }),
        now,
    )
    .await?;
    tx.commit().await?;
    app.wakes.watch.notify_one();
    Ok(settings)
}

/// The service as people's browsers and Meta see it: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOrigin(String);

impl ServiceOrigin {
    /// The domain from the machine's configuration, else from the settings; `None` when neither has one.
    pub fn of(app: &App, settings: &Settings) -> Option<Self> {
        let domain = app.config.service_domain.as_deref().or(settings.service_domain.as_deref())?;
        Some(Self::from_domain(domain))
    }

    fn from_domain(domain: &str) -> Self {
        // Meta takes http only for hosts of the developer's own machine; everything else is https.
        let scheme = if is_loopback(domain) { "http" } else { "https" };
        Self(format!("{scheme}://{domain}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The redirect URI to register at Meta, exactly as it stands.
    pub fn redirect_uri(&self) -> String {
        format!("{}/connector/callback", self.0)
    }

    /// The redirect URI that names the partner.
    pub fn keyed_redirect_uri(&self, settings: &Settings) -> String {
        format!("{}/{}", self.redirect_uri(), settings.partner_key)
    }

    /// Which of the two consents go over, by the setup.
    pub fn used_redirect_uri(&self, settings: &Settings, setup: Option<&Setup>) -> String {
        if setup.is_some_and(|setup| setup.keyed_redirect_uri) {
            self.keyed_redirect_uri(settings)
        } else {
            self.redirect_uri()
        }
    }

    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// The origin, or the error that names what to set.
pub fn origin(app: &App, settings: &Settings) -> Result<ServiceOrigin> {
    ServiceOrigin::of(app, settings).ok_or_else(|| Error::NotReady {
        message: "the Service Domain is not set".to_owned(),
        who: super::Who::Partner,
        next_step: "enter it at Settings > General in the console, or set ADJOIN_SERVICE_DOMAIN".to_owned(),
    })
}

/// Whether a host (with or without its port) is the machine itself.
pub fn is_loopback(domain: &str) -> bool {
    let host = domain
        .rsplit_once(':')
        .map_or(domain, |(host, port)| if port.bytes().all(|b| b.is_ascii_digit()) { host } else { domain });
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Reads a Service Domain as people write it; an empty text clears it.
fn service_domain(text: &str) -> std::result::Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let fault = |message: &str| {
        Fault::new(
            "service_domain",
            message,
            "a host such as connect.example.com, without a scheme or a path",
        )
    };
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    if bare.contains(['/', '?', '#', '@', ' ']) {
        return Err(fault("a Service Domain is a host, not an address of a page"));
    }
    let url = Url::parse(&format!("https://{bare}")).map_err(|_| fault("this is not a host"))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| fault("this is not a host"))?;
    Ok(Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))))
}

/// A return URL: https (or loopback), no fragment, no credentials; matched exactly later.
fn return_url(text: &str) -> std::result::Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "this is not a URL")?;
    secure(&url)?;
    if url.fragment().is_some() {
        return Err("a fragment (#...) cannot stand in a return URL");
    }
    Ok(url.to_string())
}

fn embed_origin(text: &str) -> std::result::Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "this is not an origin")?;
    secure(&url)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("an origin is scheme, host and port only");
    }
    Ok(url.origin().ascii_serialization())
}

fn secure(url: &Url) -> std::result::Result<(), &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user or password is refused");
    }
    let loopback = url.host_str().is_some_and(is_loopback);
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err("it must begin with https://"),
    }
}

fn checked_list(
    field: &str,
    entries: &[String],
    check: impl Fn(&str) -> std::result::Result<String, &'static str>,
    faults: &mut Vec<Fault>,
) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for (index, entry) in entries.iter().map(|e| e.trim()).filter(|e| !e.is_empty()).enumerate() {
        match check(entry) {
            Ok(value) if kept.contains(&value) => {}
            Ok(value) => kept.push(value),
            Err(message) => {
                faults.push(Fault::new(format!("{field}[{index}]"), message, "https://app.example.com/..."));
            }
        }
    }
    if kept.len() > LIST_MAX {
        faults.push(Fault::new(field, "there are too many entries", format!("at most {LIST_MAX}")));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::on_each_app;

    #[test]
    fn settings_that_several_begin_with_are_made_once() {
        on_each_app(async |test| {
            let mut tx = test.app.db.begin().await.unwrap();
            store::sql("DELETE FROM settings").execute(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            let (a, b, c) = tokio::join!(get(&test.app), get(&test.app), get(&test.app));
            let stands = get(&test.app).await.unwrap().partner_key;
            for one in [a, b, c] {
                assert_eq!(one.unwrap().partner_key, stands);
            }
        });
    }

    #[test]
    fn a_change_leaves_what_another_changed_meanwhile() {
        on_each_app(async |test| {
            get(&test.app).await.unwrap();
            let mut tx = test.app.db.begin().await.unwrap();
            let mut theirs = settings::get_for_update(&mut tx).await.unwrap().unwrap();
            theirs.links_allowed = true;
            let name = Change { partner_name: Some("Acme".to_owned()), ..Change::default() };
            let (ours, ()) = tokio::join!(change(&test.app, &Actor::System, name), async {
                // Meanwhile the other has read what it reads before it waits for us.
                for _ in 0..10 {
                    settings::get(&test.app.db).await.unwrap();
                }
                settings::put(&mut tx, &theirs, test.app.clock.now()).await.unwrap();
                tx.commit().await.unwrap();
            });
            let ours = ours.unwrap();
            assert_eq!((ours.partner_name.as_str(), ours.links_allowed), ("Acme", true));
            assert!(get(&test.app).await.unwrap().links_allowed);
        });
    }

    #[test]
    fn a_service_domain_is_read_as_people_write_it() {
        assert_eq!(service_domain("https://Connect.Example.com/").unwrap().unwrap(), "connect.example.com");
        assert_eq!(service_domain("localhost:8080").unwrap().unwrap(), "localhost:8080");
        assert_eq!(service_domain("  ").unwrap(), None);
        for wrong in ["example.com/path", "a b", "user@example.com", "https://"] {
            assert!(service_domain(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_redirect_uri_is_exact_and_https_but_for_loopback() {
        assert_eq!(
            ServiceOrigin::from_domain("connect.example.com").redirect_uri(),
            "https://connect.example.com/connector/callback"
        );
        assert_eq!(
            ServiceOrigin::from_domain("127.0.0.1:8080").redirect_uri(),
            "http://127.0.0.1:8080/connector/callback"
        );
        assert!(ServiceOrigin::from_domain("localhost.example.com").as_str().starts_with("https://"));
    }

    #[test]
    fn return_urls_are_https_without_fragment_or_credentials() {
        assert!(return_url("https://app.example.com/done?x=1").is_ok());
        assert!(return_url("http://127.0.0.1:3000/done").is_ok());
        for wrong in
            ["http://example.com/", "javascript:alert(1)", "https://a@b.example/", "https://x.example/#f"]
        {
            assert!(return_url(wrong).is_err(), "{wrong}");
        }
    }
}
