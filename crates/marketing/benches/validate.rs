//! How many ad sets of 1.3 kB are read and checked a second on one core, beside reading alone.
//!
//! Baselines of the same run: a typed parse with serde_json into derived structs that borrow, and a parse into
//! `serde_json::Value`. `cargo bench -p adjoin-marketing` prints divan's table and a summary with the ratios.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Instant;

use adjoin_marketing::ad_set::{self, Verdict};
use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use serde::Deserialize;

/// Distinct documents, so that no branch is learnt by heart.
const DOCUMENTS: usize = 512;

fn now() -> Timestamp {
    "2026-11-24T08:00:00Z".parse().expect("a moment")
}

/// Ad sets such as a partner sends: a sale on a website, with placements, interests and audiences.
fn documents() -> Vec<String> {
    let events = ["PURCHASE", "ADD_TO_CART", "INITIATED_CHECKOUT", "CONTENT_VIEW", "SUBSCRIBE"];
    let countries = ["US", "CA", "GB", "AU", "NZ", "MX", "JP"];
    (0..DOCUMENTS)
        .map(|n| {
            let event = events[n % events.len()];
            let country = countries[n % countries.len()];
            let other = countries[(n + 3) % countries.len()];
            let id = 120_210_000_000_000_000_u64 + n as u64 * 7919;
            format!(
                r#"{{"ad_set":{{"name":"Autumn collection | {event} | {country} {other} | broad {n}","campaign_id":"{id}","status":"PAUSED","optimization_goal":"OFFSITE_CONVERSIONS","billing_event":"IMPRESSIONS","destination_type":"WEBSITE","bid_strategy":"COST_CAP","bid_amount":{bid},"daily_budget":"{budget}","start_time":"2026-12-01T08:00:00+0000","end_time":"2027-01-15T08:00:00+0000","promoted_object":{{"pixel_id":"{pixel}","custom_event_type":"{event}"}},"attribution_spec":[{{"event_type":"CLICK_THROUGH","window_days":7}},{{"event_type":"VIEW_THROUGH","window_days":1}}],"targeting":{{"geo_locations":{{"countries":["{country}","{other}"]}},"age_min":21,"age_max":65,"targeting_automation":{{"advantage_audience":0}},"publisher_platforms":["facebook","instagram"],"facebook_positions":["feed","story","facebook_reels","marketplace"],"instagram_positions":["stream","story","reels"],"device_platforms":["mobile","desktop"],"flexible_spec":[{{"interests":[{{"id":"6003{n:09}","name":"Outdoor clothing"}},{{"id":"6004{n:09}","name":"Hiking and trails"}}]}}],"custom_audiences":[{{"id":"2384{n:010}"}}]}}}},"campaign":{{"name":"Autumn sale {n}","objective":"OUTCOME_SALES","status":"PAUSED","special_ad_categories":[],"is_adset_budget_sharing_enabled":false}},"ad_account":{{"currency":"USD","min_daily_budget":100}},"api_version":"v26.0"}}"#,
                bid = 300 + n,
                budget = 2000 + n * 10,
                pixel = 900_000_000_000_000_u64 + n as u64,
            )
        })
        .collect()
}

/// The same document for the baseline: derived, borrowing, nothing looked at.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct Plain<'a> {
    #[serde(borrow)]
    ad_set: PlainAdSet<'a>,
    campaign: Option<PlainCampaign<'a>>,
    ad_account: Option<PlainAccount<'a>>,
    api_version: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainAdSet<'a> {
    name: &'a str,
    campaign_id: &'a str,
    status: &'a str,
    optimization_goal: &'a str,
    billing_event: &'a str,
    destination_type: Option<&'a str>,
    bid_strategy: Option<&'a str>,
    bid_amount: Option<i64>,
    daily_budget: Option<&'a str>,
    start_time: Option<&'a str>,
    end_time: Option<&'a str>,
    #[serde(borrow)]
    promoted_object: Option<PlainPromotedObject<'a>>,
    attribution_spec: Vec<PlainAttribution<'a>>,
    targeting: PlainTargeting<'a>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainPromotedObject<'a> {
    pixel_id: Option<&'a str>,
    custom_event_type: Option<&'a str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainAttribution<'a> {
    event_type: &'a str,
    window_days: i64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainTargeting<'a> {
    #[serde(borrow)]
    geo_locations: PlainGeo<'a>,
    age_min: Option<i64>,
    age_max: Option<i64>,
    targeting_automation: Option<PlainAutomation>,
    publisher_platforms: Vec<&'a str>,
    facebook_positions: Vec<&'a str>,
    instagram_positions: Vec<&'a str>,
    device_platforms: Vec<&'a str>,
    flexible_spec: Vec<PlainSpec<'a>>,
    custom_audiences: Vec<PlainId<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainGeo<'a> {
    #[serde(borrow)]
    countries: Vec<&'a str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainAutomation {
    advantage_audience: i64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainSpec<'a> {
    #[serde(borrow)]
    interests: Vec<PlainId<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainId<'a> {
    id: &'a str,
    name: Option<&'a str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainCampaign<'a> {
    name: &'a str,
    objective: &'a str,
    status: &'a str,
    special_ad_categories: Vec<&'a str>,
    is_adset_budget_sharing_enabled: bool,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read only to be parsed")]
struct PlainAccount<'a> {
    currency: &'a str,
    min_daily_budget: i64,
}

fn parse_and_check(text: &str) {
    black_box(ad_set::check_str(text, black_box(now_once())).expect("readable"));
}

fn from_bytes(text: &str) {
    black_box(ad_set::check(text.as_bytes(), black_box(now_once())).expect("readable"));
}

fn parse_only(text: &str) {
    black_box(ad_set::parse_str(text).expect("readable"));
}

fn typed(text: &str) {
    black_box(serde_json::from_str::<Plain<'_>>(text).expect("readable"));
}

fn value(text: &str) {
    black_box(serde_json::from_str::<serde_json::Value>(text).expect("readable"));
}

fn now_once() -> Timestamp {
    static NOW: std::sync::LazyLock<Timestamp> = std::sync::LazyLock::new(now);
    *NOW
}

fn bench(bencher: Bencher, work: fn(&str)) {
    let documents = documents();
    bencher.counter(ItemsCount::new(documents.len())).bench_local(|| {
        for text in &documents {
            work(text);
        }
    });
}

#[divan::bench]
fn check(bencher: Bencher) {
    bench(bencher, parse_and_check);
}

#[divan::bench]
fn check_bytes(bencher: Bencher) {
    bench(bencher, from_bytes);
}

#[divan::bench]
fn read(bencher: Bencher) {
    bench(bencher, parse_only);
}

#[divan::bench]
fn baseline_typed_parse(bencher: Bencher) {
    bench(bencher, typed);
}

#[divan::bench]
fn baseline_value_parse(bencher: Bencher) {
    bench(bencher, value);
}

/// The best of several rounds, in ad sets a second: the least disturbed by whatever else runs on the machine.
fn rate(documents: &[String], work: fn(&str)) -> f64 {
    let rounds = (0..200).map(|_| {
        let start = Instant::now();
        for text in documents {
            work(text);
        }
        start.elapsed().as_secs_f64()
    });
    let best = rounds.fold(f64::INFINITY, f64::min);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred documents")]
    let count = documents.len() as f64;
    count / best
}

fn main() {
    let documents = documents();
    let bytes = documents.iter().map(String::len).sum::<usize>() / documents.len();
    for text in &documents {
        let report = ad_set::check(text.as_bytes(), now()).expect("readable");
        assert_eq!(report.verdict, Verdict::Accept, "{report:#?}");
        assert!(report.findings.is_empty(), "{report:#?}");
    }
    divan::main();
    let (check, bytes_too) = (rate(&documents, parse_and_check), rate(&documents, from_bytes));
    let read = rate(&documents, parse_only);
    let (typed, value) = (rate(&documents, typed), rate(&documents, value));
    println!("\nad sets of {bytes} bytes a second, one core:");
    println!("  read and checked      {check:>10.0}");
    println!("  the same from bytes   {bytes_too:>10.0}   with the check for broken UTF-8");
    println!("  read                  {read:>10.0}");
    println!("  typed serde parse     {typed:>10.0}   check is {:.2} of it", check / typed);
    println!("  serde_json::Value     {value:>10.0}   check is {:.2} of it", check / value);
}
