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

/// Writes all settings, whether there were any before or not.
pub async fn put(tx: &mut Tx, settings: &Settings, now: Timestamp) -> Result<()> {
    sql("INSERT INTO settings
             (id, partner_name, partner_key, service_domain, return_urls, embed_origins, links_allowed, updated_at)
         VALUES ('settings', $1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET partner_name = excluded.partner_name, partner_key = excluded.partner_key,
             service_domain = excluded.service_domain, return_urls = excluded.return_urls,
             embed_origins = excluded.embed_origins, links_allowed = excluded.links_allowed,
             updated_at = excluded.updated_at")
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
