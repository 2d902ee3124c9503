//! Who calls, and what they may reach. The types a handler takes say it: [`Partner`] for what concerns all accounts,
//! [`InAccount`] for one account, [`Caller`] for the rest. Another account than the key's own is *not found*.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{Operation, Response, StatusCode as Status},
};
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, Reference as _},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    answer::{Refused, early},
    input::At,
};
use crate::{
    audit::Actor,
    id::{AccountId, ApiKeyId},
    service::{
        App, Error, Who,
        api_keys::{self, Reach},
    },
    time::Clock,
    web::{limits::ServiceClock, problem::Problem},
};

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    pub actor: Actor,
    /// What the key reaches.
    pub reach: Reach,
}

/// A caller whose key reaches all accounts.
#[derive(Debug, Clone)]
pub struct Partner {
    pub actor: Actor,
}

/// A caller within the account that the path names, which its key reaches.
#[derive(Debug, Clone)]
pub struct InAccount {
    pub actor: Actor,
    pub id: AccountId,
    /// What the key reaches: this account at least.
    pub reach: Reach,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let secret = bearer(parts).ok_or_else(unauthorized)?;
        let (key, reach) = api_keys::authenticate(app, secret).await?.ok_or_else(unauthorized)?;
        if let Some(limits) = parts.extensions.get::<RateLimits>() {
            limits.take(&key)?;
        }
        Ok(Self { actor: Actor::ApiKey(key), reach })
    }
}

impl FromRequestParts<App> for Partner {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let Caller { actor, reach } = Caller::from_request_parts(parts, app).await?;
        match reach {
            Reach::AllAccounts => Ok(Self { actor }),
            Reach::One(_) => Err(Error::Forbidden {
                message: "this key is bound to one account, and this concerns all of them".to_owned(),
                next_step: "use a key of the partner".to_owned(),
            }
            .into()),
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct AccountPath {
    /// The account.
    pub account_id: AccountId,
}

impl FromRequestParts<App> for InAccount {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let Caller { actor, reach } = Caller::from_request_parts(parts, app).await?;
        let At(AccountPath { account_id: id }) = At::from_request_parts(parts, app).await?;
        match &reach {
            Reach::One(own) if *own != id => Err(Error::NotFound { what: "the account" }.into()),
            Reach::AllAccounts | Reach::One(_) => Ok(Self { actor, id, reach }),
        }
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let text = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

fn unauthorized() -> Refused {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "Who are you?",
        "the request has no API key, or one that is not known or was revoked",
        Who::Partner,
        "send `Authorization: Bearer adj_...` with a key from Settings > API keys",
    )
    .into()
}

const UNAUTHORIZED: (u16, &str) = (401, "No API key, or one that is not known or was revoked");
const TOO_MANY: (u16, &str) =
    (429, "This key sends more requests than it may; `Retry-After` says when to go on");

impl OperationInput for Caller {
    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Response)> {
        early(context, &[UNAUTHORIZED, TOO_MANY])
    }
}

impl OperationInput for Partner {
    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Response)> {
        early(context, &[UNAUTHORIZED, (403, "The key is bound to one account"), TOO_MANY])
    }
}

impl OperationInput for InAccount {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        At::<AccountPath>::operation_input(context, operation);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Response)> {
        early(context, &[UNAUTHORIZED, (404, "Not there, or not within the key's reach"), TOO_MANY])
    }
}

/// Most keys remembered; from then on those that are idle are forgotten.
const REMEMBERED: usize = 10_000;

/// How many requests a second one key may send; as many may come at once. On the service's clock.
#[derive(Debug, Clone)]
pub struct RateLimits(Arc<Limiter>);

type Limiter = RateLimiter<ApiKeyId, DashMapStateStore<ApiKeyId>, ServiceClock, NoOpMiddleware<Duration>>;

impl RateLimits {
    pub fn new(per_second: NonZeroU32, clock: Clock) -> Self {
        Self(Arc::new(RateLimiter::dashmap_with_clock(Quota::per_second(per_second), ServiceClock(clock))))
    }

    fn take(&self, key: &ApiKeyId) -> Result<(), Refused> {
        if self.0.len() > REMEMBERED {
            self.0.retain_recent();
        }
        self.0.check_key(key).map_err(|until| {
            let wait = until.earliest_possible().duration_since(self.0.clock().now());
            Refused::from(Problem {
                retry_after: Some(Duration::from(wait).as_secs() + 1),
                ..Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-requests",
                    "Too many requests",
                    "this key sends more requests than it may",
                    Who::Partner,
                    "slow down and send it again; nothing was done",
                )
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_key_that_sends_too_much_waits_and_others_do_not() {
        let clock = Clock::manual(Timestamp::from_unix(1_795_514_400));
        let limits = RateLimits::new(NonZeroU32::new(2).unwrap(), clock.clone());
        let (busy, calm) = (ApiKeyId::new(), ApiKeyId::new());
        assert!(limits.take(&busy).is_ok() && limits.take(&busy).is_ok());
        let problem = limits.take(&busy).unwrap_err().0;
        assert_eq!((problem.status, problem.retry_after), (429, Some(1)));
        assert!(limits.take(&calm).is_ok());
        clock.advance_seconds(1);
        assert!(limits.take(&busy).is_ok());
    }
}
