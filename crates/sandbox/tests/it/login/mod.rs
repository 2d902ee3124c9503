//! Login as an app and a browser go through it: dialog, code, tokens, scenarios.

mod admin;
mod dialog;
mod exchange;
mod permissions;
mod proof;
mod tokens;
mod walk;

use std::collections::BTreeMap;

use adjoin_sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server};
use walk::Page;

const CALLBACK: &str = "https://service.test/connector/callback";
const SCOPE: &str = "ads_read,ads_management,pages_show_list,pages_manage_ads,business_management";

/// A sandbox whose app knows [`CALLBACK`], with scenarios that are on from the start.
async fn sandbox(scenarios: &[&str]) -> Server {
    Server::with(Options {
        redirect_uris: vec![CALLBACK.to_owned()],
        scenarios: scenarios.iter().map(|&s| s.to_owned()).collect(),
        ..Options::default()
    })
    .await
}

impl Server {
    /// Opens the dialog as an app sends a browser there; parameters replace or extend the usual ones.
    async fn dialog(&self, params: &[(&str, &str)]) -> Page {
        let mut query = BTreeMap::from([
            ("client_id", self.facts.app_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("state", "st/ate+1"),
            ("response_type", "code"),
        ]);
        query.extend(params.iter().copied());
        query.retain(|_, value| !value.is_empty());
        let url = format!("{}/v26.0/dialog/oauth", self.facts.dialog_url);
        walk::open(self.client.get(url).query(&query)).await
    }

    /// The dialog as somebody else than the customer who is signed in.
    async fn dialog_as(&self, person: &str, params: &[(&str, &str)]) -> Page {
        let page = self.dialog(params).await;
        page.follow(&format!("{}?person={person}", page.action)).await
    }

    /// Everything is granted and the code comes back.
    async fn code(&self, params: &[(&str, &str)]) -> String {
        self.dialog(params).await.press("continue").await.back()["code"].clone()
    }

    async fn exchange(&self, params: &[(&str, &str)]) -> Answer {
        let mut form = BTreeMap::from([
            ("client_id", self.facts.app_id.as_str()),
            ("client_secret", self.facts.app_secret.as_str()),
            ("redirect_uri", CALLBACK),
        ]);
        form.extend(params.iter().copied());
        let url = self.url("v26.0/oauth/access_token");
        Answer::of(self.client.post(url).form(&form).send().await.unwrap()).await
    }

    /// From the dialog to a token, everything granted.
    async fn token(&self, params: &[(&str, &str)]) -> String {
        let code = self.code(params).await;
        text(&self.exchange(&[("code", &code)]).await.good(), "access_token")
    }

    async fn debug(&self, token: &str) -> Value {
        let app_token = format!("{}|{}", self.facts.app_id, self.facts.app_secret);
        let params = json!({ "input_token": token, "access_token": app_token });
        self.as_token(Method::GET, "debug_token", &params).await.good()["data"].clone()
    }

    /// A call with the token (and everything else) in `params`.
    async fn as_token(&self, method: Method, path: &str, params: &Value) -> Answer {
        let query: Vec<(String, String)> = params
            .as_object()
            .into_iter()
            .flatten()
            .map(|(n, v)| (n.clone(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
            .collect();
        let request = self.client.request(method, self.url(&format!("v26.0/{path}"))).query(&query);
        Answer::of(request.send().await.unwrap()).await
    }

    async fn me(&self, token: &str) -> Answer {
        self.as_token(Method::GET, "me", &json!({ "access_token": token })).await
    }

    /// The id of a person or business whose name begins so.
    fn id_of(&self, name: &str) -> String {
        let world = self.world.read().unwrap();
        let people = world.identity.people.values().map(|p| (&p.name, &p.id));
        let businesses = world.identity.businesses.values().map(|b| (&b.name, &b.id));
        people.chain(businesses).find(|(n, _)| n.starts_with(name)).unwrap().1.clone()
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

/// The names in a list of strings.
fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The `target_ids` of a permission in an answer of `debug_token`.
fn targets<'v>(debug: &'v Value, scope: &str) -> Option<&'v Value> {
    let rows = debug["granular_scopes"].as_array()?;
    rows.iter().find(|row| row["scope"] == scope)?.get("target_ids")
}
