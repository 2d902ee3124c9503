//! Files that are made from data: `cargo xtask generate` writes them, `cargo xtask check` fails if one has drifted.

mod promoted_object;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A generated file: its path from the workspace's root, and what makes its text.
type File = (&'static str, fn() -> String);

/// The generated files. Add a line to add one.
const FILES: &[File] = &[("docs/promoted-object.md", promoted_object::page)];

fn main() -> anyhow::Result<()> {
    let root = root();
    match std::env::args().nth(1).as_deref() {
        Some("generate") => generate(&root),
        Some("check") => check(&root),
        _ => bail!("say `cargo xtask generate` or `cargo xtask check`"),
    }
}

fn generate(root: &Path) -> anyhow::Result<()> {
    for (path, text) in FILES {
        let file = root.join(path);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder of {path}"))?;
        }
        std::fs::write(&file, text()).with_context(|| format!("cannot write {path}"))?;
        eprintln!("wrote {path}");
    }
    Ok(())
}

fn check(root: &Path) -> anyhow::Result<()> {
    let mut drifted = Vec::new();
    for (path, text) in FILES {
        // A checkout may have turned line ends.
        let found = std::fs::read_to_string(root.join(path)).unwrap_or_default().replace("\r\n", "\n");
        if found != text() {
            drifted.push(*path);
        }
    }
    if drifted.is_empty() {
        return Ok(());
    }
    bail!(
        "{} differ from the data they are made from; run `cargo xtask generate` and commit",
        drifted.join(", ")
    )
}

/// The workspace's root, which is the folder above this crate.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
