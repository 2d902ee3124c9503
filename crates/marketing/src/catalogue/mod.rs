//! The methods a partner can call for an account, as data: what the service, the command line, the OpenAPI document
//! and the console all read.

mod arguments;
mod schema;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::facts::table;
use crate::vocabulary::{Kind as Words, Vocabulary, vocabulary};

pub use arguments::{ArgumentFault, Plan, Problem};
pub use schema::json_schema;

/// One method, such as `ad_set.create`.
#[derive(Debug, Clone, Serialize)]
pub struct Method {
    /// `resource.verb`.
    pub id: String,
    pub title: String,
    /// One or two sentences.
    pub what: String,
    pub kind: Kind,
    /// The call at Meta; `None` for a method that is answered here.
    pub http: Option<Http>,
    /// With which token it is called.
    pub token: Token,
    /// Any one of these permissions is enough; empty if none is needed.
    pub any_of: Vec<String>,
    /// And all of these are needed.
    pub all_of: Vec<String>,
    /// What is read when the caller names no `fields`.
    pub default_fields: Vec<String>,
    /// Answers page by page, with `limit` and `after`.
    pub paging: bool,
    pub parameters: Vec<Parameter>,
    /// Sent with every call; the caller cannot say otherwise.
    pub fixed: Map<String, Value>,
    pub source: String,
}

/// Whether a method changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Read,
    Write,
    /// Answered here, without a call to Meta.
    Local,
}

/// Whose token a method is called with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Token {
    /// That of whoever consented: a person or a system user.
    #[default]
    Connection,
    /// The own token of the Page that the argument `page_id` names.
    Page,
}

/// The call at Meta.
#[derive(Debug, Clone, Serialize)]
pub struct Http {
    pub verb: Verb,
    /// With the path parameters in braces: `/{ad_account_id}/adsets`; `/{form_id|ad_id}/leads` takes exactly one of the
    /// two. The version is not part of it.
    pub path: String,
}

impl Http {
    /// The parameters in the path, place by place; of those that stand together exactly one is given.
    pub fn places(&self) -> impl Iterator<Item = Vec<&str>> {
        let places = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        places.map(|names| names.split('|').collect())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Path,
    Query,
    Body,
    /// It stays here: it says how the call is made.
    Local,
}

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    String,
    /// An id: digits, as a string or a number; an ad account's may begin with `act_`.
    Id,
    Integer,
    Number,
    /// A whole number of minor currency units.
    MoneyMinor,
    Bool,
    /// ISO 8601 with an offset, or Unix seconds.
    Datetime,
    Object,
    List,
    /// A word of [`Parameter::words`]; other words are passed on, because Meta adds some without notice.
    Enum,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub r#in: Place,
    pub r#type: Type,
    /// The list of words an enum, or each item of a list, is taken from.
    #[serde(skip_serializing)]
    pub words: Option<Words>,
    #[serde(default)]
    pub required: bool,
    pub what: String,
    /// Sent when the caller says nothing.
    pub default: Option<Value>,
}

impl Parameter {
    /// The words an enum, or each item of a list, can be.
    pub fn vocabulary(&self) -> Option<&'static Vocabulary> {
        self.words.map(vocabulary)
    }
}

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    what: String,
    kind: Kind,
    verb: Option<Verb>,
    path: Option<String>,
    #[serde(default)]
    token: Token,
    any_of: Vec<String>,
    #[serde(default)]
    all_of: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    default_fields: Vec<String>,
    #[serde(default)]
    paging: bool,
    #[serde(default)]
    fixed: Map<String, Value>,
    #[serde(default)]
    parameter: Vec<Parameter>,
    source: String,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    parameter: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Table {
    group: Vec<Group>,
    method: Vec<Row>,
}

static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    let Table { group: groups, method: rows } =
        table("methods.toml", include_str!("../../data/methods.toml"));
    rows.into_iter()
        .map(|row| {
            let shared = row.groups.iter().flat_map(|name| {
                let group = groups.iter().find(|group| &group.name == name);
                group
                    .unwrap_or_else(|| panic!("data/methods.toml has no group {name}"))
                    .parameter
                    .iter()
                    .cloned()
            });
            Method {
                parameters: shared.chain(row.parameter).collect(),
                http: row.verb.zip(row.path).map(|(verb, path)| Http { verb, path }),
                id: row.id,
                title: row.title,
                what: row.what,
                kind: row.kind,
                token: row.token,
                any_of: row.any_of,
                all_of: row.all_of,
                default_fields: row.default_fields,
                paging: row.paging,
                fixed: row.fixed,
                source: row.source,
            }
        })
        .collect()
});

/// All methods, by resource.
pub fn methods() -> &'static [Method] {
    &METHODS
}

/// The method of this id (`ad_set.create`).
pub fn method(id: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.id == id)
}

impl Method {
    /// Whether it changes anything at Meta.
    pub fn is_write(&self) -> bool {
        self.kind == Kind::Write
    }

    /// The part of the id before the dot.
    pub fn resource(&self) -> &str {
        self.id.split_once('.').map_or(self.id.as_str(), |(resource, _)| resource)
    }

    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Whether these granted permissions are enough.
    pub fn permitted(&self, granted: &[String]) -> bool {
        (self.any_of.is_empty() || self.any_of.iter().any(|name| granted.contains(name)))
            && self.all_of.iter().all(|name| granted.contains(name))
    }

    /// The permissions that are not granted and would help; empty when those that are suffice.
    pub fn lacking(&self, granted: &[String]) -> Vec<&str> {
        let has_any = self.any_of.iter().any(|name| granted.contains(name));
        let any_of = self.any_of.iter().filter(|_| !has_any);
        any_of.chain(self.all_of.iter().filter(|name| !granted.contains(name))).map(String::as_str).collect()
    }

    /// The permissions it needs, in words: `leads_retrieval and pages_manage_ads`.
    pub fn permissions_in_words(&self) -> String {
        let any_of = (!self.any_of.is_empty()).then(|| self.any_of.join(" or "));
        any_of.into_iter().chain(self.all_of.iter().cloned()).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::permission;

    #[test]
    fn the_table_is_whole() {
        let mut ids: Vec<_> = methods().iter().map(|method| method.id.as_str()).collect();
        assert_eq!(ids.len(), 40);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 40, "an id stands twice");
        for method in methods() {
            assert_eq!(method.http.is_none(), method.kind == Kind::Local, "{}", method.id);
            assert_eq!(method.paging, method.parameter("after").is_some(), "{}", method.id);
            let permissions = method.any_of.iter().chain(&method.all_of);
            assert!(permissions.into_iter().all(|name| permission(name).is_some()), "{}", method.id);
            let mut names: Vec<_> = method.parameters.iter().map(|parameter| &parameter.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{} has a parameter twice", method.id);
        }
    }

    #[test]
    fn path_parameters_stand_in_the_path() {
        for method in methods() {
            let Some(http) = &method.http else { continue };
            let named: Vec<_> = http.places().flatten().collect();
            let declared: Vec<_> =
                method.parameters.iter().filter(|p| p.r#in == Place::Path).map(|p| p.name.as_str()).collect();
            assert_eq!(named, declared, "{}", method.id);
            for place in http.places() {
                let required = |name: &&str| method.parameter(name).unwrap().required;
                assert_eq!(place.iter().all(required), place.len() == 1, "{}", method.id);
            }
        }
    }

    #[test]
    fn a_method_with_the_token_of_a_page_asks_which_page() {
        for method in methods() {
            let page = method.parameter("page_id").filter(|page| page.required);
            assert!(method.token == Token::Connection || page.is_some(), "{}", method.id);
        }
    }

    #[test]
    fn permissions_are_counted() {
        let create = method("form.create").unwrap();
        let granted = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert!(!create.permitted(&granted(&["pages_manage_ads"])));
        assert!(create.permitted(&granted(&[
            "ads_management",
            "pages_manage_ads",
            "pages_read_engagement",
            "pages_show_list"
        ])));
        let read = method("campaign.get").unwrap();
        assert!(read.permitted(&granted(&["ads_read"])) && !read.permitted(&[]));
        assert_eq!(read.lacking(&[]), ["ads_read", "ads_management"]);
        assert!(read.lacking(&granted(&["ads_read"])).is_empty());
        assert_eq!(
            create.lacking(&granted(&["ads_management", "pages_show_list"])),
            ["pages_manage_ads", "pages_read_engagement"]
        );
        assert_eq!(read.permissions_in_words(), "ads_read or ads_management");
    }

    #[test]
    fn what_is_created_is_paused() {
        for id in ["campaign.create", "ad_set.create", "ad.create"] {
            let status = method(id).unwrap().parameter("status").unwrap();
            assert_eq!(status.default, Some(Value::from("PAUSED")), "{id}");
        }
    }
}
