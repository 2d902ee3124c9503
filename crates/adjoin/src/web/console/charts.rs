//! Small charts, drawn here as SVG. Colours come from the style sheet; each chart has its numbers as a table beside it.

use askama::{Template, filters::HtmlSafe};

use super::words;
use crate::service::leads::charts::Day;

/// The drawing's height and the width of a day in it. The page stretches it to the room there is.
const HEIGHT: f64 = 100.0;
const DAY_WIDTH: f64 = 10.0;
/// What stands on the scale of ages, from the bottom to the top: milliseconds, evenly spaced, by logarithm in between.
const AGES: [(i64, &str); 6] = [
    (1_000, "1 s"),
    (10_000, "10 s"),
    (60_000, "1 min"),
    (600_000, "10 min"),
    (3_600_000, "1 h"),
    (86_400_000, "1 day"),
];

/// Leads a day, and their age at delivery.
#[derive(Debug, Clone, Template)]
#[template(path = "console/leads/charts.html")]
pub struct Charts {
    days: Vec<Day>,
}

impl HtmlSafe for Charts {}

/// A bar: left edge, upper edge, height.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bar {
    x: f64,
    y: f64,
    height: f64,
    /// What is said of it.
    day: Day,
}

impl Charts {
    pub fn new(days: Vec<Day>) -> Self {
        Self { days }
    }

    fn leads(&self) -> i64 {
        self.days.iter().map(|day| day.leads).sum()
    }

    fn measured(&self) -> i64 {
        self.days.iter().map(|day| day.measured).sum()
    }

    fn width(&self) -> f64 {
        DAY_WIDTH * count(self.days.len())
    }

    /// The top of the scale of leads: the most of a day, rounded up to what halves well.
    fn top(&self) -> i64 {
        let most = self.days.iter().map(|day| day.leads).max().unwrap_or_default().max(2);
        let step = 10_i64.pow(most.ilog10());
        [2, 4, 6, 8, 10].into_iter().map(|it| it * step).find(|it| *it >= most).unwrap_or(most)
    }

    fn lead_bars(&self) -> Vec<Bar> {
        let top = number(self.top());
        self.bars(|day| (day.leads > 0).then(|| (HEIGHT * (1.0 - number(day.leads) / top), HEIGHT)))
    }

    /// From the age that half of the leads kept to, to the one that 99 of 100 kept to.
    fn age_bars(&self) -> Vec<Bar> {
        self.bars(|day| Some((age_height(day.p99?), age_height(day.p50?))))
    }

    fn medians(&self) -> Vec<Bar> {
        self.bars(|day| Some((age_height(day.p50?), age_height(day.p50?))))
    }

    fn bars(&self, edges: impl Fn(&Day) -> Option<(f64, f64)>) -> Vec<Bar> {
        let bar = |(index, day): (usize, &Day)| {
            let (upper, lower) = edges(day)?;
            Some(Bar {
                x: DAY_WIDTH * count(index) + 1.5,
                y: upper,
                height: (lower - upper).max(1.0),
                day: *day,
            })
        };
        self.days.iter().enumerate().filter_map(bar).collect()
    }

    /// The whole chart in one sentence, for those who do not see it.
    fn leads_said(&self) -> String {
        let Some(most) = self.days.iter().max_by_key(|day| day.leads).filter(|day| day.leads > 0) else {
            return "No leads in the last 30 days".to_owned();
        };
        format!(
            "{} in {} days; most on {}: {}",
            words::counted(self.leads().unsigned_abs(), "lead"),
            self.days.len(),
            date(most),
            most.leads
        )
    }

    fn ages_said(&self) -> String {
        match self.days.iter().rev().find_map(|day| Some((day, day.p50?, day.p99?))) {
            Some((day, p50, p99)) => format!(
                "Age at delivery by day. On {}, the latest: half within {}, 99 of 100 within {}",
                date(day),
                words::duration(p50),
                words::duration(p99)
            ),
            None => "No lead was delivered in the last 30 days".to_owned(),
        }
    }

    /// The ends of the time axis.
    fn ends(&self) -> Option<(String, String)> {
        Some((date(self.days.first()?), date(self.days.last()?)))
    }

    /// Days on which something happened, newest first.
    fn rows(&self) -> Vec<&Day> {
        self.days.iter().rev().filter(|day| day.leads > 0).collect()
    }
}

/// `24 Nov`.
fn date(day: &Day) -> String {
    day.start.0.strftime("%-d %b").to_string()
}

/// Where an age stands in the drawing, from its top.
fn age_height(millis: i64) -> f64 {
    let step = HEIGHT / count(AGES.len() - 1);
    let above = AGES.windows(2).position(|pair| millis < pair[1].0).unwrap_or(AGES.len() - 1);
    let within = AGES.get(above + 1).map_or(0.0, |(upper, _)| {
        let (value, lower) = (number(millis.max(AGES[above].0)), number(AGES[above].0));
        (value / lower).ln() / (number(*upper) / lower).ln()
    });
    HEIGHT - step * (count(above) + within)
}

/// Counts of leads and milliseconds of a month are far below what a double holds exactly.
fn number(value: i64) -> f64 {
    i32::try_from(value).map_or(f64::from(i32::MAX), f64::from)
}

fn count(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn day(index: i64, leads: i64, ages: Option<(i64, i64)>) -> Day {
        Day {
            start: Timestamp::from_unix(1_795_514_400 + index * 86_400),
            leads,
            measured: ages.map_or(0, |_| leads),
            p50: ages.map(|(p50, _)| p50),
            p99: ages.map(|(_, p99)| p99),
        }
    }

    #[test]
    fn ages_stand_on_a_scale_that_is_even_between_its_marks() {
        assert!((age_height(0) - 100.0).abs() < 1e-9 && (age_height(1_000) - 100.0).abs() < 1e-9);
        assert!((age_height(60_000) - 60.0).abs() < 1e-9);
        assert!(age_height(5_000) < age_height(2_000));
        assert!(age_height(86_400_000).abs() < 1e-9 && age_height(i64::MAX).abs() < 1e-9);
    }

    #[test]
    fn the_scale_of_leads_ends_at_a_round_number() {
        for (most, top) in [(0, 2), (1, 2), (3, 4), (7, 8), (10, 20), (43, 60), (1200, 2000)] {
            assert_eq!(Charts::new(vec![day(0, most, None)]).top(), top, "{most}");
        }
    }

    #[test]
    fn both_charts_are_drawn_and_told() {
        let charts = Charts::new(vec![day(0, 0, None), day(1, 4, None), day(2, 2, Some((1_500, 90_000)))]);
        let html = charts.render().unwrap();
        for words in
            ["6 leads in 3 days; most on 25 Nov: 4", "half within 1.5 s, 99 of 100 within 1 min 30 s", "<td"]
        {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert_eq!(charts.lead_bars().len(), 2);
        assert_eq!((charts.age_bars().len(), charts.medians().len()), (1, 1));
        assert!(!html.contains("style="));
        let empty = Charts::new(vec![day(0, 0, None)]).render().unwrap();
        assert!(empty.contains("No leads in the last 30 days"));
    }
}
