//! `adjoin key generate|rotate`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::Outcome;
use crate::{
    config::{self, Options},
    store::Db,
    time::Clock,
    vault::{self, KeyFile, Step, Vault},
};

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Write a new key file; refuses to overwrite one
    Generate {
        /// Where to write it; keep a copy outside the database's backups
        file: PathBuf,
    },
    /// Add a fresh master key and seal every secret anew, beside a running service; may be run again after an
    /// interruption
    Rotate(Box<Rotate>),
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// Database: `sqlite://FILE` or `postgres://...` [default: sqlite://adjoin.db]
    #[arg(long, env = "ADJOIN_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// File with the master keys, made by `adjoin key generate`
    #[arg(long, env = "ADJOIN_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Do not add a master key: finish a rotation that was interrupted
    #[arg(long)]
    resume: bool,
}

impl Key {
    pub async fn run(self, config: Option<&Path>) -> anyhow::Result<Outcome> {
        match self {
            Self::Generate { file } => {
                KeyFile::generate(&file)?;
                eprintln!(
                    "A master key is in {}. Without it the stored secrets cannot be read.",
                    file.display()
                );
                println!("{}", serde_json::json!({ "master_key_file": file }));
            }
            Self::Rotate(command) => command.run(config).await?,
        }
        Ok(Outcome::Good)
    }
}

impl Rotate {
    async fn run(self, config: Option<&Path>) -> anyhow::Result<()> {
        let options = Options {
            database_url: self.database_url,
            master_key_file: self.master_key_file,
            ..Options::default()
        };
        let config = options.resolve(config)?;
        let path = config.master_key_file.as_deref().ok_or(config::Error::NoMasterKey)?;
        let db = Db::open_existing(&config.database_url).await.context("cannot rotate")?;
        // Before the file changes.
        Vault::new(db.clone(), KeyFile::read(path)?).check().await.context("cannot rotate")?;
        let mut file = KeyFile::read(path)?;
        if !self.resume {
            file.add_key()?;
        }
        let vault = Vault::new(db, file);
        let progress = indicatif::ProgressBar::new_spinner();
        let done = vault::rotate(&vault, Clock::System.now(), |step| {
            progress.set_message(match step {
                Step::Wrapped(count) => format!("{count} data keys wrapped"),
                Step::Sealed(count) => format!("{count} secrets sealed anew"),
            });
            progress.tick();
        })
        .await?;
        progress.finish_and_clear();
        println!("{}", serde_json::to_string(&done)?);
        Ok(())
    }
}
