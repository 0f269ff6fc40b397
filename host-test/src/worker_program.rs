//! `flow-starter worker` as a process of its own, for runs that kill it, stop it, and look at what it holds.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};
use servicenow_stand_in::StandIn;

/// What every worker of a run shares: the program, and the cluster and the instance that it finds.
#[derive(Debug, Clone)]
pub struct Setup {
    program: PathBuf,
    folder: PathBuf,
    cluster: String,
    connect_to: String,
    allow: String,
    /// Flags of `flow-starter worker`.
    pub flags: Vec<String>,
}

impl Setup {
    /// Writes what the workers need into the folder: the stand-in's authority, and the component compiled once.
    ///
    /// # Errors
    /// Where the program is missing, or the folder cannot be written.
    pub fn new(program: &Path, folder: &Path, cluster: &str, stand_in: &StandIn) -> Result<Self> {
        // The workers run in the folder. A bare name is looked up in PATH.
        let program = match program.components().count() {
            1 => program.to_owned(),
            _ => std::path::absolute(program)?,
        };
        std::fs::write(folder.join("ca.pem"), stand_in.ca_pem())?;
        let compiled = Command::new(&program)
            .env_clear()
            .arg("compile")
            .arg("-o")
            .arg(folder.join("component.cwasm"))
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        let hosts = stand_in.hosts();
        let connect_to: Vec<String> = hosts
            .iter()
            .map(|host| format!("{host}:443:{}", stand_in.https_addr()))
            .collect();
        Ok(Self {
            program,
            folder: folder.to_owned(),
            cluster: cluster.to_owned(),
            connect_to: connect_to.join(","),
            allow: hosts.join(","),
            flags: Vec::new(),
        })
    }

    /// Starts a worker. Its log goes to `NAME.log` in the folder; nothing of the caller's environment reaches it.
    ///
    /// # Errors
    /// Where the process cannot be started.
    pub fn start(&self, name: &str, secrets: &[(&str, String)]) -> Result<WorkerProgram> {
        let mut command = Command::new(&self.program);
        command
            .arg("worker")
            .args(&self.flags)
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .env("FLOW_STARTER_TLS_CA_FILE", self.folder.join("ca.pem"))
            .env(
                "FLOW_STARTER_COMPONENT_PRECOMPILED",
                self.folder.join("component.cwasm"),
            )
            .env("FLOW_STARTER_NETWORK_CONNECT_TO", &self.connect_to)
            .env("FLOW_STARTER_POLICY_ALLOW", &self.allow)
            .env("FLOW_STARTER_WORKER_MANAGEMENT_ADDRESS", "none")
            .env("FLOW_STARTER_LOG_FORMAT", "json")
            .env("CAMUNDA_REST_ADDRESS", &self.cluster)
            .env("CAMUNDA_WORKER_NAME", name)
            .envs(secrets.iter().map(|(name, value)| (format!("SECRET_{name}"), value)));
        WorkerProgram::spawn(command, name, &self.folder)
    }
}

/// A signal that a worker gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stands still from here on.
    Stop,
    /// Goes on.
    Continue,
    /// Is asked to end.
    Terminate,
}

/// A running worker. It is killed when it is dropped.
#[derive(Debug)]
pub struct WorkerProgram {
    child: Child,
    /// Its name in the cluster and in the attempts that it marks.
    pub name: String,
    /// Its log.
    pub log: PathBuf,
}

impl WorkerProgram {
    /// Starts a worker of any kind. All that it writes goes to `NAME.log` in the folder.
    ///
    /// # Errors
    /// Where the process cannot be started.
    pub fn spawn(mut command: Command, name: &str, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().display()))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            log,
        })
    }

    /// The id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its log holds this text.
    #[must_use]
    pub fn has_logged(&self, text: &str) -> bool {
        std::fs::read(&self.log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(text))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// Where there is no `kill`, or the process has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let flag = match signal {
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
            Signal::Terminate => "-TERM",
        };
        let sent = Command::new("kill")
            .args([flag, &self.id().to_string()])
            .stderr(Stdio::null())
            .status()?;
        ensure!(
            sent.success(),
            "worker {} has ended: see {}",
            self.name,
            self.log.display()
        );
        Ok(())
    }

    /// Ends it at once, as a machine that loses its power would.
    ///
    /// # Errors
    /// Where the process cannot be ended.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for WorkerProgram {
    fn drop(&mut self) {
        // It has ended already, perhaps.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Resident memory, in bytes.
    pub resident: usize,
    /// The most that it ever was, in bytes.
    pub peak: usize,
    /// Open file descriptors.
    pub files: usize,
    /// The ones of them that are sockets.
    pub sockets: usize,
    /// Threads.
    pub threads: usize,
}

impl WorkerProgram {
    /// What the process holds now, where the system tells (Linux).
    #[must_use]
    pub fn held(&self) -> Option<Held> {
        let of_process = Path::new("/proc").join(self.id().to_string());
        let status = std::fs::read_to_string(of_process.join("status")).ok()?;
        let number = |name: &str| -> Option<usize> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let files: Vec<PathBuf> = std::fs::read_dir(of_process.join("fd"))
            .ok()?
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .collect();
        let is_socket = |file: &&PathBuf| file.to_string_lossy().starts_with("socket:");
        Some(Held {
            resident: number("VmRSS:")? * 1024,
            peak: number("VmHWM:")? * 1024,
            files: files.len(),
            sockets: files.iter().filter(is_socket).count(),
            threads: number("Threads:")?,
        })
    }
}
