mod browser;
mod consent;
