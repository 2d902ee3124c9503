//! Which API version answers a call. The versions and their ends are facts of `adjoin_marketing`.

use adjoin_marketing::versions;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::GraphError;

/// A version of the path, `v26.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

/// From here on the protocol features of old are gone whatever the switch says.
const WITHOUT_LEGACY: Version = Version { major: 26, minor: 0 };

/// The version that answers, and the warning when it is not the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub version: Version,
    pub warning: Option<String>,
}

impl Version {
    /// Reads `v26.0`; `None` for anything that does not look like a version.
    pub fn parse(segment: &str) -> Option<Self> {
        let (major, minor) = segment.strip_prefix('v')?.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
        Some(Self { major: digits(major)?, minor: digits(minor)? })
    }

    /// Whether there ever was such a version: one of the table, or older than all of it.
    fn was_released(self) -> bool {
        let older = match self.major {
            2 => self.minor <= 12,
            3 => self.minor <= 3,
            1 | 4.. => self.minor == 0,
            0 => false,
        };
        let in_table = versions::find(&self.to_string()).is_some();
        in_table || (older && table().all(|(version, _)| self < version))
    }

    /// Whether `pretty`, `debug`, `date_format`, `?ids=` and `ETag` may still work, given the switch.
    pub fn keeps_legacy_protocol(self, switched_on: bool) -> bool {
        switched_on && self < WITHOUT_LEGACY
    }
}

/// The known versions, newest first.
fn table() -> impl Iterator<Item = (Version, &'static versions::Version)> {
    versions::all().iter().filter_map(|row| Some((Version::parse(&row.name)?, row)))
}

/// The oldest version that still answers on a day.
fn oldest(at: Timestamp, until: fn(&versions::Version) -> Option<Date>) -> Version {
    let today = TimeZone::UTC.to_datetime(at).date();
    table()
        .filter(|(_, row)| until(row).is_none_or(|end| today < end))
        .map(|(version, _)| version)
        .min()
        .unwrap_or(WITHOUT_LEGACY)
}

/// Decides which version answers at a moment.
///
/// Marketing calls must name a version; an ended one is moved to the oldest live one, or refused with code 2635
/// when `strict`. Other Graph calls may leave it out, and ended versions are answered by the oldest live one.
pub fn settle(
    asked: Option<&str>,
    marketing: bool,
    strict: bool,
    now: Timestamp,
) -> Result<Settled, GraphError> {
    let oldest_marketing = oldest(now, |row| row.marketing_until);
    let Some(text) = asked else {
        return if marketing {
            Err(deprecated())
        } else {
            Ok(Settled { version: oldest_marketing, warning: None })
        };
    };
    let asked = Version::parse(text)
        .filter(|version| version.was_released())
        .ok_or_else(|| GraphError::new(2500, format!("Unknown path components: /{text}")))?;
    if !marketing {
        return Ok(Settled { version: asked.max(oldest(now, |row| row.graph_until)), warning: None });
    }
    if asked >= oldest_marketing {
        return Ok(Settled { version: asked, warning: None });
    }
    if strict {
        return Err(deprecated());
    }
    Ok(Settled {
        version: oldest_marketing,
        warning: Some(format!(
            "The call has been auto-upgraded to {oldest_marketing} as {asked} has been deprecated"
        )),
    })
}

fn deprecated() -> GraphError {
    let newest = versions::all().first().map_or(versions::DEFAULT, |row| &row.name);
    GraphError::new(
        2635,
        format!(
            "You are calling a deprecated version of the Ads API. Please update to the latest version: {newest}."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(asked: Option<&str>, marketing: bool, strict: bool) -> Result<Settled, GraphError> {
        super::settle(asked, marketing, strict, "2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn ended_versions_move_up_or_fail() {
        let live = settle(Some("v26.0"), true, true).unwrap();
        assert_eq!((live.version.to_string().as_str(), live.warning), ("v26.0", None));
        let moved = settle(Some("v23.0"), true, false).unwrap();
        assert_eq!(moved.version.to_string(), "v25.0");
        assert_eq!(
            moved.warning.unwrap(),
            "The call has been auto-upgraded to v25.0 as v23.0 has been deprecated"
        );
        assert_eq!(settle(Some("v23.0"), true, true).unwrap_err().code, 2635);
        assert_eq!(settle(None, true, false).unwrap_err().code, 2635);
        assert!(settle(None, false, false).is_ok());
        assert_eq!(settle(Some("v3.1"), false, true).unwrap().version.to_string(), "v21.0");
    }

    #[test]
    fn the_clock_decides_what_has_ended() {
        let before = "2026-10-05T12:00:00Z".parse().unwrap();
        let live = super::settle(Some("v24.0"), true, true, before).unwrap();
        assert_eq!(live.version.to_string(), "v24.0");
    }

    #[test]
    fn unknown_versions_are_path_components() {
        for text in ["v27.0", "v3.9", "v0.0", "v26.1"] {
            assert_eq!(settle(Some(text), true, false).unwrap_err().code, 2500, "{text}");
        }
        assert_eq!(Version::parse("v26"), None);
        assert_eq!(Version::parse("v+2.0"), None);
    }
}
