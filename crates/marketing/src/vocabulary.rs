//! The closed lists of words the Marketing API takes: objectives, goals, destinations, events, and so on.
//!
//! Meta adds words without notice, so a word that is not here is passed on with a note, never refused.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{Mark, table};
use crate::nearest::nearest;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Objective,
    DestinationType,
    OptimizationGoal,
    BillingEvent,
    BidStrategy,
    Status,
    BuyingType,
    CustomEventType,
    SpecialAdCategory,
    RegionalCategory,
    PacingType,
    AttributionEvent,
    FrequencyEvent,
    ExecutionOption,
    TimezoneType,
    PublisherPlatform,
    FacebookPosition,
    InstagramPosition,
    MessengerPosition,
    AudienceNetworkPosition,
    ThreadsPosition,
    WhatsappPosition,
    DevicePlatform,
    MultiGoalWeight,
    OptimizationSubEvent,
    ValueSemanticType,
    PromotedObjectVariation,
    CampaignEffectiveStatus,
    AdSetEffectiveStatus,
    AdEffectiveStatus,
    FormLocale,
    FormStatus,
    QuestionType,
    AlertEvent,
    AlertOperator,
    AlertStatus,
    /// Names of the parameters of an ad set.
    AdSetParameter,
    /// Names of the parameters of a campaign.
    CampaignParameter,
}

/// How a word stands against its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'w> {
    /// In the list of values.
    Known,
    /// In one of Meta's tables, but not in the list of values.
    Contested,
    /// A known misspelling of this word.
    Misspelt(&'w str),
    /// Not in the list; perhaps this word was meant.
    Unknown(Option<&'w str>),
}

/// A list of words.
#[derive(Debug)]
pub struct Vocabulary {
    /// Words the API takes.
    pub values: Vec<String>,
    /// Words that stand in one of Meta's tables only.
    pub also: Vec<String>,
    /// Words people write by mistake, and the right one.
    pub misspelt: BTreeMap<String, String>,
    pub mark: Mark,
    pub source: String,
    index: Index,
}

#[derive(Deserialize)]
struct Row {
    name: Kind,
    values: Vec<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    misspelt: BTreeMap<String, String>,
    mark: Mark,
    source: String,
}

#[derive(Deserialize)]
struct Table {
    r#enum: Vec<Row>,
}

static VOCABULARIES: LazyLock<Vec<Vocabulary>> = LazyLock::new(|| {
    let mut rows = table::<Table>("enums.toml", include_str!("../data/enums.toml")).r#enum;
    rows.sort_by_key(|row| row.name);
    rows.into_iter()
        .enumerate()
        .map(|(at, row)| {
            assert_eq!(row.name as usize, at, "data/enums.toml must hold every list once");
            let index = Index::new(row.values.iter().chain(&row.also).map(String::as_str));
            Vocabulary {
                values: row.values,
                also: row.also,
                misspelt: row.misspelt,
                mark: row.mark,
                source: row.source,
                index,
            }
        })
        .collect()
});

/// The list of this kind.
pub fn vocabulary(kind: Kind) -> &'static Vocabulary {
    &VOCABULARIES[kind as usize]
}

impl Vocabulary {
    /// The word's place: first the values in order, then the contested words.
    #[inline]
    pub fn position(&self, word: &str) -> Option<usize> {
        self.index.find(word, |at| self.word(at))
    }

    /// The word at a place given by [`Vocabulary::position`].
    pub fn word(&self, at: usize) -> &str {
        self.values.get(at).unwrap_or_else(|| &self.also[at - self.values.len()])
    }

    /// How many words there are, contested ones included.
    pub fn len(&self) -> usize {
        self.values.len() + self.also.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How a word stands against this list.
    pub fn standing(&self, word: &str) -> Standing<'_> {
        if let Some(at) = self.position(word) {
            return if at < self.values.len() { Standing::Known } else { Standing::Contested };
        }
        if let Some(right) = self.misspelt.get(word) {
            return Standing::Misspelt(right);
        }
        let same_but_case =
            self.values.iter().chain(&self.also).find(|value| value.eq_ignore_ascii_case(word));
        if let Some(right) = same_but_case {
            return Standing::Misspelt(right);
        }
        let upper = word.to_ascii_uppercase();
        if let Some(right) = self.misspelt.get(&upper) {
            return Standing::Misspelt(right);
        }
        Standing::Unknown(nearest(word, self.values.iter().map(String::as_str)))
    }
}

/// A table from words to their numbers.
#[derive(Debug)]
pub(crate) struct Index {
    /// Number of the word plus one in each slot; 0 is empty. The length is a power of two.
    slots: Vec<u16>,
    /// The words by number, as far as they are compared here.
    words: Vec<Parts>,
}

/// The length of a word and up to 24 of its bytes, from the start, the middle and the end. Words are short, so this is
/// mostly all of a word, held where it can be hashed and compared without a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    length: usize,
    start: u64,
    middle: u64,
    end: u64,
}

impl Parts {
    /// Words of this length at most are all in their parts.
    const WHOLE: usize = 24;

    #[inline]
    fn of(word: &str) -> Self {
        let bytes = word.as_bytes();
        let length = bytes.len();
        let eight = |from: usize| {
            let mut buffer = [0; 8];
            buffer.copy_from_slice(&bytes[from..from + 8]);
            u64::from_le_bytes(buffer)
        };
        let four = |from: usize| {
            let mut buffer = [0; 4];
            buffer.copy_from_slice(&bytes[from..from + 4]);
            u64::from(u32::from_le_bytes(buffer))
        };
        let (start, middle, end) = match length {
            0 => (0, 0, 0),
            1..4 => (u64::from(bytes[0]), u64::from(bytes[length / 2]), u64::from(bytes[length - 1])),
            4..8 => (four(0), 0, four(length - 4)),
            _ => (eight(0), eight(length / 2 - 4), eight(length - 8)),
        };
        Self { length, start, middle, end }
    }

    #[inline]
    fn slot(self, size: usize) -> usize {
        let mix = |hash: u64, part: u64| (hash.rotate_left(29) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = mix(mix(mix(self.length as u64, self.start), self.middle), self.end);
        // The high bits are the well-mixed ones.
        usize::try_from(hash >> 40).unwrap_or(0) & (size - 1)
    }
}

impl Index {
    /// Numbers the words in order, in a table in which no two of them share a slot.
    pub(crate) fn new<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let words: Vec<Parts> = words.map(Parts::of).collect();
        let mut size = (words.len() * 2).next_power_of_two().max(8);
        loop {
            let mut slots = vec![0; size];
            let placed = words.iter().enumerate().all(|(number, word)| {
                let slot: &mut u16 = &mut slots[word.slot(size)];
                let free = *slot == 0;
                if free {
                    *slot = u16::try_from(number + 1).unwrap_or(u16::MAX);
                }
                free
            });
            if placed {
                return Self { slots, words };
            }
            assert!(size < 1 << 20, "a list holds the same word twice");
            size *= 2;
        }
    }

    /// The number of a word. `text` gives the word of a number, to compare those that are too long for their parts.
    #[inline]
    pub(crate) fn find<'w>(&self, word: &str, text: impl Fn(usize) -> &'w str) -> Option<usize> {
        let parts = Parts::of(word);
        let number = usize::from(self.slots[parts.slot(self.slots.len())]).checked_sub(1)?;
        let same = self.words[number] == parts && (word.len() <= Parts::WHOLE || text(number) == word);
        same.then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_where_it_stands() {
        for list in VOCABULARIES.iter() {
            for at in 0..list.len() {
                assert_eq!(list.position(list.word(at)), Some(at));
            }
            for at in 0..list.len() {
                let word = list.word(at);
                // One letter changed, wherever it stands.
                for place in 0..word.len() {
                    let mut other = word.as_bytes().to_vec();
                    other[place] ^= 1;
                    let other = String::from_utf8(other).unwrap();
                    assert!(list.position(&other).is_none_or(|found| list.word(found) == other), "{other}");
                }
            }
            assert_eq!(list.position("NO_SUCH_WORD"), None);
            assert_eq!(list.position(""), None);
        }
    }

    #[test]
    fn misspellings_lead_to_words_of_the_list() {
        for list in &VOCABULARIES[..Kind::AdSetParameter as usize] {
            for (wrong, right) in &list.misspelt {
                assert!(list.position(wrong).is_none(), "{wrong} is a word of the list");
                assert!(list.position(right).is_some(), "{right} is no word of the list");
            }
        }
    }

    #[test]
    fn standings() {
        let events = vocabulary(Kind::CustomEventType);
        assert_eq!(events.values.len(), 29);
        assert_eq!(events.standing("PURCHASE"), Standing::Known);
        assert_eq!(events.standing("VIEW_CONTENT"), Standing::Misspelt("CONTENT_VIEW"));
        assert_eq!(events.standing("purchase"), Standing::Misspelt("PURCHASE"));
        assert_eq!(events.standing("PURCHAES"), Standing::Unknown(Some("PURCHASE")));
        assert_eq!(vocabulary(Kind::DestinationType).values.len(), 23);
        assert_eq!(vocabulary(Kind::DestinationType).standing("PHONE_CALL"), Standing::Contested);
        assert_eq!(vocabulary(Kind::OptimizationGoal).values.len(), 33);
        assert_eq!(vocabulary(Kind::Objective).values.len(), 21);
    }
}
