//! What tests stand on: a database of their own on each engine, an app with a clock they move, a server on a free
//! port. Unit tests of the crate use the same files as `crate::support`.

mod app;
mod connected;
mod databases;
mod hold;
mod refusing;

pub use app::TestApp;
pub use connected::{Connected, on_each_connected, on_each_connected_by};
pub use databases::{Database, on_each_database};
pub use hold::Hold;
pub use refusing::{Refusing, process};

/// Runs a test with a started app, once on each engine.
pub fn on_each_app(test: impl AsyncFn(&TestApp)) {
    on_each_database(async move |database| {
        let app = TestApp::start(&database).await;
        test(&app).await;
        app.stop().await;
    });
}
