//! Permissions: what each is for, what it drags along, which a use case needs, and what a consent left out.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::facts::{Mark, table};

/// A permission an account's user can grant.
#[derive(Debug, Clone, Deserialize)]
pub struct Permission {
    /// Meta's name, as in the OAuth `scope` parameter.
    pub name: String,
    /// What it opens, for the partner.
    pub what: String,
    /// Why it is asked for, in words for the account's user.
    pub why: String,
    /// Meta's dependencies, one step deep. See [`closure`] for all of them.
    pub needs: Vec<String>,
    /// Exists for user tokens.
    pub user: bool,
    /// Exists for business integration system user tokens (Facebook Login for Business).
    pub business_integration: bool,
    /// Keeps its data access when the person has not been active for 90 days.
    pub outlives_90_days: bool,
    pub mark: Mark,
    pub source: String,
}

/// What a partner sets the connector up for.
#[derive(Debug, Clone, Deserialize)]
pub struct UseCase {
    /// `reporting`, `ads` or `leads`.
    pub id: String,
    pub title: String,
    /// For the partner.
    pub what: String,
    /// For the account's user; reads after "We ask for this".
    pub why: String,
    /// The permissions it is about. See [`UseCase::scopes`] for everything that has to be asked.
    pub permissions: Vec<String>,
    pub source: String,
}

impl UseCase {
    /// Everything that has to be asked for, sorted.
    pub fn scopes(&self) -> Vec<&str> {
        closure(self.permissions.iter().map(String::as_str))
    }
}

/// The difference between what was wanted and what was granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Wanted, with everything it needs, and not granted. Sorted.
    pub missing: Vec<String>,
    /// Granted although nobody wanted it. Sorted. `public_profile` is never counted: it always comes along.
    pub unasked: Vec<String>,
}

impl Gap {
    /// Compares what is wanted (closed over its dependencies) with what was granted.
    pub fn between<'p>(
        wanted: impl IntoIterator<Item = &'p str>,
        granted: impl IntoIterator<Item = &'p str>,
    ) -> Self {
        let wanted: BTreeSet<&str> = closure(wanted).into_iter().collect();
        let granted: BTreeSet<&str> = granted.into_iter().collect();
        Self {
            missing: wanted.difference(&granted).map(|&name| name.to_owned()).collect(),
            unasked: granted
                .difference(&wanted)
                .filter(|&&name| name != "public_profile")
                .map(|&name| name.to_owned())
                .collect(),
        }
    }

    /// Whether everything wanted was granted.
    pub fn is_closed(&self) -> bool {
        self.missing.is_empty()
    }

    /// The use cases that do not work until the gap is closed.
    pub fn blocks(&self) -> impl Iterator<Item = &'static UseCase> {
        use_cases().iter().filter(|case| {
            case.scopes().iter().any(|scope| self.missing.iter().any(|missing| missing == scope))
        })
    }
}

#[derive(Deserialize)]
struct Table {
    permission: Vec<Permission>,
    use_case: Vec<UseCase>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| table("permissions.toml", include_str!("../data/permissions.toml")));

/// All permissions we know.
pub fn permissions() -> &'static [Permission] {
    &TABLE.permission
}

/// The permission of this name.
pub fn permission(name: &str) -> Option<&'static Permission> {
    TABLE.permission.iter().find(|permission| permission.name == name)
}

/// All use cases.
pub fn use_cases() -> &'static [UseCase] {
    &TABLE.use_case
}

/// The use case of this id.
pub fn use_case(id: &str) -> Option<&'static UseCase> {
    TABLE.use_case.iter().find(|case| case.id == id)
}

/// The permissions, and everything they need, sorted. A name we do not know stays as it is.
pub fn closure<'p>(names: impl IntoIterator<Item = &'p str>) -> Vec<&'p str> {
    let mut closed = BTreeSet::new();
    let mut open: Vec<&'p str> = names.into_iter().collect();
    while let Some(name) = open.pop() {
        if closed.insert(name) {
            open.extend(
                permission(name)
                    .into_iter()
                    .flat_map(|permission| permission.needs.iter().map(String::as_str)),
            );
        }
    }
    closed.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_and_every_use_case_names_a_known_permission() {
        let needs = permissions().iter().flat_map(|permission| &permission.needs);
        for name in needs.chain(use_cases().iter().flat_map(|case| &case.permissions)) {
            assert!(permission(name).is_some(), "{name}");
        }
    }

    #[test]
    fn leads_need_the_seven_and_webhooks() {
        let scopes = use_case("leads").unwrap().scopes();
        assert_eq!(
            scopes,
            [
                "ads_management",
                "ads_read",
                "business_management",
                "leads_retrieval",
                "pages_manage_ads",
                "pages_manage_metadata",
                "pages_read_engagement",
                "pages_show_list",
            ]
        );
        assert_eq!(use_case("reporting").unwrap().scopes(), ["ads_read"]);
    }

    #[test]
    fn closure_is_closed_and_grows_only() {
        for permission in permissions() {
            let once = closure([permission.name.as_str()]);
            assert!(once.contains(&permission.name.as_str()));
            assert_eq!(closure(once.iter().copied()), once);
        }
    }

    #[test]
    fn a_gap_names_what_is_missing_and_what_it_blocks() {
        let gap = Gap::between(
            ["ads_management"],
            ["public_profile", "ads_management", "email", "pages_show_list"],
        );
        assert_eq!(gap.missing, ["pages_read_engagement"]);
        assert_eq!(gap.unasked, ["email"]);
        let blocked: Vec<_> = gap.blocks().map(|case| case.id.as_str()).collect();
        assert_eq!(blocked, ["ads", "leads"]);
        assert!(Gap::between(["ads_read"], ["ads_read"]).is_closed());
    }
}
