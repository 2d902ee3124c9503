//! Lead forms, leads, and the webhooks that tell of them.

mod access;
mod ads;
mod alerts;
mod events;
mod filled;
mod forms;
mod reading;
mod receiver;
mod subscriptions;
mod visitor;
mod webhooks;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server};

impl Server {
    /// Sends the first form in; the leads' ids.
    async fn submit(&self, wish: Value) -> Vec<String> {
        let path = format!("/forms/{}/leads", self.facts.form_id);
        let ids = self.admin(Method::POST, &path, Some(wish)).await.good()["ids"].clone();
        ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// A call with the token of the first Page.
    async fn as_page(&self, method: Method, path: &str, mut params: Value) -> Answer {
        params["access_token"] = self.page_token().await.into();
        self.call(method, path, &params).await
    }

    async fn page_gets(&self, path: &str, params: Value) -> Answer {
        self.as_page(Method::GET, path, params).await
    }

    fn form(&self, edge: &str) -> String {
        format!("{}/{edge}", self.facts.form_id)
    }

    /// An ad that opens the first form.
    async fn lead_ad(&self) -> String {
        let mut campaign = crate::server::campaign("Leads");
        campaign["objective"] = json!("OUTCOME_LEADS");
        let campaign = self.post(&self.account("campaigns"), campaign).await.good();
        let mut set = crate::server::ad_set(campaign["id"].as_str().unwrap());
        set["name"] = json!("Lead set");
        set["destination_type"] = json!("ON_AD");
        set["optimization_goal"] = json!("LEAD_GENERATION");
        set["promoted_object"] = json!({ "page_id": self.facts.page_id });
        let set = self.post(&self.account("adsets"), set).await.good();
        let mut creative = crate::server::creative(&self.facts.page_id);
        creative["object_story_spec"]["link_data"]["call_to_action"] =
            json!({ "type": "SIGN_UP", "value": { "lead_gen_form_id": self.facts.form_id } });
        let creative = self.post(&self.account("adcreatives"), creative).await.good();
        self.ad(set["id"].as_str().unwrap(), creative["id"].as_str().unwrap()).await
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}
