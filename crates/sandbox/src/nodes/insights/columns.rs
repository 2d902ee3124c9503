//! The columns of a row.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::{Level, Place, Question, figures::Sums, missing};
use crate::{
    nodes::ad_account,
    protocol::{GraphError, Params, cursor::mix},
    world::objects::{Object, ObjectKind},
};

/// The columns that can be asked for.
pub const FIELDS: &[&str] = &[
    "account_currency",
    "account_id",
    "account_name",
    "action_values",
    "actions",
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "attribution_setting",
    "buying_type",
    "campaign_id",
    "campaign_name",
    "clicks",
    "conversion_rate_ranking",
    "conversion_values",
    "conversions",
    "cost_per_action_type",
    "cost_per_conversion",
    "cost_per_inline_link_click",
    "cost_per_outbound_click",
    "cost_per_thruplay",
    "cost_per_unique_click",
    "cpc",
    "cpm",
    "cpp",
    "ctr",
    "date_start",
    "date_stop",
    "engagement_rate_ranking",
    "frequency",
    "impressions",
    "inline_link_click_ctr",
    "inline_link_clicks",
    "objective",
    "optimization_goal",
    "outbound_clicks",
    "outbound_clicks_ctr",
    "purchase_roas",
    "quality_ranking",
    "reach",
    "spend",
    "unique_clicks",
    "unique_ctr",
    "video_p100_watched_actions",
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p95_watched_actions",
    "video_play_actions",
    "video_thruplay_watched_actions",
    "website_purchase_roas",
];

/// The attribution windows that actions are also told by.
#[derive(Debug, Clone, Default)]
pub struct Windows(Vec<String>);

impl Windows {
    pub fn read(params: &Params) -> Result<Self, GraphError> {
        let windows = params.list("action_attribution_windows").unwrap_or_default();
        for window in &windows {
            match window.as_str() {
                "1d_click" | "7d_click" | "28d_click" | "1d_view" | "1d_ev" | "7d_view" | "28d_view"
                | "default" => {}
                other => return Err(missing(&format!("insights attribution window {other}"))),
            }
        }
        Ok(Self(windows))
    }

    /// A number of actions by window. Seen but not clicked is an eighth; the rest came within days of a click.
    fn tell(&self, item: &mut Map<String, Value>, whole: f64, digits: usize) {
        for window in &self.0 {
            let part = match window.as_str() {
                "1d_view" => whole / 8.0,
                "7d_click" | "28d_click" => whole * 7.0 / 8.0,
                "1d_click" => whole * 5.0 / 8.0,
                // Engaged views are of videos only; the longer views were taken away and are always empty.
                _ => continue,
            };
            let part = if digits == 0 { part.floor() } else { part };
            item.insert(window.clone(), format!("{part:.digits$}").into());
        }
    }
}

/// Numbers by their size, anything else by its text; what is not there comes first.
pub fn order(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        // A list of actions counts by its first.
        Some(Value::Array(items)) => {
            items.first().and_then(|item| item.get("value")?.as_str()).unwrap_or_default().to_owned()
        }
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (one, other) = (text(one), text(other));
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one.total_cmp(&other),
        _ => one.cmp(&other),
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures of a report")]
fn number(figure: u64) -> f64 {
    figure as f64
}

fn per(a: f64, b: f64) -> Option<Value> {
    (b > 0.0).then(|| Value::from(format!("{:.6}", a / b)))
}

/// The figures of a row in the account's currency.
struct Money {
    spend: f64,
    value: f64,
}

impl Question<'_> {
    pub fn row(&self, place: &Place, sums: Sums, columns: &[String]) -> Map<String, Value> {
        let objects = &self.scope.world.objects;
        let object = (self.level != Level::Account).then(|| objects.get(place.id)).flatten();
        let ad = object.filter(|o| o.kind == ObjectKind::Ad);
        let ad_set = match ad {
            Some(ad) => objects.get(ad.parent),
            None => object.filter(|o| o.kind == ObjectKind::AdSet),
        };
        let campaign = object.and_then(|o| objects.campaign_of(o));
        let known = ad_account::account(self.scope, &self.account);
        let id_of = |o: Option<&Object>| o.map(|o| o.id.to_string().into());
        let name_of = |o: Option<&Object>| o.map(|o| o.name.clone().into());
        let offset = known.map_or(100.0, |account| ad_account::units(&account.currency));
        let money = Money { spend: number(sums.spend) / offset, value: number(sums.purchase_value) / offset };
        let mut row = Map::new();
        for column in columns {
            let value = match column.as_str() {
                "account_id" => Some(self.account.number().to_string().into()),
                "account_name" => known.map(|a| a.name.clone().into()),
                "account_currency" => known.map(|a| a.currency.clone().into()),
                "campaign_id" => id_of(campaign),
                "campaign_name" => name_of(campaign),
                "objective" => campaign.and_then(|c| c.field("objective").cloned()),
                "buying_type" => campaign.and_then(|c| c.field("buying_type").cloned()),
                "adset_id" => id_of(ad_set),
                "adset_name" => name_of(ad_set),
                "optimization_goal" => ad_set.and_then(|a| a.field("optimization_goal").cloned()),
                "attribution_setting" => Some("7d_click_1d_view".into()),
                "ad_id" => id_of(ad),
                "ad_name" => name_of(ad),
                // Only told for ads, and never by parts.
                "quality_ranking" | "engagement_rate_ranking" | "conversion_rate_ranking" => {
                    ad.filter(|_| place.key.is_none()).map(|ad| ranking(ad, column, sums).into())
                }
                column => self.figure(column, sums, &money),
            };
            if let Some(value) = value {
                row.insert(column.clone(), value);
            }
        }
        for (column, value) in place.key.iter().flatten() {
            row.insert((*column).to_owned(), value.clone().into());
        }
        row.insert("date_start".into(), place.period.first.to_string().into());
        row.insert("date_stop".into(), place.period.last.to_string().into());
        row
    }

    fn figure(&self, column: &str, sums: Sums, money: &Money) -> Option<Value> {
        let (impressions, clicks) = (number(sums.impressions), number(sums.clicks));
        let reach = sums.impressions - sums.impressions / 5;
        let unique = sums.clicks - sums.clicks / 10;
        let outbound = sums.link_clicks - sums.link_clicks / 10;
        let thruplays = sums.video_plays / 4;
        let video = |plays: u64| self.one("video_view", plays);
        let ratio = |kind: &str, a: f64, b: f64| {
            per(a, b).map(|value| json!([{ "action_type": kind, "value": value }]))
        };
        match column {
            "impressions" => Some(sums.impressions.to_string().into()),
            "clicks" => Some(sums.clicks.to_string().into()),
            "inline_link_clicks" => Some(sums.link_clicks.to_string().into()),
            "reach" => Some(reach.to_string().into()),
            "spend" => Some(format!("{:.2}", money.spend).into()),
            "frequency" => per(impressions, number(reach)),
            "ctr" => per(clicks * 100.0, impressions),
            "cpc" => per(money.spend, clicks),
            "cpm" => per(money.spend * 1000.0, impressions),
            "cpp" => per(money.spend * 1000.0, number(reach)),
            "unique_clicks" => Some(unique.to_string().into()),
            "unique_ctr" => per(number(unique) * 100.0, number(reach)),
            "cost_per_unique_click" => per(money.spend, number(unique)),
            "inline_link_click_ctr" => per(number(sums.link_clicks) * 100.0, impressions),
            "cost_per_inline_link_click" => per(money.spend, number(sums.link_clicks)),
            "outbound_clicks" => self.one("outbound_click", outbound),
            "outbound_clicks_ctr" => ratio("outbound_click", number(outbound) * 100.0, impressions),
            "cost_per_outbound_click" => ratio("outbound_click", money.spend, number(outbound)),
            "actions" => self.list(&actions(sums), 0),
            "cost_per_action_type" => {
                let costs: Vec<Value> = actions(sums)
                    .into_iter()
                    .filter_map(|(kind, count)| {
                        Some(json!({ "action_type": kind, "value": per(money.spend, count)? }))
                    })
                    .collect();
                (!costs.is_empty()).then(|| costs.into())
            }
            "action_values" => {
                let values = PURCHASE.map(|kind| (kind, if sums.purchases > 0 { money.value } else { 0.0 }));
                self.list(&values, 2)
            }
            "purchase_roas" if sums.purchases > 0 => ratio("omni_purchase", money.value, money.spend),
            "website_purchase_roas" if sums.purchases > 0 => {
                ratio("offsite_conversion.fb_pixel_purchase", money.value, money.spend)
            }
            "video_play_actions" => video(sums.video_plays),
            "video_thruplay_watched_actions" => video(thruplays),
            "cost_per_thruplay" => ratio("video_view", money.spend, number(thruplays)),
            "video_p25_watched_actions" => video(sums.video_plays * 3 / 5),
            "video_p50_watched_actions" => video(sums.video_plays * 2 / 5),
            "video_p75_watched_actions" => video(sums.video_plays * 3 / 10),
            "video_p95_watched_actions" => video(sums.video_plays / 4),
            "video_p100_watched_actions" => video(sums.video_plays / 5),
            // Contacts, subscriptions and the like: no ad of the sandbox leads to any.
            _ => None,
        }
    }

    /// A list with one kind of action; nothing if there was none.
    fn one(&self, kind: &'static str, count: u64) -> Option<Value> {
        self.list(&[(kind, number(count))], 0)
    }

    fn list(&self, actions: &[(&'static str, f64)], digits: usize) -> Option<Value> {
        let items: Vec<Value> = actions
            .iter()
            .filter(|(_, count)| *count > 0.0)
            .map(|(kind, count)| {
                let mut item = Map::new();
                item.insert("action_type".into(), (*kind).into());
                item.insert("value".into(), format!("{count:.digits$}").into());
                self.windows.tell(&mut item, *count, digits);
                Value::Object(item)
            })
            .collect();
        (!items.is_empty()).then(|| items.into())
    }
}

/// The names one purchase on a website is counted under.
const PURCHASE: [&str; 3] = ["purchase", "omni_purchase", "offsite_conversion.fb_pixel_purchase"];
const LEAD: [&str; 2] = ["lead", "onsite_conversion.lead_grouped"];

fn actions(sums: Sums) -> Vec<(&'static str, f64)> {
    let always = [
        ("link_click", sums.link_clicks),
        ("post_engagement", sums.clicks + sums.video_plays),
        ("page_engagement", sums.clicks + sums.video_plays),
        ("video_view", sums.video_plays),
    ];
    always
        .into_iter()
        .chain(PURCHASE.map(|kind| (kind, sums.purchases)))
        .chain(LEAD.map(|kind| (kind, sums.leads)))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| (kind, number(count)))
        .collect()
}

/// Where an ad stands among its competitors; with few impressions Meta does not say.
fn ranking(ad: &Object, column: &str, sums: Sums) -> &'static str {
    if sums.impressions < 500 {
        return "UNKNOWN";
    }
    let mut state = ad.id ^ ((column.len() as u64) << 32);
    ["ABOVE_AVERAGE", "AVERAGE", "AVERAGE", "BELOW_AVERAGE_35"]
        [usize::try_from(mix(&mut state) % 4).unwrap_or_default()]
}
