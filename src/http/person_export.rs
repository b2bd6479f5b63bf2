//! The export of a person: a JSON file that is sent while it is read.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::export_reader::ExportReader;
use crate::account::Export;
use crate::error::{Chain, Error, Result};

/// Sends an export as the file `name`. The first part is read before the response begins; an error
/// after that breaks it off, so that no client takes what it received for all there is; it is one as
/// well that `reader` may not read on.
///
/// # Errors
/// That of the first part: [`Error::NotFound`] when there is no such person.
pub async fn send_export(
    reader: ExportReader,
    mut export: Export,
    name: &str,
) -> Result<HttpResponse> {
    let first = export.next_part().await?.unwrap_or_default();
    let rest = stream::try_unfold((export, reader), |(mut export, reader)| async {
        reader.verify().await?;
        let part = export.next_part().await?;
        Ok(part.map(|part| (Bytes::from(part), (export, reader))))
    });
    let body = stream::once(async { Ok(Bytes::from(first)) }).chain(rest);
    let body = body.inspect_err(|err: &Error| {
        tracing::warn!(error = %Chain(err), "the export of a person was broken off");
    });
    let disposition = format!(r#"attachment; filename="{name}.json""#);
    Ok(HttpResponse::Ok()
        .insert_header(header::ContentType::json())
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .streaming(body))
}
