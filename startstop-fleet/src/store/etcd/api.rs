//! Calls of the gateway, by the endpoint that has answered last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::login::Login;
use super::watch::Watch;
use crate::store::StoreError;
use crate::store::error::{has_no_tls, is_no_http};
use crate::store::turn::Turn;
use crate::store::way::Way;

/// An endpoint and the way to it.
#[derive(Debug, Clone)]
struct Reached {
    url: String,
    way: Way<reqwest::Client>,
}

#[derive(Debug, Clone)]
pub(super) struct EtcdApi {
    endpoints: Arc<Vec<Reached>>,
    turn: Turn,
    pub(super) login: Option<Login>,
}

impl EtcdApi {
    pub(super) fn new(
        client: reqwest::Client,
        endpoints: Vec<String>,
        login: Option<Login>,
    ) -> Self {
        let endpoints = endpoints.into_iter().map(move |url| Reached {
            url: url.trim_end_matches('/').to_owned(),
            way: Way::new(client.clone(), None),
        });
        Self {
            endpoints: Arc::new(endpoints.collect()),
            turn: Turn::default(),
            login,
        }
    }

    /// Takes another address of an endpoint after a call that was not answered, by clients of ours.
    pub(super) fn choose_addresses(&mut self) {
        let choosing = |endpoint: &Reached| {
            let url = reqwest::Url::parse(&endpoint.url).ok();
            let server = url.as_ref().and_then(|url| {
                let host = url.host_str()?.to_owned();
                Some((host, url.port_or_known_default()?))
            });
            Reached {
                url: endpoint.url.clone(),
                way: Way::new(endpoint.way.by_name().clone(), server),
            }
        };
        self.endpoints = Arc::new(self.endpoints.iter().map(choosing).collect());
    }

    pub(super) async fn call(&self, path: &str, body: &Value) -> Result<Value, StoreError> {
        let response = self.send(path, body).await?;
        let text = response.text().await.map_err(StoreError::unavailable)?;
        let other =
            |_| StoreError::refused("what answers is no etcd 3.4 or later: its answer is no JSON");
        serde_json::from_str(&text).map_err(other)
    }

    /// Asks one endpoint after the other, each at all of its addresses, and each of these until this limit.
    pub(super) async fn any(&self, path: &str, limit: Duration) -> Result<Value, StoreError> {
        let body = json!({});
        let mut addresses = 0;
        for endpoint in self.endpoints.iter() {
            addresses += endpoint.way.addresses().await;
        }
        for _ in 0..addresses {
            if let Ok(answer) = timeout(limit, self.call(path, &body)).await {
                return answer;
            }
        }
        let text = format!("no endpoint has answered within {limit:?}");
        Err(StoreError::unavailable(text))
    }

    /// Begins a watch at an endpoint that says so within the limit.
    pub(super) async fn watch(&self, keys: Value, limit: Duration) -> Result<Watch, StoreError> {
        let body = json!({ "create_request": keys });
        let begin = async { Watch::begin(self.send("/v3/watch", &body).await?).await };
        let silent = |_| StoreError::unavailable(format!("no watch within {limit:?}"));
        timeout(limit, begin).await.map_err(silent)?
    }

    /// Sends a call. A client with a user name bears a token, and gets another one when etcd does not know it any more: then
    /// nothing was carried out. So it is when etcd begins or ceases to ask who is there.
    async fn send(&self, path: &str, body: &Value) -> Result<Response, StoreError> {
        let Some(login) = &self.login else {
            return self.post(path, body, None).await?.map_err(said);
        };
        if let Some(token) = login.token() {
            match self.post(path, body, Some(&token)).await? {
                Err(answer) if answer.is_of_an_old_token() => login.forget(&token),
                answer => return answer.map_err(said),
            }
        }
        let token = self.token(login).await?;
        login.remember(&token);
        self.post(path, body, Some(&token)).await?.map_err(said)
    }

    /// Asks for a token: an empty one where nobody needs any.
    async fn token(&self, login: &Login) -> Result<String, StoreError> {
        let asked = self
            .post("/v3/auth/authenticate", &login.body(), None)
            .await?;
        let answer = match asked {
            Err(answer) if answer.says("authentication is not enabled") => {
                return Ok(String::new());
            }
            answer => answer.map_err(said)?,
        };
        let answer: Value = answer.json().await.map_err(StoreError::unavailable)?;
        let token = answer["token"].as_str().map(str::to_owned);
        token.ok_or_else(|| StoreError::unavailable("no token"))
    }

    /// An endpoint that cannot be connected to has not seen the request: the next one gets it. One that does not answer, or
    /// has lost touch with the others, is begun with no more.
    async fn post(
        &self,
        path: &str,
        body: &Value,
        token: Option<&str>,
    ) -> Result<Result<Response, Answer>, StoreError> {
        let count = self.endpoints.len();
        let mut failed = None;
        for place in self.turn.order(count) {
            let asked = self.turn.ask(place, count);
            let Reached { url, way } = &self.endpoints[place];
            let at = |name: &str, addresses: &[SocketAddr]| {
                let client = super::client().resolve_to_addrs(name, addresses);
                client.build().ok()
            };
            let (client, called) = way.client(at).await;
            let request = client.post(format!("{url}{path}")).json(body);
            // With this header a member of etcd that is cut off from the others ends its watches.
            let request = request.header("Grpc-Metadata-hasleader", "true");
            let request = match token.filter(|token| !token.is_empty()) {
                Some(token) => request.header("Authorization", token),
                None => request,
            };
            match request.send().await {
                Ok(response) => {
                    let answer = answered(response).await;
                    if !answer.as_ref().is_err_and(Answer::is_of_no_use) {
                        asked.answered();
                        called.answered();
                    }
                    return Ok(answer);
                }
                Err(error) if has_no_tls(&error) => {
                    return Err(StoreError::refused(
                        "https needs TLS: a feature of reqwest, or a client for Etcd::with_client that has it",
                    ));
                }
                Err(error) if error.is_connect() => failed = Some(error),
                Err(error) if is_no_http(&error) => {
                    return Err(StoreError::refused(
                        "what answers is no etcd 3.4 or later: it does not speak HTTP",
                    ));
                }
                Err(error) => return Err(StoreError::unavailable(error)),
            }
        }
        Err(failed.map_or_else(
            || StoreError::unavailable("no endpoint"),
            StoreError::unavailable,
        ))
    }
}

/// The answer of etcd to a call that it refuses.
#[derive(Debug)]
struct Answer {
    code: Option<u64>,
    status: u16,
    message: String,
}

impl Answer {
    /// Tells whether another endpoint may do better.
    fn is_of_no_use(&self) -> bool {
        self.status >= 500
    }

    fn is_of_an_old_token(&self) -> bool {
        // The last one is said to a call without a token.
        let texts = ["revision of auth store is old", "user name is empty"];
        self.code == Some(16) || texts.iter().any(|text| self.says(text))
    }

    fn says(&self, text: &str) -> bool {
        self.message.contains(text)
    }
}

async fn answered(response: Response) -> Result<Response, Answer> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let message = body["message"]
        .as_str()
        .or(body["error"].as_str())
        .unwrap_or(&text);
    let message: String = message.trim().chars().take(MOST).collect();
    Err(Answer {
        code: body["code"].as_u64(),
        status: status.as_u16(),
        message,
    })
}

/// Whatever answers may answer with a page.
const MOST: usize = 200;

/// The codes are those of gRPC: 3 invalid argument, 5 not found, 9 failed precondition, 7 permission denied, 16 unauthenticated.
fn said(
    Answer {
        code,
        status,
        message,
    }: Answer,
) -> StoreError {
    let message = format!("etcd says {status}: {message}");
    match code {
        Some(5) => StoreError::Conflict,
        Some(9) if message.contains("lease already exists") => StoreError::Conflict,
        Some(3 | 7 | 16) => StoreError::refused(message),
        None if matches!(status, 400..=499) => {
            StoreError::refused(format!("{message}; is this etcd 3.4 or later?"))
        }
        _ => StoreError::unavailable(message),
    }
}
