//! Overview: how far the setup is and what comes next.

use askama::Template;
use axum::extract::State;

use super::{
    Frame, Page, Result,
    charts::Charts,
    connections::words,
    parts::{Mark, Tone},
};
use crate::service::{
    App, api_keys,
    leads::charts,
    overview::{self, Counts, LeadCounts},
    settings::{self, ServiceOrigin},
    setup,
};

#[derive(Debug, Template)]
#[template(path = "console/overview.html")]
pub struct Overview {
    frame: Frame,
    counts: Counts,
    leads: LeadCounts,
    /// Once an account was connected.
    charts: Option<Charts>,
    steps: Vec<Step>,
}

/// A number of the leads' card: what it counts, how it stands, and where to see it.
struct Number {
    what: &'static str,
    count: i64,
    tone: Tone,
    link: &'static str,
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

    fn has_begun(&self) -> bool {
        has_begun(&self.counts)
    }

    /// Whether a connection works.
    fn is_connected(&self) -> bool {
        self.counts.connections_in("connected") + self.counts.connections_in("connected_with_gaps") > 0
    }

    /// Where leads stand, those first that somebody should look after.
    fn numbers(&self) -> Vec<Number> {
        let number = |what, count, tone: Tone, link| {
            let tone = if count > 0 { tone } else { Tone::Ok };
            Number { what, count, tone, link }
        };
        let leads = &self.leads;
        vec![
            number("Missing: Meta counts them, and they are not here", leads.missing, Tone::Bad, "/accounts"),
            number("Parked: they cannot be read from Meta", leads.parked, Tone::Bad, "/leads?state=parked"),
            number("Deliveries given up", leads.dead, Tone::Bad, "/endpoints"),
            number("Pages and ad accounts with a fault", leads.faults, Tone::Warn, "/accounts"),
            number("Being read from Meta", leads.seen, Tone::Note, "/leads?state=waiting"),
            number("Deliveries on their way", leads.undelivered, Tone::Note, "/endpoints"),
            number("Changes in quarantine", leads.quarantined, Tone::Note, "/quarantine"),
        ]
    }

    /// The first step that is not done.
    fn next(&self) -> Option<usize> {
        self.steps.iter().position(|step| !step.done)
    }
}

/// Whether any account was ever connected: one whose connection broke has leads to look after all the same.
fn has_begun(counts: &Counts) -> bool {
    words::STATES.iter().any(|state| *state != "installed" && counts.connections_in(state) > 0)
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
            what: "Install the connector in the account, and let whoever manages its ads connect from your product, or \
                   by a connect link where the settings allow them.",
            done: has_begun(&counts),
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
    let leads = overview::lead_counts(&app).await?;
    let charts = if has_begun(&counts) { Some(Charts::new(charts::charts(&app, None).await?)) } else { None };
    Ok(Page::new(Overview { frame, counts, leads, charts, steps }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn what_somebody_should_look_after_is_marked() {
        let leads = LeadCounts { missing: 3, seen: 1, ..LeadCounts::default() };
        let counts = Counts { accounts: 1, connections: [("connected".to_owned(), 1)].into() };
        let frame = Frame::sample(Timestamp::from_unix(0));
        let page =
            Overview { frame, counts, leads, charts: Some(Charts::new(Vec::new())), steps: Vec::new() };
        let tones: Vec<Tone> = page.numbers().iter().map(|it| it.tone).collect();
        assert_eq!(tones[..2], [Tone::Bad, Tone::Ok]);
        assert_eq!(tones[4], Tone::Note);
        assert!(page.render().unwrap().contains("Missing: Meta counts them"));
    }

    #[test]
    fn a_connection_that_broke_is_no_beginning() {
        let rendered = |state: &str| {
            let counts = Counts { accounts: 1, connections: [(state.to_owned(), 1)].into() };
            let charts = has_begun(&counts).then(|| Charts::new(Vec::new()));
            let frame = Frame::sample(Timestamp::from_unix(0));
            let page = Overview { frame, counts, leads: LeadCounts::default(), charts, steps: Vec::new() };
            page.render().unwrap()
        };
        let broken = rendered("broken");
        assert!(broken.contains("No connection works") && broken.contains("Missing: Meta counts them"));
        assert!(rendered("installed").contains("A few steps lead to the first connected account"));
    }
}
