//! The promoted-object table for people, from the same data that the check reads.

use adjoin_marketing::{
    Mark,
    ad_set::{self, MappingRow, legacy},
    vocabulary::{Kind, vocabulary},
};
use askama::Template;

use super::{Frame, Page};

#[derive(Debug, Template)]
#[template(path = "console/rules.html")]
pub struct Rules {
    frame: Frame,
    objectives: Vec<Objective>,
    legacy: &'static [legacy::Name],
}

/// One of today's objectives with its rows.
#[derive(Debug)]
struct Objective {
    name: &'static str,
    rows: Vec<&'static MappingRow>,
}

/// How far a row can be trusted, in words.
fn standing(mark: Mark) -> &'static str {
    match mark {
        Mark::Documented => "Documented",
        Mark::Inferred => "Inferred",
        Mark::Seen => "Seen in practice",
        Mark::Conflict => "Meta contradicts itself",
    }
}

pub async fn show(frame: Frame) -> Page<Rules> {
    let objectives = vocabulary(Kind::Objective)
        .values
        .iter()
        .map(|name| Objective {
            name,
            rows: ad_set::mapping_rows().iter().filter(|row| row.objective == *name).collect(),
        })
        .filter(|objective| !objective.rows.is_empty())
        .collect();
    Page::new(Rules { frame, objectives, legacy: legacy::names() })
}
