//! A Page's own token. Leads, forms and a Page's webhooks are only to be had with it, and its limits grow with the Page.
//!
//! It is asked for with the connection's token and kept in memory only: it is worth as much as the consent behind it, and
//! is made anew whenever Meta refuses it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use adjoin_graph::Request;
use adjoin_marketing::errors::Class;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Access, access, report_refusal};
use crate::{
    id::{AccountId, ConnectionId},
    quota::Touched,
    service::{App, Error, Result, Who, meta},
    time::Timestamp,
};

/// How long a token is used before it is asked for again: roles on a Page change without a word of Meta's.
const SECONDS: i64 = 60 * 60;
/// Most tokens that are held.
const REMEMBERED: usize = 10_000;

type Key = (ConnectionId, String);

/// The tokens that are in use, by connection and Page.
#[derive(Debug, Default)]
pub struct PageTokens(Mutex<HashMap<Key, Known>>);

#[derive(Debug)]
struct Known {
    token: SecretString,
    /// Of the consent it came from: a new consent has new tokens.
    connected_at: Option<Timestamp>,
    asked_at: Timestamp,
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        (0..SECONDS).contains(&(now.unix() - self.asked_at.unix()))
    }
}

impl PageTokens {
    fn known(&self) -> MutexGuard<'_, HashMap<Key, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &Key, connected_at: Option<Timestamp>, now: Timestamp) -> Option<SecretString> {
        let known = self.known();
        let held = known.get(key).filter(|it| it.connected_at == connected_at && it.is_fresh(now))?;
        Some(held.token.clone())
    }

    fn put(&self, key: Key, token: SecretString, connected_at: Option<Timestamp>, now: Timestamp) {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, held| held.is_fresh(now));
        }
        if known.len() < REMEMBERED {
            known.insert(key, Known { token, connected_at, asked_at: now });
        }
    }

    /// Forgets the tokens of connections whose consent has ended.
    pub fn forget_all(&self, ended: &BTreeSet<ConnectionId>) {
        self.known().retain(|(connection, _), _| !ended.contains(connection));
    }

    fn forget(&self, key: &Key) {
        self.known().remove(key);
    }
}

/// The right to call Meta for one Page of a connection, with the Page's own token.
///
/// When Meta says that the connection has no token for this Page, because nobody shared it or for want of a role, that is
/// [`Error::Unpermitted`].
pub async fn page_access(
    app: &App,
    account: &AccountId,
    connection: &ConnectionId,
    page_id: &str,
) -> Result<Access> {
    let access = access(app, account, connection).await?;
    let (key, now) = ((connection.clone(), page_id.to_owned()), app.clock.now());
    let held = app.page_tokens.get(&key, access.connected_at(), now);
    let token = if let Some(token) = held {
        token
    } else {
        let token = ask(app, &access, page_id).await?;
        app.page_tokens.put(key, token.clone(), access.connected_at(), now);
        token
    };
    Ok(Access { token: access.token.with_token(token), page_id: Some(page_id.to_owned()), ..access })
}

async fn ask(app: &App, access: &Access, page_id: &str) -> Result<SecretString> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        access_token: Option<SecretString>,
    }
    // As for everything of the Page's: its calls have a meter of their own.
    let touched = Touched {
        ad_account: Some(page_id.to_owned()),
        object: None,
        connection: access.connection_id.clone(),
    };
    let request = Request::get(format!("/{page_id}")).param("fields", "access_token");
    match access.graph.send_with_retry(&request, &access.token).await {
        Ok(answer) => {
            app.quota.observe(&touched, &answer.usage, None, app.clock.now());
            let page: Page = answer.parse()?;
            page.access_token.ok_or_else(|| no_token(page_id))
        }
        Err(error) => {
            if let Some(refusal) = error.refusal() {
                let known = meta::known(refusal);
                app.quota.observe(&touched, &refusal.usage, Some((refusal, known)), app.clock.now());
            }
            report_refusal(app, access, &error).await?;
            Err(error.into())
        }
    }
}

fn no_token(page_id: &str) -> Error {
    Error::Unpermitted {
        message: format!("Meta gives this connection no token for the Page {page_id}"),
        who: Who::Account,
        next_step: "whoever connects needs a role on the Page, and must share it: let them connect again and pick it (over \
                    the API with `rerequest`, so that Facebook asks people who agreed before), or have an admin of the \
                    Page give the person the task Ads"
            .to_owned(),
    }
}

/// Whether Meta refused a call because the Page's token it was made with is dead. [`page_access`] then asks for another.
pub fn is_dead_page_token(access: &Access, error: &adjoin_graph::Error) -> bool {
    let (Some(_), Some(refusal)) = (&access.page_id, error.refusal()) else { return false };
    let known = meta::known(refusal);
    matches!(known.class, Class::Reconnect | Class::ActionOnFacebook)
}

/// Forgets the Page's token when that is what Meta refused. True when it was.
pub(super) fn forget_if_dead(app: &App, access: &Access, error: &adjoin_graph::Error) -> bool {
    let is_dead = is_dead_page_token(access, error);
    if let Some(page_id) = access.page_id.clone().filter(|_| is_dead) {
        app.page_tokens.forget(&(access.connection_id.clone(), page_id));
    }
    is_dead
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_used_for_an_hour_and_under_its_own_consent() {
        let tokens = PageTokens::default();
        let (connection, other) = (ConnectionId::new(), ConnectionId::new());
        let key = |connection: &ConnectionId, page: &str| (connection.clone(), page.to_owned());
        let at = |seconds: i64| Timestamp::from_unix(1_795_514_400 + seconds);
        let consent = Some(at(-60));
        for (connection, page) in [(&connection, "1"), (&connection, "2"), (&other, "1")] {
            let token = SecretString::from(format!("token of {page}"));
            tokens.put(key(connection, page), token, consent, at(0));
        }
        let get = |connection: &ConnectionId, page: &str, consent, now| {
            tokens.get(&key(connection, page), consent, now).map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(get(&connection, "1", consent, at(3599)).as_deref(), Some("token of 1"));
        assert_eq!(get(&connection, "1", consent, at(3600)), None, "roles change");
        assert_eq!(get(&connection, "1", consent, at(-1)), None, "the clock was set back");
        assert_eq!(get(&connection, "1", Some(at(1)), at(2)), None, "another consent");
        assert_eq!(get(&connection, "3", consent, at(0)), None);
        tokens.forget(&key(&connection, "2"));
        assert_eq!(get(&connection, "2", consent, at(0)), None);
        tokens.forget_all(&BTreeSet::from([connection.clone()]));
        assert_eq!(get(&connection, "1", consent, at(0)), None);
        assert!(get(&other, "1", consent, at(0)).is_some(), "others keep theirs");
    }

    #[test]
    fn when_there_are_many_only_what_is_fresh_is_held() {
        let tokens = PageTokens::default();
        let connection = ConnectionId::new();
        for page in 0..=REMEMBERED {
            let at = Timestamp::from_unix(if page == REMEMBERED { SECONDS } else { 0 });
            tokens.put((connection.clone(), page.to_string()), "t".into(), None, at);
        }
        assert_eq!(tokens.known().len(), 1);
    }
}
