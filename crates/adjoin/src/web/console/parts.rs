//! Small parts that pages are made of. Each is a template of its own that other templates print.

use std::fmt;

use askama::{Template, filters::HtmlSafe};

use super::{Failure, words};
use crate::{
    service::{Error, Fault},
    time::Timestamp,
    web::problem::Problem,
};

/// How something stands. Shown as a mark and a word, never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Ok,
    Warn,
    Bad,
    Note,
    Off,
}

impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Note => "note",
            Self::Off => "off",
        })
    }
}

/// The mark of a tone.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "console/parts/mark.html")]
pub struct Mark(pub Tone);

/// A mark and a word.
#[derive(Debug, Clone, Template)]
#[template(path = "console/parts/badge.html")]
pub struct Badge {
    pub tone: Tone,
    pub word: String,
}

impl Badge {
    pub fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self { tone, word: word.into() }
    }

    pub fn mark(&self) -> Mark {
        Mark(self.tone)
    }
}

/// A moment as people say it, with the exact one behind it.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "console/parts/when.html")]
pub struct When {
    pub at: Timestamp,
    pub now: Timestamp,
}

/// A text to paste elsewhere, with a button where scripts run.
#[derive(Debug, Clone, Template)]
#[template(path = "console/parts/copy.html")]
pub struct Copy<'a> {
    pub id: &'a str,
    /// What it is, for the button's name: "redirect URI".
    pub what: &'a str,
    pub text: &'a str,
}

/// What a field is filled in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Text,
    Email,
    Password,
    Number,
    DateTime,
    Lines,
    Select,
}

/// Something to choose: the value that is sent, and what people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }

    /// A word of Meta's, which stands for itself.
    pub fn word(word: &str) -> Self {
        Self::new(word, word)
    }
}

/// A remark about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub tone: Tone,
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// One labelled field, with its hint and whatever is wrong with it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/parts/field.html")]
pub struct Field<'a> {
    name: &'a str,
    label: &'a str,
    control: Control,
    value: &'a str,
    hint: &'a str,
    remarks: Vec<Remark>,
    choices: Vec<Choice>,
    required: bool,
    /// Says "(optional)" where it is.
    marked: bool,
    code: bool,
    autofocus: bool,
    /// A script may replace it while people type elsewhere.
    live: bool,
    autocomplete: &'a str,
}

impl<'a> Field<'a> {
    pub fn text(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self {
            name,
            label,
            control: Control::Text,
            value,
            hint: "",
            remarks: Vec::new(),
            choices: Vec::new(),
            required: true,
            marked: true,
            code: false,
            autofocus: false,
            live: false,
            autocomplete: "off",
        }
    }

    pub fn email(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self { control: Control::Email, autocomplete: "username", ..Self::text(name, label, value) }
    }

    /// A password or another secret. What was typed is never sent back to the browser.
    pub fn password(name: &'a str, label: &'a str) -> Self {
        Self { control: Control::Password, ..Self::text(name, label, "") }
    }

    pub fn number(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self { control: Control::Number, ..Self::text(name, label, value) }
    }

    pub fn date_time(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self { control: Control::DateTime, ..Self::text(name, label, value) }
    }

    /// Several entries, one a line.
    pub fn lines(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self { control: Control::Lines, code: true, ..Self::text(name, label, value) }
    }

    /// One of the choices. A value that is none of them is kept and shown as it is.
    pub fn select(name: &'a str, label: &'a str, value: &'a str, mut choices: Vec<Choice>) -> Self {
        if !value.is_empty() && choices.iter().all(|choice| choice.value != value) {
            choices.push(Choice::word(value));
        }
        Self { control: Control::Select, choices, ..Self::text(name, label, value) }
    }

    /// Values to pick from, beside typing another.
    #[must_use]
    pub fn suggestions(self, choices: Vec<Choice>) -> Self {
        Self { choices, ..self }
    }

    #[must_use]
    pub fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// Optional, where the words around the field say when it is needed.
    #[must_use]
    pub fn unmarked(self) -> Self {
        Self { required: false, marked: false, ..self }
    }

    #[must_use]
    pub fn code(self) -> Self {
        Self { code: true, ..self }
    }

    #[must_use]
    pub fn autofocus(self) -> Self {
        Self { autofocus: true, ..self }
    }

    #[must_use]
    pub fn autocomplete(self, autocomplete: &'a str) -> Self {
        Self { autocomplete, ..self }
    }

    /// Shows those of the faults that are about this field (`name`, `name[2]`, `name.id`).
    #[must_use]
    pub fn faults(self, refusal: &Refusal) -> Self {
        let remarks = refusal.remarks(self.name);
        self.remarks(remarks)
    }

    #[must_use]
    pub fn remarks(self, remarks: Vec<Remark>) -> Self {
        Self { remarks, ..self }
    }

    /// Shows these remarks, and lets a script bring newer ones.
    #[must_use]
    pub fn live(self, remarks: Vec<Remark>) -> Self {
        Self { remarks, live: true, ..self }
    }

    fn is_invalid(&self) -> bool {
        self.remarks.iter().any(|remark| remark.tone == Tone::Bad)
    }

    /// Ids of the texts that describe the field, for screen readers.
    fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let remarks = (self.live || !self.remarks.is_empty()).then(|| format!("{}-remarks", self.name));
        hint.into_iter().chain(remarks).collect::<Vec<_>>().join(" ")
    }
}

/// Why a form was not accepted. Printed above the form; each field shows its own faults besides.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "console/parts/refusal.html")]
pub struct Refusal {
    pub faults: Vec<Fault>,
    /// What is wrong apart from the fields.
    pub problem: Option<Box<Problem>>,
}

impl Refusal {
    /// What a form can show; the rest (not found, our own failure) is a page of its own.
    pub fn from_error(error: Error) -> Result<Self, Failure> {
        match error {
            Error::Invalid(faults) => Ok(Self { faults, problem: None }),
            error @ (Error::Conflict { .. }
            | Error::Forbidden { .. }
            | Error::NotReady { .. }
            | Error::Broken { .. }
            | Error::Unpermitted { .. }
            | Error::Rejected(_)
            | Error::Throttled { .. }
            | Error::Meta(_)) => {
                let mut problem = Problem::from(error);
                Ok(Self { faults: std::mem::take(&mut problem.faults), problem: Some(Box::new(problem)) })
            }
            error => Err(error.into()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.problem.is_none()
    }

    /// The same as remarks.
    pub fn remarks(&self, name: &str) -> Vec<Remark> {
        let faults = self.about(name).into_iter();
        faults
            .map(|fault| Remark {
                tone: Tone::Bad,
                message: words::sentence(&fault.message),
                fix: format!("Expected: {}", fault.fix.trim_end_matches('.')),
            })
            .collect()
    }

    /// Faults of one field, its entries and its parts.
    pub fn about(&self, name: &str) -> Vec<&Fault> {
        self.faults.iter().filter(|fault| fault.field == name || field_name(&fault.field) == name).collect()
    }
}

/// A fault in the list above a form. What is said without a subject ("is required") is about its field.
fn summary(fault: &Fault) -> String {
    const BARE: &[&str] = &["is ", "must ", "has ", "needs ", "cannot "];
    if BARE.iter().any(|start| fault.message.starts_with(start)) {
        let field = fault.field.rsplit('.').next().unwrap_or_default().replace('_', " ");
        return words::sentence(&format!("{field} {}", fault.message));
    }
    words::sentence(&fault.message)
}

/// The field of a form that a fault's path belongs to: `return_urls[1]` to `return_urls`.
fn field_name(path: &str) -> &str {
    path.split(['[', '.']).next().unwrap_or(path)
}

impl HtmlSafe for Mark {}
impl HtmlSafe for Badge {}
impl HtmlSafe for When {}
impl HtmlSafe for Copy<'_> {}
impl HtmlSafe for Field<'_> {}
impl HtmlSafe for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_faults_names_the_field_where_the_fault_does_not() {
        let summary = |field: &str, message: &str| summary(&Fault::new(field, message, "it"));
        assert_eq!(summary("objective", "is required"), "Objective is required");
        assert_eq!(summary("ad_set.daily_budget", "must be whole"), "Daily budget must be whole");
        assert_eq!(summary("name", "the name is taken"), "The name is taken");
    }
}
