//! Secrets in files: one file of `NAME=value` lines, or a directory with one file for each secret.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::provider::{Providing, SecretError, SecretProvider};
use super::read::{Reads, is_open_to_others, read, read_regular};
use super::secret::Secret;

/// A file of `NAME=value` lines, like Docker's `--env-file` and Camunda's `connector-secrets.txt`: everything after the first `=` is the
/// value; of two lines with the same name, the last counts; blank lines and lines that start with `#` are ignored; any other line is an
/// error.
///
/// Tools disagree on spaces around `=`, trailing spaces, quotation marks around a value and comments after it. Such a line is refused,
/// because a wrong password would only show as a 401. A value that needs them belongs in a [`DirectorySecrets`].
///
/// A regular file is read for each look-up, so that a new value is used from the next call on. A pipe is read once and remembered. A file
/// that other users of the machine can read or write is used, but the log warns. A look-up needs a Tokio runtime.
#[derive(Clone)]
pub struct FileSecrets {
    path: PathBuf,
    reads: Reads,
    state: Arc<State>,
}

/// What the clones share.
#[derive(Default)]
struct State {
    /// What a pipe held.
    kept: Mutex<Option<Secret>>,
    open_to_others: AtomicBool,
    warned: AtomicBool,
}

impl fmt::Debug for FileSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSecrets")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl FileSecrets {
    /// The file need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            reads: Reads::default(),
            state: Arc::default(),
        }
    }

    fn value(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        let text = self
            .text()
            .map_err(|error| SecretError::new(self.path.display().to_string(), &error))?;
        let mut found = None;
        for (at, line) in text.expose().lines().enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let begun = line.trim_start();
            if begun.is_empty() || begun.starts_with('#') {
                continue;
            }
            let wrong = |what: String| SecretError {
                place: self.path.display().to_string(),
                why: format!("line {} {what}", at + 1),
                passes: false,
            };
            match begun.split_once('=').map(|(key, value)| (key.trim_end(), value)) {
                Some((key, value)) if key == name => {
                    let spaced = begun.get(key.len()..).is_some_and(|rest| !rest.starts_with('='));
                    if let Some(slip) = slip(spaced, value) {
                        return Err(wrong(format!(
                            "{slip}: write {name}=value, or put such a value into a secrets directory"
                        )));
                    }
                    found = Some(Secret::new(value));
                }
                Some((key, _)) if !key.is_empty() && !key.contains(char::is_whitespace) => {}
                _ => return Err(wrong("is not NAME=value".to_owned())),
            }
        }
        Ok(found)
    }

    fn text(&self) -> io::Result<Secret> {
        let about = std::fs::metadata(&self.path)?;
        if about.is_file() || about.is_dir() {
            if about.is_file() && is_open_to_others(&about) {
                self.state.open_to_others.store(true, Ordering::Relaxed);
            }
            return Ok(read(&self.path)?.into());
        }
        // Two readers of one pipe would share its bytes out between them.
        let mut kept = self.state.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = &*kept {
            return Ok(text.clone());
        }
        let text: Secret = read(&self.path)?.into();
        *kept = Some(text.clone());
        Ok(text)
    }

    /// Once, on the caller's own thread, whose log it is.
    fn warn(&self) {
        let State {
            open_to_others, warned, ..
        } = &*self.state;
        if open_to_others.load(Ordering::Relaxed) && !warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                file = %self.path.display(),
                "other users of this machine can read or write the secrets file: remove their permissions (chmod o-rwx)"
            );
        }
    }
}

/// What of a line would be part of the value here and is not elsewhere; `spaced`: a space stands before the `=`. Nothing of the value is in it.
fn slip(spaced: bool, value: &str) -> Option<&'static str> {
    let quoted = |quote| value.strip_prefix(quote).is_some_and(|rest| rest.contains(quote));
    if spaced || (value.starts_with(char::is_whitespace) && !value.trim().is_empty()) {
        Some("has spaces around `=`")
    } else if ['"', '\''].into_iter().any(quoted) {
        Some("has quotation marks around the value")
    } else if [" #", "\t#"].iter().any(|comment| value.contains(comment)) {
        Some("has a comment (` #`) after the value")
    } else if value.ends_with(char::is_whitespace) {
        Some("has spaces after the value")
    } else {
        None
    }
}

impl SecretProvider for FileSecrets {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let (own, name) = (self.clone(), name.to_owned());
        let place = self.path.display().to_string();
        Box::pin(async move {
            let found = self.reads.run(place, move || own.value(&name)).await;
            self.warn();
            found
        })
    }

    fn place(&self, name: &str) -> String {
        format!("a line {name}=… in {}", self.path.display())
    }

    fn kind(&self) -> &'static str {
        "a secrets file"
    }
}

/// A directory with one file for each secret, as Kubernetes and Docker mount them. One trailing line break is not part of the value. Files
/// are read for each look-up, so that a rotated secret is used from the next call on. Only regular files, and links to them, are secrets.
/// A look-up needs a Tokio runtime.
#[derive(Clone, Debug)]
pub struct DirectorySecrets {
    path: PathBuf,
    reads: Reads,
}

impl DirectorySecrets {
    /// The directory need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            reads: Reads::default(),
        }
    }

    fn value(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        if !is_file_name(name) {
            return Ok(None);
        }
        let text = match read_regular(&self.path.join(name)) {
            Ok(text) => text,
            // A directory that is not there is a mistake; a file that is not there is a secret that it does not have.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.path.is_dir() => return Ok(None),
            Err(error) => return Err(SecretError::new(self.path.join(name).display().to_string(), &error)),
        };
        let value = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Some(Secret::new(value.strip_suffix('\r').unwrap_or(value))))
    }
}

impl SecretProvider for DirectorySecrets {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let (own, name) = (self.clone(), name.to_owned());
        let place = self.path.join(&name).display().to_string();
        Box::pin(async move { self.reads.run(place, move || own.value(&name)).await })
    }

    fn place(&self, name: &str) -> String {
        format!("the file {}", self.path.join(name).display())
    }

    fn kind(&self) -> &'static str {
        "a secrets directory"
    }
}

/// A name that leads out of the directory, or to what Kubernetes keeps there beside the secrets (`..data`), is none of them.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(found: Result<Option<Secret>, SecretError>) -> Option<String> {
        found.unwrap().map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn a_file_holds_a_secret_on_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.txt");
        std::fs::write(
            &file,
            "\u{feff}# a comment\n\nA=1=2 \"3\"\r\n B=x\nQUOTED=\"y\"\nA=last\nEMPTY=\n",
        )
        .unwrap();
        let secrets = FileSecrets::new(&file);
        assert_eq!(value(secrets.value("A")).as_deref(), Some("last"));
        assert_eq!(value(secrets.value("B")).as_deref(), Some("x"));
        assert_eq!(value(secrets.value("EMPTY")).as_deref(), Some(""));
        assert_eq!(value(secrets.value("C")), None);
        assert_eq!(value(secrets.value("# a comment")), None);
        std::fs::write(&file, "A=1=2 \"3\"\n").unwrap();
        assert_eq!(value(secrets.value("A")).as_deref(), Some("1=2 \"3\""), "read again");
        for wrong in ["A=1\nexport B=2\n", "A=1\nB\n", "A=1\n=2\n"] {
            std::fs::write(&file, wrong).unwrap();
            let error = secrets.value("A").unwrap_err().to_string();
            assert!(
                error.ends_with("secrets.txt cannot be read: line 2 is not NAME=value"),
                "{error}"
            );
        }
        std::fs::write(&file, b"A=\xff\n").unwrap();
        let error = secrets.value("A").unwrap_err().to_string();
        assert!(
            error.ends_with("secrets.txt cannot be read: it is not UTF-8"),
            "{error}"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(
            secrets.value("A").is_err(),
            "a file that is not there is not an empty one"
        );
    }

    #[test]
    fn a_line_that_others_read_differently_is_refused_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.txt");
        let secrets = FileSecrets::new(&file);
        for (line, slip) in [
            ("A=\"pass-word\"", "has quotation marks around the value"),
            ("A='pass-word'", "has quotation marks around the value"),
            ("A=\"pass-word\" # mine", "has quotation marks around the value"),
            ("A=\"\"", "has quotation marks around the value"),
            ("A = pass-word", "has spaces around `=`"),
            ("A= pass-word", "has spaces around `=`"),
            ("A =pass-word", "has spaces around `=`"),
            ("A\t=\tpass-word", "has spaces around `=`"),
            ("A=pass-word # mine", "has a comment (` #`) after the value"),
            ("A=pass-word ", "has spaces after the value"),
        ] {
            std::fs::write(&file, format!("B=1\n{line}\n")).unwrap();
            let error = secrets.value("A").unwrap_err().to_string();
            let message = format!("line 2 {slip}: write A=value, ");
            assert!(
                error.contains(&message) && !error.contains("pass-word"),
                "{line}: {error}"
            );
            // Another program's line is its own affair.
            assert_eq!(value(secrets.value("B")).as_deref(), Some("1"), "{line}");
        }
        for plain in ["it's", "\"", "\"a", "a\"b\"", "#1", "a#1", "=", "a b"] {
            std::fs::write(&file, format!("A={plain}\n")).unwrap();
            assert_eq!(value(secrets.value("A")).as_deref(), Some(plain));
        }
    }

    #[test]
    fn a_directory_holds_a_file_for_each_secret() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("directory");
        std::fs::create_dir_all(folder.join("..data")).unwrap();
        std::fs::write(folder.join("A"), "\u{feff}two\nlines\r\n").unwrap();
        std::fs::write(folder.join("..data/A"), "behind").unwrap();
        let secrets = DirectorySecrets::new(&folder);
        assert_eq!(value(secrets.value("A")).as_deref(), Some("two\nlines"));
        for none in [
            "B",
            "",
            ".",
            "..",
            "..data",
            "..data/A",
            "../directory/A",
            "/etc/hostname",
            "A\0",
            "x\\A",
        ] {
            assert_eq!(value(secrets.value(none)), None, "{none}");
        }
        assert!(secrets.value("..data/A").unwrap().is_none());
        std::fs::create_dir_all(folder.join("D")).unwrap();
        assert!(secrets.value("D").is_err(), "a directory is no secret");
        assert!(DirectorySecrets::new(folder.join("nowhere")).value("A").is_err());
    }

    #[tokio::test]
    async fn a_file_is_read_away_from_the_runtime() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("A"), "in-the-directory\n").unwrap();
        std::fs::write(folder.path().join("file"), "A=in-the-file\n").unwrap();
        let directory = DirectorySecrets::new(folder.path());
        assert_eq!(value(directory.get("A").await).as_deref(), Some("in-the-directory"));
        let file = FileSecrets::new(folder.path().join("file"));
        assert_eq!(value(file.get("A").await).as_deref(), Some("in-the-file"));
    }

    #[cfg(unix)]
    mod on_unix {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        use std::process::Command;
        use std::time::Duration;

        use super::*;

        fn pipe(path: &std::path::Path) {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }

        #[test]
        fn a_directory_takes_regular_files_and_links_to_them() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            // As Kubernetes mounts them: A -> ..data/A, ..data -> ..2026/.
            std::fs::create_dir(path("..2026")).unwrap();
            std::fs::write(path("..2026/A"), "linked").unwrap();
            symlink("..2026", path("..data")).unwrap();
            symlink("..data/A", path("A")).unwrap();
            pipe(&path("PIPE"));
            symlink("PIPE", path("LINK")).unwrap();
            symlink("/dev/zero", path("DEVICE")).unwrap();
            let secrets = DirectorySecrets::new(folder.path());
            assert_eq!(value(secrets.value("A")).as_deref(), Some("linked"));
            for name in ["PIPE", "LINK", "DEVICE"] {
                assert_eq!(
                    secrets.value(name).unwrap_err().why,
                    "it is not a regular file",
                    "{name}"
                );
            }
        }

        #[test]
        fn a_pipe_is_read_once_and_kept() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("pipe");
            pipe(&path);
            let writer = {
                let path = path.clone();
                std::thread::spawn(move || std::fs::write(path, "A=one\nB=two\n").unwrap())
            };
            let secrets = FileSecrets::new(&path);
            assert_eq!(value(secrets.value("A")).as_deref(), Some("one"));
            assert_eq!(value(secrets.clone().value("B")).as_deref(), Some("two"));
            assert_eq!(value(secrets.value("C")), None);
            writer.join().unwrap();
            assert!(!format!("{secrets:?}").contains("one"));
        }

        #[test]
        fn an_idle_pipe_blocks_only_its_own_callers() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("pipe");
            pipe(&path);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let secrets = FileSecrets::new(&path);
            runtime.block_on(async {
                for _ in 0..20 {
                    let late = tokio::time::timeout(Duration::from_millis(10), secrets.get("A")).await;
                    assert!(late.is_err());
                }
                // Threads are left for others, of the 512 that the runtime has.
                assert!(secrets.reads.left() == 0);
                assert_eq!(tokio::task::spawn_blocking(|| 1).await.unwrap(), 1);
            });
            runtime.shutdown_background();
        }

        #[test]
        fn a_file_that_others_can_read_is_noticed() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            std::fs::write(&path, "A=1").unwrap();
            for (mode, open) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
                let secrets = FileSecrets::new(&path);
                assert_eq!(value(secrets.value("A")).as_deref(), Some("1"));
                assert_eq!(secrets.state.open_to_others.load(Ordering::Relaxed), open, "{mode:o}");
            }
        }
    }
}
