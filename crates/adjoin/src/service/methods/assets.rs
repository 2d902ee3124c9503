//! `ad_account.list` and `page.list`: what the connection reaches, which is more than Meta's list under `me` shows.
//!
//! Meta leaves Pages that a portfolio owns out of `/me/accounts` unless `business_management` is granted, and has no
//! such list for system users. So Meta's list comes first, page by page, and then what the consent shared and the list
//! does not name, read by id.

use std::collections::BTreeSet;

use adjoin_graph::{Batch, BatchAnswer, Request};
use adjoin_marketing::{
    catalogue::{Method, Plan},
    errors::Class,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    Answer, Trail, Way,
    answer::{self, Rows},
    explained,
};
use crate::service::{
    Error, Result,
    connections::{self, Connection, TokenKind},
    meta,
};

/// A list of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assets {
    AdAccounts,
    Pages,
}

/// One asset, as it was when the consent was verified.
struct Held {
    id: String,
    known: Box<RawValue>,
}

/// Begins a cursor within what Meta's list does not name; the id of the asset before follows. Meta's own cursors have
/// no dot.
const CURSOR: &str = "held.";
/// What only the lists of a person have: a Page read by its id, or assigned to a system user, is refused with them.
const OF_A_PERSON: [&str; 2] = ["tasks", "perms"];
/// Rows that are read at once to see what Meta's list names, and how often.
const ROWS: usize = 500;
const READS: usize = 4;

impl Assets {
    /// The assets that this method lists.
    pub fn of(method: &Method) -> Option<Self> {
        match method.id.as_str() {
            "ad_account.list" => Some(Self::AdAccounts),
            "page.list" => Some(Self::Pages),
            _ => None,
        }
    }

    fn held(self, connection: &Connection) -> Vec<Held> {
        fn held(id: &str, known: &impl Serialize) -> Held {
            Held { id: id.to_owned(), known: to_raw_value(known).expect("an asset is JSON") }
        }
        let assets = &connection.assets;
        match self {
            Self::AdAccounts => assets.ad_accounts.iter().map(|it| held(&it.id, it)).collect(),
            Self::Pages => assets.pages.iter().map(|it| held(&it.id, it)).collect(),
        }
    }

    /// Where Meta lists what a system user was given.
    fn assigned(self) -> &'static str {
        match self {
            Self::AdAccounts => "assigned_ad_accounts",
            Self::Pages => "assigned_pages",
        }
    }
}

/// One page of the list.
pub async fn list(
    way: &Way<'_>,
    method: &Method,
    assets: Assets,
    mut plan: Plan,
    trail: &mut Trail,
) -> Result<Answer> {
    let access = way.access;
    let connection = connections::get(way.app, &access.account_id, &access.connection_id).await?;
    let system_user = connection
        .subject
        .as_ref()
        .filter(|_| connection.token.as_ref().is_some_and(|token| token.kind == TokenKind::SystemUser));
    let fields = plan.query.get("fields").and_then(|it| it.as_str()).unwrap_or("id").to_owned();
    let by_id = without(&fields, &OF_A_PERSON);
    if let Some(subject) = system_user {
        plan.path = format!("/{}/{}", subject.id, assets.assigned());
        plan.query.insert("fields".to_owned(), by_id.as_str().into());
    }
    let filtered = plan.query.contains_key("filtering");
    let limit = plan.query.get("limit").map_or(ROWS, as_count);
    let after = plan.query.get("after").and_then(|it| it.as_str()).map(str::to_owned);
    let edge = Edge { way, method, path: plan.path, may_be_closed: system_user.is_some() };

    let held_after = after.as_deref().and_then(|after| after.strip_prefix(CURSOR));
    let mut page = match held_after {
        Some(_) => Rows::default(),
        None => edge.rows(Request::get(&edge.path).params(plan.query), trail).await?,
    };
    // A filter is Meta's to apply: what is read by id has not gone through it.
    if page.next.is_some() || filtered {
        return Ok(answer::list(&page));
    }
    let held = assets.held(&connection);
    let from = match held_after {
        None | Some("") => 0,
        Some(last) => 1 + held.iter().position(|it| it.id == last).ok_or_else(wrong_cursor)?,
    };
    let listed = if after.is_none() { page.ids() } else { edge.ids(trail).await? };
    let missing: Vec<&Held> = held[from..].iter().filter(|it| !listed.contains(&it.id)).collect();
    let room = limit.saturating_sub(page.items.len()).min(Batch::MAX_ITEMS).min(missing.len());
    let (now, later) = missing.split_at(room);
    page.items.extend(read(way, method, now, &by_id, trail).await?);
    if !later.is_empty() {
        page.next = Some(format!("{CURSOR}{}", now.last().map_or("", |it| &it.id)));
    }
    Ok(answer::list(&page))
}

/// Meta's own list.
struct Edge<'a> {
    way: &'a Way<'a>,
    method: &'a Method,
    path: String,
    /// Meta refuses it to some system users; what was shared is known all the same.
    may_be_closed: bool,
}

impl Edge<'_> {
    async fn rows(&self, request: Request, trail: &mut Trail) -> Result<Rows> {
        match self.way.send(&request, trail).await {
            Ok(answer) => answer::rows(&answer),
            Err(error) if self.may_be_closed && is_closed(&error) => {
                *trail = Trail::default();
                Ok(Rows::default())
            }
            Err(error) => Err(explained(&error, self.method)),
        }
    }

    /// Everything it names.
    async fn ids(&self, trail: &mut Trail) -> Result<BTreeSet<String>> {
        let mut ids = BTreeSet::new();
        let mut after = None;
        for _ in 0..READS {
            let mut request = Request::get(&self.path).param("fields", "id").param("limit", ROWS);
            if let Some(after) = after.take() {
                request.set("after", serde_json::Value::String(after));
            }
            let page = self.rows(request, trail).await?;
            ids.extend(page.ids());
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(ids)
    }
}

/// Reads assets by id. One that is no longer there is left out; of one that Meta does not tell all that was asked for,
/// the row has what was known when it was shared.
async fn read(
    way: &Way<'_>,
    method: &Method,
    assets: &[&Held],
    fields: &str,
    trail: &mut Trail,
) -> Result<Vec<Box<RawValue>>> {
    if assets.is_empty() {
        return Ok(Vec::new());
    }
    let requests = assets.iter().map(|it| Request::get(format!("/{}", it.id)).param("fields", fields));
    let answers = way.access.graph.send_batch(&requests.collect::<Batch>(), &way.access.token).await;
    let answers = match answers {
        Ok(answers) => answers,
        Err(error) => {
            way.note_failure(&error, trail).await;
            return Err(explained(&error, method));
        }
    };
    let mut rows = Vec::new();
    for (asset, answer) in assets.iter().zip(answers) {
        let answer = match answer {
            BatchAnswer::Answered(answer) => Ok(answer),
            BatchAnswer::Failed(error) => Err(error),
            BatchAnswer::Absent => Err(adjoin_graph::Error::Timeout { sent: true }),
        };
        way.note(&answer, trail).await;
        match answer {
            Ok(answer) => rows.push(answer.parse()?),
            Err(error) if is_closed(&error) => {
                *trail = Trail::default();
                if class(&error) != Some(Class::Gone) {
                    rows.push(asset.known.clone());
                }
            }
            Err(error) => return Err(explained(&error, method)),
        }
    }
    Ok(rows)
}

/// Whether Meta refuses this one thing, for good; a dead token, a limit or trouble at Meta is another matter.
fn is_closed(error: &adjoin_graph::Error) -> bool {
    matches!(
        class(error),
        Some(Class::Gone | Class::MissingPermission | Class::MissingRole | Class::BadParameter)
    )
}

fn class(error: &adjoin_graph::Error) -> Option<Class> {
    let refusal = error.refusal()?;
    Some(meta::known(refusal).class)
}

fn wrong_cursor() -> Error {
    Error::invalid("after", "it is no cursor of this list", "`next` of the page before")
}

fn as_count(limit: &serde_json::Value) -> usize {
    let number = limit.as_u64().or_else(|| limit.as_str()?.parse().ok());
    number.and_then(|it| usize::try_from(it).ok()).unwrap_or(ROWS)
}

/// A field list without these names at its top. `adsets.limit(2){id,tasks}` is one name.
fn without(fields: &str, names: &[&str]) -> String {
    let mut depth = 0_usize;
    let top = fields.split(|letter| {
        match letter {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    let kept: Vec<&str> = top.filter(|field| !names.contains(&field.trim())).collect();
    if kept.is_empty() { "id".to_owned() } else { kept.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_left_out_at_the_top_alone() {
        assert_eq!(without("id,name,tasks", &OF_A_PERSON), "id,name");
        assert_eq!(without("tasks", &OF_A_PERSON), "id");
        assert_eq!(without("id,ads.limit(1){id,tasks},perms", &OF_A_PERSON), "id,ads.limit(1){id,tasks}");
    }
}
