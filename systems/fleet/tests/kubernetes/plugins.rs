//! Plugins that give tokens, by a kubeconfig as people have it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use startstop_fleet::{Kubernetes, LeaseStore};

use super::api::Server;
use super::connecting::refused;
use super::kubeconfig;
use crate::server::Folder;

/// A plugin that gives the token of a file, and what goes on with it.
struct Plugin {
    folder: Folder,
    store: Kubernetes,
}

/// It takes as long as there is a file of this name, but not for ever.
const WAITS: &str =
    "for i in $(seq 200); do [ -e waits ] || break; sleep 0.05; done; [ ! -e waits ] || exit 1";

impl Plugin {
    async fn of(name: &str, server: std::net::SocketAddr, token: &str, expires: &str) -> Self {
        let folder = Folder::new(name);
        let (program, token_file) = (folder.0.join("plugin"), folder.0.join("token"));
        std::fs::write(&token_file, token).unwrap();
        let answer = format!(
            "#!/bin/sh\ncd {}\n{WAITS}\nprintf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
             \"status\":{{\"token\":\"%s\"{expires}}}}}' \"$(cat token)\"\n",
            folder.0.display()
        );
        std::fs::write(&program, answer).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let store = connect(server, &program).await;
        Self { folder, store }
    }

    fn gives(&self, token: &str) {
        std::fs::write(self.folder.0.join("token"), token).unwrap();
    }
}

async fn connect(server: std::net::SocketAddr, program: &PathBuf) -> Kubernetes {
    let mut config: serde_json::Value = serde_json::from_str(&kubeconfig(server, "")).unwrap();
    let version = "client.authentication.k8s.io/v1";
    config["users"][0]["user"] = json!({ "exec": {
        "apiVersion": version, "command": program, "interactiveMode": "Never",
    } });
    config["current-context"] = config["contexts"][0]["name"].clone();
    let config = Kubeconfig::from_yaml(&config.to_string()).unwrap();
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
    Kubernetes::with_config(config.unwrap()).unwrap()
}

#[tokio::test]
async fn a_plugin_whose_token_is_over_is_asked_again() {
    let (_server, addr) = Server::start().await;
    let expires = ",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"";
    let plugin = Plugin::of("plugin-expires", addr, "all", expires).await;
    plugin.store.check("invoices").await.unwrap();
    plugin.gives("nobody");
    refused(plugin.store.check("invoices").await);
}

/// As with `kubectl`: a token without a time goes until the server does not take it any more.
#[tokio::test]
async fn a_plugin_is_asked_again_when_the_server_does_not_take_its_token() {
    let (_server, addr) = Server::start().await;
    let plugin = Plugin::of("plugin-unauthorized", addr, "all", "").await;
    plugin.store.check("invoices").await.unwrap();
    plugin.gives("nobody");
    plugin.store.check("invoices").await.unwrap();
    let plugin = Plugin::of("plugin-unauthorized", addr, "old", "").await;
    let text = refused(plugin.store.check("invoices").await);
    assert_eq!(text, "Unauthorized");
    plugin.gives("all");
    plugin.store.check("invoices").await.unwrap();
}

/// A runtime with one thread goes on.
#[tokio::test]
async fn a_plugin_that_takes_its_time_holds_up_nothing_else() {
    let (_server, addr) = Server::start().await;
    let plugin = Plugin::of("plugin-slow", addr, "old", "").await;
    refused(plugin.store.check("invoices").await);
    plugin.gives("all");
    let waits = plugin.folder.0.join("waits");
    std::fs::write(&waits, "").unwrap();
    let ends = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        std::fs::remove_file(&waits).unwrap();
    };
    let (checked, ()) = tokio::join!(plugin.store.check("invoices"), ends);
    checked.unwrap();
}
