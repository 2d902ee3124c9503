//! The demo's second half: a submission on its way from the form to the partner's endpoint, and one whose webhook was
//! lost.

use std::time::{Duration, Instant};

use adjoin_sandbox::Facts;
use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Backend,
    browser::Browser,
    receiver::Receiver,
    steps::{Steps, shown},
    text,
};

/// How often the demo looks whether something has come about, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 160;

/// Somebody who would like to hear from Acme Bikes.
struct Visitor {
    name: &'static str,
    email: &'static str,
    bike: &'static str,
}

/// What the steps before made.
pub struct Scene<'a> {
    pub backend: &'a Backend,
    pub facts: &'a Facts,
    pub account: &'a str,
    /// Where methods of the connection are called.
    pub methods: &'a str,
    pub receiver: Receiver,
}

impl Scene<'_> {
    async fn method(&self, method: &str, arguments: Value) -> anyhow::Result<Value> {
        let path = format!("{}/{method}", self.methods);
        Ok(self.backend.ok(Method::POST, &path, Some(arguments)).await?["data"].take())
    }

    async fn of_account(&self, method: Method, path: &str) -> anyhow::Result<Value> {
        self.backend.ok(method, &format!("/v1/accounts/{}/{path}", self.account), None).await
    }

    /// Fills the form in at the sandbox, as a person with a browser would.
    async fn fill_in(&self, form: &str, visitor: &Visitor) -> anyhow::Result<()> {
        let mut browser = Browser::new()?;
        let page = browser.get(&format!("{}/forms/{form}", self.facts.admin_url)).await?;
        let mut sheet = page.form("/_sandbox/forms/")?;
        let answers = [("q0", visitor.name), ("q1", visitor.email), ("q2", visitor.bike), ("c0", "1")];
        sheet.fields.retain(|(name, _)| answers.iter().all(|(answered, _)| name != answered));
        sheet.fields.extend(answers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let thanks = browser.submit(&page, &sheet, None).await?;
        ensure!(thanks.url.path().ends_with("/thanks"), "the form was not taken: {}", thanks.status);
        Ok(())
    }

    async fn scenario(&self, method: Method, name: &str, value: Option<&str>) -> anyhow::Result<()> {
        let url = format!("{}/scenarios/{name}", self.facts.admin_url);
        let request = self.backend.http.request(method, url).json(&json!({ "value": value }));
        ensure!(request.send().await?.status().is_success(), "the sandbox has no scenario {name}");
        Ok(())
    }

    /// How many webhooks of leads the sandbox has lost.
    async fn lost(&self) -> anyhow::Result<Option<u64>> {
        let url = format!("{}/webhooks", self.facts.admin_url);
        let told: Value = self.backend.http.get(url).send().await?.json().await?;
        Ok(told["counts"]["lost"].as_u64())
    }

    /// Waits until Meta's webhooks of the Page come here.
    async fn until_active(&self) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            let listed = self.of_account(Method::GET, "subscriptions?limit=100").await?;
            let mut rows = listed["data"].as_array().into_iter().flatten();
            match rows.find(|row| row["object_id"] == self.facts.page_id) {
                Some(page) if page["state"] == "active" => return Ok(()),
                Some(page) if page["state"] == "faulty" => bail!("{}", page["fault"]),
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        bail!("the Page is not subscribed yet")
    }

    /// Waits until the form is known and its completeness is as wanted.
    async fn form(&self, form: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let path = format!("/v1/accounts/{}/forms/{form}", self.account);
        let mut last = Value::Null;
        for _ in 0..LOOKS {
            let (status, mut known) = self.backend.call(Method::GET, &path, None).await?;
            last = known["completeness"].take();
            if status.is_success() && wanted(&last) {
                return Ok(last);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(anyhow::anyhow!("{last}")).context("the form is not as it should be")
    }

    /// Waits for the lead of this person at the partner's endpoint; says what arrived.
    async fn arrives(&mut self, visitor: &Visitor, since: Instant) -> anyhow::Result<String> {
        let event = self.receiver.next("lead.created").await?;
        let took = since.elapsed().as_millis();
        let lead = &event["data"];
        let answers: Vec<String> = lead["answers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|answer| answer["values"][0].as_str())
            .map(str::to_owned)
            .collect();
        ensure!(answers.iter().any(|answer| answer == visitor.email), "it is not this person's: {event}");
        Ok(format!("{}: {}, after {took} ms", text(&event, "type"), answers.join(", ")))
    }
}

/// The steps, in order.
pub async fn walk(scene: &mut Scene<'_>, steps: &mut Steps) -> anyhow::Result<()> {
    let form = steps
        .run("form.create", "A lead form is created on the Page", async {
            let made = scene.method("form.create", new_form(&scene.facts.page_id)).await?;
            let id = text(&made, "id").to_owned();
            Ok(shown(id.clone(), format!("Test ride, three questions and a consent, {id}")))
        })
        .await?;
    steps
        .run("endpoint", "The partner's endpoint is registered", async {
            let new = json!({ "url": scene.receiver.url, "description": "CRM", "types": ["lead.*"] });
            let made = scene.backend.ok(Method::POST, "/v1/endpoints", Some(new)).await?;
            scene.receiver.trust(text(&made, "secret"))?;
            let path = format!("/v1/endpoints/{}/test", text(&made, "id"));
            scene.backend.ok(Method::POST, &path, None).await?;
            scene.receiver.next("endpoint.test").await?;
            Ok(shown((), format!("{}  a test event came, and its signature is right", scene.receiver.url)))
        })
        .await?;
    steps
        .run("subscriptions", "Meta sends the Page's webhooks here", async {
            scene.until_active().await?;
            // A sweep lists the Page's forms anew, and so learns what this one asks.
            scene.of_account(Method::POST, "forms/sweep").await?;
            scene.form(&form, |_| true).await?;
            Ok(shown((), "subscribed for the app and for the Page, read back to be sure; the form is known"))
        })
        .await?;
    steps
        .run("lead", "Somebody fills the form in, and it reaches the partner", async {
            let visitor = Visitor { name: "Ida Berg", email: "ida.berg@example.com", bike: "gravel" };
            let since = Instant::now();
            scene.fill_in(&form, &visitor).await?;
            let came = scene.arrives(&visitor, since).await?;
            Ok(shown((), format!("webhook, lead read with the Page's token, signed delivery\n{came}")))
        })
        .await?;
    steps
        .run("lead.lost", "The next webhook is lost, and the sweep finds the lead", async {
            let visitor = Visitor { name: "Noor Haddad", email: "noor.haddad@example.com", bike: "city" };
            scene.scenario(Method::PUT, "webhook_loss", Some("100")).await?;
            let since = Instant::now();
            scene.fill_in(&form, &visitor).await?;
            // In its own time it comes round by itself; the demo does not wait for that.
            scene.of_account(Method::POST, "forms/sweep").await?;
            let came = scene.arrives(&visitor, since).await?;
            scene.scenario(Method::DELETE, "webhook_loss", None).await?;
            ensure!(scene.lost().await? == Some(1), "the sandbox lost no webhook");
            // Meta's count follows the pass.
            let both = |counted: &Value| counted["at_meta"] == 2 && counted["held"] == 2;
            let missing = scene.form(&form, both).await?["missing"].take();
            let counted = format!("Meta counts 2 leads of this form, 2 are held here, {missing} missing");
            Ok(shown((), format!("no webhook came; the form was read instead\n{came}\n{counted}")))
        })
        .await
}

fn new_form(page_id: &str) -> Value {
    json!({
        "page_id": page_id,
        "name": "Test ride",
        "locale": "EN_US",
        "questions": [
            { "type": "FULL_NAME", "key": "full_name" },
            { "type": "EMAIL", "key": "email" },
            { "type": "CUSTOM", "key": "bike", "label": "Which bike would you like to try?",
              "options": [{ "key": "gravel", "value": "Gravel" }, { "key": "city", "value": "City" }] },
        ],
        "privacy_policy": { "url": "https://example.com/privacy", "link_text": "How we use your data" },
        "custom_disclaimer": {
            "title": "Your consent", "body": { "text": "We call you once about your test ride." },
            "checkboxes": [{ "key": "call", "text": "You may call me.", "is_required": true }],
        },
    })
}
