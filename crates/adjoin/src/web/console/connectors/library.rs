//! Connectors > Connector Library.

use askama::Template;
use axum::extract::State;

use crate::{
    service::App,
    store::{connectors, connectors::Connector},
    web::console::{
        Frame, Page, Result,
        parts::{Badge, Tone},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/connectors/library.html")]
pub struct Library {
    frame: Frame,
}

pub async fn show(State(_app): State<App>, frame: Frame) -> Result<Page<Library>> {
    Ok(Page::new(Library { frame }))
}
