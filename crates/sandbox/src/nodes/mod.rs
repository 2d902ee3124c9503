//! The Graph nodes and edges, one file a kind. [`ROUTES`] is all there is; whatever it lacks is answered 501.

mod ad;
mod ad_account;
mod ad_creative;
mod ad_image;
mod ad_set;
mod ad_video;
mod alerts;
mod app_subscriptions;
mod application;
mod business;
mod campaign;
mod catalog;
mod copies;
mod events;
mod filter;
mod insights;
mod lead;
mod lead_form;
mod list;
mod page;
mod pixel;
mod read;
mod refusals;
mod report_run;
mod resolve;
mod subscribed_apps;
mod table;
mod user;
mod write;

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    meters::Asset,
    protocol::{Call, Caller, GraphError, Method, Params, fields},
    world::{
        World, leads,
        objects::{Object, ObjectKind},
    },
};
pub use ad_image::media_type;
pub use list::{List, Row, Rows};
pub use write::unix_time;

/// The node types of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    AdAccount,
    Campaign,
    AdSet,
    Ad,
    AdCreative,
    AdImage,
    AdVideo,
    Pixel,
    Page,
    LeadForm,
    Lead,
    Catalog,
    ProductSet,
    Business,
    User,
    SystemUser,
    Application,
    ReportRun,
}

impl Kind {
    pub const ALL: [Self; 18] = [
        Self::AdAccount,
        Self::Campaign,
        Self::AdSet,
        Self::Ad,
        Self::AdCreative,
        Self::AdImage,
        Self::AdVideo,
        Self::Pixel,
        Self::Page,
        Self::LeadForm,
        Self::Lead,
        Self::Catalog,
        Self::ProductSet,
        Self::Business,
        Self::User,
        Self::SystemUser,
        Self::Application,
        Self::ReportRun,
    ];

    /// As Meta's errors name it.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::AdAccount => "AdAccount",
            Self::Campaign => "Campaign",
            Self::AdSet => "AdSet",
            Self::Ad => "Ad",
            Self::AdCreative => "AdCreative",
            Self::AdImage => "AdImage",
            Self::AdVideo => "AdVideo",
            Self::Pixel => "AdsPixel",
            Self::Page => "Page",
            Self::LeadForm => "LeadGenForm",
            Self::Lead => "UserLeadGenInfo",
            Self::Catalog => "ProductCatalog",
            Self::ProductSet => "ProductSet",
            Self::Business => "Business",
            Self::User => "User",
            Self::SystemUser => "SystemUser",
            Self::Application => "Application",
            Self::ReportRun => "AdReportRun",
        }
    }

    /// Whether its calls are Marketing API calls, which need a version.
    fn is_marketing(self) -> bool {
        matches!(
            self,
            Self::AdAccount
                | Self::Campaign
                | Self::AdSet
                | Self::Ad
                | Self::AdCreative
                | Self::AdImage
                | Self::Pixel
                | Self::Catalog
                | Self::ProductSet
                | Self::ReportRun
        )
    }
}

/// A node that exists. Ad accounts have their id with `act_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    pub id: String,
}

impl Node {
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }

    /// The number in the id; zero for nodes whose id is no number.
    pub fn number(&self) -> u64 {
        self.id.strip_prefix("act_").unwrap_or(&self.id).parse().unwrap_or_default()
    }
}

/// The value of a field.
#[derive(Debug)]
pub enum Cell {
    Value(Value),
    /// Another node, read with the sub-fields of the request; without any, with these.
    Node(Node, &'static [&'static str]),
}

impl<T: Into<Value>> From<T> for Cell {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

/// What a read needs to know.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub world: &'a World,
    pub caller: &'a Caller,
    /// The version that answers.
    pub version: &'a str,
    pub call: &'a Call,
    /// How many more nodes this answer may hold.
    pub room: &'a Room,
}

/// Nodes that one answer may hold before Meta asks for less.
const NODES_AN_ANSWER: u32 = 25_000;

/// Counts the nodes of an answer down, however deep they are nested.
pub struct Room(std::cell::Cell<u32>);

impl Default for Room {
    fn default() -> Self {
        Self(std::cell::Cell::new(NODES_AN_ANSWER))
    }
}

impl Room {
    fn take(&self) -> Result<(), GraphError> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| {
            GraphError::new(1, "Please reduce the amount of data you're asking for, then retry your request")
                .status(StatusCode::INTERNAL_SERVER_ERROR)
        })?;
        self.0.set(left);
        Ok(())
    }
}

type ListFn = for<'a> fn(Scope<'a>, &Node, &Params) -> Result<List<'a>, GraphError>;
type DoFn = fn(&mut World, &Request<'_>, &Node) -> Result<Value, GraphError>;

/// A write, with what it needs to answer.
pub struct Request<'a> {
    pub call: &'a Call,
    pub caller: &'a Caller,
    pub version: &'a str,
    pub room: Room,
}

impl Request<'_> {
    pub fn params(&self) -> &Params {
        &self.call.params
    }

    pub fn scope<'a>(&'a self, world: &'a World) -> Scope<'a> {
        Scope { world, caller: self.caller, version: self.version, call: self.call, room: &self.room }
    }
}

#[derive(Clone, Copy)]
enum Action {
    Read,
    List(ListFn),
    Do(DoFn),
}

/// One thing the sandbox can do.
pub struct Route {
    method: Method,
    kind: Kind,
    edge: Option<&'static str>,
    action: Action,
}

const fn node(kind: Kind) -> Route {
    Route { method: Method::Get, kind, edge: None, action: Action::Read }
}

const fn edge(kind: Kind, edge: &'static str, list: ListFn) -> Route {
    Route { method: Method::Get, kind, edge: Some(edge), action: Action::List(list) }
}

const fn create(kind: Kind, edge: &'static str, act: DoFn) -> Route {
    Route { method: Method::Post, kind, edge: Some(edge), action: Action::Do(act) }
}

const fn update(kind: Kind, act: DoFn) -> Route {
    Route { method: Method::Post, kind, edge: None, action: Action::Do(act) }
}

const fn delete(kind: Kind, edge: Option<&'static str>, act: DoFn) -> Route {
    Route { method: Method::Delete, kind, edge, action: Action::Do(act) }
}

/// Everything that is implemented, login aside.
const ROUTES: &[&[Route]] = &[
    ad_account::ROUTES,
    campaign::ROUTES,
    ad_set::ROUTES,
    ad::ROUTES,
    ad_creative::ROUTES,
    ad_image::ROUTES,
    ad_video::ROUTES,
    pixel::ROUTES,
    page::ROUTES,
    lead_form::ROUTES,
    lead::ROUTES,
    subscribed_apps::ROUTES,
    app_subscriptions::ROUTES,
    alerts::ROUTES,
    events::ROUTES,
    catalog::ROUTES,
    business::ROUTES,
    user::ROUTES,
    application::ROUTES,
    report_run::ROUTES,
];

/// Words at the root of the Graph that are no alias of a node, and that the sandbox does not serve.
const OTHER_ROOTS: [&str; 6] =
    ["ads_archive", "instagram_oembed", "oembed_post", "pages", "search", "whatsapp_business"];

fn find(method: Method, kind: Kind, edge: Option<&str>) -> Option<Action> {
    ROUTES
        .iter()
        .flat_map(|routes| routes.iter())
        .find(|route| route.method == method && route.kind == kind && route.edge == edge)
        .map(|route| route.action)
}

/// The calls of login, which `login::graph` answers.
const LOGIN: [(&str, &str); 9] = [
    ("GET", "/oauth/access_token"),
    ("GET", "/oauth/client_code"),
    ("GET", "/oauth/revoke"),
    ("GET", "/debug_token"),
    ("GET", "/{User}/permissions"),
    ("DELETE", "/{User}/permissions"),
    ("DELETE", "/{User}/permissions/{permission}"),
    ("POST", "/{Business}/system_user_access_tokens"),
    ("POST", "/ (batch)"),
];

/// What is implemented, for people and scripts that want to know before they rely on it.
pub fn coverage() -> Value {
    let mut rows: Vec<Value> = Vec::new();
    for route in ROUTES.iter().flat_map(|routes| routes.iter()) {
        let edge = route.edge.map_or_else(String::new, |edge| format!("/{edge}"));
        rows.push(json!({
            "method": route.method.name(),
            "path": format!("/{{{}}}{edge}", route.kind.type_name()),
            "source": table::of(route.kind).source,
        }));
    }
    let login = LOGIN
        .map(|(method, path)| json!({ "method": method, "path": path, "source": "facebook-login/guides, graph-api" }));
    rows.extend(login);
    json!({ "data": rows })
}

/// Whether a call is one of the Marketing API, for which the version is not optional.
pub fn is_marketing(world: &World, call: &Call) -> bool {
    let Some(first) = call.path.first() else { return false };
    first.starts_with("act_") || resolve::asset(world, first).is_some_and(|node| node.kind.is_marketing())
}

/// What a call's limits are counted on.
pub fn metered_asset(world: &World, call: &Call) -> Asset {
    if let Some(page) = page_of_leads(world, call) {
        return Asset::Leads(page);
    }
    if let Some(account) = metered_account(world, call) {
        let insights = call.path.get(1).is_some_and(|edge| edge == "insights");
        return Asset::AdAccount { account, insights };
    }
    let Some(node) = call.path.first().and_then(|first| resolve::asset(world, first)) else {
        return Asset::Other;
    };
    match node.kind {
        Kind::Page => Asset::Page(node.id),
        Kind::Catalog => Asset::Catalog(node.id),
        Kind::ProductSet => world
            .assets
            .catalog_of_set(&node.id)
            .map_or(Asset::Other, |catalog| Asset::Catalog(catalog.id.clone())),
        _ => Asset::Other,
    }
}

/// The ad account whose meters a call counts on.
pub fn metered_account(world: &World, call: &Call) -> Option<u64> {
    let first = call.path.first()?;
    if let Some(number) = first.strip_prefix("act_") {
        return number.parse().ok();
    }
    let id = first.parse().ok()?;
    let objects = &world.objects;
    objects
        .get(id)
        .map(|object| object.account)
        .or_else(|| objects.reports.get(&id).map(|report| report.account))
}

/// The Page whose leads or lead forms a call is for; such calls have a meter of their own.
pub fn page_of_leads(world: &World, call: &Call) -> Option<String> {
    let first = call.path.first()?;
    if let Some(form) = world.leads.form(first) {
        return Some(form.page_id.clone());
    }
    let edge = call.path.get(1).map(String::as_str);
    if edge == Some("leadgen_forms") {
        return world.assets.pages.contains_key(first).then(|| first.clone());
    }
    let id = first.parse().ok()?;
    let query = leads::Query { of: leads::Of::Ad(id), from: 0, until: i64::MAX };
    let lead = match edge {
        Some("leads") => *world.leads.page(&query, |_| true, leads::From::Start, 1).ids.first()?,
        _ => id,
    };
    Some(world.leads.get(lead)?.form()?.page_id.clone())
}

/// The ads whose creative opens a lead form, in the order of making.
pub fn ads_with_form(world: &World, form_id: &str) -> Vec<u64> {
    let objects = &world.objects;
    let opens = |creative: &Object| {
        creative
            .field("object_story_spec")
            .and_then(refusals::lead_form)
            .is_some_and(|(_, form)| form == form_id)
    };
    objects
        .all(ObjectKind::Ad)
        .filter(|ad| {
            ad::creative_id(ad)
                .and_then(|id| objects.of_kind(id.parse().ok()?, ObjectKind::AdCreative))
                .is_some_and(opens)
        })
        .map(|ad| ad.id)
        .collect()
}

/// Answers a call of an authenticated caller.
pub fn execute(world: &mut World, caller: &Caller, call: &Call, version: &str) -> Result<Value, GraphError> {
    let [first, rest @ ..] = call.path.as_slice() else {
        return Err(not_implemented(call));
    };
    if OTHER_ROOTS.contains(&first.as_str()) || first.starts_with("upload:") {
        return Err(not_implemented(call));
    }
    let edge = match rest {
        [] => None,
        [edge] => Some(edge.clone()),
        // What stands below an edge without being a node of its own.
        [edge, _] => Some(format!("{edge}/{{id}}")),
        _ => return Err(not_implemented(call)),
    };
    let edge = edge.as_deref();
    let node = resolve::resolve(world, caller, call.method, first)?;
    match find(call.method, node.kind, edge) {
        Some(Action::Do(act)) => {
            let watch = alerts::Watch::begin(world, &node);
            let answer = act(world, &Request { call, caller, version, room: Room::default() }, &node)?;
            watch.end(world);
            Ok(answer)
        }
        Some(action) => {
            let room = Room::default();
            let scope = Scope { world, caller, version, call, room: &room };
            let fields = fields::from_params(&call.params)?;
            match (action, edge) {
                (Action::List(list), Some(edge)) => {
                    let list = list(scope, &node, &call.params)?;
                    list::page(scope, &list, &node, edge, &call.params, fields.as_deref())
                }
                _ => read::top(scope, &node, &call.params, fields.as_deref()),
            }
        }
        None => Err(not_implemented(call)),
    }
}

/// The loud answer to what the sandbox cannot do.
pub fn not_implemented(call: &Call) -> GraphError {
    let method = call.method.name();
    GraphError {
        kind: "SandboxNotImplemented",
        ..GraphError::new(
            1,
            format!(
                "adjoin sandbox: not implemented: {method} /{}. See /_sandbox/coverage for what is.",
                call.path.join("/")
            ),
        )
        .status(StatusCode::NOT_IMPLEMENTED)
    }
}

/// Meta's time format in UTC.
pub fn time(unix: i64) -> String {
    jiff::Timestamp::from_second(unix).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}
