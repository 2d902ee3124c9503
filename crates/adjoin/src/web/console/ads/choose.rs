//! The first step of a new ad set: the campaign it belongs to.

use askama::Template;
use serde_json::{Map, Value, json};

use super::{call, data, text};
use crate::{
    service::{App, accounts::Account, connections::Connection},
    web::console::{
        Frame, Result,
        parts::{Choice, Field, Mark, Refusal, Tone},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/ads/choose.html")]
pub struct Choose {
    frame: Frame,
    account: Account,
    connection: Connection,
    ad_account: String,
    /// Only campaigns with this in their name are listed.
    find: String,
    campaigns: Vec<Campaign>,
    /// Where the list goes on, when Meta has more of them.
    next: Option<String>,
    /// Why there is no list.
    refusal: Refusal,
}

/// Campaigns that are listed at once.
const MOST: usize = 100;

/// A campaign of the ad account, as the list shows it.
#[derive(Debug)]
struct Campaign {
    id: String,
    name: String,
    objective: String,
    status: String,
}

impl Choose {
    fn connection_path(&self) -> String {
        format!("/accounts/{}/connections/{}", self.account.id, self.connection.id)
    }

    /// The form of an ad set in this campaign.
    fn form_path(&self, campaign: &Campaign) -> String {
        let query = [("ad_account", self.ad_account.as_str()), ("campaign", campaign.id.as_str())];
        self.path("ad-sets/new", &query)
    }

    fn new_campaign_path(&self) -> String {
        self.path("campaigns/new", &[("ad_account", self.ad_account.as_str())])
    }

    /// The next campaigns, if there are more.
    fn next_path(&self) -> Option<String> {
        let next = self.next.as_deref()?;
        let query = [("ad_account", self.ad_account.as_str()), ("find", self.find.as_str()), ("after", next)];
        Some(self.path("ad-sets/new", &query))
    }

    fn path(&self, page: &str, query: &[(&str, &str)]) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{}/{page}?{query}", self.connection_path())
    }
}

/// Which campaigns are asked for.
#[derive(Debug, Default)]
pub struct Asked {
    pub ad_account: String,
    pub find: String,
    pub after: Option<String>,
}

/// The ad accounts of a connection, to choose from.
pub fn ad_accounts(connection: &Connection) -> Vec<Choice> {
    let accounts = connection.assets.ad_accounts.iter();
    accounts
        .map(|it| {
            let name = it.name.as_deref().unwrap_or("Unnamed");
            let currency = it.currency.as_deref().unwrap_or("currency unknown");
            Choice::new(&it.id, format!("{name} · {} · {currency}", it.id))
        })
        .collect()
}

pub async fn page(
    app: &App,
    frame: Frame,
    account: Account,
    connection: Connection,
    asked: Asked,
) -> Result<Choose> {
    let Asked { ad_account, find, after } = asked;
    let mut arguments = Map::from_iter([
        ("ad_account_id".to_owned(), Value::from(ad_account.as_str())),
        ("fields".to_owned(), json!(["id", "name", "objective", "effective_status"])),
        ("limit".to_owned(), Value::from(MOST)),
    ]);
    arguments.extend(after.map(|after| ("after".to_owned(), Value::from(after))));
    if !find.is_empty() {
        let filter = json!([{ "field": "name", "operator": "CONTAIN", "value": find }]);
        arguments.insert("filtering".to_owned(), filter);
    }
    let (rows, next, refusal) = if ad_account.is_empty() || !connection.state.is_usable() {
        (Value::Null, None, Refusal::default())
    } else {
        match call(app, &account, &connection, "campaign.list", arguments, None).await {
            Ok(answer) => {
                let next = answer.value()["next"].as_str().map(str::to_owned);
                (data(&answer), next, Refusal::default())
            }
            Err(error) => (Value::Null, None, Refusal::from_error(error)?),
        }
    };
    let campaigns = rows.as_array().into_iter().flatten().map(|row| Campaign {
        id: text(row, "id").to_owned(),
        name: text(row, "name").to_owned(),
        objective: text(row, "objective").to_owned(),
        status: text(row, "effective_status").to_owned(),
    });
    let campaigns = campaigns.collect();
    Ok(Choose { frame, account, connection, ad_account, find, campaigns, next, refusal })
}
