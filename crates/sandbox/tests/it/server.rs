//! A sandbox on a free port, and short ways to call it.

use adjoin_sandbox::{Facts, Options, Sandbox, SharedWorld};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

pub struct Server {
    pub facts: Facts,
    pub client: Client,
    pub world: SharedWorld,
}

/// An answer with its body read.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a good answer.
    #[track_caller]
    pub fn good(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Code and subcode of a refusal.
    #[track_caller]
    pub fn code(&self) -> (i64, Option<i64>) {
        let error = &self.body["error"];
        assert!(error.is_object(), "an error, not {}", self.body);
        (error["code"].as_i64().unwrap(), error["error_subcode"].as_i64())
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = Sandbox::new(options, listener).unwrap();
        let facts = sandbox.facts().clone();
        let world = sandbox.world();
        tokio::spawn(sandbox.run(std::future::pending()));
        Self { facts, client: Client::new(), world }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.facts.graph_url)
    }

    /// A call of the newest version with its parameters in the query, as the default token.
    pub async fn call(&self, method: Method, path: &str, params: &Value) -> Answer {
        let mut query: Vec<(String, String)> = vec![("access_token".into(), self.facts.access_token.clone())];
        if !params["access_token"].is_null() {
            query.clear();
        }
        query.extend(params.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(
            |(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        ));
        let request = self.client.request(method, self.url(&format!("v26.0/{path}"))).query(&query);
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str, params: Value) -> Answer {
        self.call(Method::GET, path, &params).await
    }

    pub async fn post(&self, path: &str, params: Value) -> Answer {
        self.call(Method::POST, path, &params).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, &json!({})).await
    }

    pub async fn patch(&self, path: &str, params: Value) -> Answer {
        self.call(Method::PATCH, path, &params).await
    }

    /// The token of the first Page, derived from the default token.
    pub async fn page_token(&self) -> String {
        let page = self.get(&self.facts.page_id, json!({ "fields": "access_token" })).await.good();
        page["access_token"].as_str().unwrap().to_owned()
    }

    pub fn app_token(&self) -> String {
        format!("{}|{}", self.facts.app_id, self.facts.app_secret)
    }

    /// A call of the admin path.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.facts.admin_url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub fn advance(&self, seconds: i64) {
        self.world.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    pub fn scenario(&self, text: &str) {
        self.world.write().unwrap().scenarios.set(text.parse().unwrap());
    }

    pub fn no_scenarios(&self) {
        self.world.write().unwrap().scenarios = adjoin_sandbox::scenarios::Scenarios::default();
    }

    pub fn account(&self, edge: &str) -> String {
        format!("{}/{edge}", self.facts.ad_account_id)
    }

    pub async fn campaign(&self, name: &str) -> String {
        let answer = self.post(&self.account("campaigns"), campaign(name)).await.good();
        answer["id"].as_str().unwrap().to_owned()
    }

    pub async fn ad_set(&self, campaign: &str) -> String {
        let answer = self.post(&self.account("adsets"), ad_set(campaign)).await.good();
        answer["id"].as_str().unwrap().to_owned()
    }

    pub async fn creative(&self) -> String {
        let answer = self.post(&self.account("adcreatives"), creative(&self.facts.page_id)).await.good();
        answer["id"].as_str().unwrap().to_owned()
    }

    pub async fn ad(&self, ad_set: &str, creative: &str) -> String {
        let params = json!({ "name": "Ad", "adset_id": ad_set, "creative": { "creative_id": creative }, "status": "PAUSED" });
        let answer = self.post(&self.account("ads"), params).await.good();
        answer["id"].as_str().unwrap().to_owned()
    }
}

pub fn campaign(name: &str) -> Value {
    json!({
        "name": name,
        "objective": "OUTCOME_TRAFFIC",
        "status": "PAUSED",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": false,
    })
}

pub fn ad_set(campaign: &str) -> Value {
    json!({
        "name": "Set",
        "campaign_id": campaign,
        "status": "PAUSED",
        "daily_budget": 2000,
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "LINK_CLICKS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "destination_type": "WEBSITE",
        "targeting": {
            "geo_locations": { "countries": ["US"] },
            "targeting_automation": { "advantage_audience": 1 },
        },
    })
}

pub fn creative(page: &str) -> Value {
    json!({
        "name": "Creative",
        "object_story_spec": {
            "page_id": page,
            "link_data": { "link": "https://example.com/", "message": "Hello" },
        },
    })
}
