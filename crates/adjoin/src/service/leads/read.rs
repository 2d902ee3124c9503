//! Asking Meta for leads.

use adjoin_graph::{Batch, BatchAnswer, BatchItem, Error as GraphError, Request};
use adjoin_marketing::errors::{self, Class};
use serde::Deserialize;
use serde_json::Value;

use super::trouble::{Kind, Trouble};
use crate::service::{Who, connections::Access, meta::Line};

/// Everything Meta tells of a lead, but for what it says about ads. Source: the SDK's Lead.
const FIELDS: &str = "partner_name,post,post_submission_check_result,retailer_item_id,home_listing,vehicle";
/// What makes a lead. Were one of the others taken away by Meta, leads would still be read.
const CORE_FIELDS: &str =
    "id,created_time,form_id,field_data,custom_disclaimer_responses,is_organic,platform";
/// These want somebody who may advertise on the ad account.
const AD_FIELDS: &str = "ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name";

/// What became of asking for one lead.
pub type Answered = std::result::Result<Value, Refusal>;

/// Why one lead was not read.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub trouble: Trouble,
    /// It may be the fields about ads that were refused.
    asks_too_much: bool,
}

impl From<&GraphError> for Refusal {
    fn from(error: &GraphError) -> Self {
        // With subcode 33 it is the lead itself that cannot be seen.
        let refusal = error.refusal().filter(|refusal| refusal.subcode != Some(33));
        let code = refusal.and_then(|refusal| refusal.code);
        Self {
            trouble: Trouble::of_meta(error),
            asks_too_much: matches!(code, Some(3 | 10 | 100 | 200..=299)),
        }
    }
}

/// Leads read in one go, in the order of the ids, and the first refusal of the token.
pub struct Read {
    pub answers: Vec<Answered>,
    pub dead_token: Option<GraphError>,
}

/// What is asked for: all at first, then less.
#[derive(Debug, Clone, Copy)]
enum Fields {
    All,
    WithoutAds,
    Core,
}

/// Reads up to [`Batch::MAX_ITEMS`] leads with what Meta says about their ads, or without where it refuses that.
pub async fn leads(line: &Line<'_>, ids: &[&str]) -> Read {
    let mut read = ask(line, ids, Fields::All).await;
    for fields in [Fields::WithoutAds, Fields::Core] {
        let lesser: Vec<usize> = (0..ids.len())
            .filter(|&at| read.answers[at].as_ref().is_err_and(|refusal| refusal.asks_too_much))
            .collect();
        if lesser.is_empty() {
            break;
        }
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
        let known = errors::explain(refusal.code.unwrap_or_default(), refusal.subcode, &refusal.message);
        matches!(known.class, Class::Reconnect | Class::ActionOnFacebook)
    })
}

fn request(id: &str, fields: Fields) -> Request {
    let fields = match fields {
        Fields::All => format!("{CORE_FIELDS},{FIELDS},{AD_FIELDS}"),
        Fields::WithoutAds => format!("{CORE_FIELDS},{FIELDS}"),
        Fields::Core => CORE_FIELDS.to_owned(),
    };
    Request::get(format!("/{id}")).param("fields", fields)
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
    if !access.granted.iter().any(|name| name == "leads_retrieval") {
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
                message: format!("Meta lets the app not read the leads of this Page: {reason}"),
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
