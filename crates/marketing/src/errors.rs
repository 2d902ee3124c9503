//! Errors of the Graph and Marketing API, explained: what happened, who can mend it, and what to do next.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::facts::{Mark, Who, table};

/// What kind of trouble an error is. This decides what becomes of a connection: only `Reconnect` ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Class {
    /// The token is dead. The account has to consent again.
    Reconnect,
    /// The person has to do something at facebook.com; the token may come back to life.
    ActionOnFacebook,
    /// A permission is missing, or an asset is not shared.
    MissingPermission,
    /// The person lacks a role on one asset; others still work.
    MissingRole,
    /// Too many calls. Never a reason to mark a connection broken.
    Throttled {
        scope: Scope,
        /// How long to leave it alone when no usage header says better, in seconds.
        pause_seconds: u32,
    },
    /// It passes by itself.
    Temporary,
    /// Ask for less at once.
    TooMuchData,
    /// The call is wrong as it stands.
    BadParameter,
    /// The object does not exist, or cannot be seen.
    Gone,
    /// Blocked for policy; stop writing.
    Policy,
    /// The partner's Meta app or the connector's setup is wrong.
    Configuration,
    /// The API version has ended.
    VersionEnded,
    /// Meta failed inside.
    Internal,
    /// No row for it.
    Unknown,
}

/// What a throttle counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    App,
    AdAccount,
    AdSet,
    Page,
    Insights,
    Business,
}

/// Whether the same call may be sent again. A create is never repeated blindly, whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Not before something was changed.
    Never,
    /// A few times, waiting longer each time.
    Backoff,
    /// After the pause.
    AfterPause,
    /// With less asked for.
    Smaller,
}

/// An error, explained.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    pub title: String,
    /// What happened and why.
    pub what: String,
    pub who: Who,
    pub next_step: String,
    pub class: Class,
    pub retry: Retry,
    /// The field Meta blames, as a path with dots, where the subcode alone tells.
    pub field: Option<String>,
    pub mark: Mark,
    pub source: String,
}

/// A subcode of business validation.
#[derive(Debug, Clone, Deserialize)]
pub struct Subcode {
    pub code: i64,
    pub subcode: i64,
    /// The place Meta blames, as a path with dots from `campaign`, `ad_set`, `creative` or `ad`.
    pub field: String,
    /// For a person, in our words; Meta's own text changes without notice.
    pub title: String,
    pub message: String,
    pub who: Who,
    pub next_step: String,
    pub mark: Mark,
    pub source: String,
}

#[derive(Deserialize)]
struct Row {
    code: Option<i64>,
    code_to: Option<i64>,
    subcode: Option<i64>,
    contains: Option<String>,
    class: ClassName,
    scope: Option<Scope>,
    pause_seconds: Option<u32>,
    retry: Retry,
    who: Who,
    title: String,
    what: String,
    next_step: String,
    mark: Mark,
    source: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClassName {
    Reconnect,
    ActionOnFacebook,
    MissingPermission,
    MissingRole,
    Throttled,
    Temporary,
    TooMuchData,
    BadParameter,
    Gone,
    Policy,
    Configuration,
    VersionEnded,
    Internal,
    Unknown,
}

/// Which errors a row is for.
struct Pattern {
    codes: Option<(i64, i64)>,
    subcode: Option<i64>,
    contains: Option<String>,
}

impl Pattern {
    fn fits(&self, code: i64, subcode: Option<i64>, message: &str) -> bool {
        self.codes.is_none_or(|(from, to)| (from..=to).contains(&code))
            && self.subcode.is_none_or(|wanted| subcode == Some(wanted))
            && self.contains.as_deref().is_none_or(|part| message.contains(part))
    }
}

#[derive(Deserialize)]
struct Errors {
    error: Vec<Row>,
}

#[derive(Deserialize)]
struct Subcodes {
    subcode: Vec<Subcode>,
}

static SUBCODES: LazyLock<Vec<(Subcode, Explanation)>> = LazyLock::new(|| {
    let mut rows: Vec<_> = table::<Subcodes>("subcodes.toml", include_str!("../data/subcodes.toml"))
        .subcode
        .into_iter()
        .map(|row| (row.clone(), Explanation::from(row)))
        .collect();
    rows.sort_by_key(|(row, _)| row.subcode);
    rows
});

static ERRORS: LazyLock<Vec<(Pattern, Explanation)>> = LazyLock::new(|| {
    table::<Errors>("errors.toml", include_str!("../data/errors.toml"))
        .error
        .into_iter()
        .map(|row| {
            let pattern = Pattern {
                codes: row.code.map(|code| (code, row.code_to.unwrap_or(code))),
                subcode: row.subcode,
                contains: row.contains.clone(),
            };
            (pattern, Explanation::from(row))
        })
        .collect()
});

impl From<Row> for Explanation {
    fn from(row: Row) -> Self {
        let class = match row.class {
            ClassName::Throttled => Class::Throttled {
                scope: row.scope.unwrap_or(Scope::App),
                pause_seconds: row.pause_seconds.unwrap_or(300),
            },
            ClassName::Reconnect => Class::Reconnect,
            ClassName::ActionOnFacebook => Class::ActionOnFacebook,
            ClassName::MissingPermission => Class::MissingPermission,
            ClassName::MissingRole => Class::MissingRole,
            ClassName::Temporary => Class::Temporary,
            ClassName::TooMuchData => Class::TooMuchData,
            ClassName::BadParameter => Class::BadParameter,
            ClassName::Gone => Class::Gone,
            ClassName::Policy => Class::Policy,
            ClassName::Configuration => Class::Configuration,
            ClassName::VersionEnded => Class::VersionEnded,
            ClassName::Internal => Class::Internal,
            ClassName::Unknown => Class::Unknown,
        };
        Self {
            title: row.title,
            what: row.what,
            who: row.who,
            next_step: row.next_step,
            class,
            retry: row.retry,
            field: None,
            mark: row.mark,
            source: row.source,
        }
    }
}

impl From<Subcode> for Explanation {
    fn from(row: Subcode) -> Self {
        Self {
            title: row.title,
            what: row.message,
            who: row.who,
            next_step: row.next_step,
            class: Class::BadParameter,
            retry: Retry::Never,
            field: Some(row.field),
            mark: row.mark,
            source: row.source,
        }
    }
}

/// Explains an error by its code, its subcode and, where these do not tell, its message.
///
/// There is always an answer; [`Class::Unknown`] says that we have no row for it.
pub fn explain(code: i64, subcode: Option<i64>, message: &str) -> &'static Explanation {
    // Business validation also arrives as a code of its own.
    let validation = subcode.and_then(find_subcode).or_else(|| find_subcode(code));
    if let Some(at) = validation
        && (SUBCODES[at].0.code == code || SUBCODES[at].0.subcode == code)
    {
        return &SUBCODES[at].1;
    }
    let message = message.to_lowercase();
    let rows = &*ERRORS;
    rows.iter()
        .find(|(pattern, _)| pattern.fits(code, subcode, &message))
        .map_or(&rows[rows.len() - 1].1, |(_, explanation)| explanation)
}

/// What we know of a subcode of business validation.
pub fn subcode(code: i64, subcode: i64) -> Option<&'static Subcode> {
    find_subcode(subcode).map(|at| &SUBCODES[at].0).filter(|row| row.code == code)
}

/// All subcodes of business validation, by number.
pub fn subcodes() -> impl Iterator<Item = &'static Subcode> {
    SUBCODES.iter().map(|(row, _)| row)
}

fn find_subcode(subcode: i64) -> Option<usize> {
    SUBCODES.binary_search_by_key(&subcode, |(row, _)| row.subcode).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcodes_are_unique_and_read() {
        let numbers: Vec<_> = subcodes().map(|row| row.subcode).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "a subcode stands twice");
        assert!(numbers.len() > 80);
        assert_eq!(subcode(100, 1_885_154).unwrap().field, "ad.adset_id");
        assert!(subcode(17, 1_885_154).is_none());
    }

    #[test]
    fn the_last_row_fits_everything() {
        let (pattern, explanation) = ERRORS.last().unwrap();
        assert!(pattern.fits(i64::MIN, None, ""));
        assert_eq!(explanation.class, Class::Unknown);
        assert_eq!(explain(424_242, Some(1), "").class, Class::Unknown);
    }

    #[test]
    fn every_row_can_be_reached() {
        for (at, (pattern, explanation)) in ERRORS.iter().enumerate() {
            let (from, to) = pattern.codes.unwrap_or((424_242, 424_242));
            let message = pattern.contains.clone().unwrap_or_default();
            let reached = [from, to]
                .into_iter()
                .any(|code| std::ptr::eq(explain(code, pattern.subcode, &message), explanation));
            assert!(reached, "row {at} ({}) is hidden by another", explanation.title);
        }
    }

    #[test]
    fn tokens_die_in_different_ways() {
        let class = |code, subcode| explain(code, subcode, "").class;
        for subcode in [None, Some(458), Some(460), Some(463), Some(467), Some(466)] {
            assert_eq!(class(190, subcode), Class::Reconnect, "{subcode:?}");
        }
        assert_eq!(class(190, Some(459)), Class::ActionOnFacebook);
        assert_eq!(class(190, Some(464)), Class::ActionOnFacebook);
        assert_eq!(class(190, Some(492)), Class::MissingRole);
        assert_eq!(class(10, None), Class::MissingPermission);
        assert_eq!(class(275, None), Class::MissingPermission);
        assert_eq!(class(100, Some(33)), Class::Gone);
        assert_eq!(class(100, Some(2_446_814)), Class::BadParameter);
        assert_eq!(class(1_885_183, None), Class::BadParameter);
        assert_eq!(
            explain(100, None, "Invalid appsecret_proof provided in the API argument").class,
            Class::Configuration
        );
    }

    #[test]
    fn throttles_never_ask_to_reconnect() {
        for (code, subcode) in [
            (4, None),
            (17, Some(2_446_079)),
            (32, None),
            (613, None),
            (80000, Some(2_446_079)),
            (80004, Some(2_446_079)),
            (80014, None),
        ] {
            let explanation = explain(code, subcode, "");
            assert!(matches!(explanation.class, Class::Throttled { .. }), "{code}");
            assert_eq!(explanation.retry, Retry::AfterPause);
        }
        assert_eq!(explain(2, None, "").class, Class::Temporary);
        assert_eq!(
            explain(1, None, "Please reduce the amount of data you're asking for, then retry").retry,
            Retry::Smaller
        );
    }
}
