//! Product catalogs and their sets. Source: marketing-api/reference/product-catalog.

use super::{Cell, Kind, List, Node, Route, Scope, edge, node};

pub const ROUTES: &[Route] = &[
    node(Kind::Catalog),
    edge(Kind::Catalog, "product_sets", |scope, node, _| {
        let sets = scope
            .world
            .assets
            .catalogs
            .get(&node.id)
            .into_iter()
            .flat_map(|catalog| catalog.product_sets.keys());
        Ok(List::nodes(sets.map(|id| Node::new(Kind::ProductSet, id)).collect()))
    }),
    node(Kind::ProductSet),
];

const PRODUCTS: u64 = 120;

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let catalog = scope.world.assets.catalogs.get(&node.id)?;
    Some(match name {
        "name" => catalog.name.as_str().into(),
        "vertical" => "commerce".into(),
        "product_count" => PRODUCTS.into(),
        "business" => return Some(Cell::Node(Node::new(Kind::Business, &catalog.business_id), &[])),
        _ => return None,
    })
}

pub fn product_set_field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let catalog = scope.world.assets.catalog_of_set(&node.id)?;
    Some(match name {
        "name" => catalog.product_sets.get(&node.id)?.as_str().into(),
        "product_count" => PRODUCTS.into(),
        "product_catalog" => return Some(Cell::Node(Node::new(Kind::Catalog, &catalog.id), &[])),
        _ => return None,
    })
}
