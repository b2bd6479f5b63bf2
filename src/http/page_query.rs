//! The query of a page, which people may have from anywhere: what can't be read of it counts as not given.

use std::collections::HashSet;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::error::Error;

/// Extracts the query of a page. Of a part that is given several times the first counts; of parts that are
/// not as they must be, none does.
pub struct PageQuery<T>(pub T);

impl<T: DeserializeOwned + Default> PageQuery<T> {
    /// Reads the query of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> T {
        let mut given = HashSet::new();
        let query = request.query_string().as_bytes();
        let once = form_urlencoded::parse(query).filter(|(name, _)| given.insert(name.clone()));
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(once);
        web::Query::<T>::from_query(&text.finish())
            .map(web::Query::into_inner)
            .unwrap_or_default()
    }
}

impl<T: DeserializeOwned + Default> FromRequest for PageQuery<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Self::of(request))))
    }
}
