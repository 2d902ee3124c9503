//! The node types as data: `data/nodes.toml`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use serde::Deserialize;

use super::Kind;

/// How a written parameter must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteType {
    Text,
    /// Numeric string.
    Id,
    /// Minor units, read back as a numeric string.
    Money,
    Int,
    Bool,
    /// An object or a list.
    Json,
    /// ISO 8601 with an offset, or Unix seconds.
    Time,
}

/// What there is to know of a node type.
#[derive(Debug)]
pub struct NodeType {
    /// Fields of a read that names none.
    pub default: Vec<String>,
    fields: BTreeSet<String>,
    pub write: Vec<(String, WriteType)>,
    pub source: String,
}

impl NodeType {
    pub fn has_field(&self, name: &str) -> bool {
        self.fields.contains(name)
    }

    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }
}

#[derive(Deserialize)]
struct Row {
    source: String,
    default: String,
    fields: String,
    #[serde(default)]
    write: BTreeMap<WriteType, String>,
}

static TABLE: LazyLock<HashMap<String, NodeType>> = LazyLock::new(|| {
    let rows: HashMap<String, Row> =
        toml::from_str(include_str!("../../data/nodes.toml")).expect("data/nodes.toml is well-formed");
    rows.into_iter().map(|(name, row)| (name, node_type(row))).collect()
});

fn node_type(row: Row) -> NodeType {
    let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    NodeType {
        default: names(&row.default),
        fields: names(&row.fields).into_iter().collect(),
        write: row
            .write
            .iter()
            .flat_map(|(kind, text)| names(text).into_iter().map(|name| (name, *kind)))
            .collect(),
        source: row.source,
    }
}

/// The table row of a kind.
pub fn of(kind: Kind) -> &'static NodeType {
    TABLE.get(kind.type_name()).expect("every kind has a row; a test reads them all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_that_knows_its_own_names() {
        for kind in Kind::ALL {
            let row = of(kind);
            assert!(!row.source.is_empty());
            for name in row.default.iter().chain(row.write.iter().map(|(name, _)| name)) {
                assert!(row.has_field(name), "{kind:?} {name}");
            }
        }
    }
}
