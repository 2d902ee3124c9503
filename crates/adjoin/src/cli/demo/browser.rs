//! Just enough of a browser to walk the consent over HTTP: redirects, cookies, forms.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use reqwest::{Client, Method, StatusCode, header, redirect};
use url::Url;

const REDIRECTS_MAX: usize = 10;

/// A browser with its cookies, kept by host and port.
pub struct Browser {
    http: Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page as it came, after redirects.
pub struct Page {
    pub url: Url,
    pub status: StatusCode,
    pub html: String,
}

/// A form with what it would send if nobody touched it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub post: bool,
    pub fields: Vec<(String, String)>,
    /// Submit buttons that carry a name: `(name, value)`.
    pub buttons: Vec<(String, String)>,
}

impl Browser {
    pub fn new() -> anyhow::Result<Self> {
        let http = Client::builder().redirect(redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { http, cookies: BTreeMap::new() })
    }

    pub async fn get(&mut self, url: &str) -> anyhow::Result<Page> {
        self.load(Method::GET, url.parse().with_context(|| format!("{url} is not a URL"))?, None).await
    }

    /// Submits a form of the page, with a button when one is named.
    pub async fn submit(&mut self, page: &Page, form: &Form, button: Option<&str>) -> anyhow::Result<Page> {
        let mut fields = form.fields.clone();
        if let Some(value) = button {
            let pressed = form.buttons.iter().find(|(_, v)| v == value);
            fields.push(pressed.cloned().with_context(|| format!("the page has no button {value:?}"))?);
        }
        let body = serde_urlencoded::to_string(&fields)?;
        let mut target =
            if form.action.is_empty() { page.url.clone() } else { page.url.join(&form.action)? };
        if form.post {
            self.load(Method::POST, target, Some((body, page.url.origin().ascii_serialization()))).await
        } else {
            target.set_query(Some(&body));
            self.load(Method::GET, target, None).await
        }
    }

    async fn load(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut form: Option<(String, String)>,
    ) -> anyhow::Result<Page> {
        for _ in 0..REDIRECTS_MAX {
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(jar) = self.cookies.get(url.authority()).filter(|jar| !jar.is_empty()) {
                let cookies = jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
                request = request.header(header::COOKIE, cookies.join("; "));
            }
            if let Some((body, origin)) = form.take() {
                request = request
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .header(header::ORIGIN, origin)
                    .body(body);
            }
            let response =
                request.send().await.with_context(|| format!("no answer from {}", url.authority()))?;
            self.keep_cookies(&url, &response);
            let status = response.status();
            if !status.is_redirection() {
                return Ok(Page { url, status, html: response.text().await? });
            }
            let location = response
                .headers()
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok())
                .context("a redirect without a target")?;
            url = url.join(location)?;
            url.set_fragment(None);
            if status != StatusCode::TEMPORARY_REDIRECT && status != StatusCode::PERMANENT_REDIRECT {
                method = Method::GET;
            }
        }
        bail!("more than {REDIRECTS_MAX} redirects")
    }

    fn keep_cookies(&mut self, url: &Url, response: &reqwest::Response) {
        let jar = self.cookies.entry(url.authority().to_owned()).or_default();
        for cookie in response.headers().get_all(header::SET_COOKIE).iter().filter_map(|v| v.to_str().ok()) {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let ended = attributes.to_ascii_lowercase().contains("max-age=0");
            if ended || value.is_empty() {
                jar.remove(name.trim());
            } else {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

impl Page {
    /// The form whose action contains the text.
    pub fn form(&self, action: &str) -> anyhow::Result<Form> {
        forms(&self.html)
            .into_iter()
            .find(|form| form.action.contains(action))
            .with_context(|| format!("{} shows no form for {action:?} ({})", self.url.path(), self.status))
    }
}

/// The forms of a page, in order.
pub fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut inside = false;
    let mut select: Option<(String, Vec<(String, bool)>)> = None;
    for tag in tags(html) {
        let get = |name: &str| tag.attributes.get(name).cloned();
        match (tag.name.as_str(), inside) {
            ("form", _) => {
                inside = true;
                forms.push(Form {
                    action: get("action").unwrap_or_default(),
                    post: get("method").is_some_and(|m| m.eq_ignore_ascii_case("post")),
                    fields: Vec::new(),
                    buttons: Vec::new(),
                });
            }
            ("/form", _) => inside = false,
            ("input", true) => {
                let (Some(form), Some(name)) = (forms.last_mut(), get("name")) else { continue };
                let kind = get("type").unwrap_or_else(|| "text".to_owned()).to_ascii_lowercase();
                let value = get("value").unwrap_or_default();
                match kind.as_str() {
                    "submit" => form.buttons.push((name, value)),
                    "checkbox" | "radio" if !tag.attributes.contains_key("checked") => {}
                    "checkbox" | "radio" if value.is_empty() => form.fields.push((name, "on".to_owned())),
                    _ if tag.attributes.contains_key("disabled") => {}
                    _ => form.fields.push((name, value)),
                }
            }
            ("button", true) => {
                if let (Some(form), Some(name)) = (forms.last_mut(), get("name")) {
                    form.buttons.push((name, get("value").unwrap_or_default()));
                }
            }
            ("select", true) => select = get("name").map(|name| (name, Vec::new())),
            ("option", true) => {
                if let Some((_, options)) = &mut select {
                    options.push((get("value").unwrap_or_default(), tag.attributes.contains_key("selected")));
                }
            }
            ("/select", true) => {
                if let (Some((name, options)), Some(form)) = (select.take(), forms.last_mut())
                    && let Some((value, _)) = options.iter().find(|(_, s)| *s).or_else(|| options.first())
                {
                    form.fields.push((name, value.clone()));
                }
            }
            _ => {}
        }
    }
    forms
}

struct Tag {
    /// In lower case, with the slash of a closing tag.
    name: String,
    attributes: BTreeMap<String, String>,
}

fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix("!--") {
            rest = after.find("-->").map_or("", |end| &after[end + 3..]);
            continue;
        }
        let name_end = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len());
        let name = rest[..name_end].trim_end_matches('/').to_ascii_lowercase();
        rest = &rest[name_end..];
        let mut attributes = BTreeMap::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() {
                break;
            }
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end =
                rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
            let key = rest[..end].to_ascii_lowercase();
            rest = &rest[end..];
            let Some(after) = rest.strip_prefix('=') else {
                attributes.insert(key, String::new());
                continue;
            };
            let (value, after) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                _ => {
                    after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len()))
                }
            };
            attributes.insert(key, unescape(value));
            rest = after;
        }
        tags.push(Tag { name, attributes });
    }
    tags
}

fn unescape(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'")];
    let text = named.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_sends_what_a_browser_would() {
        let html = r#"<!-- <form action="/no"> --><form method="POST" action="/go?a=1&amp;b=2">
            <input type=hidden name="dialog" value='x&#39;y'>
            <input type="checkbox" name="scope" value="ads_read" checked>
            <input type="checkbox" name="scope" value="ads_management">
            <select name="person"><option value="1">A<option value="2" selected>B</select>
            <button name="do" value="continue">Continue</button><button name="do" value="cancel">Cancel</button>
            </form>"#;
        let field = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            forms(html),
            [Form {
                action: "/go?a=1&b=2".to_owned(),
                post: true,
                fields: vec![field("dialog", "x'y"), field("scope", "ads_read"), field("person", "2")],
                buttons: vec![field("do", "continue"), field("do", "cancel")],
            }]
        );
    }

    #[test]
    fn broken_markup_ends() {
        for html in ["<", "<form", "<input name=", "<a b='", "<!--", "<form action=x><input name=y"] {
            forms(html);
        }
    }
}
