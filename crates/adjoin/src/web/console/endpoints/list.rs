//! The endpoints.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use super::{account_name, words};
use crate::{
    service::{
        App,
        api_keys::Reach,
        deliveries::{self, Endpoint, Status},
    },
    web::console::{Frame, Page, Result, input::Query},
};

const PER_PAGE: usize = 25;

/// An endpoint with its account and what waits for it.
#[derive(Debug)]
struct Entry {
    endpoint: Endpoint,
    /// `None`: all accounts.
    account: Option<String>,
    /// Deliveries that have not arrived.
    waiting: i64,
    dead: i64,
}

#[derive(Debug, Template)]
#[template(path = "console/endpoints/list.html")]
pub struct List {
    frame: Frame,
    entries: Vec<Entry>,
    next: Option<String>,
    later_page: bool,
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    after: Option<String>,
}

pub async fn show(State(app): State<App>, frame: Frame, Query(asked): Query<Asked>) -> Result<Page<List>> {
    let page = deliveries::list(&app, &Reach::AllAccounts, None, asked.after.as_deref(), PER_PAGE).await?;
    let all_counts = deliveries::counts_of(&app, page.items.iter().map(|endpoint| &endpoint.id)).await?;
    let mut entries = Vec::with_capacity(page.items.len());
    for endpoint in page.items {
        let account = account_name(&app, endpoint.account_id.as_ref()).await?;
        let counts = all_counts.get(&endpoint.id).into_iter().flatten();
        let of = |wanted: &[Status]| counts.clone().filter(|it| wanted.contains(&it.0)).map(|it| it.1).sum();
        let (waiting, dead) = (of(&[Status::Pending, Status::Held]), of(&[Status::Dead]));
        entries.push(Entry { endpoint, account, waiting, dead });
    }
    Ok(Page::new(List { frame, entries, next: page.next, later_page: asked.after.is_some() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::deliveries::{Cause, State as EndpointState},
        time::Timestamp,
        web::console::endpoints::page::tests::endpoint,
    };

    #[test]
    fn states_and_what_waits_are_said() {
        let now = Timestamp::from_unix(1_795_514_400);
        let entry = |state, waiting, dead| Entry {
            endpoint: endpoint(state),
            account: Some("Acme <b>".to_owned()),
            waiting,
            dead,
        };
        let entries = vec![
            entry(EndpointState::Enabled, 3, 0),
            entry(EndpointState::Disabled { cause: Cause::Gone, at: now }, 0, 2),
        ];
        let list = |entries| List { frame: Frame::sample(now), entries, next: None, later_page: false };
        let html = list(entries).render().unwrap();
        assert!(!html.contains("<b>"));
        for words in ["Failing", "Disabled: it is gone", "3 waiting", "2 given up", "lead.*"] {
            assert!(html.contains(words), "{words}");
        }
        assert!(list(Vec::new()).render().unwrap().contains("No endpoint yet"));
    }
}
