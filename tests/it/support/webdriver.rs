//! Real browsers: headless Chromium, each with a separate profile.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};
use uuid::Uuid;

use super::app::Person;
use super::program::{pass_lines, signal};
use super::response::path_of;

/// A `ChromeDriver` on a free port. Dropping it ends it and every browser that it started.
pub struct WebDriver {
    process: Child,
    address: String,
    /// The browsers' profiles and other files.
    folder: TempDir,
}

/// Whether pages may run JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    On,
    Off,
}

/// A command of the browser's developer tools, which `ChromeDriver` passes on.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}

/// One browser of one person.
pub struct Chromium {
    client: Client,
    base: String,
}

impl WebDriver {
    /// Starts one. It looks for a free port before it binds it, and exits when another process was
    /// faster: then another port is tried.
    pub fn start() -> Self {
        for _ in 0..5 {
            if let Some(driver) = Self::try_start() {
                return driver;
            }
        }
        panic!("chromedriver exited five times without a port");
    }

    /// Starts one; `None` when it exits before it has a port.
    fn try_start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            // A group of its own, so that the browsers can be ended with it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts; `scripts/test` installs it (Debian: chromium-driver)");
        let (sender, lines) = channel();
        pass_lines(process.stdout.take().expect("standard output"), sender);
        let mut driver = Self {
            process,
            address: String::new(),
            folder,
        };
        loop {
            match lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => {
                    if let Some((_, port)) = line.split_once("started successfully on port ") {
                        driver.address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
                        return Some(driver);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("chromedriver does not say its port"),
            }
        }
    }

    /// Opens a browser with an empty profile.
    pub async fn open(&self, base: &str, script: Script) -> Chromium {
        self.open_with(base, script, &json!({})).await
    }

    /// Opens a browser that stores and sends no cookies.
    pub async fn open_without_cookies(&self, base: &str) -> Chromium {
        let blocked = json!({"profile.default_content_setting_values.cookies": 2});
        self.open_with(base, Script::On, &blocked).await
    }

    /// Opens a browser with the profile of this name, which stays, and with further arguments.
    pub async fn open_profile(&self, base: &str, name: &str, arguments: &[String]) -> Chromium {
        let profile = self.folder.path().join(name);
        let mut capabilities = capabilities(&profile, Script::On, &json!({}));
        if let Value::Array(all) = &mut capabilities["goog:chromeOptions"]["args"] {
            all.extend(arguments.iter().map(|argument| json!(argument)));
        }
        self.connect(base, Script::On, &capabilities).await
    }

    async fn open_with(&self, base: &str, script: Script, preferences: &Value) -> Chromium {
        let profile = self.folder.path().join(Uuid::new_v4().to_string());
        let capabilities = capabilities(&profile, script, preferences);
        self.connect(base, script, &capabilities).await
    }

    async fn connect(&self, base: &str, script: Script, capabilities: &Value) -> Chromium {
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().expect("an object").clone())
            .connect(&self.address)
            .await
            .expect("Chromium starts");
        let browser = Chromium {
            client,
            base: base.to_owned(),
        };
        assert_eq!(browser.script().await, script);
        browser
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        signal("KILL", &format!("-{}", self.process.id()));
        let _ = self.process.wait();
    }
}

fn capabilities(profile: &Path, script: Script, preferences: &Value) -> Value {
    let mut options = json!({
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--host-resolver-rules=MAP *.example.org 127.0.0.1",
            format!("--user-data-dir={}", profile.display()),
        ],
    });
    options["prefs"] = preferences.clone();
    if script == Script::Off {
        options["prefs"]["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    json!({"browserName": "chrome", "goog:chromeOptions": options})
}

impl Chromium {
    /// Signs in with keyboard and button.
    pub async fn sign_in(&self, person: &Person) {
        self.open("/sign-in").await;
        self.complete_sign_in(person).await;
        self.arrives_at("/devices").await;
    }

    /// Completes the form of the sign-in page, and sends it.
    pub async fn complete_sign_in(&self, person: &Person) {
        self.find("input[name='email']")
            .await
            .send_keys(&person.email)
            .await
            .expect("typing");
        self.find("input[name='password']")
            .await
            .send_keys(&person.password)
            .await
            .expect("typing");
        self.press("form[action^='/sign-in'] button").await;
    }

    pub async fn open(&self, path: &str) {
        self.go_to(&format!("{}{path}", self.base)).await;
    }

    /// Opens a page of any origin.
    pub async fn go_to(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// Types into a field.
    pub async fn type_into(&self, field: &str, text: &str) {
        let field = self.find(field).await;
        field.send_keys(text).await.expect("typing");
    }

    /// Presses a button.
    pub async fn press(&self, button: &str) {
        self.find(button)
            .await
            .click()
            .await
            .expect("the button can be pressed");
    }

    /// Presses a button twice, as in a double click.
    pub async fn press_twice(&self, button: &str) {
        let button = self.find(button).await;
        let down = |button| PointerAction::Down { button };
        let up = |button| PointerAction::Up { button };
        let twice = MouseActions::new("mouse".into())
            .then(PointerAction::MoveToElement {
                element: button,
                duration: None,
                x: 0.0,
                y: 0.0,
            })
            .then(down(MOUSE_BUTTON_LEFT))
            .then(up(MOUSE_BUTTON_LEFT))
            .then(down(MOUSE_BUTTON_LEFT))
            .then(up(MOUSE_BUTTON_LEFT));
        // The page may be gone before the second press.
        let _ = self.client.perform_actions(twice).await;
    }

    /// Returns how many elements match the selector; 0 while the page can't be searched.
    pub async fn count(&self, css: &str) -> Option<usize> {
        let found = self.client.find_all(Locator::Css(css)).await.ok()?;
        Some(found.len())
    }

    /// Opens another tab and goes there; returns its number. The first one has the number 0.
    pub async fn new_tab(&self) -> usize {
        let opened = self.client.new_window(true).await.expect("another tab");
        let client = &self.client;
        client.switch_to_window(opened.handle).await.expect("a tab");
        self.client.windows().await.expect("the tabs").len() - 1
    }

    /// Goes to a tab.
    pub async fn go_to_tab(&self, number: usize) {
        let tab = self
            .client
            .windows()
            .await
            .expect("the tabs")
            .remove(number);
        self.client.switch_to_window(tab).await.expect("a tab");
    }

    /// Forgets every cookie.
    pub async fn forget_cookies(&self) {
        let forgotten = self.client.delete_all_cookies().await;
        forgotten.expect("the cookies are forgotten");
    }

    /// Goes back to the page before.
    pub async fn go_back(&self) {
        self.client.back().await.expect("a page before");
    }

    /// Goes forwards to the page that was gone back from.
    pub async fn go_forward(&self) {
        self.client.forward().await.expect("a page after");
    }

    /// Returns what stands in a field.
    pub async fn value_of(&self, field: &str) -> String {
        let value = self.find(field).await.prop("value").await;
        value.expect("a field").unwrap_or_default()
    }

    /// Returns the path of the current page.
    pub async fn path(&self) -> String {
        self.client
            .current_url()
            .await
            .expect("an address")
            .path()
            .to_owned()
    }

    /// Waits until the current page has this path.
    pub async fn arrives_at(&self, path: &str) {
        super::eventually(path, async || path_of(&self.path().await) == path).await;
    }

    /// Waits until the current page has this address.
    pub async fn is_at(&self, address: &str) {
        super::eventually(address, async || {
            let current = self.client.current_url().await;
            current.is_ok_and(|current| current.as_str() == address)
        })
        .await;
    }

    /// Waits until this many elements match the selector.
    pub async fn has(&self, number: usize, css: &str) {
        super::eventually(&format!("{number} of {css}"), async || {
            self.count(css).await == Some(number)
        })
        .await;
    }

    /// Returns the text of the element that matches the selector.
    pub async fn words_in(&self, css: &str) -> String {
        let mut words = None;
        // The next page may load between finding the element and reading it.
        super::eventually(css, async || {
            words = self.find(css).await.text().await.ok();
            words.is_some()
        })
        .await;
        words.unwrap_or_default()
    }

    /// Sends a command to the browser's developer tools.
    pub async fn command(&self, command: &'static str, parameters: Value) -> Value {
        let tools = DevTools {
            command,
            parameters,
        };
        let result = self.client.issue_cmd(tools).await;
        result.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Runs a script in the page, whatever its policy is. The script calls its last argument with
    /// what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let result = self.client.execute_async(script, arguments).await;
        result.unwrap_or_else(|error| panic!("a script failed: {error}"))
    }

    pub async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }

    async fn find(&self, css: &str) -> fantoccini::elements::Element {
        let found = self
            .client
            .wait()
            .at_most(Duration::from_secs(30))
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!(
                "no {css} at {} ({error}):\n{}",
                self.path().await,
                self.source().await
            ),
        }
    }

    async fn source(&self) -> String {
        self.client.source().await.unwrap_or_default()
    }

    /// Returns whether JavaScript runs, as a test page shows.
    async fn script(&self) -> Script {
        let page = "data:text/html,<title>off</title><script>document.title='on'</script>";
        self.client.goto(page).await.expect("the test page opens");
        match self.client.title().await.expect("a title").as_str() {
            "on" => Script::On,
            _ => Script::Off,
        }
    }
}
