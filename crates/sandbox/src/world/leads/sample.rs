//! Believable answers, the same for the same number.

use super::{Answer, Consent, Form, form::Question};
use crate::protocol::cursor::mix;

const FIRST_NAMES: [&str; 16] = [
    "Alice", "Bruno", "Chidi", "Daphne", "Emre", "Fatima", "Grzegorz", "Hana", "Ivo", "Jürgen", "Keiko",
    "Léa", "Miguel", "Nour", "Zoë", "정민",
];
const LAST_NAMES: [&str; 16] = [
    "Alvarez", "Baker", "Çelik", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lindgren", "Müller", "Nkosi", "O'Neill", "김",
];
const CITIES: [&str; 6] = ["Lisbon", "São Paulo", "Rotterdam", "Austin", "Malmö", "Kyoto"];
const REMARKS: [&str; 4] = [
    "About forty kilos a month, please.",
    "We open in spring and need a supplier.",
    "Could someone call me after 17:00?",
    "Nous préférons l'e-mail.",
];

/// Answers to all questions of a form.
pub fn answers(form: &Form, number: u64) -> Vec<Answer> {
    let mut state = number;
    let [first, last, rest] = [(); 3].map(|()| mix(&mut state));
    let person = Person { first: pick(&FIRST_NAMES, first), last: pick(&LAST_NAMES, last), number, rest };
    form.questions()
        .map(|question| Answer { name: question.key.to_owned(), values: vec![person.answer(&question)] })
        .collect()
}

/// Ticks of a form's checkboxes: those that must be, and half of the others.
pub fn consents(form: &Form, number: u64) -> Vec<Consent> {
    let mut state = number ^ 0x00c0_45e7;
    form.checkboxes()
        .map(|checkbox| Consent {
            key: checkbox.key.to_owned(),
            checked: checkbox.required || mix(&mut state).is_multiple_of(2),
        })
        .collect()
}

struct Person {
    first: &'static str,
    last: &'static str,
    number: u64,
    rest: u64,
}

impl Person {
    fn answer(&self, question: &Question<'_>) -> String {
        let options: Vec<&str> = question.options().map(|(key, _)| key).collect();
        if !options.is_empty() {
            return pick(&options, self.rest).to_owned();
        }
        match question.kind {
            "FULL_NAME" => format!("{} {}", self.first, self.last),
            "FIRST_NAME" => self.first.to_owned(),
            "LAST_NAME" => self.last.to_owned(),
            "EMAIL" | "WORK_EMAIL" => format!("lead.{}@example.com", self.number % 1_000_000_000),
            "PHONE" | "WORK_PHONE_NUMBER" => format!("+1555{:07}", self.rest % 10_000_000),
            "CITY" => pick(&CITIES, self.rest).to_owned(),
            "COUNTRY" => "US".to_owned(),
            "DATE_TIME" => "2026-12-01T10:00:00+0000".to_owned(),
            _ => pick(&REMARKS, self.rest).to_owned(),
        }
    }
}

fn pick<T: Copy>(from: &[T], number: u64) -> T {
    from[usize::try_from(number % from.len() as u64).unwrap_or_default()]
}
