//! Where secrets' values come from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use zeroize::{Zeroize, Zeroizing};

use super::secret::Secret;

/// Gives secrets' values by name. Dropping the future ends the look-up.
pub trait SecretProvider: fmt::Debug + Send + Sync {
    /// The value of that name; none where the provider has no such secret.
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a>;

    /// Where it would look for that name, for a person: `the environment variable SECRET_SN_PWD`.
    fn place(&self, name: &str) -> String;
}

/// A look-up that is under way.
pub type Providing<'a> = Pin<Box<dyn Future<Output = Result<Option<Secret>, SecretError>> + Send + 'a>>;

/// A provider that cannot be asked: not the same as a secret that it does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} cannot be read: {why}")]
pub struct SecretError {
    /// Where it was looked for.
    pub place: String,
    /// In words; nothing of a value.
    pub why: String,
    /// It may well be readable again soon, without anybody's doing: a vault that is busy, and not a file that is missing.
    pub passes: bool,
}

impl SecretError {
    fn new(place: String, error: &io::Error) -> Self {
        // `InvalidData`'s own words are of the encoding alone.
        Self {
            place,
            why: error.to_string(),
            passes: false,
        }
    }
}

/// Environment variables with a prefix: `secrets.SN_PWD` is `SECRET_SN_PWD`. Without the prefix a process could have any variable put into
/// its input.
#[derive(Clone, Debug)]
pub struct EnvironmentSecrets {
    prefix: String,
}

impl EnvironmentSecrets {
    /// The prefix of Camunda's own connector runtime.
    pub const PREFIX: &str = "SECRET_";

    /// With a prefix of one's own.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }
}

impl Default for EnvironmentSecrets {
    fn default() -> Self {
        Self::new(Self::PREFIX)
    }
}

impl SecretProvider for EnvironmentSecrets {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let value = self.value(name);
        Box::pin(std::future::ready(value))
    }

    fn place(&self, name: &str) -> String {
        format!("the environment variable {}{name}", self.prefix)
    }
}

impl EnvironmentSecrets {
    fn value(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        // What no variable can be called would panic in some systems' look-up.
        if name.is_empty() || name.contains(['=', '\0']) {
            return Ok(None);
        }
        match std::env::var(format!("{}{name}", self.prefix)) {
            Ok(value) => Ok(Some(Zeroizing::new(value).into())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(value)) => {
                value.into_encoded_bytes().zeroize();
                Err(SecretError {
                    place: self.place(name),
                    why: "it is not UTF-8".to_owned(),
                    passes: false,
                })
            }
        }
    }
}

/// A file of `NAME=value` lines, as Docker's `--env-file` and Camunda's `connector-secrets.txt` have them: everything after the first `=` is
/// the value, quotes included, the last of two lines with one name counts; blank lines and lines that begin with `#` are left out, and any other line is an error. It is read again for each look-up, so that a new
/// value is used from the next call on.
#[derive(Clone, Debug)]
pub struct FileSecrets {
    path: PathBuf,
}

impl FileSecrets {
    /// The file need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn value(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        let text = read(&self.path).map_err(|error| SecretError::new(self.path.display().to_string(), &error))?;
        let mut found = None;
        for (at, line) in text.lines().enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let begun = line.trim_start();
            if begun.is_empty() || begun.starts_with('#') {
                continue;
            }
            match line.split_once('=').map(|(key, value)| (key.trim(), value)) {
                Some((key, value)) if key == name => found = Some(Secret::new(value)),
                Some((key, _)) if !key.is_empty() && !key.contains(char::is_whitespace) => {}
                _ => {
                    return Err(SecretError {
                        place: self.path.display().to_string(),
                        why: format!("line {} is not NAME=value", at + 1),
                        passes: false,
                    });
                }
            }
        }
        Ok(found)
    }
}

impl SecretProvider for FileSecrets {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        Box::pin(std::future::ready(self.value(name)))
    }

    fn place(&self, name: &str) -> String {
        format!("a line {name}=… in {}", self.path.display())
    }
}

/// A directory with a file for each secret, as Kubernetes and Docker mount them. One line break at a file's end is not part of the value.
/// Each file is read again for each look-up, so that a secret that was rotated is used from the next call on.
#[derive(Clone, Debug)]
pub struct DirectorySecrets {
    path: PathBuf,
}

impl DirectorySecrets {
    /// The directory need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn value(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        if !is_file_name(name) {
            return Ok(None);
        }
        let text = match read(&self.path.join(name)) {
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
        Box::pin(std::future::ready(self.value(name)))
    }

    fn place(&self, name: &str) -> String {
        format!("the file {}", self.path.join(name).display())
    }
}

/// A name that leads out of the directory, or to what Kubernetes keeps there beside the secrets (`..data`), is none of them.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':'])
}

/// A secret of more would not be one.
const LARGEST: u64 = 1 << 20;

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    use std::io::Read;

    let file = std::fs::File::open(path)?;
    let about = file.metadata()?;
    // A pipe tells no size. Room for all of it at once, and for the read that finds the end: a text that grows leaves copies behind.
    let room = if about.is_file() {
        about.len().min(LARGEST)
    } else {
        LARGEST
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(room as usize + 64));
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 1 MiB"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8")),
    }
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
        std::fs::write(&file, "# a comment\n\nA=1=2 \"3\" \r\n B = x\nA=last\nEMPTY=\n").unwrap();
        let secrets = FileSecrets::new(&file);
        assert_eq!(value(secrets.value("A")).as_deref(), Some("last"));
        assert_eq!(value(secrets.value("B")).as_deref(), Some(" x"));
        assert_eq!(value(secrets.value("EMPTY")).as_deref(), Some(""));
        assert_eq!(value(secrets.value("C")), None);
        assert_eq!(value(secrets.value("# a comment")), None);
        std::fs::write(&file, "A=1=2 \"3\" \n").unwrap();
        assert_eq!(value(secrets.value("A")).as_deref(), Some("1=2 \"3\" "), "read again");
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
    fn a_directory_holds_a_file_for_each_secret() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("directory");
        std::fs::create_dir_all(folder.join("..data")).unwrap();
        std::fs::write(folder.join("A"), "two\nlines\r\n").unwrap();
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

    #[test]
    fn the_environment_is_read_below_its_prefix_alone() {
        // Cargo sets this one for every test.
        let package = std::env::var("CARGO_PKG_NAME").unwrap();
        let secrets = EnvironmentSecrets::new("CARGO_");
        assert_eq!(value(secrets.value("PKG_NAME")), Some(package));
        assert_eq!(value(secrets.value("NO_SUCH")), None);
        assert_eq!(value(EnvironmentSecrets::default().value("PKG_NAME")), None);
        assert_eq!(value(secrets.value("PKG=NAME")), None);
        assert_eq!(secrets.place("X"), "the environment variable CARGO_X");
    }
}
