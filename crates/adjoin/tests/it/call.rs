//! `adjoin call`, as a process against a running service.

use serde_json::{Value, json};

use crate::{
    api::Backend,
    process::{adjoin, behind_a_proxy},
    support::{Connected, on_each_connected},
};

/// Exit code, JSON on stdout, words on stderr.
async fn call(it: &Connected, key: &str, arguments: &[&str]) -> (i32, Value, String) {
    let mut command = adjoin(&[&["call"], arguments].concat());
    command.args(["--url", &it.test.origin]).env("ADJOIN_API_KEY", key);
    behind_a_proxy(&mut command);
    // The service runs in this process, so nobody may wait for the other one on a thread of the runtime.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), json, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_calls_answers_and_tells_by_its_exit_code() {
    on_each_connected(&[], async |it| {
        let key = Backend::new(&it.test, None).await.key;
        let budget =
            json!({ "name": "7", "objective": "OUTCOME_LEADS", "special_ad_categories": [] }).to_string();
        let ad_account = format!("ad_account_id={}", it.facts.ad_account_id);
        let create = ["campaign.create", "--account", "crm-1", "--args", &budget, "--arg", &ad_account];
        let sharing = ["--arg", "is_adset_budget_sharing_enabled=false", "--arg", "name=2026"];
        let (code, made, said) = call(it, &key, &[&create[..], &sharing].concat()).await;
        assert_eq!(code, 0, "{said}");
        let id = format!("campaign_id={}", made["data"]["id"].as_str().unwrap());
        let account = it.account.as_str();
        let (_, got, _) = call(it, &key, &["campaign.get", "--account", account, "--arg", &id]).await;
        assert_eq!((&got["data"]["name"], &got["data"]["status"]), (&json!("2026"), &json!("PAUSED")));

        let (code, problem, said) =
            call(it, &key, &["campaign.get", "--account", account, "--arg", "campain_id=1"]).await;
        assert_eq!((code, &problem["status"]), (2, &json!(422)));
        assert!(said.contains("did you mean campaign_id?"), "{said}");
        let (code, _, said) =
            call(it, &key, &["campaign.get", "--account", account, "--arg", "campaign_id=1"]).await;
        assert_eq!(code, 1, "{said}");
        let (code, ..) = call(it, "adj_wrong", &["page.list", "--account", account]).await;
        assert_eq!(code, 3);
        let (code, _, said) = call(it, &key, &["page.list", "--account", "nobody"]).await;
        assert_eq!(code, 2, "{said}");
        let (code, _, said) = call(it, &key, &["page.list"]).await;
        assert!(code == 2 && said.contains("--account"), "{said}");
        let (code, answer, _) = call(it, &key, &["ad_set.validate", "--args", r#"{"ad_set": {}}"#]).await;
        assert_eq!((code, &answer["data"]["verdict"]), (0, &json!("reject")));
    });
}
