//! What became of a lead, told back to Meta: stages of the partner's CRM (Conversions API for CRM).
//!
//! Meta promises to merge no two server events, so the same stage is told once: it is written down before it is sent, and
//! whatever happens afterwards, only what Meta certainly refused is sent again. Source:
//! conversions-api/conversion-leads-integration/payload-specification.

use adjoin_graph::Answer;
use adjoin_marketing::customer;
use aws_lc_rs::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Content, State, detail, render};
use crate::{
    id::{AccountId, LeadId, LeadStageId},
    service::{App, Error, Fault, Result, Who},
    store::{Json, lead_stages as table, leads},
    time::Timestamp,
};

/// Older events are refused, and with them everything they are sent with. Source: conversions-api/using-the-api.
const OLDEST_SECONDS: i64 = 7 * 24 * 60 * 60;
/// How long Meta's own ids of leads are, in digits.
const META_ID_DIGITS: std::ops::RangeInclusive<usize> = 15..=17;
/// Longest name of a stage or a CRM, in characters.
const NAME_MAX: usize = 100;
/// No call takes this long; one that has not ended by then has been cut off.
const CUT_OFF_SECONDS: i64 = 600;

/// What became of telling a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum StageState {
    /// It is under way.
    Sending { since: Timestamp },
    /// Meta has it.
    Sent { at: Timestamp, trace_id: Option<String> },
    /// Meta did not answer, or not clearly: it may have it. It is not sent again.
    Unknown { at: Timestamp, message: String },
    /// Meta refused it. It is sent when it is reported again.
    Refused { at: Timestamp, message: String },
}

impl StageState {
    /// The state's name, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sending { .. } => "sending",
            Self::Sent { .. } => "sent",
            Self::Unknown { .. } => "unknown",
            Self::Refused { .. } => "refused",
        }
    }
}

/// A stage as it is told, and as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stage {
    pub id: LeadStageId,
    pub lead_id: LeadId,
    pub dataset_id: String,
    /// In the partner's own words.
    pub stage: String,
    /// When the lead came to it.
    pub staged_at: Timestamp,
    #[serde(flatten)]
    pub state: StageState,
}

impl From<table::Stored> for Stage {
    fn from(row: table::Stored) -> Self {
        Self {
            id: row.id,
            lead_id: row.lead_id,
            dataset_id: row.dataset_id,
            stage: row.stage,
            staged_at: row.staged_at,
            state: row.state.0,
        }
    }
}

/// A stage that may be told: everything about it has been looked at.
#[derive(Debug)]
pub struct Report {
    lead: leads::Stored,
    dataset_id: String,
    stage: String,
    staged_at: Timestamp,
    /// What Meta is sent.
    pub event: Value,
}

impl Report {
    /// The Page and form of a lead that may be a test lead all the same. Those come through no ad, and Meta marks them
    /// in nothing but the form's list of them.
    pub fn maybe_a_test(&self) -> Option<(&str, &str)> {
        self.lead.ad_id.is_none().then_some((self.lead.page_id.as_str(), self.lead.form_id.as_str()))
    }

    /// Meta's id of the lead.
    pub fn meta_lead_id(&self) -> &str {
        &self.lead.meta_lead_id
    }
}

/// Reads the arguments of `lead.report_stage` and the lead they name.
pub async fn prepare(app: &App, account: &AccountId, arguments: &Map<String, Value>) -> Result<Report> {
    let now = app.clock.now();
    let given = Given::read(arguments, now)?;
    let lead = find(app, account, &given).await?;
    tellable(&lead)?;
    let Some(content) = render(app, account, &lead.id).await? else { return Err(not_read()) };
    let staged_at = match given.staged_at {
        Some(at) => at,
        None => table::last(&app.db, &lead.id, &given.dataset_id, &given.stage).await?.unwrap_or(now),
    };
    let submitted_at = lead.submitted_at.unwrap_or(lead.seen_at);
    if staged_at.unix() < submitted_at.unix() {
        return Err(Error::invalid(
            "staged_at",
            format!("the lead was sent at {submitted_at}, and cannot have come to a stage before that"),
            "when the lead came to this stage",
        ));
    }
    let kinds = match &lead.form_version_id {
        Some(version) => question_types(leads::version_content(&app.db, account, version).await?.as_deref()),
        None => Vec::new(),
    };
    let event = event(&lead, &content, &kinds, &given, staged_at, submitted_at)?;
    Ok(Report { lead, dataset_id: given.dataset_id, stage: given.stage, staged_at, event })
}

/// The arguments, read.
struct Given {
    lead: NamedLead,
    dataset_id: String,
    stage: String,
    crm: String,
    staged_at: Option<Timestamp>,
}

enum NamedLead {
    Ours(LeadId),
    Metas(String),
}

impl Given {
    fn read(arguments: &Map<String, Value>, now: Timestamp) -> Result<Self> {
        let mut faults = Vec::new();
        let lead = named_lead(arguments).map_err(|fault| faults.push(fault)).ok();
        let mut name = |argument: &str, what: &str| {
            let text = arguments.get(argument).and_then(Value::as_str).unwrap_or_default().trim();
            let length = text.chars().count();
            if length == 0 || length > NAME_MAX || text.contains(char::is_control) {
                let fix = format!("{what}, in 1 to {NAME_MAX} characters");
                faults.push(Fault::new(argument, "this cannot be a name", fix));
            }
            text.to_owned()
        };
        let (stage, crm) = (name("stage", "the stage's name"), name("crm", "the CRM's name"));
        // To the second, as Meta takes it: the same moment is the same stage.
        let staged_at = detail::time(arguments.get("staged_at")).map(|at| Timestamp::from_unix(at.unix()));
        if let Some(at) = staged_at {
            if at > now {
                faults.push(Fault::new("staged_at", "this is in the future", format!("at most {now}")));
            } else if at.unix() < now.unix() - OLDEST_SECONDS {
                let oldest = now.plus_seconds(-OLDEST_SECONDS);
                let message = "Meta takes stages of the past seven days, and this one is older";
                faults.push(Fault::new("staged_at", message, format!("{oldest} or later")));
            }
        }
        let dataset_id = arguments.get("dataset_id").map(id_text).unwrap_or_default();
        match lead {
            Some(lead) if faults.is_empty() => Ok(Self { lead, dataset_id, stage, crm, staged_at }),
            _ => Err(Error::Invalid(faults)),
        }
    }
}

fn named_lead(arguments: &Map<String, Value>) -> std::result::Result<NamedLead, Fault> {
    let given = |name: &str| arguments.get(name).filter(|value| !value.is_null()).map(id_text);
    match (given("lead_id"), given("meta_lead_id")) {
        (Some(ours), None) => ours.parse().map(NamedLead::Ours).map_err(|_| {
            Fault::new(
                "lead_id",
                "this is not an id of ours",
                "lead_... as events and /v1/accounts/.../leads name it",
            )
        }),
        (None, Some(metas)) if is_metas(&metas) => Ok(NamedLead::Metas(metas)),
        (None, Some(_)) => Err(Fault::new(
            "meta_lead_id",
            "Meta's ids of leads have 15 to 17 digits; samples of its dashboard have others",
            "the id of a lead that somebody sent",
        )),
        _ => Err(Fault::new("lead_id", "exactly one of lead_id and meta_lead_id is to be given", "lead_id")),
    }
}

fn is_metas(id: &str) -> bool {
    META_ID_DIGITS.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn id_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn find(app: &App, account: &AccountId, given: &Given) -> Result<leads::Stored> {
    const NOT_FOUND: Error = Error::NotFound { what: "the lead" };
    let id = match &given.lead {
        NamedLead::Ours(id) => id.clone(),
        NamedLead::Metas(id) => table::lead_of_meta(&app.db, account, id).await?.ok_or(NOT_FOUND)?,
    };
    leads::by_id(&app.db, account, &id).await?.ok_or(NOT_FOUND)
}

/// Whether Meta may be told of this lead.
fn tellable(lead: &leads::Stored) -> Result<()> {
    let refuse = |message: &str, next_step: &str| {
        Err(Error::Conflict { message: message.to_owned(), next_step: next_step.to_owned() })
    };
    match &lead.state.0 {
        State::Seen | State::Parked { .. } => Err(not_read()),
        State::Gone { .. } => {
            refuse("Meta does not have this lead", "report stages of leads that people sent")
        }
        State::Erased { .. } | State::Expired { .. } => {
            refuse("this lead was erased here", "leave it: nothing of it is told to anybody any more")
        }
        State::Hydrated if lead.is_test => test_lead(),
        State::Hydrated if !is_metas(&lead.meta_lead_id) => refuse(
            "this is a sample of Meta's dashboard, not a lead",
            "report stages of leads that people sent",
        ),
        State::Hydrated => Ok(()),
    }
}

/// Meta would count a test as a person.
pub fn test_lead<T>() -> Result<T> {
    Err(Error::Conflict {
        message: "this is a test lead; its stages are never told to Meta".to_owned(),
        next_step: "report stages of leads that people sent".to_owned(),
    })
}

fn not_read() -> Error {
    Error::NotReady {
        message: "this lead has not been read from Meta yet".to_owned(),
        who: Who::Partner,
        next_step:
            "wait for its lead.created; GET /v1/accounts/{account_id}/leads/{lead_id} says why it waits"
                .to_owned(),
    }
}

/// Keys and types of a form's questions.
fn question_types(content: Option<&str>) -> Vec<(String, String)> {
    let form: Value = content.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let questions = form["questions"].as_array().into_iter().flatten();
    questions
        .filter_map(|it| Some((it["key"].as_str()?.to_owned(), it["type"].as_str()?.to_owned())))
        .collect()
}

/// The event as Meta takes it.
fn event(
    lead: &leads::Stored,
    content: &Content,
    types: &[(String, String)],
    given: &Given,
    staged_at: Timestamp,
    submitted_at: Timestamp,
) -> Result<Value> {
    // As a whole number, as Meta documents it; 17 digits fit.
    let lead_id: u64 = lead.meta_lead_id.parse().map_err(|_| Error::NotFound { what: "the lead" })?;
    let mut user_data = json!({ "lead_id": lead_id });
    for (key, hashes) in [
        ("em", hashed(content, types, &["EMAIL", "WORK_EMAIL"], customer::email)),
        ("ph", hashed(content, types, &["PHONE", "WORK_PHONE_NUMBER"], customer::phone)),
    ] {
        if !hashes.is_empty() {
            user_data[key] = hashes.into();
        }
    }
    Ok(json!({
        "event_name": given.stage,
        // After the lead itself, or Meta may discard it: the first stage is often given the lead's own second.
        "event_time": staged_at.unix().max(submitted_at.unix() + 1),
        "event_id": event_id(&lead.meta_lead_id, &given.dataset_id, &given.stage, staged_at),
        "action_source": "system_generated",
        "user_data": user_data,
        "custom_data": { "event_source": "crm", "lead_event_source": given.crm },
    }))
}

/// The same stage has the same id, whoever reports it and whenever.
fn event_id(meta_lead_id: &str, dataset_id: &str, stage: &str, staged_at: Timestamp) -> String {
    let whole = json!([meta_lead_id, dataset_id, stage, staged_at.unix()]).to_string();
    sha256(&whole)[..32].to_owned()
}

/// What the person answered to questions of these types, each in the form Meta compares, hashed.
fn hashed(
    content: &Content,
    types: &[(String, String)],
    wanted: &[&str],
    normal: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let is_wanted = |name: &str| match types.iter().find(|(key, _)| key == name) {
        Some((_, kind)) => wanted.contains(&kind.as_str()),
        // Meta's own keys are its types in lower case; that of PHONE is `phone_number`.
        None => wanted.iter().any(|kind| {
            kind.eq_ignore_ascii_case(name) || (*kind == "PHONE" && name.eq_ignore_ascii_case("phone_number"))
        }),
    };
    let answers = content.answers.iter().filter(|answer| is_wanted(&answer.name));
    let values = answers.flat_map(|answer| answer.values.iter());
    values.filter_map(|value| normal(value)).map(|value| sha256(&value)).collect()
}

/// SHA-256 in lower-case hex.
fn sha256(text: &str) -> String {
    adjoin_graph::hex(digest(&SHA256, text.as_bytes()).as_ref())
}

/// Whether this report is the one that sends the stage.
pub enum Claim {
    /// Meta has it already.
    Sent(Stage),
    Ours(Ours),
}

/// The right to send a stage.
pub struct Ours(table::Stored);

/// Writes down that the stage is about to be sent.
pub async fn claim(app: &App, report: &Report) -> Result<Claim> {
    let now = app.clock.now();
    let stage = table::Stored {
        id: LeadStageId::new(),
        lead_id: report.lead.id.clone(),
        dataset_id: report.dataset_id.clone(),
        stage: report.stage.clone(),
        staged_at: report.staged_at,
        state: Json(StageState::Sending { since: now }),
        created_at: now,
    };
    let mut tx = app.db.begin_apart().await?;
    if table::insert_if_absent(&mut tx, &stage).await? {
        tx.commit().await?;
        return Ok(Claim::Ours(Ours(stage)));
    }
    let Some(mut known) = table::same(&mut tx, &stage).await? else {
        return Err(under_way("it was erased this moment"));
    };
    match &known.state.0 {
        StageState::Sent { .. } => Ok(Claim::Sent(known.into())),
        StageState::Sending { since } if since.plus_seconds(CUT_OFF_SECONDS) > now => {
            Err(under_way("it is being sent"))
        }
        StageState::Sending { .. } | StageState::Unknown { .. } => Err(unknown()),
        StageState::Refused { .. } => {
            let before = known.state.0.name();
            known.state = stage.state;
            if !table::put_state(&mut tx, &known.id, before, &known.state.0).await? {
                return Err(under_way("it is being sent"));
            }
            tx.commit().await?;
            Ok(Claim::Ours(Ours(known)))
        }
    }
}

fn under_way(how: &str) -> Error {
    Error::Conflict {
        message: format!("this stage was reported before: {how}"),
        next_step: "wait a moment and report it again".to_owned(),
    }
}

fn unknown() -> Error {
    Error::Conflict {
        message: "this stage was sent before, and whether Meta took it is not known; it is not sent again"
            .to_owned(),
        next_step: "look for the event in Meta's Events Manager; the next stage can be reported all the same"
            .to_owned(),
    }
}

/// Writes down what became of it.
pub async fn settle(
    app: &App,
    ours: Ours,
    sent: &std::result::Result<Answer, adjoin_graph::Error>,
) -> Result<Stage> {
    let Ours(mut stage) = ours;
    let before = stage.state.0.name();
    stage.state = Json(outcome(sent, app.clock.now()));
    let mut tx = app.db.begin_apart().await?;
    table::put_state(&mut tx, &stage.id, before, &stage.state.0).await?;
    tx.commit().await?;
    Ok(stage.into())
}

fn outcome(sent: &std::result::Result<Answer, adjoin_graph::Error>, at: Timestamp) -> StageState {
    match sent {
        Ok(answer) => {
            #[derive(Deserialize)]
            struct Received {
                events_received: u64,
            }
            let trace_id = answer.trace_id.clone();
            match answer.parse::<Received>() {
                Ok(Received { events_received: 1.. }) => StageState::Sent { at, trace_id },
                Ok(Received { events_received: 0 }) => {
                    StageState::Refused { at, message: "Meta took no event".to_owned() }
                }
                Err(error) => StageState::Unknown { at, message: error.to_string() },
            }
        }
        Err(error) if error.is_outcome_unknown() => StageState::Unknown { at, message: error.to_string() },
        Err(error) => StageState::Refused { at, message: error.to_string() },
    }
}

/// What was reported of a lead, in the order in which it came to its stages.
pub async fn of_lead(app: &App, lead: &LeadId) -> Result<Vec<Stage>> {
    Ok(table::of_lead(&app.db, lead).await?.into_iter().map(Stage::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Meta's own, from the page on customer information parameters.
    #[test]
    fn published_vectors() {
        for (text, starts, ends) in [
            ("john_smith@gmail.com", "62a14e44", "62f"),
            ("16505551212", "e323ec62", "176"),
            ("mary", "6915771b", "4ec"),
            ("정", "8fa8cd9c", "b14"),
            ("valéry", "08e1996b", "49c"),
            ("19970216", "01acdbf6", "f0c"),
            ("us", "79adb2a2", "621"),
            ("mary@example.com", "f1904cf1", "b79"),
            ("15559876543", "1ef97083", "a4e"),
        ] {
            let hash = sha256(text);
            assert!(hash.len() == 64 && hash.starts_with(starts) && hash.ends_with(ends), "{text}: {hash}");
        }
    }

    #[test]
    fn the_same_stage_has_the_same_event_id_and_every_other_another() {
        let at = Timestamp::from_unix(1_795_514_400);
        let base = event_id("123456789012345", "1", "Won", at);
        assert_eq!((base.len(), &base), (32, &event_id("123456789012345", "1", "Won", at)));
        for other in [
            event_id("123456789012346", "1", "Won", at),
            event_id("123456789012345", "2", "Won", at),
            event_id("123456789012345", "1", "Lost", at),
            event_id("123456789012345", "1", "Won", at.plus_seconds(1)),
        ] {
            assert_ne!(base, other);
        }
    }
}
