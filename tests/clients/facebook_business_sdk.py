"""Drives the published Python SDK (facebook_business) against a sandbox.

    python facebook_business_sdk.py BASE_URL FACTS_JSON

FACTS_JSON is the line that `adjoin sandbox` prints at start, or a file that holds it. The SDK is used as it is
published; only FacebookSession.GRAPH points to the sandbox. One line is printed for each check; the first failure
ends with exit code 1.
"""

import json
import os
import struct
import sys
import tempfile
import time
import warnings
import zlib

from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adcreative import AdCreative
from facebook_business.adobjects.adimage import AdImage
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.business import Business
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAIL  ") + name + (f": {detail}" if detail and not condition else ""), flush=True)
    if not condition:
        sys.exit(1)


def refused(call):
    """The error of a call that must be refused."""
    try:
        answer = call()
    except FacebookRequestError as error:
        return error
    check("the call is refused", False, repr(answer))


def png(width, height):
    """A small, valid picture."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + b"\x20\x60\xa0" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def campaign_params(name, **more):
    return {
        "name": name,
        "objective": "OUTCOME_TRAFFIC",
        "status": "PAUSED",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": False,
        **more,
    }


def ad_set_params(name, campaign_id, **more):
    return {
        "name": name,
        "campaign_id": campaign_id,
        "status": "PAUSED",
        "daily_budget": 2000,
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "LINK_CLICKS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "destination_type": "WEBSITE",
        "targeting": {
            "geo_locations": {"countries": ["US"]},
            "targeting_automation": {"advantage_audience": 1},
        },
        **more,
    }


def reading(facts):
    me = User("me").api_get(fields=["id", "name"])
    check("me is the person of the token", me["id"] == facts["user_id"] and me["name"])
    accounts = list(User("me").get_ad_accounts(fields=["name", "account_id", "currency", "account_status"]))
    check("ad accounts", facts["ad_account_id"] in [a["id"] for a in accounts], accounts)
    check("ad account ids", all(a["id"] == "act_" + a["account_id"] for a in accounts))
    pages = list(User("me").get_accounts(fields=["name", "access_token"]))
    check("pages with their tokens", facts["page_id"] in [p["id"] for p in pages] and len(pages[0]["access_token"]) > 20)
    businesses = list(User("me").get_businesses(fields=["name"]))
    check("businesses", facts["business_id"] in [b["id"] for b in businesses])
    owned = list(Business(facts["business_id"]).get_owned_pages(fields=["name"]))
    check("pages of a business", facts["page_id"] in [p["id"] for p in owned])
    pixels = list(AdAccount(facts["ad_account_id"]).get_ads_pixels(fields=["name"]))
    check("pixels", facts["pixel_id"] in [p["id"] for p in pixels])
    page = Page(facts["page_id"]).api_get(fields=["name", "access_token"])
    check("a page by id", page["id"] == facts["page_id"])
    error = refused(lambda: Campaign("1").api_get(fields=["name"]))
    check("an object that is not there", (error.api_error_code(), error.api_error_subcode()) == (100, 33))


def paging(account):
    # The account may be filled, and the script may have run on it before.
    prefix = f"Page {time.time_ns()} "
    made = []
    for start in range(0, 130, 50):
        batch = FacebookAdsApi.get_default_api().new_batch()
        for index in range(start, min(start + 50, 130)):
            account.create_campaign(
                params=campaign_params(prefix + str(index)),
                batch=batch,
                success=lambda response: made.append(response.json()["id"]),
                failure=lambda response: check("campaign in a batch", False, response.error()),
            )
        batch.execute()
    check("130 campaigns in batches of 50", len(made) == 130, len(made))
    cursor = account.get_campaigns(
        fields=["name", "status"],
        params={"filtering": [{"field": "name", "operator": "STARTS_WITH", "value": prefix}]},
    )
    seen = [campaign["id"] for campaign in cursor]
    check("paging sees each campaign once", sorted(seen) == sorted(made), len(seen))
    check("total count", cursor.total() == 130, cursor.total())
    page = account.get_campaigns(fields=["name"], params={"limit": 60})
    check("a page is as long as asked", len(page) == 60, len(page))
    return made


def campaigns(account):
    campaign = account.create_campaign(fields=["name", "status"], params=campaign_params("First"))
    check("create reads what it wrote", campaign["name"] == "First" and campaign["status"] == "PAUSED", campaign)
    validated = account.create_campaign(params=campaign_params("Only checked", execution_options=["validate_only"]))
    check("validate_only makes nothing", Campaign.Field.id not in validated or not validated["id"], validated)
    campaign.api_update(params={"name": "Renamed", "status": "ACTIVE"})
    campaign = Campaign(campaign["id"]).api_get(
        fields=["name", "status", "effective_status", "configured_status", "created_time", "objective", "account_id"]
    )
    check("update", campaign["name"] == "Renamed" and campaign["effective_status"] == "ACTIVE", campaign)
    check("times have an offset", campaign["created_time"].endswith("+0000"), campaign["created_time"])
    check("account id has no prefix", "act_" + campaign["account_id"] == account["id"])
    return campaign


def ad_sets(facts, account, campaign):
    ad_set = account.create_ad_set(params=ad_set_params("Set", campaign["id"]))
    read = AdSet(ad_set["id"]).api_get(
        fields=["name", "daily_budget", "targeting", "campaign_id", "effective_status", "campaign{name}"]
    )
    check("money is a numeric string", read["daily_budget"] == "2000", read["daily_budget"])
    check("targeting is kept", read["targeting"]["geo_locations"]["countries"] == ["US"], read)
    check("nested fields", read["campaign"]["name"] == "Renamed", read)
    campaign.api_update(params={"status": "PAUSED"})
    AdSet(ad_set["id"]).api_update(params={"status": "ACTIVE"})
    read = AdSet(ad_set["id"]).api_get(fields=["status", "effective_status"])
    check("status comes down", (read["status"], read["effective_status"]) == ("ACTIVE", "CAMPAIGN_PAUSED"), read)
    listed = [s["id"] for s in campaign.get_ad_sets(fields=["name"], params={"effective_status": ["CAMPAIGN_PAUSED"]})]
    check("lists filter by effective status", listed == [ad_set["id"]], listed)
    return AdSet(ad_set["id"])


def images_and_creatives(facts, account):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture.png")
        with open(path, "wb") as file:
            file.write(png(40, 30))
        image = account.create_ad_image(params={AdImage.Field.filename: path})
    check("image upload", len(image[AdImage.Field.hash]) == 32, image)
    listed = list(account.get_ad_images(fields=["hash", "width", "height"], params={"hashes": [image["hash"]]}))
    check("image read by hash", [(i["width"], i["height"]) for i in listed] == [(40, 30)], listed)
    creative = account.create_ad_creative(
        params={
            "name": "Creative",
            "object_story_spec": {
                "page_id": facts["page_id"],
                "link_data": {
                    "link": "https://example.com/",
                    "message": "Hello",
                    "image_hash": image["hash"],
                    "call_to_action": {"type": "LEARN_MORE", "value": {"link": "https://example.com/"}},
                },
            },
        }
    )
    read = AdCreative(creative["id"]).api_get(fields=["name", "object_story_spec", "effective_object_story_id"])
    check("creative", read["object_story_spec"]["link_data"]["message"] == "Hello", read)
    AdCreative(creative["id"]).api_update(params={"name": "Creative, renamed"})
    check("creative renamed", AdCreative(creative["id"]).api_get(fields=["name"])["name"] == "Creative, renamed")
    return AdCreative(creative["id"])


def ads(account, ad_set, creative):
    ad = account.create_ad(
        params={
            "name": "Ad",
            "adset_id": ad_set["id"],
            "creative": {"creative_id": creative["id"]},
            "status": "PAUSED",
        }
    )
    read = Ad(ad["id"]).api_get(fields=["name", "creative{name}", "adset{name}", "campaign_id"])
    check("ad with what it belongs to", read["creative"]["name"] == "Creative, renamed" and read["adset"]["name"] == "Set")
    Ad(ad["id"]).api_update(params={"name": "Ad, renamed"})
    check("ads of an ad set", [a["name"] for a in ad_set.get_ads(fields=["name"])] == ["Ad, renamed"])
    creatives = list(Ad(ad["id"]).get_ad_creatives(fields=["name"]))
    check("creatives of an ad", [c["id"] for c in creatives] == [creative["id"]])
    return Ad(ad["id"])


def batches(account, campaign):
    api = FacebookAdsApi.get_default_api()
    batch, good, bad = api.new_batch(), [], []
    Campaign(campaign["id"]).api_get(
        fields=["name"], batch=batch, success=lambda r: good.append(r.json()), failure=lambda r: bad.append(r.error())
    )
    Campaign("5").api_get(
        fields=["name"], batch=batch, success=lambda r: good.append(r.json()), failure=lambda r: bad.append(r.error())
    )
    account.create_campaign(
        params={"name": "No objective", "special_ad_categories": []},
        batch=batch,
        success=lambda r: good.append(r.json()),
        failure=lambda r: bad.append(r.error()),
    )
    retry = batch.execute()
    check("nothing to retry", retry is None)
    check("batch: one good, two bad", (len(good), len(bad)) == (1, 2), (good, bad))
    check("batch: the error of an item", bad[0].api_error_subcode() == 33, bad[0])


def errors(facts, account, campaign):
    error = refused(lambda: Campaign(campaign["id"]).api_get(fields=["nonsense"]))
    check("unknown field", "Tried accessing nonexisting field (nonsense)" in error.api_error_message(), error)
    error = refused(lambda: account.create_ad_set(params=ad_set_params("Wrong", campaign["id"], optimization_goal="PAGE_LIKES")))
    check("goal and objective do not fit", (error.api_error_code(), error.api_error_subcode()) == (100, 2490408), error)
    check("the field to blame", error.body()["error"]["error_data"]["blame_field_specs"] == [["optimization_goal"]], error)
    both = ad_set_params("Both", campaign["id"], lifetime_budget=9000, end_time=int(time.time()) + 864000)
    error = refused(lambda: account.create_ad_set(params=both))
    check("two budgets", error.api_error_code() == 100 and error.body()["error"].get("error_user_msg"), error)
    stranger = FacebookAdsApi(FacebookSession(access_token="EAAB" + "x" * 40), api_version="v26.0")
    error = refused(lambda: User("me", api=stranger).api_get())
    check("a bad token", error.api_error_code() == 190 and error.api_error_type() == "OAuthException", error)


def deleting(ad, creative, ad_set, campaign):
    ad.api_delete()
    check("deleted ads stay readable", ad.api_get(fields=["effective_status"])["effective_status"] == "DELETED")
    creative.api_delete()
    ad_set.api_update(params={"status": "ARCHIVED"})
    check("archived ad sets leave the list", list(campaign.get_ad_sets(fields=["id"])) == [])
    archived = campaign.get_ad_sets(fields=["id"], params={"effective_status": ["ARCHIVED"]})
    check("and are found when asked for", [s["id"] for s in archived] == [ad_set["id"]])
    error = refused(lambda: ad_set.api_update(params={"daily_budget": 3000}))
    check("an archived ad set keeps all but its name", error.api_error_subcode() == 1487566, error)
    ad_set.api_update(params={"name": "Set, renamed"})
    check("which can change", ad_set.api_get(fields=["name"])["name"] == "Set, renamed")
    campaign.api_delete()
    check("deleting a campaign", campaign.api_get(fields=["status"])["status"] == "DELETED")


def main():
    # The SDK warns of nested fields, which the Graph API takes.
    warnings.simplefilter("ignore")
    base, facts = sys.argv[1], sys.argv[2]
    facts = json.loads(facts if facts.lstrip().startswith("{") else open(facts, encoding="utf-8").read())
    FacebookSession.GRAPH = base
    FacebookAdsApi.init(facts["app_id"], facts["app_secret"], facts["access_token"], crash_log=False)
    account = AdAccount(facts["ad_account_id"])
    reading(facts)
    paging(account)
    campaign = campaigns(account)
    ad_set = ad_sets(facts, account, campaign)
    creative = images_and_creatives(facts, account)
    ad = ads(account, ad_set, creative)
    batches(account, campaign)
    deleting(ad, creative, ad_set, Campaign(campaign["id"]))
    errors(facts, account, account.create_campaign(params=campaign_params("For errors")))
    print("all checks passed")


if __name__ == "__main__":
    main()
