//! How a Graph call looks on the wire, in and out.

pub mod answer;
mod batch;
mod call;
pub mod cursor;
mod error;
pub mod fields;
pub mod jsonpath;
mod params;
pub mod version;
pub mod wire;

pub use answer::Answer;
pub use call::{Call, Caller, FilePart, Method};
pub use error::GraphError;
pub use params::Params;
