//! The real nginx, which ends TLS in front of the application under test with a certificate of its own, and
//! another site that has a link to it.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use tempfile::TempDir;

use super::proxy::Proxy;

const HOST: &str = "login.example.org";

/// Where the proxy listens, which has to be known before the application starts.
pub struct TlsAddress {
    service: SocketAddr,
    elsewhere: SocketAddr,
}

impl TlsAddress {
    pub fn free() -> Self {
        let [service, elsewhere] = [Proxy::free_address(), Proxy::free_address()];
        Self { service, elsewhere }
    }

    /// Returns the URL of the service: `https://login.example.org:PORT`.
    pub fn base(&self) -> String {
        format!("https://{HOST}:{}", self.service.port())
    }

    /// Returns a page of another site with a link to the service's page.
    pub fn elsewhere(&self) -> String {
        format!("http://{}/", self.elsewhere)
    }
}

pub struct TlsProxy {
    process: Child,
    /// The SHA-256 of the certificate's public key, in Base64, by which a browser can be told to trust it.
    pub fingerprint: String,
    folder: TempDir,
}

impl TlsProxy {
    /// Starts it in front of the application at `rollcall`, with a link from elsewhere to `page`.
    pub async fn start(address: &TlsAddress, rollcall: &str, page: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let fingerprint = write_certificate(folder.path());
        let configuration = configuration(address, rollcall, page, folder.path());
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).expect("the configuration is written");
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("nginx starts; `scripts/test` installs it");
        let proxy = Self {
            process,
            fingerprint,
            folder,
        };
        super::eventually("nginx listens", async || {
            TcpStream::connect(address.service).is_ok()
        })
        .await;
        proxy
    }

    /// Returns the requests until now, a line each: method, path, status, and the headers of device-bound
    /// sessions with the site that the browser states.
    pub fn requests(&self) -> Vec<String> {
        let log = std::fs::read_to_string(log(self.folder.path())).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    pub fn stop(mut self) {
        self.process.kill().expect("nginx ends");
        self.process.wait().expect("nginx has ended");
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("requests.log")
}

fn configuration(address: &TlsAddress, rollcall: &str, page: &str, folder: &Path) -> String {
    let (home, log) = (folder.display(), log(folder));
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {home}/{name};\n"))
        .concat();
    let link = format!("<a href=\"{}{page}\">Your devices</a>", address.base());
    format!(
        "daemon off; master_process off; pid {home}/pid; error_log stderr;\nevents {{}}\nhttp {{\n{paths}\
         log_format bound '$request_method $uri $status id=$http_sec_secure_session_id \
         proof=$http_secure_session_response skipped=$http_secure_session_skipped \
         mode=$http_sec_fetch_mode site=$http_sec_fetch_site';\naccess_log {log} bound;\n\
         server {{ listen {service} ssl; server_name {HOST};\n\
         ssl_certificate {home}/certificate.pem; ssl_certificate_key {home}/key.pem;\n\
         location / {{ proxy_pass {rollcall}; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
         proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;\n\
         proxy_buffering off; proxy_buffer_size 16k; proxy_buffers 4 16k; }} }}\n\
         server {{ listen {elsewhere}; access_log off;\n\
         location / {{ default_type text/html; return 200 '{link}'; }} }} }}\n",
        log = log.display(),
        service = address.service,
        elsewhere = address.elsewhere,
    )
}

/// Writes a key and a certificate for the host, and returns the fingerprint of the key.
fn write_certificate(folder: &Path) -> String {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("the curve");
    let key = EcKey::generate(&group).expect("a key");
    let key = PKey::from_ec_key(key).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", HOST).expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    let serial = BigNum::from_u32(1).and_then(|one| one.to_asn1_integer());
    let from = Asn1Time::days_from_now(0).expect("a time");
    let to = Asn1Time::days_from_now(2).expect("a time");
    let certificate = (|| {
        builder.set_version(2)?;
        builder.set_serial_number(serial?.as_ref())?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_not_before(&from)?;
        builder.set_not_after(&to)?;
        builder.set_pubkey(&key)?;
        let alternative = SubjectAlternativeName::new()
            .dns(HOST)
            .build(&builder.x509v3_context(None, None))?;
        builder.append_extension(alternative)?;
        builder.sign(&key, MessageDigest::sha256())?;
        builder.build().to_pem()
    })()
    .expect("a certificate");
    std::fs::write(folder.join("certificate.pem"), certificate)
        .expect("the certificate is written");
    let pem = key.private_key_to_pem_pkcs8().expect("the key");
    std::fs::write(folder.join("key.pem"), pem).expect("the key is written");
    STANDARD.encode(sha256(&key.public_key_to_der().expect("the public key")))
}
