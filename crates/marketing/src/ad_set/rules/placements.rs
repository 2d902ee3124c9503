//! Where the ads appear.

use super::super::document::Targeting;
use super::super::findings::{Findings, Rule, at};
use super::super::read::{List, Text};
use super::case::Case;
use crate::versions;

/// Facebook positions that only go with its feed.
const NEED_FEED: [&str; 4] = ["marketplace", "search", "profile_feed", "notification"];

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(targeting) = &case.ad_set.targeting else { return };
    platforms(targeting, out);
    feeds(targeting, out);
    removed(case, targeting, out);
}

fn has(list: Option<&List<'_, Text<'_>>>, word: &str) -> bool {
    list.is_some_and(|list| list.items.iter().any(|item| item == word))
}

fn positions<'t>(
    targeting: &'t Targeting<'t>,
) -> [(&'static str, &'static str, Option<&'t List<'t, Text<'t>>>); 6] {
    [
        ("facebook", "facebook_positions", targeting.facebook_positions.as_ref()),
        ("instagram", "instagram_positions", targeting.instagram_positions.as_ref()),
        ("messenger", "messenger_positions", targeting.messenger_positions.as_ref()),
        ("audience_network", "audience_network_positions", targeting.audience_network_positions.as_ref()),
        ("threads", "threads_positions", targeting.threads_positions.as_ref()),
        ("whatsapp", "whatsapp_positions", targeting.whatsapp_positions.as_ref()),
    ]
}

fn platforms(targeting: &Targeting<'_>, out: &mut Findings) {
    let platforms = targeting.publisher_platforms.as_ref().filter(|list| !list.items.is_empty());
    if let Some(platforms) = platforms {
        for (platform, field, given) in positions(targeting) {
            if given.is_some_and(|list| !list.items.is_empty()) && !has(Some(platforms), platform) {
                let message = format!("{field} is given, and {platform} is not among the platforms.");
                let fix = format!("Add {platform} to publisher_platforms, or leave {field} out.");
                out.add(Rule::PositionNeedsPlatform, at!["ad_set", "targeting", field], message, fix);
            }
        }
        if let [only] = &*platforms.items
            && only == "audience_network"
        {
            let message = "Audience Network cannot be the only platform.";
            let fix = "Add facebook or instagram.";
            out.add(
                Rule::AudienceNetworkAlone,
                at!["ad_set", "targeting", "publisher_platforms"],
                message,
                fix,
            );
        }
        if let [only] = &*platforms.items
            && only == "instagram"
            && let Some(devices) = &targeting.device_platforms
            && let [device] = &*devices.items
            && device == "desktop"
        {
            let message = "Instagram alone cannot be shown on desktops only.";
            let fix = "Add mobile to device_platforms.";
            out.add(Rule::InstagramDesktop, at!["ad_set", "targeting", "device_platforms"], message, fix);
        }
    }
}

fn feeds(targeting: &Targeting<'_>, out: &mut Findings) {
    let facebook = targeting.facebook_positions.as_ref();
    let instagram = targeting.instagram_positions.as_ref();
    let mut lacks = |field: &'static str, position: &str, needs: &str| {
        let message = format!("The position {position} only goes together with {needs}.");
        out.add(Rule::PositionNeedsFeed, at!["ad_set", "targeting", field], message, format!("Add {needs}."));
    };
    if let Some(list) = facebook
        && !has(facebook, "feed")
    {
        for position in list.items.iter().filter(|item| NEED_FEED.contains(&&***item)) {
            lacks("facebook_positions", position, "the position feed");
        }
        if has(facebook, "story") && !has(instagram, "story") {
            lacks("facebook_positions", "story", "the position feed, or Instagram's story");
        }
    }
    if has(targeting.threads_positions.as_ref(), "threads_stream") && !has(instagram, "stream") {
        lacks("threads_positions", "threads_stream", "Instagram's position stream");
    }
    if has(targeting.whatsapp_positions.as_ref(), "status") && !has(instagram, "story") {
        lacks("whatsapp_positions", "status", "Instagram's position story");
    }
}

fn removed(case: &Case<'_>, targeting: &Targeting<'_>, out: &mut Findings) {
    let places = [
        (
            "video_feeds",
            Rule::VideoFeeds,
            "facebook_positions",
            targeting.facebook_positions.as_ref(),
            "video_feeds",
        ),
        (
            "instagram_explore",
            Rule::InstagramExplore,
            "instagram_positions",
            targeting.instagram_positions.as_ref(),
            "explore",
        ),
        (
            "messenger_story",
            Rule::MessengerStory,
            "messenger_positions",
            targeting.messenger_positions.as_ref(),
            "story",
        ),
    ];
    for (feature, rule, field, list, word) in places {
        if has(list, word)
            && let Some(removal) =
                versions::removal(feature).filter(|removal| removal.applies(case.version, case.now))
        {
            out.add(rule, at!["ad_set", "targeting", field], removal.what.as_str(), removal.instead.as_str());
        }
    }
}
