//! The integration tests of the service, one binary: each further binary is a link step.

mod api;
mod call;
mod connect;
mod console;
mod console_leads;
mod databases;
mod deliveries;
mod demo;
mod docs;
mod faults;
mod forms;
mod input;
mod lead_methods;
mod lead_stages;
mod leads;
mod lossy;
mod methods;
mod outside;
mod process;
mod schemas;
mod serve;
mod subscriptions;
mod support;
mod validate;
mod vault;
mod webhooks;
