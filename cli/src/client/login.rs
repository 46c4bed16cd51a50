//! Who the command line is to the services that it asks: a token from a file or from the environment, never from an
//! argument, which every process on the machine could read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Where the token is when no file is named.
const TOKEN: &str = "ENTENTE_TOKEN";
/// A service takes no more than this of a call's metadata.
const MAX_BYTES: u64 = 8 << 10;

/// Puts a token, if there is one, into every call.
#[derive(Clone, Default)]
pub(crate) struct Login(Option<MetadataValue<Ascii>>);

impl Login {
    /// The token in a file, or else in the environment, or none.
    pub(super) fn read(file: Option<&Path>) -> anyhow::Result<Login> {
        let text = match file {
            Some(file) => Some(read(file)?),
            None => std::env::var(TOKEN).ok(),
        };
        let token = text
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        // What is wrong with it is not told by showing it.
        Ok(Login(token.map(bearer).transpose()?))
    }
}

impl Login {
    /// The header of a call that is made without this interceptor.
    pub(super) fn header(self) -> Option<MetadataValue<Ascii>> {
        let Login(bearer) = self;
        bearer
    }
}

impl Interceptor for Login {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path).map(|file| file.take(MAX_BYTES + 1));
    let read = file.and_then(|mut file| file.read_to_string(&mut text));
    read.with_context(|| format!("the token in {} cannot be read", path.display()))?;
    ensure!(
        text.len() as u64 <= MAX_BYTES,
        "{} is too large for a token",
        path.display()
    );
    ensure!(!text.trim().is_empty(), "{} is empty", path.display());
    Ok(text)
}

fn bearer(token: &str) -> anyhow::Result<MetadataValue<Ascii>> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    ensure!(
        is_plain,
        "the token has spaces or characters that no token has"
    );
    let mut bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_from_its_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "ent_secret\n").unwrap();
        let Login(bearer) = Login::read(Some(&path)).unwrap();
        let bearer = bearer.unwrap();
        assert_eq!(bearer.to_str().unwrap(), "Bearer ent_secret");
        assert!(!format!("{bearer:?}").contains("secret"));
        for (junk, why) in [("", "empty"), ("two words", "spaces")] {
            std::fs::write(&path, junk).unwrap();
            let refused = Login::read(Some(&path)).err().unwrap();
            assert!(refused.to_string().contains(why));
            assert!(junk.is_empty() || !refused.to_string().contains(junk));
        }
    }
}
