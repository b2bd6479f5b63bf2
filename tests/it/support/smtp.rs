//! A real SMTP server, which keeps what it is sent: `smtp_server.py`, in a process of its own.

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
/// What `set` and `unset` know.
const CONTROLS: [&str; 3] = ["reject", "refuse", "drop"];

/// A server on a port of 127.0.0.1, until it is stopped or dropped.
pub struct SmtpServer {
    process: Child,
    port: u16,
    folder: TempDir,
}

/// How a connection to it is made safe.
pub enum Security {
    Plain,
    /// Everything but the greeting needs STARTTLS first.
    StartTls,
    /// TLS from the first byte (smtps).
    Implicit,
}

/// A message, with the envelope it came in.
#[derive(Debug, Deserialize)]
pub struct Message {
    pub from: String,
    pub to: Vec<String>,
    #[serde(rename = "tls")]
    pub is_tls: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// As it came over the wire.
    #[serde(rename = "data")]
    pub raw: String,
    headers: Vec<(String, String)>,
    plain: String,
    html: String,
}

impl SmtpServer {
    /// Without TLS, without a login.
    pub fn start() -> Self {
        Self::start_with(Security::Plain, None)
    }

    /// The login is a user and a password, without which it takes no message.
    pub fn start_with(security: Security, login: Option<(&str, &str)>) -> Self {
        Self::start_at(0, security, login)
    }

    /// A new server, plain, at a port that was used before.
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

    /// The certificate to be trusted, for `localhost` and `127.0.0.1`.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// From now on it does otherwise: `reject` answers 451 to a message, `refuse` answers 550 to
    /// an address, `drop` keeps a message and closes the connection without an answer.
    pub fn set(&self, control: &str) {
        std::fs::write(self.control(control), "").expect("a file");
    }

    /// The end of `set`.
    pub fn unset(&self, control: &str) {
        std::fs::remove_file(self.control(control)).expect("it was set");
    }

    fn control(&self, name: &str) -> PathBuf {
        assert!(CONTROLS.contains(&name), "the server knows no `{name}`");
        self.folder.path().join("control").join(name)
    }

    /// What it has accepted until now, oldest first.
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

    /// Waits until it has any message.
    pub async fn wait_for_some(&self) {
        super::eventually("a message", async || !self.messages().is_empty()).await;
    }

    /// Waits until there are so many messages, and gives all there are.
    pub async fn wait_for(&self, n: usize) -> Vec<Message> {
        let what = format!("the SMTP server has {n} messages");
        super::eventually(&what, async || self.messages().len() >= n).await;
        self.messages()
    }

    /// Ends it at once, with all its connections.
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

    /// In one line, its encoded words decoded; empty if there is none of that name.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    /// The `text/plain` part, decoded; empty if there is none. Lines end with `\n`.
    pub fn plain(&self) -> String {
        self.plain.clone()
    }

    /// The `text/html` part, the same.
    pub fn html(&self) -> String {
        self.html.clone()
    }
}

/// Signed by itself, so that a client that trusts it needs nothing else.
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
