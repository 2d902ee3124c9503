//! Which ad accounts, Pages and businesses a token reaches.
//!
//! The lists under `me` are not the whole truth: they leave out Pages that a portfolio owns, and may fail for system
//! users. `granular_scopes` names what was picked, so both are read.

use std::collections::BTreeSet;

use adjoin_graph::{Access, Error, Graph, Request, oauth};
use adjoin_marketing::errors::Class;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;

use super::Failed;
use crate::service::{
    connections::{AdAccount, Assets, Business, PageAsset, Subject, TokenKind},
    meta,
};

/// Most assets of one kind that are read. A connection is not a catalogue of a large agency.
const MOST: usize = 500;
/// Most assets that are read one by one, because no list shows them.
const MOST_SINGLE: usize = 50;
const AT_ONCE: usize = 5;

const AD_ACCOUNT_FIELDS: &str = "id,name,currency,account_status";

/// What the look-up stands on.
#[derive(Debug)]
pub struct Discovery<'a> {
    pub graph: &'a Graph,
    pub access: &'a Access,
    pub info: &'a oauth::TokenInfo,
    pub kind: TokenKind,
    pub subject: &'a Subject,
}

/// What could not be read although the person shared it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Meta answered as if shared assets did not exist.
    pub hidden: bool,
    /// Meta did not answer.
    pub unanswered: bool,
}

/// What a permission reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every asset of the person or business.
    All,
    /// These, without `act_`. May be none at all.
    Only(BTreeSet<String>),
}

/// What any of these permissions reaches; `None` when none of them was granted.
pub fn reach(info: &oauth::TokenInfo, permissions: &[&str]) -> Option<Reach> {
    let mut only = BTreeSet::new();
    let mut granted = false;
    for name in permissions.iter().filter(|name| info.scopes.iter().any(|scope| scope == *name)) {
        granted = true;
        match info.granular_scopes.iter().find(|row| row.scope == *name).map(|row| &row.target_ids) {
            // Not listed, or listed without ids: all of them.
            None | Some(None) => return Some(Reach::All),
            Some(Some(ids)) => only.extend(ids.iter().map(|id| bare(id).to_owned())),
        }
    }
    granted.then_some(Reach::Only(only))
}

fn bare(id: &str) -> &str {
    id.strip_prefix("act_").unwrap_or(id)
}

pub async fn discover(it: &Discovery<'_>) -> Result<(Assets, Unread), Failed> {
    let mut assets = Assets::default();
    let mut unread = Unread::default();
    let system_user = it.kind == TokenKind::SystemUser;
    let own = |edge: &str| match it.kind {
        TokenKind::User => format!("/me/{edge}"),
        TokenKind::SystemUser => format!(
            "/{}/assigned_{}",
            it.subject.id,
            if edge == "accounts" { "pages" } else { "ad_accounts" }
        ),
    };

    if let Some(reach) = reach(it.info, &["ads_management", "ads_read"]) {
        let edge = own("adaccounts");
        let request = Request::get(edge).param("fields", AD_ACCOUNT_FIELDS);
        let read = |id: &str| Request::get(format!("/act_{id}")).param("fields", AD_ACCOUNT_FIELDS);
        let found =
            it.read(request, &reach, system_user, |a: &AdAccount| bare(&a.id).to_owned(), read).await?;
        assets.ad_accounts = found.rows;
        for account in &mut assets.ad_accounts {
            account.id = format!("act_{}", bare(&account.id));
        }
        assets.truncated |= found.truncated;
        unread.add(found.unread);
        // A list may name what a call then cannot reach.
        if let (Some(first), false) = (assets.ad_accounts.first(), found.read_singly) {
            unread.add(it.probe(&first.id).await?);
        }
    }
    let pages = [
        "pages_show_list",
        "pages_read_engagement",
        "pages_manage_ads",
        "pages_manage_metadata",
        "leads_retrieval",
    ];
    if let Some(reach) = reach(it.info, &pages) {
        // System users may not hold `tasks`.
        let fields = if system_user { "id,name" } else { "id,name,tasks" };
        let request = Request::get(own("accounts")).param("fields", fields);
        let read = |id: &str| Request::get(format!("/{id}")).param("fields", "id,name");
        let found = it.read(request, &reach, system_user, |p: &PageAsset| p.id.clone(), read).await?;
        assets.pages = found.rows;
        assets.truncated |= found.truncated;
        unread.add(found.unread);
    }
    assets.businesses = match (&it.subject.business_id, reach(it.info, &["business_management"])) {
        (Some(id), _) => {
            let named = it.single(Request::get(format!("/{id}")).param("fields", "id,name")).await;
            vec![named.unwrap_or(Business { id: id.clone(), name: None })]
        }
        (None, Some(reach)) if !system_user => {
            let request = Request::get("/me/businesses").param("fields", "id,name");
            let read = |id: &str| Request::get(format!("/{id}")).param("fields", "id,name");
            let found = it.read(request, &reach, false, |b: &Business| b.id.clone(), read).await?;
            assets.truncated |= found.truncated;
            found.rows
        }
        _ => Vec::new(),
    };
    Ok((assets, unread))
}

impl Unread {
    fn add(&mut self, other: Self) {
        self.hidden |= other.hidden;
        self.unanswered |= other.unanswered;
    }
}

struct Found<T> {
    rows: Vec<T>,
    truncated: bool,
    unread: Unread,
    read_singly: bool,
}

impl Discovery<'_> {
    /// Reads a list, then singly whatever was picked and is not in it. A system user whose picks are known is not
    /// asked for the list.
    async fn read<T: DeserializeOwned + Send>(
        &self,
        list: Request,
        reach: &Reach,
        skip_list: bool,
        id: impl Fn(&T) -> String,
        single: impl Fn(&str) -> Request,
    ) -> Result<Found<T>, Failed> {
        let mut found =
            Found { rows: Vec::new(), truncated: false, unread: Unread::default(), read_singly: false };
        let picked = match reach {
            Reach::Only(picked) => Some(picked),
            Reach::All => None,
        };
        if picked.is_none_or(|picked| !skip_list && !picked.is_empty()) {
            let rows = self.graph.items::<T>(list.param("limit", 100), self.access.clone());
            let mut rows = std::pin::pin!(rows.take(MOST + 1));
            loop {
                match rows.try_next().await {
                    Ok(Some(row)) => {
                        if picked.is_none_or(|picked| picked.contains(&id(&row))) {
                            found.rows.push(row);
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        found.unread.add(unread(error)?);
                        break;
                    }
                }
            }
            found.truncated = found.rows.len() > MOST;
            found.rows.truncate(MOST);
        }
        let known: BTreeSet<String> = found.rows.iter().map(id).collect();
        let missing: Vec<&String> = picked.into_iter().flatten().filter(|id| !known.contains(*id)).collect();
        found.truncated |= missing.len() > MOST_SINGLE;
        found.read_singly = !missing.is_empty();
        let requests: Vec<Request> = missing.iter().take(MOST_SINGLE).map(|id| single(id)).collect();
        let mut answers =
            stream::iter(requests)
                .map(|request| async move {
                    self.graph.send_with_retry(&request, self.access).await?.parse::<T>()
                })
                .buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(row) => found.rows.push(row),
                Err(error) => found.unread.add(unread(error)?),
            }
        }
        Ok(found)
    }

    async fn single<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        self.graph.send_with_retry(&request, self.access).await?.parse()
    }

    /// One cheap read of an ad account that a list named.
    async fn probe(&self, id: &str) -> Result<Unread, Failed> {
        match self
            .graph
            .send_with_retry(&Request::get(format!("/{id}")).param("fields", "id"), self.access)
            .await
        {
            Ok(_) => Ok(Unread::default()),
            Err(error) => unread(error),
        }
    }
}

/// What a failed read means: nothing there, no answer, or a token that is dead.
fn unread(error: Error) -> Result<Unread, Failed> {
    let Some(refusal) = error.refusal() else {
        return Ok(Unread { unanswered: true, ..Unread::default() });
    };
    let known = meta::known(refusal);
    match known.class {
        Class::Reconnect | Class::ActionOnFacebook => Err(error.into()),
        Class::Gone => Ok(Unread { hidden: true, ..Unread::default() }),
        // Which permission is missing shows in the token's own permissions.
        Class::MissingPermission | Class::MissingRole => Ok(Unread::default()),
        _ => Ok(Unread { unanswered: true, ..Unread::default() }),
    }
}

#[cfg(test)]
mod tests {
    use adjoin_graph::oauth::{GranularScope, TokenInfo};

    use super::*;

    fn info(scopes: &[&str], granular: &[(&str, Option<&[&str]>)]) -> TokenInfo {
        TokenInfo {
            scopes: scopes.iter().map(|&s| s.to_owned()).collect(),
            granular_scopes: granular
                .iter()
                .map(|(scope, ids)| GranularScope {
                    scope: (*scope).to_owned(),
                    target_ids: ids.map(|ids| ids.iter().map(|&id| id.to_owned()).collect()),
                })
                .collect(),
            ..TokenInfo::default()
        }
    }

    #[test]
    fn absent_ids_are_all_and_an_empty_list_is_none() {
        let ads = ["ads_management", "ads_read"];
        assert_eq!(reach(&info(&["ads_read"], &[]), &ads), Some(Reach::All));
        assert_eq!(reach(&info(&["ads_read"], &[("ads_read", None)]), &ads), Some(Reach::All));
        assert_eq!(
            reach(&info(&["ads_read"], &[("ads_read", Some(&[]))]), &ads),
            Some(Reach::Only(BTreeSet::new()))
        );
        assert_eq!(reach(&info(&["email"], &[]), &ads), None);
    }

    #[test]
    fn ids_with_and_without_the_prefix_are_the_same() {
        let info = info(
            &["ads_read", "ads_management"],
            &[("ads_read", Some(&["act_1", "2"])), ("ads_management", Some(&["1"]))],
        );
        let expected = Reach::Only(BTreeSet::from(["1".to_owned(), "2".to_owned()]));
        assert_eq!(reach(&info, &["ads_management", "ads_read"]), Some(expected));
    }
}
