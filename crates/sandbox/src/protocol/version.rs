//! Which API version answers a call.
//!
//! Sources: marketing-api/overview/versioning and the changelog's version table, as of November 2026.

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

/// Versions that answer Marketing API calls.
const MARKETING_LIVE: [Version; 2] = [OLDEST_MARKETING, NEWEST];
const OLDEST_MARKETING: Version = Version { major: 25, minor: 0 };
const NEWEST: Version = Version { major: 26, minor: 0 };
/// The oldest version that still answers other Graph calls; older ones are answered by it.
const OLDEST_GRAPH: Version = Version { major: 21, minor: 0 };
/// From here on the protocol features of old are gone whatever the switch says.
const WITHOUT_LEGACY: Version = NEWEST;

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

    fn was_released(self) -> bool {
        match self.major {
            1 | 4..=26 => self.minor == 0,
            2 => self.minor <= 12,
            3 => self.minor <= 3,
            _ => false,
        }
    }

    /// Whether `pretty`, `debug`, `date_format`, `?ids=` and `ETag` may still work, given the switch.
    pub fn keeps_legacy_protocol(self, switched_on: bool) -> bool {
        switched_on && self < WITHOUT_LEGACY
    }
}

/// Decides which version answers.
///
/// Marketing calls must name a version; an ended one is moved to the oldest live one, or refused with code 2635
/// when `strict`. Other Graph calls may leave it out.
pub fn settle(asked: Option<&str>, marketing: bool, strict: bool) -> Result<Settled, GraphError> {
    let Some(text) = asked else {
        return if marketing {
            Err(deprecated())
        } else {
            Ok(Settled { version: OLDEST_MARKETING, warning: None })
        };
    };
    let asked = Version::parse(text)
        .filter(|version| version.was_released())
        .ok_or_else(|| GraphError::new(2500, format!("Unknown path components: /{text}")))?;
    if !marketing {
        return Ok(Settled { version: asked.max(OLDEST_GRAPH), warning: None });
    }
    if MARKETING_LIVE.contains(&asked) {
        return Ok(Settled { version: asked, warning: None });
    }
    if strict {
        return Err(deprecated());
    }
    Ok(Settled {
        version: OLDEST_MARKETING,
        warning: Some(format!(
            "The call has been auto-upgraded to {OLDEST_MARKETING} as {asked} has been deprecated"
        )),
    })
}

fn deprecated() -> GraphError {
    GraphError::new(
        2635,
        format!(
            "You are calling a deprecated version of the Ads API. Please update to the latest version: {NEWEST}."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn unknown_versions_are_path_components() {
        for text in ["v27.0", "v3.9", "v0.0", "v26.1"] {
            assert_eq!(settle(Some(text), true, false).unwrap_err().code, 2500, "{text}");
        }
        assert_eq!(Version::parse("v26"), None);
        assert_eq!(Version::parse("v+2.0"), None);
    }
}
