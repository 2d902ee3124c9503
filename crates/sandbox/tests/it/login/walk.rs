//! A browser without script: reads the one form of a page, ticks, presses.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect::Policy};

pub struct Page {
    client: Client,
    pub status: StatusCode,
    pub url: Url,
    pub html: String,
    /// Where it sent us, when it did.
    pub location: Option<Url>,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

/// Opens a page and stays on it: redirects are looked at, not followed.
pub async fn open(request: RequestBuilder) -> Page {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = request.build().unwrap();
    load(client, request).await
}

async fn load(client: Client, request: reqwest::Request) -> Page {
    let url = request.url().clone();
    let response = client.execute(request).await.unwrap();
    let status = response.status();
    let location = response.headers().get("location").map(|value| url.join(value.to_str().unwrap()).unwrap());
    let html = response.text().await.unwrap();
    let action = tags(&html, "form").next().and_then(|tag| attribute(tag, "action")).unwrap_or_default();
    let fields = tags(&html, "input")
        .filter(|tag| {
            let kind = attribute(tag, "type").unwrap_or_default();
            !matches!(kind.as_str(), "checkbox" | "radio") || tag.split_whitespace().any(|w| w == "checked")
        })
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
        .collect();
    Page { client, status, url, html, location, action, fields }
}

fn tags<'h>(html: &'h str, name: &str) -> impl Iterator<Item = &'h str> + use<'h> {
    let open = format!("<{name} ");
    let mut rest = html;
    std::iter::from_fn(move || {
        let tag = &rest[rest.find(&open)? + open.len()..];
        let end = tag.find('>')?;
        rest = &tag[end..];
        Some(&tag[..end])
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = &tag[at..];
    Some(value[..value.find('"')?].replace("&amp;", "&").replace("&#38;", "&"))
}

impl Page {
    /// Unticks a box that is ticked.
    #[track_caller]
    pub fn untick(mut self, name: &str, value: &str) -> Self {
        let before = self.fields.len();
        self.fields.retain(|(n, v)| (n.as_str(), v.as_str()) != (name, value));
        assert_eq!(self.fields.len() + 1, before, "{name}={value} was ticked");
        self
    }

    /// Sets a field, whatever it was.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    pub async fn press(&self, action: &str) -> Self {
        let mut fields = self.fields.clone();
        fields.push(("action".to_owned(), action.to_owned()));
        let url = self.url.join(&self.action).unwrap();
        let request = self.client.post(url).form(&fields).build().unwrap();
        load(self.client.clone(), request).await
    }

    /// Follows a link of the page.
    pub async fn follow(&self, path: &str) -> Self {
        let url = self.url.join(path).unwrap();
        load(self.client.clone(), self.client.get(url).build().unwrap()).await
    }

    /// The query with which the app got the browser back.
    #[track_caller]
    pub fn back(&self) -> BTreeMap<String, String> {
        let location = self.location.as_ref().unwrap_or_else(|| panic!("{}: {}", self.status, self.html));
        assert!(location.as_str().starts_with(super::CALLBACK), "{location}");
        location.query_pairs().into_owned().collect()
    }
}
