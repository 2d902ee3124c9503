//! Images and videos.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::server::{Answer, Server};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x10\x08\x02\0\0\0";

fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| {
            format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream")
        });
        body.extend(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes(),
        );
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    body
}

async fn upload(server: &Server, edge: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Answer {
    let url = server.url(&format!("v26.0/{}", server.account(edge)));
    let request = server
        .client
        .post(url)
        .bearer_auth(&server.facts.access_token)
        .header("Content-Type", "multipart/form-data; boundary=edge")
        .body(multipart(parts));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn images_by_file_and_by_bytes() {
    let server = Server::start().await;
    // One client sends the file twice under two part names.
    let made =
        upload(&server, "adimages", &[("filename", Some("a.png"), PNG), ("source0", Some("a.png"), PNG)])
            .await
            .good();
    let image = &made["images"]["a.png"];
    assert_eq!((&image["width"], &image["height"]), (&json!(32), &json!(16)));
    let bytes =
        server.post(&server.account("adimages"), json!({ "bytes": STANDARD.encode(PNG) })).await.good();
    assert_eq!(bytes["images"]["bytes"]["hash"], image["hash"], "the hash follows from the content");
    let picture = server.client.get(image["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(picture.bytes().await.unwrap(), PNG);

    let hashes = json!({ "hashes": [image["hash"]], "fields": "id,hash,permalink_url" });
    let list = server.get(&server.account("adimages"), hashes).await.good();
    let account = server.facts.ad_account_id.trim_start_matches("act_");
    assert_eq!(list["data"][0]["id"], format!("{account}:{}", image["hash"].as_str().unwrap()));
    let text = upload(&server, "adimages", &[("filename", Some("a.txt"), b"hello")]).await;
    assert_eq!(text.code().0, 100);
    let gone = server
        .call(reqwest::Method::DELETE, &server.account("adimages"), &json!({ "hash": image["hash"] }))
        .await
        .good();
    assert_eq!(gone, json!({ "success": true }));
    assert_eq!(server.get(&server.account("adimages"), json!({})).await.good(), json!({ "data": [] }));
    let mut creative = crate::server::creative(&server.facts.page_id);
    creative["object_story_spec"]["link_data"]["image_hash"] = image["hash"].clone();
    let refused = server.post(&server.account("adcreatives"), creative).await;
    assert_eq!(
        refused.body["error"]["error_data"]["blame_field_specs"],
        json!([["object_story_spec", "link_data", "image_hash"]])
    );
}

#[tokio::test]
async fn videos_in_chunks() {
    let server = Server::start().await;
    let videos = server.account("advideos");
    let start = server.post(&videos, json!({ "upload_phase": "start", "file_size": 10 })).await.good();
    assert_eq!((&start["start_offset"], &start["end_offset"]), (&json!("0"), &json!("10")));
    let session = start["upload_session_id"].as_str().unwrap().as_bytes();
    let send = async |offset: &[u8], chunk: &[u8]| {
        upload(
            &server,
            "advideos",
            &[
                ("upload_phase", None, b"transfer"),
                ("upload_session_id", None, session),
                ("start_offset", None, offset),
                ("video_file_chunk", Some("chunk"), chunk),
            ],
        )
        .await
    };
    let first = send(b"0", b"123456").await.good();
    assert_eq!(first["start_offset"], "6");
    let wrong = send(b"0", b"123456").await;
    assert_eq!(wrong.code().1, Some(1_363_037));
    assert_eq!(wrong.body["error"]["error_data"], json!({ "start_offset": "6", "end_offset": "10" }));
    let last = send(b"6", b"7890").await.good();
    assert_eq!(last["start_offset"], last["end_offset"]);
    let session = std::str::from_utf8(session).unwrap();
    let finish = json!({ "upload_phase": "finish", "upload_session_id": session, "title": "Film" });
    assert_eq!(server.post(&videos, finish).await.good(), json!({ "success": true }));
    let id = start["video_id"].as_str().unwrap();
    let status = async || {
        let read = server.get(id, json!({ "fields": "status,title" })).await.good();
        read["status"]["video_status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "processing");
    server.world.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(10));
    assert_eq!(status().await, "ready");
}
