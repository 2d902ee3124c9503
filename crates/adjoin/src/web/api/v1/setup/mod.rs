pub mod get;
pub mod save;
