//! The world a sandbox starts with: three people, two portfolios, and what they own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    World,
    assets::{AdAccount, Application, Catalog, Page, Pixel},
    identity::{App, Business, Configuration, ConfigurationToken, Minter, Person, TokenLife},
    leads::{Form, Leads, draft},
};
use crate::protocol::cursor::mix;

/// Ids and tokens of what a client needs to begin.
pub struct Seeded {
    pub app_id: String,
    pub app_secret: String,
    pub access_token: String,
    pub person_id: String,
    pub business_id: String,
    pub system_user_config_id: String,
    pub user_config_id: String,
    pub ad_account_id: String,
    pub page_id: String,
    pub pixel_id: String,
    pub catalog_id: String,
    pub product_set_id: String,
    pub form_id: String,
    pub application_id: String,
    pub object_store_url: String,
}

/// Everything the default token may do.
const PERMISSIONS: &[&str] = &[
    "email",
    "ads_read",
    "ads_management",
    "business_management",
    "catalog_management",
    "leads_retrieval",
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_metadata",
    "pages_manage_ads",
];

/// Permissions of the two Login for Business configurations.
const CONFIGURED: &[&str] = &[
    "ads_read",
    "ads_management",
    "business_management",
    "leads_retrieval",
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_metadata",
    "pages_manage_ads",
];

/// Numbers that follow from the seed, each drawn once.
struct Numbers {
    state: u64,
    last: u64,
}

impl Numbers {
    /// An id of fifteen digits, larger than those before it: lists keep the order of making.
    fn id(&mut self) -> String {
        self.last += 1 + mix(&mut self.state) % 20_000_000_000_000;
        (100_000_000_000_000 + self.last).to_string()
    }

    fn secret(&mut self) -> String {
        format!("{:016x}{:016x}", mix(&mut self.state), mix(&mut self.state))
    }
}

/// What a seeded form asks.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Wholesale,
    Course,
    Contact,
}

/// A form with believable questions and, for those that promise mail, a consent.
fn lead_form(id: String, page_id: &str, name: &str, asked: Asked, created: i64) -> Form {
    let mut questions = vec![json!({ "type": "FULL_NAME" }), json!({ "type": "EMAIL" })];
    let choice = |key: &str, label: &str, options: &[(&str, &str)]| {
        let options: Vec<Value> =
            options.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        json!({ "type": "CUSTOM", "key": key, "label": label, "options": options })
    };
    match asked {
        Asked::Wholesale => questions.extend([
            json!({ "type": "PHONE" }),
            choice(
                "monthly_volume",
                "How much coffee do you need a month?",
                &[
                    ("up_to_10_kg", "Up to 10 kg"),
                    ("10_to_50_kg", "10 to 50 kg"),
                    ("over_50_kg", "More than 50 kg"),
                ],
            ),
        ]),
        Asked::Course => questions.push(choice(
            "course",
            "Which course would you like?",
            &[("latte_art", "Latte art"), ("espresso", "Espresso basics"), ("roasting", "Roasting")],
        )),
        Asked::Contact => questions.extend([
            json!({ "type": "PHONE" }),
            json!({ "type": "CUSTOM", "key": "what_do_you_need", "label": "What do you need?" }),
        ]),
    }
    let mut given = json!({
        "questions": questions,
        "privacy_policy": { "url": format!("https://example.com/privacy/{page_id}"), "link_text": "Privacy policy" },
        "thank_you_page": {
            "title": "Thanks, you're all set.",
            "body": "We will be in touch within two working days.",
            "button_type": "VIEW_WEBSITE",
            "button_text": "Visit website",
            "website_url": "https://example.com/",
        },
        "follow_up_action_url": "https://example.com/",
    });
    if !matches!(asked, Asked::Contact) {
        given["custom_disclaimer"] = json!({
            "title": "How we use your data",
            "body": { "text": "We keep what you send us for as long as it takes to answer you." },
            "checkboxes": [
                { "key": "terms", "text": "I agree to be contacted about my request." },
                { "key": "newsletter", "text": "Send me the newsletter, too.", "is_required": false },
            ],
        });
    }
    Form {
        page_id: page_id.to_owned(),
        name: name.to_owned(),
        locale: "en_US".to_owned(),
        archived: false,
        created,
        fields: given.as_object().map(|given| draft::read_back(&id, given)).unwrap_or_default().into(),
        id,
    }
}

/// A form for Pages that are there for their number; what it asks goes by turns.
pub fn usual_form(id: String, page_id: &str, name: &str, turn: usize, created: i64) -> Form {
    let asked = [Asked::Wholesale, Asked::Course, Asked::Contact][turn % 3];
    lead_form(id, page_id, name, asked, created)
}

/// Builds the world into an empty one.
pub fn seed(world: &mut World, redirect_uris: &[String]) -> Seeded {
    let mut numbers = Numbers { state: world.seed, last: 0 };
    let now = world.clock.unix();
    let day = 24 * 3600;
    world.identity.minter = Minter::new(world.seed);
    world.leads = Leads::new(world.seed);
    world.dice = world.seed;

    let [mara, jonas, yuki] = ["Mara Lindqvist", "Jonas Okafor", "Yuki Tanaka"].map(|name| {
        let id = numbers.id();
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        world.identity.people.insert(id.clone(), Person { id: id.clone(), name: name.into(), email });
        id
    });
    // Mara is the app's developer, and the default token is hers; Jonas is a customer who has granted nothing yet.
    world.identity.signed_in = Some(jonas.clone());

    let [northlight, harbour] = [
        ("Northlight Coffee", vec![mara.clone(), jonas.clone()]),
        ("Harbour Digital", vec![jonas.clone(), mara.clone()]),
    ]
    .map(|(name, admins)| {
        let id = numbers.id();
        world.identity.businesses.insert(id.clone(), Business { id: id.clone(), name: name.into(), admins });
        id
    });

    let app_id = numbers.id();
    let app_secret = numbers.secret();
    let mut app = App::new(&app_id, &app_secret, "Adjoin Sandbox App");
    app.redirect_uris = redirect_uris.to_vec();
    app.role_holders = vec![mara.clone()];
    let mut configure = |name: &str, token: ConfigurationToken| {
        let id = numbers.id();
        let permissions = CONFIGURED.iter().map(|&permission| permission.to_owned()).collect();
        app.configurations
            .insert(id.clone(), Configuration { id: id.clone(), name: name.into(), token, permissions });
        id
    };
    let system_user_config_id =
        configure("Ads and leads, system user", ConfigurationToken::SystemUser { expires_in_60_days: false });
    let user_config_id = configure("Ads and leads, person", ConfigurationToken::User);
    world.identity.apps.insert(app_id.clone(), app);

    let mut account = |name: &str,
                       currency: &str,
                       zone: &str,
                       business: Option<&String>,
                       clients: Vec<String>,
                       users: Vec<String>| {
        let id = numbers.id();
        world.assets.ad_accounts.insert(
            id.clone(),
            AdAccount {
                account_id: id.clone(),
                name: name.into(),
                currency: currency.into(),
                timezone_name: zone.into(),
                business_id: business.cloned(),
                client_businesses: clients,
                users,
                default_dsa_beneficiary: None,
                default_dsa_payor: None,
                spend_cap: None,
                created: now - 400 * day,
            },
        );
        id
    };
    let dollars = account(
        "Northlight Coffee US",
        "USD",
        "America/Los_Angeles",
        Some(&northlight),
        Vec::new(),
        vec![mara.clone(), jonas.clone()],
    );
    let euros = account(
        "Northlight Coffee EU",
        "EUR",
        "Europe/Berlin",
        Some(&northlight),
        vec![harbour.clone()],
        vec![mara.clone(), jonas.clone()],
    );
    account("Mara's own", "JPY", "Asia/Tokyo", None, Vec::new(), vec![mara.clone()]);
    account("Harbour Digital", "EUR", "Europe/Berlin", Some(&harbour), Vec::new(), vec![jonas.clone()]);

    let everything = || {
        ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"]
            .map(str::to_owned)
            .to_vec()
    };
    let mut page = |name: &str,
                    business: Option<&String>,
                    clients: Vec<String>,
                    users: &[&String],
                    forms: &[(Asked, &str)]| {
        let id = numbers.id();
        for (asked, form) in forms {
            world.leads.add_form(lead_form(numbers.id(), &id, form, *asked, now - 120 * day));
        }
        world.assets.pages.insert(
            id.clone(),
            Page {
                id: id.clone(),
                name: name.into(),
                category: "Coffee shop".into(),
                business_id: business.cloned(),
                client_businesses: clients,
                users: users.iter().map(|user| ((*user).clone(), everything())).collect(),
                terms_accepted: now - 200 * day,
            },
        );
        id
    };
    let page_id = page(
        "Northlight Coffee",
        Some(&northlight),
        vec![harbour.clone()],
        &[&mara, &jonas],
        &[(Asked::Wholesale, "Wholesale enquiry"), (Asked::Course, "Barista course")],
    );
    page("Mara Bakes", None, Vec::new(), &[&mara], &[(Asked::Contact, "Cake order")]);
    page("Tanaka Tea", None, Vec::new(), &[&yuki], &[]);
    page("Harbour Digital", Some(&harbour), Vec::new(), &[&jonas], &[(Asked::Contact, "Ask for a quote")]);

    let mut pixel = |name: &str, business: &String, ad_accounts: Vec<String>| {
        let id = numbers.id();
        world.assets.pixels.insert(
            id.clone(),
            Pixel {
                id: id.clone(),
                name: name.into(),
                business_id: Some(business.clone()),
                ad_accounts,
                created: now - 300 * day,
            },
        );
        id
    };
    let pixel_id = pixel("Northlight shop", &northlight, vec![dollars.clone(), euros]);
    pixel("Harbour site", &harbour, Vec::new());

    let catalog_id = numbers.id();
    let product_set_id = numbers.id();
    let product_sets = BTreeMap::from([
        (product_set_id.clone(), "All products".to_owned()),
        (numbers.id(), "Single origin".to_owned()),
    ]);
    world.assets.catalogs.insert(
        catalog_id.clone(),
        Catalog {
            id: catalog_id.clone(),
            name: "Northlight beans".into(),
            business_id: northlight.clone(),
            product_sets,
        },
    );

    let application_id = numbers.id();
    let object_store_url = "https://play.google.com/store/apps/details?id=com.example.northlight".to_owned();
    let mut application = |id: &String, name: &str, in_development| {
        let store_urls = BTreeMap::from([
            ("google_play".to_owned(), object_store_url.clone()),
            ("itunes".to_owned(), "https://apps.apple.com/app/id1234567890".to_owned()),
        ]);
        let application = Application {
            id: id.clone(),
            name: name.into(),
            category: "Food & drink".into(),
            store_urls,
            in_development,
        };
        world.assets.applications.insert(id.clone(), application);
    };
    application(&application_id, "Northlight Orders", false);
    let unpublished = numbers.id();
    application(&unpublished, "Northlight Beta", true);

    let form_id = world.leads.forms_of(&page_id).next().map_or_else(String::new, |form| form.id.clone());
    let access_token = world.identity.issue_user_token(&app_id, &mara, PERMISSIONS, TokenLife::Long, now);
    Seeded {
        app_id,
        app_secret,
        access_token,
        person_id: mara,
        business_id: northlight,
        system_user_config_id,
        user_config_id,
        ad_account_id: format!("act_{dollars}"),
        form_id,
        page_id,
        pixel_id,
        catalog_id,
        product_set_id,
        application_id,
        object_store_url,
    }
}
