//! Making an endpoint, and changing one.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};

use super::{
    account_name, endpoint_id,
    page::{Outcome, page},
};
use crate::{
    service::{
        self, App, Error, Fault, accounts,
        api_keys::Reach,
        deliveries::{self, Change, Endpoint, NewEndpoint},
        events::{Kind, Pattern},
    },
    web::console::{
        Frame, Page, Result,
        done::Done,
        input::Form,
        parts::{Choice, Field, Refusal},
        words::sentence,
    },
};

/// Families of events, as people call them.
const FAMILIES: [(&str, &str); 6] = [
    ("lead.", "Leads"),
    ("connection.", "Connections"),
    ("subscription.", "Webhooks from Meta"),
    ("canary.", "Canaries"),
    ("ad.", "Ads"),
    ("endpoint.", "Endpoints"),
];

#[derive(Debug, Template)]
#[template(path = "console/endpoints/edit.html")]
pub struct Edit {
    frame: Frame,
    /// The endpoint that is changed; `None`: one is made.
    endpoint: Option<Endpoint>,
    /// Whose events it gets; it cannot be changed.
    account: Option<String>,
    /// Accounts to pick from, the newest.
    accounts: Vec<Choice>,
    form: Given,
    refusal: Refusal,
}

#[derive(Debug, Default)]
struct Given {
    url: String,
    description: String,
    account: String,
    types: Vec<String>,
    test_leads: bool,
}

/// A type of events to tick.
struct Type {
    name: String,
    what: String,
    ticked: bool,
}

impl Given {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut given = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "url" => given.url = value,
                "description" => given.description = value,
                "account" => given.account = value,
                "types" => given.types.push(value),
                "test_leads" => given.test_leads = true,
                _ => {}
            }
        }
        given
    }

    /// What a browser that shows our own boxes can only send rightly.
    fn types(&self) -> std::result::Result<Vec<Pattern>, Error> {
        let parsed: std::result::Result<Vec<Pattern>, String> =
            self.types.iter().map(|it| it.parse()).collect();
        parsed.map_err(|message| Error::invalid("types", message, "types that are offered"))
    }

    fn account(&self) -> service::Result<Option<crate::id::AccountId>> {
        let text = self.account.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let no_account =
            || Error::invalid("account", "no account has this id", "an id such as acc_…, from Accounts");
        text.parse().map(Some).map_err(|_| no_account())
    }
}

impl Edit {
    /// The families with their types.
    fn families(&self) -> Vec<(&'static str, Vec<Type>)> {
        let is_ticked = |name: &str| self.form.types.iter().any(|it| it == name);
        let family = |(prefix, title): (&'static str, &'static str)| {
            let all = format!("{prefix}*");
            let all = Type {
                ticked: is_ticked(&all),
                what: "all of these, and what is added later".to_owned(),
                name: all,
            };
            let kinds = Kind::ALL
                .into_iter()
                .filter(|kind| *kind != Kind::EndpointTest && kind.as_str().starts_with(prefix))
                .map(|kind| Type {
                    name: kind.as_str().to_owned(),
                    what: what(kind).to_owned(),
                    ticked: is_ticked(kind.as_str()),
                });
            (title, std::iter::once(all).chain(kinds).collect())
        };
        FAMILIES.into_iter().map(family).collect()
    }

    fn action(&self) -> String {
        self.endpoint.as_ref().map_or("/endpoints/new".to_owned(), |it| format!("/endpoints/{}/edit", it.id))
    }
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::LeadCreated => "a form submission was read",
        Kind::LeadUpdated => "Meta changed something about it",
        Kind::LeadExpiring => "Meta forgets it within a week, and it could not be read yet",
        Kind::ConnectionConnected => "an account is connected",
        Kind::ConnectionDegraded => "it works, with gaps",
        Kind::ConnectionBroken => "somebody has to consent again",
        Kind::ConnectionRevoked => "taken back, here or at Facebook",
        Kind::SubscriptionFaulty => {
            "webhooks of a Page, an ad account or the whole app do not come, with the cause"
        }
        Kind::SubscriptionRestored => "they come again",
        Kind::CanaryFailed => "the test lead that Adjoin sends through a form did not arrive",
        Kind::CanaryPassed => "it arrives again",
        Kind::AdIssue => "an ad, ad set or campaign has an issue",
        Kind::AdStatusChanged => "its effective status changed; Meta does not say to what",
        Kind::AdProcessed => "Meta has processed it",
        Kind::AdRecommendation => "Meta recommends something",
        Kind::AdCreativeFatigue => "people have seen it too often",
        Kind::AdAlert => "a threshold was crossed",
        Kind::EndpointDisabled => "another endpoint gets nothing any more",
        Kind::EndpointDeliveryDead => "an event was given up after its last attempt",
        Kind::EndpointTest => "a test of this endpoint",
    }
}

pub async fn new(State(app): State<App>, frame: Frame) -> Result<Page<Edit>> {
    Ok(Page::new(edit(&app, frame, None, Given::default(), Refusal::default()).await?))
}

/// Answers with the endpoint's page, not a redirect: the secret must not stand in an address or wait anywhere.
pub async fn create(
    State(app): State<App>,
    frame: Frame,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let form = Given::read(pairs);
    let made = async {
        let new = NewEndpoint {
            account_id: form.account()?,
            url: form.url.clone(),
            description: form.description.clone(),
            types: form.types()?,
            test_leads: form.test_leads,
        };
        deliveries::create(&app, &frame.actor(), &Reach::AllAccounts, new).await
    };
    match made.await {
        Ok((endpoint, secret)) => {
            let fresh = Outcome::Secret { secret, previous_until: None };
            Ok(Page::new(page(&app, frame, endpoint, None, None, Refusal::default(), fresh).await?)
                .into_response())
        }
        Err(Error::NotFound { .. }) => {
            let fault = Fault::new("account", "no account has this id", "an id such as acc_…, from Accounts");
            let refusal = Refusal { faults: vec![fault], problem: None };
            Ok(Page::refused(edit(&app, frame, None, form, refusal).await?).into_response())
        }
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Ok(Page::refused(edit(&app, frame, None, form, refusal).await?).into_response())
        }
    }
}

pub async fn show(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Page<Edit>> {
    let endpoint = deliveries::get(&app, &Reach::AllAccounts, &endpoint_id(&id)?).await?;
    let form = Given {
        url: endpoint.url.clone(),
        description: endpoint.description.clone(),
        account: String::new(),
        types: endpoint.types.iter().map(ToString::to_string).collect(),
        test_leads: endpoint.test_leads,
    };
    Ok(Page::new(edit(&app, frame, Some(endpoint), form, Refusal::default()).await?))
}

pub async fn submit(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let id = endpoint_id(&id)?;
    let form = Given::read(pairs);
    let changed = async {
        let change = Change {
            url: Some(form.url.clone()),
            description: Some(form.description.clone()),
            types: Some(form.types()?),
            test_leads: Some(form.test_leads),
            enabled: None,
        };
        deliveries::change(&app, &frame.actor(), &Reach::AllAccounts, &id, change).await
    };
    match changed.await {
        Ok(_) => Ok(Done::EndpointChanged.at(&format!("/endpoints/{id}")).into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let endpoint = deliveries::get(&app, &Reach::AllAccounts, &id).await?;
            Ok(Page::refused(edit(&app, frame, Some(endpoint), form, refusal).await?).into_response())
        }
    }
}

async fn edit(
    app: &App,
    frame: Frame,
    endpoint: Option<Endpoint>,
    form: Given,
    refusal: Refusal,
) -> Result<Edit> {
    let accounts = accounts::find(app, "", None, accounts::PAGE_MAX).await?.items;
    let accounts = accounts.into_iter().map(|it| Choice::new(it.id.as_str(), it.name)).collect();
    let account = account_name(app, endpoint.as_ref().and_then(|it| it.account_id.as_ref())).await?;
    Ok(Edit { frame, endpoint, account, accounts, form, refusal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::deliveries::State, time::Timestamp, web::console::endpoints::page::tests::endpoint,
    };

    #[test]
    fn every_type_can_be_ticked_and_stays_ticked() {
        let given = Given::read(vec![
            ("url".to_owned(), "ftp://<b>".to_owned()),
            ("types".to_owned(), "lead.*".to_owned()),
            ("types".to_owned(), "ad.alert".to_owned()),
            ("test_leads".to_owned(), "1".to_owned()),
        ]);
        let fault = Fault::new("url", "nothing is sent there", "https://");
        let page = Edit {
            frame: Frame::sample(Timestamp::from_unix(0)),
            endpoint: None,
            account: None,
            accounts: vec![Choice::new("acc_1", "Acme <b>")],
            form: given,
            refusal: Refusal { faults: vec![fault], problem: None },
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>"));
        assert!(html.contains("value=\"lead.*\" checked") && html.contains("value=\"ad.alert\" checked"));
        assert!(html.contains("name=\"test_leads\" value=\"1\" checked"));
        assert_eq!(html.matches(" checked").count(), 3);
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::EndpointTest) {
            assert!(html.contains(&format!("value=\"{}\"", kind.as_str())), "{kind:?}");
        }
    }

    #[test]
    fn an_endpoint_keeps_its_account() {
        let endpoint = endpoint(State::Enabled);
        let page = Edit {
            frame: Frame::sample(Timestamp::from_unix(0)),
            endpoint: Some(endpoint),
            account: Some("Acme".to_owned()),
            accounts: Vec::new(),
            form: Given::default(),
            refusal: Refusal::default(),
        };
        let html = page.render().unwrap();
        assert!(html.contains("Acme") && !html.contains("name=\"account\""));
    }
}
