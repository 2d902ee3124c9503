use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;

/// A kind of events, or all of a family: `lead.created`, `lead.*`. A family takes in kinds that come later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^[a-z]+\.(\*|[a-z_]+)$"))]
pub struct Pattern(String);

impl Pattern {
    pub fn matches(&self, kind: Kind) -> bool {
        match self.0.strip_suffix('*') {
            Some(family) => kind.as_str().starts_with(family),
            None => kind.as_str() == self.0,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether one of the patterns matches; none of them stands for all kinds.
pub fn any_matches(patterns: &[Pattern], kind: Kind) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(kind))
}

/// The kinds that are matched, for SQL: `,lead.created,lead.updated,`; empty for all.
pub fn listed(patterns: &[Pattern]) -> String {
    if patterns.is_empty() {
        return String::new();
    }
    let kinds = Kind::ALL.into_iter().filter(|kind| any_matches(patterns, *kind));
    kinds.fold(",".to_owned(), |list, kind| list + kind.as_str() + ",")
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pattern = Self(text.to_owned());
        let is_family = text.ends_with(".*");
        let known = Kind::ALL.into_iter().any(|kind| pattern.matches(kind));
        if known && (is_family || !text.ends_with('*')) {
            return Ok(pattern);
        }
        let kinds = Kind::ALL.map(Kind::as_str).join(", ");
        Err(format!(
            "{text:?} is no type of events, expected one of {kinds}, or a family of them such as lead.*"
        ))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Kind> for Pattern {
    fn from(kind: Kind) -> Self {
        Self(kind.as_str().to_owned())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_kind_or_a_family() {
        let lead: Pattern = "lead.*".parse().unwrap();
        assert!(lead.matches(Kind::LeadCreated) && lead.matches(Kind::LeadUpdated));
        assert!(!lead.matches(Kind::AdAlert));
        let alert: Pattern = "ad.alert".parse().unwrap();
        assert!(alert.matches(Kind::AdAlert) && !alert.matches(Kind::AdIssue));
        for wrong in ["*", "lead", "lead*", "leads.*", "lead.creatd", "", ".*"] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
        assert_eq!(listed(&[lead, alert]), ",lead.created,lead.updated,lead.expiring,ad.alert,");
        assert_eq!(listed(&[]), "");
    }
}
