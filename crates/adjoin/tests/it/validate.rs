//! `adjoin validate ad-set`, as a script would call it.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::process::adjoin;

fn validate(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = adjoin(&[&["validate", "ad-set"], arguments].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    output
}

fn answers(output: &Output) -> Vec<Value> {
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A lead ad set with all facts around it, so that nothing is left open.
fn good() -> Value {
    json!({
        "ad_set": {
            "name": "Leads", "campaign_id": "120", "optimization_goal": "LEAD_GENERATION", "destination_type": "ON_AD",
            "billing_event": "IMPRESSIONS", "bid_strategy": "LOWEST_COST_WITHOUT_CAP", "daily_budget": 2000,
            "status": "PAUSED", "promoted_object": {"page_id": "123"},
            "targeting": {"geo_locations": {"countries": ["US"]}, "targeting_automation": {"advantage_audience": 1}}
        },
        "campaign": {
            "name": "Leads", "objective": "OUTCOME_LEADS", "status": "PAUSED", "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": false, "buying_type": "AUCTION"
        },
        "ad_account": {"id": "act_1", "currency": "USD"}
    })
}

fn without_page() -> Value {
    let mut document = good();
    document["ad_set"]["promoted_object"] = json!({});
    document
}

#[test]
fn an_accepted_ad_set_ends_with_0_and_a_rejected_one_with_1() {
    let accepted = validate(&["--json"], good().to_string().as_bytes());
    let answer = &answers(&accepted)[0];
    assert_eq!(answer["verdict"], "accept", "{answer}");
    assert_eq!(accepted.status.code(), Some(0));

    let rejected = validate(&["-", "--json"], without_page().to_string().as_bytes());
    let answer = &answers(&rejected)[0];
    assert_eq!((answer["verdict"].as_str(), rejected.status.code()), (Some("reject"), Some(1)), "{answer}");
    let finding = answer["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "reject").unwrap();
    for member in ["path", "rule", "message", "fix", "source"] {
        assert!(!finding[member].is_null(), "{member} is missing in {finding}");
    }
    assert_eq!(finding["path"][1], "promoted_object");
}

#[test]
fn what_is_no_file_ends_with_2_and_says_so_in_json() {
    let directory = std::env::temp_dir();
    for path in [directory.to_str().unwrap(), "/nowhere/at/all.json"] {
        for flag in ["--json", "--jsonl"] {
            let output = validate(&[path, flag], b"");
            assert_eq!(output.status.code(), Some(2), "{path}");
            let answer = &answers(&output)[0];
            assert!(answer["error"]["problem"].as_str().unwrap().contains(path), "{answer}");
        }
        let output = validate(&[path], b"");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{path}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(path));
    }
}

#[test]
fn people_read_the_findings_on_stderr() {
    let output = validate(&[], without_page().to_string().as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("ad_set.promoted_object") && told.contains("source:"), "{told}");
}

#[test]
fn input_that_cannot_be_read_ends_with_2_and_its_place() {
    for (input, place) in [
        (&b"{\n  \"ad_set\": nonsense}"[..], "line 2"),
        (b"[]", "line 1"),
        (b"", "line 1"),
        (b"{\"campaign\": {}}", "ad_set"),
        (b"{\"ad_set\":1}", "line 1, column 11"),
        (b"\xff\xfe", "line 1"),
    ] {
        let output = validate(&["--json"], input);
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(place), "{told}");
        assert!(answers(&output)[0]["error"]["problem"].is_string());
    }
    assert_eq!(validate(&["no-such-file.json"], b"").status.code(), Some(2));
}

#[test]
fn a_line_in_is_a_line_out_in_order_and_a_bad_one_stops_nobody() {
    let input = format!("{}\n{{broken\n\n{}\r\n{}", good(), without_page(), good());
    let output = validate(&["--jsonl"], input.as_bytes());
    assert_eq!(output.status.code(), Some(2), "one line could not be read");
    let answers = answers(&output);
    let verdicts = answers.iter().map(|answer| answer["verdict"].as_str()).collect::<Vec<_>>();
    assert_eq!(verdicts, [Some("accept"), None, Some("reject"), Some("accept")]);
    assert_eq!(answers[1]["error"]["line"], 2);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<bool> = lines.lines().map(str::is_empty).collect();
    assert_eq!(lines, [false, false, true, false, false], "each result stands on the line of its document");

    let two = format!("{}\n{}\n", good(), without_page());
    assert_eq!(validate(&["--jsonl"], two.as_bytes()).status.code(), Some(1));
}

#[test]
fn a_line_that_is_too_long_is_named_and_passed_over() {
    let mut input = vec![b' '; 17 * 1024 * 1024];
    input[0] = b'{';
    input.extend_from_slice(format!("\n{}\n", good()).as_bytes());
    let output = validate(&["--jsonl"], &input);
    let answers = answers(&output);
    assert_eq!((answers.len(), output.status.code()), (2, Some(2)));
    assert!(answers[0]["error"]["problem"].as_str().unwrap().contains("MiB"));
    assert_eq!(answers[1]["verdict"], "accept");
}
