//! Reads of files, away from the runtime's thread: a mount that hangs holds up the calls that need it and no others.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::provider::SecretError;

/// How many reads of one provider are under way at a time. A read that hangs keeps its thread, and the runtime has a limited number of them.
const AT_ONCE: usize = 8;

/// The reads of one provider.
#[derive(Clone, Debug)]
pub(super) struct Reads(Arc<Semaphore>);

impl Default for Reads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Reads {
    /// Reads on a thread of its own. If the future is dropped, the read goes on and nobody gets its result.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        place: String,
        read: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let ended = |_| SecretError {
            place,
            why: "the read was ended".to_owned(),
            passes: true,
        };
        // It is never closed.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        let reading = tokio::task::spawn_blocking(move || {
            let found = read();
            drop(permit);
            found
        });
        reading.await.map_err(ended)?
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.0.available_permits()
    }
}

/// A secret of more would not be one.
const LARGEST: u64 = 1 << 20;

/// A file's text, whatever kind of file it is.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    text(File::open(path)?)
}

/// A regular file's text. Anything else is refused, and opening it does not wait for anybody.
pub(super) fn read_regular(path: &Path) -> io::Result<Zeroizing<String>> {
    let regular = |about: &Metadata| match about.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file")),
    };
    // To open a device may have effects of its own.
    regular(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // A pipe may have taken the file's place since.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    regular(&file.metadata()?)?;
    text(file)
}

/// Whether users who are neither the file's owner nor in its group can read or write it.
pub(super) fn is_open_to_others(about: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::mode(about) & 0o006 != 0;
    #[cfg(not(unix))]
    {
        let _no_such_permissions = about;
        false
    }
}

fn text(file: File) -> io::Result<Zeroizing<String>> {
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
        // Windows editors write a byte order mark, which would be the first character of a secret or of a name.
        Ok(text) => Ok(Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8")),
    }
}
