//! The form of a new ad set.

use adjoin_marketing::{
    ad_set::{self, Finding, Report, Severity, Verdict, promoted_object::Type},
    money,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    call,
    choices::{self, Promoted, with_none},
    choose::{self, Choose},
    data,
    draft::{ACCOUNT, AD_ACCOUNT, CAMPAIGN, Draft, MORE, PIXELS, PROMOTED_OBJECT, promoted_name},
    remark, text,
};
use crate::{
    random,
    service::{App, Error, Fault, accounts::Account, connections::Connection, methods},
    web::console::{
        Frame, Page, Result,
        connections::of_path,
        done::Done,
        input::{Form, Query},
        parts::{Badge, Choice, Field, Mark, Refusal, Remark, Tone},
        words,
    },
};

#[derive(Debug, Template)]
#[template(path = "console/ads/ad_set.html")]
pub struct AdSetForm {
    frame: Frame,
    account: Account,
    connection: Connection,
    draft: Draft,
    /// What is wrong apart from the rules: a refusal of Meta's, a connection that does not work.
    refusal: Refusal,
    /// `None` before anything was checked.
    report: Option<Report>,
    promoted: Promoted,
    /// What would be sent, for those who want to see it.
    preview: String,
    unreadable: Option<Fault>,
    key: String,
}

/// Fields that always stand on the page. The promoted object's stand for themselves while they are shown.
const SHOWN: &[&str] = &[
    "ad_set.name",
    "ad_set.destination_type",
    "ad_set.optimization_goal",
    "ad_set.billing_event",
    "ad_set.bid_strategy",
    "ad_set.bid_amount",
    "ad_set.daily_budget",
    "ad_set.lifetime_budget",
    "ad_set.start_time",
    "ad_set.end_time",
    "ad_set.targeting.geo_locations.countries",
    "ad_set.targeting.age_min",
    "ad_set.targeting.age_max",
    "ad_set.targeting.targeting_automation.advantage_audience",
    "ad_set.dsa_beneficiary",
    "ad_set.dsa_payor",
    "campaign.objective",
];

impl AdSetForm {
    fn new(
        frame: Frame,
        account: Account,
        connection: Connection,
        draft: Draft,
        report: Option<Report>,
        unreadable: Option<Fault>,
        refusal: Refusal,
    ) -> Self {
        let key = random::token("").expose_secret().to_owned();
        let promoted = choices::promoted(&draft);
        let preview = serde_json::to_string_pretty(&draft.ad_set().0).unwrap_or_default();
        Self { frame, account, connection, draft, refusal, report, promoted, preview, unreadable, key }
    }

    fn connection_path(&self) -> String {
        format!("/accounts/{}/connections/{}", self.account.id, self.connection.id)
    }

    /// The campaign's name, when Meta told it with its facts.
    fn campaign_name(&self) -> Option<String> {
        let campaign: Value = serde_json::from_str(self.draft.get(CAMPAIGN)).ok()?;
        Some(text(&campaign, "name").to_owned()).filter(|name| !name.is_empty())
    }

    fn value(&self, name: &str) -> &str {
        self.draft.get(name)
    }

    /// The field that a finding is shown at; `None` puts it on top.
    fn field_of(&self, finding: &Finding) -> Option<String> {
        let promoted: Vec<String> =
            self.promoted.fields.iter().map(|field| promoted_name(&field.name)).collect();
        let shown: Vec<&str> = SHOWN
            .iter()
            .copied()
            .chain(promoted.iter().map(String::as_str))
            .chain([PROMOTED_OBJECT])
            .collect();
        Draft::field_of(&finding.dotted_path(), &shown).map(str::to_owned)
    }

    fn findings(&self) -> &[Finding] {
        self.report.as_ref().map_or(&[], |report| &report.findings)
    }

    /// What the rules say about one field.
    fn remarks(&self, name: &str) -> Vec<Remark> {
        self.findings()
            .iter()
            .filter(|finding| self.field_of(finding).as_deref() == Some(name))
            .map(remark)
            .chain(self.refusal.remarks(name))
            .collect()
    }

    /// What they say about nothing that stands on the page.
    fn other_remarks(&self) -> Vec<Remark> {
        let unreadable = self.unreadable.iter().filter(|fault| fault.field != MORE).map(fault_remark);
        let others =
            self.findings().iter().filter(|finding| self.field_of(finding).is_none()).map(|finding| {
                let remark = remark(finding);
                Remark { message: format!("{}: {}", finding.dotted_path(), remark.message), ..remark }
            });
        unreadable.chain(others).collect()
    }

    fn verdict(&self) -> Option<Badge> {
        Some(match self.report.as_ref()?.verdict {
            Verdict::Accept => Badge::new(Tone::Ok, "The rules accept it"),
            Verdict::Warn => Badge::new(Tone::Warn, "Meta may refuse it"),
            Verdict::Reject => Badge::new(Tone::Bad, "Meta would refuse it"),
        })
    }

    fn tally(&self) -> String {
        let count = |severity| self.findings().iter().filter(|it| it.severity == severity).count() as u64;
        [
            (count(Severity::Reject), "fault"),
            (count(Severity::Warn), "warning"),
            (count(Severity::Note), "note"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| words::counted(count, noun))
        .collect::<Vec<_>>()
        .join(", ")
    }

    fn currency(&self) -> Option<&str> {
        currency(&self.connection, self.draft.get(AD_ACCOUNT))
    }

    /// What a budget amounts to, for people.
    fn money(&self, name: &str) -> String {
        match (self.currency(), self.draft.get(name).parse::<i64>()) {
            (Some(currency), Ok(minor)) => {
                format!("In minor units: this is {}.", money::format_minor(minor, currency))
            }
            (Some(currency), Err(_)) => {
                format!("In minor units: 2000 is {}.", money::format_minor(2000, currency))
            }
            (None, _) => "In minor units, such as cents.".to_owned(),
        }
    }

    fn text<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::text(name, label, self.value(name)).live(self.remarks(name))
    }

    fn number<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::number(name, label, self.value(name)).live(self.remarks(name))
    }

    fn moment<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::date_time(name, label, self.value(name)).live(self.remarks(name))
    }

    fn select<'a>(&'a self, name: &'a str, label: &'a str, choices: Vec<Choice>) -> Field<'a> {
        Field::select(name, label, self.value(name), choices).live(self.remarks(name))
    }

    fn more(&self) -> Field<'_> {
        let remarks = self.unreadable.iter().filter(|fault| fault.field == MORE).map(fault_remark).collect();
        Field::lines(MORE, "Anything else, as JSON", self.value(MORE)).optional().live(remarks)
    }

    fn destinations(&self) -> Vec<Choice> {
        let words = choices::destinations(&self.draft).into_iter().filter(|word| *word != "none");
        with_none("Leave out", words)
    }

    fn goals(&self) -> Vec<Choice> {
        with_none("Choose", choices::goals(&self.draft))
    }

    fn billing_events(&self) -> Vec<Choice> {
        with_none("Choose", choices::billing_events(&self.draft))
    }

    fn needs_dsa(&self) -> bool {
        choices::needs_dsa(&self.draft)
            || !self.value("ad_set.dsa_beneficiary").is_empty()
            || !self.value("ad_set.dsa_payor").is_empty()
    }

    /// The fields of the promoted object that this ad set asks for.
    fn promoted_fields(&self) -> Vec<PromotedField> {
        self.promoted
            .fields
            .iter()
            .map(|field| PromotedField {
                name: promoted_name(&field.name),
                label: field.name.clone(),
                hint: field.what.clone(),
                choices: match (field.name.as_str(), field.r#type, field.words) {
                    (_, _, Some(kind)) => {
                        let words = &adjoin_marketing::vocabulary::vocabulary(kind).values;
                        with_none("Choose", words.iter().map(String::as_str))
                    }
                    (_, Type::Bool, None) => with_none("Leave out", ["true", "false"]),
                    ("page_id", _, None) => {
                        let pages = self.connection.assets.pages.iter();
                        pages
                            .map(|page| Choice::new(&page.id, page.name.as_deref().unwrap_or("Page")))
                            .collect()
                    }
                    ("pixel_id", _, None) => self.pixels(),
                    _ => Vec::new(),
                },
                is_list: field.words.is_some() || field.r#type == Type::Bool,
            })
            .collect()
    }

    /// The pixels of the ad account, as far as Meta told them.
    fn pixels(&self) -> Vec<Choice> {
        let rows: Value = serde_json::from_str(self.draft.get(PIXELS)).unwrap_or_default();
        let rows = rows.as_array().into_iter().flatten();
        rows.map(|row| Choice::new(text(row, "id"), text(row, "name"))).collect()
    }

    fn promoted_field<'a>(&'a self, field: &'a PromotedField) -> Field<'a> {
        let made = if field.is_list {
            Field::select(&field.name, &field.label, self.value(&field.name), field.choices.clone())
        } else {
            Field::text(&field.name, &field.label, self.value(&field.name))
                .suggestions(field.choices.clone())
                .code()
        };
        made.hint(&field.hint).unmarked().live(self.remarks(&field.name))
    }
}

/// A field of the promoted object as it stands on the page.
#[derive(Debug)]
struct PromotedField {
    name: String,
    label: String,
    hint: String,
    choices: Vec<Choice>,
    /// Only the choices are taken.
    is_list: bool,
}

fn fault_remark(fault: &Fault) -> Remark {
    Remark {
        tone: Tone::Bad,
        message: words::sentence(&fault.message),
        fix: format!("Expected: {}", fault.fix),
    }
}

fn currency<'c>(connection: &'c Connection, ad_account: &str) -> Option<&'c str> {
    connection.assets.ad_accounts.iter().find(|it| it.id == ad_account)?.currency.as_deref()
}

/// The rules' answer to the form as it stands.
fn check(app: &App, connection: &Connection, draft: &Draft) -> (Option<Report>, Option<Fault>) {
    let (document, fault) = draft.document(currency(connection, draft.get(AD_ACCOUNT)));
    let bytes = serde_json::to_vec(&document).unwrap_or_default();
    match ad_set::check(&bytes, app.clock.now().0) {
        Ok(report) => (Some(report), fault),
        Err(error) => (None, Some(Fault::new(error.path.clone(), error.problem, "an ad set"))),
    }
}

/// What a link to the form chooses beforehand.
#[derive(Debug, Deserialize)]
pub struct Asked {
    ad_account: Option<String>,
    campaign: Option<String>,
    /// Part of the name of the campaigns to choose from.
    find: Option<String>,
    after: Option<String>,
}

/// The form, or first the question for the campaign.
#[derive(Debug)]
pub enum Step {
    Choose(Box<Page<Choose>>),
    Form(Box<Page<AdSetForm>>),
}

impl IntoResponse for Step {
    fn into_response(self) -> Response {
        match self {
            Self::Choose(page) => page.into_response(),
            Self::Form(page) => page.into_response(),
        }
    }
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Step> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    let first = connection.assets.ad_accounts.first().map(|it| it.id.clone());
    let named = asked.ad_account.filter(|id| !id.is_empty());
    let ad_account = named.clone().or(first).unwrap_or_default();
    let Some(campaign) = asked.campaign.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()) else {
        let find = asked.find.map(|find| find.trim().to_owned()).unwrap_or_default();
        let asked = choose::Asked { ad_account, find, after: asked.after.filter(|it| !it.is_empty()) };
        let page = choose::page(&app, frame, account, connection, asked).await?;
        return Ok(Step::Choose(Box::new(Page::new(page))));
    };
    let mut draft = Draft::default();
    draft.set(AD_ACCOUNT, ad_account);
    draft.set("ad_set.campaign_id", campaign.as_str());
    // What most people want; each stands in the form to be changed.
    draft.set("ad_set.billing_event", "IMPRESSIONS");
    draft.set("ad_set.targeting.targeting_automation.advantage_audience", "0");
    let arguments = Map::from_iter([("campaign_id".to_owned(), Value::from(campaign))]);
    let mut refusal = match call(&app, &account, &connection, "campaign.get", arguments, None).await {
        Ok(answer) => {
            let campaign = data(&answer);
            draft.set("campaign.objective", text(&campaign, "objective"));
            let its_account = text(&campaign, "account_id");
            if named.is_none() && !its_account.is_empty() {
                draft.set(AD_ACCOUNT, format!("act_{its_account}"));
            }
            let has_budget = ["daily_budget", "lifetime_budget"].iter().any(|it| campaign.get(it).is_some());
            if !has_budget {
                draft.set("ad_set.bid_strategy", "LOWEST_COST_WITHOUT_CAP");
            }
            draft.set(CAMPAIGN, campaign.to_string());
            Refusal::default()
        }
        // The form works without, only less certain.
        Err(error) => Refusal::from_error(error)?,
    };
    if connection.state.is_usable() {
        draft.set(PIXELS, pixels(&app, &account, &connection, draft.get(AD_ACCOUNT)).await.to_string());
        let ad_account = draft.get(AD_ACCOUNT);
        let facts = methods::ad_account_facts(&app, &account.id, &connection.id, ad_account).await;
        draft.set(ACCOUNT, facts.map(|facts| facts.to_string()).unwrap_or_default());
    } else {
        // The page says it once.
        refusal = Refusal::default();
    }
    let page = AdSetForm::new(frame, account, connection, draft, None, None, refusal);
    Ok(Step::Form(Box::new(Page::new(page))))
}

/// The pixels of an ad account, to pick from; none when they cannot be read, since an id can be typed all the same.
async fn pixels(app: &App, account: &Account, connection: &Connection, ad_account: &str) -> Value {
    const MOST: usize = 50;
    let arguments = Map::from_iter([
        (AD_ACCOUNT.to_owned(), Value::from(ad_account)),
        ("fields".to_owned(), Value::from(vec!["id", "name"])),
        ("limit".to_owned(), Value::from(MOST)),
    ]);
    match call(app, account, connection, "pixel.list", arguments, None).await {
        Ok(answer) => data(&answer),
        Err(error) => {
            tracing::debug!(%error, "the pixels cannot be offered");
            Value::Null
        }
    }
}

/// The button that was pressed.
const PRESSED: &str = "press";
/// One creation for one form, however often the button is pressed.
const KEY: &str = "key";

/// Checks, and with the other button creates. The page's script sends the same form to have it checked while people
/// type; there is one answer for both.
pub async fn submit(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    let draft = Draft::from_pairs(pairs);
    let (report, unreadable) = check(&app, &connection, &draft);
    let refused = unreadable.is_some() || report.as_ref().is_some_and(|it| it.verdict == Verdict::Reject);
    let create = draft.get(PRESSED) == "create";
    let mut page = AdSetForm::new(frame, account, connection, draft, report, unreadable, Refusal::default());
    if !create {
        return Ok(Page::new(page).into_response());
    }
    if refused {
        return Ok(Page::refused(page).into_response());
    }
    let (mut arguments, _) = page.draft.ad_set();
    arguments.insert(AD_ACCOUNT.to_owned(), page.draft.get(AD_ACCOUNT).into());
    let key = page.draft.get(KEY).to_owned();
    match call(&app, &page.account, &page.connection, "ad_set.create", arguments, Some(&key)).await {
        Ok(answer) => {
            let target = format!("{}/ad-sets/{}", page.connection_path(), text(&data(&answer), "id"));
            Ok(Done::AdSetCreated.at(&target).into_response())
        }
        // It knew more of the campaign than the form did.
        Err(Error::Rejected(report)) => {
            page.report = Some(*report);
            Ok(Page::refused(page).into_response())
        }
        Err(error) => {
            page.refusal = Refusal::from_error(error)?;
            for fault in &mut page.refusal.faults {
                if fault.field != AD_ACCOUNT {
                    fault.field.insert_str(0, "ad_set.");
                }
            }
            Ok(Page::refused(page).into_response())
        }
    }
}
