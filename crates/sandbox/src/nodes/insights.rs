//! Insights: figures that follow from ids and days, so that the same question has the same answer and the parts
//! add up to the whole. Source: marketing-api/insights.
//!
//! Only active ads deliver. Breakdowns are not implemented and say so.

use http::StatusCode;
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde_json::{Map, Value, json};

use super::{Kind, List, Node, Rows, Scope, ad_account};
use crate::{
    protocol::{GraphError, Params, cursor::mix, fields},
    world::objects::{Object, ObjectKind},
};

/// Days that one answer may span: 37 months.
const RETENTION_MONTHS: i32 = 37;

/// The columns that can be asked for.
const FIELDS: &[&str] = &[
    "account_currency",
    "account_id",
    "account_name",
    "actions",
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "buying_type",
    "campaign_id",
    "campaign_name",
    "clicks",
    "cpc",
    "cpm",
    "ctr",
    "date_start",
    "date_stop",
    "frequency",
    "impressions",
    "inline_link_clicks",
    "objective",
    "optimization_goal",
    "reach",
    "spend",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Account,
    Campaign,
    AdSet,
    Ad,
}

#[derive(Clone, Copy)]
struct Period {
    first: Date,
    last: Date,
}

/// Figures of one row.
#[derive(Default, Clone, Copy)]
struct Sums {
    impressions: u64,
    clicks: u64,
    /// Minor units.
    spend: u64,
}

/// `GET /{node}/insights`.
pub fn list<'a>(scope: Scope<'a>, node: &Node, params: &Params) -> Result<List<'a>, GraphError> {
    for name in ["breakdowns", "action_breakdowns", "filtering", "sort", "time_ranges"] {
        let wanted = params.list(name).unwrap_or_default();
        if !wanted.is_empty() && wanted != ["action_type"] {
            return Err(missing(&format!("insights parameter {name}")));
        }
    }
    let account_number = match node.kind {
        Kind::AdAccount => node.number(),
        _ => scope.world.objects.get(node.number()).map_or(0, |object| object.account),
    };
    let account_node = Node::new(Kind::AdAccount, format!("act_{account_number}"));
    let zone = ad_account::account(scope, &account_node)
        .and_then(|account| TimeZone::get(&account.timezone_name).ok())
        .unwrap_or(TimeZone::UTC);
    let today = zone.to_datetime(scope.world.clock.now()).date();
    let range = range(params, today)?;
    let periods = periods(params, range)?;
    let level = level(params, node.kind)?;
    let columns = columns(params)?;
    let entities = entities(scope, node, account_number, level);
    let rows: Vec<(u64, Period)> = entities
        .iter()
        .flat_map(|id| periods.iter().map(move |period| (*id, *period)))
        .filter(|(id, period)| starts(scope, *id, level, &zone).is_none_or(|born| born <= period.last))
        .collect();
    let summary = params
        .list("summary")
        .filter(|names| names.iter().any(|n| FIELDS.contains(&n.as_str())))
        .map(|names| {
            let mut all = Sums::default();
            for id in &entities {
                all.add(sums(scope, *id, level, range, today, &zone));
            }
            let row = row(scope, &account_node, Level::Account, account_number, range, all, &names);
            Value::Object(row)
        });
    let count = rows.len();
    let make = move |index: usize| {
        let (id, period) = rows[index];
        let sums = sums(scope, id, level, period, today, &zone);
        Value::Object(row(scope, &account_node, level, id, period, sums, &columns))
    };
    Ok(List { rows: Rows::Computed { count, row: Box::new(make), summary }, default: &[] })
}

fn missing(what: &str) -> GraphError {
    GraphError {
        kind: "SandboxNotImplemented",
        ..GraphError::new(1, format!("adjoin sandbox: not implemented: {what}"))
            .status(StatusCode::NOT_IMPLEMENTED)
    }
}

fn columns(params: &Params) -> Result<Vec<String>, GraphError> {
    let Some(fields) = fields::from_params(params)? else {
        return Ok(["account_id", "impressions", "spend"].map(str::to_owned).into());
    };
    for field in &fields {
        if !FIELDS.contains(&field.name.as_str()) {
            return Err(missing(&format!("insights field {}", field.name)));
        }
    }
    Ok(fields.into_iter().map(|field| field.name).collect())
}

fn level(params: &Params, kind: Kind) -> Result<Level, GraphError> {
    Ok(match params.text("level").as_deref() {
        Some("account") => Level::Account,
        Some("campaign") => Level::Campaign,
        Some("adset") => Level::AdSet,
        Some("ad") => Level::Ad,
        Some(other) => {
            return Err(super::write::not_one_of("level", &["ad", "adset", "campaign", "account"], other));
        }
        None => match kind {
            Kind::Campaign => Level::Campaign,
            Kind::AdSet => Level::AdSet,
            Kind::Ad => Level::Ad,
            _ => Level::Account,
        },
    })
}

fn range(params: &Params, today: Date) -> Result<Period, GraphError> {
    let range = match params.json("time_range") {
        Some(value) => {
            let date = |name: &str| value.get(name)?.as_str()?.parse::<Date>().ok();
            let (Some(first), Some(last)) = (date("since"), date("until")) else {
                return Err(GraphError::new(
                    100,
                    "(#100) Must be a valid time range: {\"since\":\"YYYY-MM-DD\",\"until\":\"YYYY-MM-DD\"}",
                )
                .blame(&["time_range"]));
            };
            Period { first, last }
        }
        None => preset(params.text("date_preset").as_deref().unwrap_or("last_30d"), today)?,
    };
    if range.first > range.last {
        return Err(
            GraphError::new(100, "(#100) time_range since must not be after until").blame(&["time_range"])
        );
    }
    if range.first < today.saturating_sub(RETENTION_MONTHS.months()) {
        return Err(GraphError::new(
            3018,
            "(#3018) The start date of the time range cannot be beyond 37 months from the current date",
        ));
    }
    Ok(range)
}

fn preset(name: &str, today: Date) -> Result<Period, GraphError> {
    let ago = |days: i64| today.saturating_sub(days.days());
    let last = |days: i64| Period { first: ago(days), last: ago(1) };
    let since = |weekday: Weekday| i64::from(today.weekday().since(weekday));
    let quarter =
        |date: Date| date.with().month((date.month() - 1) / 3 * 3 + 1).day(1).build().unwrap_or(date);
    Ok(match name {
        "today" => Period { first: today, last: today },
        "yesterday" => last(1),
        "this_month" => Period { first: today.first_of_month(), last: today },
        "last_month" => {
            let end = today.first_of_month().saturating_sub(1.days());
            Period { first: end.first_of_month(), last: end }
        }
        "this_quarter" => Period { first: quarter(today), last: today },
        "last_quarter" => {
            let end = quarter(today).saturating_sub(1.days());
            Period { first: quarter(end), last: end }
        }
        "this_year" => Period { first: today.first_of_year(), last: today },
        "last_year" => {
            let end = today.first_of_year().saturating_sub(1.days());
            Period { first: end.first_of_year(), last: end }
        }
        "last_3d" => last(3),
        "last_7d" => last(7),
        "last_14d" => last(14),
        "last_28d" => last(28),
        "last_30d" => last(30),
        "last_90d" => last(90),
        "this_week_mon_today" => Period { first: ago(since(Weekday::Monday)), last: today },
        "this_week_sun_today" => Period { first: ago(since(Weekday::Sunday)), last: today },
        "last_week_mon_sun" => {
            let end = ago(since(Weekday::Monday) + 1);
            Period { first: end.saturating_sub(6.days()), last: end }
        }
        "last_week_sun_sat" => {
            let end = ago(since(Weekday::Sunday) + 1);
            Period { first: end.saturating_sub(6.days()), last: end }
        }
        "maximum" | "data_maximum" => {
            Period { first: today.saturating_sub(RETENTION_MONTHS.months()), last: today }
        }
        other => {
            return Err(GraphError::new(100, format!("(#100) Param date_preset has no value \"{other}\"."))
                .blame(&["date_preset"]));
        }
    })
}

fn periods(params: &Params, range: Period) -> Result<Vec<Period>, GraphError> {
    let increment = params.text("time_increment");
    let next = |first: Date| -> Date {
        match increment.as_deref() {
            Some("monthly") => first.last_of_month(),
            Some(text) => first.saturating_add((text.parse::<i64>().unwrap_or(1) - 1).days()),
            None => range.last,
        }
    };
    match increment.as_deref() {
        None | Some("all_days") => return Ok(vec![range]),
        Some("monthly") => {}
        Some(text) if text.parse::<i64>().is_ok_and(|days| (1..=90).contains(&days)) => {}
        Some(_) => {
            return Err(GraphError::new(
                100,
                "(#100) Param time_increment must be 1 to 90, monthly or all_days",
            )
            .blame(&["time_increment"]));
        }
    }
    let mut periods = Vec::new();
    let mut first = range.first;
    while first <= range.last {
        let last = next(first).min(range.last);
        periods.push(Period { first, last });
        first = last.saturating_add(1.days());
    }
    Ok(periods)
}

/// Ids of the rows' objects: those of the level below the node that have an active ad.
fn entities(scope: Scope<'_>, node: &Node, account: u64, level: Level) -> Vec<u64> {
    let objects = &scope.world.objects;
    let root = node.number();
    let delivering = |ad: &Object| objects.effective_status(ad) == "ACTIVE";
    let mut ids: Vec<u64> =
        if node.kind == Kind::Ad { vec![root] } else { objects.children(root, ObjectKind::Ad).ids.clone() };
    ids.retain(|id| objects.get(*id).is_some_and(delivering));
    let above = |id: u64| -> Option<u64> {
        let ad = objects.get(id)?;
        match level {
            Level::Ad => Some(id),
            Level::AdSet => Some(ad.parent),
            Level::Campaign => objects.campaign_of(ad).map(|campaign| campaign.id),
            Level::Account => Some(account),
        }
    };
    let mut ids: Vec<u64> = ids.into_iter().filter_map(above).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    ids
}

fn starts(scope: Scope<'_>, id: u64, level: Level, zone: &TimeZone) -> Option<Date> {
    (level != Level::Account).then(|| scope.world.objects.get(id).map(|object| born(object, zone)))?
}

fn born(object: &Object, zone: &TimeZone) -> Date {
    zone.to_datetime(jiff::Timestamp::from_second(object.created).unwrap_or_default()).date()
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.impressions += other.impressions;
        self.clicks += other.clicks;
        self.spend += other.spend;
    }
}

fn sums(scope: Scope<'_>, id: u64, level: Level, period: Period, today: Date, zone: &TimeZone) -> Sums {
    let objects = &scope.world.objects;
    let own = [id];
    let ads: &[u64] = if level == Level::Ad { &own } else { &objects.children(id, ObjectKind::Ad).ids };
    let mut total = Sums::default();
    for ad in ads.iter().filter_map(|id| objects.get(*id)) {
        if objects.effective_status(ad) != "ACTIVE" {
            continue;
        }
        let first = period.first.max(born(ad, zone));
        let last = period.last.min(today);
        let mut day = first;
        while day <= last {
            total.add(of_day(ad.id, day));
            day = day.saturating_add(1.days());
        }
    }
    total
}

/// One ad on one day.
fn of_day(ad: u64, day: Date) -> Sums {
    let serial = u64::from(day.year().unsigned_abs()) * 400 + u64::from(day.day_of_year().unsigned_abs());
    let mut state = ad ^ (serial << 32);
    let chance = mix(&mut state);
    let impressions = 200 + chance % 1800;
    let clicks = impressions * (5 + (chance >> 20) % 30) / 1000;
    let spend = impressions * (300 + (chance >> 40) % 900) / 1000;
    Sums { impressions, clicks, spend }
}

fn row(
    scope: Scope<'_>,
    account: &Node,
    level: Level,
    id: u64,
    period: Period,
    sums: Sums,
    columns: &[String],
) -> Map<String, Value> {
    let objects = &scope.world.objects;
    let object = (level != Level::Account).then(|| objects.get(id)).flatten();
    let ad = object.filter(|o| o.kind == ObjectKind::Ad);
    let ad_set = match ad {
        Some(ad) => objects.get(ad.parent),
        None => object.filter(|o| o.kind == ObjectKind::AdSet),
    };
    let campaign = object.and_then(|o| objects.campaign_of(o));
    let known = ad_account::account(scope, account);
    let id_of = |o: Option<&Object>| o.map(|o| o.id.to_string().into());
    let name_of = |o: Option<&Object>| o.map(|o| o.name.clone().into());
    let offset = known.map_or(100.0, |account| ad_account::units(&account.currency));
    #[expect(clippy::cast_precision_loss, reason = "figures of a report")]
    let (impressions, clicks, spend) =
        (sums.impressions as f64, sums.clicks as f64, sums.spend as f64 / offset);
    let reach = sums.impressions - sums.impressions / 5;
    let per = |a: f64, b: f64| (b > 0.0).then(|| Value::from(format!("{:.6}", a / b)));
    let mut row = Map::new();
    for column in columns {
        let value = match column.as_str() {
            "account_id" => Some(account.number().to_string().into()),
            "account_name" => known.map(|a| a.name.clone().into()),
            "account_currency" => known.map(|a| a.currency.clone().into()),
            "campaign_id" => id_of(campaign),
            "campaign_name" => name_of(campaign),
            "objective" => campaign.and_then(|c| c.field("objective").cloned()),
            "buying_type" => campaign.and_then(|c| c.field("buying_type").cloned()),
            "adset_id" => id_of(ad_set),
            "adset_name" => name_of(ad_set),
            "optimization_goal" => ad_set.and_then(|a| a.field("optimization_goal").cloned()),
            "ad_id" => id_of(ad),
            "ad_name" => name_of(ad),
            "impressions" => Some(sums.impressions.to_string().into()),
            "clicks" => Some(sums.clicks.to_string().into()),
            "inline_link_clicks" => Some((sums.clicks * 4 / 5).to_string().into()),
            "reach" => Some(reach.to_string().into()),
            "spend" => Some(format!("{spend:.2}").into()),
            #[expect(clippy::cast_precision_loss, reason = "figures of a report")]
            "frequency" => per(impressions, reach as f64),
            "ctr" => per(clicks * 100.0, impressions),
            "cpc" => per(spend, clicks),
            "cpm" => per(spend * 1000.0, impressions),
            "actions" => {
                Some(json!([{ "action_type": "link_click", "value": (sums.clicks * 4 / 5).to_string() }]))
            }
            _ => None,
        };
        if let Some(value) = value {
            row.insert(column.clone(), value);
        }
    }
    row.insert("date_start".into(), period.first.to_string().into());
    row.insert("date_stop".into(), period.last.to_string().into());
    row
}
