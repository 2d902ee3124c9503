//! The connection's page.

use askama::Template;
use axum::extract::{self, Path};

use super::{of_path, words};
use crate::{
    service::{
        App,
        accounts::Account,
        calls::{self, Call},
        connections::{Connection, State, TestReport},
        history::{self, Line},
    },
    time::Timestamp,
    web::console::{
        Frame, Page, Result,
        parts::{Copy, Mark, Refusal, Tone},
        words::length,
    },
};

/// Newest calls shown.
const CALLS: usize = 10;
/// Newest lines of the history shown.
const LINES: i64 = 15;

#[derive(Debug, Template)]
#[template(path = "console/connections/page.html")]
pub struct ConnectionPage {
    frame: Frame,
    account: Account,
    connection: Connection,
    calls: Vec<Call>,
    history: Vec<Line>,
    refusal: Refusal,
    /// What a form on this page has just brought up.
    result: Outcome,
}

/// What a press on this page has led to, besides a changed connection.
#[derive(Debug, Default)]
pub enum Outcome {
    #[default]
    Nothing,
    Tested(Box<TestReport>),
    /// A connect link. It is on this page and nowhere else.
    Link {
        url: String,
        expires_at: Timestamp,
    },
}

impl ConnectionPage {
    /// The address of this page.
    fn here(&self) -> String {
        format!("/accounts/{}/connections/{}", self.account.id, self.connection.id)
    }

    /// How long the link lives from now.
    fn lives(&self, until: &Timestamp) -> String {
        length((until.millis() - self.frame.now.millis()) / 1000)
    }
}

pub async fn show(
    extract::State(app): extract::State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
) -> Result<Page<ConnectionPage>> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    Ok(Page::new(page(&app, frame, account, connection, Refusal::default(), Outcome::Nothing).await?))
}

pub async fn page(
    app: &App,
    frame: Frame,
    account: Account,
    connection: Connection,
    refusal: Refusal,
    result: Outcome,
) -> Result<ConnectionPage> {
    let calls = calls::list(app, &account.id, &connection.id, None, CALLS).await?.items;
    let history = history::about(app, connection.id.as_str(), LINES).await?;
    Ok(ConnectionPage { frame, account, connection, calls, history, refusal, result })
}
