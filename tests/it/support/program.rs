//! The real binary, run as from a shell, with a separate folder and environment.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::database::Database;

const LONGEST_COMMAND: Duration = Duration::from_secs(120);

/// `rollcall`, ready to be called with arguments.
pub struct Program {
    folder: PathBuf,
    environment: Vec<(String, String)>,
    /// The most files that it may open; `None` for as many as the tests may.
    open_files: Option<String>,
}

/// What `api-key add` printed.
#[derive(Debug, Clone)]
pub struct AddedKey {
    pub id: String,
    pub secret: String,
    /// The id of its application.
    pub application: String,
}

/// The result of a command.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// A program that runs in a folder, without settings.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            environment: Vec::new(),
            open_files: None,
        }
    }

    /// A program that uses this database, by `DATABASE_URL`.
    pub fn with(database: &Database) -> Self {
        Self::in_folder(database.folder()).env("DATABASE_URL", &database.url())
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Limits the files that it may open.
    pub fn with_open_files(mut self, limit: &str) -> Self {
        self.open_files = Some(limit.to_owned());
        self
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with_input(arguments, "")
    }

    /// Runs it to its end with a text on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input");
        // A program that reads no input may have closed it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = output_of(child, arguments);
        Ended {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }

    /// Starts it, for a command that goes on until it is stopped.
    pub fn start(&self, arguments: &[&str], stdout: Stdio) -> Child {
        let mut command = self.command(arguments);
        command.stdout(stdout).stderr(Stdio::null());
        command.spawn().expect("the program starts")
    }

    /// Adds an API key with these arguments of `api-key add`.
    #[track_caller]
    pub fn add_key(&self, arguments: &[&str]) -> AddedKey {
        let output = self
            .run(&[&["api-key", "add"], arguments].concat())
            .expect_done();
        let after = |name: &str| {
            let line = output.lines().find_map(|line| line.strip_prefix(name));
            line.expect("a line").trim().to_owned()
        };
        AddedKey {
            id: after("id"),
            secret: after("secret"),
            application: after("application"),
        }
    }

    /// Starts a server on a free port, and waits until it prints its address.
    pub fn serve(&self, arguments: &[&str]) -> Serving {
        let all = [arguments, &["--listen", "127.0.0.1:0"]].concat();
        Serving::start(self.command(&all))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_rollcall");
        let mut command = match &self.open_files {
            None => Command::new(binary),
            Some(limit) => {
                let mut shell = Command::new("/bin/sh");
                let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, binary]);
                shell
            }
        };
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Ended {
    /// Returns the standard output of a command that succeeded.
    #[track_caller]
    pub fn expect_done(self) -> String {
        assert_eq!(self.status, 0, "{self:#?}");
        self.stdout
    }

    /// Returns the standard error of a command that ended with this status.
    #[track_caller]
    pub fn expect_failed(self, status: i32) -> String {
        assert_eq!(self.status, status, "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// Waits for the end of a program, and ends one that runs for longer than any command does: a server
/// that should not have started.
fn output_of(child: Child, arguments: &[&str]) -> Output {
    let id = child.id().to_string();
    let (sender, ended) = channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(LONGEST_COMMAND) else {
        signal("KILL", &id);
        panic!("{arguments:?} still runs");
    };
    output.expect("the program ends")
}

/// A server that runs until it is stopped or dropped.
pub struct Serving {
    child: Child,
    lines: Receiver<String>,
    readers: Vec<JoinHandle<()>>,
    printed: Vec<String>,
    address: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let (sender, lines) = channel();
        let readers = vec![
            pass_lines(
                child.stdout.take().expect("standard output"),
                sender.clone(),
            ),
            pass_lines(child.stderr.take().expect("standard error"), sender),
        ];
        let mut serving = Self {
            child,
            lines,
            readers,
            printed: Vec::new(),
            address: String::new(),
        };
        serving.address = serving.wait_for("its address", address_in);
        serving
    }

    /// Returns the URL that it printed: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        self.address.clone()
    }

    /// Waits for a line of its output.
    pub fn wait_for(&mut self, what: &str, find: impl Fn(&str) -> Option<String>) -> String {
        if let Some(found) = self.printed.iter().find_map(|line| find(line)) {
            return found;
        }
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(30)) {
            let found = find(&line);
            self.printed.push(line);
            if let Some(found) = found {
                return found;
            }
        }
        panic!(
            "the program did not print {what}:\n{}",
            self.printed.join("\n")
        );
    }

    /// Returns what it has printed until now: everything, after [`Serving::terminate`].
    pub fn output(&mut self) -> String {
        self.printed.extend(self.lines.try_iter());
        self.printed.join("\n")
    }

    /// Stops it with SIGTERM, and waits until it has ended.
    pub fn terminate(&mut self) -> ExitStatus {
        signal("TERM", &self.child.id().to_string());
        let status = self.child.wait().expect("the program ends");
        for reader in self.readers.drain(..) {
            reader.join().expect("its output ends");
        }
        status
    }
}

impl Serving {
    /// Returns the id of the process.
    pub fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process, or to a process group (`-ID`).
pub fn signal(name: &str, to: &str) {
    // The `kill` built into the shell: a small system may have no other.
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{name} {to}")])
        .stderr(Stdio::null())
        .status();
}

/// Forwards what a program prints, line by line, so that it never waits for its reader.
pub fn pass_lines(output: impl Read + Send + 'static, to: Sender<String>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The receiver may be gone; the program must still not wait.
            let _ = to.send(line);
        }
    })
}

/// Finds `http://127.0.0.1:PORT` in a line.
fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://127.0.0.1:{port}"))
}
