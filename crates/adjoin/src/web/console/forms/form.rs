//! One form: how far its sweep is, its canary, its versions, and a backfill.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::words;
use crate::{
    service::{
        App,
        accounts::{self, Account},
        canaries,
        forms::{self, FormDetail, FormVersion},
    },
    web::console::{
        Frame, Page, Result,
        accounts::account_id,
        connections::words::who,
        done::Done,
        input::Form as Sent,
        parts::{Field, Mark, Refusal, Tone},
        words::{counted, length, sentence},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/forms/form.html")]
pub struct FormPage {
    frame: Frame,
    account: Account,
    detail: FormDetail,
    days: String,
    refusal: Refusal,
}

#[derive(Debug, Deserialize)]
pub struct Given {
    days: String,
}

#[derive(Debug, Deserialize)]
pub struct Switched {
    daily: bool,
}

impl FormPage {
    fn is_daily(&self) -> bool {
        self.detail.canary.as_ref().is_some_and(|canary| canary.daily)
    }

    /// What a version asks, as labels, or keys where there is no label.
    fn questions(version: &FormVersion) -> Vec<&str> {
        let all = version.content["questions"].as_array().into_iter().flatten();
        all.filter_map(|it| it["label"].as_str().or_else(|| it["key"].as_str())).collect()
    }
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((account, form)): Path<(String, String)>,
) -> Result<Page<FormPage>> {
    let account = accounts::get(&app, &account_id(&account)?).await?;
    let detail = forms::get(&app, &account.id, &form).await?;
    let days = forms::KEPT_DAYS.to_string();
    Ok(Page::new(FormPage { frame, account, detail, days, refusal: Refusal::default() }))
}

pub async fn backfill(
    State(app): State<App>,
    frame: Frame,
    Path((account, form)): Path<(String, String)>,
    Sent(given): Sent<Given>,
) -> Result<Response> {
    let account = accounts::get(&app, &account_id(&account)?).await?;
    // What is no number is refused by the service, as zero days are.
    let days = given.days.trim().parse().unwrap_or(0);
    match forms::backfill(&app, &frame.actor(), &account.id, &form, days).await {
        Ok(form) => {
            let path = format!("/accounts/{}/forms/{}", account.id, form.form_id);
            Ok(Done::BackfillAsked.at(&path).into_response())
        }
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let detail = forms::get(&app, &account.id, &form).await?;
            Ok(Page::refused(FormPage { frame, account, detail, days: given.days, refusal }).into_response())
        }
    }
}

pub async fn canary(
    State(app): State<App>,
    frame: Frame,
    Path((account, form)): Path<(String, String)>,
) -> Result<Response> {
    let account = accounts::get(&app, &account_id(&account)?).await?;
    match canaries::run_now(&app, &frame.actor(), &account.id, &form).await {
        Ok(_) => Ok(Done::CanaryAsked.at(&format!("/accounts/{}/forms/{form}", account.id)).into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let detail = forms::get(&app, &account.id, &form).await?;
            let days = forms::KEPT_DAYS.to_string();
            Ok(Page::refused(FormPage { frame, account, detail, days, refusal }).into_response())
        }
    }
}

pub async fn daily_canary(
    State(app): State<App>,
    frame: Frame,
    Path((account, form)): Path<(String, String)>,
    Sent(given): Sent<Switched>,
) -> Result<Redirect> {
    let account = account_id(&account)?;
    canaries::set_daily(&app, &frame.actor(), &account, &form, given.daily).await?;
    let done = if given.daily { Done::CanaryDaily } else { Done::CanaryNotDaily };
    Ok(done.at(&format!("/accounts/{account}/forms/{form}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        id::{AccountId, FormVersionId},
        service::{
            Who,
            canaries::{Canary, Failure, Outcome, Step, Way},
            forms::{Completeness, Done as Pass, Form, PassKind, SweepView},
        },
        time::Timestamp,
    };

    #[test]
    fn sweep_versions_and_a_refused_backfill_are_said() {
        let now = Timestamp::from_unix(1_795_514_400);
        let account = Account {
            id: AccountId::new(),
            external_id: None,
            name: "A <b>".to_owned(),
            created_at: now,
            lead_retention_days: None,
        };
        let last =
            Pass { kind: PassKind::Daily, since: now, started_at: now, finished_at: now, read: 12, new: 2 };
        let form = Form {
            form_id: "777".to_owned(),
            page_id: "42".to_owned(),
            name: "Test drive <b>".to_owned(),
            status: "ARCHIVED".to_owned(),
            version_id: None,
            completeness: Completeness {
                at_meta: Some(12),
                organic: Some(1),
                expired: Some(2),
                held: 10,
                waiting: 1,
                gone: 0,
                erased_unread: 0,
                missing: Some(0),
                missing_at_most: Some(0),
                counted_at: Some(now),
            },
            sweep: SweepView {
                next_at: now,
                every_seconds: 900,
                watermark: Some(now),
                under_way: Some(PassKind::Backfill),
                read: 5,
                last: Some(last),
                trouble: None,
            },
            created_at: now,
        };
        let content = json!({ "questions": [{ "key": "email", "label": "E-mail <b>" }, { "key": "size" }] });
        let version = FormVersion { id: FormVersionId::new(), seen_at: now, content };
        let failure = Failure {
            step: Step::Webhook,
            message: "no webhook <b>".to_owned(),
            who: Who::Partner,
            next_step: "look".to_owned(),
        };
        let way = Way { sent_at: Some(now), removed_at: Some(now), ..Way::default() };
        let canary = Canary {
            daily: true,
            under_way: None,
            next_at: Some(now.plus_seconds(7200)),
            last: Some(Outcome::Failed { at: now, way, failure }),
        };
        let refusal = Refusal {
            faults: vec![crate::service::Fault::new("days", "Meta keeps 90 days", "1 to 90")],
            problem: None,
        };
        let page = FormPage {
            frame: Frame::sample(now),
            account,
            detail: FormDetail { form, versions: vec![version], canary: Some(canary) },
            days: "400".to_owned(),
            refusal,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>"));
        for words in [
            "Archived",
            "15 minutes",
            "a backfill",
            "E-mail &#60;b&#62;",
            "size",
            "value=\"400\"",
            "2 new",
            "Lost at the webhook",
            "No webhook &#60;b&#62;",
            "Deleted at Meta",
            "Stop the daily canary",
            "in 2 hours",
        ] {
            assert!(html.contains(words), "{words}");
        }
    }
}
