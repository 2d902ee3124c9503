//! What the buttons of the connection's page do: test it, make a connect link, accept another person.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    of_path,
    page::{Outcome, page},
};
use crate::{
    service::{
        App, connect_sessions,
        connect_sessions::{Kind, NewConnectSession},
        connections, settings,
    },
    web::console::{Failure, Frame, Page, Result, done::Done, input::Form, parts::Refusal},
};

/// Answers with the page: a report is of this moment and has no address of its own.
pub async fn test(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
) -> Result<Response> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    match connections::test(&app, &frame.actor(), &account.id, &connection.id).await {
        Ok(report) => {
            let connection = report.connection.clone();
            let result = Outcome::Tested(Box::new(report));
            Ok(Page::new(page(&app, frame, account, connection, Refusal::default(), result).await?)
                .into_response())
        }
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Ok(Page::refused(page(&app, frame, account, connection, refusal, Outcome::Nothing).await?)
                .into_response())
        }
    }
}

/// Makes a link for the customer. Who reconnects wants to share something else: Facebook asks, also people who agreed.
pub async fn link(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
) -> Result<Response> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    let new = NewConnectSession {
        account_id: account.id.clone(),
        kind: Kind::Link,
        use_cases: Vec::new(),
        configuration: None,
        rerequest: connection.token.is_some(),
    };
    let made = async {
        let origin = settings::origin(&app, &settings::get(&app).await?)?;
        let (session, secret) = connect_sessions::create(&app, &frame.actor(), new).await?;
        let url = origin.join(&format!("/connect/{}", secret.expose_secret()));
        Ok(Outcome::Link { url: url.into(), expires_at: session.expires_at })
    };
    Ok(match made.await {
        Ok(result) => Page::new(page(&app, frame, account, connection, Refusal::default(), result).await?),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Page::refused(page(&app, frame, account, connection, refusal, Outcome::Nothing).await?)
        }
    }
    .into_response())
}

#[derive(Debug, Deserialize)]
pub struct Accept {
    session: String,
}

/// Accepts that another person or business than before stands behind the connection.
pub async fn accept(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
    Form(given): Form<Accept>,
) -> Result<Response> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    // Only one of this connection's: the address says what is decided about.
    let sessions = connect_sessions::of_connection(&app, &account.id, &connection.id).await?;
    let session = sessions.into_iter().find(|session| session.id.as_str() == given.session);
    let session = session.ok_or_else(Failure::no_page)?.id;
    Ok(match connect_sessions::accept_identity(&app, &frame.actor(), &account.id, &session).await {
        Ok(_) => Done::IdentityAccepted
            .at(&format!("/accounts/{}/connections/{}", account.id, connection.id))
            .into_response(),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Page::refused(page(&app, frame, account, connection, refusal, Outcome::Nothing).await?)
                .into_response()
        }
    })
}

/// Somebody came back to the address of a form's answer, which is gone.
pub async fn back(
    State(app): State<App>,
    _frame: Frame,
    Path((account, connection)): Path<(String, String)>,
) -> Result<Redirect> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    Ok(Redirect::to(&format!("/accounts/{}/connections/{}", account.id, connection.id)))
}
