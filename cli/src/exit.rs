//! Exit codes: one table, which the help shows, too.

use std::process::ExitCode;

use flow_starter_host::{ErrorKind, FlowState, TriggerError};

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    Internal = 1,
    BadInput = 2,
    NotStarted = 3,
    Unknown = 4,
    AnswerLost = 5,
}

/// For the end of a command's help.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  started; for other commands: success
  1  flow-starter itself failed
  2  bad input: an argument, a setting, the input or a secret; no flow was started
  3  not started
  4  unknown: look for the flow's execution in ServiceNow before you retry
  5  started, but the response is lost";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&TriggerError> for Exit {
    fn from(error: &TriggerError) -> Self {
        match (error.flow, error.kind) {
            (FlowState::NotStarted, ErrorKind::InvalidInput) => Self::BadInput,
            (FlowState::NotStarted, _) => Self::NotStarted,
            (FlowState::Unknown, _) => Self::Unknown,
            (FlowState::Started, _) => Self::AnswerLost,
        }
    }
}

/// An error that the user can fix: arguments, settings, files. Everything else is our own failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

/// An error that ends with [`Exit::BadInput`].
pub(crate) fn bad(message: impl Into<String>) -> anyhow::Error {
    BadInput(message.into()).into()
}

/// An unreadable file. If no such file exists, its name is not quoted: it may be a misplaced password.
pub(crate) fn unreadable(what: &str, file: &std::path::Path, error: &std::io::Error) -> anyhow::Error {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidFilename => "there is no such file".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    match file.symlink_metadata() {
        Ok(_) => bad(format!("cannot read {what} `{}`: {why}", file.display())),
        Err(_) => bad(format!("cannot read {what}: {why}")),
    }
}

impl From<&anyhow::Error> for Exit {
    fn from(error: &anyhow::Error) -> Self {
        if error.downcast_ref::<BadInput>().is_some() {
            Self::BadInput
        } else {
            Self::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flows_state_decides_before_the_kind() {
        let error = |kind, flow| TriggerError {
            kind,
            flow,
            message: String::new(),
            retryable: false,
            retry_after_ms: None,
            response: None,
        };
        for (kind, flow, exit) in [
            (ErrorKind::InvalidInput, FlowState::NotStarted, Exit::BadInput),
            (ErrorKind::Internal, FlowState::NotStarted, Exit::NotStarted),
            (ErrorKind::Denied, FlowState::NotStarted, Exit::NotStarted),
            (ErrorKind::Internal, FlowState::Unknown, Exit::Unknown),
            (ErrorKind::Internal, FlowState::Started, Exit::AnswerLost),
        ] {
            assert_eq!(Exit::from(&error(kind, flow)), exit);
        }
    }

    #[test]
    fn user_errors_differ_from_internal_errors() {
        assert_eq!(Exit::from(&bad("x")), Exit::BadInput);
        assert_eq!(Exit::from(&bad("x").context("y")), Exit::BadInput);
        assert_eq!(Exit::from(&anyhow::anyhow!("x")), Exit::Internal);
    }
}
