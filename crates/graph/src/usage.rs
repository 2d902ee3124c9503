use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How much of Meta's limits is used up, as far as an answer's headers tell.
///
/// Meta sends them once an endpoint has had enough calls, on errors too. A header that cannot be read counts
/// as absent. Source: graph-api/overview/rate-limiting, marketing-api/overview/rate-limiting.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Usage {
    /// `X-App-Usage`
    pub app: Option<AppUsage>,
    /// `X-Ad-Account-Usage`
    pub ad_account: Option<AdAccountUsage>,
    /// `X-Business-Use-Case-Usage`, one row an id and type.
    pub business: Vec<BusinessUsage>,
    /// `X-FB-Ads-Insights-Throttle`
    pub insights: Option<InsightsThrottle>,
}

/// The app's share of its hourly limit, in percent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AppUsage {
    pub call_count: f64,
    pub total_time: f64,
    pub total_cputime: f64,
}

/// The score of one ad account.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AdAccountUsage {
    /// Percent.
    pub acc_id_util_pct: f64,
    /// Seconds until the score is back at zero.
    pub reset_time_duration: Option<u64>,
    pub ads_api_access_tier: Option<AccessTier>,
}

/// One business use case of one id.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BusinessUsage {
    /// A business id by Meta's page; the number of an ad account (without `act_`) in recorded answers.
    pub id: String,
    /// Meta's `type`: `ads_management`, `ads_insights`, `custom_audience`, `leadgen`, `pages` ...
    pub kind: String,
    /// Percent, as are the next two.
    pub call_count: f64,
    pub total_cputime: f64,
    pub total_time: f64,
    /// Meta's `estimated_time_to_regain_access`: **minutes**, 0 when not blocked.
    pub minutes_to_regain_access: u64,
    pub ads_api_access_tier: Option<AccessTier>,
}

/// Load of the insights platform, in percent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InsightsThrottle {
    pub app_id_util_pct: f64,
    pub acc_id_util_pct: f64,
    pub ads_api_access_tier: Option<AccessTier>,
}

/// The Marketing API Access Tier as the headers name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTier {
    /// *Limited* in the App Dashboard.
    DevelopmentAccess,
    /// *Full* in the App Dashboard.
    StandardAccess,
    #[serde(untagged)]
    Other(String),
}

impl Usage {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let members = |name: &str| {
            let text = headers.get(name)?.as_bytes();
            serde_json::from_slice::<Members<'_>>(text)
                .ok()
                .filter(|_| text.trim_ascii_start().starts_with(b"{"))
        };
        let business = headers.get("x-business-use-case-usage").map(HeaderValue::as_bytes);
        Self {
            app: members("x-app-usage").map(|it| AppUsage {
                call_count: number(it.call_count),
                total_time: number(it.total_time),
                total_cputime: number(it.total_cputime),
            }),
            ad_account: members("x-ad-account-usage").map(|it| AdAccountUsage {
                acc_id_util_pct: number(it.acc_id_util_pct),
                reset_time_duration: it.reset_time_duration.map(|seconds| whole(Some(seconds))),
                ads_api_access_tier: tier(it.ads_api_access_tier),
            }),
            business: business.map(of_business).unwrap_or_default(),
            insights: members("x-fb-ads-insights-throttle").map(|it| InsightsThrottle {
                app_id_util_pct: number(it.app_id_util_pct),
                acc_id_util_pct: number(it.acc_id_util_pct),
                ads_api_access_tier: tier(it.ads_api_access_tier),
            }),
        }
    }

    /// The fullest of all meters, in percent; `None` when no header came.
    pub fn highest_percent(&self) -> Option<f64> {
        let app = self.app.iter().flat_map(|it| [it.call_count, it.total_time, it.total_cputime]);
        let account = self.ad_account.iter().map(|it| it.acc_id_util_pct);
        let business = self.business.iter().flat_map(|it| [it.call_count, it.total_cputime, it.total_time]);
        let insights = self.insights.iter().flat_map(|it| [it.app_id_util_pct, it.acc_id_util_pct]);
        app.chain(account).chain(business).chain(insights).reduce(f64::max)
    }

    /// The tier, from whichever header names it.
    pub fn access_tier(&self) -> Option<&AccessTier> {
        let account = self.ad_account.iter().filter_map(|it| it.ads_api_access_tier.as_ref());
        let business = self.business.iter().filter_map(|it| it.ads_api_access_tier.as_ref());
        let insights = self.insights.iter().filter_map(|it| it.ads_api_access_tier.as_ref());
        account.chain(business).chain(insights).next()
    }
}

/// The members of all four headers, each as it stands there: one that is odd must not hide the others.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow)]
    call_count: Option<&'a RawValue>,
    #[serde(borrow)]
    total_cputime: Option<&'a RawValue>,
    #[serde(borrow)]
    total_time: Option<&'a RawValue>,
    #[serde(borrow)]
    estimated_time_to_regain_access: Option<&'a RawValue>,
    #[serde(borrow)]
    acc_id_util_pct: Option<&'a RawValue>,
    #[serde(borrow)]
    app_id_util_pct: Option<&'a RawValue>,
    #[serde(borrow)]
    reset_time_duration: Option<&'a RawValue>,
    #[serde(borrow)]
    ads_api_access_tier: Option<&'a RawValue>,
}

/// Rows by id; what is no row counts as absent.
fn of_business(text: &[u8]) -> Vec<BusinessUsage> {
    let ids: BTreeMap<String, &RawValue> = serde_json::from_slice(text).unwrap_or_default();
    let rows = ids.iter().flat_map(|(id, rows)| {
        let rows: Vec<&RawValue> = serde_json::from_str(rows.get()).unwrap_or_default();
        rows.into_iter().map(move |row| (id, row))
    });
    rows.filter(|(_, row)| row.get().starts_with('{'))
        .filter_map(|(id, row)| {
            let row: Members<'_> = serde_json::from_str(row.get()).ok()?;
            Some(BusinessUsage {
                id: id.clone(),
                kind: text_of(row.r#type).unwrap_or_default(),
                call_count: number(row.call_count),
                total_cputime: number(row.total_cputime),
                total_time: number(row.total_time),
                minutes_to_regain_access: whole(row.estimated_time_to_regain_access),
                ads_api_access_tier: tier(row.ads_api_access_tier),
            })
        })
        .collect()
}

/// A number, or a number written as text; anything else and anything negative is 0.
fn number(member: Option<&RawValue>) -> f64 {
    let found = member.and_then(|it| it.get().trim_matches('"').trim().parse().ok());
    found.filter(|it: &f64| it.is_finite() && *it >= 0.0).unwrap_or_default()
}

fn whole(member: Option<&RawValue>) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite and not negative; `as` saturates"
    )]
    let rounded_up = number(member).ceil() as u64;
    rounded_up
}

fn text_of(member: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(member?.get()).ok()
}

fn tier(member: Option<&RawValue>) -> Option<AccessTier> {
    Some(match text_of(member)?.as_str() {
        "development_access" => AccessTier::DevelopmentAccess,
        "standard_access" => AccessTier::StandardAccess,
        other => AccessTier::Other(other.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 4] =
        ["x-app-usage", "x-ad-account-usage", "x-business-use-case-usage", "x-fb-ads-insights-throttle"];

    fn usage(pairs: &[(&'static str, &str)]) -> Usage {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        Usage::from_headers(&pairs.collect())
    }

    #[test]
    fn all_four_headers_are_read() {
        let usage = usage(&[
            ("x-app-usage", r#"{"call_count":28,"total_time":25,"total_cputime":26}"#),
            (
                "x-ad-account-usage",
                r#"{"acc_id_util_pct":9.67,"reset_time_duration":100,"ads_api_access_tier":"standard_access"}"#,
            ),
            (
                "x-business-use-case-usage",
                r#"{"77":[{"type":"ads_management","call_count":95,"total_cputime":20,"total_time":21,"estimated_time_to_regain_access":4,"ads_api_access_tier":"development_access"},{"type":"leadgen","call_count":1}]}"#,
            ),
            (
                "x-fb-ads-insights-throttle",
                r#"{"app_id_util_pct":100,"acc_id_util_pct":10,"ads_api_access_tier":"new_access"}"#,
            ),
        ]);
        assert_eq!(usage.app, Some(AppUsage { call_count: 28.0, total_time: 25.0, total_cputime: 26.0 }));
        let account = usage.ad_account.as_ref().unwrap();
        assert_eq!((account.acc_id_util_pct, account.reset_time_duration), (9.67, Some(100)));
        assert_eq!(account.ads_api_access_tier, Some(AccessTier::StandardAccess));
        let rows: Vec<_> = usage
            .business
            .iter()
            .map(|it| (it.id.as_str(), it.kind.as_str(), it.call_count, it.minutes_to_regain_access))
            .collect();
        assert_eq!(rows, [("77", "ads_management", 95.0, 4), ("77", "leadgen", 1.0, 0)]);
        let tier = usage.insights.as_ref().unwrap().ads_api_access_tier.as_ref();
        assert_eq!(tier, Some(&AccessTier::Other("new_access".to_owned())));
        assert_eq!(usage.highest_percent(), Some(100.0));
        assert_eq!(usage.access_tier(), Some(&AccessTier::StandardAccess));
        let json = serde_json::to_value(&usage).unwrap();
        assert_eq!(json["business"][0]["ads_api_access_tier"], "development_access");
        assert_eq!(json["insights"]["ads_api_access_tier"], "new_access");
    }

    #[test]
    fn the_recorded_short_form_is_read() {
        let usage = usage(&[("x-ad-account-usage", r#"{"acc_id_util_pct":36.33}"#)]);
        let expected =
            AdAccountUsage { acc_id_util_pct: 36.33, reset_time_duration: None, ads_api_access_tier: None };
        assert_eq!(usage.ad_account, Some(expected));
    }

    #[test]
    fn what_cannot_be_read_counts_as_absent() {
        assert_eq!(usage(&[]), Usage::default());
        assert_eq!(usage(&[]).highest_percent(), None);
        for text in ["", "nonsense", "[]", "null", "{", "7"] {
            assert_eq!(usage(&NAMES.map(|name| (name, text))), Usage::default(), "{text}");
        }
        let odd = usage(&[
            ("x-app-usage", r#"{"call_count":"12","total_time":-3,"total_cputime":null}"#),
            ("x-business-use-case-usage", r#"{"1":{},"2":[3,{"estimated_time_to_regain_access":1e300}]}"#),
        ]);
        assert_eq!(odd.app, Some(AppUsage { call_count: 12.0, total_time: 0.0, total_cputime: 0.0 }));
        assert_eq!(odd.business.len(), 1);
        assert_eq!(odd.business[0].minutes_to_regain_access, u64::MAX);
    }

    proptest! {
        #[test]
        fn reading_headers_never_panics(bytes: Vec<u8>, json in r#"\{"[a-z_]{1,12}":(\[\{)?"[a-z_]{1,12}":[-0-9a-z"]{0,9}(\}\])?\}"#) {
            for bytes in [bytes.as_slice(), json.as_bytes()] {
                if let Ok(value) = HeaderValue::from_bytes(bytes) {
                    let headers = NAMES.map(|name| (HeaderName::from_static(name), value.clone()));
                    Usage::from_headers(&headers.into_iter().collect()).highest_percent();
                }
            }
        }
    }
}
