//! Is this lead form right? Checks what `POST /{page_id}/leadgen_forms` takes, before Meta does: of a wrong privacy
//! policy Meta says no more than "an unknown error occurred".

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::ad_set::{Findings, Report, Rule, Severity, at};
use crate::given::{list, object, text};
use crate::vocabulary::{Kind, Standing, vocabulary};

/// Longest link text of a privacy policy, in characters.
const LINK_TEXT_MAX: usize = 70;
/// National ids begin with this.
const NATIONAL_ID: &str = "ID_";

/// Checks the arguments of `form.create`. The paths of what is found begin with `form`.
pub fn check(form: &Map<String, Value>) -> Report {
    let mut found = Findings::default();
    privacy_policy(form, &mut found);
    questions(form, &mut found);
    locale(form, &mut found);
    context_card(form, &mut found);
    found.into_report()
}

fn privacy_policy(form: &Map<String, Value>, found: &mut Findings) {
    let Some(policy) = form.get("privacy_policy").and_then(object) else {
        found
            .add(
                Rule::FormPrivacyPolicy,
                at!["form", "privacy_policy"],
                "a form asks people for personal data, and names no privacy policy",
                "give privacy_policy: {\"url\": \"https://...\", \"link_text\": \"...\"}",
            )
            .at_most(Severity::Warn);
        return;
    };
    let url = policy.get("url").and_then(text).unwrap_or_default();
    let place = at!["form", "privacy_policy", "url"];
    match scheme_of(url) {
        Some("https") => {}
        Some("http") => {
            found
                .add(
                    Rule::FormPrivacyPolicy,
                    place,
                    "the privacy policy's address is not encrypted",
                    "use the https address",
                )
                .at_most(Severity::Warn);
        }
        _ => {
            found.add(
                Rule::FormPrivacyPolicy,
                place,
                "the privacy policy's url is not a web address",
                "a whole address, such as https://example.com/privacy",
            );
        }
    }
    let link_text = policy.get("link_text").and_then(text).unwrap_or_default();
    let length = link_text.chars().count();
    if length > LINK_TEXT_MAX {
        found.add(
            Rule::FormLinkText,
            at!["form", "privacy_policy", "link_text"],
            format!("link_text has {length} characters; Meta takes {LINK_TEXT_MAX}"),
            "make it shorter",
        );
    }
}

/// The scheme of an address that has a host.
fn scheme_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = host.contains('.') && !host.starts_with('.') && !host.contains(char::is_whitespace);
    is_host.then_some(scheme)
}

fn questions(form: &Map<String, Value>, found: &mut Findings) {
    // That there must be some is the method's own business.
    let Some(questions) = form.get("questions").and_then(list) else { return };
    if questions.is_empty() {
        found.add(
            Rule::FormQuestions,
            at!["form", "questions"],
            "a form without questions",
            "ask for at least one thing, such as [{\"type\": \"EMAIL\"}]",
        );
    }
    let mut keys = BTreeSet::new();
    let mut national_ids = 0;
    for (number, question) in questions.iter().enumerate() {
        let Some(question) = question.as_object() else {
            found.add(
                Rule::FormQuestions,
                at!["form", "questions", number],
                "a question is an object",
                "{\"type\": \"EMAIL\"}",
            );
            continue;
        };
        let Some(kind) = question.get("type").and_then(text).filter(|kind| !kind.is_empty()) else {
            found.add(
                Rule::FormQuestions,
                at!["form", "questions", number, "type"],
                "the question has no type",
                "FULL_NAME, EMAIL, PHONE, CUSTOM, ...",
            );
            continue;
        };
        question_type(kind, number, found);
        if kind == "CUSTOM" && question.get("label").and_then(text).is_none_or(|it| it.trim().is_empty()) {
            found.add(
                Rule::FormQuestions,
                at!["form", "questions", number, "label"],
                "a question of one's own needs its words",
                "give label: what people are asked",
            );
        }
        if kind.starts_with(NATIONAL_ID) {
            national_ids += 1;
            if national_ids == 2 {
                found.add(
                    Rule::FormNationalIds,
                    at!["form", "questions", number, "type"],
                    "a form can ask for one national id, and this is another one",
                    "make a form for each country, and target only that country with it",
                );
            }
        }
        if let Some(key) = question.get("key").and_then(text)
            && !keys.insert(key)
        {
            found
                .add(
                    Rule::FormQuestions,
                    at!["form", "questions", number, "key"],
                    format!("two questions have the key {key:?}, so their answers could not be told apart"),
                    "give each its own key",
                )
                .at_most(Severity::Warn);
        }
    }
}

fn question_type(kind: &str, number: usize, found: &mut Findings) {
    let place = at!["form", "questions", number, "type"];
    match vocabulary(Kind::QuestionType).standing(kind) {
        Standing::Known | Standing::Contested => {}
        Standing::Misspelt(right) => {
            let message = format!("{kind} is not a type of question");
            found.add(Rule::FormQuestionType, place, message, format!("did you mean {right}?")).severity =
                Severity::Warn;
        }
        Standing::Unknown(near) => {
            let fix = near.map_or_else(
                || "nothing, if Meta knows it".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            let message = format!("{kind} is not among the types we know; Meta has more than it documents");
            found.add(Rule::FormQuestionType, place, message, fix);
        }
    }
}

fn locale(form: &Map<String, Value>, found: &mut Findings) {
    let Some(locale) = form.get("locale").and_then(text) else { return };
    let message = format!("{locale} is not a language of lead forms");
    match vocabulary(Kind::FormLocale).standing(locale) {
        Standing::Known | Standing::Contested => {}
        Standing::Misspelt(right) => {
            found.add(Rule::FormLocale, at!["form", "locale"], message, format!("did you mean {right}?"));
        }
        Standing::Unknown(near) => {
            let fix = near.map_or_else(
                || "one of GET /v1/methods/form.create, such as EN_US".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            found.add(Rule::FormLocale, at!["form", "locale"], message, fix).at_most(Severity::Warn);
        }
    }
}

fn context_card(form: &Map<String, Value>, found: &mut Findings) {
    let Some(card) = form.get("context_card").and_then(object) else { return };
    let Some(style) = card.get("style").and_then(text) else { return };
    if !["LIST_STYLE", "PARAGRAPH_STYLE"].contains(&style) {
        found.add(
            Rule::FormContextCard,
            at!["form", "context_card", "style"],
            format!("{style} is not a style of the page before the questions"),
            "LIST_STYLE or PARAGRAPH_STYLE",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ad_set::Verdict;

    fn form() -> Value {
        json!({
            "page_id": "1", "name": "Trial lesson", "locale": "DE_DE",
            "questions": [{"type": "FULL_NAME"}, {"type": "EMAIL"}, {"type": "CUSTOM", "key": "when", "label": "When?"}],
            "privacy_policy": {"url": "https://example.com/privacy", "link_text": "Privacy"},
        })
    }

    fn told(change: impl FnOnce(&mut Value)) -> Vec<(Severity, Rule, String)> {
        let mut form = form();
        change(&mut form);
        let report = check(form.as_object().unwrap());
        report.findings.iter().map(|it| (it.severity, it.rule, it.dotted_path())).collect()
    }

    #[test]
    fn what_is_right_is_accepted() {
        let report = check(form().as_object().unwrap());
        assert_eq!((report.verdict, report.findings), (Verdict::Accept, vec![]));
        // As a form sends it: JSON as text.
        assert_eq!(told(|form| form["questions"] = json!(r#"[{"type":"ID_CPF"}]"#)), []);
    }

    #[test]
    fn each_breach_is_found_where_it_is() {
        use Severity::{Note, Reject, Warn};
        let one = |change: fn(&mut Value)| told(change).remove(0);
        let at = |path: &str| format!("form.{path}");
        assert_eq!(
            one(|form| form["privacy_policy"]["url"] = json!("example.com")),
            (Reject, Rule::FormPrivacyPolicy, at("privacy_policy.url"))
        );
        assert_eq!(
            one(|form| form["privacy_policy"]["url"] = json!("http://example.com")),
            (Warn, Rule::FormPrivacyPolicy, at("privacy_policy.url"))
        );
        assert_eq!(
            one(|form| drop(form.as_object_mut().unwrap().remove("privacy_policy"))),
            (Warn, Rule::FormPrivacyPolicy, at("privacy_policy"))
        );
        // Characters are counted, not bytes.
        assert_eq!(told(|form| form["privacy_policy"]["link_text"] = json!("ß".repeat(70))), []);
        assert_eq!(
            one(|form| form["privacy_policy"]["link_text"] = json!("ß".repeat(71))),
            (Reject, Rule::FormLinkText, at("privacy_policy.link_text"))
        );
        assert_eq!(one(|form| form["questions"] = json!([])), (Reject, Rule::FormQuestions, at("questions")));
        assert_eq!(
            one(|form| form["questions"] = json!(["EMAIL"])),
            (Reject, Rule::FormQuestions, at("questions.0"))
        );
        assert_eq!(
            one(|form| form["questions"] = json!([{"key": "a"}])),
            (Reject, Rule::FormQuestions, at("questions.0.type"))
        );
        assert_eq!(
            one(|form| form["questions"] = json!([{"type": "CUSTOM", "key": "a", "label": " "}])),
            (Reject, Rule::FormQuestions, at("questions.0.label"))
        );
        assert_eq!(
            one(|form| form["questions"] =
                json!([{"type": "EMAIL", "key": "a"}, {"type": "PHONE", "key": "a"}])),
            (Warn, Rule::FormQuestions, at("questions.1.key"))
        );
        assert_eq!(
            one(|form| form["questions"] =
                json!([{"type": "ID_CPF"}, {"type": "EMAIL"}, {"type": "ID_CL_RUT"}])),
            (Reject, Rule::FormNationalIds, at("questions.2.type"))
        );
        assert_eq!(
            one(|form| form["questions"] = json!([{"type": "email"}])),
            (Warn, Rule::FormQuestionType, at("questions.0.type"))
        );
        assert_eq!(
            one(|form| form["questions"] = json!([{"type": "FAVOURITE_CAT"}])),
            (Note, Rule::FormQuestionType, at("questions.0.type"))
        );
        assert_eq!(one(|form| form["locale"] = json!("de_DE")), (Reject, Rule::FormLocale, at("locale")));
        assert_eq!(one(|form| form["locale"] = json!("IS_IS")), (Warn, Rule::FormLocale, at("locale")));
        assert_eq!(
            one(|form| form["context_card"] = json!({"style": "TABLE"})),
            (Warn, Rule::FormContextCard, at("context_card.style"))
        );
    }
}
