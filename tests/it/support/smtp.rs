//! A real SMTP server that stores the messages it receives: `smtp_server.py`, in its own process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use super::program::pass_lines;

const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/support/smtp_server.py"
);
/// The modes that `set` and `unset` accept.
const CONTROLS: [&str; 3] = ["reject", "refuse", "drop"];

/// A server on a port of 127.0.0.1, until it is stopped or dropped.
pub struct SmtpServer {
    process: Child,
    port: u16,
    folder: TempDir,
}

/// The encryption of connections to it.
pub enum Security {
    Plain,
    /// Everything but the greeting needs STARTTLS first.
    StartTls,
    /// TLS from the first byte (smtps).
    Implicit,
}

/// A message with its envelope.
#[derive(Debug, Deserialize)]
pub struct Message {
    pub from: String,
    pub to: Vec<String>,
    #[serde(rename = "tls")]
    pub is_tls: bool,
    /// The user who authenticated.
    pub user: Option<String>,
    /// The message as received.
    #[serde(rename = "data")]
    pub raw: String,
    headers: Vec<(String, String)>,
    plain: String,
    html: String,
}

impl SmtpServer {
    /// Starts a server without TLS and authentication.
    pub fn start() -> Self {
        Self::start_with(Security::Plain, None)
    }

    /// Starts a server that accepts messages only after this user has authenticated.
    pub fn start_with(security: Security, login: Option<(&str, &str)>) -> Self {
        Self::start_at(0, security, login)
    }

    /// Starts a server without TLS at a port that was used before.
    pub fn restart_at(port: u16) -> Self {
        Self::start_at(port, Security::Plain, None)
    }

    fn start_at(port: u16, security: Security, login: Option<(&str, &str)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["messages", "control"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        make_certificate(folder.path());
        let mut command = Command::new("/usr/bin/python3");
        command
            .args([PROGRAM, "--port", &port.to_string()])
            .args(["--messages", "messages", "--control", "control"])
            .args(["--certificate", "certificate.pem", "--key", "key.pem"])
            .args(["--security", security.name()])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some((user, password)) = login {
            command.args(["--user", user, "--password", password]);
        }
        let mut server = Self {
            process: command.spawn().expect("Python starts"),
            port,
            folder,
        };
        server.port = server.printed_port();
        server
    }

    fn printed_port(&mut self) -> u16 {
        let (sender, lines) = channel();
        pass_lines(self.process.stdout.take().expect("its output"), sender);
        let line = lines
            .recv_timeout(Duration::from_secs(30))
            .expect("the SMTP server says its port; scripts/test installs what it needs");
        line.parse().expect("a port")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the certificate to trust, for `localhost` and `127.0.0.1`.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Sets a mode: `reject` responds 451 to a message, `refuse` responds 550 to an address, `drop`
    /// stores a message and closes the connection without a response.
    pub fn set(&self, control: &str) {
        std::fs::write(self.control(control), "").expect("a file");
    }

    /// Ends a mode.
    pub fn unset(&self, control: &str) {
        std::fs::remove_file(self.control(control)).expect("it was set");
    }

    fn control(&self, name: &str) -> PathBuf {
        assert!(CONTROLS.contains(&name), "the server knows no `{name}`");
        self.folder.path().join("control").join(name)
    }

    /// Returns the messages that it has accepted until now, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        let folder = std::fs::read_dir(self.folder.path().join("messages")).expect("a folder");
        let mut files: Vec<_> = folder
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        files.sort();
        files.iter().map(|file| Message::read(file)).collect()
    }

    /// Waits until it has a message.
    pub async fn wait_for_some(&self) {
        super::eventually("a message", async || !self.messages().is_empty()).await;
    }

    /// Waits until it has this many messages, and returns all of them.
    pub async fn wait_for(&self, n: usize) -> Vec<Message> {
        let what = format!("the SMTP server has {n} messages");
        super::eventually(&what, async || self.messages().len() >= n).await;
        self.messages()
    }

    /// Stops it at once, with all its connections.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Security {
    fn name(&self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
        }
    }
}

impl Message {
    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("a message");
        serde_json::from_str(&text).expect("a message as JSON")
    }

    /// Returns the first path in the text below `prefix`, such as `/verify-email/`.
    #[track_caller]
    pub fn link(&self, prefix: &str) -> String {
        let path = self.plain.split_whitespace().find_map(|word| {
            let start = word.find(prefix)?;
            word.starts_with("http").then(|| word[start..].to_owned())
        });
        path.unwrap_or_else(|| panic!("no link to {prefix} in {}", self.plain))
    }

    /// Returns a header on one line, with encoded words decoded; empty if it is missing.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    /// Returns the `text/plain` part, decoded; empty if there is none. Lines end with `\n`.
    pub fn plain(&self) -> String {
        self.plain.clone()
    }

    /// Returns the `text/html` part, likewise.
    pub fn html(&self) -> String {
        self.html.clone()
    }
}

/// Creates a self-signed certificate, so that a client has to trust nothing else.
fn make_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-config", "/dev/null", "-nodes"])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-days", "30", "-subj", "/CN=localhost"])
        .args(["-addext", "basicConstraints=critical,CA:TRUE"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl starts; scripts/test installs it");
    let output = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "no certificate: {output}");
}
