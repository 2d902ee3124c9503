//! What happened to something, from the audit log, with the names of those who did it.

use super::{App, Result};
use crate::{
    store::{api_keys, audit, operators},
    time::Timestamp,
};

/// One line of a history.
#[derive(Debug, Clone)]
pub struct Line {
    pub at: Timestamp,
    /// In words: an operator's name, an API key's name, the person on the connect page, Adjoin itself.
    pub who: String,
    /// What was done: `connection.installed`.
    pub action: String,
}

/// The newest lines about a subject (an id), newest first.
pub async fn about(app: &App, subject: &str, limit: i64) -> Result<Vec<Line>> {
    let entries = audit::about(&app.db, subject, limit).await?;
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let who = match entry.actor.as_str() {
            "visitor" => "the person on the connect page".to_owned(),
            "meta" => "Meta".to_owned(),
            "system" => "Adjoin".to_owned(),
            id if id.starts_with("op_") => {
                operators::name(&app.db, id).await?.unwrap_or_else(|| id.to_owned())
            }
            id => match api_keys::name(&app.db, id).await? {
                Some(name) => format!("API key “{name}”"),
                None => id.to_owned(),
            },
        };
        lines.push(Line { at: entry.at, who, action: entry.action });
    }
    Ok(lines)
}
