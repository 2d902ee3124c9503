//! Everything can be found from the token, as at Meta.

use serde_json::{Value, json};

use crate::server::Server;

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn from_me_to_every_fact() {
    let server = Server::start().await;
    let facts = &server.facts;
    let me = server.get("me", json!({})).await.good();
    assert_eq!(me["id"], facts.user_id);
    assert_eq!(me["name"], "Mara Lindqvist");

    let accounts = server.get("me/adaccounts", json!({ "fields": "currency,timezone_name" })).await.good();
    assert_eq!(ids(&accounts)[0], facts.ad_account_id);
    let currencies: Vec<_> = accounts["data"].as_array().unwrap().iter().map(|a| &a["currency"]).collect();
    assert_eq!(currencies, ["USD", "EUR", "JPY"]);

    let businesses = server.get("me/businesses", json!({})).await.good();
    assert_eq!(ids(&businesses)[0], facts.business_id);
    let of_business =
        async |edge: &str| server.get(&format!("{}/{edge}", facts.business_id), json!({})).await.good();
    assert_eq!(ids(&of_business("owned_pages").await), [&facts.page_id]);
    assert!(ids(&of_business("owned_ad_accounts").await).contains(&facts.ad_account_id.as_str()));
    assert_eq!(ids(&of_business("adspixels").await), [&facts.pixel_id]);
    assert_eq!(ids(&of_business("owned_product_catalogs").await), [&facts.catalog_id]);
    assert_eq!(of_business("business_users").await["data"].as_array().unwrap().len(), 2);
    let harbour = ids(&businesses)[1].to_owned();
    let clients = server.get(&format!("{harbour}/client_pages"), json!({})).await.good();
    assert_eq!(ids(&clients), [&facts.page_id]);

    let sets = server.get(&format!("{}/product_sets", facts.catalog_id), json!({})).await.good();
    assert!(ids(&sets).contains(&facts.product_set_id.as_str()));
    let page = json!({ "access_token": server.page_token().await });
    let forms = server.get(&format!("{}/leadgen_forms", facts.page_id), page).await.good();
    assert!(ids(&forms).contains(&facts.form_id.as_str()));
    let pixels = server.get(&server.account("adspixels"), json!({})).await.good();
    assert_eq!(ids(&pixels), [&facts.pixel_id]);
    let promotable = server.get(&server.account("promote_pages"), json!({})).await.good();
    assert!(ids(&promotable).contains(&facts.page_id.as_str()));
    let minimum = server.get(&server.account("minimum_budgets"), json!({})).await.good();
    assert_eq!(minimum["data"][0]["currency"], "USD");
    let users = server.get(&server.account("assigned_users"), json!({})).await.good();
    assert!(ids(&users).contains(&facts.user_id.as_str()));
    let app = server.get(&facts.application_id, json!({ "fields": "object_store_urls" })).await.good();
    assert_eq!(app["object_store_urls"]["google_play"], facts.object_store_url);
}

#[tokio::test]
async fn pages_of_a_portfolio_need_business_management() {
    let server = Server::start().await;
    let pages = server.get("me/accounts", json!({})).await.good();
    assert_eq!(ids(&pages).len(), 2);
    assert!(pages["data"][0]["access_token"].as_str().unwrap().len() > 20);

    let token = {
        let mut world = server.world.write().unwrap();
        let now = world.clock.unix();
        let yuki = world.identity.people.values().find(|p| p.name.starts_with("Jonas")).unwrap().id.clone();
        let app = server.facts.app_id.clone();
        world.identity.issue_user_token(
            &app,
            &yuki,
            &["pages_show_list", "ads_read"],
            adjoin_sandbox::world::identity::TokenLife::Short,
            now,
        )
    };
    let get = async |path: &str| {
        let url = server.url(&format!("v26.0/{path}"));
        crate::server::Answer::of(server.client.get(url).bearer_auth(&token).send().await.unwrap()).await
    };
    // Both of his Pages belong to a portfolio.
    assert_eq!(get("me/accounts").await.good(), json!({ "data": [] }));
    assert_eq!(get("me/businesses").await.code(), (100, None));
    // What he may read he may not change.
    let campaigns = get(&server.account("campaigns")).await;
    assert_eq!(campaigns.status, 200);
    let url = server.url(&format!("v26.0/{}", server.account("campaigns")));
    let refused = server
        .client
        .post(url)
        .bearer_auth(&token)
        .json(&crate::server::campaign("No"))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 403);
}
