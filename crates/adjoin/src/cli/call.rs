//! `adjoin call`: one method, through the JSON API of a running service.

use std::{io::Read as _, path::PathBuf};

use adjoin_marketing::catalogue::{self, Kind, Type};
use anyhow::bail;
use clap::Args;
use reqwest::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::{
    Outcome,
    service::{self, Service, Unusable, tell},
};

#[derive(Debug, Args)]
#[command(
    after_help = "The API key comes from ADJOIN_API_KEY, or from the file that --api-key-file names.\n\n\
    Exit codes: 0 done, 1 refused (by the rules, for want of a permission, by Meta), 2 the input cannot be used,\n\
    3 it failed (no service, no valid key, Meta is away or its limit is reached)."
)]
pub struct Call {
    /// Such as `ad_set.create`; GET /v1/methods lists all
    method: String,
    /// The account: its id, or your own id for it
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The connection, for an account with several
    #[arg(long, value_name = "ID", requires = "account")]
    connection: Option<String>,
    /// The arguments: a JSON object, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    /// One argument; may be given several times and wins over --args. Lists and objects are JSON
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    single: Vec<String>,
    /// Only tell what would happen
    #[arg(long)]
    preview: bool,
    /// The same key and call get the same answer for a day
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// The service
    #[arg(long, env = "ADJOIN_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// File with the API key
    #[arg(long, env = "ADJOIN_API_KEY_FILE", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

impl Call {
    pub async fn run(self) -> anyhow::Result<Outcome> {
        service::told(self.call().await)
    }

    async fn call(self) -> anyhow::Result<Outcome> {
        let arguments = self.arguments()?;
        let service = Service::new(self.url.clone(), self.api_key_file.as_deref())?;
        let path = match path(&service, &self).await? {
            Ok(path) => path,
            Err(refused) => return tell(refused.0, &refused.1),
        };
        let mut request = service.request(reqwest::Method::POST, &path)?.json(&arguments);
        if self.preview {
            request = request.query(&[("preview", "true")]);
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let (status, answer) = service.send(request).await?;
        tell(status, &answer)
    }

    fn arguments(&self) -> anyhow::Result<Map<String, Value>> {
        let unreadable =
            |what: &str, error: &dyn std::fmt::Display| Unusable(format!("{what} cannot be read: {error}"));
        let text = match self.args.as_deref() {
            None => "{}".to_owned(),
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map_err(|e| unreadable("standard input", &e))?;
                text
            }
            Some(text) => match text.strip_prefix('@') {
                Some(file) => std::fs::read_to_string(file).map_err(|e| unreadable(file, &e))?,
                None => text.to_owned(),
            },
        };
        let mut arguments: Map<String, Value> =
            serde_json::from_str(&text).map_err(|e| unreadable("--args (a JSON object)", &e))?;
        for single in &self.single {
            let (name, value) =
                single.split_once('=').ok_or_else(|| Unusable(format!("{single:?} is not NAME=VALUE")))?;
            arguments.insert(name.to_owned(), self.typed(name, value));
        }
        Ok(arguments)
    }

    /// The value as the method's argument of this name wants it.
    fn typed(&self, name: &str, value: &str) -> Value {
        let parameter = catalogue::method(&self.method).and_then(|method| method.parameter(name));
        match parameter.map(|parameter| parameter.r#type) {
            Some(Type::String | Type::Id | Type::Enum | Type::Datetime) => value.into(),
            _ => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
        }
    }
}

type Refused = (StatusCode, Value);

/// Where the method is called; or what the service said when the account was looked for.
async fn path(service: &Service, call: &Call) -> anyhow::Result<Result<Vec<String>, Refused>> {
    let Some(account) = call.account.as_deref() else {
        if catalogue::method(&call.method).is_some_and(|method| method.kind != Kind::Local) {
            bail!(Unusable(format!("{} is called for an account: name it with --account", call.method)));
        }
        return Ok(Ok(vec!["methods".to_owned(), call.method.clone()]));
    };
    let account = if account.starts_with("acc_") {
        account.to_owned()
    } else {
        let request = service
            .request(reqwest::Method::GET, &["accounts".to_owned()])?
            .query(&[("external_id", account)]);
        let (status, found) = service.send(request).await?;
        if !status.is_success() {
            return Ok(Err((status, found)));
        }
        match found["data"][0]["id"].as_str() {
            Some(id) => id.to_owned(),
            None => bail!(Unusable(format!("no account has the id {account:?}"))),
        }
    };
    let mut path = vec!["accounts".to_owned(), account];
    if let Some(connection) = call.connection.as_deref() {
        path.extend(["connections".to_owned(), connection.to_owned()]);
    }
    path.extend(["methods".to_owned(), call.method.clone()]);
    Ok(Ok(path))
}
