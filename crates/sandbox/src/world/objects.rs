//! What was created through the Marketing API: campaigns, ad sets, ads, creatives, videos, images.
//!
//! Ids are dense, so that an id finds its object without a search and a page of a list without a scan. Filled
//! objects share their fields until one of them is changed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::protocol::Params;

/// Ids look like Meta's of today: eighteen digits.
const FIRST_ID: u64 = 120_230_000_000_000_001;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    Campaign,
    AdSet,
    Ad,
    AdCreative,
    AdVideo,
}

/// What the advertiser asked for. What is in force follows from it and the parents, see [`Objects::effective_status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Paused,
    Archived,
    Deleted,
}

impl Status {
    pub const ALL: [(&'static str, Self); 4] = [
        ("ACTIVE", Self::Active),
        ("PAUSED", Self::Paused),
        ("DELETED", Self::Deleted),
        ("ARCHIVED", Self::Archived),
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, status)| *status)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Archived => "ARCHIVED",
            Self::Deleted => "DELETED",
        }
    }

    /// Left out of lists that do not ask for it.
    pub fn is_hidden(self) -> bool {
        matches!(self, Self::Archived | Self::Deleted)
    }
}

#[derive(Debug, Clone)]
pub struct Object {
    pub id: u64,
    pub kind: ObjectKind,
    /// The ad account's number.
    pub account: u64,
    /// Ad set → campaign, ad → ad set; else the account.
    pub parent: u64,
    pub status: Status,
    /// Unix seconds.
    pub created: i64,
    pub updated: i64,
    pub name: String,
    /// All other parameters as Meta would read them back.
    pub fields: Arc<Map<String, Value>>,
}

impl Object {
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        Arc::make_mut(&mut self.fields)
    }

    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }
}

/// The children of one kind under one parent, oldest first.
#[derive(Debug, Default)]
pub struct Children {
    pub ids: Vec<u64>,
    /// How many of them default lists leave out.
    pub hidden: usize,
}

impl Children {
    pub fn visible(&self) -> usize {
        self.ids.len() - self.hidden
    }
}

#[derive(Debug, Clone)]
pub struct Image {
    pub hash: String,
    pub name: String,
    pub width: u32,
    pub height: u32,
    /// Unix seconds.
    pub created: i64,
    pub deleted: bool,
    pub content: bytes::Bytes,
}

#[derive(Debug, Default)]
pub struct Objects {
    by_id: Vec<Object>,
    children: HashMap<(u64, ObjectKind), Children>,
    /// By ad account and hash.
    pub images: BTreeMap<(u64, String), Image>,
    /// Asynchronous insights reports, by id.
    pub reports: BTreeMap<u64, Report>,
    /// Video uploads under way, by session id.
    pub uploads: BTreeMap<String, Upload>,
}

/// An asynchronous insights report: the question, answered when it is read.
#[derive(Debug, Clone)]
pub struct Report {
    pub account: u64,
    /// The node whose insights were asked for.
    pub of: String,
    pub params: Params,
    /// Unix seconds.
    pub created: i64,
}

impl Report {
    /// A report can be read for thirty days.
    pub fn has_expired(&self, now: i64) -> bool {
        now >= self.created + 30 * 24 * 3600
    }
}

/// A chunked video upload.
#[derive(Debug, Clone)]
pub struct Upload {
    pub video: u64,
    pub size: u64,
    pub received: u64,
}

static NONE: Children = Children { ids: Vec::new(), hidden: 0 };

impl Objects {
    pub fn get(&self, id: u64) -> Option<&Object> {
        self.by_id.get(usize::try_from(id.checked_sub(FIRST_ID)?).ok()?)
    }

    /// For changes that leave status and parents alone.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Object> {
        self.by_id.get_mut(usize::try_from(id.checked_sub(FIRST_ID)?).ok()?)
    }

    /// The object if it is of this kind.
    pub fn of_kind(&self, id: u64, kind: ObjectKind) -> Option<&Object> {
        self.get(id).filter(|object| object.kind == kind)
    }

    /// Every object of a kind, oldest first.
    pub fn all(&self, kind: ObjectKind) -> impl Iterator<Item = &Object> {
        self.by_id.iter().filter(move |object| object.kind == kind)
    }

    /// How many objects were made.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    /// The ids of what was made after so many objects.
    pub fn made_after(&self, count: usize) -> impl Iterator<Item = u64> + use<> {
        let ids = |count: usize| FIRST_ID + count as u64;
        ids(count)..ids(self.by_id.len())
    }

    pub fn reserve(&mut self, count: usize) {
        self.by_id.reserve(count);
    }

    /// Adds an object under its account and, where it has one, its parents. `id` is set here and returned.
    pub fn insert(&mut self, mut object: Object) -> u64 {
        let id = FIRST_ID + self.by_id.len() as u64;
        object.id = id;
        for parent in self.parents(&object).into_iter().flatten() {
            let children = self.children.entry((parent, object.kind)).or_default();
            children.ids.push(id);
            children.hidden += usize::from(object.status.is_hidden());
        }
        self.by_id.push(object);
        id
    }

    /// Every object whose lists hold this one: the account, the parent, and a campaign for its ads.
    fn parents(&self, object: &Object) -> [Option<u64>; 3] {
        let direct = (object.parent != object.account).then_some(object.parent);
        let above = match object.kind {
            ObjectKind::Ad => self.get(object.parent).map(|ad_set| ad_set.parent),
            _ => None,
        };
        [Some(object.account), direct, above]
    }

    pub fn children(&self, parent: u64, kind: ObjectKind) -> &Children {
        self.children.get(&(parent, kind)).unwrap_or(&NONE)
    }

    /// Sets a status. Archiving and deleting take everything below along.
    pub fn set_status(&mut self, id: u64, status: Status, now: i64) {
        let Some(object) = self.get_mut(id) else { return };
        let was = object.status;
        object.status = status;
        object.updated = now;
        let kind = object.kind;
        if was.is_hidden() != status.is_hidden() {
            let parents = self.get(id).map(|object| self.parents(object)).unwrap_or_default();
            for parent in parents.into_iter().flatten() {
                if let Some(children) = self.children.get_mut(&(parent, kind)) {
                    if status.is_hidden() {
                        children.hidden += 1;
                    } else {
                        children.hidden -= 1;
                    }
                }
            }
        }
        if status.is_hidden() {
            for below in [ObjectKind::AdSet, ObjectKind::Ad] {
                let ids = self.children(id, below).ids.clone();
                for child in ids {
                    let deeper =
                        self.get(child).is_some_and(|c| c.status != Status::Deleted && c.status != status);
                    if deeper {
                        self.set_status(child, status, now);
                    }
                }
            }
        }
    }

    /// The status in force: the object's own if it stops delivery, else the nearest parent's that does.
    pub fn effective_status(&self, object: &Object) -> &'static str {
        if object.status != Status::Active {
            return object.status.name();
        }
        match object.kind {
            ObjectKind::AdSet if self.is_paused(object.parent) => "CAMPAIGN_PAUSED",
            ObjectKind::Ad if self.is_paused(object.parent) => "ADSET_PAUSED",
            ObjectKind::Ad if self.campaign_of(object).is_some_and(|c| c.status == Status::Paused) => {
                "CAMPAIGN_PAUSED"
            }
            _ => "ACTIVE",
        }
    }

    fn is_paused(&self, id: u64) -> bool {
        self.get(id).is_some_and(|object| object.status == Status::Paused)
    }

    /// The campaign of an ad set or an ad; a campaign's own self.
    pub fn campaign_of(&self, object: &Object) -> Option<&Object> {
        match object.kind {
            ObjectKind::Campaign => self.get(object.id),
            ObjectKind::AdSet => self.get(object.parent),
            ObjectKind::Ad => self.get(self.get(object.parent)?.parent),
            ObjectKind::AdCreative | ObjectKind::AdVideo => None,
        }
    }
}
