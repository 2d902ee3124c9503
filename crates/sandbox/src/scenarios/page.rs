//! What the page at `/_sandbox` shows.

use askama::Template;
use serde_json::Value;

use super::{CATALOGUE, Scenario};
use crate::{
    clock::Clock,
    world::{World, identity::PermissionState, webhooks::Counts},
};

#[derive(Debug, Template)]
#[template(path = "scenarios.html")]
pub struct Page {
    pub now: String,
    pub frozen: bool,
    pub on: usize,
    pub groups: Vec<Group>,
    pub facts: Vec<(String, String)>,
    pub apps: Vec<AppRow>,
    pub grants: Vec<GrantRow>,
    pub calls: Vec<CallRow>,
    pub webhooks: Counts,
    pub deliveries: Vec<DeliveryRow>,
}

#[derive(Debug)]
pub struct Group {
    pub name: &'static str,
    pub rows: Vec<Row>,
}

#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    /// What the value means, and an example.
    pub takes: Option<(&'static str, &'static str)>,
    pub on: bool,
    pub value: String,
    pub problem: Option<String>,
}

#[derive(Debug)]
pub struct AppRow {
    pub id: String,
    pub name: String,
    pub redirect_uris: Vec<String>,
}

/// What a person, or a business through the app's system user, said to an app.
#[derive(Debug)]
pub struct GrantRow {
    pub app_id: String,
    pub subject: String,
    pub name: String,
    pub granted: Vec<String>,
    pub declined: Vec<String>,
}

#[derive(Debug)]
pub struct CallRow {
    pub at: String,
    pub method: &'static str,
    pub path: String,
    pub intercepted: Option<String>,
}

/// What became of a webhook.
#[derive(Debug)]
pub struct DeliveryRow {
    pub at: String,
    pub what: &'static str,
    pub attempt: Option<u32>,
    pub object: String,
    pub changes: usize,
    pub answer: String,
}

impl Page {
    pub fn new(world: &World, facts: &Value) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for row in CATALOGUE {
            let on = world.scenarios.get(row.name);
            let shown = Row {
                name: row.name,
                about: row.about,
                takes: row.value,
                on: on.is_some(),
                value: on.and_then(Scenario::value).unwrap_or_default(),
                problem: None,
            };
            match groups.last_mut().filter(|group| group.name == row.group) {
                Some(group) => group.rows.push(shown),
                None => groups.push(Group { name: row.group, rows: vec![shown] }),
            }
        }
        Self {
            now: world.clock.now().strftime("%A %-d %B %Y, %H:%M:%S UTC").to_string(),
            frozen: matches!(world.clock, Clock::Frozen { .. }),
            on: world.scenarios.iter().count(),
            groups,
            facts: facts
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| {
                    (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                })
                .collect(),
            apps: world
                .identity
                .apps
                .values()
                .map(|app| AppRow {
                    id: app.id.clone(),
                    name: app.name.clone(),
                    redirect_uris: app.redirect_uris.clone(),
                })
                .collect(),
            grants: grants(world),
            webhooks: world.webhooks.queue.counts(),
            deliveries: world
                .webhooks
                .queue
                .log()
                .take(10)
                .map(|logged| DeliveryRow {
                    at: logged.at.strftime("%H:%M:%S").to_string(),
                    what: logged.what,
                    attempt: logged.attempt,
                    object: logged.object.clone(),
                    changes: logged.changes,
                    answer: match (logged.status, &logged.error) {
                        (Some(status), _) => status.to_string(),
                        (None, error) => error.clone().unwrap_or_default(),
                    },
                })
                .collect(),
            calls: world
                .scenarios
                .recent()
                .take(20)
                .map(|call| CallRow {
                    at: call.at.strftime("%H:%M:%S").to_string(),
                    method: call.method.name(),
                    path: match &call.version {
                        Some(version) => format!("/{version}/{}", call.path),
                        None => format!("/{}", call.path),
                    },
                    intercepted: call.intercepted.clone(),
                })
                .collect(),
        }
    }

    /// The page with what was wrong with a value, and the value still in its field.
    #[must_use]
    pub fn with_problem(mut self, name: &str, why: String, given: String) -> Self {
        if let Some(row) =
            self.groups.iter_mut().flat_map(|group| &mut group.rows).find(|row| row.name == name)
        {
            row.problem = Some(why);
            row.value = given;
        }
        self
    }
}

/// Every grant of this world.
pub fn grants(world: &World) -> Vec<GrantRow> {
    let identity = &world.identity;
    let name_of = |subject: &str| {
        let business =
            identity.system_users.get(subject).and_then(|u| identity.businesses.get(&u.business_id));
        match (identity.people.get(subject), business) {
            (Some(person), _) => person.name.clone(),
            (None, Some(business)) => format!("{} (business)", business.name),
            (None, None) => subject.to_owned(),
        }
    };
    identity
        .grants
        .iter()
        .map(|((app_id, subject), grant)| {
            let (granted, declined): (Vec<_>, Vec<_>) =
                grant.permissions.iter().partition(|(_, state)| **state != PermissionState::Declined);
            let names = |rows: Vec<(&String, &PermissionState)>| {
                rows.into_iter().map(|(name, _)| name.clone()).collect()
            };
            GrantRow {
                app_id: app_id.clone(),
                subject: subject.clone(),
                name: name_of(subject),
                granted: names(granted),
                declined: names(declined),
            }
        })
        .collect()
}
