//! Lead forms. Sources: graph-api/reference/page/leadgen_forms, lead-ads/create.

use serde_json::{Map, Value, json};

use super::{Cell, Kind, List, Node, Request, Route, Scope, create, edge, node, time, update, write};
use crate::{
    login,
    protocol::{GraphError, Params},
    world::{
        World,
        leads::{Form, draft},
    },
};

pub const ROUTES: &[Route] = &[
    edge(Kind::Page, "leadgen_forms", forms),
    create(Kind::Page, "leadgen_forms", create_form),
    node(Kind::LeadForm),
    update(Kind::LeadForm, update_form),
];

/// Longer link texts of a privacy policy end in an "unknown" error.
const LINK_TEXT: usize = 70;

/// Languages of a form, as they are given when it is made.
const LOCALES: &str = "AR_AR CS_CZ DA_DK DE_DE EL_GR EN_GB EN_US ES_ES ES_LA FI_FI FR_FR HE_IL HI_IN HU_HU ID_ID IT_IT \
                       JA_JP KO_KR NB_NO NL_NL PL_PL PT_BR PT_PT RO_RO RU_RU SV_SE TH_TH TR_TR VI_VN ZH_CN ZH_HK ZH_TW";

fn forms<'a>(scope: Scope<'a>, page: &Node, _params: &Params) -> Result<List<'a>, GraphError> {
    of_the_page(scope.world, scope.caller, page)?;
    let hidden = scope.world.scenarios.archived_forms_hidden();
    let forms = scope.world.leads.forms_of(&page.id).filter(|form| !(hidden && form.archived));
    Ok(List::nodes(forms.map(|form| Node::new(Kind::LeadForm, &form.id)).collect()))
}

/// Forms are a Page's own affair: only its token gets at them.
fn of_the_page(world: &World, caller: &crate::protocol::Caller, page: &Node) -> Result<(), GraphError> {
    if !caller.is_page(&page.id) {
        return Err(GraphError::page_token_needed());
    }
    if !["pages_manage_ads", "leads_retrieval", "ads_management"].iter().any(|name| caller.has(name)) {
        return Err(GraphError::new(200, "(#200) Requires pages_manage_ads permission to manage the object")
            .status(http::StatusCode::FORBIDDEN));
    }
    if !caller.has("pages_read_engagement") {
        return Err(GraphError::new(
            100,
            "(#100) Object does not exist, cannot be loaded due to missing permission or reviewable feature, or does not support this operation. This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access' feature.",
        ));
    }
    if !login::has_task(world, &page.id, caller.kind.subject(), &["ADVERTISE", "MANAGE"]) {
        return Err(GraphError::new(
            200,
            "(#200) You need the ADVERTISE task on the Page to manage its lead forms.",
        )
        .status(http::StatusCode::FORBIDDEN));
    }
    Ok(())
}

fn create_form(world: &mut World, request: &Request<'_>, page: &Node) -> Result<Value, GraphError> {
    of_the_page(world, request.caller, page)?;
    if !request.caller.has("pages_manage_ads") {
        return Err(GraphError::new(200, "(#200) Requires pages_manage_ads permission to manage the object")
            .status(http::StatusCode::FORBIDDEN));
    }
    if world.scenarios.lead_terms_not_accepted() {
        return Err(GraphError::new(100, "Invalid parameter").user(
            "Lead Ads Terms not accepted",
            "An admin of the Page must accept the Lead Ads Terms of Service before forms can be created.",
        ));
    }
    let params = request.params();
    let name =
        params.text("name").filter(|name| !name.trim().is_empty()).ok_or_else(|| write::required("name"))?;
    let given = given(params)?;
    check_questions(params)?;
    check_privacy_policy(params)?;
    let locale = params.text("locale");
    if let Some(locale) = &locale
        && !LOCALES.split_whitespace().any(|known| known == locale)
    {
        let names: Vec<&str> = LOCALES.split_whitespace().collect();
        return Err(write::not_one_of("locale", &names, locale));
    }
    if world.leads.forms_of(&page.id).any(|form| form.name == name) {
        return Err(GraphError::new(100, "Invalid parameter").blame(&["name"]).user(
            "Form name is taken",
            "This Page has a form of this name already. Please choose another.",
        ));
    }
    let id = world.leads.make_id();
    let form = Form {
        page_id: page.id.clone(),
        name,
        locale: locale.map_or_else(|| "en_US".to_owned(), |locale| read_back_locale(&locale)),
        archived: false,
        created: world.clock.unix(),
        fields: draft::read_back(&id, &given).into(),
        id,
    };
    let node = Node::new(Kind::LeadForm, &form.id);
    world.leads.add_form(form);
    match crate::protocol::fields::from_params(params)? {
        None => Ok(json!({ "id": node.id })),
        Some(fields) => super::read::node_fields(request.scope(world), &node, Some(&fields), &[]),
    }
}

/// The parameters that are kept, each of the type it must have.
fn given(params: &Params) -> Result<Map<String, Value>, GraphError> {
    let must = |name: &str, what: &str| {
        GraphError::new(100, format!("(#100) Param {name} must be {what}")).blame(&[name])
    };
    let mut given = Map::new();
    for name in [
        "questions",
        "privacy_policy",
        "custom_disclaimer",
        "context_card",
        "thank_you_page",
        "tracking_parameters",
    ] {
        match params.json(name) {
            None => {}
            Some(value @ (Value::Array(_) | Value::Object(_))) => {
                given.insert(name.into(), value);
            }
            Some(_) => return Err(must(name, "an array.")),
        }
    }
    for name in ["follow_up_action_url", "question_page_custom_headline"] {
        if let Some(text) = params.text(name) {
            given.insert(name.into(), text.into());
        }
    }
    for name in ["is_optimized_for_quality", "block_display_for_non_targeted_viewer"] {
        if params.has(name) {
            let value = params.bool(name).ok_or_else(|| must(name, "a boolean"))?;
            given.insert(name.into(), value.into());
        }
    }
    Ok(given)
}

fn check_questions(params: &Params) -> Result<(), GraphError> {
    let Some(questions) = params.json("questions") else { return Err(write::required("questions")) };
    let wrong = |why: &str| {
        Err(GraphError::new(100, "Invalid parameter")
            .blame(&["questions"])
            .user("Questions cannot be used", why))
    };
    let Some(questions) = questions.as_array().filter(|list| !list.is_empty()) else {
        return wrong("A form needs at least one question.");
    };
    let text = |question: &Value, name: &str| {
        question.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if questions.iter().any(|question| text(question, "type").is_empty()) {
        return wrong("Every question needs a type.");
    }
    if questions
        .iter()
        .any(|question| text(question, "type") == "CUSTOM" && text(question, "label").is_empty())
    {
        return wrong("A custom question needs a label.");
    }
    if questions.iter().filter(|question| text(question, "type").starts_with("ID_")).count() > 1 {
        return wrong("A form can ask for one national id.");
    }
    Ok(())
}

fn check_privacy_policy(params: &Params) -> Result<(), GraphError> {
    let Some(policy) = params.json("privacy_policy") else { return Ok(()) };
    let text = |name: &str| policy.get(name).and_then(Value::as_str);
    let url = text("url").and_then(|url| url::Url::parse(url).ok()).is_some_and(|url| url.has_host());
    let short = text("link_text").is_none_or(|text| text.chars().count() <= LINK_TEXT);
    if url && short { Ok(()) } else { Err(GraphError::new(1, "An unknown error occurred")) }
}

/// `EN_US` → `en_US`.
fn read_back_locale(locale: &str) -> String {
    locale.split_once('_').map_or_else(
        || locale.to_owned(),
        |(language, country)| format!("{}_{country}", language.to_lowercase()),
    )
}

/// A form's status is all that can be changed, and it is never deleted.
fn update_form(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let page = Node::new(Kind::Page, super::lead::page_of(world, node));
    of_the_page(world, request.caller, &page)?;
    if let Some(status) = request.params().text("status") {
        let archived = match status.as_str() {
            "ACTIVE" => false,
            "ARCHIVED" => true,
            other => return Err(write::not_one_of("status", &["ACTIVE", "ARCHIVED"], other)),
        };
        if let Some(form) = world.leads.form_mut(&node.id) {
            form.archived = archived;
        }
    }
    write::updated(world, request, node)
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let form = scope.world.leads.form(&node.id)?;
    let counts = || scope.world.leads.counts(&form.id, scope.world.clock.unix());
    Some(match name {
        "name" => form.name.as_str().into(),
        "locale" => form.locale.as_str().into(),
        "status" => form.status().into(),
        "created_time" => time(form.created).into(),
        "page_id" => form.page_id.as_str().into(),
        "page" => return Some(Cell::Node(Node::new(Kind::Page, &form.page_id), &[])),
        "leads_count" if scope.world.scenarios.expired_leads_counted() => {
            (counts().live + counts().expired).into()
        }
        "leads_count" => counts().live.into(),
        "organic_leads_count" => counts().organic.into(),
        "expired_leads_count" => counts().expired.into(),
        "allow_organic_lead" => (form.fields.get("block_display_for_non_targeted_viewer")? == false).into(),
        _ => form.fields.get(name)?.clone().into(),
    })
}
