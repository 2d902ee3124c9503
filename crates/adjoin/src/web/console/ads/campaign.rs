//! The form of a new campaign.

use adjoin_marketing::ad_set;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{call, choices, choose, data, remark, text};
use crate::{
    random,
    service::{App, accounts::Account, connections::Connection},
    web::console::{
        Frame, Page, Result,
        connections::of_path,
        done::Done,
        input::{Form, Query},
        parts::{Field, Mark, Refusal, Remark, Tone},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/ads/campaign.html")]
pub struct CampaignForm {
    frame: Frame,
    account: Account,
    connection: Connection,
    form: Given,
    refusal: Refusal,
    /// What the rules say, by field.
    remarks: Vec<(String, Remark)>,
    /// One creation for one form, however often the button is pressed.
    key: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Given {
    ad_account_id: String,
    name: String,
    objective: String,
    special_ad_category: String,
    special_ad_category_country: String,
    daily_budget: String,
    bid_strategy: String,
    key: String,
}

impl Given {
    /// The campaign as it is sent to Meta. Without a budget of its own, its ad sets keep theirs for themselves.
    fn campaign(&self) -> Map<String, Value> {
        let mut campaign = Map::new();
        campaign.insert("name".to_owned(), self.name.trim().into());
        if !self.objective.is_empty() {
            campaign.insert("objective".to_owned(), self.objective.as_str().into());
        }
        campaign.insert("status".to_owned(), "PAUSED".into());
        let categories = match self.special_ad_category.as_str() {
            "" => Vec::new(),
            one => vec![one],
        };
        campaign.insert("special_ad_categories".to_owned(), json!(categories));
        let countries: Vec<String> = self
            .special_ad_category_country
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .map(str::to_uppercase)
            .collect();
        if !countries.is_empty() {
            campaign.insert("special_ad_category_country".to_owned(), countries.into());
        }
        let budget = self.daily_budget.trim();
        if budget.is_empty() {
            campaign.insert("is_adset_budget_sharing_enabled".to_owned(), false.into());
        } else {
            let value = budget.parse::<i64>().map_or_else(|_| Value::from(budget), Value::from);
            campaign.insert("daily_budget".to_owned(), value);
            if !self.bid_strategy.is_empty() {
                campaign.insert("bid_strategy".to_owned(), self.bid_strategy.as_str().into());
            }
        }
        campaign
    }
}

impl CampaignForm {
    fn new(frame: Frame, account: Account, connection: Connection, form: Given) -> Self {
        let key = random::token("").expose_secret().to_owned();
        Self { frame, account, connection, form, refusal: Refusal::default(), remarks: Vec::new(), key }
    }

    fn connection_path(&self) -> String {
        format!("/accounts/{}/connections/{}", self.account.id, self.connection.id)
    }

    fn about(&self, name: &str) -> Vec<Remark> {
        // The rules and the method may blame the same thing; once is enough.
        let refused = self.refusal.remarks(name);
        if !refused.is_empty() {
            return refused;
        }
        self.remarks.iter().filter(|(field, _)| field == name).map(|(_, remark)| remark.clone()).collect()
    }

    /// Remarks about what has no field here.
    fn others(&self) -> Vec<&Remark> {
        const SHOWN: &[&str] = &[
            "name",
            "objective",
            "special_ad_category",
            "special_ad_category_country",
            "daily_budget",
            "bid_strategy",
        ];
        self.remarks.iter().filter(|(field, _)| !SHOWN.contains(&field.as_str())).map(|(_, it)| it).collect()
    }
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    ad_account: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Page<CampaignForm>> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    let form = Given { ad_account_id: asked.ad_account.unwrap_or_default(), ..Given::default() };
    Ok(Page::new(CampaignForm::new(frame, account, connection, form)))
}

pub async fn submit(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
    Form(form): Form<Given>,
) -> Result<Response> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    let campaign = form.campaign();
    let (refused, remarks) = check(&app, &campaign);
    let mut page = CampaignForm::new(frame, account, connection, form);
    page.remarks = remarks;
    if refused {
        return Ok(Page::refused(page).into_response());
    }
    let mut arguments = campaign;
    arguments.insert("ad_account_id".to_owned(), page.form.ad_account_id.as_str().into());
    match call(&app, &page.account, &page.connection, "campaign.create", arguments, Some(&page.form.key))
        .await
    {
        Ok(answer) => {
            let target = format!("{}/campaigns/{}", page.connection_path(), text(&data(&answer), "id"));
            Ok(Done::CampaignCreated.at(&target).into_response())
        }
        Err(error) => {
            page.refusal = Refusal::from_error(error)?;
            Ok(Page::refused(page).into_response())
        }
    }
}

/// What the rules say of the campaign alone, and whether they refuse it. They read it beside an ad set, so an empty
/// one stands there, whose own faults do not count.
fn check(app: &App, campaign: &Map<String, Value>) -> (bool, Vec<(String, Remark)>) {
    let document = json!({ "ad_set": {}, "campaign": campaign });
    let bytes = serde_json::to_vec(&document).unwrap_or_default();
    let Ok(report) = ad_set::check(&bytes, app.clock.now().0) else { return (false, Vec::new()) };
    let own = report.findings.iter().filter_map(|finding| {
        let path = finding.dotted_path();
        let field = path.strip_prefix("campaign.")?.split('.').next().unwrap_or_default();
        let field = if field == "special_ad_categories" { "special_ad_category" } else { field };
        Some((finding.severity == ad_set::Severity::Reject, (field.to_owned(), remark(finding))))
    });
    let (refusing, remarks): (Vec<bool>, Vec<_>) = own.unzip();
    (refusing.contains(&true), remarks)
}
