//! What a check of an ad set, a lead form or an alert finds.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{Mark, table};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Meta may refuse it, or do something else than was meant.
    Warn,
    /// Meta refuses it.
    Reject,
}

/// The answer of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accept,
    Warn,
    Reject,
}

/// One step of a path: a key, or a place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Segment {
    Key(Cow<'static, str>),
    Index(usize),
}

impl From<&'static str> for Segment {
    fn from(key: &'static str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

impl From<String> for Segment {
    fn from(key: String) -> Self {
        Self::Key(Cow::Owned(key))
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// Meta's own numbers for a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    pub code: i64,
    pub subcode: i64,
}

/// One thing a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    pub severity: Severity,
    /// Where, from the document's root: `ad_set`, `campaign`, `api_version`; `form` and `alert` for those methods.
    pub path: Vec<Segment>,
    pub rule: Rule,
    pub message: String,
    /// What to do.
    pub fix: String,
    /// What Meta answers, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Where the rule is from.
    pub source: Cow<'static, str>,
}

impl Finding {
    /// The path with dots between its steps, for people.
    pub fn dotted_path(&self) -> String {
        self.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
    }

    /// Lowers the severity to this at most, because facts that would make it certain are missing.
    pub(crate) fn at_most(&mut self, severity: Severity) -> &mut Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// Takes severity and source from the row of a table instead of the rule.
    pub(crate) fn with_row(&mut self, mark: Mark, source: &'static str) -> &mut Self {
        self.severity = severity_of(mark);
        self.source = Cow::Borrowed(source);
        self
    }
}

/// Everything a check found, gravest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
}

/// Documented without contradiction is certain; everything else is a warning.
pub(crate) fn severity_of(mark: Mark) -> Severity {
    if mark == Mark::Documented { Severity::Reject } else { Severity::Warn }
}

/// The findings of a check that is going on.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding with the severity, numbers and source of its rule.
    ///
    /// Marked as cold, so that the way of an ad set without faults stays short: the rules are much code, and most of it
    /// words about faults.
    #[cold]
    #[inline(never)]
    pub(crate) fn add(
        &mut self,
        rule: Rule,
        path: Vec<Segment>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> &mut Finding {
        let row = rule.row();
        self.0.push(Finding {
            severity: row.severity.unwrap_or_else(|| severity_of(row.mark)),
            path,
            rule,
            message: message.into(),
            fix: fix.into(),
            meta: row.code.zip(row.subcode).map(|(code, subcode)| Meta { code, subcode }),
            source: Cow::Borrowed(&row.source),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Takes out what is said of values that could not be read: of those, nothing else is known.
    fn forget_the_unreadable(&mut self) {
        let unreadable: Vec<Vec<Segment>> = self
            .0
            .iter()
            .filter(|finding| finding.rule == Rule::WrongType)
            .map(|finding| finding.path.clone())
            .collect();
        if !unreadable.is_empty() {
            self.0.retain(|finding| {
                finding.rule == Rule::WrongType
                    || !unreadable.iter().any(|path| finding.path.starts_with(path))
            });
        }
    }

    pub(crate) fn into_report(mut self) -> Report {
        self.forget_the_unreadable();
        self.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let verdict = match self.0.first().map(|finding| finding.severity) {
            Some(Severity::Reject) => Verdict::Reject,
            Some(Severity::Warn) => Verdict::Warn,
            Some(Severity::Note) | None => Verdict::Accept,
        };
        Report { verdict, findings: self.0 }
    }
}

/// A path from its steps: `at!["ad_set", "daily_budget"]`.
macro_rules! at {
    ($($segment:expr),* $(,)?) => { vec![$($crate::ad_set::Segment::from($segment)),*] };
}
pub(crate) use at;

/// The rules. Each has a row in `data/rules.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    WrongType,
    TextTooLong,
    UnknownParameter,
    UnknownValue,
    ContestedValue,
    MisspeltValue,
    VersionEnded,
    VersionEnding,
    VersionUnknown,
    NameMissing,
    CampaignMissing,
    CampaignMismatch,
    GoalMissing,
    BillingEventMissing,
    StatusAtCreation,
    StatusLeftOut,
    ExecutionOptions,
    LegacyObjective,
    LegacyCampaign,
    LegacyName,
    ObjectiveAsGoal,
    GoalNotForObjective,
    GoalNotForDestination,
    GoalRemoved,
    DestinationNotForObjective,
    CombinationContested,
    CombinationUnknown,
    PromotedObjectMissing,
    PromotedObjectIncomplete,
    PromotedObjectAmbiguous,
    OmnichannelNeedsPixel,
    PromotedObjectPage,
    PromotedObjectId,
    PromotedObjectField,
    StoreUrlNeedsApplication,
    StoreUrlNotAStore,
    PixelNeedsEvent,
    CustomEventStrNeedsOther,
    OtherNeedsCustomEventStr,
    ProductCatalogOnCampaign,
    OfflineSetEvent,
    QualityLeadPixelRule,
    BoostedSetNeedsProductSet,
    EventNotForObjective,
    EventMeasured,
    EventRefused,
    BillingNotForGoal,
    BillingInstall,
    BillingNotForBuyingType,
    BillingLinkClicksNeedsButton,
    BidAmountMissing,
    BidAmountForbidden,
    BidAmountWithoutCap,
    BidAmountTooLow,
    BidStrategyUnstated,
    BidStrategyNeedsBudget,
    BidStrategyLevel,
    BidStrategyConflict,
    CostCapBilling,
    CostCapPacing,
    CostCapGoal,
    MinRoasFloorMissing,
    MinRoasFloorRange,
    MinRoasGoal,
    BudgetOnBothLevels,
    BudgetMissing,
    BudgetDailyAndLifetime,
    BudgetNotPositive,
    BudgetBelowMinimum,
    AccountUnknown,
    BudgetInWholeUnits,
    LifetimeBudgetNeedsEnd,
    DailyBudgetNeedsADay,
    SkanTooShort,
    BudgetSharingUnstated,
    BudgetSharingWithBudget,
    BudgetSharingNeedsStrategy,
    SpendCapTooLow,
    SpendTargetNeedsCampaignBudget,
    SpendTargetAboveCap,
    ImpressionsNeedFixedCpm,
    EndInThePast,
    EndBeforeStart,
    TimeWithoutOffset,
    ScheduleNeedsLifetimeBudget,
    ScheduleNeedsDayParting,
    DayPartingNeedsSchedule,
    ScheduleHours,
    ScheduleDays,
    FrequencyGoal,
    FrequencyRange,
    AttributionWindow,
    AttributionWindowLegacy,
    TargetingMissing,
    UnknownCountry,
    LocationMissing,
    LocationTypes,
    LocationOverlap,
    LocationRadius,
    AdvantageAudienceUnstated,
    AdvantageAudienceValue,
    AdvantageAudienceAgeMin,
    AdvantageAudienceAgeMax,
    AgeOrder,
    AgeBounds,
    Minors,
    MinorsLocation,
    Connections,
    DetailedExclusions,
    PositionNeedsPlatform,
    PositionNeedsFeed,
    AudienceNetworkAlone,
    InstagramDesktop,
    VideoFeeds,
    InstagramExplore,
    MessengerStory,
    AppSystemMismatch,
    AppSystemUnstated,
    AppDevicePlatforms,
    DynamicCreativeOnWhatsapp,
    MessengerLeadAds,
    SpecialCategoriesMissing,
    SpecialCategoryNoneWithOthers,
    SpecialCategoryCredit,
    SpecialCategoryCountryMissing,
    SpecialCategoryAge,
    SpecialCategoryGender,
    SpecialCategoryLocationExclusion,
    SpecialCategoryRadius,
    SpecialCategorySmallAreas,
    SpecialCategoryDetailedTargeting,
    SpecialCategoryReserved,
    SpecialCategoryAdvantageAudience,
    SpecialCategoryCustomerList,
    SpecialCategoryPoliticsInEu,
    DsaBeneficiaryMissing,
    DsaPayorMissing,
    DsaTerritory,
    RegionalIdentityMissing,
    RegionalTaiwanBoth,
    RegionalCategoryMissing,
    CampaignNameMissing,
    CampaignObjectiveMissing,
    CampaignStatus,
    CampaignSmartPromotion,
    CampaignCatalogMissing,
    ObjectDeleted,
    ObjectArchived,
    FixedPromotedObject,
    FixedPromotedObjectPublished,
    FixedPromotedObjectAbsent,
    FixedGoalPublished,
    FixedAttribution,
    FixedFrequency,
    FixedDynamicCreative,
    FixedCampaign,
    FixedDestination,
    BudgetLowered,
    BudgetBelowSpent,
    ExistingCustomerBudget,
    DateFormat,
    FormPrivacyPolicy,
    FormLinkText,
    FormQuestions,
    FormQuestionType,
    FormNationalIds,
    FormLocale,
    FormContextCard,
    AlertFilters,
    AlertCondition,
    AlertField,
    AlertOperator,
    AlertMilestone,
}

/// What the table says of a rule.
#[derive(Debug, Clone, Deserialize)]
pub struct RuleRow {
    pub rule: Rule,
    pub mark: Mark,
    /// If it does not follow from the mark.
    pub severity: Option<Severity>,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    rule: Vec<RuleRow>,
}

static RULES: LazyLock<Vec<RuleRow>> = LazyLock::new(|| {
    let mut rows = table::<Table>("rules.toml", include_str!("../../data/rules.toml")).rule;
    rows.sort_by_key(|row| row.rule);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row.rule as usize, at, "data/rules.toml must hold every rule once");
    }
    rows
});

impl Rule {
    /// What the table says of it.
    pub fn row(self) -> &'static RuleRow {
        &RULES[self as usize]
    }

    /// All rules.
    pub fn all() -> &'static [RuleRow] {
        &RULES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors;

    #[test]
    fn every_subcode_of_a_rule_is_explained() {
        for row in Rule::all() {
            assert_eq!(row.code.is_some(), row.subcode.is_some());
            if let (Some(code), Some(subcode)) = (row.code, row.subcode) {
                assert!(errors::subcode(code, subcode).is_some(), "{:?} names {code}/{subcode}", row.rule);
            }
        }
    }

    #[test]
    fn a_report_speaks_json_as_agreed() {
        let mut findings = Findings::default();
        findings.add(Rule::NameMissing, at!["ad_set", "name"], "m", "f");
        findings
            .add(Rule::BudgetOnBothLevels, at!["ad_set", "x".to_owned(), 2], "m", "f")
            .at_most(Severity::Warn);
        let json = serde_json::to_value(findings.into_report()).unwrap();
        assert_eq!(json["verdict"], "reject");
        assert_eq!(json["findings"][0]["rule"], "name-missing");
        assert_eq!(json["findings"][0].get("meta"), None);
        assert_eq!(json["findings"][1]["path"], serde_json::json!(["ad_set", "x", 2]));
        assert_eq!(json["findings"][1]["meta"], serde_json::json!({"code": 100, "subcode": 1_885_621}));
        assert_eq!(json["findings"][1]["severity"], "warn");
    }
}
