//! The real nginx and the real Caddy, each with its file of docs/, in front of the application under
//! test and a small one.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use super::application::Application;

const NGINX: &str = include_str!("../../../docs/nginx-forward-auth.conf");
const CADDY: &str = include_str!("../../../docs/caddy-forward-auth.Caddyfile");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Caddy,
}

/// Whom the proxy's file lets in to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    SignedIn,
    Admin,
}

/// A proxy and the small application; both end with it.
pub struct Proxy {
    process: Child,
    application: Application,
    address: SocketAddr,
    _folder: TempDir,
}

/// The ports of proxies, which have to be known before they start.
const FIRST_PORT: u16 = 20_000;
const OWN_PORTS: u16 = 10_000;

impl Proxy {
    /// Returns an address that is free and stays so: no other test is given it, and the system gives
    /// nobody a port below its own range.
    pub fn free_address() -> SocketAddr {
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        // Another run of the tests starts elsewhere.
        let start = std::process::id() % u32::from(OWN_PORTS);
        let start = u16::try_from(start).expect("a port");
        for _ in 0..OWN_PORTS {
            let next = start.wrapping_add(TAKEN.fetch_add(1, Ordering::SeqCst));
            let address = SocketAddr::from(([127, 0, 0, 1], FIRST_PORT + next % OWN_PORTS));
            if TcpListener::bind(address).is_ok() {
                return address;
            }
        }
        panic!("no port is free");
    }

    /// Starts both; the proxy listens at `address` and sends its checks to `rollcall`.
    pub async fn start(kind: Kind, rule: Rule, address: SocketAddr, rollcall: &str) -> Self {
        let application = Application::start();
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = match kind {
            Kind::Nginx => nginx_configuration(rule, address, &folder),
            Kind::Caddy => caddy_configuration(rule, address),
        };
        let configuration = configuration
            .replace("127.0.0.1:8080", rollcall.trim_start_matches("http://"))
            .replace("127.0.0.1:3000", &application.address.to_string());
        let file = folder.path().join("configuration");
        std::fs::write(&file, configuration).expect("the configuration is written");
        let mut command = match kind {
            Kind::Nginx => Command::new("/usr/sbin/nginx"),
            Kind::Caddy => Command::new("caddy"),
        };
        match kind {
            Kind::Nginx => command.arg("-c").arg(&file),
            Kind::Caddy => command
                .args(["run", "--adapter", "caddyfile", "--config"])
                .arg(&file)
                .env("XDG_DATA_HOME", folder.path())
                .env("XDG_CONFIG_HOME", folder.path())
                .stderr(Stdio::null()),
        };
        let process = command
            .stdin(Stdio::null())
            .spawn()
            .expect("the proxy starts; scripts/test installs it");
        let proxy = Self {
            process,
            application,
            address,
            _folder: folder,
        };
        super::eventually("the proxy listens", async || proxy.listens()).await;
        proxy
    }

    fn listens(&self) -> bool {
        std::net::TcpStream::connect(self.address).is_ok()
    }

    pub async fn stop(mut self) {
        self.process.kill().expect("the proxy ends");
        self.process.wait().expect("the proxy has ended");
        self.application.stop().await;
    }
}

/// Replaces `documented`, which must be in the file.
fn replaced(file: &str, documented: &str, other: &str) -> String {
    assert!(file.contains(documented), "{documented} is not in the file");
    file.replace(documented, other)
}

fn nginx_configuration(rule: Rule, address: SocketAddr, folder: &TempDir) -> String {
    let mut servers = replaced(NGINX, "listen 80;", &format!("listen {address};"));
    if rule == Rule::Admin {
        servers = replaced(&servers, "/auth/verify;", "/auth/verify/admin;");
    }
    // Another application, which Rollcall is not told of.
    let (_, application) = servers
        .split_once("server_name app.example.org;")
        .expect("the application's server");
    let another = format!(
        "\nserver {{\n    listen {address};\n    server_name secret.example.org;{application}"
    );
    servers.push_str(&another);
    let home = folder.path().display();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {home}/{name};\n"))
        .concat();
    format!(
        "daemon off; master_process off; pid {home}/pid; error_log stderr;\n\
         events {{}}\nhttp {{ access_log off;\n{paths}{servers} }}\n"
    )
}

/// Without TLS, for which there are no certificates here.
fn caddy_configuration(rule: Rule, address: SocketAddr) -> String {
    let mut sites = CADDY.to_owned();
    for host in ["login.example.org {", "app.example.org {"] {
        let (name, _) = host.split_once(' ').expect("a name");
        let plain = format!(
            "http://{name}:{} {{\n\tbind {}",
            address.port(),
            address.ip()
        );
        sites = replaced(&sites, &format!("\n{host}"), &format!("\n{plain}"));
    }
    if rule == Rule::Admin {
        sites = replaced(&sites, "/auth/verify/caddy?", "/auth/verify/caddy/admin?");
    }
    format!("{{\n\tadmin off\n\tauto_https off\n}}\n{sites}")
}
