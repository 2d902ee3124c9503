//! The TLS listener under its own CA.

use adjoin_sandbox::{Options, Sandbox};

#[tokio::test]
async fn clients_that_trust_the_ca_connect() {
    let folder = std::env::temp_dir().join(format!("adjoin-sandbox-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ca_file = folder.join("ca.pem");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options { tls_ca_file: Some(ca_file.clone()), ..Options::default() };
    let sandbox = Sandbox::new(options, listener).unwrap();
    let facts = sandbox.facts().clone();
    assert!(facts.graph_url.starts_with("https://127.0.0.1:"));
    assert_eq!(facts.ca_file.as_ref(), Some(&ca_file));
    tokio::spawn(sandbox.run(std::future::pending()));

    let pem = std::fs::read(&ca_file).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let ca = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    let url = format!("{}/v26.0/me/adaccounts?limit=1&access_token={}", facts.graph_url, facts.access_token);
    let page: serde_json::Value = client.get(&url).send().await.unwrap().json().await.unwrap();
    let next = page["paging"]["next"].as_str().unwrap();
    assert!(next.starts_with(&facts.graph_url), "{next}");
    assert!(reqwest::Client::new().get(&url).send().await.is_err(), "nobody else trusts it");
}
