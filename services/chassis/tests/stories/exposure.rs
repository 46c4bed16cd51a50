//! What does not start, and what it says then.

use std::net::SocketAddr;

use chassis::{App, Config, Drained, Error, Login, Missing, Shutdown};
use tokio::net::TcpListener;

use crate::authority::Authority;
use crate::desk::within;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

async fn serve(listener: TcpListener, app: App) -> Result<Drained, Error> {
    let config = Config::default();
    within(chassis::serve(listener, app, &config, Shutdown::new())).await
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused_with_the_way_out() {
    for exposed in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let error = chassis::bind(address(exposed), &Config::default()).unwrap_err();
        assert!(
            matches!(error, Error::Exposed { address: refused, .. } if refused == address(exposed))
        );
        assert!(error.to_string().contains("--insecure"), "{error}");
    }
    let insecure = Config {
        insecure: true,
        ..Config::default()
    };
    chassis::bind(address("0.0.0.0:0"), &insecure).unwrap();
}

#[tokio::test]
async fn what_is_missing_of_the_protection_is_named() {
    let with = |tls, login| Config {
        tls,
        login,
        ..Config::default()
    };
    let (tls, login) = (Some(Authority::new().server()), Some(Login::default()));
    chassis::bind(address("0.0.0.0:0"), &with(tls.clone(), login.clone())).unwrap();
    for (config, missing) in [
        (with(None, None), Missing::Both),
        (with(tls, None), Missing::Login),
        (with(None, login), Missing::Tls),
    ] {
        let error = chassis::bind(address("0.0.0.0:0"), &config).unwrap_err();
        assert!(matches!(&error, Error::Exposed { missing: m, .. } if *m == missing));
        assert!(error.to_string().contains(&missing.to_string()), "{error}");
        let names_login = error.to_string().contains("--tokens");
        assert_eq!(names_login, missing != Missing::Tls, "{error}");
    }
}

#[tokio::test]
async fn loopback_needs_nothing() {
    let listener = chassis::bind(address("127.0.0.1:0"), &Config::default()).unwrap();
    assert!(listener.local_addr().unwrap().ip().is_loopback());
}

#[tokio::test]
async fn a_listener_from_elsewhere_is_held_to_the_same_rule() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let app = App::new(proto::DESCRIPTORS);
    let served = serve(listener, app).await;
    assert!(matches!(served, Err(Error::Exposed { .. })));
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = chassis::bind(address("127.0.0.1:0"), &Config::default()).unwrap();
    let taken = first.local_addr().unwrap();
    let error = chassis::bind(taken, &Config::default()).unwrap_err();
    assert!(matches!(&error, Error::Bind { address, .. } if *address == taken));
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}

#[tokio::test]
async fn a_broken_schema_is_found_before_anything_is_served() {
    let listener = chassis::bind(address("127.0.0.1:0"), &Config::default()).unwrap();
    let app = App::new(b"no descriptors");
    let served = serve(listener, app).await;
    assert!(matches!(served, Err(Error::Descriptors(_))));
}
