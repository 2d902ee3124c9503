use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;

use super::{RateLimit, Scenario, Scenarios};
use crate::{
    meters,
    protocol::{Call, Caller, GraphError, Method},
};

/// How many calls the page remembers.
const RECENT: usize = 50;

/// What the scenarios do to one call.
#[derive(Debug, Default, PartialEq)]
pub struct Effect {
    /// Wait this long before answering (without the world's lock).
    pub delay: Duration,
    /// Answer with this instead of carrying the call out.
    pub error: Option<GraphError>,
    /// The limit that is used up, for the usage headers; set whenever `error` is its refusal.
    pub rate_limit: Option<RateLimit>,
    /// The Page whose calls for leads are used up.
    pub leads_exhausted: Option<String>,
}

/// What the fate of a call depends on besides the call itself.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    pub now: Timestamp,
    /// The Page whose leads or lead forms are asked for.
    pub leads_of: Option<String>,
    /// Numbers that follow from the world's seed and the count of calls.
    pub dice: [u64; 2],
}

/// A call as the page lists it. Paths and app ids only: no parameters, no tokens.
#[derive(Debug, Clone)]
pub struct RecentCall {
    pub at: Timestamp,
    pub method: Method,
    pub path: String,
    pub version: Option<String>,
    /// What a scenario did to it.
    pub intercepted: Option<String>,
}

impl Scenarios {
    /// Decides the fate of a Graph call, and counts it. Asked once for every call and batch item, after the token
    /// was looked at (`caller` is `None` when there is none or it does not work).
    pub fn intercept(&mut self, call: &Call, caller: Option<&Caller>, about: &Circumstances) -> Effect {
        let mut effect = Effect::default();
        if let Some(Scenario::Slow(delay)) = self.on.get("slow") {
            effect.delay = *delay;
        }
        if self.spend("unknown_error") {
            effect.error = Some(unknown_error());
        } else if self.spend("unavailable") {
            effect.error = Some(unavailable());
        } else if self.failing().is_some_and(|percent| about.dice[0] % 100 < u64::from(percent)) {
            effect.error =
                Some(if about.dice[1].is_multiple_of(2) { unknown_error() } else { unavailable() });
        } else if let Some(page) =
            about.leads_of.as_ref().filter(|_| caller.is_some() && self.throttles_leads(about))
        {
            effect.error = Some(meters::too_many_lead_calls());
            effect.leads_exhausted = Some(page.clone());
        } else if let Some(limit) = self.rate_limit().filter(|_| caller.is_some()) {
            effect.error = limit.refusal(call);
            effect.rate_limit = effect.error.is_some().then_some(limit);
        }
        self.remember(call, &effect, about.now);
        effect
    }

    /// Calls that came in, the newest first.
    pub fn recent(&self) -> impl Iterator<Item = &RecentCall> {
        self.recent.iter().rev()
    }

    /// Percent of the calls that fail.
    fn failing(&self) -> Option<u32> {
        match self.on.get("failing") {
            Some(Scenario::Failing(percent)) => Some(*percent),
            _ => None,
        }
    }

    fn throttles_leads(&self, about: &Circumstances) -> bool {
        match self.on.get("leads_throttled") {
            Some(Scenario::LeadsThrottled(percent)) => about.dice[0] % 100 < u64::from(*percent),
            _ => false,
        }
    }

    /// Whether a counted fault strikes this call; the last one switches it off.
    fn spend(&mut self, name: &'static str) -> bool {
        let Some(Scenario::UnknownError(left) | Scenario::Unavailable(left)) = self.on.get_mut(name) else {
            return false;
        };
        if let Some(count) = left {
            *count -= 1;
            if *count == 0 {
                self.on.remove(name);
            }
        }
        true
    }

    fn remember(&mut self, call: &Call, effect: &Effect, now: Timestamp) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(RecentCall {
            at: now,
            method: call.method,
            path: call.path.join("/"),
            version: call.version.clone(),
            intercepted: effect.error.as_ref().map(|e| e.message.clone()).or_else(|| {
                (!effect.delay.is_zero()).then(|| format!("{} ms slower", effect.delay.as_millis()))
            }),
        });
    }
}

const MORE: &str =
    "For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.";

fn unknown_error() -> GraphError {
    GraphError::new(1, "An unknown error occurred").status(StatusCode::INTERNAL_SERVER_ERROR)
}

fn unavailable() -> GraphError {
    GraphError {
        is_transient: true,
        ..GraphError::new(2, "(#2) Service temporarily unavailable").status(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl RateLimit {
    /// The refusal of a call that this limit covers. Score and use-case limits are an ad account's; login's calls
    /// count only against the app.
    fn refusal(self, call: &Call) -> Option<GraphError> {
        let first = call.path.first().map_or("", String::as_str);
        let login = matches!(first, "oauth" | "debug_token");
        let insights = call.path.last().is_some_and(|p| p == "insights");
        match self {
            Self::App if !login => Some(GraphError {
                is_transient: true,
                ..GraphError::new(4, "(#4) Application request limit reached")
            }),
            Self::Score if on_ad_account(first) => {
                Some(GraphError::new(17, "(#17) User request limit reached").subcode(2_446_079).user(
                    "Ad account has too many API calls",
                    "There have been too many calls from this ad account. Wait a bit and try again.",
                ))
            }
            Self::Buc if on_ad_account(first) => {
                let code = if insights { 80_000 } else { 80_004 };
                Some(
                    GraphError::new(
                        code,
                        format!("(#{code}) There have been too many calls from this ad-account. Wait a bit and try again. {MORE}"),
                    )
                    .subcode(2_446_079),
                )
            }
            _ => None,
        }
    }
}

/// An ad account or one of its objects: their ids are numbers.
fn on_ad_account(first: &str) -> bool {
    first.starts_with("act_") || (!first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()))
}
