//! How a Graph call looks on the wire, in and out.

mod call;
mod error;
mod params;

pub use call::{Call, Caller, FilePart, Method};
pub use error::GraphError;
pub use params::Params;
