//! The templates and what they show.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::{
    service::{
        App, Error, Who,
        connect_sessions::{Asked, Invitation, Parties, Progress, Refusal},
        connections::{State, Subject},
    },
    web::{headers::content_security_policy, problem::Problem},
};

/// Before Facebook.
#[derive(Debug, Template)]
#[template(path = "connect/start.html")]
pub struct Start<'a> {
    pub invitation: &'a Invitation,
    /// Where the button and the status are.
    pub path: &'a str,
    /// In a frame Facebook has to open in a window of its own.
    pub framed: bool,
    /// A phone, on which a login for business portfolios does not work.
    pub phone: bool,
}

/// While something is under way that ends by itself.
#[derive(Debug, Template)]
#[template(path = "connect/waiting.html")]
pub struct Waiting<'a> {
    pub progress: &'a Progress,
    pub at_facebook: bool,
}

/// Consent is given; the press is missing.
#[derive(Debug, Template)]
#[template(path = "connect/confirm.html")]
pub struct Confirm<'a> {
    pub progress: &'a Progress,
}

/// Somebody else than before consented.
#[derive(Debug, Template)]
#[template(path = "connect/identity.html")]
pub struct Identity<'a> {
    pub progress: &'a Progress,
    pub before: &'a Subject,
    pub now: &'a Subject,
}

/// What was granted and what is missing.
#[derive(Debug, Template)]
#[template(path = "connect/done.html")]
pub struct Done<'a> {
    pub progress: &'a Progress,
}

impl Done<'_> {
    /// The consent opens nothing that was asked for.
    fn is_nothing(&self) -> bool {
        matches!(self.progress.connection.state, State::NothingShared { .. })
    }

    fn tone(&self) -> &'static str {
        match self.progress.connection.state {
            State::Connected => "ok",
            State::NothingShared { .. } => "bad",
            _ => "warn",
        }
    }
}

/// A page that says one thing.
#[derive(Debug, Template)]
#[template(path = "connect/message.html")]
pub struct Message {
    /// `ok`, `note`, `warn` or `bad`.
    pub tone: &'static str,
    pub title: String,
    pub text: String,
    pub who: Option<Who>,
    pub next_step: Option<String>,
    /// What only the people who run the service can make use of.
    pub for_service: Vec<String>,
    pub parties: Option<Parties>,
    /// Path and label of a form's button.
    pub again: Option<(String, &'static str)>,
    pub back: Option<String>,
}

impl Message {
    pub fn new(tone: &'static str, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            tone,
            title: title.into(),
            text: text.into(),
            who: None,
            next_step: None,
            for_service: Vec::new(),
            parties: None,
            again: None,
            back: None,
        }
    }

    /// Something went wrong. What only the partner can mend is told in the partner's words below a plain sentence for
    /// the person, who learns whom to tell.
    pub fn refused(refusal: &Refusal, partner: Option<&str>) -> Self {
        let Refusal { code, title, message, who, next_step } = refusal;
        if *who != Who::Partner {
            return Self {
                who: Some(*who),
                next_step: Some(next_step.clone()),
                ..Self::new("bad", title.clone(), message.clone())
            };
        }
        let them = partner.unwrap_or("whoever sent you here");
        let text = partner.map_or_else(
            || "Something has to be changed first in the Meta app that stands behind this page.".to_owned(),
            |partner| format!("{partner} has to change something in its Meta app first."),
        );
        Self {
            who: Some(*who),
            next_step: Some(format!(
                "Tell {them}, and pass on what stands below. Come back when it is mended. You did nothing wrong, and \
                 nothing was changed."
            )),
            for_service: [format!("{title}. {message}"), next_step.clone()]
                .into_iter()
                .chain(code.map(|code| format!("Facebook's error_code is {code}.")))
                .collect(),
            ..Self::new("bad", "This cannot be connected yet", text)
        }
    }

    fn partner(&self) -> Option<&str> {
        self.parties.as_ref().map(|parties| parties.partner.as_str())
    }
}

/// Who can mend it, in words for the account's person.
pub fn who_in_words(who: &Who, partner: Option<&str>) -> String {
    match who {
        Who::Partner => partner.unwrap_or("the product that sent you here").to_owned(),
        Who::Account => "you, or an admin of your business".to_owned(),
        Who::Meta => "Meta; all one can do is wait".to_owned(),
    }
}

/// Name, or id for want of one.
pub fn name_of(subject: &Subject) -> &str {
    subject.name.as_deref().unwrap_or(&subject.id)
}

/// What a permission is for, or its name for want of words.
pub fn why(permission: &str) -> String {
    Some(Asked::of(permission).why).filter(|why| !why.is_empty()).unwrap_or_else(|| permission.to_owned())
}

/// Renders a page that a form leads away from: to Facebook, and from there on to `return_url`.
pub fn render(
    app: &App,
    status: StatusCode,
    page: &impl Template,
    return_url: Option<&str>,
    frame: Option<&str>,
) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(app, return_url, frame));
    response
}

/// Browsers hold every redirect after a form to its policy. Somebody who consented before is sent through Facebook
/// and back to the partner without a stop.
fn policy(app: &App, return_url: Option<&str>, frame: Option<&str>) -> HeaderValue {
    let dialog = app.config.dialog_url.origin().ascii_serialization();
    let partner =
        return_url.and_then(|url| url::Url::parse(url).ok()).map(|url| url.origin().ascii_serialization());
    let mut targets = vec![dialog.as_str()];
    if app.config.dialog_url.host_str() == Some("www.facebook.com") {
        targets.push("https://*.facebook.com");
    }
    targets.extend(partner.as_deref());
    let frames: Vec<&str> = frame.into_iter().collect();
    content_security_policy(&targets, &frames)
}

/// A failure of ours or of Meta's, as a page.
#[derive(Debug)]
pub struct Failure {
    app: App,
    error: Error,
}

impl Failure {
    pub fn of(app: &App) -> impl FnOnce(Error) -> Self + use<> {
        let app = app.clone();
        move |error| Self { app, error }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if matches!(self.error, Error::NotFound { .. }) {
            return unusable(&self.app);
        }
        let problem = Problem::from(self.error);
        let refusal = Refusal {
            code: None,
            title: "This did not work".to_owned(),
            message: sentence(&problem.detail),
            who: problem.who,
            next_step: sentence(&problem.next_step),
        };
        let page = Message::refused(&refusal, None);
        render(&self.app, problem.status(), &page, None, None)
    }
}

/// What was sent here cannot be used; nothing was looked at.
pub fn refused(app: &App, problem: &Problem) -> Response {
    let page = Message {
        next_step: Some(sentence(&problem.next_step)),
        ..Message::new("warn", problem.title.clone(), sentence(&problem.detail))
    };
    render(app, problem.status(), &page, None, None)
}

/// The one answer to links that are unknown, expired, used, or not for this browser.
pub fn unusable(app: &App) -> Response {
    let page = Message {
        next_step: Some("Ask for a new link where you got this one.".to_owned()),
        ..Message::new(
            "warn",
            "This link cannot be used",
            "Connect links work once, in one browser, and for a short time. This one is past that, or was never valid.",
        )
    };
    render(app, StatusCode::NOT_FOUND, &page, None, None)
}

/// Begins with a capital and ends with a stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String =
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
