//! Programs in Java that the tests use: finds a JDK and Maven, and builds a program's small Maven project.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::SystemTime;

/// Camunda's connector runtime needs it.
const OLDEST: u32 = 21;

/// Where Linux distributions install JDKs.
const INSTALLED: &str = "/usr/lib/jvm";

/// A JDK that is new enough.
#[derive(Debug, Clone)]
pub struct Java {
    home: PathBuf,
}

/// Why a program in Java does not run. Displays as one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// There is no JDK that is new enough.
    Java,
    /// There is no Maven.
    Maven,
    /// Both are there, but something does not work: not a reason to skip a test.
    Broken(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Java => write!(
                f,
                "There is no JDK {OLDEST} or newer (JAVA_HOME, or a directory in {INSTALLED})."
            ),
            Self::Maven => write!(f, "There is no Maven (mvn)."),
            Self::Broken(what) => write!(f, "{what}."),
        }
    }
}

impl std::error::Error for Missing {}

impl Missing {
    /// Whether a test or a comparison may be left out because of it: not where the environment variable `CI` is set.
    #[must_use]
    pub fn may_be_skipped(&self) -> bool {
        !matches!(self, Self::Broken(_)) && std::env::var_os("CI").is_none()
    }
}

/// What there is; or nothing, after a line that says what was skipped and why.
///
/// # Panics
/// Where it may not be skipped ([`Missing::may_be_skipped`]).
pub fn or_skip<T>(found: Result<T, Missing>, what: &str) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(missing) => {
            assert!(missing.may_be_skipped(), "{what}: {missing}");
            eprintln!("{what}: skipped: {missing}");
            None
        }
    }
}

impl Java {
    /// The JDK of `JAVA_HOME`; if that is too old or not set, the newest that the system has installed.
    ///
    /// # Errors
    /// [`Missing::Java`].
    pub fn find() -> Result<Self, Missing> {
        let given = std::env::var_os("JAVA_HOME").map(PathBuf::from);
        if let Some(home) = given.filter(|home| version(home) >= OLDEST) {
            return Ok(Self { home });
        }
        let installed = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten();
        let newest = installed
            .map(|entry| (version(&entry.path()), entry.path()))
            .max()
            .filter(|(version, _)| *version >= OLDEST);
        newest.map(|(_, home)| Self { home }).ok_or(Missing::Java)
    }

    /// The directory of the JDK.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The program `java`, without options.
    #[must_use]
    pub fn plain(&self) -> Command {
        Command::new(self.home.join("bin/java"))
    }

    /// The program `java`, with the options that start a small program quickly.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = self.plain();
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command
    }

    /// Builds a Maven project of this repository, unless it is built and no source is newer. A directory `NAME` is built in `target/NAME`:
    /// `classes` and `lib`, which holds the jars. So says its `pom.xml`.
    ///
    /// # Errors
    /// Without Maven, and where the project does not build.
    pub fn maven(&self, project: &Path) -> Result<Built, Missing> {
        // One build at a time in this process; the lock on the file is for all others.
        static BUILDING: Mutex<()> = Mutex::new(());
        let _one = BUILDING.lock();
        let name = project.file_name().unwrap_or_default();
        let built = Built {
            directory: repository().join("target").join(name),
        };
        let broken = |error: std::io::Error| Missing::Broken(format!("cannot build {}: {error}", project.display()));
        std::fs::create_dir_all(&built.directory).map_err(broken)?;
        let lock = std::fs::File::create(built.directory.join("lock")).map_err(broken)?;
        lock.lock().map_err(broken)?;
        let stamp = built.directory.join("built");
        if !is_newer(&stamp, project) {
            self.build(project)?;
            std::fs::write(&stamp, "").map_err(broken)?;
        }
        Ok(built)
    }

    fn build(&self, project: &Path) -> Result<(), Missing> {
        let ended = Command::new("mvn")
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(project.join("pom.xml"))
            .args(["compile", "dependency:copy-dependencies"])
            .env("JAVA_HOME", &self.home)
            .stdin(Stdio::null())
            .output();
        let ended = match ended {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Missing::Maven),
            Err(error) => return Err(Missing::Broken(format!("Maven does not start: {error}"))),
            Ok(ended) => ended,
        };
        if ended.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ended.stdout);
        let errors: Vec<&str> = said.lines().filter(|line| line.contains("ERROR")).take(5).collect();
        Err(Missing::Broken(format!(
            "Maven cannot build {}: {}",
            project.display(),
            errors.join(" ")
        )))
    }
}

/// A project that is built.
#[derive(Debug, Clone)]
pub struct Built {
    /// `classes` and `lib` are in it.
    pub directory: PathBuf,
}

impl Built {
    /// The class path of the program: its own classes, and every jar.
    #[must_use]
    pub fn class_path(&self) -> String {
        let separator = if cfg!(windows) { ';' } else { ':' };
        let directory = self.directory.display();
        format!("{directory}/classes{separator}{directory}/lib/*")
    }
}

/// The directory `host-test/NAME` of this repository.
#[must_use]
pub fn project(name: &str) -> PathBuf {
    repository().join("host-test").join(name)
}

/// The directory of this repository.
#[must_use]
pub fn repository() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// 0 where there is no JDK, which has a compiler, in this directory.
fn version(home: &Path) -> u32 {
    if !home.join("bin/javac").is_file() {
        return 0;
    }
    let release = std::fs::read_to_string(home.join("release")).unwrap_or_default();
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""));
    let major = version.and_then(|version| version.split(|c: char| !c.is_ascii_digit()).next());
    major.and_then(|major| major.parse().ok()).unwrap_or(0)
}

/// Whether the file is there, and newer than the project's `pom.xml` and all its sources.
fn is_newer(stamp: &Path, project: &Path) -> bool {
    let Some(built) = changed(stamp) else {
        return false;
    };
    let mut left = vec![project.join("pom.xml"), project.join("src")];
    while let Some(path) = left.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            left.extend(entries.flatten().map(|entry| entry.path()));
        } else if changed(&path).is_none_or(|changed| changed >= built) {
            return false;
        }
    }
    true
}

fn changed(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|data| data.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_newer_than_the_build_is_built_again() {
        let project = std::env::temp_dir().join(format!("java-{}", std::process::id()));
        let source = project.join("src/main/java/A.java");
        std::fs::create_dir_all(source.parent().unwrap()).unwrap();
        let stamp = project.join("built");
        let write = |file: &Path, seconds| {
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            let file = std::fs::File::create(file).unwrap();
            file.set_modified(time).unwrap();
        };
        write(&project.join("pom.xml"), 100);
        write(&source, 100);
        assert!(!is_newer(&stamp, &project), "never built");
        write(&stamp, 200);
        assert!(is_newer(&stamp, &project));
        write(&source, 300);
        assert!(!is_newer(&stamp, &project));
        std::fs::remove_dir_all(project).unwrap();
    }

    #[test]
    fn what_does_not_work_is_not_skipped() {
        let broken = std::panic::catch_unwind(|| or_skip::<()>(Err(Missing::Broken("no".to_owned())), "a test"));
        assert!(broken.is_err());
    }
}
