//! The inbox: the leads of all accounts or of one, the newest first. Nothing personal is shown here.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::{shown::Shown, words};
use crate::{
    id::AccountId,
    service::{
        App,
        accounts::{self, Account},
        forms,
        leads::{self, Cause, Lead, State as LeadState, Waiting, charts},
    },
    store,
    web::console::{
        Failure, Frame, Page, Result,
        accounts::account_id,
        charts::Charts,
        connections::words::who,
        input::Query,
        parts::Choice,
        words::{address, length, sentence},
    },
};

const PER_PAGE: usize = 25;
/// Forms to pick from.
const FORMS: usize = 100;

#[derive(Debug, Template)]
#[template(path = "console/leads/list.html")]
pub struct List {
    frame: Frame,
    /// The account whose inbox it is; `None`: of all.
    account: Option<Account>,
    leads: store::Page<Lead>,
    /// What the accounts of the leads are called, where the inbox is of all.
    names: BTreeMap<AccountId, String>,
    /// Accounts to pick from, the newest, where the inbox is of all.
    accounts: Vec<Choice>,
    /// The account's forms to pick from.
    forms: Vec<Choice>,
    filter: Asked,
    shown: Shown,
    waiting: Vec<Waiting>,
    /// Not on later pages and not beside filters.
    charts: Option<Charts>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    form: String,
    #[serde(default)]
    state: String,
    after: Option<String>,
}

impl Asked {
    fn is_plain(&self) -> bool {
        self.account.is_empty() && self.form.is_empty() && self.state.is_empty() && self.after.is_none()
    }
}

impl List {
    fn here(&self) -> String {
        self.account.as_ref().map_or("/leads".to_owned(), |it| format!("/accounts/{}/leads", it.id))
    }

    fn more(&self) -> Option<String> {
        let next = self.leads.next.as_deref()?;
        let filter = &self.filter;
        let parameters = [
            ("account", &*filter.account),
            ("form", &filter.form),
            ("state", &filter.state),
            ("after", next),
        ];
        Some(address(&self.here(), &parameters))
    }

    /// What leads wait for, with the list that shows them.
    fn waiting(&self) -> Vec<(Shown, &Waiting)> {
        let parked = |it: &Waiting| Cause::ALL.into_iter().find(|cause| cause.as_str() == it.cause);
        let shown = |it: &Waiting| match &*it.cause {
            "seen" => Shown::Waiting,
            "gone" => Shown::Gone,
            _ => Shown::Parked(parked(it)),
        };
        self.waiting.iter().filter(|it| it.leads > 0).map(|it| (shown(it), it)).collect()
    }

    fn account_name(&self, lead: &Lead) -> &str {
        self.names.get(&lead.account_id).map_or("", String::as_str)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    fn is_shown(&self, shown: &Shown) -> bool {
        self.shown == *shown
    }
}

pub async fn of_all(State(app): State<App>, frame: Frame, Query(asked): Query<Asked>) -> Result<Page<List>> {
    // An account that is none is no filter of the list but a page that is not there.
    let account = match asked.account.trim() {
        "" => None,
        text => Some(account_id(text)?),
    };
    let accounts = accounts::find(&app, "", None, accounts::PAGE_MAX).await?.items;
    let accounts = accounts.into_iter().map(|it| Choice::new(it.id.as_str(), it.name)).collect();
    Ok(Page::new(list(&app, frame, None, account, accounts, asked).await?))
}

pub async fn of_account(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page<List>> {
    let account = accounts::get(&app, &account_id(&id)?).await?;
    let id = account.id.clone();
    let asked = Asked { account: String::new(), ..asked };
    Ok(Page::new(list(&app, frame, Some(account), Some(id), Vec::new(), asked).await?))
}

async fn list(
    app: &App,
    frame: Frame,
    account: Option<Account>,
    id: Option<AccountId>,
    accounts: Vec<Choice>,
    asked: Asked,
) -> Result<List, Failure> {
    let shown: Shown = asked.state.parse().unwrap_or_default();
    let form = asked.form.trim();
    let leads = leads::list(app, id.as_ref(), &shown.filter(form), asked.after.as_deref(), PER_PAGE).await?;
    let mut names = BTreeMap::new();
    for lead in leads.items.iter().filter(|_| account.is_none()) {
        if !names.contains_key(&lead.account_id) {
            names.insert(lead.account_id.clone(), accounts::get(app, &lead.account_id).await?.name);
        }
    }
    let forms = match &id {
        Some(id) => forms::list(app, id, None, None, FORMS).await?.page.items,
        None => Vec::new(),
    };
    let charts =
        if asked.is_plain() { Some(Charts::new(charts::charts(app, id.as_ref()).await?)) } else { None };
    Ok(List {
        frame,
        account,
        leads,
        names,
        accounts,
        forms: forms.into_iter().map(|it| Choice::new(it.form_id, it.name)).collect(),
        waiting: leads::waiting(app, id.as_ref()).await?,
        filter: asked,
        shown,
        charts,
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::{id::LeadId, service::Who, time::Timestamp};

    const NOW: i64 = 1_795_514_400;

    pub fn lead(state: LeadState) -> Lead {
        let now = Timestamp::from_unix(NOW);
        Lead {
            id: LeadId::new(),
            account_id: AccountId::new(),
            meta_lead_id: "123456789012345".to_owned(),
            page_id: "42".to_owned(),
            form_id: "777".to_owned(),
            form_name: Some("Test drive <b>".to_owned()),
            ad_id: None,
            ad_set_id: None,
            campaign_id: None,
            is_organic: None,
            platform: None,
            is_test: true,
            state,
            submitted_at: Some(now.plus_seconds(-90)),
            seen_at: now,
            hydrated_at: None,
            delivered_at: None,
            attempts: 2,
            next_try_at: Some(now.plus_seconds(600)),
            lost_at: None,
            hours_left: Some(30),
            first_source: Some("sweep".to_owned()),
        }
    }

    pub fn parked() -> LeadState {
        LeadState::Parked {
            cause: Cause::Token,
            message: "the token is dead <b>".to_owned(),
            who: Who::Account,
            next_step: "let somebody connect again".to_owned(),
            code: Some(190),
            subcode: None,
            since: Timestamp::from_unix(NOW - 7200),
        }
    }

    fn rendered(items: Vec<Lead>, filter: Asked) -> String {
        let now = Timestamp::from_unix(NOW);
        let shown = filter.state.parse().unwrap_or_default();
        let wait = |cause: &str, leads, hours_left| Waiting {
            cause: cause.to_owned(),
            leads,
            oldest_at: now,
            hours_left,
        };
        let names = items.iter().map(|it| (it.account_id.clone(), "Acme <b>".to_owned())).collect();
        let page = List {
            frame: Frame::sample(now),
            account: None,
            leads: store::Page { items, next: Some("lead_9".to_owned()) },
            accounts: vec![Choice::new("acc_1", "Acme <b>")],
            forms: Vec::new(),
            filter,
            shown,
            names,
            waiting: vec![wait("seen", 2, 2000), wait("token", 3, 40)],
            charts: None,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>"));
        html
    }

    #[test]
    fn a_parked_lead_says_why_and_who_mends_it() {
        let html = rendered(vec![lead(parked()), lead(LeadState::Seen)], Asked::default());
        for words in [
            "Parked: the token is dead",
            "The account:</strong> let somebody connect again",
            "Being read",
            "Sweep",
            "Test lead",
            "Try waiting ones now",
            "state=parked_token",
            "after=lead_9",
            "1 day until Meta forgets",
        ] {
            assert!(html.contains(words), "{words}");
        }
    }

    #[test]
    fn an_empty_inbox_says_whether_a_filter_made_it_so() {
        assert!(rendered(Vec::new(), Asked::default()).contains("No lead yet"));
        let filter = Asked { state: "delivered".to_owned(), ..Asked::default() };
        assert!(rendered(Vec::new(), filter).contains("No lead matches"));
    }
}
