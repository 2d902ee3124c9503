//! The partner's Meta app: checked before it is kept.

use adjoin::{
    audit::Actor,
    service::{
        Error,
        connect_sessions::Kind,
        connections::State,
        dashboard,
        settings::{self, ServiceOrigin},
        setup::{self, Login, LoginConfiguration, LoginToken},
    },
    web::problem::Problem,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{facebook_login, in_each_world};

#[test]
fn a_refused_secret_or_an_absent_meta_changes_nothing() {
    in_each_world(async |world| {
        let before = setup::get(world.app()).await.unwrap().unwrap();
        assert_eq!(before.app_name.as_deref(), Some("Example Ads"));
        let mut wrong = facebook_login();
        wrong.client_secret = Some(SecretString::from("not-the-secret-of-this-app"));
        wrong.use_cases = vec!["reporting".to_owned()];
        let Err(Error::Meta(error)) = setup::save(world.app(), &Actor::System, wrong).await else {
            panic!("a wrong secret was taken")
        };
        assert!(error.message.contains("Nothing was stored"), "{}", error.message);
        assert!(!format!("{error:?}").contains("not-the-secret"));
        let problem = Problem::from(Error::Meta(error));
        assert_eq!((problem.status, problem.faults[0].field.as_str()), (422, "client_secret"));
        assert!(problem.faults[0].message.contains("Error validating client secret"), "{problem:?}");
        assert!(problem.meta.is_some());

        world.meta.world().down = true;
        let away = setup::save(world.app(), &Actor::System, facebook_login()).await;
        assert!(matches!(&away, Err(Error::Meta(error)) if error.retry), "{away:?}");
        assert_eq!(Problem::from(away.unwrap_err()).status, 503);
        world.meta.world().down = false;
        assert_eq!(setup::get(world.app()).await.unwrap().unwrap(), before);
        let kept = setup::credentials(world.app()).await.unwrap();
        assert_eq!(kept.app.secret.expose_secret(), super::APP_SECRET);
    });
}

#[test]
fn the_secret_is_kept_when_none_is_sent_and_all_faults_are_named_at_once() {
    in_each_world(async |world| {
        let mut new = facebook_login();
        new.client_secret = None;
        new.graph_version = None;
        let saved = setup::save(world.app(), &Actor::System, new).await.unwrap();
        assert_eq!(saved.graph_version, "v26.0");

        let mut wrong = facebook_login();
        wrong.client_id = "my-app".to_owned();
        wrong.use_cases = vec!["ads".to_owned(), "bids".to_owned()];
        wrong.extra_permissions = vec!["ads_everything".to_owned()];
        wrong.graph_version = Some("v19.0".to_owned());
        wrong.login = Login::Business {
            configurations: vec![LoginConfiguration {
                id: "abc".to_owned(),
                use_cases: vec!["reporting".to_owned()],
                token: LoginToken::User,
            }],
        };
        let Err(Error::Invalid(faults)) = setup::save(world.app(), &Actor::System, wrong).await else {
            panic!("a wrong setup was taken")
        };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        for field in [
            "client_id",
            "use_cases[1]",
            "extra_permissions[0]",
            "graph_version",
            "login.configurations[0].id",
            "login.configurations",
        ] {
            assert!(fields.contains(&field), "{field} is not among {fields:?}");
        }

        let mut other = facebook_login();
        other.client_id = "42".to_owned();
        other.client_secret = None;
        let refused = setup::save(world.app(), &Actor::System, other).await;
        assert!(matches!(&refused, Err(Error::Invalid(faults)) if faults[0].field == "client_secret"));
    });
}

#[test]
fn a_consent_uses_one_configuration() {
    in_each_world(async |world| {
        let configuration = |id: &str, case: &str| LoginConfiguration {
            id: id.to_owned(),
            use_cases: vec![case.to_owned()],
            token: LoginToken::SystemUser,
        };
        let mut new = facebook_login();
        new.use_cases = vec!["reporting".to_owned(), "ads".to_owned()];
        new.login = Login::Business {
            configurations: vec![configuration("1", "reporting"), configuration("2", "ads")],
        };
        let setup = setup::save(world.app(), &Actor::System, new).await.unwrap();
        let id = |cases: &[&str], named: Option<&str>| {
            let cases: Vec<String> = cases.iter().map(|&case| case.to_owned()).collect();
            setup.plan(&cases, named).map(|plan| plan.configuration.unwrap().id).ok()
        };
        assert_eq!(id(&[], None).as_deref(), Some("1"));
        assert_eq!(id(&["ads"], None).as_deref(), Some("2"));
        assert_eq!(id(&[], Some("2")).as_deref(), Some("2"));
        assert_eq!(id(&["ads", "reporting"], None), None);
        assert_eq!(id(&["ads"], Some("1")), None);
        assert_eq!(id(&["leads"], None), None);
        assert_eq!(setup::wanted(&setup, &["reporting".to_owned()]), ["ads_read"]);
    });
}

#[test]
fn connections_of_the_app_before_end() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        // As if the setup had been made with another app before.
        let mut tx = world.app().db.begin().await.unwrap();
        adjoin::store::sql("UPDATE connections SET app_id = '41'").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        setup::save(world.app(), &Actor::System, facebook_login()).await.unwrap();
        assert!(matches!(world.connection().await.state, State::Broken { .. }));
    });
}

#[test]
fn the_strings_to_paste_are_exact() {
    in_each_world(async |world| {
        let settings = settings::get(world.app()).await.unwrap();
        let setup = setup::get(world.app()).await.unwrap();
        let origin = ServiceOrigin::of(world.app(), &settings).unwrap();
        let dashboard = dashboard::dashboard_strings(&origin, &settings, setup.as_ref());
        let value =
            |id: &str| dashboard.pastes.iter().find(|paste| paste.id == id).map(|paste| paste.value.as_str());
        assert_eq!(value("redirect_uri"), Some(world.test.url("/connector/callback").as_str()));
        assert_eq!(value("app_domain"), Some("127.0.0.1"));
        assert_eq!(value("deauthorize_url"), Some(world.test.url("/connector/deauthorize").as_str()));
        assert_eq!(value("data_deletion_url"), Some(world.test.url("/connector/data-deletion").as_str()));
        assert_eq!(value("embed_origins"), Some(super::EMBED_ORIGIN));
        let before = dashboard::dashboard_strings(&origin, &settings, None);
        assert!(before.steps.len() > dashboard.steps.len());
        assert!(before.pastes.iter().all(|paste| !paste.value.contains('{')));
    });
}

#[test]
fn the_redirect_uri_with_the_partner_key_is_switched_in_the_console() {
    in_each_world(async |world| {
        let settings = settings::get(world.app()).await.unwrap();
        let uri = ServiceOrigin::of(world.app(), &settings).unwrap().keyed_redirect_uri(&settings);
        let mut operator = crate::console::Browser::signed_in(&world.test).await;
        let path = "/connectors/facebook-marketing/setup";
        let box_of = |html: &str| {
            let (_, rest) = html.split_once("name=\"keyed_redirect_uri\"").expect("there is a box");
            rest.split_once('>').unwrap().0.contains("checked")
        };
        let html = crate::console::page(operator.get(path).await).await;
        assert!(!box_of(&html) && html.contains(&uri), "{html}");

        let form = [
            ("client_id", super::APP_ID),
            ("client_secret", ""),
            ("login", "facebook"),
            ("use_cases", "ads"),
            ("extra_permissions", ""),
            ("graph_version", "v26.0"),
        ];
        let switched_on = form.into_iter().chain([("keyed_redirect_uri", "on")]).collect::<Vec<_>>();
        assert_eq!(operator.post(path, &switched_on).await.status(), 303);
        assert!(box_of(&crate::console::page(operator.get(path).await).await));
        let backend = crate::api::Backend::new(&world.test, None).await;
        assert_eq!(backend.get("/v1/settings").await.1["redirect_uri"], uri);
        let (_, link) = world.session(Kind::Link).await;
        let at = world.to_facebook(&mut world.browser(), &link).await;
        assert_eq!(at.params["redirect_uri"], uri);

        assert_eq!(operator.post(path, &form).await.status(), 303);
        assert!(!setup::get(world.app()).await.unwrap().unwrap().keyed_redirect_uri);
    });
}
