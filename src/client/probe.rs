//! What the fuzz targets see of the settings.

use url::Url;

use crate::client::confine::{PlainHttp, parse_base_url};
use crate::error::Error;

pub(crate) fn checked_base_url(text: &str) -> Result<Url, Error> {
    parse_base_url(text, PlainHttp::LoopbackOnly)
}
