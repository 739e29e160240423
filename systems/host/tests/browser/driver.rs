//! Chromium by the protocol of its driver.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::free_port::free_port;
use crate::support::{Folder, Program, curl, until};

/// A browser with one window.
pub(super) struct Driver {
    session: String,
    _program: Program,
    _folder: Folder,
}

impl Driver {
    pub(super) fn open() -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let mut command = Command::new("chromedriver");
        command
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Program::run(&mut command);
        let url = format!("http://127.0.0.1:{port}");
        until("the driver answers", || {
            curl(&[&format!("{url}/status")]).contains("\"ready\":true")
        });
        let data = format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        );
        let arguments = ["--headless", "--no-sandbox", "--disable-gpu", &data];
        let browser = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let body = json!({ "capabilities": { "alwaysMatch": browser } });
        let session = post(&format!("{url}/session"), &body);
        let id = session["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {session}"));
        Self {
            session: format!("{url}/session/{id}"),
            _program: program,
            _folder: folder,
        }
    }

    fn ask(&self, what: &str, body: &Value) -> Value {
        post(&format!("{}/{what}", self.session), body)
    }

    pub(super) fn go(&self, url: &str) {
        self.ask("url", &json!({ "url": url }));
    }

    pub(super) fn size(&self, width: u32) {
        let body =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &body);
    }

    pub(super) fn eval(&self, script: &str) -> Value {
        self.ask("execute/sync", &json!({ "script": script, "args": [] }))
    }

    pub(super) fn devtools(&self, command: &str, parameters: &Value) {
        self.ask(
            "goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        );
    }

    /// What the console has told of errors, those of the content policy among them.
    pub(super) fn errors(&self) -> Vec<String> {
        let told = self.ask("se/log", &json!({ "type": "browser" }));
        let lines = told
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("no log: {told}"));
        let bad = lines.iter().filter(|line| line["level"] != "INFO");
        bad.map(|line| line["message"].to_string()).collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        curl(&["-X", "DELETE", &self.session]);
    }
}

fn post(url: &str, body: &Value) -> Value {
    let answer = curl(&["-X", "POST", "--data", &body.to_string(), url]);
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{url}: {answer}"));
    assert!(answer["value"]["error"].is_null(), "{url}: {answer}");
    answer["value"].clone()
}
