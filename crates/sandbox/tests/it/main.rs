//! The sandbox over HTTP, as a client sees it.

mod batch;
mod discovery;
mod fill;
mod insights;
mod leads;
mod limits;
mod login;
mod objects;
mod paging;
mod properties;
mod refusals;
mod server;
mod tls;
mod uploads;
mod versions;
mod wire;
