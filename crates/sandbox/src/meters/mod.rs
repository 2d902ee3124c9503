//! Rate limits and the usage headers that tell of them.
//!
//! Sources: graph-api/overview/rate-limiting, marketing-api/overview/rate-limiting. How scores decay is not documented
//! beyond "300 seconds"; here they drain evenly over that time.

mod window;

use std::collections::HashMap;

use http::HeaderName;
use serde_json::{Map, Value, json};

use crate::{
    protocol::{Call, GraphError, Method},
    scenarios::{self, RateLimit},
};
use window::{Day, Drain, Hour, Recent};

/// The app's access tier. Names in headers are those of before May 2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// Calls are counted as on [`Tier::Full`]; none is refused, and no meter is shown as used up.
    #[default]
    Unlimited,
    /// "Limited access".
    Limited,
    /// "Full access".
    Full,
}

impl From<Option<scenarios::Tier>> for Tier {
    fn from(tier: Option<scenarios::Tier>) -> Self {
        match tier {
            None => Self::Unlimited,
            Some(scenarios::Tier::Limited) => Self::Limited,
            Some(scenarios::Tier::Full) => Self::Full,
        }
    }
}

impl Tier {
    fn header_name(self) -> &'static str {
        match self {
            Self::Limited => "development_access",
            Self::Full | Self::Unlimited => "standard_access",
        }
    }

    /// Points an account can have, and seconds it is blocked for beyond that.
    fn score(self) -> (f64, i64) {
        match self {
            Self::Limited => (60.0, 300),
            Self::Full | Self::Unlimited => (9_000.0, 60),
        }
    }

    /// The most a meter is shown to be used, in percent: what is never refused is never at its end, or clients that
    /// heed the headers would stop for nothing.
    fn ceiling(self) -> u32 {
        if self == Self::Unlimited { 99 } else { u32::MAX }
    }

    /// Calls an hour of a business use case.
    fn hourly(self, case: UseCase) -> u32 {
        match (case, self) {
            (UseCase::Management, Self::Limited) => 300,
            (UseCase::Management, _) => 100_000,
            (UseCase::Insights, Self::Limited) => 600,
            (UseCase::Insights, _) => 190_000,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum UseCase {
    Management,
    Insights,
}

impl UseCase {
    const ALL: [Self; 2] = [Self::Management, Self::Insights];

    fn name(self) -> &'static str {
        match self {
            Self::Management => "ads_management",
            Self::Insights => "ads_insights",
        }
    }

    fn code(self) -> i64 {
        match self {
            Self::Management => 80_004,
            Self::Insights => 80_000,
        }
    }
}

/// Seconds over which a full score drains.
const DRAIN: i64 = 300;
/// Creates and edits of one app on one account in one second.
const MUTATIONS_A_SECOND: u32 = 100;
/// General Graph calls of an app in an hour. Meta takes 200 for each daily user; the sandbox's app has fifty.
const APP_CALLS_AN_HOUR: u32 = 10_000;
const AD_SET_BUDGETS_AN_HOUR: usize = 4;
const SPEND_CAPS_A_DAY: usize = 10;
const HOUR: i64 = 3_600;
/// Calls for leads that each lead gives its Page a day. Source: lead-ads/retrieving.
const LEAD_CALLS_A_LEAD: u64 = 4_800;

#[derive(Debug, Default)]
pub struct Meters {
    scores: HashMap<u64, Drain>,
    use_cases: HashMap<(u64, UseCase), Hour>,
    mutations: HashMap<(String, u64), (i64, u32)>,
    apps: HashMap<String, Hour>,
    /// By app and Page: calls for leads and lead forms.
    leads: HashMap<(String, String), Day>,
    ad_set_budgets: HashMap<u64, Recent>,
    spend_caps: HashMap<u64, Recent>,
}

/// What a limit is counted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asset {
    AdAccount {
        account: u64,
        insights: bool,
    },
    Page(String),
    /// The leads of a Page.
    Leads(String),
    Catalog(String),
    /// Nothing but the app.
    Other,
}

impl Asset {
    /// Code, type in the header, and id of the use case of what is no ad account.
    fn use_case(&self) -> Option<(i64, &'static str, &str)> {
        match self {
            Self::Page(id) => Some((80_001, "pages", id)),
            Self::Leads(id) => Some((80_005, "leadgen", id)),
            Self::Catalog(id) => Some((80_009, "catalog_management", id)),
            Self::AdAccount { .. } | Self::Other => None,
        }
    }

    /// What a limit that is used up answers here; `refusal` is what it answers for an ad account.
    pub fn refusal(&self, limit: RateLimit, refusal: GraphError) -> Option<GraphError> {
        match (limit, self) {
            (RateLimit::App, Self::AdAccount { insights: true, .. }) => Some(refusal.subcode(1_504_022)),
            (RateLimit::App, _) | (_, Self::AdAccount { .. }) => Some(refusal),
            (RateLimit::Score, _) => None,
            (RateLimit::Buc, Self::Leads(_)) => Some(too_many_lead_calls()),
            (RateLimit::Buc, other) => other.use_case().map(|(code, _, _)| {
                let what = if matches!(other, Self::Catalog(_)) { "catalog" } else { "Page account" };
                GraphError::new(code, format!("(#{code}) There have been too many calls to this {what}. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."))
            }),
        }
    }
}

/// Minutes that a limit which is used up tells a caller to wait.
const REGAINED_MINUTES: i64 = 5;

/// The meters as a call left them, for its headers.
#[derive(Debug, Default, Clone)]
pub struct Usage {
    app_percent: u32,
    account: Option<AccountUsage>,
    /// Type and id of a use case that is used up and is no ad account's.
    used_up: Option<(&'static str, String)>,
    leads: Option<LeadsUsage>,
}

/// The calls for a Page's leads: percent, and minutes until calls are accepted again.
#[derive(Debug, Clone)]
struct LeadsUsage {
    page: String,
    percent: u32,
    minutes: i64,
}

#[derive(Debug, Clone)]
struct AccountUsage {
    account: u64,
    tier: Tier,
    score_percent: f64,
    reset_seconds: i64,
    /// Percent and minutes until calls are accepted again, of each use case that was used.
    cases: Vec<(UseCase, u32, i64)>,
    insights: bool,
}

impl Meters {
    /// Counts a call and refuses it when a meter is full. `now` in Unix seconds.
    pub fn admit(
        &mut self,
        now: i64,
        tier: Tier,
        app: &str,
        account: Option<u64>,
        call: &Call,
    ) -> Result<Usage, Box<Throttled>> {
        let Some(account) = account else {
            let hour = self.apps.entry(app.to_owned()).or_default();
            let used = hour.add(now);
            let app_percent = percent(used, APP_CALLS_AN_HOUR).min(tier.ceiling());
            let usage = Usage { app_percent, ..Usage::default() };
            if tier != Tier::Unlimited && used > APP_CALLS_AN_HOUR {
                return Err(Box::new(Throttled {
                    usage,
                    error: GraphError::new(4, "(#4) Application request limit reached"),
                }));
            }
            return Ok(usage);
        };
        let writes = call.method != Method::Get;
        let insights = call.path.get(1).is_some_and(|edge| edge == "insights");
        let case = if insights { UseCase::Insights } else { UseCase::Management };
        let (limit, block) = tier.score();
        let blocked = self.scores.entry(account).or_default().add(
            now,
            if writes { 3.0 } else { 1.0 },
            limit,
            DRAIN,
            block,
        );
        let hourly = tier.hourly(case);
        let used = self.use_cases.entry((account, case)).or_default().add(now);
        let usage = self.usage(now, tier, app, account, insights);
        if tier == Tier::Unlimited {
            return Ok(usage);
        }
        let error = if writes && self.too_many_mutations(now, app, account) {
            GraphError::new(613, "(#613) Calls to this api have exceeded the rate limit.").subcode(5_044_001)
        } else if used > hourly {
            let id = case.code();
            GraphError::new(id, format!("(#{id}) There have been too many calls from this ad-account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."))
                .subcode(2_446_079)
                .user("Ad Account Has Too Many API Calls", "There have been too many calls from this ad-account. Please wait a bit and try again.")
        } else if blocked {
            GraphError::new(17, "(#17) User request limit reached").subcode(2_446_079).user(
                "Ad Account Has Too Many API Calls",
                "There have been too many calls from this ad-account. Please wait a bit and try again.",
            )
        } else {
            return Ok(usage);
        };
        Err(Box::new(Throttled { usage, error }))
    }

    fn too_many_mutations(&mut self, now: i64, app: &str, account: u64) -> bool {
        let (second, count) = self.mutations.entry((app.to_owned(), account)).or_insert((now, 0));
        if *second != now {
            *second = now;
            *count = 0;
        }
        *count += 1;
        *count > MUTATIONS_A_SECOND
    }

    fn usage(&mut self, now: i64, tier: Tier, app: &str, account: u64, insights: bool) -> Usage {
        let (limit, block) = tier.score();
        let score = self.scores.entry(account).or_default();
        let (points, blocked_for) = score.read(now, limit, DRAIN);
        let cases = UseCase::ALL
            .into_iter()
            .filter_map(|case| {
                let hour = self.use_cases.get_mut(&(account, case))?;
                let limit = tier.hourly(case);
                let used = hour.read(now);
                let minutes =
                    if tier != Tier::Unlimited && used > limit { hour.minutes_until(now, limit) } else { 0 };
                Some((case, percent(used, limit).min(tier.ceiling()), minutes))
            })
            .collect();
        let app_used = self.apps.get_mut(app).map_or(0, |hour| hour.read(now));
        Usage {
            app_percent: percent(app_used, APP_CALLS_AN_HOUR).min(tier.ceiling()),
            account: Some(AccountUsage {
                account,
                tier,
                score_percent: ((points / limit * 10_000.0).round() / 100.0).min(f64::from(tier.ceiling())),
                reset_seconds: if blocked_for > 0 { blocked_for } else { block.min(DRAIN) },
                cases,
                insights,
            }),
            leads: None,
            used_up: None,
        }
    }

    /// Counts a call for a Page's leads or lead forms, which have a meter of a day: for each lead of the last ninety days
    /// 4800 calls. What a Page without leads has is not documented; here it is what one lead gives.
    pub fn admit_leads(
        &mut self,
        now: i64,
        tier: Tier,
        app: &str,
        page: &str,
        leads: u64,
        usage: &mut Usage,
    ) -> Result<(), GraphError> {
        let limit = u32::try_from(LEAD_CALLS_A_LEAD * leads.max(1)).unwrap_or(u32::MAX);
        let day = self.leads.entry((app.to_owned(), page.to_owned())).or_default();
        let used = day.add(now);
        let refused = tier != Tier::Unlimited && used > limit;
        usage.leads = Some(LeadsUsage {
            page: page.to_owned(),
            percent: percent(used, limit).min(tier.ceiling()),
            minutes: if refused { day.minutes_until(now, limit) } else { 0 },
        });
        if refused { Err(too_many_lead_calls()) } else { Ok(()) }
    }

    /// Whether an ad set's budget may change once more: four times an hour, on every tier.
    pub fn ad_set_budget_is_free(&self, ad_set: u64, now: i64) -> Result<(), GraphError> {
        let recent = self.ad_set_budgets.get(&ad_set).map_or(0, |recent| recent.within(now, HOUR));
        if recent < AD_SET_BUDGETS_AN_HOUR {
            return Ok(());
        }
        Err(GraphError::new(613, "(#613) Calls to this api have exceeded the rate limit.")
            .subcode(1_487_632)
            .user(
                "Budget changed too often",
                format!("The budget of an ad set can be changed {AD_SET_BUDGETS_AN_HOUR} times an hour."),
            ))
    }

    /// Counts a change of an ad set's budget.
    pub fn ad_set_budget_changed(&mut self, ad_set: u64, now: i64) {
        self.ad_set_budgets.entry(ad_set).or_default().add(now, HOUR, AD_SET_BUDGETS_AN_HOUR);
    }

    /// An account's spend cap changes: ten a day, on every tier.
    pub fn spend_cap(&mut self, account: u64, now: i64) -> Result<(), GraphError> {
        if self.spend_caps.entry(account).or_default().add(now, 24 * HOUR, SPEND_CAPS_A_DAY) {
            return Ok(());
        }
        Err(GraphError::new(17, "(#17) User request limit reached").subcode(1_885_172).user(
            "Spend cap changed too often",
            format!("The spending limit of an ad account can be changed {SPEND_CAPS_A_DAY} times a day."),
        ))
    }
}

/// The refusal of a call for leads.
pub fn too_many_lead_calls() -> GraphError {
    GraphError::new(
        80_005,
        "(#80005) There have been too many leadgen api calls from this Page account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.",
    )
}

/// A refused call; the headers still tell how full the meters are.
#[derive(Debug)]
pub struct Throttled {
    pub usage: Usage,
    pub error: GraphError,
}

fn percent(used: u32, limit: u32) -> u32 {
    u32::try_from(u64::from(used) * 100 / u64::from(limit.max(1))).unwrap_or(u32::MAX)
}

impl Usage {
    /// Shows a limit as used up, for a scenario that pretends it is.
    pub fn exhaust(&mut self, limit: Option<RateLimit>, asset: &Asset, tier: Option<scenarios::Tier>) {
        let Some(limit) = limit else { return };
        let tier = Tier::from(tier);
        self.app_percent = if limit == RateLimit::App { 100 } else { 0 };
        let used_up = limit == RateLimit::Buc;
        if let Asset::AdAccount { account, insights } = *asset {
            let case = if insights { UseCase::Insights } else { UseCase::Management };
            self.account = Some(AccountUsage {
                account,
                tier,
                score_percent: if limit == RateLimit::Score { 100.0 } else { 0.0 },
                reset_seconds: tier.score().1,
                cases: vec![(
                    case,
                    if used_up { 100 } else { 0 },
                    if used_up { REGAINED_MINUTES } else { 0 },
                )],
                insights,
            });
        }
        self.used_up = asset.use_case().filter(|_| used_up).map(|(_, kind, id)| (kind, id.to_owned()));
    }

    /// Shows the calls for a Page's leads as used up.
    pub fn exhaust_leads(&mut self, page: Option<String>) {
        self.leads = page.map(|page| LeadsUsage { page, percent: 100, minutes: REGAINED_MINUTES });
    }

    pub fn headers(&self) -> Vec<(HeaderName, String)> {
        let app = self.app_percent;
        let mut headers = vec![(
            HeaderName::from_static("x-app-usage"),
            json!({ "call_count": app, "total_cputime": app / 2, "total_time": app / 2 }).to_string(),
        )];
        let mut business = Map::new();
        if let Some(leads) = &self.leads {
            let case = json!({
                "type": "leadgen",
                "call_count": leads.percent,
                "total_cputime": leads.percent / 2,
                "total_time": leads.percent / 2,
                "estimated_time_to_regain_access": leads.minutes,
            });
            business.insert(leads.page.clone(), json!([case]));
        }
        if let Some((kind, id)) = &self.used_up {
            let case = json!({
                "type": kind, "call_count": 100, "total_cputime": 50, "total_time": 50,
                "estimated_time_to_regain_access": REGAINED_MINUTES,
            });
            business.insert(id.clone(), json!([case]));
        }
        if let Some(usage) = &self.account {
            Self::of_account(usage, app, &mut headers, &mut business);
        }
        if !business.is_empty() {
            let text = Value::Object(business).to_string();
            headers.push((HeaderName::from_static("x-business-use-case-usage"), text));
        }
        headers
    }

    fn of_account(
        usage: &AccountUsage,
        app: u32,
        headers: &mut Vec<(HeaderName, String)>,
        business: &mut Map<String, Value>,
    ) {
        let tier = usage.tier.header_name();
        headers.push((
            HeaderName::from_static("x-ad-account-usage"),
            json!({
                "acc_id_util_pct": usage.score_percent,
                "reset_time_duration": usage.reset_seconds,
                "ads_api_access_tier": tier,
            })
            .to_string(),
        ));
        let cases: Vec<Value> = usage
            .cases
            .iter()
            .map(|(case, percent, minutes)| {
                json!({
                    "type": case.name(),
                    "call_count": percent,
                    "total_cputime": percent / 2,
                    "total_time": percent / 2,
                    "estimated_time_to_regain_access": minutes,
                    "ads_api_access_tier": tier,
                })
            })
            .collect();
        business.insert(usage.account.to_string(), cases.into());
        if usage.insights {
            headers.push((
                HeaderName::from_static("x-fb-ads-insights-throttle"),
                json!({
                    "app_id_util_pct": f64::from(app),
                    "acc_id_util_pct": usage.score_percent,
                    "ads_api_access_tier": tier,
                })
                .to_string(),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Params, wire};

    fn call(method: Method, path: &str) -> Call {
        wire::from_target(method, path, Params::default(), Vec::new())
    }

    #[test]
    fn the_limited_score_holds_sixty_points_and_blocks_five_minutes() {
        let mut meters = Meters::default();
        let limited = Tier::Limited;
        let read = call(Method::Get, "/act_1/campaigns");
        for _ in 0..60 {
            meters.admit(1000, limited, "app", Some(1), &read).unwrap();
        }
        let throttled = meters.admit(1000, limited, "app", Some(1), &read).unwrap_err();
        assert_eq!((throttled.error.code, throttled.error.subcode), (17, Some(2_446_079)));
        assert_eq!(throttled.error.status, http::StatusCode::BAD_REQUEST);
        assert!(meters.admit(1299, limited, "app", Some(1), &read).is_err());
        // Calling while blocked made the block longer.
        assert!(meters.admit(1301, limited, "app", Some(1), &read).is_err());
        assert!(meters.admit(1602, limited, "app", Some(1), &read).is_ok());
        assert!(
            meters.admit(1000, limited, "app", Some(2), &read).is_ok(),
            "another account has its own meter"
        );
    }

    #[test]
    fn the_hour_fills_up_and_tells_how_long() {
        let mut meters = Meters::default();
        let limited = Tier::Limited;
        let read = call(Method::Get, "/act_1/campaigns");
        for second in 0..300 {
            // Slow enough for the score.
            meters.admit(second * 6, limited, "app", Some(1), &read).unwrap();
        }
        let throttled = meters.admit(1800, limited, "app", Some(1), &read).unwrap_err();
        assert_eq!((throttled.error.code, throttled.error.subcode), (80_004, Some(2_446_079)));
        let headers = throttled.usage.headers();
        let (_, case) = headers.iter().find(|(name, _)| name == "x-business-use-case-usage").unwrap();
        let case: Value = serde_json::from_str(case).unwrap();
        assert_eq!(case["1"][0]["ads_api_access_tier"], "development_access");
        assert!(
            (29..=31).contains(&case["1"][0]["estimated_time_to_regain_access"].as_i64().unwrap()),
            "{case}"
        );
        assert!(meters.admit(1800 + 1900, limited, "app", Some(1), &read).is_ok());
    }

    #[test]
    fn mutations_are_counted_by_the_second_and_the_default_refuses_nothing() {
        let write = call(Method::Post, "/act_1/campaigns");
        let mut meters = Meters::default();
        for _ in 0..100 {
            meters.admit(5, Tier::Full, "app", Some(1), &write).unwrap();
        }
        assert_eq!(
            meters.admit(5, Tier::Full, "app", Some(1), &write).unwrap_err().error.subcode,
            Some(5_044_001)
        );
        assert!(meters.admit(6, Tier::Full, "app", Some(1), &write).is_ok());
        let mut open = Meters::default();
        assert!((0..20_000).all(|_| open.admit(5, Tier::Unlimited, "app", Some(1), &write).is_ok()));
    }

    #[test]
    fn each_lead_gives_its_page_calls_for_a_day() {
        let mut meters = Meters::default();
        let mut admit = |now, tier, leads| {
            let mut usage = Usage::default();
            let result = meters.admit_leads(now, tier, "app", "7", leads, &mut usage);
            let (_, header) = usage.headers().pop().unwrap();
            let case: Value = serde_json::from_str(&header).unwrap();
            (result.map_err(|error| error.code), case["7"][0].clone())
        };
        for _ in 0..4_800 {
            admit(100, Tier::Full, 1).0.unwrap();
        }
        let (refused, case) = admit(100, Tier::Full, 1);
        assert_eq!((refused, &case["type"]), (Err(80_005), &json!("leadgen")));
        assert!(case["estimated_time_to_regain_access"].as_i64().unwrap() > 60);
        assert!(admit(100, Tier::Full, 2).0.is_ok(), "another lead, more calls");
        assert!(admit(100, Tier::Unlimited, 1).0.is_ok());
        assert!(admit(100 + 25 * HOUR, Tier::Full, 1).0.is_ok());
    }

    #[test]
    fn budgets_change_four_times_an_hour() {
        let mut meters = Meters::default();
        for second in 0..4 {
            meters.ad_set_budget_is_free(7, second).unwrap();
            meters.ad_set_budget_changed(7, second);
        }
        assert_eq!(meters.ad_set_budget_is_free(7, 100).unwrap_err().subcode, Some(1_487_632));
        assert!(meters.ad_set_budget_is_free(7, 3_600).is_ok());
    }
}
