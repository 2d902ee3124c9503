//! Ad images. Source: marketing-api/reference/ad-image.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Cell, Kind, List, Node, Request, Route, Scope, create, delete, edge, node, time};
use crate::{
    protocol::GraphError,
    world::{World, objects::Image},
};

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "adimages", |scope, node, params| {
        let account = node.number();
        let hashes = params.list("hashes");
        let mut images: Vec<&Image> = scope
            .world
            .objects
            .images
            .range((account, String::new())..(account + 1, String::new()))
            .map(|(_, image)| image)
            .filter(|image| !image.deleted)
            .filter(|image| hashes.as_ref().is_none_or(|hashes| hashes.contains(&image.hash)))
            .collect();
        images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.hash.cmp(&b.hash)));
        Ok(List::nodes(
            images
                .into_iter()
                .map(|image| Node::new(Kind::AdImage, format!("{account}:{}", image.hash)))
                .collect(),
        ))
    }),
    create(Kind::AdAccount, "adimages", upload),
    delete(Kind::AdAccount, Some("adimages"), delete_by_hash),
    node(Kind::AdImage),
];

/// Any file part of a multipart body, or `bytes` in base64.
fn upload(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let mut sent: Vec<(String, Bytes)> = request
        .call
        .files
        .iter()
        .map(|file| (file.file_name.clone().unwrap_or_else(|| file.part_name.clone()), file.content.clone()))
        .collect();
    if let Some(text) = params.text("bytes") {
        let content = STANDARD
            .decode(text.split_whitespace().collect::<String>().replace('-', "+").replace('_', "/"))
            .map_err(|_| GraphError::new(100, "(#100) Param bytes must be base64").blame(&["bytes"]))?;
        sent.push(("bytes".to_owned(), content.into()));
    }
    if sent.is_empty() {
        return Err(GraphError::new(
            100,
            "(#100) No image was sent: use a multipart file, or bytes in base64",
        ));
    }
    let number = account.number();
    let mut images = Map::new();
    for (name, content) in sent {
        let (width, height) = size(&content).ok_or_else(|| {
            GraphError::new(100, "Invalid parameter")
                .blame(&[&name])
                .user("Unreadable image", format!("{name} is not a PNG, JPEG, GIF, BMP, WebP or TIFF image."))
        })?;
        let hash = hash(&content);
        let key = (number, hash.clone());
        let now = world.clock.unix();
        let title = params.text("name").unwrap_or_else(|| name.clone());
        let image =
            Image { hash: hash.clone(), name: title, width, height, created: now, deleted: false, content };
        world.objects.images.insert(key, image);
        let url = url(&request.call.base_url, number, &hash);
        images.insert(
            name.clone(),
            json!({
                "hash": hash, "url": url, "url_128": url, "name": name, "height": height, "width": width,
            }),
        );
    }
    Ok(json!({ "images": images }))
}

/// Where the image is served.
pub(super) fn url(base_url: &str, account: u64, hash: &str) -> String {
    format!("{base_url}/_sandbox/images/{account}/{hash}")
}

/// Thirty-two hexadecimal digits that follow from the content, as Meta's hashes do.
fn hash(content: &[u8]) -> String {
    use std::fmt::Write as _;
    digest::digest(&digest::SHA256, content).as_ref()[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The media type by the first bytes; `None` for what is not an image.
pub fn media_type(content: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| content.starts_with(magic);
    Some(if starts(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if starts(b"\xff\xd8\xff") {
        "image/jpeg"
    } else if starts(b"GIF8") {
        "image/gif"
    } else if starts(b"BM") {
        "image/bmp"
    } else if starts(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        "image/webp"
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        "image/tiff"
    } else {
        return None;
    })
}

/// Width and height in pixels. Formats whose header is not read here count as 1 x 1.
fn size(content: &[u8]) -> Option<(u32, u32)> {
    let big = |at: usize| content.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let size = match media_type(content)? {
        "image/png" => big(16).zip(big(20)),
        "image/gif" => {
            let little = |at: usize| content.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
            little(6).zip(little(8)).map(|(w, h)| (w.into(), h.into()))
        }
        "image/jpeg" => jpeg_size(content),
        _ => None,
    };
    Some(size.unwrap_or((1, 1)))
}

/// Walks the segments of a JPEG to its frame header.
fn jpeg_size(content: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| content.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes);
    let mut at = 2;
    loop {
        if *content.get(at)? != 0xff {
            return None;
        }
        let marker = *content.get(at + 1)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((word(at + 7)?.into(), word(at + 5)?.into()));
        }
        at += 2 + usize::from(word(at + 2)?);
    }
}

fn delete_by_hash(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let hash = request.params().text("hash").ok_or_else(|| super::write::required("hash"))?;
    match world.objects.images.get_mut(&(account.number(), hash)) {
        Some(image) if !image.deleted => {
            image.deleted = true;
            image.content = Bytes::new();
            Ok(json!({ "success": true }))
        }
        _ => Err(GraphError::new(100, "Invalid parameter")
            .blame(&["hash"])
            .user("Image not found", "No image with this hash is in the ad account.")),
    }
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let (account, hash) = node.id.split_once(':')?;
    let account: u64 = account.parse().ok()?;
    let image = scope.world.objects.images.get(&(account, hash.to_owned()))?;
    Some(match name {
        "account_id" => account.to_string().into(),
        "hash" => image.hash.as_str().into(),
        "name" => image.name.as_str().into(),
        "width" | "original_width" => image.width.into(),
        "height" | "original_height" => image.height.into(),
        "created_time" | "updated_time" => time(image.created).into(),
        "status" => (if image.deleted { "DELETED" } else { "ACTIVE" }).into(),
        "url" | "url_128" | "permalink_url" => url(&scope.call.base_url, account, hash).into(),
        "creatives" => json!([]).into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_headers() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0, 0, 2, 0, 0, 0, 1, 0]);
        assert_eq!(size(&png), Some((512, 256)));
        assert_eq!(size(b"GIF89a\x0a\x00\x05\x00"), Some((10, 5)));
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x20\x00\x40";
        assert_eq!(size(jpeg), Some((64, 32)));
        assert_eq!(size(b"\xff\xd8\xff\xe0\x00\x00"), Some((1, 1)));
        assert_eq!(size(b"hello"), None);
    }
}
