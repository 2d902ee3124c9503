//! Which days a question is about.

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use serde_json::Value;

use crate::protocol::{GraphError, Params};

/// Days that one answer may span: 37 months.
const RETENTION_MONTHS: i32 = 37;

#[derive(Clone, Copy)]
pub struct Period {
    pub first: Date,
    pub last: Date,
}

/// The periods of the rows, and the whole of them for the summary.
pub fn asked(params: &Params, today: Date) -> Result<(Vec<Period>, Period), GraphError> {
    // Ranges of their own leave no room for an increment.
    let Some(ranges) = params.json("time_ranges") else {
        let whole = range(params, today)?;
        return Ok((periods(params, whole)?, whole));
    };
    let Some(ranges) = ranges.as_array().filter(|ranges| !ranges.is_empty()) else {
        return Err(GraphError::new(100, "(#100) param time_ranges must be a non-empty array.")
            .blame(&["time_ranges"]));
    };
    let ranges =
        ranges.iter().map(|range| of_json(range, today, "time_ranges")).collect::<Result<Vec<_>, _>>()?;
    let whole = ranges
        .iter()
        .copied()
        .reduce(|one, other| Period { first: one.first.min(other.first), last: one.last.max(other.last) });
    Ok((ranges, whole.unwrap_or(Period { first: today, last: today })))
}

fn of_json(value: &Value, today: Date, name: &str) -> Result<Period, GraphError> {
    let date = |name: &str| value.get(name)?.as_str()?.parse::<Date>().ok();
    let (Some(first), Some(last)) = (date("since"), date("until")) else {
        return Err(GraphError::new(
            100,
            "(#100) Must be a valid time range: {\"since\":\"YYYY-MM-DD\",\"until\":\"YYYY-MM-DD\"}",
        )
        .blame(&[name]));
    };
    within(Period { first, last }, today, name)
}

fn within(range: Period, today: Date, name: &str) -> Result<Period, GraphError> {
    if range.first > range.last {
        return Err(GraphError::new(100, "(#100) time_range since must not be after until").blame(&[name]));
    }
    if range.first < today.saturating_sub(RETENTION_MONTHS.months()) {
        return Err(GraphError::new(
            3018,
            "(#3018) The start date of the time range cannot be beyond 37 months from the current date",
        ));
    }
    Ok(range)
}

fn range(params: &Params, today: Date) -> Result<Period, GraphError> {
    match params.json("time_range") {
        Some(value) => of_json(&value, today, "time_range"),
        None => within(
            preset(params.text("date_preset").as_deref().unwrap_or("last_30d"), today)?,
            today,
            "date_preset",
        ),
    }
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
