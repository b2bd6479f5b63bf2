//! `rollcall serve`

use clap::Args;

use super::domain::block_on;
use super::error::Result;
use super::{Common, logging};
use crate::clock::Clock;
use crate::server::{self, Termination};
use crate::settings::{Overrides, Settings};

#[derive(Args)]
pub(super) struct Serve {
    /// Serve at this address and port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn run(self, common: Common) -> Result<()> {
        let settings = Settings::load(Overrides {
            listen: self.listen,
            ..common.overrides()
        })?;
        logging::start(&settings.log);
        block_on(serve(settings))
    }
}

async fn serve(settings: Settings) -> Result<()> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), database = %settings.database_url, "starting");
    let termination = Termination::listen()?;
    let (sends_mail, has_public_url) =
        (settings.mail.host.is_some(), settings.public_url.is_some());
    let server = server::start(settings, Clock::system()).await?;
    tracing::info!("serving at http://{}", server.address());
    if server.url() != format!("http://{}", server.address()) {
        tracing::info!("people reach it at {}", server.url());
    }
    if sends_mail && !has_public_url {
        tracing::warn!(
            "mail is sent, but public_url is not set: its links lead to {}",
            server.url()
        );
    }
    let earlier = server.app().applications.count_earlier().await?;
    if earlier > 0 {
        tracing::warn!(
            people = earlier,
            "people are in the application \"Earlier\", and each application from before can get sessions of them; assign them with `rollcall application assign --subject SUBJECT --to APPLICATION`, or all with --all"
        );
    }
    if let Some(url) = server.setup_url().await? {
        tracing::warn!(
            "there is no administrator yet; make the first one at {url} (works once, until the next start)"
        );
    }
    Ok(server.run_until(termination).await?)
}
