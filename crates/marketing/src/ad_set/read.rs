//! Reading a document leniently and without copies.
//!
//! Meta takes numbers as strings and, in form fields, objects as JSON text. A value of the wrong kind is no reason to
//! stop reading: it is noted as an [`Oddity`] where it stands, so that all faults can be told at once.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::findings::Segment;

/// Something that can be read from a JSON value. Every kind of value is refused unless the type takes it.
pub(crate) trait Read<'de>: Sized {
    /// What is expected, for a person.
    const EXPECTED: &'static str;

    /// `null` is as if nothing were there, but where it tells something.
    fn null() -> Option<Self> {
        None
    }
    fn boolean(_: bool) -> Option<Self> {
        None
    }
    fn integer(_: i64) -> Option<Self> {
        None
    }
    fn float(_: f64) -> Option<Self> {
        None
    }
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A value that was read, or why it could not be.
pub(crate) enum Slot<T> {
    /// `null`: as if it were not there.
    Null,
    Good(T),
    /// Of another kind than expected; what was found, for a person.
    Bad(&'static str),
}

impl<'de, T: Read<'de>> Deserialize<'de> for Slot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SlotVisitor(PhantomData))
    }
}

const FRACTION: &str = "a number with a fraction";
const TOO_LARGE: &str = "a number that is too large";

/// What a text of the wrong kind is, for a person: numbers may be written as texts.
fn kind_of_text(text: &str) -> &'static str {
    if text.trim().parse::<i64>().is_ok() {
        return "a number written as a text";
    }
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && text.contains('.') => FRACTION,
        Ok(number) if number.is_finite() => TOO_LARGE,
        _ => "a text",
    }
}

struct SlotVisitor<T>(PhantomData<T>);

impl<T> SlotVisitor<T> {
    fn slot(read: Option<T>, found: &'static str) -> Slot<T> {
        read.map_or(Slot::Bad(found), Slot::Good)
    }
}

impl<'de, T: Read<'de>> Visitor<'de> for SlotVisitor<T> {
    type Value = Slot<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(T::null().map_or(Slot::Null, Slot::Good))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Self::slot(T::boolean(value), "true or false"))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Self::slot(T::integer(value), "a number"))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Self::slot(T::integer(value), "a number"),
            Err(_) => Self::slot(T::text(Cow::Owned(value.to_string())), TOO_LARGE),
        })
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        let found = if value.fract() == 0.0 { TOO_LARGE } else { FRACTION };
        Ok(Self::slot(T::float(value), found))
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Borrowed(value)).map_or_else(|| Slot::Bad(kind_of_text(value)), Slot::Good))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Owned(value.to_owned())).map_or_else(|| Slot::Bad(kind_of_text(value)), Slot::Good))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Ok(Self::slot(T::list(list)?, "a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        Ok(Self::slot(T::object(object)?, "an object"))
    }
}

/// Reads a value out of JSON text, as it stands in a form field.
///
/// The text does not outlive the call, so the reader goes byte by byte, which copies every string it keeps.
pub(crate) fn from_json_text<'de, T: Read<'de>>(text: &str) -> Option<T> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_reader(text.as_bytes());
    let read = Slot::<T>::deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match read {
        Slot::Good(value) => Some(value),
        Slot::Null | Slot::Bad(_) => None,
    }
}

/// A key of an object.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Something noticed while reading that is no fault of the JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Oddity<'a> {
    /// A key nobody reads.
    Unknown(Cow<'a, str>),
    /// A key whose value is of the wrong kind.
    WrongType { key: Cow<'a, str>, expected: &'static str, found: &'static str },
    /// An item of a list that is of the wrong kind.
    WrongItem { index: usize, expected: &'static str, found: &'static str },
}

/// Whether one of these keys holds something that could not be read.
pub(crate) fn is_unreadable(odd: &[Oddity<'_>], keys: &[&str]) -> bool {
    odd.iter().any(|odd| matches!(odd, Oddity::WrongType { key, .. } if keys.contains(&&**key)))
}

/// What is told about an oddity: where the value stands, and what is odd.
pub(crate) type Tell<'t> = &'t mut dyn FnMut(&[Segment], &Oddity<'_>);

/// Looks a value through for oddities.
pub(crate) trait Inspect {
    /// Whether there is any, at any depth. Cheap, because it is asked of every document.
    fn is_odd(&self) -> bool {
        false
    }
    /// Tells all of them. `path` is where the value stands.
    fn inspect(&self, _path: &mut Vec<Segment>, _tell: Tell<'_>) {}
}

impl Inspect for Text<'_> {}
impl Inspect for i64 {}
impl Inspect for f64 {}
impl Inspect for bool {}
impl Inspect for Id<'_> {}
impl Inspect for Moment<'_> {}
impl Inspect for Filled {}
impl<T> Inspect for Told<T> {}

impl<T: Inspect> Inspect for List<'_, T> {
    fn is_odd(&self) -> bool {
        !self.odd.is_empty() || self.items.iter().any(Inspect::is_odd)
    }

    fn inspect(&self, path: &mut Vec<Segment>, tell: Tell<'_>) {
        for odd in &self.odd {
            tell(path, odd);
        }
        for (at, item) in self.items.iter().enumerate() {
            path.push(at.into());
            item.inspect(path, tell);
            path.pop();
        }
    }
}

/// A text. Numbers are taken as the text they are written as, the way Meta does.
pub(crate) type Text<'a> = Cow<'a, str>;

impl<'de> Read<'de> for Text<'de> {
    const EXPECTED: &'static str = "a text";

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
    fn integer(number: i64) -> Option<Self> {
        Some(Cow::Owned(number.to_string()))
    }
}

impl<'de> Read<'de> for i64 {
    const EXPECTED: &'static str = "a whole number";

    fn integer(number: i64) -> Option<Self> {
        Some(number)
    }
    fn float(number: f64) -> Option<Self> {
        // Exactly representable, so nothing is lost.
        #[expect(clippy::cast_possible_truncation, reason = "within 2^53, and whole")]
        (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        text.trim().parse().ok()
    }
}

impl<'de> Read<'de> for f64 {
    const EXPECTED: &'static str = "a number";

    #[expect(clippy::cast_precision_loss, reason = "distances and coordinates are small")]
    fn integer(number: i64) -> Option<Self> {
        Some(number as Self)
    }
    fn float(number: f64) -> Option<Self> {
        Some(number)
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        text.trim().parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl<'de> Read<'de> for bool {
    const EXPECTED: &'static str = "true or false";

    fn boolean(value: bool) -> Option<Self> {
        Some(value)
    }
    fn integer(number: i64) -> Option<Self> {
        match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        match &*text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

/// A fact that may not have been read: `null` tells that there is none, a key that is left out tells nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Told<T>(pub(crate) Option<T>);

impl<T> Told<T> {
    pub(crate) fn value(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<'de, T: Read<'de>> Read<'de> for Told<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn null() -> Option<Self> {
        Some(Self(None))
    }
    fn integer(number: i64) -> Option<Self> {
        T::integer(number).map(|value| Self(Some(value)))
    }
    fn float(number: f64) -> Option<Self> {
        T::float(number).map(|value| Self(Some(value)))
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        T::text(text).map(|value| Self(Some(value)))
    }
}

/// An id. Meta writes it as a string; numbers are taken too.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Id<'a> {
    Number(i64),
    Text(Cow<'a, str>),
}

impl Id<'_> {
    /// Digits only, as every id but an ad account's is.
    pub(crate) fn is_numeric(&self) -> bool {
        match self {
            Self::Number(number) => *number > 0,
            Self::Text(text) => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        }
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl<'de> Read<'de> for Id<'de> {
    const EXPECTED: &'static str = "an id";

    fn integer(number: i64) -> Option<Self> {
        Some(Self::Number(number))
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Text(text))
    }
}

/// A moment: Unix seconds, or ISO 8601.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Moment<'a> {
    Unix(i64),
    Text(Cow<'a, str>),
}

/// When a [`Moment`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum When {
    Known(Timestamp),
    /// It has no offset, so it depends on the ad account's time zone; this is the moment in UTC.
    WithoutOffset(Timestamp),
    /// It cannot be read.
    Unreadable,
}

impl Moment<'_> {
    /// When it is. `0` stands for no end, and is no moment.
    pub(crate) fn when(&self) -> When {
        match self {
            Self::Unix(seconds) => Timestamp::from_second(*seconds).map_or(When::Unreadable, When::Known),
            Self::Text(text) => match as_meta_writes(text).map_or_else(|| text.parse(), Ok) {
                Ok(at) => When::Known(at),
                Err(_) => text
                    .parse::<DateTime>()
                    .ok()
                    .and_then(|local| Offset::UTC.to_timestamp(local).ok())
                    .map_or(When::Unreadable, When::WithoutOffset),
            },
        }
    }
}

/// Reads `2026-11-24T08:00:00+0000`, the way Meta writes times and most people copy it, without the general parser.
fn as_meta_writes(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0i16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))
        })
    };
    let two = |from| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let marks = [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]];
    let sign = match bytes[19] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if marks != *b"--T::" {
        return None;
    }
    let local = DateTime::new(number(0, 4)?, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, 0).ok()?;
    let offset = Offset::from_seconds(sign * (i32::from(two(20)?) * 3600 + i32::from(two(22)?) * 60)).ok()?;
    offset.to_timestamp(local).ok()
}

impl<'de> Read<'de> for Moment<'de> {
    const EXPECTED: &'static str = "a time";

    fn integer(number: i64) -> Option<Self> {
        Some(Self::Unix(number))
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(match text.parse() {
            Ok(seconds) => Self::Unix(seconds),
            Err(_) => Self::Text(text),
        })
    }
}

/// Anything; only whether it holds something counts. `false`, `0`, empty texts, lists and objects hold nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Filled(pub(crate) bool);

impl<'de> Read<'de> for Filled {
    const EXPECTED: &'static str = "a value";

    fn boolean(value: bool) -> Option<Self> {
        Some(Self(value))
    }
    fn integer(number: i64) -> Option<Self> {
        Some(Self(number != 0))
    }
    fn float(number: f64) -> Option<Self> {
        Some(Self(number != 0.0))
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(!matches!(text.trim(), "" | "[]" | "{}" | "null" | "false" | "0")))
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut filled = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Some(Self(filled)))
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut filled = false;
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Some(Self(filled)))
    }
}

/// An object that can be read into its place.
pub(crate) trait Fill<'de>: Default {
    fn fill<A: MapAccess<'de>>(&mut self, object: A) -> Result<(), A::Error>;
}

/// Large objects are read where they stay, because moving them about costs as much as reading them.
impl<'de, T: Read<'de> + Fill<'de>> Read<'de> for Box<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::default();
        read.fill(object)?;
        Ok(Some(read))
    }
    fn text(text: Cow<'de, str>) -> Option<Self> {
        T::text(text).map(Self::new)
    }
}

impl<T: Inspect> Inspect for Box<T> {
    fn is_odd(&self) -> bool {
        T::is_odd(self)
    }
    fn inspect(&self, path: &mut Vec<Segment>, tell: Tell<'_>) {
        T::inspect(self, path, tell);
    }
}

/// A list. Items of the wrong kind are left out and noted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List<'a, T> {
    pub(crate) items: Vec<T>,
    pub(crate) odd: Vec<Oddity<'a>>,
}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self { items: Vec::new(), odd: Vec::new() }
    }
}

impl<'de, T: Read<'de>> Read<'de> for List<'de, T> {
    const EXPECTED: &'static str = "a list";

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::default();
        let mut index = 0;
        while let Some(slot) = list.next_element::<Slot<T>>()? {
            match slot {
                Slot::Good(item) => read.items.push(item),
                Slot::Null => {
                    read.odd.push(Oddity::WrongItem { index, expected: T::EXPECTED, found: "null" });
                }
                Slot::Bad(found) => read.odd.push(Oddity::WrongItem { index, expected: T::EXPECTED, found }),
            }
            index += 1;
        }
        Ok(Some(read))
    }

    fn text(text: Cow<'de, str>) -> Option<Self> {
        from_json_text(&text)
    }
}

/// The name a field with several names goes by.
pub(crate) fn first<const N: usize>(names: [&'static str; N]) -> &'static str {
    names[0]
}

/// Declares an object: a struct of optional fields, read by name, with everything odd noted in `odd`.
///
/// Keys that `skip` names are known but of no interest; `"a" | "b" => field: Type` gives a field another name.
macro_rules! object {
    (
        $(#[$about:meta])*
        $name:ident {
            $( $($key:literal)|+ => $field:ident : $type:ty, )*
        }
        skip $skip:expr
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $name<'a> {
            $( pub(crate) $field: Option<$type>, )*
            pub(crate) odd: Vec<Oddity<'a>>,
        }

        impl<'a> Read<'a> for $name<'a> {
            const EXPECTED: &'static str = "an object";

            fn object<A: MapAccess<'a>>(object: A) -> Result<Option<Self>, A::Error> {
                let mut read = Self::default();
                $crate::ad_set::read::Fill::fill(&mut read, object)?;
                Ok(Some(read))
            }

            fn text(text: Cow<'a, str>) -> Option<Self> {
                from_json_text(&text)
            }
        }

        impl<'a> $crate::ad_set::read::Fill<'a> for $name<'a> {
            fn fill<A: MapAccess<'a>>(&mut self, mut object: A) -> Result<(), A::Error> {
                while let Some(Key(key)) = object.next_key()? {
                    match &*key {
                        $( $($key)|+ => match object.next_value::<Slot<$type>>()? {
                            Slot::Good(value) => self.$field = Some(value),
                            Slot::Null => {}
                            Slot::Bad(found) => self.odd.push(Oddity::WrongType {
                                key,
                                expected: <$type as Read>::EXPECTED,
                                found,
                            }),
                        }, )*
                        _ => {
                            object.next_value::<IgnoredAny>()?;
                            let skip: fn(&str) -> bool = $skip;
                            if !skip(&key) {
                                self.odd.push(Oddity::Unknown(key));
                            }
                        }
                    }
                }
                Ok(())
            }
        }

        impl $crate::ad_set::read::Inspect for $name<'_> {
            fn is_odd(&self) -> bool {
                !self.odd.is_empty() $( || self.$field.as_ref().is_some_and($crate::ad_set::read::Inspect::is_odd) )*
            }

            fn inspect(
                &self,
                path: &mut Vec<$crate::ad_set::findings::Segment>,
                tell: $crate::ad_set::read::Tell<'_>,
            ) {
                for odd in &self.odd {
                    tell(path, odd);
                }
                $( if let Some(value) = &self.$field {
                    path.push($crate::ad_set::read::first([$($key),+]).into());
                    value.inspect(path, tell);
                    path.pop();
                } )*
            }
        }
    };
}
pub(crate) use object;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_own_times_read_as_by_the_general_parser() {
        for text in ["2026-11-24T08:00:00+0000", "2024-02-29T23:59:59-0730", "1999-12-31T00:00:00+1400"] {
            assert_eq!(as_meta_writes(text), Some(text.parse().unwrap()), "{text}");
        }
        for text in [
            "2026-02-30T08:00:00+0000",
            "2026-11-24 08:00:00+0000",
            "2026-11-24T08:00:00Z",
            "2026-11-24T25:00:00+0000",
        ] {
            assert_eq!(as_meta_writes(text), None, "{text}");
        }
    }
}
