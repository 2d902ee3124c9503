//! What the visitor's pages show.

use askama::Template;
use serde_json::Value;

use super::sent::Sent;
use crate::world::{
    World,
    leads::{Form, Lead, Platform},
};

/// Pages that are listed; a sandbox for load has thousands.
const PAGES_SHOWN: usize = 100;
/// Ads that can be chosen.
const ADS_SHOWN: usize = 50;

#[derive(Debug, Template)]
#[template(path = "visitor/forms.html")]
pub struct Forms {
    pub pages: Vec<PageRow>,
    /// Pages that are not shown.
    pub left: usize,
}

#[derive(Debug)]
pub struct PageRow {
    pub id: String,
    pub name: String,
    pub forms: Vec<FormRow>,
}

#[derive(Debug)]
pub struct FormRow {
    pub id: String,
    pub name: String,
    pub archived: bool,
    pub leads: u64,
    pub expired: u64,
}

impl Forms {
    pub fn new(world: &World) -> Self {
        let now = world.clock.unix();
        let row = |form: &Form| {
            let counts = world.leads.counts(&form.id, now);
            FormRow {
                id: form.id.clone(),
                name: form.name.clone(),
                archived: form.archived,
                leads: counts.live,
                expired: counts.expired,
            }
        };
        let with_forms =
            world.assets.pages.values().filter(|page| world.leads.forms_of(&page.id).next().is_some());
        let pages: Vec<PageRow> = with_forms
            .clone()
            .take(PAGES_SHOWN)
            .map(|page| PageRow {
                id: page.id.clone(),
                name: page.name.clone(),
                forms: world.leads.forms_of(&page.id).map(row).collect(),
            })
            .collect();
        Self { left: with_forms.count() - pages.len(), pages }
    }
}

/// A form to fill in, empty or with what was sent and what was wrong with it.
#[derive(Debug, Template)]
#[template(path = "visitor/form.html")]
pub struct Fill {
    pub id: String,
    pub name: String,
    pub page_name: String,
    pub headline: String,
    pub context: Vec<String>,
    pub questions: Vec<QuestionRow>,
    pub disclaimer: Option<Disclaimer>,
    pub policy: Option<(String, String)>,
    pub ads: Vec<AdRow>,
    pub instagram: bool,
    pub button: String,
    pub problems: usize,
}

#[derive(Debug)]
pub struct QuestionRow {
    pub field: String,
    pub label: String,
    pub context: String,
    /// The type of the input, when the answer is free.
    pub input: &'static str,
    pub autocomplete: &'static str,
    pub value: String,
    pub options: Vec<OptionRow>,
    pub problem: Option<&'static str>,
}

#[derive(Debug)]
pub struct OptionRow {
    pub key: String,
    pub text: String,
    pub chosen: bool,
}

#[derive(Debug)]
pub struct Disclaimer {
    pub title: String,
    pub text: String,
    pub checkboxes: Vec<CheckboxRow>,
}

#[derive(Debug)]
pub struct CheckboxRow {
    pub field: String,
    pub text: String,
    pub required: bool,
    pub checked: bool,
    pub problem: Option<&'static str>,
}

#[derive(Debug)]
pub struct AdRow {
    pub id: u64,
    pub name: String,
    pub chosen: bool,
}

impl Fill {
    pub fn new(world: &World, form: &Form, sent: Option<&Sent>) -> Self {
        let questions: Vec<QuestionRow> = form
            .questions()
            .enumerate()
            .map(|(index, question)| {
                let value = sent.map(|sent| sent.answer(index).to_owned()).unwrap_or_default();
                let (input, autocomplete) = usual_input(question.kind);
                QuestionRow {
                    field: format!("q{index}"),
                    label: question.label.to_owned(),
                    context: question.context.to_owned(),
                    input,
                    autocomplete,
                    options: question
                        .options()
                        .map(|(key, text)| OptionRow {
                            key: key.to_owned(),
                            text: text.to_owned(),
                            chosen: key == value,
                        })
                        .collect(),
                    problem: sent.and_then(|sent| sent.wrong_answer(index, &question)),
                    value,
                }
            })
            .collect();
        let disclaimer = form.disclaimer().map(|disclaimer| Disclaimer {
            title: text(disclaimer, &["title"]).unwrap_or("Consent").to_owned(),
            text: text(disclaimer, &["body", "text"]).unwrap_or_default().to_owned(),
            checkboxes: form
                .checkboxes()
                .enumerate()
                .map(|(index, checkbox)| CheckboxRow {
                    field: format!("c{index}"),
                    text: checkbox.text.to_owned(),
                    required: checkbox.required,
                    checked: sent.map_or(checkbox.checked_by_default, |sent| sent.is_checked(index)),
                    problem: sent.and_then(|sent| sent.wrong_consent(index, &checkbox)),
                })
                .collect(),
        });
        let problems = questions.iter().filter(|question| question.problem.is_some()).count()
            + disclaimer.iter().flat_map(|d| &d.checkboxes).filter(|box_| box_.problem.is_some()).count();
        let field = |path: &[&str]| {
            let (first, rest) = path.split_first()?;
            text(form.fields.get(*first)?, rest).map(str::to_owned)
        };
        let card = form.fields.get("context_card");
        let ads = crate::nodes::ads_with_form(world, &form.id);
        Self {
            id: form.id.clone(),
            name: form.name.clone(),
            page_name: page_name(world, form),
            headline: field(&["question_page_custom_headline"])
                .or_else(|| field(&["context_card", "title"]))
                .unwrap_or_else(|| form.name.clone()),
            context: card
                .and_then(|card| card.get("content")?.as_array())
                .into_iter()
                .flatten()
                .filter_map(|line| line.as_str().map(str::to_owned))
                .collect(),
            questions,
            disclaimer,
            policy: field(&["privacy_policy_url"]).filter(|url| is_web(url)).map(|url| {
                let link = field(&["legal_content", "privacy_policy", "link_text"]);
                (url, link.unwrap_or_else(|| "the privacy policy".to_owned()))
            }),
            ads: ads
                .into_iter()
                .take(ADS_SHOWN)
                .map(|id| AdRow {
                    id,
                    name: world.objects.get(id).map_or_else(String::new, |ad| ad.name.clone()),
                    chosen: sent.is_some_and(|sent| sent.ad == Some(id)),
                })
                .collect(),
            instagram: sent.is_some_and(|sent| sent.platform == Platform::Instagram),
            button: "Submit".to_owned(),
            problems,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "visitor/thanks.html")]
pub struct Thanks {
    pub page_name: String,
    pub title: String,
    pub body: String,
    pub button: Option<(String, String)>,
    pub form: String,
    pub lead: u64,
    pub through: String,
    pub webhook: &'static str,
}

impl Thanks {
    pub fn new(world: &World, form: &Form, lead: &Lead<'_>) -> Self {
        let page = form.fields.get("thank_you_page").unwrap_or(&Value::Null);
        let own = |name: &str| text(page, &[name]).map(str::to_owned);
        let url = own("website_url")
            .or_else(|| form.fields.get("follow_up_action_url").and_then(Value::as_str).map(str::to_owned));
        let heard = world.identity.apps.keys().any(|app| world.listens_to_leads(app, &form.page_id));
        Self {
            page_name: page_name(world, form),
            title: own("title").unwrap_or_else(|| "Thanks, you're all set.".to_owned()),
            body: own("body").unwrap_or_default(),
            button: url
                .filter(|url| is_web(url))
                .map(|url| (url, own("button_text").unwrap_or_else(|| "Visit website".to_owned()))),
            form: form.id.clone(),
            lead: lead.id(),
            through: lead.ad().map_or_else(
                || "the Page itself (organic)".to_owned(),
                |ad| {
                    world.objects.get(ad).map_or_else(String::new, |object| format!("{} ({ad})", object.name))
                },
            ),
            webhook: if heard {
                "told whoever is subscribed to the Page"
            } else {
                "nobody is subscribed to the Page"
            },
        }
    }
}

fn page_name(world: &World, form: &Form) -> String {
    world.assets.pages.get(&form.page_id).map_or_else(String::new, |page| page.name.clone())
}

/// The type of an input and what a browser may fill it with.
fn usual_input(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "EMAIL" | "WORK_EMAIL" => ("email", "email"),
        "PHONE" | "WORK_PHONE_NUMBER" => ("tel", "tel"),
        "FULL_NAME" => ("text", "name"),
        "FIRST_NAME" => ("text", "given-name"),
        "LAST_NAME" => ("text", "family-name"),
        "CITY" => ("text", "address-level2"),
        "COMPANY_NAME" => ("text", "organization"),
        _ => ("text", "off"),
    }
}

/// Links of a form come from whoever made it.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter().try_fold(value, |value, name| value.get(name))?.as_str()
}
