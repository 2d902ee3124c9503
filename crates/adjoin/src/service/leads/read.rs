//! Asking Meta for leads.

use std::collections::BTreeSet;

use adjoin_graph::{Answer, Batch, BatchAnswer, BatchItem, Error as GraphError, Request};
use adjoin_marketing::errors::Class;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    detail,
    trouble::{Kind, Trouble},
};
use crate::{
    service::{
        Who,
        connections::Access,
        meta::{self, Line},
    },
    time::Timestamp,
};

/// Which fields of a lead are asked for: all at first, then less. Source: the `Lead` of Meta's SDKs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fields {
    #[default]
    All,
    /// What is said about ads wants somebody who may advertise on the ad account.
    WithoutAds,
    /// What makes a lead. Were one of the others taken away by Meta, leads would still be read.
    Core,
}

impl Fields {
    /// As Meta takes them.
    pub fn text(self) -> String {
        const CORE: &str =
            "id,created_time,form_id,field_data,custom_disclaimer_responses,is_organic,platform";
        const MORE: &str =
            "partner_name,post,post_submission_check_result,retailer_item_id,home_listing,vehicle";
        const ADS: &str = "ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name";
        match self {
            Self::All => [CORE, MORE, ADS].join(","),
            Self::WithoutAds => [CORE, MORE].join(","),
            Self::Core => CORE.to_owned(),
        }
    }

    /// What is asked for when Meta refuses these.
    pub const fn fewer(self) -> Option<Self> {
        match self {
            Self::All => Some(Self::WithoutAds),
            Self::WithoutAds => Some(Self::Core),
            Self::Core => None,
        }
    }
}

/// Whether it may be the fields that were refused.
pub fn asks_too_much(error: &GraphError) -> bool {
    // With subcode 33 it is the lead or the form itself that cannot be seen.
    let refusal = error.refusal().filter(|refusal| refusal.subcode != Some(33));
    matches!(refusal.and_then(|refusal| refusal.code), Some(3 | 10 | 100 | 200..=299))
}

/// What became of asking for one lead.
pub type Answered = std::result::Result<Value, Refusal>;

/// Why one lead was not read.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub trouble: Trouble,
    /// It may be the fields that were refused.
    asks_too_much: bool,
}

impl From<&GraphError> for Refusal {
    fn from(error: &GraphError) -> Self {
        Self { trouble: Trouble::of_meta(error), asks_too_much: asks_too_much(error) }
    }
}

/// Leads read in one go, in the order of the ids, and the first refusal of the token.
pub struct Read {
    pub answers: Vec<Answered>,
    pub dead_token: Option<GraphError>,
}

/// Reads up to [`Batch::MAX_ITEMS`] leads with what Meta says about their ads, or without where it refuses that.
pub async fn leads(line: &Line<'_>, ids: &[&str]) -> Read {
    let mut fields = Fields::All;
    let mut read = ask(line, ids, fields).await;
    while let Some(fewer) = fields.fewer() {
        let lesser: Vec<usize> = (0..ids.len())
            .filter(|&at| read.answers[at].as_ref().is_err_and(|refusal| refusal.asks_too_much))
            .collect();
        if lesser.is_empty() {
            break;
        }
        fields = fewer;
        let ids: Vec<&str> = lesser.iter().map(|&at| ids[at]).collect();
        let again = ask(line, &ids, fields).await;
        read.dead_token = read.dead_token.or(again.dead_token);
        for (at, answer) in lesser.into_iter().zip(again.answers) {
            read.answers[at] = answer;
        }
    }
    read
}

async fn ask(line: &Line<'_>, ids: &[&str], fields: Fields) -> Read {
    let requests: Vec<Request> = ids.iter().map(|id| request(id, fields)).collect();
    if let [request] = requests.as_slice() {
        return one_by_one(line, std::slice::from_ref(request)).await;
    }
    let batch: Batch = requests.iter().cloned().map(BatchItem::from).collect();
    let answers = match line.graph.send_batch(&batch, &line.token).await {
        Ok(answers) => answers,
        Err(error) => {
            line.observe_failure(&error);
            let refusal = Refusal::from(&error);
            // Something about the batch as such: too long an answer, a parameter.
            if refusal.asks_too_much
                || refusal.trouble.is_of_access()
                || !(error.is_passing() || error.refusal().is_some())
            {
                tracing::warn!(%error, "leads are read one by one");
                return one_by_one(line, &requests).await;
            }
            let dead_token = is_dead(&error).then_some(error);
            return Read { answers: vec![Err(refusal); ids.len()], dead_token };
        }
    };
    let mut read = Read { answers: Vec::with_capacity(ids.len()), dead_token: None };
    for answer in answers {
        read.take(match answer {
            BatchAnswer::Answered(answer) => {
                line.observe(&answer.usage);
                answer.json()
            }
            BatchAnswer::Failed(error) => {
                line.observe_failure(&error);
                Err(error)
            }
            BatchAnswer::Absent => Err(GraphError::Timeout { sent: true }),
        });
    }
    read
}

async fn one_by_one(line: &Line<'_>, requests: &[Request]) -> Read {
    let mut read = Read { answers: Vec::with_capacity(requests.len()), dead_token: None };
    for request in requests {
        let sent = line.send(request).await;
        read.take(sent.and_then(|answer| answer.json()));
        // Calling on while blocked lengthens the block.
        if let Some(Err(refusal)) = read.answers.last()
            && refusal.trouble.is_of_page()
        {
            let refusal = refusal.clone();
            read.answers.resize(requests.len(), Err(refusal));
            break;
        }
    }
    read
}

impl Read {
    fn take(&mut self, answer: std::result::Result<Value, GraphError>) {
        self.answers.push(match answer {
            Ok(lead) => Ok(lead),
            Err(error) => {
                let refusal = Refusal::from(&error);
                if is_dead(&error) {
                    self.dead_token = Some(error);
                }
                Err(refusal)
            }
        });
    }
}

fn is_dead(error: &GraphError) -> bool {
    error.refusal().is_some_and(|refusal| {
        let known = meta::known(refusal);
        matches!(known.class, Class::Reconnect | Class::ActionOnFacebook)
    })
}

fn request(id: &str, fields: Fields) -> Request {
    Request::get(format!("/{id}")).param("fields", fields.text())
}

/// A test lead as a form lists it.
#[derive(Debug, Clone)]
pub struct TestLead {
    /// Meta's id.
    pub id: String,
    pub created_at: Option<Timestamp>,
}

/// Asks for a form's test leads; [`TestLead::all`] reads the answer.
pub fn ask_test_leads(form_id: &str) -> Request {
    Request::get(format!("/{form_id}/test_leads")).param("fields", "id,created_time")
}

impl TestLead {
    pub fn all(answer: &Answer) -> Result<Vec<Self>, GraphError> {
        #[derive(Deserialize)]
        struct Rows {
            data: Vec<Value>,
        }
        let read = |row: &Value| {
            Some(Self { id: detail::id(row.get("id"))?, created_at: detail::time(row.get("created_time")) })
        };
        Ok(answer.parse::<Rows>()?.data.iter().filter_map(read).collect())
    }
}

/// The test leads of these forms of a Page, by Meta's ids: one a form at most. Where Meta does not tell, nobody waits for
/// it: the lead goes out unmarked, and `lead.report_stage` asks again before it tells anybody.
///
/// Asked once for the leads that are read together, and only of forms with one that came through no ad: a call beside the
/// one that the lead itself costs. The list is not kept, since a test lead may be deleted and another made at any time.
pub async fn test_leads(line: &Line<'_>, forms: impl IntoIterator<Item = &str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for form_id in forms {
        if line.room().is_err() {
            break;
        }
        match line.send(&ask_test_leads(form_id)).await.and_then(|answer| TestLead::all(&answer)) {
            Ok(leads) => found.extend(leads.into_iter().map(|lead| lead.id)),
            // What is refused for one form is refused for all of the Page, and who is away is not waited for again.
            Err(error) => {
                tracing::info!(form_id, %error, "Meta does not tell which leads are test leads");
                break;
            }
        }
    }
    found
}

/// Whether the leads of a Page can be read, by what Meta says.
#[derive(Debug)]
pub enum LeadAccess {
    /// So a lead that Meta does not show is gone.
    Proven,
    Refused(Trouble),
    Unknown,
}

/// Asks the Page who may read its leads. `has_lead_access` is in Meta's SDK and not in its prose, so nothing of it is
/// taken for granted.
pub async fn lead_access(line: &Line<'_>, access: &Access, page_id: &str) -> LeadAccess {
    #[derive(Default, Deserialize)]
    struct Told {
        #[serde(default)]
        has_lead_access: Option<Rights>,
    }
    #[derive(Default, Deserialize)]
    struct Rights {
        #[serde(default)]
        can_access_lead: Option<bool>,
        #[serde(default)]
        failure_reason: Option<String>,
        #[serde(default)]
        failure_resolution: Option<String>,
    }
    if !access.granted().iter().any(|name| name == "leads_retrieval") {
        return LeadAccess::Refused(Trouble {
            kind: Kind::Access,
            message: "leads_retrieval is not granted, so leads cannot be read".to_owned(),
            who: Who::Account,
            next_step:
                "see on the connection's page who has to act first, then let the account's user connect again and \
                 allow it for this Page"
                    .to_owned(),
            code: None,
            subcode: None,
        });
    }
    let request = Request::get(format!("/{page_id}")).param("fields", "id,has_lead_access");
    let told: Told = match line.send(&request).await.and_then(|answer| answer.parse()) {
        Ok(told) => told,
        Err(error) => {
            tracing::info!(page_id, %error, "Meta does not tell who may read the leads of a Page");
            return LeadAccess::Unknown;
        }
    };
    let told = told.has_lead_access.unwrap_or_default();
    match told.can_access_lead {
        Some(true) => LeadAccess::Proven,
        None => LeadAccess::Unknown,
        Some(false) => {
            let reason = told.failure_reason.unwrap_or_else(|| "it gives no reason".to_owned());
            let in_development = reason.to_ascii_lowercase().contains("development mode");
            LeadAccess::Refused(Trouble {
                kind: Kind::Access,
                message: format!("Meta does not let the app read the leads of this Page: {reason}"),
                who: if in_development { Who::Partner } else { Who::Account },
                next_step: told.failure_resolution.unwrap_or_else(|| {
                    "let an admin of the business portfolio assign the app as a CRM: Business settings > Integrations > \
                     Leads access"
                        .to_owned()
                }),
                code: None,
                subcode: None,
            })
        }
    }
}
