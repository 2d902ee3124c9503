//! Deleting an endpoint, which asks first.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Redirect,
};

use super::endpoint_id;
use crate::{
    service::{
        App,
        api_keys::Reach,
        deliveries::{self, Endpoint},
    },
    web::console::{Frame, Page, Result, done::Done},
};

#[derive(Debug, Template)]
#[template(path = "console/endpoints/delete.html")]
pub struct Delete {
    frame: Frame,
    endpoint: Endpoint,
}

pub async fn confirm(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Page<Delete>> {
    let endpoint = deliveries::get(&app, &Reach::AllAccounts, &endpoint_id(&id)?).await?;
    Ok(Page::new(Delete { frame, endpoint }))
}

pub async fn submit(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    deliveries::delete(&app, &frame.actor(), &Reach::AllAccounts, &endpoint_id(&id)?).await?;
    Ok(Done::EndpointDeleted.at("/endpoints"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::deliveries::State as EndpointState, time::Timestamp,
        web::console::endpoints::page::tests::endpoint,
    };

    #[test]
    fn it_says_what_is_lost() {
        let page = Delete {
            frame: Frame::sample(Timestamp::from_unix(0)),
            endpoint: endpoint(EndpointState::Enabled),
        };
        assert!(page.render().unwrap().contains("its deliveries"));
    }
}
