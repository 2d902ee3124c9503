//! Overview: how far the setup is and what comes next.

use askama::Template;
use axum::extract::State;

use super::{Frame, Page, Result, connections::words};
use crate::service::{
    App, api_keys,
    overview::{self, Counts},
    settings::{self, ServiceOrigin},
    setup,
};

#[derive(Debug, Template)]
#[template(path = "console/overview.html")]
pub struct Overview {
    frame: Frame,
    counts: Counts,
    steps: Vec<Step>,
}

/// One step of the way to the first connected account.
#[derive(Debug)]
struct Step {
    title: &'static str,
    what: &'static str,
    done: bool,
    link: &'static str,
    verb: &'static str,
}

impl Overview {
    fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.done)
    }

    fn is_connected(&self) -> bool {
        connected(&self.counts) > 0
    }

    /// The first step that is not done.
    fn next(&self) -> Option<usize> {
        self.steps.iter().position(|step| !step.done)
    }
}

fn connected(counts: &Counts) -> i64 {
    counts.connections_in("connected") + counts.connections_in("connected_with_gaps")
}

pub async fn show(State(app): State<App>, frame: Frame) -> Result<Page<Overview>> {
    let counts = overview::counts(&app).await?;
    let settings = settings::get(&app).await?;
    let steps = vec![
        Step {
            title: "Set the Service Domain",
            what: "The host under which browsers and Meta reach this service. The redirect URI follows from it.",
            done: ServiceOrigin::of(&app, &settings).is_some(),
            link: "/settings",
            verb: "Open the settings",
        },
        Step {
            title: "Set up Facebook Marketing API",
            what: "Client ID and Client Secret of your own Meta app, and what you will use it for.",
            done: setup::get(&app).await?.is_some(),
            link: "/connectors/facebook-marketing/setup",
            verb: "Open the setup",
        },
        Step {
            title: "Create an account",
            what: "One for each customer. Begin with one of your own to try things out.",
            done: counts.accounts > 0,
            link: "/accounts/new",
            verb: "Create an account",
        },
        Step {
            title: "Connect it",
            what: "Install the connector in the account and send its connect link to whoever manages its ads.",
            done: connected(&counts) > 0,
            link: "/accounts",
            verb: "Choose an account",
        },
        Step {
            title: "Create an API key",
            what: "Your product's backend calls the service with it.",
            done: !api_keys::list(&app).await?.is_empty(),
            link: "/settings/api-keys",
            verb: "Create a key",
        },
    ];
    Ok(Page::new(Overview { frame, counts, steps }))
}
