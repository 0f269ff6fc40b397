//! Text between the markers of a document.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- bench -->";
const END: &str = "<!-- end -->";

/// Replaces what stands between the markers, if the document has them. Returns whether it does.
pub(crate) fn write(file: &Path, text: &str) -> Result<bool> {
    let document = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let Some(new) = replaced(&document, text) else {
        return Ok(false);
    };
    fs::write(file, new).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}

fn replaced(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_markers_changes() {
        let document = "a\n<!-- bench -->\nold\n<!-- end -->\nb\n<!-- end -->\n";
        let new = replaced(document, "new\n").unwrap();
        assert_eq!(new, "a\n<!-- bench -->\nnew\n<!-- end -->\nb\n<!-- end -->\n");
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert_eq!(replaced("none", "new"), None);
    }
}
