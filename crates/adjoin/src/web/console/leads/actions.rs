//! What the buttons of the inbox and of a lead do.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};

use super::{of_path, page::page};
use crate::{
    service::{
        App,
        leads::{self, Lead},
    },
    web::console::{Frame, Page, Result, accounts::account_id, done::Done, parts::Refusal},
};

pub async fn retry_all(State(app): State<App>, frame: Frame) -> Result<Redirect> {
    leads::retry_all(&app, &frame.actor(), None).await?;
    Ok(Done::LeadsRetried.at("/leads"))
}

pub async fn retry_account(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    let account = account_id(&id)?;
    leads::retry_all(&app, &frame.actor(), Some(&account)).await?;
    Ok(Done::LeadsRetried.at(&format!("/accounts/{account}/leads")))
}

pub async fn retry(
    State(app): State<App>,
    frame: Frame,
    Path((account, lead)): Path<(String, String)>,
) -> Result<Response> {
    let lead = of_path(&app, &account, &lead).await?;
    match leads::retry(&app, &frame.actor(), &lead.account_id, &lead.id).await {
        Ok(()) => Ok(Done::LeadRetried.at(&here(&lead)).into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Ok(Page::refused(page(&app, frame, lead, refusal).await?).into_response())
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "console/leads/erase.html")]
pub struct Erase {
    frame: Frame,
    lead: Lead,
    account_name: String,
    here: String,
}

pub async fn confirm_erase(
    State(app): State<App>,
    frame: Frame,
    Path((account, lead)): Path<(String, String)>,
) -> Result<Page<Erase>> {
    let lead = of_path(&app, &account, &lead).await?;
    let account_name = crate::service::accounts::get(&app, &lead.account_id).await?.name;
    Ok(Page::new(Erase { frame, here: here(&lead), account_name, lead }))
}

pub async fn erase(
    State(app): State<App>,
    frame: Frame,
    Path((account, lead)): Path<(String, String)>,
) -> Result<Redirect> {
    let lead = of_path(&app, &account, &lead).await?;
    leads::erase(&app, &frame.actor(), &lead.account_id, &lead.id).await?;
    Ok(Done::LeadErased.at(&here(&lead)))
}

/// Somebody came back to the address of the inbox's button.
pub async fn back(_frame: Frame) -> Redirect {
    Redirect::to("/leads")
}

pub async fn back_to_account(_frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/accounts/{}/leads", account_id(&id)?)))
}

/// The same for a lead's.
pub async fn back_to_lead(
    State(app): State<App>,
    _frame: Frame,
    Path((account, lead)): Path<(String, String)>,
) -> Result<Redirect> {
    Ok(Redirect::to(&here(&of_path(&app, &account, &lead).await?)))
}

fn here(lead: &Lead) -> String {
    format!("/accounts/{}/leads/{}", lead.account_id, lead.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{service::leads::State, time::Timestamp, web::console::leads::list::tests::lead};

    #[test]
    fn erasing_says_what_stays() {
        let lead = lead(State::Hydrated);
        let page = Erase {
            frame: Frame::sample(Timestamp::from_unix(0)),
            here: here(&lead),
            account_name: "Acme <b>".to_owned(),
            lead,
        };
        let html = page.render().unwrap();
        assert!(html.contains("100 days") && !html.contains("<b>"));
    }
}
