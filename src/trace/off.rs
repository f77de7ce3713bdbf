//! The twin without the feature `tracing`: nobody is told, and nothing is done.

use std::future::Future;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use crate::error::{CallFacts, Error};
use crate::request::Request;

pub(crate) struct OperationSpan;

impl OperationSpan {
    pub(crate) fn call(_: &Request, _: &Url) -> Self {
        Self
    }

    pub(crate) fn presigned(_: &'static str, _: &Url) -> Self {
        Self
    }

    pub(crate) fn follow<T>(
        self,
        future: impl Future<Output = Result<T, Error>>,
        _: impl Fn(&T) -> &CallFacts,
    ) -> impl Future<Output = Result<T, Error>> {
        future
    }

    pub(crate) fn around<F: Future>(&self, future: F) -> F {
        future
    }

    pub(crate) fn succeeded(&mut self, _: &CallFacts) {}

    pub(crate) fn failed(&mut self, _: &Error) {}
}

pub(crate) fn workflow<F: Future>(_: &'static str, future: F) -> F {
    future
}

pub(crate) fn repeats(_: &Error, _: Duration) {}

pub(crate) fn reconnects(_: Result<&'static str, &Error>, _: Duration, _: Option<u64>) {}

pub(crate) fn resumes(_: Option<u64>) {}

pub(crate) fn gap(_: &RangeInclusive<u64>, _: u64) {}

pub(crate) fn gap_stays(_: &RangeInclusive<u64>, _: &Error) {}

pub(crate) fn duplicate(_: Option<u64>) {}
