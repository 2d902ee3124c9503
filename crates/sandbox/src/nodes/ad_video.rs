//! Ad videos: whole, by URL, or in chunks. Source: marketing-api/reference/ad-account/advideos.

use serde_json::{Map, Value, json};

use super::{Cell, Kind, List, Node, Request, Route, Scope, create, delete, edge, node, time, write};
use crate::{
    protocol::GraphError,
    world::{
        World,
        objects::{ObjectKind, Status, Upload},
    },
};

/// Largest part of a file that one transfer asks for.
const CHUNK: u64 = 4 * 1024 * 1024;
/// A video is being encoded for this long, in seconds of the sandbox's clock.
const ENCODING: i64 = 5;

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "advideos", |_, node, _| {
        Ok(List::objects(node.number(), ObjectKind::AdVideo).with_default(&["updated_time", "id"]))
    }),
    create(Kind::AdAccount, "advideos", upload),
    node(Kind::AdVideo),
    delete(Kind::AdVideo, None, write::delete),
];

fn upload(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    match params.text("upload_phase").as_deref() {
        Some("start") => start(world, request, account),
        Some("transfer") => transfer(world, request),
        Some("finish") => finish(world, request),
        Some("cancel") => {
            let session = session_id(request)?;
            world.objects.uploads.remove(&session);
            Ok(json!({ "success": true }))
        }
        Some(other) => {
            Err(write::not_one_of("upload_phase", &["cancel", "finish", "start", "transfer"], other))
        }
        None => {
            if request.call.files.is_empty() && !params.has("file_url") {
                return Err(GraphError::new(
                    100,
                    "(#100) No video was sent: use source, file_url or upload_phase",
                ));
            }
            let id = insert(world, request, account, true);
            Ok(json!({ "id": id.to_string() }))
        }
    }
}

fn insert(world: &mut World, request: &Request<'_>, account: &Node, published: bool) -> u64 {
    let params = request.params();
    let mut fields = Map::new();
    for name in ["name", "title", "description"] {
        if let Some(text) = params.text(name) {
            fields.insert(name.to_owned(), text.into());
        }
    }
    fields.insert("published".into(), published.into());
    let number = account.number();
    let object = write::new_object(world, ObjectKind::AdVideo, number, number, Status::Active, fields);
    world.objects.insert(object)
}

fn start(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let size: u64 = request
        .params()
        .text("file_size")
        .and_then(|text| text.parse().ok())
        .filter(|size| *size > 0)
        .ok_or_else(|| write::required("file_size"))?;
    let video = insert(world, request, account, false);
    let session = format!("{}", video + 7_000_000_000);
    world.objects.uploads.insert(session.clone(), Upload { video, size, received: 0 });
    Ok(json!({
        "video_id": video.to_string(),
        "upload_session_id": session,
        "start_offset": "0",
        "end_offset": size.min(CHUNK).to_string(),
    }))
}

fn session_id(request: &Request<'_>) -> Result<String, GraphError> {
    request.params().text("upload_session_id").ok_or_else(|| write::required("upload_session_id"))
}

fn unknown_session() -> GraphError {
    GraphError::new(100, "(#100) Param upload_session_id names no upload that is under way")
}

fn transfer(world: &mut World, request: &Request<'_>) -> Result<Value, GraphError> {
    let session = session_id(request)?;
    let upload = world.objects.uploads.get_mut(&session).ok_or_else(unknown_session)?;
    let offset = request.params().text("start_offset").and_then(|text| text.parse::<u64>().ok());
    let next = |upload: &Upload| {
        (upload.received.to_string(), (upload.received + CHUNK).min(upload.size).to_string())
    };
    let chunk = request.call.files.first().map_or(0, |file| file.content.len() as u64);
    if offset != Some(upload.received) || chunk == 0 || upload.received + chunk > upload.size {
        let (start, end) = next(upload);
        let error = GraphError::new(6001, "There was a problem uploading your video. Please try again.")
            .subcode(1_363_037)
            .user("Video upload error", "The chunk does not begin where the upload stands.")
            .data(json!({ "start_offset": start, "end_offset": end }));
        return Err(GraphError { is_transient: true, ..error });
    }
    upload.received += chunk;
    let (start, end) = next(upload);
    Ok(json!({ "start_offset": start, "end_offset": end }))
}

fn finish(world: &mut World, request: &Request<'_>) -> Result<Value, GraphError> {
    let session = session_id(request)?;
    let upload = world.objects.uploads.get(&session).ok_or_else(unknown_session)?;
    if upload.received < upload.size {
        return Err(GraphError::new(
            6000,
            "There was a problem uploading your video file. Please try again with another file.",
        )
        .subcode(1_363_040)
        .user("Video upload error", "The upload was finished before all of the file was sent."));
    }
    let video = upload.video;
    let now = world.clock.unix();
    world.objects.uploads.remove(&session);
    if let Some(object) = world.objects.get_mut(video) {
        object.updated = now;
        let fields = object.fields_mut();
        fields.insert("published".into(), true.into());
        for name in ["title", "description"] {
            if let Some(text) = request.params().text(name) {
                fields.insert(name.to_owned(), text.into());
            }
        }
    }
    Ok(json!({ "success": true }))
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let object = scope.world.objects.of_kind(node.number(), ObjectKind::AdVideo)?;
    match name {
        "status" => {
            let sent = object.field("published") == Some(&Value::Bool(true));
            let encoded = scope.world.clock.unix() >= object.updated + ENCODING;
            let status = match (sent, encoded) {
                (true, true) => "ready",
                (true, false) => "processing",
                (false, _) => "uploading",
            };
            Some(json!({ "video_status": status, "processing_progress": if status == "ready" { 100 } else { 0 } }).into())
        }
        "created_time" => Some(time(object.created).into()),
        "updated_time" => Some(time(object.updated).into()),
        _ => write::common_field(scope.world, object, name).map(Cell::Value),
    }
}
