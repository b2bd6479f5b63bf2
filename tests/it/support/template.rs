//! Migrated databases of nobody yet, which those of the tests are copies of: to copy one is quicker than to
//! migrate each.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use rollcall::db::migrate;
use rollcall::settings::DatabaseUrl;
use uuid::Uuid;

use super::database::{on_server, postgres_url, try_on_server};

/// Writes a migrated SQLite file, as private as the application's.
pub fn write_sqlite(path: &Path) {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();

    let bytes = TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("rollcall.db");
        let url: DatabaseUrl = format!("sqlite:{}", file.display()).parse().expect("a URL");
        migrate::run(&url).expect("the migrations run");
        let rest = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(rest, 1, "the last connection writes everything to the file");
        fs::read(&file).expect("the file")
    });
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .expect("a new file");
    file.write_all(bytes).expect("the file is written");
}

/// Creates a migrated PostgreSQL database. Its template stays on the server, for the next run with the same
/// migrations.
pub fn create_postgres(name: &str) {
    static TEMPLATE: OnceLock<String> = OnceLock::new();

    let template = TEMPLATE.get_or_init(|| format!("rollcall_tests_{:016x}", hash_migrations()));
    let copy = format!("CREATE DATABASE {name} TEMPLATE {template}");
    if try_on_server(&copy).is_err() {
        create_template(template);
        on_server(&copy);
    }
}

fn create_template(name: &str) {
    static CREATION: Mutex<()> = Mutex::new(());

    let _one_at_a_time = CREATION.lock();
    let new = format!("test_{}", Uuid::new_v4().simple());
    on_server(&format!("CREATE DATABASE {new}"));
    let url: DatabaseUrl = postgres_url(&new).parse().expect("a URL");
    migrate::run(&url).expect("the migrations run");
    // Another thread or process may have made it meanwhile.
    if try_on_server(&format!("ALTER DATABASE {new} RENAME TO {name}")).is_err() {
        on_server(&format!("DROP DATABASE {new}"));
    }
}

fn hash_migrations() -> u64 {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres"));
    let entries = fs::read_dir(folder).expect("the migrations");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a migration").file_name())
        .collect();
    names.sort();
    let mut hasher = DefaultHasher::new();
    for name in names {
        let up = fs::read(folder.join(&name).join("up.sql")).expect("a migration");
        (name, up).hash(&mut hasher);
    }
    hasher.finish()
}
