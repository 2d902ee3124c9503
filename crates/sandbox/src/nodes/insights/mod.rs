//! Insights: figures that follow from ids and days, so that the same question has the same answer and the parts
//! add up to the whole. Source: marketing-api/insights.
//!
//! Only active ads deliver. What is not computed says so.

mod breakdowns;
mod columns;
mod figures;
mod periods;

use std::{
    cell::RefCell,
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use http::StatusCode;
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Map, Value};

use super::{
    Kind, List, Node, Rows, Scope, ad_account,
    filter::{Filter, OfColumn, Subject},
};
use crate::{
    protocol::{GraphError, Params, fields},
    world::objects::{Object, ObjectKind},
};
use breakdowns::{Breakdowns, Key};
use columns::{FIELDS, Windows};
use figures::{Aim, Share, Sums};
use periods::Period;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Account,
    Campaign,
    AdSet,
    Ad,
}

/// A question, read.
struct Question<'a> {
    scope: Scope<'a>,
    account: Node,
    level: Level,
    columns: Vec<String>,
    breakdowns: Breakdowns,
    windows: Windows,
    /// Which ads count.
    filter: Filter,
    /// Which rows are answered.
    of_columns: Vec<OfColumn>,
    sort: Vec<(String, Ordering)>,
    today: Date,
    zone: TimeZone,
    /// The parts of the ad sets that were looked at.
    parts: RefCell<HashMap<u64, Rc<Parts>>>,
}

type Parts = Vec<(Key, Share)>;

/// A row before its figures are worked out.
struct Place {
    id: u64,
    period: Period,
    key: Option<Key>,
}

/// `GET /{node}/insights`.
pub fn list<'a>(scope: Scope<'a>, node: &Node, params: &Params) -> Result<List<'a>, GraphError> {
    let question = Question::read(scope, node, params)?;
    let (periods, whole) = periods::asked(params, question.today)?;
    let entities = question.entities(node);
    let places: Vec<Place> = entities.iter().flat_map(|id| question.places(*id, &periods)).collect();
    let summary = question.summary(params, &entities, whole);
    let eager = !question.sort.is_empty() || !question.of_columns.is_empty();
    if eager {
        let rows = question.all(&places);
        let count = rows.len();
        let row = Box::new(move |index: usize| rows[index].clone());
        return Ok(List { rows: Rows::Computed { count, row, summary }, default: &[] });
    }
    let count = places.len();
    let make = move |index: usize| {
        let place = &places[index];
        Value::Object(question.row(place, question.sums(place), &question.columns))
    };
    Ok(List { rows: Rows::Computed { count, row: Box::new(make), summary }, default: &[] })
}

fn missing(what: &str) -> GraphError {
    GraphError {
        kind: "SandboxNotImplemented",
        ..GraphError::new(1, format!("adjoin sandbox: not implemented: {what}"))
            .status(StatusCode::NOT_IMPLEMENTED)
    }
}

fn asked_columns(params: &Params) -> Result<Vec<String>, GraphError> {
    let Some(fields) = fields::from_params(params)? else {
        return Ok(["account_id", "impressions", "spend"].map(str::to_owned).into());
    };
    for field in &fields {
        if !FIELDS.contains(&field.name.as_str()) {
            return Err(missing(&format!("insights field {}", field.name)));
        }
    }
    Ok(fields.into_iter().map(|field| field.name).collect())
}

fn level(params: &Params, kind: Kind) -> Result<Level, GraphError> {
    Ok(match params.text("level").as_deref() {
        Some("account") => Level::Account,
        Some("campaign") => Level::Campaign,
        Some("adset") => Level::AdSet,
        Some("ad") => Level::Ad,
        Some(other) => {
            return Err(super::write::not_one_of("level", &["ad", "adset", "campaign", "account"], other));
        }
        None => match kind {
            Kind::Campaign => Level::Campaign,
            Kind::AdSet => Level::AdSet,
            Kind::Ad => Level::Ad,
            _ => Level::Account,
        },
    })
}

/// `sort=["spend_descending"]`: a column and a direction.
fn sort(params: &Params) -> Result<Vec<(String, Ordering)>, GraphError> {
    let mut sort = Vec::new();
    for word in params.list("sort").unwrap_or_default() {
        let (column, direction) = match (word.strip_suffix("_ascending"), word.strip_suffix("_descending")) {
            (Some(column), _) => (column, Ordering::Less),
            (_, Some(column)) => (column, Ordering::Greater),
            _ => {
                return Err(GraphError::new(
                    100,
                    format!(
                        "(#100) Param sort must be a field with _ascending or _descending, not \"{word}\""
                    ),
                )
                .blame(&["sort"]));
            }
        };
        if !FIELDS.contains(&column) && column != "date_start" {
            return Err(missing(&format!("insights sorted by {column}")));
        }
        sort.push((column.to_owned(), direction));
    }
    Ok(sort)
}

/// `filtering`: conditions on objects, which choose ads, and on columns, which choose rows.
fn filtering(params: &Params) -> Result<(Filter, Vec<OfColumn>), GraphError> {
    let mut of_objects = Params::default();
    let mut of_columns = Vec::new();
    match params.json("filtering") {
        None => {}
        Some(Value::Array(items)) => {
            let mut objects = Vec::new();
            for item in items {
                match OfColumn::read(&item, FIELDS)? {
                    Some(condition) => of_columns.push(condition),
                    None => objects.push(item),
                }
            }
            of_objects.0.insert("filtering".into(), Value::Array(objects));
        }
        Some(_) => return Err(GraphError::new(100, "(#100) param filtering must be an array.")),
    }
    Ok((Filter::from_params(&of_objects, Kind::Ad)?, of_columns))
}

fn born(object: &Object, zone: &TimeZone) -> Date {
    zone.to_datetime(jiff::Timestamp::from_second(object.created).unwrap_or_default()).date()
}

impl<'a> Question<'a> {
    fn read(scope: Scope<'a>, node: &Node, params: &Params) -> Result<Self, GraphError> {
        let by = params.list("action_breakdowns").unwrap_or_default();
        if !by.is_empty() && by != ["action_type"] {
            return Err(missing("insights parameter action_breakdowns other than action_type"));
        }
        let number = match node.kind {
            Kind::AdAccount => node.number(),
            _ => scope.world.objects.get(node.number()).map_or(0, |object| object.account),
        };
        let account = Node::new(Kind::AdAccount, format!("act_{number}"));
        let zone = ad_account::account(scope, &account)
            .and_then(|account| TimeZone::get(&account.timezone_name).ok())
            .unwrap_or(TimeZone::UTC);
        let (filter, of_columns) = filtering(params)?;
        Ok(Self {
            scope,
            account,
            level: level(params, node.kind)?,
            columns: asked_columns(params)?,
            breakdowns: breakdowns::asked(params)?,
            windows: Windows::read(params)?,
            filter,
            of_columns,
            sort: sort(params)?,
            today: zone.to_datetime(scope.world.clock.now()).date(),
            zone,
            parts: RefCell::default(),
        })
    }

    /// The parts into which the figures of an ad set's ads fall.
    fn parts(&self, set: &Object) -> Rc<Parts> {
        let mut known = self.parts.borrow_mut();
        Rc::clone(known.entry(set.id).or_insert_with(|| Rc::new(self.breakdowns.parts(set))))
    }

    /// Whether an ad delivers, and is asked for.
    fn counts(&self, ad: &Object) -> bool {
        self.scope.world.objects.effective_status(ad) == "ACTIVE"
            && (self.filter.is_default()
                || self.filter.keeps(&Subject::Object { scope: self.scope, object: ad }))
    }

    /// The ads of an object that count.
    fn ads(&self, id: u64) -> impl Iterator<Item = &'a Object> {
        let objects = &self.scope.world.objects;
        let own = (self.level == Level::Ad).then_some(id);
        let below: &[u64] = if own.is_some() { &[] } else { &objects.children(id, ObjectKind::Ad).ids };
        own.into_iter()
            .chain(below.iter().copied())
            .filter_map(|id| objects.get(id))
            .filter(|ad| self.counts(ad))
    }

    /// Ids of the rows' objects: those of the level below the node that have an active ad.
    fn entities(&self, node: &Node) -> Vec<u64> {
        let objects = &self.scope.world.objects;
        let root = node.number();
        let mut ids: Vec<u64> = if node.kind == Kind::Ad {
            vec![root]
        } else {
            objects.children(root, ObjectKind::Ad).ids.clone()
        };
        ids.retain(|id| objects.get(*id).is_some_and(|ad| self.counts(ad)));
        let above = |id: u64| -> Option<u64> {
            let ad = objects.get(id)?;
            match self.level {
                Level::Ad => Some(id),
                Level::AdSet => Some(ad.parent),
                Level::Campaign => objects.campaign_of(ad).map(|campaign| campaign.id),
                Level::Account => Some(self.account.number()),
            }
        };
        let mut ids: Vec<u64> = ids.into_iter().filter_map(above).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        ids
    }

    /// The rows of an object: by period, and by part.
    fn places(&self, id: u64, periods: &[Period]) -> Vec<Place> {
        let starts = (self.level != Level::Account)
            .then(|| self.scope.world.objects.get(id).map(|object| born(object, &self.zone)))
            .flatten();
        let periods = periods.iter().filter(|period| starts.is_none_or(|born| born <= period.last));
        if self.breakdowns.is_whole() {
            return periods.map(|period| Place { id, period: *period, key: None }).collect();
        }
        let objects = &self.scope.world.objects;
        let sets: BTreeSet<u64> = self.ads(id).map(|ad| ad.parent).collect();
        let mut keys: Vec<Key> = Vec::new();
        for set in sets.into_iter().filter_map(|set| objects.get(set)) {
            for (key, _) in self.parts(set).iter() {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
        }
        periods
            .flat_map(|period| keys.iter().map(|key| Place { id, period: *period, key: Some(key.clone()) }))
            .collect()
    }

    fn sums(&self, place: &Place) -> Sums {
        let objects = &self.scope.world.objects;
        let mut total = Sums::default();
        for ad in self.ads(place.id) {
            let share = match &place.key {
                None => None,
                Some(key) => {
                    let Some(set) = objects.get(ad.parent) else { continue };
                    let parts = self.parts(set);
                    let Some((_, share)) = parts.iter().find(|(part, _)| part == key) else { continue };
                    Some(*share)
                }
            };
            let aim = match objects.campaign_of(ad).and_then(|campaign| campaign.text("objective")) {
                Some("OUTCOME_SALES") => Aim::Sales,
                Some("OUTCOME_LEADS") => Aim::Leads,
                _ => Aim::Other,
            };
            let mut day = place.period.first.max(born(ad, &self.zone));
            let last = place.period.last.min(self.today);
            while day <= last {
                let whole = figures::of_day(ad.id, day, aim);
                total += share.map_or(whole, |share| whole.share(share));
                day = day.saturating_add(1.days());
            }
        }
        total
    }

    /// All rows at once, where they must be known to be chosen and put in order.
    fn all(&self, places: &[Place]) -> Vec<Value> {
        let more = self
            .sort
            .iter()
            .map(|(column, _)| column.as_str())
            .chain(self.of_columns.iter().map(|condition| condition.column.as_str()));
        let mut columns = self.columns.clone();
        for column in more {
            if !columns.iter().any(|known| known == column) {
                columns.push(column.to_owned());
            }
        }
        let mut rows: Vec<Map<String, Value>> = places
            .iter()
            .map(|place| self.row(place, self.sums(place), &columns))
            .filter(|row| self.of_columns.iter().all(|condition| condition.holds(row.get(&condition.column))))
            .collect();
        rows.sort_by(|one, other| {
            self.sort.iter().fold(Ordering::Equal, |order, (column, direction)| {
                order.then_with(|| {
                    let order = columns::order(one.get(column), other.get(column));
                    if *direction == Ordering::Greater { order.reverse() } else { order }
                })
            })
        });
        for row in &mut rows {
            for column in columns.iter().skip(self.columns.len()) {
                if column != "date_start" {
                    row.remove(column);
                }
            }
        }
        rows.into_iter().map(Value::Object).collect()
    }

    fn summary(&self, params: &Params, entities: &[u64], whole: Period) -> Option<Value> {
        let mut names: Vec<String> = params
            .list("summary")
            .unwrap_or_default()
            .into_iter()
            .filter(|name| FIELDS.contains(&name.as_str()))
            .collect();
        if names.is_empty() && params.bool("default_summary") == Some(true) {
            names.clone_from(&self.columns);
        }
        if names.is_empty() {
            return None;
        }
        let mut all = Sums::default();
        for id in entities {
            all += self.sums(&Place { id: *id, period: whole, key: None });
        }
        let account = Place { id: self.account.number(), period: whole, key: None };
        Some(Value::Object(self.of_the_whole().row(&account, all, &names)))
    }

    /// The same question about the account as a whole, as far as a row needs it.
    fn of_the_whole(&self) -> Self {
        Self {
            scope: self.scope,
            account: self.account.clone(),
            level: Level::Account,
            columns: Vec::new(),
            breakdowns: Breakdowns::By(Vec::new()),
            windows: self.windows.clone(),
            filter: Filter::default(),
            of_columns: Vec::new(),
            sort: Vec::new(),
            today: self.today,
            zone: self.zone.clone(),
            parts: RefCell::default(),
        }
    }
}
