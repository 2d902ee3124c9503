//! What Meta says an account's forms hold, what is held here, and whether its webhooks come.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::words;
use crate::{
    service::{
        App,
        accounts::{self, Account},
        forms::{self, Form, Forms},
        subscriptions::{self, Object, Subscription},
    },
    store,
    web::console::{
        Frame, Page, Result,
        accounts::account_id,
        connections::words::who,
        input::Query,
        parts::{Mark, Tone},
        words::{counted, sentence},
    },
};

const PER_PAGE: usize = 50;
/// Pages and ad accounts that are shown.
const SUBSCRIPTIONS: usize = 100;

#[derive(Debug, Template)]
#[template(path = "console/forms/list.html")]
pub struct List {
    pub frame: Frame,
    pub account: Account,
    pub forms: Forms,
    /// The first hundred Pages and ad accounts.
    pub subscriptions: store::Page<Subscription>,
    pub later_page: bool,
}

impl List {
    /// Those of one kind: the Pages, the ad accounts.
    fn of(&self, object: Object) -> Vec<&Subscription> {
        self.subscriptions.items.iter().filter(|it| it.object == object).collect()
    }

    /// The Page's name, or its id where it is not known any more.
    fn page_name<'a>(&'a self, form: &'a Form) -> &'a str {
        let page = self.of(Object::Page).into_iter().find(|it| it.object_id == form.page_id);
        page.map_or(&form.page_id, |it| &it.name)
    }
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    after: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page<List>> {
    let account = accounts::get(&app, &account_id(&id)?).await?;
    let forms = forms::list(&app, &account.id, None, asked.after.as_deref(), PER_PAGE).await?;
    let subscriptions = subscriptions::list(&app, &account.id, None, SUBSCRIPTIONS).await?;
    Ok(Page::new(List { frame, account, forms, subscriptions, later_page: asked.after.is_some() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AccountId, ConnectionId},
        service::{
            Who,
            forms::{Completeness, SweepTrouble, SweepView, Totals},
            subscriptions::{Cause, State, SubscriptionFault},
        },
        time::Timestamp,
    };

    const NOW: i64 = 1_795_514_400;

    pub fn form(missing: Option<i64>, trouble: bool) -> Form {
        let now = Timestamp::from_unix(NOW);
        let trouble = trouble.then(|| SweepTrouble {
            message: "Meta says <no>".to_owned(),
            who: Who::Account,
            next_step: "let somebody connect again".to_owned(),
            since: now,
            failures: 3,
        });
        Form {
            form_id: "777".to_owned(),
            page_id: "42".to_owned(),
            name: "Test drive <b>".to_owned(),
            status: "ACTIVE".to_owned(),
            version_id: None,
            completeness: Completeness {
                at_meta: missing.map(|missing| 10 + missing),
                organic: None,
                expired: None,
                held: 10,
                waiting: 1,
                gone: 0,
                erased_unread: 0,
                missing,
                missing_at_most: missing,
                counted_at: None,
            },
            sweep: SweepView {
                next_at: now.plus_seconds(600),
                every_seconds: 600,
                watermark: Some(now),
                under_way: None,
                read: 0,
                last: None,
                trouble,
            },
            created_at: now,
        }
    }

    fn rendered(forms: Vec<Form>, subscriptions: Vec<Subscription>) -> String {
        let now = Timestamp::from_unix(NOW);
        let account = Account {
            id: AccountId::new(),
            external_id: None,
            name: "Blue <b>Door</b>".to_owned(),
            created_at: now,
            lead_retention_days: None,
        };
        let totals = Totals {
            forms: 1,
            at_meta: 13,
            expired: 0,
            held: 10,
            waiting: 1,
            gone: 0,
            erased_unread: 0,
            missing: 3,
            missing_at_most: 3,
            uncounted: 0,
        };
        let page = List {
            frame: Frame::sample(now),
            account,
            forms: Forms { page: store::Page { items: forms, next: None }, totals },
            subscriptions: store::Page { items: subscriptions, next: None },
            later_page: false,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>") && !html.contains("<no>"), "{html}");
        html
    }

    #[test]
    fn what_is_missing_and_what_stands_in_the_way_are_said() {
        let now = Timestamp::from_unix(NOW);
        let fault = SubscriptionFault {
            cause: Cause::TermsNotAccepted,
            message: "The Page has not accepted the terms.".to_owned(),
            who: Who::Account,
            next_step: "let an admin accept them".to_owned(),
        };
        let subscription = Subscription {
            object: Object::Page,
            object_id: "42".to_owned(),
            name: "Blue Door Bakery".to_owned(),
            connection_id: ConnectionId::new(),
            state: State::Faulty { fault, since: now, subscribed_since: None, told: true },
            checked_at: Some(now),
            check_at: now.plus_seconds(3600),
        };
        let html = rendered(vec![form(Some(3), true), form(None, false)], vec![subscription]);
        for words in [
            "3 missing",
            "Not counted yet",
            "Blue Door Bakery",
            "No webhooks",
            "The account:</strong> let an admin accept them",
            "let somebody connect again",
        ] {
            assert!(html.contains(words), "{words}");
        }
    }

    #[test]
    fn an_account_without_forms_is_told_what_to_do() {
        assert!(rendered(Vec::new(), Vec::new()).contains("No form is known yet"));
    }
}
