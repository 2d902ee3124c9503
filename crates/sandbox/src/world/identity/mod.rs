//! Apps, people, businesses, and what ties them together: grants, tokens, codes.

mod app;
mod death;
mod grant;
mod mint;
mod token;

use std::collections::BTreeMap;

pub use app::{AccessLevel, App, AppMode, Configuration, ConfigurationToken};
pub use death::TokenDeath;
pub use grant::{Grant, PermissionState, Picks, Reach};
pub use mint::{Minter, random_id};
pub use token::{Code, Narrowing, Token, TokenKind, TokenLife};

use crate::login::dialog::PendingDialog;

#[derive(Debug, Clone)]
pub struct Person {
    /// Serves as the app-scoped id too: the sandbox does not give one person several ids.
    pub id: String,
    pub name: String,
    pub email: String,
}

#[derive(Debug, Clone)]
pub struct Business {
    pub id: String,
    pub name: String,
    /// Ids of people who administer the portfolio.
    pub admins: Vec<String>,
}

/// The integration's own user in a customer's portfolio. Made by the first system-user consent.
#[derive(Debug, Clone)]
pub struct SystemUser {
    pub id: String,
    pub name: String,
    pub app_id: String,
    pub business_id: String,
}

/// Everything about who may do what. The ids here point into `Assets`.
#[derive(Debug, Default)]
pub struct Identity {
    pub apps: BTreeMap<String, App>,
    pub people: BTreeMap<String, Person>,
    pub businesses: BTreeMap<String, Business>,
    pub system_users: BTreeMap<String, SystemUser>,
    /// By app id and subject (person or system user) id.
    pub grants: BTreeMap<(String, String), Grant>,
    /// By token string. Page and app tokens are derived, not kept.
    pub tokens: BTreeMap<String, Token>,
    /// Token string by serial, so that a page token finds the token it was derived from.
    pub token_serials: BTreeMap<u64, String>,
    pub codes: BTreeMap<String, Code>,
    /// Consent pages that are open at the moment, by their opaque id.
    pub dialogs: BTreeMap<String, PendingDialog>,
    /// Who is signed in at Facebook in this world; the dialog opens for them.
    pub signed_in: Option<String>,
    pub minter: Minter,
}

impl Identity {
    /// The person the dialog opens for: the one who is signed in, else the first.
    pub fn current_person(&self) -> Option<&Person> {
        self.signed_in.as_ref().and_then(|id| self.people.get(id)).or_else(|| self.people.values().next())
    }

    pub fn grant(&self, app_id: &str, subject: &str) -> Option<&Grant> {
        self.grants.get(&(app_id.to_owned(), subject.to_owned()))
    }

    /// The grant of `subject` to the app, made when it is not there yet.
    pub fn grant_mut(&mut self, app_id: &str, subject: &str, now: i64) -> &mut Grant {
        self.grants.entry((app_id.to_owned(), subject.to_owned())).or_insert_with(|| Grant::new(now))
    }

    /// The integration's user in a business, made when it is not there yet.
    pub fn system_user_for(&mut self, app_id: &str, business_id: &str) -> SystemUser {
        if let Some(user) =
            self.system_users.values().find(|u| u.app_id == app_id && u.business_id == business_id)
        {
            return user.clone();
        }
        let name = self.apps.get(app_id).map_or("Integration", |a| a.name.as_str()).to_owned();
        let user = SystemUser {
            id: self.minter.id("61"),
            name: format!("{name} System User"),
            app_id: app_id.to_owned(),
            business_id: business_id.to_owned(),
        };
        self.system_users.insert(user.id.clone(), user.clone());
        user
    }

    /// Mints a token that stands for `kind` and keeps it.
    pub fn issue(&mut self, app_id: &str, kind: TokenKind, life: TokenLife, now: i64) -> String {
        let (serial, text) = self.minter.token();
        let token = Token {
            serial,
            app_id: app_id.to_owned(),
            kind,
            life,
            issued_at: now,
            expires_at: life.seconds().map(|s| now + s),
            narrowing: None,
            auth_nonce: None,
            auth_type: None,
            death: None,
        };
        self.token_serials.insert(serial, text.clone());
        self.tokens.insert(text.clone(), token);
        text
    }

    /// Keeps a code and gives its text. Codes of the day before are forgotten: nothing is told of them but that they
    /// are no codes.
    pub fn keep_code(&mut self, code: Code) -> String {
        self.codes.retain(|_, old| old.issued_at + 86_400 > code.issued_at);
        let text = self.minter.code();
        self.codes.insert(text.clone(), code);
        text
    }

    /// Grants `permissions` on all assets and issues a user token, as if the person had consented to everything.
    pub fn issue_user_token(
        &mut self,
        app_id: &str,
        person_id: &str,
        permissions: &[&str],
        life: TokenLife,
        now: i64,
    ) -> String {
        let grant = self.grant_mut(app_id, person_id, now);
        grant.allow(permissions.iter().copied().chain(["public_profile"]), &Picks::new());
        self.issue(app_id, TokenKind::User { person_id: person_id.to_owned() }, life, now)
    }

    /// Grants `permissions` on what was picked to the integration's system user and issues its token.
    pub fn issue_system_user_token(
        &mut self,
        app_id: &str,
        business_id: &str,
        permissions: &[&str],
        picks: &Picks,
        life: TokenLife,
        now: i64,
    ) -> String {
        let user = self.system_user_for(app_id, business_id);
        let grant = self.grant_mut(app_id, &user.id, now);
        grant.allow(permissions.iter().copied(), picks);
        let kind = TokenKind::SystemUser { system_user_id: user.id, business_id: business_id.to_owned() };
        self.issue(app_id, kind, life, now)
    }

    /// Takes the app away from a subject: the grant is gone and every token of theirs is dead for good.
    pub fn deauthorize(&mut self, app_id: &str, subject: &str) {
        self.grants.remove(&(app_id.to_owned(), subject.to_owned()));
        for token in self.tokens.values_mut() {
            if token.app_id == app_id && token.kind.subject() == Some(subject) && token.death.is_none() {
                token.death = Some(TokenDeath::NotAuthorized);
            }
        }
    }
}
