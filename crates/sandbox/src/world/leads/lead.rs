use super::{Form, Leads, generated::Generated, ids};

/// What somebody answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question's key.
    pub name: String,
    pub values: Vec<String>,
}

/// Whether somebody ticked a checkbox of the disclaimer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub key: String,
    pub checked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Facebook,
    Instagram,
}

impl Platform {
    pub fn name(self) -> &'static str {
        match self {
            Self::Facebook => "fb",
            Self::Instagram => "ig",
        }
    }
}

/// A lead that was sent in, as opposed to one that a filled form holds.
#[derive(Debug, Clone)]
pub struct Stored {
    pub form: String,
    /// Unix seconds.
    pub created: i64,
    /// `None` = organic.
    pub ad: Option<u64>,
    pub platform: Platform,
    pub answers: Vec<Answer>,
    pub consents: Vec<Consent>,
    pub test: bool,
}

/// A lead, whether it was sent in or is filled. Filled ones are worked out when they are looked at.
#[derive(Clone, Copy)]
pub struct Lead<'a> {
    pub(super) leads: &'a Leads,
    pub serial: u64,
    pub(super) body: Body<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Stored(&'a Stored),
    Generated(&'a Generated, u64),
}

impl<'a> Lead<'a> {
    pub fn id(&self) -> u64 {
        ids::id(self.leads.seed, self.serial)
    }

    pub fn form_id(&self) -> &'a str {
        match self.body {
            Body::Stored(stored) => &stored.form,
            Body::Generated(generated, _) => &generated.form,
        }
    }

    pub fn form(&self) -> Option<&'a Form> {
        self.leads.form(self.form_id())
    }

    /// Unix seconds.
    pub fn created(&self) -> i64 {
        match self.body {
            Body::Stored(stored) => stored.created,
            Body::Generated(generated, index) => generated.created(index),
        }
    }

    pub fn ad(&self) -> Option<u64> {
        match self.body {
            Body::Stored(stored) => stored.ad,
            Body::Generated(generated, index) => generated.ad(index),
        }
    }

    pub fn is_test(&self) -> bool {
        matches!(self.body, Body::Stored(stored) if stored.test)
    }

    pub fn platform(&self) -> Platform {
        match self.body {
            Body::Stored(stored) => stored.platform,
            Body::Generated(_, index) if index % 3 == 2 => Platform::Instagram,
            Body::Generated(..) => Platform::Facebook,
        }
    }

    pub fn answers(&self) -> Vec<Answer> {
        match self.body {
            Body::Stored(stored) => stored.answers.clone(),
            Body::Generated(_, index) => self
                .form()
                .map(|form| super::sample::answers(form, self.leads.seed ^ index))
                .unwrap_or_default(),
        }
    }

    pub fn consents(&self) -> Vec<Consent> {
        match self.body {
            Body::Stored(stored) => stored.consents.clone(),
            Body::Generated(_, index) => self
                .form()
                .map(|form| super::sample::consents(form, self.leads.seed ^ index))
                .unwrap_or_default(),
        }
    }

    /// A lead can be read for ninety days.
    pub fn has_expired(&self, now: i64) -> bool {
        self.created() <= now - super::KEPT_SECONDS
    }
}
