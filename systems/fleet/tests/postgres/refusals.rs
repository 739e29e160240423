//! What is refused in words, or given up, when it connects.

use startstop_fleet::{Postgres, StoreError};

use super::{Cluster, USER, url};

#[tokio::test]
async fn what_is_no_postgres_is_refused_in_words() {
    let (_server, addr) = crate::kubernetes::stand_in().await;
    let other = Postgres::connect(&format!("postgres://app@{addr}/app?sslmode=disable")).await;
    let Err(StoreError::Refused(text)) = other else {
        panic!("{other:?}")
    };
    assert!(
        text.starts_with("what answers is no PostgreSQL server"),
        "{text}"
    );
    let cluster = Cluster::start("postgres-other");
    let missing = format!("postgres://{USER}@127.0.0.1:{}/nowhere", cluster.port);
    let missing = Postgres::connect(&missing).await;
    let Err(StoreError::Refused(text)) = missing else {
        panic!("{missing:?}")
    };
    assert!(text.contains("does not exist"), "{text}");
    let nonsense = Postgres::connect("nonsense").await;
    assert!(
        matches!(nonsense, Err(StoreError::Refused(_))),
        "{nonsense:?}"
    );
}

#[tokio::test]
async fn all_replicas_may_make_the_table_at_once_and_again_without_the_right_to() {
    let cluster = Cluster::start("postgres-create");
    for round in 0..5 {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let store = Postgres::connect(&cluster.url()).await.unwrap();
            calls.spawn(async move { store.create().await });
        }
        while let Some(made) = calls.join_next().await {
            made.unwrap()
                .unwrap_or_else(|error| panic!("{round}: {error:?}"));
        }
        if round < 4 {
            cluster
                .run("drop table startstop_leases; drop sequence startstop_fence")
                .await;
        }
    }
    cluster
        .run("revoke create on schema public from public; create role app login")
        .await;
    let app = format!("postgres://app@127.0.0.1:{}/postgres", cluster.port);
    Postgres::connect(&app)
        .await
        .unwrap()
        .create()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_work_is_refused_and_what_is_frozen_is_given_up() {
    let cluster = Cluster::start("postgres-config");
    let tls = format!("{}?sslmode=require", url(cluster.port));
    for (url, said) in [("", "host"), (tls.as_str(), "TLS")] {
        let refused = Postgres::connect(url).await;
        let Err(StoreError::Refused(text)) = refused else {
            panic!("{refused:?}")
        };
        assert!(text.contains(said), "{text}");
    }
    let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let frozen = Postgres::connect(&url(frozen.local_addr().unwrap().port())).await;
    let Err(StoreError::Unavailable(error)) = frozen else {
        panic!("{frozen:?}")
    };
    assert_eq!(error.to_string(), "no answer within 10s");
}
