//! The HTTP server: login pages, the admin path, and the Graph for everything else.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    Options, SharedWorld, World,
    clock::Clock,
    login, nodes,
    protocol::{
        answer::{self, Trace},
        wire,
    },
    scenarios::{self, Admin},
    tls, webhooks,
    world::{
        Protocol, fill, fill_leads,
        seed::{self, Seeded},
    },
};

/// Ids and tokens are the same from run to run unless another seed is asked for.
const DEFAULT_SEED: u64 = 20_261_124;

/// Where a service on this machine usually takes its callbacks.
const USUAL_CALLBACKS: [&str; 2] =
    ["http://localhost:8080/connector/callback", "http://127.0.0.1:8080/connector/callback"];

/// Why a sandbox does not start or stops.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the listening socket has no address")]
    Address(#[source] io::Error),
    #[error("the server stopped")]
    Serve(#[source] io::Error),
    #[error("the certificate cannot be made: {0}")]
    Certificate(String),
    #[error("the CA certificate cannot be written to {}", path.display())]
    CaFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Scenario(#[from] scenarios::ParseScenarioError),
}

/// What a client needs to begin: the one line that is printed at start.
#[derive(Clone, Serialize)]
pub struct Facts {
    pub graph_url: String,
    pub dialog_url: String,
    pub app_id: String,
    pub app_secret: String,
    pub access_token: String,
    /// With `act_`.
    pub ad_account_id: String,
    pub page_id: String,
    pub pixel_id: String,
    pub catalog_id: String,
    pub product_set_id: String,
    pub form_id: String,
    pub user_id: String,
    pub business_id: String,
    /// Login for Business: a configuration for a system-user token, and one for a person's token.
    pub config_id: String,
    pub user_config_id: String,
    /// An app that app campaigns can promote, and where it is sold.
    pub application_id: String,
    pub object_store_url: String,
    pub admin_url: String,
    pub api_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl Facts {
    /// One line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A sandbox that is ready to serve.
pub struct Sandbox {
    world: SharedWorld,
    facts: Facts,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    options: Options,
    /// Speaks to webhook callbacks.
    client: reqwest::Client,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("graph_url", &self.facts.graph_url).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Builds the world. The caller owns the socket; nothing is served before [`Self::run`].
    pub fn new(options: Options, listener: TcpListener) -> Result<Self, SandboxError> {
        let address = listener.local_addr().map_err(SandboxError::Address)?;
        let tls = options.tls_ca_file.as_deref().map(|path| tls::acceptor(path, address.ip())).transpose()?;
        let (world, seeded) = build(&options)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = options
            .public_url
            .as_deref()
            .map_or_else(|| format!("{scheme}://{address}"), |url| url.trim_end_matches('/').to_owned());
        let facts = Facts {
            dialog_url: base.clone(),
            admin_url: format!("{base}/_sandbox"),
            graph_url: base,
            app_id: seeded.app_id,
            app_secret: seeded.app_secret,
            access_token: seeded.access_token,
            ad_account_id: seeded.ad_account_id,
            page_id: seeded.page_id,
            pixel_id: seeded.pixel_id,
            catalog_id: seeded.catalog_id,
            product_set_id: seeded.product_set_id,
            form_id: seeded.form_id,
            user_id: seeded.person_id,
            business_id: seeded.business_id,
            config_id: seeded.system_user_config_id,
            user_config_id: seeded.user_config_id,
            application_id: seeded.application_id,
            object_store_url: seeded.object_store_url,
            api_version: "v26.0",
            ca_file: options.tls_ca_file.clone(),
        };
        let world = Arc::new(RwLock::new(world));
        Ok(Self { world, facts, listener, tls, options, client: webhooks::client() })
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The world behind the server, for tests in the same process.
    pub fn world(&self) -> SharedWorld {
        Arc::clone(&self.world)
    }

    /// Serves until `shutdown` is done, then finishes the requests under way.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), SandboxError> {
        let graph = Graph {
            world: Arc::clone(&self.world),
            client: self.client.clone(),
            public_url: self.options.public_url.as_deref().map(Arc::from),
            tls: self.tls.is_some(),
        };
        let admin = Admin {
            world: Arc::clone(&self.world),
            facts: Arc::new(serde_json::to_value(&self.facts).unwrap_or_default()),
            // The same options made a world at start, so they make one again.
            rebuild: Arc::new(move || build(&self.options).map(|(world, _)| world).unwrap_or_default()),
        };
        let router = router(graph, admin);
        // Ends with the server: what is on its way then is lost, as the whole world is.
        let sender = tokio::spawn(webhooks::run(self.world, self.client));
        let served = match self.tls {
            None => axum::serve(self.listener, router).with_graceful_shutdown(shutdown).await,
            Some(acceptor) => {
                let listener = TlsListener { listener: self.listener, acceptor };
                axum::serve(listener, router).with_graceful_shutdown(shutdown).await
            }
        };
        sender.abort();
        served.map_err(SandboxError::Serve)
    }
}

#[derive(Clone)]
struct Graph {
    world: SharedWorld,
    client: reqwest::Client,
    public_url: Option<Arc<str>>,
    tls: bool,
}

/// The world as it is at start, and the ids a client needs.
fn build(options: &Options) -> Result<(World, Seeded), SandboxError> {
    let mut world = World {
        seed: options.seed.unwrap_or(DEFAULT_SEED),
        protocol: Protocol { strict_versions: options.strict_versions, legacy: options.legacy_protocol },
        clock: options.now.map_or_else(Clock::default, |now| Clock::Running {
            offset: now.duration_since(Timestamp::now()),
        }),
        ..World::default()
    };
    let redirect_uris: Vec<String> = USUAL_CALLBACKS
        .iter()
        .map(|&uri| uri.to_owned())
        .chain(options.redirect_uris.iter().cloned())
        .collect();
    let seeded = seed::seed(&mut world, &redirect_uris);
    for text in &options.scenarios {
        world.scenarios.set(text.parse()?);
    }
    let account = seeded.ad_account_id.trim_start_matches("act_").parse().unwrap_or_default();
    fill::fill(&mut world, account, &seeded.page_id, &seeded.pixel_id, options.fill);
    fill_leads::fill(&mut world, account, &seeded.page_id, &seeded.form_id, options.fill_leads);
    Ok((world, seeded))
}

fn router(graph: Graph, admin: Admin) -> Router {
    Router::new()
        .route("/_sandbox/coverage", get(async || Json(nodes::coverage())))
        .route("/_sandbox/images/{account}/{hash}", get(image))
        .fallback(graph_call)
        .with_state(graph.clone())
        .merge(scenarios::admin_router(admin))
        .merge(login::dialog_router(graph.world))
}

/// An uploaded image under the address its `url` tells.
async fn image(State(graph): State<Graph>, Path((account, hash)): Path<(u64, String)>) -> Response {
    let world = graph.world.read().unwrap_or_else(PoisonError::into_inner);
    match world.objects.images.get(&(account, hash)).filter(|image| !image.deleted) {
        Some(image) => {
            let media = nodes::media_type(&image.content).unwrap_or("application/octet-stream");
            ([(header::CONTENT_TYPE, media)], image.content.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn graph_call(State(graph): State<Graph>, request: Request) -> Response {
    let base_url = wire::base_url(request.headers(), graph.public_url.as_deref(), graph.tls);
    let if_none_match =
        request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let call = wire::read(request, &base_url).await;
    let (mut answer, jsonp, challenges) = {
        let mut world = graph.world.write().unwrap_or_else(PoisonError::into_inner);
        let (answer, jsonp) = match call {
            Ok(call) => {
                let answer = answer::answer(&mut world, &call);
                let legacy = answer::is_legacy(&world, &call);
                (answer::conditional(answer, legacy, if_none_match.as_deref()), call.params.text("callback"))
            }
            Err(error) => {
                let trace = Trace::next(&mut world);
                (answer::refusal(error, &trace), None)
            }
        };
        (answer, jsonp, std::mem::take(&mut world.webhooks.challenges))
    };
    for challenge in challenges {
        // Asked without the lock: the callback may well call the Graph before it answers.
        let proven = webhooks::ask(&graph.client, &challenge).await;
        let mut world = graph.world.write().unwrap_or_else(PoisonError::into_inner);
        match proven {
            Ok(()) => {
                world.webhooks.subscribe_app(&challenge.app_id, &challenge.object, challenge.subscription);
            }
            Err(error) => {
                let trace = Trace::next(&mut world);
                answer = answer::refusal(error, &trace);
            }
        }
    }
    // Waiting happens without the lock: a slow answer holds up nobody else.
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    tracing::debug!(status = answer.status.as_u16(), "graph call");
    wire::write(answer, jsonp.as_deref())
}

/// Accepts TLS connections; a failed handshake is the client's affair and ends with it.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            };
            match self.acceptor.accept(stream).await {
                Ok(stream) => return (stream, address),
                Err(error) => tracing::debug!(%error, "TLS handshake failed"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Keeps the coverage list honest about its shape.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_lists_the_main_edges() {
        let serde_json::Value::Array(rows) = nodes::coverage()["data"].clone() else { panic!("a list") };
        assert!(rows.iter().any(|row| row["method"] == "POST" && row["path"] == "/{AdAccount}/adsets"));
        assert!(rows.len() > 50);
    }
}
