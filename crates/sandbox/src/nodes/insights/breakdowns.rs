//! By whom and where: how the figures of an ad fall into parts. Source: marketing-api/insights/breakdowns.

use serde_json::Value;

use self::Breakdown as B;
use super::{figures::Share, missing};
use crate::{
    protocol::{GraphError, Params},
    world::objects::Object,
};

/// The parts of one breakdown, with their weights.
type Parts = Vec<(String, u64)>;

/// A part by all breakdowns of the question: column and value.
pub type Key = Vec<(&'static str, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakdown {
    Age,
    Gender,
    Country,
    PublisherPlatform,
    PlatformPosition,
}

impl Breakdown {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "age" => Self::Age,
            "gender" => Self::Gender,
            "country" => Self::Country,
            "publisher_platform" => Self::PublisherPlatform,
            "platform_position" => Self::PlatformPosition,
            _ => return None,
        })
    }
}

/// Breakdowns that an account has to opt in to; without that Meta answers with nothing, and no error.
const OPT_IN: [&str; 3] =
    ["frequency_value", "hourly_stats_aggregated_by_audience_time_zone", "impression_device"];

/// The breakdowns of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakdowns {
    By(Vec<Breakdown>),
    /// Meta answers with no rows.
    Nothing,
}

pub fn asked(params: &Params) -> Result<Breakdowns, GraphError> {
    let names = params.list("breakdowns").unwrap_or_default();
    if names.iter().any(|name| OPT_IN.contains(&name.as_str())) {
        return Ok(Breakdowns::Nothing);
    }
    if names.iter().any(|name| name == "dma") {
        return Err(GraphError::new(
            100,
            "(#100) The breakdown dma is no longer supported; use comscore_market",
        )
        .blame(&["breakdowns"]));
    }
    let mut found = Vec::new();
    for name in &names {
        let breakdown =
            Breakdown::parse(name).ok_or_else(|| missing(&format!("insights breakdown {name}")))?;
        if !found.contains(&breakdown) {
            found.push(breakdown);
        }
    }
    let allowed = match found[..] {
        [] | [B::Age | B::Gender | B::Country | B::PublisherPlatform] => true,
        [_, _] => {
            let both = |one, other| found.contains(&one) && found.contains(&other);
            both(B::Age, B::Gender) || both(B::PublisherPlatform, B::PlatformPosition)
        }
        _ => false,
    };
    if !allowed {
        return Err(GraphError::new(
            100,
            format!("(#100) Current combination of data breakdown columns ({}) is invalid", names.join(", ")),
        )
        .blame(&["breakdowns"]));
    }
    Ok(Breakdowns::By(found))
}

fn weighted(parts: &[(&str, u64)]) -> Parts {
    parts.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
}

const AGES: [(&str, u64); 6] =
    [("18-24", 12), ("25-34", 27), ("35-44", 24), ("45-54", 18), ("55-64", 12), ("65+", 7)];
const GENDERS: [(&str, u64); 3] = [("female", 54), ("male", 44), ("unknown", 2)];
const PLATFORMS: [Platform; 4] = [
    ("facebook", 55, &[("feed", 70), ("facebook_reels", 30)]),
    ("instagram", 38, &[("feed", 50), ("instagram_stories", 30), ("instagram_reels", 20)]),
    ("audience_network", 5, &[("an_classic", 1)]),
    ("messenger", 2, &[("messenger_inbox", 1)]),
];

/// The countries an ad set is shown in; its account's in doubt.
fn countries(ad_set: &Object) -> Parts {
    let named = ad_set
        .field("targeting")
        .and_then(|targeting| targeting.pointer("/geo_locations/countries")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut countries: Parts = Vec::new();
    for (at, country) in named.enumerate() {
        if !countries.iter().any(|(known, _)| known == country) {
            countries.push((country.to_owned(), 10 + 30 / (at as u64 + 1)));
        }
    }
    if countries.is_empty() {
        countries.push(("US".to_owned(), 1));
    }
    countries
}

/// A platform, its weight, and its positions with theirs.
type Platform = (&'static str, u64, &'static [(&'static str, u64)]);

/// The platforms an ad set is shown on: all, if it does not choose among them.
fn platforms(ad_set: &Object) -> Vec<&'static Platform> {
    let chosen: Vec<&str> = ad_set
        .field("targeting")
        .and_then(|targeting| targeting.get("publisher_platforms")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let some: Vec<&Platform> = PLATFORMS.iter().filter(|(name, ..)| chosen.contains(name)).collect();
    if some.is_empty() { PLATFORMS.iter().collect() } else { some }
}

impl Breakdowns {
    /// Whether there is more than the whole.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::By(by) if by.is_empty())
    }

    /// The parts into which the figures of an ad set's ads fall, and the share of each.
    pub fn parts(&self, ad_set: &Object) -> Vec<(Key, Share)> {
        let Self::By(by) = self else { return Vec::new() };
        let mut parts: Vec<(Key, u64)> = vec![(Key::new(), 1)];
        let join = |parts: &mut Vec<(Key, u64)>, column: &'static str, with: &Parts| {
            *parts = parts
                .iter()
                .flat_map(|(key, weight)| {
                    with.iter().map(move |(value, more)| {
                        let mut key = key.clone();
                        key.push((column, value.clone()));
                        (key, weight * more)
                    })
                })
                .collect();
        };
        let positions = by.contains(&Breakdown::PlatformPosition);
        for breakdown in by {
            match breakdown {
                Breakdown::Age => join(&mut parts, "age", &weighted(&AGES)),
                Breakdown::Gender => join(&mut parts, "gender", &weighted(&GENDERS)),
                Breakdown::Country => join(&mut parts, "country", &countries(ad_set)),
                Breakdown::PublisherPlatform if positions => {
                    parts = platforms(ad_set)
                        .into_iter()
                        .flat_map(|(platform, weight, positions)| {
                            let whole: u64 = positions.iter().map(|(_, weight)| weight).sum();
                            positions.iter().map(move |(position, part)| {
                                let key = vec![
                                    ("publisher_platform", (*platform).to_owned()),
                                    ("platform_position", (*position).to_owned()),
                                ];
                                (key, weight * 100 * part / whole)
                            })
                        })
                        .collect();
                }
                Breakdown::PublisherPlatform => {
                    let with: Parts = platforms(ad_set)
                        .into_iter()
                        .map(|(name, weight, _)| ((*name).to_owned(), *weight))
                        .collect();
                    join(&mut parts, "publisher_platform", &with);
                }
                // Made with its platform.
                Breakdown::PlatformPosition => {}
            }
        }
        let of = parts.iter().map(|(_, weight)| weight).sum::<u64>().max(1);
        let mut from = 0;
        parts
            .into_iter()
            .map(|(key, weight)| {
                let share = Share { from, to: from + weight, of };
                from += weight;
                (key, share)
            })
            .collect()
    }
}
