//! Style sheet, scripts and icon: in the binary, at an address that changes with their content, so that browsers
//! keep them for good.

use std::fmt;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file of `assets/`. Shown in a template, it is its address.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    name: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    fingerprint: u64,
}

macro_rules! assets {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $content_type:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $constant: Asset =
                Asset::new($name, $content_type, include_bytes!(concat!("../../assets/", $name)));
        )*
        static ALL: &[&Asset] = &[$(&$constant),*];
    };
}

assets! {
    CSS = "adjoin.css", "text/css; charset=utf-8";
    ICON = "icon.svg", "image/svg+xml";
    /// Watches a session whose dialog is open in another window.
    CONNECT_JS = "connect.js", "text/javascript; charset=utf-8";
    /// Copy buttons.
    COPY_JS = "copy.js", "text/javascript; charset=utf-8";
    /// Checks the ad set form while people type.
    LIVE_FORM_JS = "live-form.js", "text/javascript; charset=utf-8";
    /// Takes the one-time code out of the address bar.
    WELCOME_JS = "welcome.js", "text/javascript; charset=utf-8";
}

impl Asset {
    const fn new(name: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        Self { name, content_type, body, fingerprint: fingerprint(body) }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/assets/{:016x}/{}", self.fingerprint, self.name)
    }
}

/// FNV-1a, when compiled: it tells versions apart, it guards nothing.
const fn fingerprint(body: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0;
    while index < body.len() {
        hash = (hash ^ body[index] as u64).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    hash
}

/// `GET /assets/{fingerprint}/{name}`
pub async fn serve(Path((fingerprint, name)): Path<(String, String)>) -> Response {
    let asset = ALL.iter().find(|a| a.name == name && format!("{:016x}", a.fingerprint) == fingerprint);
    match asset {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.body,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
