//! Connectors > Connector Library.

use askama::Template;
use axum::extract::State;

use crate::{
    service::{
        App,
        setup::{self, Setup},
    },
    web::console::{
        Frame, Page, Result,
        parts::{Badge, Tone},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/connectors/library.html")]
pub struct Library {
    frame: Frame,
    facebook: Option<Setup>,
}

pub async fn show(State(app): State<App>, frame: Frame) -> Result<Page<Library>> {
    Ok(Page::new(Library { frame, facebook: setup::get(&app).await? }))
}
