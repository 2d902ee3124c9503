//! Connector Library > Facebook Marketing API > Setup.

use std::collections::BTreeMap;

use adjoin_marketing::{
    permissions::{self, Permission, UseCase},
    versions,
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;

use crate::{
    service::{
        App, Fault,
        dashboard::{self, Dashboard},
        settings::{self, ServiceOrigin},
        setup::{self, Login, LoginConfiguration, LoginToken, NewSetup, Setup},
    },
    web::console::{
        Frame, Page, Result,
        done::Done,
        input::Form,
        parts::{Badge, Copy, Field, Mark, Refusal, Tone},
        words,
    },
};

#[derive(Debug, Template)]
#[template(path = "console/connectors/setup.html")]
pub struct SetupPage {
    frame: Frame,
    stored: Option<Setup>,
    form: Given,
    refusal: Refusal,
    /// What to paste, switch and do at Meta; `None` before the Service Domain is set.
    dashboard: Option<Dashboard>,
    versions: Vec<&'static str>,
    /// The redirect URI that names the partner; `None` before the Service Domain is set.
    keyed_redirect_uri: Option<String>,
}

/// What the form holds. The secret is not part of it, so it cannot be sent back to the browser.
#[derive(Debug, Default)]
struct Given {
    client_id: String,
    business: bool,
    use_cases: Vec<String>,
    /// The configuration id and what kind of token it yields, by use case.
    configurations: BTreeMap<String, (String, LoginToken)>,
    extra_permissions: String,
    /// Empty for the newest.
    graph_version: String,
    keyed_redirect_uri: bool,
}

impl From<&Setup> for Given {
    fn from(setup: &Setup) -> Self {
        let configurations = match &setup.login {
            Login::Facebook => BTreeMap::new(),
            Login::Business { configurations } => configurations
                .iter()
                .flat_map(|it| it.use_cases.iter().map(|case| (case.clone(), (it.id.clone(), it.token))))
                .collect(),
        };
        Self {
            client_id: setup.client_id.clone(),
            business: matches!(setup.login, Login::Business { .. }),
            use_cases: setup.use_cases.clone(),
            configurations,
            extra_permissions: setup.extra_permissions.join("\n"),
            graph_version: setup.graph_version.clone(),
            keyed_redirect_uri: setup.keyed_redirect_uri,
        }
    }
}

impl Given {
    /// What a browser sends before anything is set up.
    fn fresh() -> Self {
        Self { business: true, use_cases: vec!["ads".to_owned()], ..Self::default() }
    }

    fn read(pairs: &[(String, String)]) -> Self {
        let text = |name: &str| {
            let value = pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
            value.trim().to_owned()
        };
        let configurations = permissions::use_cases()
            .iter()
            .map(|case| {
                let token = match text(&format!("token_{}", case.id)).as_str() {
                    "system_user" => LoginToken::SystemUser,
                    _ => LoginToken::User,
                };
                (case.id.clone(), (text(&format!("configuration_{}", case.id)), token))
            })
            .collect();
        Self {
            client_id: text("client_id"),
            business: text("login") == "business",
            use_cases: pairs
                .iter()
                .filter(|(key, _)| key == "use_cases")
                .map(|(_, case)| case.clone())
                .collect(),
            configurations,
            extra_permissions: text("extra_permissions"),
            graph_version: text("graph_version"),
            keyed_redirect_uri: text("keyed_redirect_uri") == "on",
        }
    }

    /// One configuration may stand for several use cases: the same id, entered at each.
    fn login(&self) -> Login {
        if !self.business {
            return Login::Facebook;
        }
        let mut configurations: Vec<LoginConfiguration> = Vec::new();
        for case in &self.use_cases {
            let Some((id, token)) = self.configurations.get(case).filter(|(id, _)| !id.is_empty()) else {
                continue;
            };
            match configurations.iter_mut().find(|it| it.id == *id && it.token == *token) {
                Some(it) => it.use_cases.push(case.clone()),
                None => configurations.push(LoginConfiguration {
                    id: id.clone(),
                    use_cases: vec![case.clone()],
                    token: *token,
                }),
            }
        }
        Login::Business { configurations }
    }

    fn extra(&self) -> Vec<String> {
        self.extra_permissions
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// A permission that consent will ask for, and what brought it in.
struct Wanted {
    name: String,
    known: Option<&'static Permission>,
    because: Vec<String>,
}

impl SetupPage {
    fn version_warning(&self) -> Option<&str> {
        self.stored.as_ref()?.version_warning.as_deref()
    }

    fn is_chosen(&self, case: &str) -> bool {
        self.form.use_cases.iter().any(|chosen| chosen == case)
    }

    fn configuration(&self, case: &str) -> &str {
        self.form.configurations.get(case).map_or("", |(id, _)| id)
    }

    fn is_system_user(&self, case: &str) -> bool {
        self.form.configurations.get(case).is_some_and(|(_, token)| *token == LoginToken::SystemUser)
    }

    /// Everything the form as it stands asks for, closed over what Meta makes permissions depend on.
    fn wanted(&self) -> Vec<Wanted> {
        let cases: Vec<&UseCase> =
            self.form.use_cases.iter().filter_map(|id| permissions::use_case(id)).collect();
        let extra = self.form.extra();
        let asked = cases.iter().flat_map(|case| &case.permissions).chain(&extra).map(String::as_str);
        let all = permissions::closure(asked);
        all.iter()
            .map(|&name| {
                let by_case = cases
                    .iter()
                    .filter(|case| case.permissions.iter().any(|permission| permission == name))
                    .map(|case| format!("“{}”", case.title));
                let by_hand = extra.iter().filter(|it| *it == name).map(|_| "you added it".to_owned());
                let by_need = all
                    .iter()
                    .filter(|other| {
                        permissions::permission(other)
                            .is_some_and(|other| other.needs.iter().any(|need| need == name))
                    })
                    .map(|other| format!("{other} needs it"));
                Wanted {
                    name: name.to_owned(),
                    known: permissions::permission(name),
                    because: by_case.chain(by_hand).chain(by_need).collect(),
                }
            })
            .collect()
    }
}

pub async fn show(State(app): State<App>, frame: Frame) -> Result<Page<SetupPage>> {
    let stored = setup::get(&app).await?;
    let form = stored.as_ref().map_or_else(Given::fresh, Given::from);
    Ok(Page::new(page(&app, frame, stored, form, Refusal::default()).await?))
}

pub async fn submit(
    State(app): State<App>,
    frame: Frame,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let form = Given::read(&pairs);
    let secret = pairs.into_iter().find(|(key, _)| key == "client_secret").map(|(_, secret)| secret);
    let secret = secret.map(|secret| secret.trim().to_owned()).filter(|secret| !secret.is_empty());
    let new = NewSetup {
        client_id: form.client_id.clone(),
        client_secret: secret.map(SecretString::from),
        login: form.login(),
        use_cases: form.use_cases.clone(),
        extra_permissions: form.extra(),
        graph_version: Some(form.graph_version.clone()).filter(|version| !version.is_empty()),
        keyed_redirect_uri: Some(form.keyed_redirect_uri),
    };
    match setup::save(&app, &frame.actor(), new).await {
        Ok(_) => Ok(Done::SetupSaved.at("/connectors/facebook-marketing/setup").into_response()),
        Err(error) => {
            let mut refusal = Refusal::from_error(error)?;
            refusal.faults.iter_mut().for_each(|fault| at_use_case(fault, &form));
            let stored = setup::get(&app).await?;
            Ok(Page::refused(page(&app, frame, stored, form, refusal).await?).into_response())
        }
    }
}

/// The service blames `login.configurations[1].id`; the form has one field a use case.
fn at_use_case(fault: &mut Fault, form: &Given) {
    let Some(path) = fault.field.strip_prefix("login.configurations") else { return };
    let index = path.trim_start_matches('[').split(']').next().and_then(|index| index.parse::<usize>().ok());
    let Login::Business { configurations } = form.login() else { return };
    let case = index
        .and_then(|index| configurations.get(index))
        .and_then(|it| it.use_cases.first())
        .or_else(|| form.use_cases.first());
    if let Some(case) = case {
        fault.field = format!("configuration_{case}");
    }
}

async fn page(
    app: &App,
    frame: Frame,
    stored: Option<Setup>,
    form: Given,
    refusal: Refusal,
) -> Result<SetupPage> {
    let settings = settings::get(app).await?;
    let mut versions: Vec<_> =
        versions::live(app.clock.now().0).map(|version| version.name.as_str()).collect();
    versions.reverse();
    let origin = ServiceOrigin::of(app, &settings);
    let keyed_redirect_uri = origin.as_ref().map(|origin| origin.keyed_redirect_uri(&settings));
    let dashboard = origin.map(|origin| dashboard::dashboard_strings(&origin, &settings, stored.as_ref()));
    Ok(SetupPage { frame, stored, form, refusal, dashboard, versions, keyed_redirect_uri })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn one_configuration_may_stand_for_several_use_cases() {
        let given = Given::read(&pairs(&[
            ("login", "business"),
            ("use_cases", "ads"),
            ("use_cases", "leads"),
            ("configuration_ads", " 77 "),
            ("configuration_leads", "77"),
            ("configuration_reporting", "88"),
        ]));
        let Login::Business { configurations } = given.login() else { panic!("business was chosen") };
        assert_eq!(configurations.len(), 1, "the use case that is not chosen does not count");
        assert_eq!(configurations[0].id, "77");
        assert_eq!(configurations[0].use_cases, ["ads", "leads"]);
    }

    #[test]
    fn a_fault_of_a_configuration_is_shown_at_its_use_case() {
        let given = Given::read(&pairs(&[
            ("login", "business"),
            ("use_cases", "ads"),
            ("use_cases", "leads"),
            ("configuration_ads", "77"),
            ("configuration_leads", "x"),
        ]));
        let mut fault = Fault::new("login.configurations[1].id", "it is not an id", "digits");
        at_use_case(&mut fault, &given);
        assert_eq!(fault.field, "configuration_leads");
    }
}
