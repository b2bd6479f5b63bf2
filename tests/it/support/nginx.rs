//! The real nginx, with the configuration of docs/nginx-forward-auth.conf, in front of the
//! application under test and a small one that shows the person in its request headers.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpServer, rt, web};
use tempfile::TempDir;

const DOCUMENTED: &str = include_str!("../../../docs/nginx-forward-auth.conf");

/// nginx and the small application; both end with it.
pub struct Nginx {
    process: Child,
    small_application: ServerHandle,
    address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Returns a port that is free now.
    pub fn free_address() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address")
    }

    /// Starts both; nginx listens at `address` and sends its checks to `rollcall`.
    pub fn start(address: SocketAddr, rollcall: &str) -> Self {
        let (small, small_application) = start_small_application();
        let rollcall = rollcall.trim_start_matches("http://");
        let servers = DOCUMENTED
            .replace("listen 80;", &format!("listen {address};"))
            .replace("127.0.0.1:8080", rollcall)
            .replace("127.0.0.1:3000", &small.to_string());
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().display();
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {home}/{name};\n"))
            .concat();
        let whole = format!(
            "daemon off; master_process off; pid {home}/pid; error_log stderr;\n\
             events {{}}\nhttp {{ access_log off;\n{paths}{servers} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, whole).expect("the configuration is written");
        let process = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx starts; scripts/test installs it");
        Self {
            process,
            small_application,
            address,
            _folder: folder,
        }
    }

    /// Returns whether it accepts connections.
    pub fn listens(&self) -> bool {
        std::net::TcpStream::connect(self.address).is_ok()
    }

    pub async fn stop(mut self) {
        self.process.kill().expect("nginx ends");
        self.process.wait().expect("nginx has ended");
        self.small_application.stop(false).await;
    }
}

fn start_small_application() -> (SocketAddr, ServerHandle) {
    let server = HttpServer::new(|| App::new().default_service(web::to(show_person)))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a free port");
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    (address, handle)
}

async fn show_person(request: HttpRequest) -> web::Json<serde_json::Value> {
    let header = |name: &str| {
        let values: Vec<_> = request
            .headers()
            .get_all(name)
            .map(|v| v.to_str().unwrap_or("?"))
            .collect();
        values.join(", ")
    };
    web::Json(serde_json::json!({
        "user": header("remote-user"),
        "email": header("remote-email"),
        "name": header("remote-name"),
        "session": header("remote-session"),
    }))
}
