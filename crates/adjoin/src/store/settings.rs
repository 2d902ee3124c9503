use super::{Db, Json, Result, Tx, row, sql};
use crate::time::Timestamp;

/// The partner's general settings: one row, made at the first start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The vendor's name, as accounts see it on the connect page.
    pub partner_name: String,
    /// Random and public: names the partner in `/connector/callback/{partner-key}`.
    pub partner_key: String,
    /// Host (and port) under which people reach the service, without a scheme.
    pub service_domain: Option<String>,
    /// Where a connect session may send the browser back to, each matched exactly.
    pub return_urls: Json<Vec<String>>,
    /// Origins that may frame or open the connect page.
    pub embed_origins: Json<Vec<String>>,
    /// Whether connect links without a backend's completion are allowed. Off unless somebody switches it on.
    pub links_allowed: bool,
}
row!(Settings { partner_name, partner_key, service_domain, return_urls, embed_origins, links_allowed });

pub async fn get(db: &Db) -> Result<Option<Settings>> {
    sql("SELECT partner_name, partner_key, service_domain, return_urls, embed_origins, links_allowed FROM settings")
        .optional(db)
        .await
}

/// The same, with the row held until the transaction ends.
pub async fn get_for_update(tx: &mut Tx) -> Result<Option<Settings>> {
    sql("UPDATE settings SET updated_at = updated_at
         RETURNING partner_name, partner_key, service_domain, return_urls, embed_origins, links_allowed")
    .optional(tx)
    .await
}

/// Makes the settings, unless there are some.
pub async fn insert_if_absent(tx: &mut Tx, settings: &Settings, now: Timestamp) -> Result<()> {
    sql("INSERT INTO settings
             (id, partner_name, partner_key, service_domain, return_urls, embed_origins, links_allowed, updated_at)
         VALUES ('settings', $1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO NOTHING")
    .bind(&settings.partner_name)
    .bind(&settings.partner_key)
    .bind(settings.service_domain.clone())
    .bind(settings.return_urls.clone())
    .bind(settings.embed_origins.clone())
    .bind(settings.links_allowed)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes everything that can change.
pub async fn put(tx: &mut Tx, settings: &Settings, now: Timestamp) -> Result<()> {
    sql("UPDATE settings SET partner_name = $1, service_domain = $2, return_urls = $3, embed_origins = $4,
             links_allowed = $5, updated_at = $6")
    .bind(&settings.partner_name)
    .bind(settings.service_domain.clone())
    .bind(settings.return_urls.clone())
    .bind(settings.embed_origins.clone())
    .bind(settings.links_allowed)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
