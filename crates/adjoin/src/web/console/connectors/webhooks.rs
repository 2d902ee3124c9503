//! Connector Library > Facebook Marketing API > Webhooks: the app's own subscriptions.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Redirect,
};

use crate::{
    service::{
        App, settings,
        subscriptions::{self, AppState, AppSubscription, CALLBACK_PATH, Cause},
    },
    web::console::{
        Failure, Frame, Page, Result,
        connections::words::who,
        done::Done,
        forms::words,
        parts::{Copy, Mark, Tone},
        words::sentence,
    },
};

const PATH: &str = "/connectors/facebook-marketing/webhooks";

#[derive(Debug, Template)]
#[template(path = "console/connectors/webhooks.html")]
pub struct Webhooks {
    frame: Frame,
    subscriptions: Vec<AppSubscription>,
    /// Where Meta is told to send webhooks; `None` before the Service Domain is set.
    callback_url: Option<String>,
}

impl Webhooks {
    /// Where the object's webhooks go instead of here, when they do.
    fn elsewhere(it: &AppSubscription) -> Option<&str> {
        match &it.state {
            AppState::Faulty { fault, .. } => match &fault.cause {
                Cause::OtherCallback { callback_url } => Some(callback_url),
                _ => None,
            },
            _ => None,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "console/connectors/take_over.html")]
pub struct TakeOver {
    frame: Frame,
    subscription: AppSubscription,
}

pub async fn show(State(app): State<App>, frame: Frame) -> Result<Page<Webhooks>> {
    let subscriptions = subscriptions::of_app(&app).await?;
    let origin = settings::ServiceOrigin::of(&app, &settings::get(&app).await?);
    let callback_url = origin.map(|origin| origin.join(CALLBACK_PATH));
    Ok(Page::new(Webhooks { frame, subscriptions, callback_url }))
}

pub async fn confirm(
    State(app): State<App>,
    frame: Frame,
    Path(object): Path<String>,
) -> Result<Page<TakeOver>> {
    let all = subscriptions::of_app(&app).await?;
    let subscription =
        all.into_iter().find(|it| it.object.as_str() == object).ok_or_else(Failure::no_page)?;
    Ok(Page::new(TakeOver { frame, subscription }))
}

pub async fn take_over(State(app): State<App>, frame: Frame, Path(object): Path<String>) -> Result<Redirect> {
    let now = subscriptions::take_over(&app, &frame.actor(), &object).await?;
    match now.state {
        AppState::Active { .. } => Ok(Done::TakenOver.at(PATH)),
        AppState::Pending | AppState::Faulty { .. } => Ok(Redirect::to(PATH)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::{
            Who,
            subscriptions::{Object, SubscriptionFault},
        },
        time::Timestamp,
    };

    fn subscription(object: Object, state: AppState) -> AppSubscription {
        let now = Timestamp::from_unix(1_795_514_400);
        AppSubscription { object, state, checked_at: Some(now), check_at: now }
    }

    fn elsewhere() -> AppSubscription {
        let fault = SubscriptionFault {
            cause: Cause::OtherCallback { callback_url: "https://old.example/<hook>".to_owned() },
            message: "They go to https://old.example/<hook>.".to_owned(),
            who: Who::Partner,
            next_step: "take over".to_owned(),
        };
        let since = Timestamp::from_unix(1_795_514_400);
        subscription(Object::Page, AppState::Faulty { fault, since })
    }

    #[test]
    fn only_what_goes_elsewhere_can_be_taken_over() {
        let now = Timestamp::from_unix(1_795_514_400);
        let active = AppState::Active {
            callback_url: "https://us.example/webhooks/facebook".to_owned(),
            fields: vec!["leadgen".to_owned()],
            since: now,
        };
        let render = |subscriptions| {
            let callback_url = Some("https://us.example/webhooks/facebook".to_owned());
            Webhooks { frame: Frame::sample(now), subscriptions, callback_url }.render().unwrap()
        };
        let html = render(vec![subscription(Object::AdAccount, active.clone())]);
        assert!(html.contains("Subscribed") && html.contains("leadgen") && !html.contains("take-over"));
        let html = render(vec![elsewhere()]);
        assert!(html.contains("webhooks/page/take-over") && !html.contains("<hook>"));
        assert!(render(Vec::new()).contains("Nothing is subscribed yet"));
    }

    #[test]
    fn taking_over_says_from_whom() {
        let page = TakeOver { frame: Frame::sample(Timestamp::from_unix(0)), subscription: elsewhere() };
        let html = page.render().unwrap();
        assert!(html.contains("https://old.example/&#60;hook&#62;"));
    }
}
