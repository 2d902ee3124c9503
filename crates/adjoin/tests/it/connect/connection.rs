//! A connection after the consent: calls, tests, refusals, the end.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use adjoin::{
    audit::Actor,
    id::ConnectionId,
    service::{
        Error,
        connections::{self, CheckOutcome, Revocation, State},
    },
    store::{connections as table, sql},
};
use adjoin_graph::{Graph, GraphConfig, Request};
use secrecy::ExposeSecret as _;

use super::{World, comes_true, in_each_world, meta::Person};

async fn only(world: &World, account: &adjoin::id::AccountId) -> ConnectionId {
    connections::list(world.app(), account).await.unwrap().remove(0).id
}

#[test]
fn installing_twice_is_one_connection_and_other_accounts_do_not_see_it() {
    in_each_world(async |world| {
        let first = connections::install(world.app(), &Actor::System, &world.account).await.unwrap();
        let second = connections::install(world.app(), &Actor::System, &world.account).await.unwrap();
        assert_eq!(first.id, second.id);
        let other = super::account(world.app(), "Florist").await;
        assert!(matches!(
            connections::get(world.app(), &other, &first.id).await,
            Err(Error::NotFound { .. })
        ));
        assert!(matches!(
            connections::access(world.app(), &other, &first.id).await,
            Err(Error::NotFound { .. })
        ));
        let test = connections::test(world.app(), &Actor::System, &other, &first.id).await;
        assert!(matches!(test, Err(Error::NotFound { .. })));
        let end = connections::disconnect(world.app(), &Actor::System, &other, &first.id).await;
        assert!(matches!(end, Err(Error::NotFound { .. })));
        let unconnected = connections::access(world.app(), &world.account, &first.id).await;
        assert!(matches!(unconnected, Err(Error::NotReady { .. })));
        assert_eq!(
            connections::find_all(world.app(), Some("installed"), None, 10).await.unwrap().items.len(),
            1
        );
        assert!(
            connections::find_all(world.app(), Some("connected"), None, 10).await.unwrap().items.is_empty()
        );
    });
}

#[test]
fn one_person_behind_two_accounts_disconnecting_one_leaves_the_other_alive() {
    in_each_world(async |world| {
        let other = super::account(world.app(), "Florist").await;
        world.connect_as(&world.account, "Ann").await;
        world.connect_as(&other, "Ann").await;
        let (here, there) = (only(world, &world.account).await, only(world, &other).await);

        let end = connections::disconnect(world.app(), &Actor::System, &world.account, &here).await.unwrap();
        assert_eq!(end.connection.state, State::Disconnected);
        assert_eq!(end.at_meta, Revocation::KeptForOthers { connections: 1 });
        let deletes =
            || world.meta.requests("/901/permissions").iter().filter(|it| it.method == "DELETE").count();
        assert_eq!(deletes(), 0, "revoking would end the other account too");
        assert!(connections::access(world.app(), &world.account, &here).await.is_err());
        connections::access(world.app(), &other, &there).await.unwrap();

        let end = connections::disconnect(world.app(), &Actor::System, &other, &there).await.unwrap();
        assert_eq!((end.at_meta, deletes()), (Revocation::Revoked, 1));
        assert!(table::token(&world.app().db, &there).await.unwrap().is_none());
        let again = connections::disconnect(world.app(), &Actor::System, &other, &there).await.unwrap();
        assert_eq!(again.at_meta, Revocation::Nothing);

        // After a disconnect anybody may connect, and nobody is asked about who it was.
        world.meta.meet(Person::new("902", "Bob"));
        world.connect_as(&world.account, "Bob").await.2.shows("Bakery is connected");
        assert_eq!(only(world, &world.account).await, here);
    });
}

#[test]
fn a_disconnect_goes_on_when_its_caller_hangs_up() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let id = only(world, &world.account).await;
        {
            let mut begun = pin!(connections::disconnect(world.app(), &Actor::System, &world.account, &id));
            let polled = poll_fn(|context| Poll::Ready(begun.as_mut().poll(context).is_pending()));
            assert!(polled.await, "it ended at once");
        }
        let revoked = || world.meta.world().seen.iter().any(|seen| seen.method == "DELETE");
        comes_true(async || revoked()).await;
        assert_eq!(world.connection().await.state, State::Disconnected);
    });
}

#[test]
fn our_copy_is_erased_even_when_meta_is_away() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let id = only(world, &world.account).await;
        world.meta.world().down = true;
        let end = connections::disconnect(world.app(), &Actor::System, &world.account, &id).await.unwrap();
        assert!(matches!(end.at_meta, Revocation::Failed { .. }));
        assert!(table::token(&world.app().db, &id).await.unwrap().is_none());
    });
}

#[test]
fn a_test_names_each_check_and_moves_the_state_both_ways() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let id = only(world, &world.account).await;
        let test =
            async || connections::test(world.app(), &Actor::System, &world.account, &id).await.unwrap();
        let report = test().await;
        assert!(report.ok);
        assert_eq!(report.connection.state, State::Connected);
        let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
        assert_eq!(names, ["meta_app", "token", "permissions", "expiry", "ad_accounts", "pages"]);

        world.meta.meet(Person { death: Some((190, 460)), ..Person::new("901", "Ann") });
        let report = test().await;
        assert!(!report.ok);
        assert!(matches!(report.connection.state, State::Broken { .. }));
        let token = report.checks.iter().find(|check| check.name == "token").unwrap();
        assert_eq!(token.outcome, CheckOutcome::Failed);
        assert!(token.next_step.is_some());
        assert!(connections::access(world.app(), &world.account, &id).await.is_err());

        // A checkpoint asks for an action, and goes by itself.
        world.meta.meet(Person { death: Some((190, 459)), ..Person::new("901", "Ann") });
        assert!(matches!(test().await.connection.state, State::ActionNeeded { .. }));
        world.meta.meet(Person::new("901", "Ann"));
        assert_eq!(test().await.connection.state, State::Connected);
        connections::access(world.app(), &world.account, &id).await.unwrap();

        world.meta.world().down = true;
        let report = test().await;
        assert!(!report.ok);
        assert_eq!(report.connection.state, State::Connected, "Meta's absence says nothing about the token");
    });
}

#[test]
fn a_refusal_breaks_the_token_it_was_for_and_no_later_one() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let id = only(world, &world.account).await;
        let access = connections::access(world.app(), &world.account, &id).await.unwrap();
        let dead = {
            let graph = Graph::new(GraphConfig::new(world.meta.url.clone(), "v26.0")).unwrap();
            let stranger = adjoin_graph::Access::signed("EAAB-unknown", "secret");
            graph.send(&Request::get("/me"), &stranger).await.unwrap_err()
        };
        world.meta.world().down = true;
        let away = access.graph.send(&Request::get("/me"), &access.token).await.unwrap_err();
        world.meta.world().down = false;
        connections::report_refusal(world.app(), &access, &away).await.unwrap();
        assert_eq!(world.connection().await.state, State::Connected, "a fault at Meta breaks nothing");

        world.clock().advance_seconds(60);
        world.connect_as(&world.account, "Ann").await;
        connections::report_refusal(world.app(), &access, &dead).await.unwrap();
        assert_eq!(world.connection().await.state, State::Connected, "that was the token before");

        let access = connections::access(world.app(), &world.account, &id).await.unwrap();
        connections::report_refusal(world.app(), &access, &dead).await.unwrap();
        assert!(matches!(world.connection().await.state, State::Broken { .. }));
        // Connecting anew mends it, in place.
        world.connect_as(&world.account, "Ann").await.2.shows("Bakery is connected");
        assert_eq!(only(world, &world.account).await, id);
    });
}

#[test]
fn a_row_that_was_moved_to_another_account_does_not_open() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let other = super::account(world.app(), "Florist").await;
        connections::install(world.app(), &Actor::System, &other).await.unwrap();
        let (here, there) = (only(world, &world.account).await, only(world, &other).await);
        let mut tx = world.app().db.begin().await.unwrap();
        for statement in
            ["UPDATE connections SET token_sealed = (SELECT token_sealed FROM connections WHERE id = $1),
                 state = (SELECT state FROM connections WHERE id = $1) WHERE id = $2"]
        {
            assert_eq!(sql(statement).bind(&here).bind(&there).execute(&mut tx).await.unwrap(), 1);
        }
        tx.commit().await.unwrap();
        let moved = connections::access(world.app(), &other, &there).await;
        assert!(matches!(moved, Err(Error::Vault(_))), "{moved:?}");
        connections::access(world.app(), &world.account, &here).await.unwrap();
    });
}

#[test]
fn access_shows_no_secret_and_serves_many_at_once() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let id = Arc::new(only(world, &world.account).await);
        let calls = (0..16).map(|_| {
            let (app, account, id) = (world.app().clone(), world.account.clone(), Arc::clone(&id));
            tokio::spawn(async move { connections::access(&app, &account, &id).await.unwrap() })
        });
        for call in calls.collect::<Vec<_>>() {
            let access = call.await.unwrap();
            let shown = format!("{access:?}");
            assert!(!shown.contains("EAAB") && !shown.contains(super::APP_SECRET), "{shown}");
            assert_eq!(access.token.token().expose_secret(), "EAAB-long-token-of-Ann");
        }
    });
}
