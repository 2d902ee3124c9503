//! Starts a sandbox: `cargo run -p adjoin-sandbox --example sandbox -- [ADDR] [ADS] [LEADS]`.

use adjoin_sandbox::{Fill, FillLeads, Options, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let ads = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let fill = Fill { campaigns: ads / 500, ad_sets: ads / 50, ads };
    let leads = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let fill_leads = FillLeads { leads, ..FillLeads::default() };
    let listener = tokio::net::TcpListener::bind(address).await?;
    let sandbox = Sandbox::new(Options { fill, fill_leads, ..Options::default() }, listener)?;
    println!("{}", sandbox.facts().to_json());
    sandbox.run(std::future::pending()).await?;
    Ok(())
}
