//! Versions of the Marketing API: which answer today, which are about to end, and what each took away.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Deserialize;

use crate::facts::{Mark, table};

/// The version a request uses when nobody says otherwise.
pub const DEFAULT: &str = "v26.0";

/// How long before its end a version is reported as ending.
pub const WARN_DAYS: i32 = 90;

/// A version of the Graph and Marketing API.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// As in a path: `v26.0`.
    pub name: String,
    pub released: Date,
    /// The day the Marketing API stops answering as this version; `None` while Meta has named none.
    pub marketing_until: Option<Date>,
    /// The same for the rest of the Graph API.
    pub graph_until: Option<Date>,
    pub mark: Mark,
    pub source: String,
}

/// Something Meta took away.
#[derive(Debug, Clone, Deserialize)]
pub struct Removal {
    /// Our key for it.
    pub feature: String,
    /// The place in a request or an object, for example `ad_set.targeting.facebook_positions`.
    pub r#where: String,
    /// The first version without it.
    pub since: String,
    /// The day it goes from every version.
    pub everywhere_from: Option<Date>,
    pub what: String,
    pub instead: String,
    pub mark: Mark,
    pub source: String,
}

/// How a version stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'v> {
    /// It answers, and no end is near.
    Live,
    /// It answers, and ends within [`WARN_DAYS`].
    Ending { on: Date, days: i32 },
    /// It has ended. Meta moves a call to `upgraded_to` where the endpoint did not change, and refuses it elsewhere.
    Ended { on: Date, upgraded_to: &'v str },
    /// Newer than the newest we know.
    Future,
    /// No version we know; it may be older than the table, or never have existed.
    Unknown,
}

#[derive(Deserialize)]
struct Versions {
    version: Vec<Version>,
}

#[derive(Deserialize)]
struct Removals {
    removal: Vec<Removal>,
}

static VERSIONS: LazyLock<Vec<Version>> =
    LazyLock::new(|| table::<Versions>("versions.toml", include_str!("../data/versions.toml")).version);

static REMOVALS: LazyLock<Vec<Removal>> =
    LazyLock::new(|| table::<Removals>("removals.toml", include_str!("../data/removals.toml")).removal);

/// All versions we know, newest first.
pub fn all() -> &'static [Version] {
    &VERSIONS
}

/// The version with this name (`v26.0`).
pub fn find(name: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.name == name)
}

/// The versions the Marketing API answers at this moment, newest first.
pub fn live(at: Timestamp) -> impl Iterator<Item = &'static Version> {
    let today = day(at);
    VERSIONS.iter().filter(move |version| {
        version.released <= today && version.marketing_until.is_none_or(|end| today < end)
    })
}

/// How the version of this name stands for the Marketing API at this moment.
pub fn standing(name: &str, at: Timestamp) -> Standing<'static> {
    let today = day(at);
    let Some(version) = find(name) else {
        let newest = &VERSIONS[0].name;
        return match (number(name), number(newest)) {
            (Some(given), Some(newest)) if given > newest => Standing::Future,
            _ => Standing::Unknown,
        };
    };
    match version.marketing_until {
        Some(on) if on <= today => {
            let upgraded_to = live(at).last().map_or(DEFAULT, |version| version.name.as_str());
            Standing::Ended { on, upgraded_to }
        }
        Some(on) => {
            let days = (on - today).get_days();
            if days <= WARN_DAYS { Standing::Ending { on, days } } else { Standing::Live }
        }
        None => Standing::Live,
    }
}

/// A version's name as a number that can be compared: `v26.0` is 260. `None` if it is not written as Meta writes it.
pub fn number(name: &str) -> Option<u16> {
    let (major, minor) = name.strip_prefix('v')?.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(major) || !digits(minor) {
        return None;
    }
    major.parse::<u16>().ok()?.checked_mul(10)?.checked_add(minor.parse::<u16>().ok()?.min(9))
}

/// Everything Meta took away that we know of.
pub fn removals() -> &'static [Removal] {
    &REMOVALS
}

/// The removal with this key.
pub fn removal(feature: &str) -> Option<&'static Removal> {
    REMOVALS.iter().find(|removal| removal.feature == feature)
}

impl Removal {
    /// Whether the feature is gone for calls of this version at this moment.
    pub fn applies(&self, version: &str, at: Timestamp) -> bool {
        number(version) >= number(&self.since) || self.everywhere_from.is_some_and(|from| from <= day(at))
    }
}

fn day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn two_versions_are_live_in_november_2026() {
        let names: Vec<_> = live(at("2026-11-24T00:00:00Z")).map(|version| version.name.as_str()).collect();
        assert_eq!(names, ["v26.0", "v25.0"]);
        assert_eq!(find(DEFAULT).map(|version| version.name.as_str()), Some("v26.0"));
    }

    #[test]
    fn a_version_ends_on_its_day() {
        let v24 = |text| standing("v24.0", at(text));
        assert_eq!(v24("2026-01-01T00:00:00Z"), Standing::Live);
        assert!(matches!(v24("2026-10-05T23:59:59Z"), Standing::Ending { days: 1, .. }));
        assert!(matches!(v24("2026-10-06T00:00:00Z"), Standing::Ended { upgraded_to: "v25.0", .. }));
    }

    #[test]
    fn names_we_do_not_know() {
        let now = at("2026-11-24T00:00:00Z");
        assert_eq!(standing("v27.0", now), Standing::Future);
        assert_eq!(standing("v3.1", now), Standing::Unknown);
        assert_eq!(standing("26", now), Standing::Unknown);
        assert_eq!(number("v26.0"), Some(260));
        assert_eq!(number("v999.9"), Some(9999));
        assert_eq!(number("v.0"), None);
    }

    #[test]
    fn removals_go_by_version_or_by_day() {
        for removal in removals() {
            assert!(number(&removal.since).is_some(), "{}", removal.feature);
        }
        let story = removal("messenger_story").unwrap();
        assert!(!story.applies("v25.0", at("2026-10-26T00:00:00Z")));
        assert!(story.applies("v25.0", at("2026-10-27T00:00:00Z")));
        assert!(story.applies("v26.0", at("2026-08-01T00:00:00Z")));
    }
}
