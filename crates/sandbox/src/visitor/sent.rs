use std::collections::HashMap;

use crate::world::{
    World,
    leads::{Answer, Checkbox, Consent, Form, Platform, Question},
    objects::ObjectKind,
};

/// What a visitor sent with a form.
#[derive(Debug)]
pub struct Sent {
    fields: HashMap<String, String>,
    pub ad: Option<u64>,
    pub platform: Platform,
}

impl Sent {
    pub fn read(world: &World, body: &[u8]) -> Self {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
        let ad = fields
            .get("from")
            .and_then(|id| id.parse().ok())
            .filter(|id| world.objects.of_kind(*id, ObjectKind::Ad).is_some());
        let instagram = fields.get("platform").is_some_and(|platform| platform == "ig");
        Self { fields, ad, platform: if instagram { Platform::Instagram } else { Platform::Facebook } }
    }

    /// The answer to the question of this number; empty when there is none.
    pub fn answer(&self, index: usize) -> &str {
        self.fields.get(&format!("q{index}")).map_or("", |answer| answer.trim())
    }

    pub fn is_checked(&self, index: usize) -> bool {
        self.fields.get(&format!("c{index}")).is_some_and(|value| value == "1")
    }

    /// What is wrong with an answer. Browsers look themselves; this is for those that do not.
    pub fn wrong_answer(&self, index: usize, question: &Question<'_>) -> Option<&'static str> {
        let answer = self.answer(index);
        if answer.is_empty() {
            return Some("Please answer this.");
        }
        if question.has_options() {
            let offered = question.options().any(|(key, _)| key == answer);
            return (!offered).then_some("Please choose one of these.");
        }
        let email = matches!(question.kind, "EMAIL" | "WORK_EMAIL");
        let looks_right =
            answer.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        (email && !looks_right).then_some("This is not an email address.")
    }

    pub fn wrong_consent(&self, index: usize, checkbox: &Checkbox<'_>) -> Option<&'static str> {
        (checkbox.required && !self.is_checked(index)).then_some("This has to be ticked.")
    }

    /// Answers and consents when nothing is wrong.
    pub fn accepted(&self, form: &Form) -> Option<(Vec<Answer>, Vec<Consent>)> {
        let answers = form
            .questions()
            .enumerate()
            .map(|(index, question)| {
                self.wrong_answer(index, &question).is_none().then(|| Answer {
                    name: question.key.to_owned(),
                    values: vec![self.answer(index).to_owned()],
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let consents = form
            .checkboxes()
            .enumerate()
            .map(|(index, checkbox)| {
                self.wrong_consent(index, &checkbox)
                    .is_none()
                    .then(|| Consent { key: checkbox.key.to_owned(), checked: self.is_checked(index) })
            })
            .collect::<Option<Vec<_>>>()?;
        Some((answers, consents))
    }
}
