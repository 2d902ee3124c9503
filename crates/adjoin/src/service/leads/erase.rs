//! Forgetting leads: one, those of a person, and those that were kept long enough. The audit log tells that it was done
//! and never whose they were.

use adjoin_marketing::customer;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::{State, sight, view::NOT_FOUND};
use crate::{
    audit::Actor,
    id::{AccountId, LeadId},
    service::{App, Error, Result, accounts, api_keys::Reach, webhooks},
    store::{audit, connectors, lead_erasure as table, leads},
    time::Timestamp,
    vault::Scope,
};

/// Leads that are opened, or forgotten, in one go.
const BATCH: i64 = 200;
/// What is left of a lead goes so long after the lead came in: Meta keeps leads for 90 days, so it cannot come back.
const LEFT_SECONDS: i64 = 100 * 24 * 60 * 60;

/// Erases what a person sent. That there was a lead stays for 100 days, so that no sweep brings it back.
pub async fn erase(app: &App, actor: &Actor, account: &AccountId, id: &LeadId) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let lead = leads::by_id(&mut tx, account, id).await?.ok_or(NOT_FOUND)?;
    let lead = leads::by_meta_id_for_update(&mut tx, account, &lead.meta_lead_id).await?.ok_or(NOT_FOUND)?;
    if matches!(lead.state.0, State::Erased { .. }) {
        return Ok(());
    }
    table::erase(&mut tx, id, &State::Erased { at: now }).await?;
    audit::insert(&mut tx, actor, "lead.erased", id.as_str(), json!({ "account": account }), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Whom to forget.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// What was erased of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErasedPerson {
    /// Leads that were erased.
    pub erased: u64,
    /// Leads that were looked into.
    pub searched: u64,
    /// Leads that are not read from Meta yet, so nobody knows whose they are: ask again once they are read.
    pub unread: i64,
    /// Changes in the quarantine, which is the partner's and is not looked into. One of leads holds Meta's ids only; of one
    /// that nobody understood, nobody knows what it holds. Null for a key of one account.
    pub quarantined: Option<i64>,
    /// When the last of these changes is forgotten by itself, unless it finds its account before; null when there is none. For
    /// a key of one account it is 30 days from now, whatever lies there: nothing of now is kept longer.
    pub quarantine_until: Option<Timestamp>,
}

/// Erases every lead of an account in which this e-mail address or phone number stands. There is no index of persons: the
/// leads are opened page by page and compared.
pub async fn erase_person(
    app: &App,
    actor: &Actor,
    reach: &Reach,
    account: &AccountId,
    person: &Person,
) -> Result<ErasedPerson> {
    let wanted = Wanted::read(person)?;
    accounts::get(app, account).await?;
    let scope = Scope::Account(account.clone());
    // Counted before: what is read or sorted while we search is behind us, or found.
    let (quarantined, quarantine_until) = in_quarantine(app, reach).await?;
    let unread = table::unread(&app.db, account).await?;
    let mut done = ErasedPerson { erased: 0, searched: 0, unread, quarantined, quarantine_until };
    let mut after = String::new();
    loop {
        let page = table::held(&app.db, account, &after, BATCH).await?;
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
        let mut found = Vec::new();
        for row in &page {
            let opened =
                app.vault.open(&leads::detail_place(&scope, row.id.as_str()), &row.detail_sealed).await?;
            let lead: Value = serde_json::from_str(opened.expose_secret()).unwrap_or_default();
            if wanted.stands_in(&lead) {
                found.push(row.id.clone());
            }
        }
        done.searched += u64::try_from(page.len()).unwrap_or_default();
        for id in &found {
            erase(app, actor, account, id).await?;
            done.erased += 1;
        }
    }
    let mut tx = app.db.begin_apart().await?;
    let detail = json!({ "erased": done.erased, "searched": done.searched });
    audit::insert(&mut tx, actor, "leads.person_erased", account.as_str(), detail, app.clock.now()).await?;
    tx.commit().await?;
    Ok(done)
}

/// How many changes lie in the quarantine, and when the last of them goes; an account is told nothing of others.
async fn in_quarantine(app: &App, reach: &Reach) -> Result<(Option<i64>, Option<Timestamp>)> {
    if let Reach::One(_) = reach {
        return Ok((None, Some(webhooks::quarantined_until(app.clock.now()))));
    }
    let counts = webhooks::counts(app).await?;
    let last = counts.iter().map(|it| it.last_at).max();
    Ok((Some(counts.iter().map(|it| it.count).sum()), last.map(webhooks::quarantined_until)))
}

/// A person as answers are compared with.
struct Wanted {
    email: Option<String>,
    phone: Option<String>,
}

impl Wanted {
    fn read(person: &Person) -> Result<Self> {
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let email = person.email.as_deref().and_then(customer::email);
        let phone = person.phone.as_deref().and_then(digits);
        if given(&person.email) && email.is_none() {
            return Err(Error::invalid("email", "this is no e-mail address", "name@example.com"));
        }
        if given(&person.phone) && phone.is_none() {
            return Err(Error::invalid("phone", "this is no phone number", "+16505551212"));
        }
        if email.is_none() && phone.is_none() {
            return Err(Error::invalid(
                "email",
                "an e-mail address or a phone number is needed",
                "one of them",
            ));
        }
        Ok(Self { email, phone })
    }

    fn stands_in(&self, lead: &Value) -> bool {
        let answers = lead["field_data"].as_array().into_iter().flatten();
        let mut values = answers.flat_map(|answer| answer["values"].as_array().into_iter().flatten());
        values.any(|value| {
            let text = value.as_str().unwrap_or_default();
            let same_email = self.email.is_some() && customer::email(text) == self.email;
            same_email || (self.phone.is_some() && digits(text) == self.phone)
        })
    }
}

/// A phone number as its digits, without the zeros in front. Text that is more than a number is none.
fn digits(text: &str) -> Option<String> {
    let is_number = text.chars().all(|it| it.is_ascii_digit() || " +-./()\u{a0}".contains(it));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (is_number && (6..=15).contains(&digits.len())).then(|| digits.to_owned())
}

/// Forgets what has had its time: leads beyond what their account keeps, what is left of erased ones, the quarantine, and
/// the app secret of before. True when there is more.
pub async fn tidy(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let mut more = false;
    for account in table::keeping_too_long(&app.db, now).await? {
        let before = now.plus_seconds(-account.days * 24 * 60 * 60);
        let mut tx = app.db.begin_apart().await?;
        let leads = table::outdated(&mut tx, &account.id, before, BATCH).await?;
        for id in &leads {
            table::erase(&mut tx, id, &State::Expired { at: now }).await?;
        }
        tx.commit().await?;
        more |= i64::try_from(leads.len()) == Ok(BATCH);
    }
    let mut tx = app.db.begin_apart().await?;
    let gone = table::prune(&mut tx, now.plus_seconds(-LEFT_SECONDS), BATCH).await?;
    let quarantined = webhooks::prune(&mut tx, now, BATCH).await?;
    connectors::forget_previous(&mut tx, now).await?;
    tx.commit().await?;
    Ok(more || gone.max(quarantined) >= BATCH.unsigned_abs())
}

/// Tries a lead that waits now, whatever it waits for. Meta's limits are kept all the same.
pub async fn retry(app: &App, actor: &Actor, account: &AccountId, id: &LeadId) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let lead = leads::by_id(&mut tx, account, id).await?.ok_or(NOT_FOUND)?;
    if !lead.state.0.is_waiting() {
        return Err(Error::Conflict {
            message: format!("this lead does not wait to be read: it is {}", lead.state.0.name()),
            next_step: "to deliver it again, replay its event".to_owned(),
        });
    }
    table::make_due(&mut tx, account, id, now).await?;
    audit::insert(&mut tx, actor, "lead.retried", id.as_str(), json!({ "account": account }), now).await?;
    tx.commit().await?;
    app.wakes.hydrate.notify_one();
    Ok(())
}

/// The same for every lead that waits; of one account, or of all. Answers how many.
pub async fn retry_all(app: &App, actor: &Actor, account: Option<&AccountId>) -> Result<u64> {
    if let Some(account) = account {
        accounts::get(app, account).await?;
    }
    let accounts = match account {
        Some(account) => vec![account.clone()],
        None => leads::accounts_waiting(&app.db).await?,
    };
    let mut leads = 0;
    for account in &accounts {
        leads += sight::make_due(app, account, None, false).await?;
    }
    let (mut tx, now) = (app.db.begin_apart().await?, app.clock.now());
    let target = account.map_or("all", AccountId::as_str);
    audit::insert(&mut tx, actor, "leads.retried", target, json!({ "leads": leads }), now).await?;
    tx.commit().await?;
    Ok(leads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_however_it_was_written() {
        let lead = json!({ "field_data": [
            { "name": "email", "values": [" Greta.Thorn@Example.com"] },
            { "name": "phone_number", "values": [] },
            { "name": "other", "values": ["0043 (0)1 234", "+43 664 1234567"] },
        ]});
        let person = |email: Option<&str>, phone: Option<&str>| Person {
            email: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
        };
        let found = |it: Person| Wanted::read(&it).unwrap().stands_in(&lead);
        assert!(found(person(Some("greta.thorn@example.com "), None)));
        assert!(found(person(None, Some("0043664 123 45 67"))));
        assert!(found(person(Some("nobody@example.com"), Some("+436641234567"))));
        assert!(!found(person(Some("thorn@example.com"), None)));
        assert!(!found(person(None, Some("+436641234568"))));
        for wrong in [person(None, None), person(Some("greta"), None), person(None, Some("12 a"))] {
            assert!(Wanted::read(&wrong).is_err());
        }
    }
}
