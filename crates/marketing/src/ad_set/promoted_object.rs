//! The promoted object: its fields, and reading one.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::findings::Segment;
use super::read::{Inspect, Key, List, Oddity, Read, Slot, Tell, Text, from_json_text, object};
use crate::facts::{Mark, table};
use crate::nearest::nearest;
use crate::vocabulary::{Index, Kind};

/// A field of a promoted object.
#[derive(Debug, Clone, Deserialize)]
pub struct Field {
    pub name: String,
    pub r#type: Type,
    /// For enums, the list of words.
    pub words: Option<Kind>,
    /// Stands in Meta's list of parameters for creation. Some that do not are widely sent all the same.
    pub create: bool,
    pub what: String,
    /// What people write instead.
    #[serde(default)]
    pub misspelt: Vec<String>,
    pub mark: Mark,
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Digits, as a string or a number.
    Id,
    Url,
    Text,
    Bool,
    Enum,
    List,
    Any,
}

#[derive(Deserialize)]
struct Table {
    field: Vec<Field>,
}

struct Fields {
    rows: Vec<Field>,
    index: Index,
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let rows =
        table::<Table>("promoted_object_fields.toml", include_str!("../../data/promoted_object_fields.toml"))
            .field;
    assert!(rows.len() <= 64, "a set of fields has 64 places");
    let index = Index::new(rows.iter().map(|field| field.name.as_str()));
    Fields { rows, index }
});

/// All fields.
pub fn fields() -> &'static [Field] {
    &FIELDS.rows
}

/// The place of a field in [`fields`].
pub(crate) fn position(name: &str) -> Option<usize> {
    FIELDS.index.find(name, |at| &FIELDS.rows[at].name)
}

/// The field that was probably meant by a name that is none.
pub(crate) fn meant_by(name: &str) -> Option<&'static str> {
    let known = fields().iter().find(|field| field.misspelt.iter().any(|misspelt| misspelt == name));
    known
        .map(|field| field.name.as_str())
        .or_else(|| nearest(name, fields().iter().map(|field| field.name.as_str())))
}

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct FieldSet(u64);

impl FieldSet {
    /// The set of the fields with these names, all of which must exist.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut set = Self::default();
        for name in names {
            set.insert(
                position(name)
                    .unwrap_or_else(|| panic!("a table names the field {name}, which does not exist")),
            );
        }
        set
    }

    fn insert(&mut self, at: usize) {
        self.0 |= 1 << at;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The fields, in the order of the table.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        FIELDS
            .rows
            .iter()
            .enumerate()
            .filter(move |(at, _)| self.0 & (1 << at) != 0)
            .map(|(_, field)| field.name.as_str())
    }
}

/// What a field of a promoted object holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(i64),
    Bool(bool),
    /// A list, an object, or a number that is not whole.
    Other,
    /// An empty text, list or object: as if it were not there.
    Empty,
}

impl<'de> Read<'de> for Value<'de> {
    const EXPECTED: &'static str = "a value";

    fn boolean(value: bool) -> Option<Self> {
        Some(Self::Bool(value))
    }
    fn integer(number: i64) -> Option<Self> {
        Some(Self::Number(number))
    }
    fn float(_: f64) -> Option<Self> {
        Some(Self::Other)
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(if text.is_empty() { Self::Empty } else { Self::Text(text) })
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::Empty;
        while list.next_element::<IgnoredAny>()?.is_some() {
            read = Self::Other;
        }
        Ok(Some(read))
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::Empty;
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            read = Self::Other;
        }
        Ok(Some(read))
    }
}

/// A promoted object as it was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct PromotedObject<'a> {
    /// The fields that hold something.
    pub(crate) present: FieldSet,
    /// Their values, in the order they were given.
    pub(crate) values: Vec<(usize, Value<'a>)>,
    /// Keys that are no field.
    pub(crate) unknown: Vec<Cow<'a, str>>,
    /// What `omnichannel_object` holds, if it is there.
    pub(crate) omnichannel: Option<Box<Omnichannel<'a>>>,
}

object! {
    /// Website and app together.
    Omnichannel {
        "app" => app: List<'a, Channel<'a>>,
        "pixel" => pixel: List<'a, Channel<'a>>,
        "onsite" => onsite: List<'a, Channel<'a>>,
    }
    skip |_| true
}

object! {
    /// One place at which conversions happen.
    Channel {
        "custom_event_type" => custom_event_type: Text<'a>,
    }
    skip |_| true
}

impl Omnichannel<'_> {
    /// The places, with the name of their list and their place in it.
    pub(crate) fn items(&self) -> impl Iterator<Item = (&'static str, usize, &Channel<'_>)> {
        let lists = [("app", &self.app), ("pixel", &self.pixel), ("onsite", &self.onsite)];
        lists.into_iter().flat_map(|(name, list)| {
            list.iter()
                .flat_map(move |list| list.items.iter().enumerate().map(move |(at, item)| (name, at, item)))
        })
    }
}

/// The place of `omnichannel_object`, whose content is read.
static OMNICHANNEL: LazyLock<Option<usize>> = LazyLock::new(|| position("omnichannel_object"));

impl PromotedObject<'_> {
    /// Whether nothing was given at all, not even a field nobody knows.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.unknown.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value<'_>> {
        let rows = fields();
        self.values.iter().find(|(at, _)| rows[*at].name == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<'a> PromotedObject<'a> {
    fn put(&mut self, at: usize, value: Value<'a>) {
        // As in every JSON object, the last of two equal keys counts.
        self.values.retain(|(field, _)| *field != at);
        self.present.insert(at);
        self.values.push((at, value));
    }

    fn omnichannel(&mut self, slot: Slot<Omnichannel<'a>>) {
        let read = match slot {
            Slot::Null => return,
            Slot::Good(read)
                if read.app.is_none()
                    && read.pixel.is_none()
                    && read.onsite.is_none()
                    && read.odd.is_empty() =>
            {
                return;
            }
            Slot::Good(read) => read,
            Slot::Bad(_) => Omnichannel::default(),
        };
        if let Some(at) = *OMNICHANNEL {
            self.put(at, Value::Other);
            self.omnichannel = Some(Box::new(read));
        }
    }
}

impl<'a> Read<'a> for PromotedObject<'a> {
    const EXPECTED: &'static str = "an object";

    fn object<A: MapAccess<'a>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            let at = position(&key);
            if at.is_some() && at == *OMNICHANNEL {
                read.omnichannel(object.next_value()?);
                continue;
            }
            match (at, object.next_value::<Slot<Value<'a>>>()?) {
                (None, _) => read.unknown.push(key),
                (Some(_), Slot::Null | Slot::Bad(_) | Slot::Good(Value::Empty)) => {}
                (Some(at), Slot::Good(value)) => read.put(at, value),
            }
        }
        Ok(Some(read))
    }

    fn text(text: Cow<'a, str>) -> Option<Self> {
        from_json_text(&text)
    }
}

impl Inspect for PromotedObject<'_> {
    fn is_odd(&self) -> bool {
        !self.unknown.is_empty()
    }

    fn inspect(&self, path: &mut Vec<Segment>, tell: Tell<'_>) {
        for key in &self.unknown {
            tell(path, &Oddity::Unknown(key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found() {
        assert_eq!(fields().len(), 52);
        for (at, field) in fields().iter().enumerate() {
            assert_eq!(position(&field.name), Some(at));
            assert_eq!(field.words.is_some(), field.r#type == Type::Enum, "{}", field.name);
        }
    }

    #[test]
    fn empty_values_are_not_there() {
        let json =
            r#"{"page_id": "", "pixel_id": 5, "product_set_id": null, "omnichannel_object": {}, "pge": 1}"#;
        let Ok(Slot::Good(read)) = serde_json::from_str::<Slot<PromotedObject<'_>>>(json) else {
            panic!("readable")
        };
        assert_eq!(read.present.names().collect::<Vec<_>>(), ["pixel_id"]);
        assert_eq!(read.unknown, ["pge"]);
    }
}
