//! What Meta shows of an object's subscribed apps, and the calls that change it.

use adjoin_graph::{Error, Request};
use serde::Deserialize;
use serde_json::Value;

use super::Object;
use crate::service::meta::Line;

/// Apps that are read of one object. A Page has a handful.
const MOST_APPS: u32 = 100;

/// One row of `GET /{object}/subscribed_apps`: a Page names the app `id`, an ad account also `app_id`.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    app_id: Option<Value>,
    #[serde(default)]
    subscribed_fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Rows {
    #[serde(default)]
    data: Vec<Row>,
}

/// One Page or ad account, and the way to it.
pub(super) struct AtMeta<'a> {
    pub line: Line<'a>,
    pub object: Object,
    pub object_id: &'a str,
    /// Our app.
    pub app_id: &'a str,
}

impl AtMeta<'_> {
    fn path(&self) -> String {
        match self.object {
            Object::Page => format!("/{}/subscribed_apps", self.object_id),
            Object::AdAccount => format!("/act_{}/subscribed_apps", self.object_id),
        }
    }

    /// The fields of our app; `None` when it is not subscribed.
    pub async fn fields(&self) -> Result<Option<Vec<String>>, Error> {
        let request = Request::get(self.path()).param("limit", MOST_APPS);
        let rows: Rows = self.line.send(&request).await?.parse()?;
        let is_ours = |id: &Option<Value>| match id {
            Some(Value::String(id)) => id == self.app_id,
            Some(Value::Number(id)) => id.to_string() == self.app_id,
            _ => false,
        };
        let ours = rows.data.into_iter().find(|row| is_ours(&row.id) || is_ours(&row.app_id));
        Ok(ours.map(|row| row.subscribed_fields))
    }

    /// Subscribes our app to these fields of a Page, which replace those before; an ad account takes those of the app.
    pub async fn subscribe(&self, fields: &[String]) -> Result<(), Error> {
        let request = Request::post(self.path());
        let request = match self.object {
            Object::Page => request.param("subscribed_fields", fields.join(",")),
            Object::AdAccount => request,
        };
        self.line.send(&request).await.map(drop)
    }

    /// Takes back what is ours: our fields, or the whole subscription when nothing else is in it.
    pub async fn take_back(&self) -> Result<(), Error> {
        let Some(fields) = self.fields().await? else { return Ok(()) };
        let ours = self.object.fields();
        let others: Vec<String> =
            fields.into_iter().filter(|field| !ours.contains(&field.as_str())).collect();
        if others.is_empty() || self.object == Object::AdAccount {
            return self.line.send(&Request::delete(self.path())).await.map(drop);
        }
        self.subscribe(&others).await?;
        // Where Meta merges instead of replacing, ours are still there. To delete would take the others away as well,
        // so they stay: what they bring is of no account here and is kept apart.
        if self.fields().await?.is_some_and(|left| ours.iter().any(|it| left.iter().any(|left| left == it))) {
            tracing::warn!(object_id = self.object_id, "Meta kept our fields beside those of others");
        }
        Ok(())
    }
}
