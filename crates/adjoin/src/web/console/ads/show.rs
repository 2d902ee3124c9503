//! A campaign or an ad set as Meta has it: what was created is read back.

use askama::Template;
use axum::extract::{Path, State};
use serde_json::{Map, Value};

use super::{call, data, text};
use crate::{
    service::{App, accounts::Account, connections::Connection},
    web::console::{
        Frame, Page, Result,
        connections::of_path,
        parts::{Badge, Copy, Tone},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/ads/show.html")]
pub struct Shown {
    frame: Frame,
    account: Account,
    connection: Connection,
    /// "Ad set" or "Campaign".
    kind: &'static str,
    id: String,
    object: Value,
}

impl Shown {
    fn connection_path(&self) -> String {
        format!("/accounts/{}/connections/{}", self.account.id, self.connection.id)
    }

    /// The campaign that this is, or is in. What came from the address is an id only if Meta knew it.
    fn campaign(&self) -> Option<&str> {
        let field = if self.kind == "Campaign" { "id" } else { "campaign_id" };
        Some(text(&self.object, field))
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && !id.is_empty())
    }

    fn name(&self) -> &str {
        Some(text(&self.object, "name")).filter(|name| !name.is_empty()).unwrap_or(self.kind)
    }

    fn status(&self) -> Badge {
        let status = ["effective_status", "status"].map(|field| text(&self.object, field));
        match status.into_iter().find(|status| !status.is_empty()) {
            Some("ACTIVE") => Badge::new(Tone::Ok, "ACTIVE"),
            Some(status) if status.contains("PAUSED") => Badge::new(Tone::Off, status),
            Some(status) => Badge::new(Tone::Note, status),
            None => Badge::new(Tone::Off, "Status unknown"),
        }
    }

    /// The other fields, in the order in which Meta gave them.
    fn facts(&self) -> Vec<(String, String)> {
        let fields = self.object.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| !matches!(key.as_str(), "id" | "name" | "status" | "effective_status"))
            .map(|(key, value)| {
                let shown = match value {
                    Value::String(text) => text.clone(),
                    Value::Object(_) | Value::Array(_) => {
                        serde_json::to_string_pretty(value).unwrap_or_default()
                    }
                    other => other.to_string(),
                };
                (key.clone(), shown)
            })
            .collect()
    }
}

pub async fn ad_set(
    State(app): State<App>,
    frame: Frame,
    Path(path): Path<(String, String, String)>,
) -> Result<Page<Shown>> {
    page(&app, frame, path, "Ad set", "ad_set.get", "ad_set_id").await
}

pub async fn campaign(
    State(app): State<App>,
    frame: Frame,
    Path(path): Path<(String, String, String)>,
) -> Result<Page<Shown>> {
    page(&app, frame, path, "Campaign", "campaign.get", "campaign_id").await
}

async fn page(
    app: &App,
    frame: Frame,
    (account, connection, id): (String, String, String),
    kind: &'static str,
    method: &str,
    argument: &str,
) -> Result<Page<Shown>> {
    let (account, connection) = of_path(app, &account, &connection).await?;
    let arguments = Map::from_iter([(argument.to_owned(), Value::from(id.as_str()))]);
    let object = data(&call(app, &account, &connection, method, arguments, None).await?);
    Ok(Page::new(Shown { frame, account, connection, kind, id, object }))
}
