//! What the rules look at: a document with its words looked up.

use jiff::Timestamp;

use super::super::document::{AdAccount, AdSet, Campaign, Document};
use super::super::findings::{Segment, Severity};
use super::super::legacy;
use super::super::promoted_object::PromotedObject;
use crate::versions;
use crate::vocabulary::{Kind, vocabulary};

/// A word of a closed list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'d> {
    pub(super) text: &'d str,
    /// Its place in the list, if it is in it.
    pub(super) at: Option<usize>,
}

impl<'d> Word<'d> {
    fn new(kind: Kind, text: &'d str) -> Self {
        Self { text, at: vocabulary(kind).position(text) }
    }

    /// Whether it is one of the values, and not contested. `kind` is the list it was looked up in.
    pub(super) fn is_value(self, kind: Kind) -> bool {
        self.at.is_some_and(|at| at < vocabulary(kind).values.len())
    }
}

/// A document under check.
pub(super) struct Case<'d> {
    pub(super) ad_set: &'d AdSet<'d>,
    /// The ad set as it stands; then this is an update.
    pub(super) existing: Option<&'d AdSet<'d>>,
    /// The campaign that is given, or the one in `campaign_spec`.
    pub(super) campaign: Option<&'d Campaign<'d>>,
    /// Whether the campaign is the one in `campaign_spec`.
    pub(super) campaign_in_spec: bool,
    pub(super) account: Option<&'d AdAccount<'d>>,
    pub(super) version: &'d str,
    /// The version as [`versions::number`] has it; the default's if it cannot be read.
    pub(super) version_number: u16,
    pub(super) now: Timestamp,
    pub(super) objective: Option<Word<'d>>,
    /// The goal that counts: the one given, the one that stands, or the one an old objective takes by default.
    pub(super) goal: Option<Word<'d>>,
    /// `None` also for the word that stands for "left out".
    pub(super) destination: Option<Word<'d>>,
}

impl<'d> Case<'d> {
    pub(super) fn new(document: &'d Document<'d>, now: Timestamp) -> Self {
        let ad_set = &document.ad_set;
        let existing = document.existing.as_deref();
        let (campaign, campaign_in_spec) = match (&document.campaign, &ad_set.campaign_spec) {
            (Some(campaign), _) => (Some(&**campaign), false),
            (None, spec) => (spec.as_deref(), spec.is_some()),
        };
        let version = document.api_version.as_deref().unwrap_or(versions::DEFAULT);
        let objective = campaign.and_then(|campaign| campaign.objective.as_deref());
        let stands = |field: fn(&'d AdSet<'d>) -> Option<&'d str>| {
            field(ad_set).or_else(|| existing.and_then(field)).filter(|word| !word.is_empty())
        };
        let goal = stands(|ad_set| ad_set.optimization_goal.as_deref())
            .or_else(|| objective.and_then(legacy::default_goal));
        let destination =
            stands(|ad_set| ad_set.destination_type.as_deref()).filter(|word| *word != "UNDEFINED");
        Self {
            ad_set,
            existing,
            campaign,
            campaign_in_spec,
            account: document.ad_account.as_ref(),
            version,
            version_number: versions::number(version)
                .or_else(|| versions::number(versions::DEFAULT))
                .unwrap_or(u16::MAX),
            now,
            objective: objective.map(|word| Word::new(Kind::Objective, word)),
            goal: goal.map(|word| Word::new(Kind::OptimizationGoal, word)),
            destination: destination.map(|word| Word::new(Kind::DestinationType, word)),
        }
    }

    pub(super) fn is_update(&self) -> bool {
        self.existing.is_some()
    }

    /// Whether the campaign is to be created too: one that has an id is there already.
    pub(super) fn creates_campaign(&self) -> bool {
        !self.is_update() && self.campaign.is_some_and(|campaign| campaign.id.is_none())
    }

    /// A value of the ad set, or the one that stands.
    pub(super) fn merged<T>(&self, field: impl Fn(&'d AdSet<'d>) -> Option<T>) -> Option<T> {
        field(self.ad_set).or_else(|| self.existing.and_then(field))
    }

    pub(super) fn promoted_object(&self) -> Option<&'d PromotedObject<'d>> {
        self.merged(|ad_set| ad_set.promoted_object.as_ref())
    }

    pub(super) fn goal_is(&self, goals: &[&str]) -> bool {
        self.goal.is_some_and(|goal| goals.contains(&goal.text))
    }

    pub(super) fn objective_is(&self, objectives: &[&str]) -> bool {
        self.objective.is_some_and(|objective| objectives.contains(&objective.text))
    }

    pub(super) fn destination_is(&self, destinations: &[&str]) -> bool {
        self.destination.is_some_and(|destination| destinations.contains(&destination.text))
    }

    /// The most a rule that needs the campaign can say: without one, no more than a warning.
    pub(super) fn with_campaign(&self) -> Severity {
        if self.campaign.is_some() { Severity::Reject } else { Severity::Warn }
    }

    /// The most a rule can say that rests on what the campaign does not have. One that is there already may have been
    /// read in part.
    pub(super) fn without(&self, is_told: impl FnOnce(&'d Campaign<'d>) -> bool) -> Severity {
        if self.campaign.is_some_and(is_told) { Severity::Reject } else { Severity::Warn }
    }

    /// A place in the campaign.
    pub(super) fn campaign_path(&self, field: &'static str) -> Vec<Segment> {
        if self.campaign_in_spec {
            vec!["ad_set".into(), "campaign_spec".into(), field.into()]
        } else {
            vec!["campaign".into(), field.into()]
        }
    }

    /// An amount in the account's currency, as people read it.
    pub(super) fn money(&self, minor: i64) -> String {
        match self.account.and_then(|account| account.currency.as_deref()) {
            Some(currency) => crate::money::format_minor(minor, currency),
            None => format!("{minor} minor units"),
        }
    }
}

/// Words in a sentence: `A, B or C`.
pub(super) fn either<W: AsRef<str>>(words: &[W]) -> String {
    match words {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}
