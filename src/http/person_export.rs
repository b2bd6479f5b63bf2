//! The export of a person: a JSON file that is sent while it is read.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::export_reader::ExportReader;
use crate::account::Export;
use crate::error::{Chain, Error, Result};

/// The bytes that are read before the response begins, so that an error until then has its status. A
/// connection that is closed early on may lose what was sent, the status with it.
const FIRST: usize = 64 * 1024;

/// Sends an export as the file `name`. What is first in it, or all of a small one, is read before the
/// response begins; an error after that breaks it off, so that no client takes what it received for all
/// there is; it is one as well that `reader` may not read on.
///
/// # Errors
/// That of what is read first: [`Error::NotFound`] when there is no such person; that of
/// [`ExportReader::verify`] when `reader` may not read on;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn send_export(
    reader: ExportReader,
    mut export: Export,
    name: &str,
) -> Result<HttpResponse> {
    let mut first = Vec::new();
    while first.len() < FIRST {
        reader.verify().await?;
        match export.next_part().await? {
            Some(part) => first.extend(part),
            None => break,
        }
    }
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
