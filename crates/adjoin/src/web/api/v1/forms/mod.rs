pub mod backfill;
pub mod canary_daily;
pub mod canary_run;
pub mod get;
pub mod list;
pub mod sweep;

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct FormPath {
    /// Meta's id of the form.
    pub form_id: String,
}

/// An id of Meta's: digits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", inline, extend("pattern" = "^[0-9]{1,20}$"))]
pub struct MetaId(pub String);

impl TryFrom<String> for MetaId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for MetaId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(text.to_owned())).ok_or("it is no id of Meta's, expected digits")
    }
}

impl fmt::Display for MetaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
