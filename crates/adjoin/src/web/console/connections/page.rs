//! The connection's page.

use askama::Template;
use axum::extract::{self, Path};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    attempts::{self, Attempt},
    of_path, words,
};
use crate::{
    id::ConnectSessionId,
    service::{
        App,
        accounts::Account,
        calls::{self, Call},
        connect_sessions::{self, Stage},
        connections::{Connection, State, Subject, TestReport},
        history::{self, Line},
        settings,
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
    /// Somebody else than before has consented, and nobody has decided yet.
    other_identity: Option<OtherIdentity>,
    /// Consents that did not come about since it was last connected.
    attempts: Vec<Attempt>,
    /// Connect links may be made here.
    links_allowed: bool,
    refusal: Refusal,
    /// What a form on this page has just brought up.
    result: Outcome,
}

/// Somebody else than before, who waits to be accepted.
#[derive(Debug)]
struct OtherIdentity {
    session: ConnectSessionId,
    before: Subject,
    now: Subject,
    /// Then the new consent is dropped.
    until: Timestamp,
}

/// What a press on this page has led to, besides a changed connection.
#[derive(Debug, Default)]
pub enum Outcome {
    #[default]
    Nothing,
    Tested(Box<TestReport>),
    /// A connect link. It is on this page and nowhere else.
    Link {
        url: SecretString,
        expires_at: Timestamp,
    },
}

impl ConnectionPage {
    /// The address of this page.
    fn here(&self) -> String {
        format!("/accounts/{}/connections/{}", self.account.id, self.connection.id)
    }

    /// Nothing is known of it but that it is installed.
    fn is_bare(&self) -> bool {
        self.connection.wanted.is_empty()
            && self.connection.granted.is_empty()
            && self.calls.is_empty()
            && self.connection.assets.is_empty()
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
    let sessions = connect_sessions::of_connection(app, &account.id, &connection.id).await?;
    let attempts = attempts::recent(&sessions, &connection);
    let links_allowed = settings::get(app).await?.links_allowed;
    let other_identity = sessions.into_iter().find_map(|session| match session.stage {
        Stage::OtherIdentity { before, now, until } => {
            Some(OtherIdentity { session: session.id, before, now, until })
        }
        _ => None,
    });
    Ok(ConnectionPage {
        frame,
        account,
        connection,
        calls,
        history,
        other_identity,
        attempts,
        links_allowed,
        refusal,
        result,
    })
}

#[cfg(test)]
mod tests {
    use askama::Template as _;

    use super::*;
    use crate::{
        id::{AccountId, CallId, ConnectionId},
        service::{
            Who,
            connections::{Assets, Check, CheckOutcome, Gap, GapKind, TokenFacts, TokenKind, Trouble},
        },
    };

    const NOW: i64 = 1_795_514_400;

    fn connection(state: State) -> Connection {
        let now = Timestamp::from_unix(NOW);
        Connection {
            id: ConnectionId::new(),
            account_id: AccountId::new(),
            state,
            subject: Some(Subject {
                id: "98".to_owned(),
                name: Some("Jane <i>".to_owned()),
                business_id: None,
            }),
            token: Some(TokenFacts {
                kind: TokenKind::User,
                expires_at: Some(now.plus_seconds(58 * 86_400)),
                data_access_expires_at: None,
            }),
            wanted: ["ads_read", "ads_management", "leads_retrieval"].map(str::to_owned).to_vec(),
            granted: ["ads_read", "public_profile"].map(str::to_owned).to_vec(),
            declined: vec!["ads_management".to_owned()],
            assets: Assets::default(),
            created_at: now,
            connected_at: Some(now),
            checked_at: Some(now),
            updated_at: now,
        }
    }

    fn rendered(state: State, result: Outcome) -> String {
        rendered_while(None, state, result)
    }

    fn rendered_while(other_identity: Option<OtherIdentity>, state: State, result: Outcome) -> String {
        let now = Timestamp::from_unix(NOW);
        let connection = connection(state);
        let account = Account {
            id: connection.account_id.clone(),
            external_id: None,
            name: "Blue <b>Door</b>".to_owned(),
            lead_retention_days: None,
            created_at: now,
        };
        let call = Call {
            id: CallId::new(),
            account_id: account.id.clone(),
            connection_id: connection.id.clone(),
            method: "ad_set.create".to_owned(),
            outcome: "refused".to_owned(),
            code: Some(100),
            subcode: Some(1_885_621),
            message: Some("Meta said <no>".to_owned()),
            trace_id: Some("AbC".to_owned()),
            duration_us: 12_345,
            at: now,
        };
        let line = Line { at: now, who: "Ada".to_owned(), action: "connection.installed".to_owned() };
        let page = ConnectionPage {
            frame: Frame::sample(now),
            account,
            connection,
            calls: vec![call],
            history: vec![line],
            other_identity,
            attempts: vec![attempts::sample(now)],
            links_allowed: true,
            refusal: Refusal::default(),
            result,
        };
        let html = page.render().unwrap();
        for raw in ["<b>Door", "Jane <i>", "<no>", "<CRM>"] {
            assert!(!html.contains(raw), "{raw} is not escaped");
        }
        assert!(!html.contains("session-secret"));
        html
    }

    fn trouble() -> Trouble {
        Trouble {
            title: "The password was changed".to_owned(),
            message: "Meta ended the token.".to_owned(),
            who: Who::Account,
            next_step: "consent again".to_owned(),
            code: Some(190),
            subcode: Some(460),
            since: Timestamp::from_unix(NOW - 7200),
        }
    }

    #[test]
    fn every_state_is_said_in_words() {
        let gap = Gap {
            kind: GapKind::NoPages,
            message: "No Page can be reached".to_owned(),
            who: Who::Account,
            next_step: "pick one".to_owned(),
        };
        let states = [
            (State::Installed, "Waiting for consent"),
            (State::Connected, "Connected"),
            (State::ConnectedWithGaps { gaps: vec![gap.clone()] }, "No Page can be reached"),
            (State::NothingShared { gaps: vec![gap] }, "Nothing shared"),
            (State::ActionNeeded { trouble: trouble() }, "Action needed"),
            (State::Broken { trouble: trouble() }, "code 190, subcode 460"),
            (State::Disconnected, "Disconnected"),
        ];
        for (state, words) in states {
            let usable = state.is_usable();
            let html = rendered(state, Outcome::Nothing);
            assert!(html.contains(words), "{words}");
            assert_eq!(html.contains("New ad set"), usable, "{words}");
        }
    }

    #[test]
    fn what_cannot_create_ads_is_reconnected_first() {
        // Without ads_management and without an ad account.
        let html = rendered(State::Connected, Outcome::Nothing);
        assert!(html.contains("<button class=\"button primary\" type=\"submit\">Reconnect"));
        assert!(html.contains("<a class=\"button\" href") && !html.contains("<a class=\"button primary\""));
    }

    #[test]
    fn a_broken_connection_claims_neither_an_end_nor_permissions() {
        let html = rendered(State::Broken { trouble: trouble() }, Outcome::Nothing);
        assert!(html.contains("Granted before") && html.contains("<dt>Works</dt><dd>no, since"));
        assert!(!html.contains("<dt>Expires</dt>") && !html.contains("in 58 days"));
    }

    #[test]
    fn another_person_who_waits_to_be_accepted_is_shown() {
        let subject = |id: &str, name: &str| Subject {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            business_id: None,
        };
        let both = OtherIdentity {
            session: ConnectSessionId::new(),
            before: subject("98", "Ann"),
            now: subject("99", "Bob"),
            until: Timestamp::from_unix(NOW + 300),
        };
        let html = rendered_while(Some(both), State::Connected, Outcome::Nothing);
        assert!(html.contains("It is connected as Ann; Bob has consented now"));
        assert!(html.contains("Connect as Bob from now on"));
        assert!(!rendered(State::Connected, Outcome::Nothing).contains("Somebody else"));
    }

    #[test]
    fn a_consent_that_did_not_come_about_is_told_with_who_mends_it() {
        let html = rendered(State::Installed, Outcome::Nothing);
        for words in [
            "The app is not open to this person yet",
            "<strong>You:</strong>",
            "add the person as a tester",
            "error_code 1349126",
            "The redirect URI is not registered",
        ] {
            assert!(html.contains(words), "{words}");
        }
    }

    #[test]
    fn permissions_expiry_and_calls_are_told() {
        let html = rendered(State::Connected, Outcome::Nothing);
        for words in
            ["Declined", "Missing", "Granted", "Always comes along", "in 58 days", "Refused by Meta", "12 ms"]
        {
            assert!(html.contains(words), "{words}");
        }
    }

    #[test]
    fn a_link_says_how_long_it_lives_and_a_test_what_it_found() {
        let expires_at = Timestamp::from_unix(NOW + 3 * 86_400);
        let link = Outcome::Link { url: SecretString::from("https://connect.example/connect/x"), expires_at };
        assert!(rendered(State::Installed, link).contains("works for 3 days"));
        let check = Check {
            name: "token",
            title: "The token is alive",
            outcome: CheckOutcome::Failed,
            message: "Meta calls it dead".to_owned(),
            who: Some(Who::Account),
            next_step: Some("reconnect".to_owned()),
        };
        let connection = connection(State::Connected);
        let report = TestReport { ok: false, checks: vec![check], connection };
        let html = rendered(State::Connected, Outcome::Tested(Box::new(report)));
        assert!(html.contains("The test found something") && html.contains("Meta calls it dead"));
    }
}
