//! Overview: how far the setup is and what comes next.

use askama::Template;
use axum::extract::State;

use super::{Frame, Page, Result};
use crate::service::App;

#[derive(Debug, Template)]
#[template(path = "console/overview.html")]
pub struct Overview {
    frame: Frame,
}

pub async fn show(State(_app): State<App>, frame: Frame) -> Result<Page<Overview>> {
    Ok(Page::new(Overview { frame }))
}
