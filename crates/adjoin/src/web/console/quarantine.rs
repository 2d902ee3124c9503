//! What Meta sent and nobody could use. Its contents may be personal, so they are not shown here.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use crate::{
    service::{
        App,
        webhooks::{self, Counted, Quarantined, Reason},
    },
    store,
    web::console::{Frame, Page, Result, input::Query, words::address},
};

const PER_PAGE: usize = 25;

#[derive(Debug, Template)]
#[template(path = "console/quarantine.html")]
pub struct Quarantine {
    frame: Frame,
    counts: Vec<Counted>,
    changes: store::Page<Quarantined>,
    reason: Option<Reason>,
    later_page: bool,
}

impl Quarantine {
    fn is_shown(&self, reason: &str) -> bool {
        self.reason.is_some_and(|it| it.as_str() == reason)
    }

    fn more(&self) -> Option<String> {
        let next = self.changes.next.as_ref()?;
        let reason = self.reason.map_or("", Reason::as_str);
        Some(address("/quarantine", &[("reason", reason), ("after", next)]))
    }
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    reason: String,
    after: Option<String>,
}

/// A reason in words, and what becomes of such changes.
fn words(reason: &str) -> (&str, &str) {
    match reason {
        "unknown_object" => (
            "Nobody's Page or ad account",
            "When an account connects it within 30 days, they are sorted after all. If it was disconnected, nothing is to be done.",
        ),
        "unknown_field" => (
            "A field Adjoin does not use",
            "Somebody subscribed the app to more than Adjoin asks for. Unsubscribe the field at Meta if you do not need it.",
        ),
        "without_values" => (
            "Meta said that something changed, and not what",
            "Somebody switched the values of webhooks off at Meta. Adjoin switches them on; leads are found by the sweep meanwhile.",
        ),
        "unreadable" => {
            ("Not in the shape Meta documents", "Update Adjoin; if they go on, tell its maintainers.")
        }
        "dashboard_test" => ("Tests of Meta's dashboard", "The way works. Nothing is to be done."),
        other => (other, ""),
    }
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(asked): Query<Asked>,
) -> Result<Page<Quarantine>> {
    let reason = Reason::ALL.into_iter().find(|it| it.as_str() == asked.reason);
    let counts = webhooks::counts(&app).await?;
    let changes = webhooks::list(&app, reason, asked.after.as_deref(), PER_PAGE).await?;
    Ok(Page::new(Quarantine { frame, counts, changes, reason, later_page: asked.after.is_some() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{id::QuarantineId, time::Timestamp};

    #[test]
    fn reasons_are_counted_and_said_and_no_content_is_shown() {
        let now = Timestamp::from_unix(1_795_514_400);
        let changes = Reason::ALL.map(|reason| Quarantined {
            id: QuarantineId::new(),
            reason: reason.as_str().to_owned(),
            object: "page".to_owned(),
            object_id: "42<b>".to_owned(),
            field: "leadgen".to_owned(),
            change: json!({ "email": "jane@example.com" }),
            received_at: now,
        });
        let page = |changes: Vec<Quarantined>| Quarantine {
            frame: Frame::sample(now),
            counts: vec![Counted { reason: "unreadable".to_owned(), count: 3, last_at: now }],
            changes: store::Page { items: changes, next: Some("qua_1".to_owned()) },
            reason: Some(Reason::Unreadable),
            later_page: false,
        };
        let html = page(changes.to_vec()).render().unwrap();
        assert!(!html.contains("jane@example.com") && !html.contains("42<b>"));
        for text in [
            "Not in the shape Meta documents",
            "Nobody's Page",
            "Tests of Meta",
            "reason=unreadable&#38;after=qua_1",
        ] {
            assert!(html.contains(text) || html.contains(&text.replace('\'', "&#39;")), "{text}");
        }
        assert!(
            Quarantine { counts: Vec::new(), ..page(Vec::new()) }
                .render()
                .unwrap()
                .contains("Nothing is in quarantine")
        );
    }
}
