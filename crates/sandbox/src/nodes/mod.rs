//! The Graph nodes and edges, one file a kind.
